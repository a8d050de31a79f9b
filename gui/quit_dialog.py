"""What shall become of the runs that are being trained when the window closes?"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from functools import partial

from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from core.i18n import tr
from core.runs import Run
from gui import theme
from gui.widgets.labels import button, label, row


class QuitChoice(Enum):
    KEEP = auto()
    STOP = auto()
    DISCARD = auto()
    CANCEL = auto()


class QuitDialog(QDialog):
    def __init__(self, parent: QWidget, runs: list[Run], waiting: Sequence[Run] = ()) -> None:
        super().__init__(parent)
        self.choice = QuitChoice.CANCEL
        self.setWindowTitle(tr("Close Lexiscope"))
        self.setMinimumWidth(620)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.L, theme.L, theme.L)
        layout.setSpacing(theme.M)
        one = len(runs) == 1
        layout.addWidget(label(tr("{name} is still being trained.", name=runs[0].name) if one
                               else tr("{count} runs are still being trained.", count=len(runs)), "title", wrap=True))
        if not one:
            layout.addWidget(label(", ".join(run.name for run in runs), "soft", wrap=True))
        layout.addWidget(label(tr("Training goes on without the window; you find it again when you open Lexiscope. "
                                  "Saving keeps what was learned so far, and it can be resumed. "
                                  "Discarding moves it to the trash."), "soft", wrap=True))
        if paused := ", ".join(run.name for run in runs if run.commanded("pause")):
            layout.addWidget(label(tr("What is paused stays so, and in memory, until you let it go on: {names}.", names=paused), "soft", wrap=True))
        if waiting:
            names = ", ".join(run.name for run in waiting)
            layout.addWidget(label(tr("What waits for its turn does not begin without the window: {names}.", names=names), "soft", wrap=True))
        self.buttons = {
            QuitChoice.DISCARD: button(tr("Discard"), partial(self._choose, QuitChoice.DISCARD), kind="danger"),
            QuitChoice.CANCEL: button(tr("Cancel"), self.reject),
            QuitChoice.STOP: button(tr("Save and stop"), partial(self._choose, QuitChoice.STOP)),
            QuitChoice.KEEP: button(tr("Keep training"), partial(self._choose, QuitChoice.KEEP), kind="primary"),
        }
        discard, *others = self.buttons.values()
        layout.addWidget(row(discard, None, *others))
        self.buttons[QuitChoice.KEEP].setDefault(True)  # only now: a dialog does not hear of it from a button that is not in it yet

    def _choose(self, choice: QuitChoice, _checked: bool = False) -> None:
        self.choice = choice
        self.accept()


def ask(parent: QWidget, runs: list[Run], waiting: Sequence[Run]) -> QuitChoice:
    dialog = QuitDialog(parent, runs, waiting)
    dialog.exec()
    choice = dialog.choice
    dialog.deleteLater()
    return choice
