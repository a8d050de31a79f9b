"""The runs while they learn: their curves side by side, and a strip for each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QFrame, QGridLayout, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from core.events import EvalEnd, Event, RunContinued, RunStarted, StepEnd
from core.i18n import tr
from core.runs import Run
from gui import theme
from gui.forms.kept_field import keep
from gui.losses import loss_title
from gui.run_queue import queue_of
from gui.second_stage import metric_of, seeds_in_words
from gui.session import Session
from gui.views import Services
from gui.views.train.run_strip import RunStrip
from gui.widgets.curve import Curves
from gui.widgets.elided import Elided
from gui.widgets.empty import Empty
from gui.widgets.folding import FoldingSegments
from gui.widgets.labels import Card, label, row

TWO_COLUMNS = 940  # from this width on the strips stand in two columns
LEAST_HEIGHT, LEAST_CURVES = 60, 340  # of the strips, and of the card with the curves as long as the strips are not whole
STRIPS_HEIGHT = 260  # at most; more strips scroll
BOTH, TRAINING, VALIDATION, METRIC = "both", "training", "validation", "metric"
KINDS = {BOTH: (TRAINING, VALIDATION), TRAINING: (TRAINING,), VALIDATION: (VALIDATION,), METRIC: (METRIC,)}  # choice -> curves
SHOWN = "train/curves"  # in the settings


class LivePanel(QWidget):
    """on_new: called by the button that leads to the form of a new run."""

    def __init__(self, session: Session, services: Services, on_new: object) -> None:
        super().__init__()
        self._session, self._services = session, services
        self._queue = queue_of(services.processes)
        self._strips: dict[str, RunStrip] = {}
        self._last: dict[str, tuple[float, float]] = {}  # path -> tokens and seconds at the newest step that is drawn
        self._drawn: set[str] = set()  # keys of the curves that are there
        self._columns = 0
        self._curves = Curves({"steps": tr("Steps"), "tokens": tr("Tokens"), "time": tr("Time")})
        for name, control in self._curves.controls.items():
            keep(session.past, f"train/curves/{name}", control)
        remembered = services.settings.get(SHOWN, BOTH)
        self._which = FoldingSegments({BOTH: tr("Both"), TRAINING: tr("Training"), VALIDATION: tr("Validation"), METRIC: tr("Task")}, remembered,
                                      tips={METRIC: tr("How well finetuned runs do their task, measured on held-out examples")})
        self._which.chosen.connect(self._choose_curves)
        card = Card()
        self._caption = label(tr("lines: training; lines with dots: validation"), "caption")
        self._heading = Elided("", "heading")
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._head.setSpacing(theme.S)
        self._head.addWidget(self._heading, 1)
        self._choice = row(self._caption, self._which, spacing=theme.M)
        self._head.addWidget(self._choice)
        card.column.addLayout(self._head)
        card.column.addWidget(self._curves, 1)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.S)
        holder = QWidget()
        inside = QVBoxLayout(holder)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addLayout(self._grid)
        inside.addStretch(1)
        self._scroll = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(holder)
        self._over_seeds = label("", "soft", wrap=True)
        self._over_seeds.hide()
        full = QWidget()
        column = QVBoxLayout(full)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.M)
        column.addWidget(card, 1)
        column.addWidget(self._over_seeds)
        column.addWidget(self._scroll)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(Empty("train", tr("No run is on the bench and none is being trained."), tr("Set up a run"), on_new))
        self._pages.addWidget(full)
        session.benchChanged.connect(self._draw)
        session.benchChanged.connect(self._ask_seeds)
        services.processes.changed.connect(self._draw)
        services.processes.ended.connect(self._ended)
        services.watcher.eventsArrived.connect(self._arrived)
        services.watcher.caughtUp.connect(self._caught_up)
        self._queue.changed.connect(self._draw)
        self._draw()

    # which runs

    def _runs(self) -> dict[str, tuple[Run, str]]:
        """path -> run and colour: first those that are being trained beside a full bench, which would be out of sight, then the bench."""
        bench = {str(item.path): (item.run, theme.current().runs[item.colour]) for item in self._session.bench}
        running = {str(run.path): (run, theme.current().text_faint) for run in self._services.processes.running()}
        return {path: one for path, one in running.items() if path not in bench} | bench

    def _draw(self) -> None:
        wanted = self._runs()
        self._title()
        self._pages.setCurrentIndex(1 if wanted else 0)
        on_bench = {str(item.path) for item in self._session.bench}
        for path in list(self._last):
            if path not in on_bench:
                del self._last[path]
                for kind in (TRAINING, VALIDATION, METRIC):
                    self._curves.remove(f"{path}/{kind}")
                    self._drawn.discard(f"{path}/{kind}")
        for item in self._session.bench:  # a run that is there already may have got another name or colour
            self._add_curves(str(item.path), item.run, theme.current().runs[item.colour])
        if list(wanted) != list(self._strips) or any((strip.run, strip.colour) != wanted[path] for path, strip in self._strips.items()):
            self._make_strips(wanted)
        for path, strip in self._strips.items():
            strip.show_events(self._services.watcher.newest(path), is_read=self._services.watcher.is_caught_up(path))
        self._fit()

    def _make_strips(self, wanted: dict[str, tuple[Run, str]]) -> None:
        for strip in self._strips.values():
            self._grid.removeWidget(strip)
            strip.hide()
            strip.deleteLater()
        self._strips, self._columns = {}, 0
        for path, (run, colour) in wanted.items():
            strip = RunStrip(run, colour, self._services.processes, self._queue)
            strip.pauseWanted.connect(self._pause)
            strip.goOnWanted.connect(self._start)
            strip.stopWanted.connect(self._stop)
            strip.startWanted.connect(self._start)
            strip.smallerWanted.connect(self._start_smaller)
            self._strips[path] = strip
        self._place()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        self._place()
        self._fit()
        self._arrange()

    def _arrange(self) -> None:
        """What the axis holds stands in a line of its own where there is no room for it beside the choice."""
        wanted = self._heading.sizeHint().width() + self._choice.sizeHint().width() + theme.S + 2 * theme.L
        self._head.setDirection(QBoxLayout.Direction.TopToBottom if wanted > self.width() else QBoxLayout.Direction.LeftToRight)

    def _place(self) -> None:
        columns = 2 if self.width() >= theme.scaled(TWO_COLUMNS) and len(self._strips) > 1 else 1
        if columns == self._columns:
            return
        self._columns = columns
        for index, strip in enumerate(self._strips.values()):
            self._grid.addWidget(strip, index // columns, index % columns, Qt.AlignmentFlag.AlignTop)
        for column in range(2):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    def _fit(self) -> None:
        """The strips take what they need, up to a bound; the curves have the rest."""
        self._scroll.setMaximumHeight(min(max(self._scroll.widget().sizeHint().height(), LEAST_HEIGHT) + 2, STRIPS_HEIGHT))
        least = max(round(0.25 * self.height()), self.height() - theme.scaled(LEAST_CURVES), LEAST_HEIGHT)
        self._scroll.setMinimumHeight(min(self._scroll.maximumHeight(), least))

    # several seeds of one finetune

    def _ask_seeds(self) -> None:
        self._seeds_of = paths = [str(item.path) for item in self._session.bench if item.run.config.task is not None]
        if paths and self.isVisible():
            self._services.engine.call("core.tasks.seeds:over_seeds", {"runs": paths}, on_done=partial(self._seeds_known, paths),
                                       on_error=partial(self._no_seeds, paths), key="train/seeds", owner=self)
        elif not paths:
            self._seeds_known(paths, [])

    def _seeds_known(self, paths: list[str], found: list) -> None:
        if paths != self._seeds_of:  # these have left the bench
            return
        self._over_seeds.setText("\n".join(f"{one['name']}: {seeds_in_words(one)}" for one in found))
        self._over_seeds.setVisible(bool(found))

    def _no_seeds(self, paths: list[str], _message: str, _hint: str) -> None:
        self._seeds_known(paths, [])

    # curves

    def _add_curves(self, path: str, run: Run, colour: str) -> None:
        kinds = KINDS[self._which.value]
        if TRAINING in kinds:
            self._curves.add(f"{path}/{TRAINING}", run.name, colour)
            self._drawn.add(f"{path}/{TRAINING}")
        if METRIC in kinds and run.config.task is not None:
            self._curves.add(f"{path}/{METRIC}", run.name, colour, points=True, smooth=False)
            self._drawn.add(f"{path}/{METRIC}")
        if VALIDATION in kinds:
            alone = self._which.value == VALIDATION
            name = run.name if alone else tr("{name}, validation", name=run.name)
            self._curves.add(f"{path}/{VALIDATION}", name, colour, points=True, smooth=False, legend=alone)
            self._drawn.add(f"{path}/{VALIDATION}")
        if path not in self._last:
            self._last[path] = (0.0, 0.0)
            self._feed(path, self._services.watcher.history(path))

    def _choose_curves(self, which: str) -> None:
        self._services.settings.set(SHOWN, which)
        self._title()
        self._curves.clear()
        self._drawn.clear()
        self._last.clear()
        self._draw()

    def _title(self) -> None:
        """What the y axis holds."""
        task = self._which.value == METRIC
        self._heading.setText(tr("How well the task is done, on held-out examples") if task else
                              loss_title([item.run for item in self._session.bench]))
        tuned = any(item.run.config.task is not None for item in self._session.bench)
        self._curves.nothing.setText(tr("Only finetuned runs have a task, and none is on the bench.") if task and not tuned else
                                     tr("There are no numbers to draw yet."))
        self._caption.setVisible(self._which.value == BOTH)
        self._arrange()

    def _feed(self, path: str, events: Sequence[Event]) -> None:
        """Draw more of a run's story. A validation stands where the newest step stood."""
        drawn = {TRAINING: ([], [], [], []), VALIDATION: ([], [], [], []), METRIC: ([], [], [], [])}
        tokens, seconds = self._last[path]
        item = self._session.on_bench(path)
        for event in events:
            if isinstance(event, StepEnd):
                tokens, seconds = float(event.tokens), event.elapsed
                values, kind = (event.step, tokens, seconds, event.loss), TRAINING
            elif isinstance(event, EvalEnd):
                values, kind = (event.step, tokens, seconds, event.metrics.get("loss", float("nan"))), VALIDATION
                if item is not None and (metric := metric_of(item.run, event.metrics)):
                    for column, value in zip(drawn[METRIC], (event.step, tokens, seconds, event.metrics[metric]), strict=True):
                        column.append(value)
            else:
                continue
            for column, value in zip(drawn[kind], values, strict=True):
                column.append(value)
        self._last[path] = (tokens, seconds)
        for kind, (steps, read, times, losses) in drawn.items():
            key = f"{path}/{kind}"
            if losses and key in self._drawn:
                self._curves.append(key, {"steps": steps, "tokens": read, "time": times}, losses)

    def _arrived(self, path: str, events: list) -> None:
        if path in self._last:
            if any(isinstance(event, RunStarted) for event in events):  # it went back to a checkpoint: what lay beyond is void
                self._title()  # its text has been read: only now is known what is guessed
                for kind in (TRAINING, VALIDATION, METRIC):
                    if f"{path}/{kind}" in self._drawn:
                        self._curves.reset(f"{path}/{kind}")
                self._last[path] = (0.0, 0.0)
                self._feed(path, self._services.watcher.history(path))
            else:
                self._feed(path, events)
        if path in self._strips and (self.isVisible() or any(isinstance(event, RunStarted | RunContinued) for event in events)):
            self._strips[path].show_events(self._services.watcher.newest(path), is_read=self._services.watcher.is_caught_up(path))
            self._fit()

    def _caught_up(self, path: str) -> None:
        if path in self._strips:
            self._strips[path].show_events(self._services.watcher.newest(path))
            self._fit()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._draw()
        self._ask_seeds()

    # the buttons

    def _pause(self, run: Run) -> None:
        with self._services.messages.guard():
            self._services.processes.pause(run)

    def _stop(self, run: Run) -> None:
        with self._services.messages.guard():
            self._services.processes.stop(run)

    def _start(self, run: Run) -> None:
        """Go on with a paused run, or start one that stands still."""
        with self._services.messages.guard():
            self._services.processes.resume(run)

    def _start_smaller(self, run: Run, rows: int) -> None:
        with self._services.messages.guard():
            run.change({"train.micro_batch_size": rows})
            self._session.refresh_run(run)
            self._services.processes.start(run)

    def _ended(self, path: str, _outcome: object) -> None:
        self._ask_seeds()
        self._caught_up(path)
