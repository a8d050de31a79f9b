"""What shall become of what is under way when the window closes: runs, comparisons, and jobs such as an export?"""

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
    """runs: being trained. waiting: for their turn. studies, jobs: the names of comparisons, and of jobs, which end with the window."""

    def __init__(self, parent: QWidget, runs: Sequence[Run], waiting: Sequence[Run] = (), studies: Sequence[str] = (),
                 jobs: Sequence[str] = ()) -> None:
        super().__init__(parent)
        self.choice = QuitChoice.CANCEL
        self.setWindowTitle(tr("Close Lexiscope"))
        self.setMinimumWidth(620)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.L, theme.L, theme.L)
        layout.setSpacing(theme.M)
        if len(runs) == 1:
            layout.addWidget(label(tr("{name} is still being trained.", name=runs[0].name), "title", wrap=True))
        elif runs:
            layout.addWidget(label(tr("{count} runs are still being trained.", count=len(runs)), "title", wrap=True))
            layout.addWidget(label(", ".join(run.name for run in runs), "soft", wrap=True))
        else:
            layout.addWidget(label(tr("Something is still going on."), "title", wrap=True))
        lines = []
        if runs:
            lines.append(tr("Training goes on without the window; you find it again when you open Lexiscope. "
                            "Saving keeps what was learned so far, and it can be resumed. "
                            "Discarding moves it to the trash."))
        if paused := ", ".join(run.name for run in runs if run.commanded("pause")):
            lines.append(tr("What is paused stays so, and in memory, until you let it go on: {names}.", names=paused))
        if waiting:
            names = ", ".join(run.name for run in waiting)
            lines.append(tr("What waits for its turn does not begin without the window: {names}.", names=names))
        if studies:
            lines.append(tr("A comparison goes on without the window, unless you stop it; its results so far stay, and it can go on later: "
                            "{names}.", names=", ".join(studies)))
        if jobs:
            lines.append(tr("What is not finished yet ends with the window: {names}.", names=", ".join(jobs)))
        for line in lines:
            layout.addWidget(label(line, "soft", wrap=True))
        outlives = bool(runs or studies)
        self.buttons = {QuitChoice.DISCARD: button(tr("Discard"), partial(self._choose, QuitChoice.DISCARD), kind="danger")} if runs else {}
        self.buttons[QuitChoice.CANCEL] = button(tr("Keep waiting") if jobs else tr("Cancel"), self.reject, kind="primary" if jobs else "")
        if outlives:
            self.buttons[QuitChoice.STOP] = button(tr("Save and stop"), partial(self._choose, QuitChoice.STOP))
        self.buttons[QuitChoice.KEEP] = button(tr("Keep training") if outlives else tr("Close"), partial(self._choose, QuitChoice.KEEP),
                                               kind="" if jobs else "primary")
        places = list(self.buttons.values())
        places.insert(1 if runs else 0, None)
        layout.addWidget(row(*places))
        usual = QuitChoice.CANCEL if jobs else QuitChoice.KEEP
        self.buttons[usual].setDefault(True)  # only now: a dialog does not hear of it from a button that is not in it yet

    def _choose(self, choice: QuitChoice, _checked: bool = False) -> None:
        self.choice = choice
        self.accept()


def ask(parent: QWidget, runs: Sequence[Run], waiting: Sequence[Run], studies: Sequence[str], jobs: Sequence[str]) -> QuitChoice:
    dialog = QuitDialog(parent, runs, waiting, studies, jobs)
    dialog.exec()
    choice = dialog.choice
    dialog.deleteLater()
    return choice
