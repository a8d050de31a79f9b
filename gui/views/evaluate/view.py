"""How well a finetuned run does its task on a file: figures, which labels it takes for which, and its worst mistakes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QFileDialog, QHBoxLayout, QProgressBar, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from core.i18n import sentences, tr
from core.registry import task
from gui import theme
from gui.forms.checkpoint_choice import CheckpointChoice
from gui.forms.labelled_files import FOLDER, dropped_files
from gui.jobs import DONE, FAILED
from gui.picture import PictureButton
from gui.second_stage import seeds_in_words, task_of
from gui.session import BenchRun, Session
from gui.views import BENCH, Services
from gui.views.evaluate.body import EvaluationBody
from gui.widgets.elided import Elided
from gui.widgets.empty import Empty
from gui.widgets.labels import button, icon_button, label, restyle, row

RUN = "evaluate/run"  # in the settings
KEY, SEEDS = "evaluate", "evaluate/seeds"
COMBO_WIDTH = 200


class EvaluateView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset({BENCH})

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        self._file = ""
        self._results: dict[tuple[Path, str, str, tuple[int, ...]], dict[str, Any]] = {}
        self._body: EvaluationBody | None = None
        self._drawn: tuple = ()  # of what a result is shown, or is to be measured
        self.setAcceptDrops(True)
        self._combo = QComboBox(accessibleName=tr("Run"), sizeAdjustPolicy=QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._combo.setMinimumWidth(COMBO_WIDTH)
        self._combo.setMinimumContentsLength(1)
        self._combo.activated.connect(self._picked)
        self._path = Elided("", "soft")
        self._choose = icon_button("folder", tr("Measure on another file"), self._choose_file)
        self._own = icon_button("undo", tr("Back to the run's own file"), self._own_file, size=16)
        self._measure = button(" " + tr("Measure"), self.measure, kind="primary", icon="play")
        self._cancel = button(tr("Cancel"), self._stop, kind="flat")
        self._save = PictureButton(self._picture, name="evaluation", rows=self._rows, messages=services.messages, settings=services.settings)
        self._bar = QProgressBar(textVisible=False)
        self._counted = label("", "small")
        self._which = CheckpointChoice(services.settings)
        self._which.chosen.connect(self._which_chosen)
        self._over_seeds = label("", "small", wrap=True)
        self._words = label("", "soft", wrap=True)
        self._named = row(label(tr("Evaluate"), "title"), self._combo, None, spacing=theme.L)
        self._deeds = row(self._cancel, self._measure, self._save)
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._head.setSpacing(theme.S)
        self._head.addWidget(self._named, 1)
        self._head.addWidget(self._deeds, 0, Qt.AlignmentFlag.AlignLeft)
        self._holder = QScrollArea(widgetResizable=True, frameShape=QScrollArea.Shape.NoFrame)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.L, theme.M, theme.L, theme.M)
        column.setSpacing(theme.S)
        column.addLayout(self._head)
        column.addWidget(row(self._path, self._own, self._choose, None))
        line = QHBoxLayout()
        line.setSpacing(theme.L)
        line.addWidget(self._which)
        line.addWidget(self._over_seeds, 1)
        column.addLayout(line)
        column.addWidget(self._bar)
        column.addWidget(self._counted)
        column.addWidget(self._words)
        column.addWidget(self._holder, 1)
        column.addStretch()  # without a result the rest stays together at the top
        self._stack = QStackedLayout(self)
        self._stack.addWidget(page)
        self._stack.addWidget(Empty("evaluate", tr("Finetune a run and put it on the bench to see what it gets right and what it mistakes."),
                                    tr("Go to Train"), self._go_to_train))
        session.benchChanged.connect(self._bench_changed)
        services.processes.ended.connect(self._ended)
        services.jobs.changed.connect(self._job_changed)
        self._find_job()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._look_again()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """The buttons stand beneath the run where its name and task would be cut beside them."""
        wanted = self._named.sizeHint().width() + self._measure.sizeHint().width() + self._cancel.sizeHint().width() + self._save.sizeHint().width()
        beneath = wanted + 3 * theme.S + 2 * theme.L > self.width()
        self._head.setDirection(QBoxLayout.Direction.TopToBottom if beneath else QBoxLayout.Direction.LeftToRight)

    def _ended(self, _path: str, _outcome: object) -> None:
        if self.isVisible():
            self._look_again()

    def _look_again(self) -> None:
        """The run may have learnt more, and another checkpoint may have been chosen elsewhere."""
        if self.item is not None:
            self._which.show_for([self.item.run])
            if self._key(self.item) != self._drawn:
                self._show()
        self._ask_seeds()

    def _ask_seeds(self) -> None:
        """What the run and those that differ from it in the seed alone came to together."""
        if self.item is not None:
            self._services.engine.call("core.tasks.seeds:over_seeds", {"runs": [str(self.item.path)]},
                                       on_done=partial(self._seeds_known, self.item.path), on_error=self._no_seeds, key=SEEDS, owner=self)

    def _seeds_known(self, path: Path, found: list[dict[str, Any]]) -> None:
        if self.item is not None and self.item.path == path:
            self._over_seeds.setText(seeds_in_words(found[0]) if found else "")

    def _no_seeds(self, _message: str, _hint: str) -> None:
        self._over_seeds.setText("")

    def _go_to_train(self) -> None:
        self._session.pretrained = None
        self._services.navigate("train")

    # which run, which file

    @property
    def item(self) -> BenchRun | None:
        """The run that is looked at."""
        path = self._combo.currentData()
        return self._session.on_bench(Path(path)) if path else None

    @property
    def body(self) -> EvaluationBody | None:
        return self._body

    def _bench_changed(self) -> None:
        wanted = self._combo.currentData() or self._services.settings.get(RUN)
        tuned = [item for item in self._session.bench if task_of(item.run)]
        self._combo.clear()
        for item in tuned:
            self._combo.addItem(f"{item.run.name}  ·  {tr(task(task_of(item.run)).title)}", str(item.path))
        self._combo.setCurrentIndex(max(self._combo.findData(wanted), 0) if tuned else -1)
        self._stack.setCurrentIndex(0 if tuned else 1)
        self._over_seeds.setText("")
        self._arrange()
        job = self._services.jobs.of(KEY)
        if job is not None and (self.item is None or job.about[0] != self.item.path):
            self._stop()  # another run is looked at: neither its progress nor its end is that one's
        self._show()
        self._job_changed(KEY)
        if self.isVisible():
            self._ask_seeds()

    def _picked(self, _index: int) -> None:
        self._services.settings.set(RUN, self._combo.currentData())
        self._stop()
        self._file = ""
        self._over_seeds.setText("")
        self._show()
        self._ask_seeds()

    def _which_chosen(self) -> None:
        self._stop()
        self._show()

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Choose a file"), self._services.settings.get(FOLDER))
        if path:
            self._services.settings.set(FOLDER, str(Path(path).parent))
            self.take_file(path)

    def take_file(self, path: str) -> None:
        """Measure on this file; empty: on the run's own."""
        self._stop()
        self._file = path
        self._show()

    def _own_file(self) -> None:
        self.take_file("")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.item is not None and dropped_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.take_file(dropped_files(event)[0])

    def _key(self, item: BenchRun) -> tuple[Path, str, str, tuple[int, ...]]:
        """What a result is of: measured anew when the run has learnt more."""
        return item.path, self._file, self._which.of(item.run), tuple(item.run.checkpoint_steps())

    # measuring

    def _show(self) -> None:
        """What is known of the run on the file."""
        item = self.item
        if item is None:
            return
        self._which.show_for([item.run])
        self._drawn = self._key(item)
        own = Path(item.run.config.task.dev_file).name
        self._path.setText(Path(self._file).name if self._file else tr("{file}, its own file to measure on", file=own) if own else
                           tr("no file of its own"))
        self._path.setToolTip(self._file or item.run.config.task.dev_file)
        self._own.setVisible(bool(self._file))
        found = self._results.get(self._key(item))
        ready = bool(item.run.checkpoint_steps())
        self._measure.setEnabled(ready and bool(own or self._file))
        if found is None:
            self._say(tr("The run {name} has no checkpoint yet.", name=item.run.name) if not ready else tr("Press “Measure”.")
                      if own or self._file else tr("Choose a file with labels."))
        else:
            self._show_result(item, found)

    def _show_result(self, item: BenchRun, found: dict[str, Any]) -> None:
        self._say("")
        made = EvaluationBody(theme.current().runs[item.colour])
        made.show_result(found)
        if (old := self._holder.takeWidget()) is not None:
            old.deleteLater()
        self._holder.setWidget(made)
        self._holder.show()
        self._body = made

    def _say(self, words: str, role: str = "soft") -> None:
        self._words.setText(words)
        restyle(self._words, "role", role)
        self._words.setVisible(bool(words))
        self._holder.setVisible(not words)

    def _busy(self, busy: bool) -> None:
        self._bar.setVisible(busy)
        self._bar.setRange(0, 0)
        self._counted.setVisible(busy)
        self._counted.setText(tr("The model is being loaded."))
        self._cancel.setVisible(busy)
        self._measure.setVisible(not busy)
        self._words.setVisible(not busy and bool(self._words.text()))  # they ask to press the button that is gone now

    def measure(self) -> None:
        item = self.item
        if item is None:
            return
        asked = {"run": str(item.path), "file": self._file, "checkpoint": self._which.of(item.run)}
        self._services.jobs.start(KEY, "core.analysis.evaluate:evaluate", asked, about=self._key(item))

    def _find_job(self) -> None:
        """What an earlier view has begun or measured is shown again, with its run and its file."""
        job = self._services.jobs.of(KEY)
        if job is not None and self._session.on_bench(Path(job.keywords["run"])):
            self._file = job.keywords["file"]
            self._services.settings.set(RUN, job.keywords["run"])
        self._bench_changed()
        self._job_changed(KEY)

    def _job_changed(self, kind: str) -> None:
        if kind != KEY:
            return
        job = self._services.jobs.of(KEY)
        self._busy(job is not None and job.running)
        if job is None:
            return
        if job.running and job.progress:
            done, total = job.progress
            self._bar.setRange(0, max(total, 1))
            self._bar.setValue(done)
            self._counted.setText(tr("{done:,} of {total:,} examples", done=done, total=total))
        elif job.state == DONE:
            self._results[job.about] = job.result
            item = self.item
            if item is not None and self._key(item)[:3] == job.about[:3]:
                self._show_result(item, job.result)
        elif job.state == FAILED:
            self._refused(*job.problem)

    def _refused(self, message: str, hint: str) -> None:
        self._say(sentences(message, hint), "error")

    def _stop(self) -> None:
        self._services.jobs.cancel(KEY)
        self._services.jobs.forget(KEY)

    # what leaves

    def _picture(self) -> EvaluationBody | None:
        return self._body if self._holder.isVisible() else None

    def _rows(self) -> tuple[list[str], list[list[object]]]:
        """For the csv: every example of what is shown, in the file's order."""
        shown, names = self._picture(), ["line", "gold", "predicted", "confidence", "right", "text", "detail"]
        return names, [[one.get(name, "") for name in names] for one in (shown.rows if shown is not None else ())]
