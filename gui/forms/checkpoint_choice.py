"""Which checkpoint of a run is asked: the newest, or the best by the run's own validations."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from core.i18n import tr
from core.runs import BEST, NEWEST, Run
from gui import theme
from gui.settings import Settings
from gui.widgets.labels import label
from gui.widgets.segments import Segments

SETTING = "checkpoint"


class CheckpointChoice(QWidget):
    """chosen: the person has chosen the other one. It is seen where one of the runs has a best checkpoint that is not its newest."""

    chosen = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        tips = {NEWEST: tr("The weights at the end of what has been learnt so far"),
                BEST: tr("The weights that did best on the run's own examples to measure on: pretrained runs by the loss, finetuned ones by the "
                         "task")}
        self.segments = Segments({NEWEST: tr("Newest"), BEST: tr("Best")}, settings.get(SETTING, NEWEST), tips=tips)
        self.segments.chosen.connect(self._choose)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.S)
        layout.addWidget(label(tr("Checkpoint"), "small"))
        layout.addWidget(self.segments)
        self.hide()

    def show_for(self, runs: Iterable[Run]) -> None:
        self.segments.set_value(self._settings.get(SETTING, NEWEST))  # another view may have chosen
        self.setVisible(any(run.best_step() not in (None, max(run.checkpoint_steps(), default=None)) for run in runs))

    def of(self, run: Run) -> str:
        """What is to be asked of that run: one without a best checkpoint has its newest only."""
        return BEST if self._settings.get(SETTING, NEWEST) == BEST and run.best_step() is not None else NEWEST

    def _choose(self, name: str) -> None:
        self._settings.set(SETTING, name)
        self.chosen.emit()


def step_in_words(step: int, best: int | None) -> str:
    return tr("step {step:,}, the best", step=step) if step == best else tr("step {step:,}", step=step)
