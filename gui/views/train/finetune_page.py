"""The form of a finetune: a pretrained run, a task, labelled files, what the model will see of them, options, and the start."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QLineEdit, QSpinBox, QVBoxLayout, QWidget

from core import config as configs
from core.config import RunConfig
from core.errors import UserError
from core.i18n import sentences, tr
from core.registry import TASKS, task
from core.runs import Run
from core.tasks.config import build_finetune
from gui import theme
from gui.bench_room import say_full
from gui.forms.finetune_options import COLUMN, COLUMNS, FILE, TASK, FinetuneOptions
from gui.forms.labelled_files import DEV, TRAIN, LabelledFiles, dropped_files
from gui.forms.option_titles import error_in_titles
from gui.forms.pretrained_choice import PretrainedChoice
from gui.forms.sense_examples import SENSE_TASK, SenseExamples
from gui.forms.task_cards import task_cards
from gui.run_queue import queue_of
from gui.session import BENCH_SIZE, Session
from gui.views import Services
from gui.views.train.finetune_seen import FinetuneSeen
from gui.views.train.form_frame import FormFrame
from gui.widgets.labels import Card, button, label, row

WAIT_MS = 350  # after the last change, before the files are looked at
SIDE_WIDTH = 250
MOST_SEEDS = 20
NAME = "finetune"  # of this page in the session's past


@dataclass
class _Entered:
    """What stands in the form beside task, files and columns, which the settings keep. changed: of each part, option -> value."""

    run: str = ""
    changed: dict[str, dict[str, Any]] = field(default_factory=dict)
    name: str = ""
    seeds: int = 1


class FinetunePage(QWidget):
    """started(run): its process has been started."""

    started = Signal(object)

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        self._run: Run | None = None
        self._asked: tuple = ()
        self._entered: _Entered = session.past.setdefault(NAME, _Entered())
        remembered = services.settings.get(TASK)
        self._choice = PretrainedChoice(session, services)
        self._choice.chosen.connect(self._run_chosen)
        self._cards = task_cards(remembered if remembered in TASKS else next(iter(TASKS)))
        self._cards.chosen.connect(self._task_chosen)
        self._files = LabelledFiles(services.settings)
        self._files.changed.connect(self._files_changed)
        self._seen = FinetuneSeen()
        self._seen.columnChosen.connect(self._column_chosen)
        self._options = FinetuneOptions()
        self._options.changed.connect(self._edited)
        self.setAcceptDrops(True)
        files = Card()
        files.column.addWidget(self._files)
        examples = SenseExamples(session, services)
        examples.written.connect(self._take_examples)
        files.column.addWidget(row(examples, None))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._frame = self._made_frame(files)
        self._scroll = self._frame.scroll
        layout.addWidget(self._frame)
        self._wait = QTimer(self, interval=WAIT_MS, singleShot=True)
        self._wait.timeout.connect(self._look)
        self._show_task()
        if self._entered.run and (self._choice.run is None or str(self._choice.run.path) != self._entered.run):
            with suppress(UserError):  # it was deleted: that was said then
                self._choice.take(Run.open(Path(self._entered.run)))
        self._run_chosen(self._choice.run)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._choice.refresh()
        self._asked = ()
        self._wait.start()

    def _made_frame(self, files: QWidget) -> FormFrame:
        self._name = QLineEdit(placeholderText=tr("A name, if you like"), accessibleName=tr("Name"), text=self._entered.name)
        self._name.textChanged.connect(self._keep)
        self._seeds = QSpinBox(minimum=1, maximum=MOST_SEEDS, value=self._entered.seeds, accessibleName=tr("Seeds"),
                               toolTip=tr("So many runs, one after the other, each from a seed of its own; their mean and spread at the end"))
        self._seeds.valueChanged.connect(self._keep)
        self._seeds.lineEdit().setTextMargins(theme.S, 0, 0, 0)
        self._start = button(" " + tr("Start"), self.start, kind="primary", icon="play")
        self._copy = button(" " + tr("Copy as command"), self.copy_command, icon="copy", tip=tr("The command that starts the same run in a terminal"))
        self._blind = label("", "warning", wrap=True)
        self._advice = label("", "warning", wrap=True)
        self._refused = label("", "error", wrap=True)
        self._progress = label("", "small", wrap=True)
        words = (self._progress, self._refused, self._blind, self._advice)
        for part in words:
            part.hide()
        seeds = row(label(tr("Seeds"), "small"), None, self._seeds)
        return FormFrame((self._choice, self._cards, files, self._seen, self._options), deeds=(self._name, seeds, self._start, self._copy),
                         words=words, side_width=SIDE_WIDTH)

    # what is chosen

    @property
    def task(self) -> str:
        return self._cards.value

    def take(self) -> None:
        """What another view has handed over: a run to finetune, once, or it would come back with the next theme, or the settings of a finetune
        that was made before."""
        if (run := self._session.pretrained) is not None:
            self._session.pretrained = None
            self._choice.take(run)
        if (draft := self._session.draft) is not None and draft.task is not None:
            self._take_settings(draft)

    def _take_settings(self, draft: RunConfig) -> None:
        with self._services.messages.guard():
            self._choice.take(Run.open(Path(draft.task.pretrained)))
        self.choose_task(draft.task.task)
        for name, path in ((TRAIN, draft.task.train_file), (DEV, draft.task.dev_file)):
            self._files.set_path(name, path)
        for option in COLUMNS:
            self._services.settings.set(COLUMN.format(task=self.task, option=option), getattr(draft.task, option))
        self._options.show_config(draft)
        self._edited()

    def _take_examples(self, train: str, dev: str) -> None:
        self.choose_task(SENSE_TASK)
        self._files.set_path(TRAIN, train)
        self._files.set_path(DEV, dev)

    def choose_task(self, name: str) -> None:
        self._cards.set_value(name)
        self._task_chosen(name)

    def _run_chosen(self, run: object) -> None:
        self._run = run
        self._show_defaults()

    def _task_chosen(self, name: str) -> None:
        self._services.settings.set(TASK, name)
        self._show_task()
        self._show_defaults()

    def _show_task(self) -> None:
        """The files that were chosen for that task last, if they are still there."""
        self._files.set_kinds(tuple(task(self.task).kinds))
        self._files.blockSignals(True)
        for name in (TRAIN, DEV):
            path = self._services.settings.get(FILE.format(task=self.task, name=name))
            self._files.set_path(name, path if Path(path).is_file() else "")
        self._files.blockSignals(False)

    def _show_defaults(self) -> None:
        if self._run is not None:
            with self._services.messages.guard():
                self._options.restore(build_finetune(self._run, self.task), self._entered.changed)
        self._edited()

    def _keep(self) -> None:
        """For the page that is made anew in another language or theme."""
        self._entered.name, self._entered.seeds = self._name.text(), self._seeds.value()
        if self._run is not None:  # without it nothing says what was changed
            self._entered.run = str(self._run.path)
            self._entered.changed = self._options.changes()

    def _files_changed(self) -> None:
        for name in (TRAIN, DEV):
            self._services.settings.set(FILE.format(task=self.task, name=name), self._files.path(name))
        for option in COLUMNS:
            self._services.settings.set(COLUMN.format(task=self.task, option=option), "")
        self._edited()

    def _columns(self) -> dict[str, str]:
        found = {option: self._services.settings.get(COLUMN.format(task=self.task, option=option))
                 for option in COLUMNS}
        return {option: column for option, column in found.items() if column}

    def _column_chosen(self, option: str, column: str) -> None:
        self._services.settings.set(COLUMN.format(task=self.task, option=option), column)
        self._edited()

    # the settings as they stand

    def options(self) -> dict[str, Any] | None:
        """Dotted options; None where a field is refused, the reason stands there."""
        found = self._options.options() if self._run is not None else None
        if found is None:
            return None
        files = {"task.train_file": self._files.path(TRAIN), "task.dev_file": self._files.path(DEV)}
        return {**found, **files, **{f"task.{option}": column for option, column in self._columns().items()}}

    def config(self) -> RunConfig | None:
        options = self.options()
        if options is None:
            return None
        try:
            return build_finetune(self._run, self.task, options, name=self._name.text().strip())
        except UserError as error:
            self._refuse(error)
            return None

    def _edited(self) -> None:
        self._keep()
        self._refuse(None)
        good = self.config() is not None and bool(self._files.path(TRAIN) and self._files.path(DEV))
        self._start.setEnabled(good)
        self._copy.setEnabled(good)
        self._wait.start()

    def _refuse(self, error: UserError | None) -> None:
        if error is not None:
            self._options.show_error(error)
        self._refused.setText(error_in_titles(error) if error is not None else "")
        self._refused.setVisible(error is not None)

    # what the model sees

    def _look(self) -> None:
        options = self.options()
        if not self.isVisible() or self._run is None or options is None:
            return
        key = (str(self._run.path), self.task, tuple(sorted(options.items())))
        if key == self._asked:
            return
        self._asked = key
        if words := self._still_missing():
            self._seen.clear(words)
            self._show_blind("", "")
            return
        self._seen.wait()
        self._services.engine.call("core.tasks.inspect:inspect", {"pretrained": str(self._run.path), "task": self.task, "options": options},
                                   on_done=partial(self._looked, key), on_error=partial(self._not_looked, key), key="finetune/look", owner=self)

    def _still_missing(self) -> str:
        """Which file is still to be chosen; empty where both are there."""
        train, dev = bool(self._files.path(TRAIN)), bool(self._files.path(DEV))
        if train and dev:
            return ""
        if train:
            return tr("Choose also a file to measure on: labelled examples that the model does not learn from.")
        return tr("Choose also the file to learn from.") if dev else tr("Choose files to see how the model reads them.")

    def _looked(self, key: tuple, found: dict[str, Any]) -> None:
        if key != self._asked:  # the files or the task have changed meanwhile
            return
        self._seen.show_found(found, self._columns())
        self._show_blind(found.get("sees", ""), found.get("advice", ""))
        counts = found.get("counts") or {}
        for name in (TRAIN, DEV):
            self._files.show_note(name, tr("{count:,} examples", count=counts[name]) if counts.get(name) else "")
        if found["error"]:
            where = found.get("where", "").rpartition(".")[2]
            self._options.show_error(UserError(found["error"], found["hint"], where=where))
            if where in ("train_file", "dev_file"):
                self._files.show_note(where.partition("_")[0], tr("cannot be used"), wrong=True)
            self._start.setEnabled(False)

    def _not_looked(self, key: tuple, message: str, hint: str) -> None:
        if key != self._asked:
            return
        self._asked = ()
        self._seen.clear(sentences(message, hint))

    def _show_blind(self, blind: str, advice: str) -> None:
        for part, words in ((self._blind, blind), (self._advice, advice)):
            part.setText(words)
            part.setVisible(bool(words))

    # start

    def copy_command(self) -> None:
        if (made := self.config()) is not None:
            several = ["--seeds", str(self._seeds.value())] if self._seeds.value() > 1 else []
            QGuiApplication.clipboard().setText(configs.typed([*configs.as_command(made), *several]))
            self._services.messages.say(tr("The command is on the clipboard."), tr("Run it in the folder of the program."))

    def start(self) -> None:
        """Have the files read and the runs made, one for each seed, then start them."""
        options = self.options()
        if self.config() is None or options is None:
            return
        self._start.setEnabled(False)
        self._say(tr("Reading the files..."))
        keywords = {"pretrained": str(self._run.path), "task": self.task, "options": options, "name": self._name.text().strip(),
                    "seeds": self._seeds.value()}
        self._services.engine.call("core.tasks.create:create_runs", keywords, on_done=self._created, on_error=self._not_created,
                                   key="finetune/create", owner=self)

    def _say(self, words: str) -> None:
        self._progress.setText(words)
        self._progress.setVisible(bool(words))

    def _not_created(self, message: str, hint: str) -> None:
        self._say("")
        self._start.setEnabled(True)
        self._refuse(UserError(message, hint))

    def _created(self, paths: list[str]) -> None:
        self._say("")
        self._start.setEnabled(True)
        with self._services.messages.guard():
            runs = [Run.open(Path(path)) for path in paths]
            if len(runs) == 1:
                self._services.processes.start(runs[0])
            else:
                queue_of(self._services.processes).start(runs)
            shown = runs[:BENCH_SIZE - len(self._session.bench)]
            for run in shown:
                self._session.add_run(run)
            if not shown:
                say_full(self._session, self._services, runs[0])
            self.started.emit(runs[0])

    # drag and drop, anywhere on the page

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self._files.take(dropped_files(event))


