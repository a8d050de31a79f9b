"""Take a run away: choose what it becomes, watch it being made and proven, read how well it turned out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtWidgets import QComboBox, QFileDialog, QGridLayout, QLineEdit, QProgressBar, QStackedLayout, QStackedWidget, QVBoxLayout, QWidget

from core.exchange.exports import Target, targets
from core.i18n import sentences, tr
from core.registry import family
from core.runs import Run, home, list_runs
from gui import theme
from gui.jobs import DONE, FAILED
from gui.session import Session
from gui.views import BENCH, Services
from gui.views.export.report import ExportReport
from gui.widgets.empty import Empty
from gui.widgets.labels import button, icon_button, label, restyle, row
from gui.widgets.segments import Segments

KEY = "export"
PATH = "export/path"  # in the session's past
RUN, TARGET, PRECISION, FOLDER = "export/run", "export/target", "export/precision", "export/folder"
COMBO_WIDTH = 220
PRECISIONS = {"fp32": "fp32", "fp16": "fp16", "int8": "int8"}


class ExportView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset({BENCH})

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        self._runs: list[Run] = []
        self._targets = targets()
        self._report: dict[str, Any] = {}
        self._suggested = ""
        self._run_box = QComboBox(accessibleName=tr("Run"))
        self._target_box = QComboBox(accessibleName=tr("Target"))
        for box in (self._run_box, self._target_box):
            box.setMinimumWidth(COMBO_WIDTH)
        self._precision = Segments(PRECISIONS, services.settings.get(PRECISION) or "fp32", tips={
            "fp32": tr("As it was trained: nothing is lost."), "fp16": tr("Half as large; LayerNorm stays in fp32."),
            "int8": tr("A quarter as large and often faster; the greatest error.")})
        self._path = QLineEdit(session.past.get(PATH, ""), accessibleName=tr("Where it goes"))
        self._path.textEdited.connect(self._path_typed)
        self._choose = icon_button("folder", tr("Choose a folder"), self._choose_folder)
        self._start = button(" " + tr("Export"), self.start, kind="primary", icon="export")
        self._cancel = button(tr("Cancel"), self._stop, kind="flat")
        self._about = label("", "soft", wrap=True)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setRange(0, 1000)
        self._words = label("", "soft", wrap=True)
        self._holder = QStackedWidget()
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._page())
        self._stack.addWidget(Empty("export", tr("Train a run first; then it can leave from here."), tr("Train one"), self._go_to_train))
        self._run_box.activated.connect(self._run_picked)
        self._target_box.activated.connect(self._target_picked)
        self._precision.chosen.connect(self._precision_picked)
        session.benchChanged.connect(self._find_runs)
        services.jobs.changed.connect(self._job_changed)
        self._find_runs()
        self._show_job()

    def _page(self) -> QWidget:
        page = QWidget()
        form = QGridLayout()
        form.setHorizontalSpacing(theme.M)
        form.setVerticalSpacing(theme.S)
        for number, (title, part) in enumerate(((tr("Run"), self._run_box), (tr("Target"), row(self._target_box, self._precision, None)),
                                                (tr("Where it goes"), row(self._path, self._choose, self._cancel, self._start)))):
            form.addWidget(label(title, "soft"), number, 0)
            form.addWidget(part, number, 1)
        form.setColumnStretch(1, 1)
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.L, theme.M, theme.L, theme.M)
        column.setSpacing(theme.S)
        column.addWidget(label(tr("Export"), "title"))
        column.addLayout(form)
        column.addWidget(self._about)
        column.addWidget(self._bar)
        column.addWidget(self._words)
        column.addWidget(self._holder, 1)
        column.addStretch(0)
        return page

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._find_runs()

    # what is chosen

    @property
    def run(self) -> Run | None:
        index = self._run_box.currentIndex()
        return self._runs[index] if 0 <= index < len(self._runs) else None

    @property
    def target(self) -> str:
        return self._target_box.currentData() or ""

    def _find_runs(self) -> None:
        """Those on the bench, then the others; of each that has a checkpoint and is not an export itself."""
        if not self.isVisible():
            return  # it takes a moment where there are hundreds, and is done when the view is shown
        wanted = str(self.run.path) if self.run else self._services.settings.get(RUN)
        bench = [item.run for item in self._session.bench]
        known = {run.path for run in bench}
        found = [*bench, *(run for run in list_runs() if run.path not in known)]
        self._runs = [run for run in found if run.checkpoint_steps() and not (run.path.parent / "model.onnx").exists()]
        self._run_box.clear()
        for run in self._runs:
            self._run_box.addItem(f"{run.name}  ·  {family(run.config.family).title}", str(run.path))
        self._run_box.setCurrentIndex(max(self._run_box.findData(wanted), 0) if self._runs else -1)
        self._stack.setCurrentIndex(0 if self._runs else 1)
        self._show_targets()

    def _run_picked(self, _index: int) -> None:
        self._services.settings.set(RUN, self._run_box.currentData())
        self._show_targets()

    def _target_picked(self, _index: int) -> None:
        self._services.settings.set(TARGET, self.target)
        self._show_choice()

    def _precision_picked(self, value: str) -> None:
        self._services.settings.set(PRECISION, value)
        self._show_choice()

    def _show_targets(self) -> None:
        wanted = self.target or self._services.settings.get(TARGET)
        self._target_box.clear()
        for name, target in self._targets.items():
            if self.run is not None and target.takes(self.run):
                self._target_box.addItem(target.title, name)
        self._target_box.setCurrentIndex(max(self._target_box.findData(wanted), 0) if self._target_box.count() else -1)
        self._show_choice()

    def _show_choice(self) -> None:
        chosen = self._targets.get(self.target)
        if chosen is None or self.run is None:
            return
        self._about.setText(chosen.about)
        self._precision.setVisible(bool(chosen.precisions))
        if self._path.text() in ("", self._suggested):  # what the person has typed stays
            self._suggested = self._suggestion(self.run, chosen)
            self._path.setText(self._suggested)

    def _suggestion(self, run: Run, target: Target) -> str:
        folder = self._folder()
        end = f"-{self._precision.value}" if target.precisions else ""
        path, number = folder / f"{run.path.name}-{self.target}{end}{target.suffix}", 1
        while path.exists():
            number += 1
            path = folder / f"{run.path.name}-{self.target}{end}-{number}{target.suffix}"
        return str(path)

    def _folder(self) -> Path:
        return Path(self._services.settings.get(FOLDER) or home() / "exports")

    def _place(self) -> str:
        """What is typed, whole: a name alone goes into the folder that is suggested, not into the program's own."""
        words = self._path.text().strip()
        return str(self._folder() / os.path.expanduser(words)) if words else ""

    def _path_typed(self, words: str) -> None:
        """For the view that is made anew in another language or theme; a place that the program suggests is suggested again."""
        self._session.past[PATH] = words

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Choose a folder"), str(Path(self._path.text()).parent))
        if folder:
            self._services.settings.set(FOLDER, folder)
            self._path_typed("")
            self._path.setText("")
            self._show_choice()

    # exporting

    def start(self) -> None:
        run, chosen = self.run, self._targets.get(self.target)
        if run is None or chosen is None:
            return
        out = self._place()
        if out != self._path.text():
            self._path.setText(out)
            self._path_typed(out)
        options = {"precision": self._precision.value} if chosen.precisions else {}
        self._services.jobs.start(KEY, "core.exchange.exports:export", {"run": str(run.path), "target": self.target,
                                                                        "out": out, "options": options})

    def _job_changed(self, kind: str) -> None:
        if kind == KEY:
            self._show_job()

    def _show_job(self) -> None:
        """What has become of the newest export, which an earlier view may have begun."""
        job = self._services.jobs.of(KEY)
        self._busy(job is not None and job.running)
        if job is None:
            self._say("")
            return
        if job.running:
            if not job.progress:
                self._show_report(None)
            share, words = job.progress or (0.0, tr("Starting..."))
            self._bar.setValue(round(1000 * share))
            self._say(words)
        elif job.state == DONE:
            self._say("")
            self._show_report(job.result)
            if self._path.text() == job.keywords["out"]:
                self._suggested = self._path.text()  # the next one gets another name
                self._show_choice()
        elif job.state == FAILED:
            self._say(sentences(*job.problem), "error")
        else:
            self._say(tr("Cancelled; nothing was left behind."))

    def _stop(self) -> None:
        self._services.jobs.cancel(KEY)

    def _busy(self, busy: bool) -> None:
        self._bar.setVisible(busy)
        shown, hidden = (self._cancel, self._start) if busy else (self._start, self._cancel)
        shown.show()
        if self.window().focusWidget() is hidden:
            shown.setFocus()  # or Qt moves the keyboard to whatever comes next: the cross of a chip
        hidden.hide()

    def _say(self, words: str, role: str = "soft") -> None:
        self._words.setText(words)
        restyle(self._words, "role", role)
        self._words.setVisible(bool(words))

    def _show_report(self, report: dict[str, Any] | None) -> None:
        while self._holder.count():
            old = self._holder.widget(0)
            self._holder.removeWidget(old)
            old.deleteLater()
        self._report = report or {}
        if report is not None:
            self._holder.addWidget(ExportReport(report, self._put_on_bench if report.get("target") == "onnx" else None))

    @property
    def report(self) -> ExportReport | None:
        return self._holder.widget(0) if self._holder.count() else None

    def _put_on_bench(self) -> None:
        with self._services.messages.guard():
            self._session.add_run(Run.open(Path(self._report["path"])))

    def _go_to_train(self) -> None:
        self._services.navigate("train")
