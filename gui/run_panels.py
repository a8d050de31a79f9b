"""A panel for each run on the bench, side by side or one above the other, in the bench's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from PySide6.QtWidgets import QBoxLayout, QWidget

from core.i18n import tr
from gui.session import BenchRun

Panel = TypeVar("Panel", bound=QWidget)


def seen_at(step: int, shown: int) -> str:
    """What must be said of figures that a checkpoint of `step` gave beside a picture of the step `shown`; empty where these are one."""
    return "" if step == shown else tr("Seen at the saved checkpoint of step {step:,}.", step=step)


class RunPanels(Generic[Panel]):
    """panels: path of a run -> its panel, in `box`; always this one dict. make: makes the panel of a run."""

    def __init__(self, box: QBoxLayout, make: Callable[[BenchRun], Panel]) -> None:
        self.panels: dict[Path, Panel] = {}
        self._box, self._make = box, make
        self._shown: list[tuple[Path, int, str]] = []

    def show(self, bench: Sequence[BenchRun]) -> bool:
        """Have a panel for each of these runs. Where a run, its colour or its name has changed all are made anew: then True."""
        wanted = [(item.path, item.colour, item.run.name) for item in bench]
        if wanted == self._shown:
            return False
        self._shown = wanted
        for panel in self.panels.values():
            panel.hide()
            panel.deleteLater()
        self.panels.clear()
        for item in bench:
            self.panels[item.path] = panel = self._make(item)
            self._box.addWidget(panel, 1)
        return True
