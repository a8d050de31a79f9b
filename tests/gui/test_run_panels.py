from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget
from pytestqt.qtbot import QtBot

from gui.run_panels import RunPanels


def on_bench(path: str, colour: int = 0, name: str = "") -> SimpleNamespace:
    return SimpleNamespace(path=path, colour=colour, run=SimpleNamespace(name=name or path))


@pytest.mark.parametrize("other", [on_bench("b", 1), on_bench("b", name="another"), on_bench("c")])
def test_the_panels_are_made_anew_where_a_run_its_colour_or_its_name_is_another(qtbot: QtBot, other: SimpleNamespace) -> None:
    whole = QWidget()
    qtbot.addWidget(whole)
    box, made = QHBoxLayout(whole), []

    def make(item: SimpleNamespace) -> QLabel:
        made.append(QLabel(item.run.name))
        return made[-1]

    shown = RunPanels(box, make)
    panels = shown.panels
    assert shown.show([on_bench("a"), on_bench("b")]) and list(panels) == ["a", "b"]
    assert not shown.show([on_bench("a"), on_bench("b")]) and list(panels.values()) == made
    with qtbot.waitSignals([panel.destroyed for panel in made]):
        assert shown.show([on_bench("a"), other])
    assert list(panels) == ["a", other.path] and [box.itemAt(place).widget() for place in range(box.count())] == list(panels.values())
    assert shown.show(()) and not panels
