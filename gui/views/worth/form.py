"""What is compared: a pretrained run, a task, its files, over how many labelled examples and seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QScrollArea, QSpinBox, QVBoxLayout, QWidget

from core.errors import UserError
from core.i18n import tr
from core.registry import TASKS, task
from core.runs import Run
from core.study_process import arguments
from core.tasks.config import build_finetune
from gui import theme
from gui.forms.finetune_options import COLUMN, COLUMNS, FILE, TASK, FinetuneOptions
from gui.forms.kept_field import keep
from gui.forms.labelled_files import DEV, TRAIN, LabelledFiles
from gui.forms.pretrained_choice import PretrainedChoice
from gui.forms.sense_examples import SENSE_TASK, SenseExamples
from gui.forms.task_cards import task_cards
from gui.session import Session
from gui.views import Services
from gui.widgets.flow import Flow
from gui.widgets.labels import Card, button, label, restyle, row

COUNTS_WIDTH = 230
OPTIONS = "worth/options"  # in the session's past
SETTLED = ("labels", "from_scratch", "seed")  # what the comparison itself varies


class StudyForm(QWidget):
    """started(arguments, name of the run's folder, task): the button was pressed. It shares its files with the form of a finetune."""

    started = Signal(list, str, str)

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._services = services
        self._past = session.past
        remembered = services.settings.get(TASK)
        self.choice = PretrainedChoice(session, services)
        self.choice.chosen.connect(self._run_chosen)
        self.cards = task_cards(remembered if remembered in TASKS else next(iter(TASKS)))
        self.cards.chosen.connect(self._task_chosen)
        self.files = LabelledFiles(services.settings)
        self.files.changed.connect(self._files_changed)
        self.counts = QLineEdit(placeholderText=tr("50, 100, 200 ... and all"), accessibleName=tr("Labelled examples"))
        self.counts.setFixedWidth(theme.scaled(COUNTS_WIDTH))
        self.seeds = QSpinBox(minimum=1, maximum=20, value=3, accessibleName=tr("Seeds"))
        self.seeds.lineEdit().setTextMargins(theme.S, 0, 0, 0)
        keep(self._past, "worth/counts", self.counts)
        self.counts.textChanged.connect(self._edited)
        keep(self._past, "worth/seeds", self.seeds)
        self.options = FinetuneOptions(hide=SETTLED)
        self.options.changed.connect(self._edited)
        self.go = button(" " + tr("Compare"), self._go, kind="primary", icon="play")
        self._wrong = label("", "error", wrap=True)
        files = Card()
        files.column.addWidget(self.files)
        examples = SenseExamples(session, services)
        examples.written.connect(self._take_examples)
        files.column.addWidget(row(examples, None))
        asked = Flow(theme.M, theme.S)
        asked.set_parts([row(label(tr("Labelled examples"), "small"), self.counts), row(label(tr("Seeds"), "small"), self.seeds), self.go])
        files.column.addWidget(asked)
        files.column.addWidget(self._wrong)
        words = tr("Three ways to the same task, with more and more labelled examples: finetuned from the pretrained run, the same network "
                   "from random weights, and, where it applies, counting character n-grams (TF-IDF with logistic regression).")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        scroll = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        layout.addWidget(scroll)
        page = QWidget()
        scroll.setWidget(page)  # while it is empty, see TrainView
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, theme.M, 0)
        column.setSpacing(theme.M)
        for part in (label(words, "soft", wrap=True), self.choice, self.cards, files, self.options):
            column.addWidget(part)
        column.addStretch(1)
        self._show_task()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self.choice.refresh()
        self._show_task()

    def _task_chosen(self, name: str) -> None:
        self._services.settings.set(TASK, name)
        self._show_task()

    def _take_examples(self, train: str, dev: str) -> None:
        self.cards.set_value(SENSE_TASK)
        self._task_chosen(SENSE_TASK)
        self.files.set_path(TRAIN, train)
        self.files.set_path(DEV, dev)

    def _run_chosen(self, _run: object) -> None:
        self._show_defaults()
        self._edited()

    def _show_defaults(self) -> None:
        """The options that such a finetune begins with; what the person has changed stays changed."""
        if isinstance(self.choice.run, Run):
            with self._services.messages.guard():
                self.options.restore(build_finetune(self.choice.run, self.cards.value), self._past.get(OPTIONS, {}))

    def _show_task(self) -> None:
        name = self.cards.value
        self.files.set_kinds(tuple(task(name).kinds))
        self.files.blockSignals(True)
        for part in (TRAIN, DEV):
            path = self._services.settings.get(FILE.format(task=name, name=part))
            self.files.set_path(part, path if Path(path).is_file() else "")
        self.files.blockSignals(False)
        self._show_defaults()
        self._edited()

    def _files_changed(self) -> None:
        for part in (TRAIN, DEV):
            self._services.settings.set(FILE.format(task=self.cards.value, name=part), self.files.path(part))
        self._edited()

    def _given(self) -> dict[str, Any] | None:
        """The options as they stand; None where one is refused, the reason stands at its field."""
        made = self.options.options()
        if made is None or not isinstance(self.choice.run, Run):
            return made
        try:
            build_finetune(self.choice.run, self.cards.value, made)
        except UserError as error:
            self.options.show_error(error)
            return None
        return made

    def _edited(self, *_: object) -> None:
        if isinstance(self.choice.run, Run):  # without it nothing says what was changed
            self._past[OPTIONS] = self.options.changes()
        wrong = "" if counts_of(self.counts.text()) is not None else tr("Write whole numbers with commas between them, such as 50, 200, 1000.")
        self._wrong.setText(wrong)
        self._wrong.setVisible(bool(wrong))
        restyle(self.counts, "state", "error" if wrong else "")
        files = bool(self.files.path(TRAIN) and self.files.path(DEV))
        self.go.setEnabled(not wrong and self._given() is not None and isinstance(self.choice.run, Run) and files)

    def _go(self) -> None:
        name, run = self.cards.value, self.choice.run
        columns = {option: self._services.settings.get(COLUMN.format(task=name, option=option)) for option in COLUMNS}
        words = arguments(pretrained=str(run.path), task=name, train=self.files.path(TRAIN), dev=self.files.path(DEV),
                          counts=counts_of(self.counts.text()) or (), seeds=self.seeds.value(),
                          options={**{f"task.{option}": column for option, column in columns.items() if column}, **(self._given() or {})})
        self.started.emit(words, str(run.path), name)


def counts_of(text: str) -> tuple[int, ...] | None:
    """ "50, 200" -> (50, 200); empty: (), as the program thinks best. None where it cannot be read."""
    parts = [part.strip() for part in text.replace("，", ",").replace("、", ",").split(",") if part.strip()]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        return None
    return tuple(sorted({int(part) for part in parts}))
