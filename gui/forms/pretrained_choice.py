"""Which pretrained run is finetuned: those on the bench first, then all others that have a checkpoint, or any folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QVBoxLayout, QWidget

from core.errors import UserError
from core.i18n import tr
from core.registry import family
from core.runs import Run, runs_home
from gui import theme
from gui.session import Session
from gui.views import Services
from gui.widgets.labels import button, label, row, tell

if TYPE_CHECKING:
    from core.analysis.pretrained import Pretrained

RUN = "finetune/run"  # in the settings
LEAST_LETTERS = 10  # of a run's name, where there is little room


class PretrainedChoice(QWidget):
    """chosen(run or None): another one was chosen, or it has another name. run: it; None where there is none yet."""

    chosen = Signal(object)

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        self._others: list[Pretrained] = []
        self.run: Run | None = None
        self._combo = QComboBox(accessibleName=tr("Pretrained run"))
        self._combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._combo.setMinimumContentsLength(LEAST_LETTERS)
        self._combo.activated.connect(self._picked)
        self._words = label("", "soft", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(row(label(tr("Pretrained run"), "heading"), self._combo, button(tr("Another folder"), self._choose_folder, kind="flat"),
                             None, spacing=theme.M))
        layout.addWidget(self._words)
        session.benchChanged.connect(self._fill)
        self._take_remembered()
        self._fill()

    def refresh(self) -> None:
        """Ask which runs there are."""
        self._services.engine.call("core.analysis.pretrained:pretrained_runs", {}, on_done=self._arrived, on_error=self._no_answer,
                                   key="finetune/runs", owner=self)

    def take(self, run: Run) -> None:
        """Choose this one."""
        self.run = run
        self._services.settings.set(RUN, str(run.path))
        self._fill()
        self.chosen.emit(self.run)

    def _take_remembered(self) -> None:
        path = self._services.settings.get(RUN)
        if path:
            try:
                run = Run.open(Path(path))
                self.run = run if run.config.task is None else None
            except UserError:
                self.run = None

    def _arrived(self, found: list[Pretrained]) -> None:
        self._others = found
        self._fill()

    def _no_answer(self, message: str, hint: str) -> None:
        self._services.messages.say(message, hint, kind="warning")

    def _look_again(self) -> None:
        """The chosen run may have been renamed or deleted since."""
        before = self.run
        try:
            self.run = Run.open(before.path)
        except UserError:
            self.run = None
        if self.run is None or self.run.config != before.config:
            self.chosen.emit(self.run)

    def _fill(self) -> None:
        if self.run is not None:
            self._look_again()
        entries = {str(item.path): f"{item.run.name}  ·  {family(item.run.config.family).title}" for item in self._session.bench
                   if item.run.config.task is None and item.run.checkpoint_steps()}
        if self.run is not None:
            entries.setdefault(str(self.run.path), f"{self.run.name}  ·  {family(self.run.config.family).title}")
        for one in filter(lambda one: Path(one.path).is_dir(), self._others):
            entries.setdefault(one.path, f"{one.name}  ·  {family(one.family).title}")
        self._combo.clear()
        for path, words in entries.items():
            self._combo.addItem(words, path)
        self._combo.setEnabled(bool(entries))
        tell(self._words, "" if entries else tr("There is no pretrained run with a checkpoint yet."))
        if self.run is not None:
            self._combo.setCurrentIndex(self._combo.findData(str(self.run.path)))
        elif entries:
            self._open(next(iter(entries)), remember=False)

    def _picked(self, index: int) -> None:
        self._open(self._combo.itemData(index), remember=True)

    def _open(self, path: str, *, remember: bool) -> None:
        with self._services.messages.guard():
            run = Run.open(Path(path))
            if remember:
                self.take(run)
            else:
                self.run = run
                self.chosen.emit(run)

    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, tr("The folder of a pretrained run"), str(runs_home()))
        if path:
            with self._services.messages.guard():
                run = Run.open(Path(path))
                if run.config.task is not None:
                    raise UserError(tr("{name} is itself a finetuned run.", name=run.name), tr("Choose the run that it was made from."))
                self.take(run)
