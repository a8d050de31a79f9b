"""A run while it learns, in one strip: how far it is, how fast, what it takes, and the buttons that govern it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QSizePolicy, QVBoxLayout

from core.events import EvalEnd, Event, Preparing, RunFailed, RunStarted, StepEnd
from core.i18n import sentences, tr
from core.registry import family
from core.runs import Run, Status, status_of
from core.sizes import memory_words
from gui import theme
from gui.run_process import Processes
from gui.run_queue import RunQueue
from gui.second_stage import metric_of, metric_title
from gui.widgets.axes import clock, short
from gui.widgets.chips import Dot
from gui.widgets.elided import Elided
from gui.widgets.labels import button, label

OUT_OF_MEMORY = (-9, 137)  # exit codes of a process that the system has ended, most likely for want of memory
_ROWS_IN_HINT = re.compile(r"micro_batch_size=(\d+)")  # the hint of a run whose memory did not suffice names what to try


class RunStrip(QFrame):
    """pauseWanted, goOnWanted, stopWanted, startWanted: a button was pressed. smallerWanted(n): resume with that micro-batch size."""

    pauseWanted = Signal(object)
    goOnWanted = Signal(object)
    stopWanted = Signal(object)
    startWanted = Signal(object)
    smallerWanted = Signal(object, int)

    def __init__(self, run: Run, colour: str, processes: Processes, queue: RunQueue) -> None:
        super().__init__()
        self.run, self.colour, self._processes, self._queue = run, colour, processes, queue
        self._rows = 0
        self.status: Status | None = None
        self.setProperty("role", "card")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._name = Elided(run.name, "heading")
        self._name.setToolTip(f"{run.name}\n{run.path}")
        self._state = label("", "soft")
        self._bar = QProgressBar(maximum=1000, textVisible=False)
        self._figures = label("", "small", wrap=True)
        self._problem = label("", "error", wrap=True)
        self._pause = button(" " + tr("Pause"), self._toggle_pause, kind="flat", icon="pause")
        self._stop = button(" " + tr("Stop and save"), self._stop_pressed, kind="flat", icon="stop")
        self._go = button(" " + tr("Continue"), self._go_pressed, kind="flat", icon="play")
        self._smaller = button("", self._smaller_pressed)
        head = QHBoxLayout()
        head.setSpacing(theme.S)
        head.addWidget(Dot(colour))
        head.addWidget(self._name, 1)
        head.addWidget(self._state)
        foot = QHBoxLayout()
        foot.setSpacing(theme.XS)
        foot.addWidget(self._figures, 1)
        for part in (self._smaller, self._go, self._pause, self._stop):
            foot.addWidget(part, 0, Qt.AlignmentFlag.AlignVCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        layout.setSpacing(theme.XS)
        layout.addLayout(head)
        layout.addWidget(self._bar)
        layout.addLayout(foot)
        layout.addWidget(self._problem)

    def show_events(self, events: Sequence[Event], *, is_read: bool = True) -> None:
        """Draw how it stands. events: the newest of each kind, in their order. is_read: False while there may be newer ones on the disk."""
        alive = self._processes.alive(self.run)
        status = self.status = status_of(list(events), alive=alive)
        waiting = self._queue.holds(self.run)
        paused, stopping = (alive and self.run.commanded(name) for name in ("pause", "stop"))
        gone = not alive and self.run.missing() is not None
        unread = not is_read and not alive
        self._bar.setValue(round(1000 * status.progress))
        self._bar.setVisible(alive or (status.state in ("stopped", "killed", "failed") and not unread))
        first = ((gone, tr("its folder is gone")), (waiting, tr("waits for its turn")), (unread, tr("reading its record")), (stopping, tr("saving")),
                 (paused and status.state != "paused", tr("pausing")))
        self._state.setText(self._words(status, events, next((words for holds, words in first if holds), "")))
        self._figures.setText(figures(events, status.state == "running", self.run))
        self._pause.setVisible(alive)
        self._pause.setText(" " + (tr("Continue") if paused else tr("Pause")))
        self._pause.setIcon(theme.icon("play" if paused else "pause", theme.current().text))
        self._pause.setEnabled(not stopping)
        self._stop.setVisible(alive)
        self._stop.setEnabled(not stopping)
        self._go.setVisible(not alive and not gone and not unread and status.state in ("new", "stopped", "killed", "failed"))
        self._go.setText(" " + (tr("Start") if status.state == "new" else tr("Continue")))
        self._show_failure(status, events, gone or unread)

    def _words(self, status: Status, events: Sequence[Event], first: str) -> str:
        """first: what is more to the point than its status, if anything is."""
        title = family(self.run.config.family).title
        if first:
            words = first
        elif status.state == "preparing" and events and isinstance(events[-1], Preparing):
            last = events[-1]
            words = f"{last.stage} {last.done / last.total:.0%}" if last.total else last.stage
        elif status.state == "running":
            words = f"{status.progress:.0%}"
        elif status.state == "failed":
            words = tr("failed")
        else:
            words = status.text
        return f"{title} · {words}"

    def _show_failure(self, status: Status, events: Sequence[Event], gone: bool) -> None:
        failed = next((event for event in reversed(events) if isinstance(event, RunFailed)), None) if status.state == "failed" else None
        self._problem.setVisible(failed is not None)
        self._rows = 0
        if failed is not None:
            self._problem.setText(sentences(failed.message, failed.hint))
            self._problem.setToolTip(failed.traceback)
            if asked := _ROWS_IN_HINT.search(failed.hint):
                self._rows = min(int(asked[1]), self.run.config.smaller_rows)
        outcome = self._processes.outcome(self.run)
        if gone:
            self._rows = 0
        elif outcome is not None and outcome.code in OUT_OF_MEMORY and status.state in ("new", "killed", "failed"):
            self._rows = self.run.config.smaller_rows
        self._smaller.setVisible(self._rows > 0)
        self._smaller.setText(tr("Resume with {count} sequences at once", count=self._rows))

    def _toggle_pause(self) -> None:
        (self.goOnWanted if self.run.commanded("pause") else self.pauseWanted).emit(self.run)

    def _stop_pressed(self) -> None:
        self.stopWanted.emit(self.run)

    def _go_pressed(self) -> None:
        self.startWanted.emit(self.run)

    def _smaller_pressed(self) -> None:
        self.smallerWanted.emit(self.run, self._rows)


def figures(events: Sequence[Event], learning: bool, run: Run | None = None) -> str:
    """Step, losses, how well a finetuned run does its task, speed, time left, memory; of a run that does not learn now (it has ended, or
    pauses, or is being prepared) only what stays true."""
    step = next((event for event in reversed(events) if isinstance(event, StepEnd)), None)
    if step is None:
        return ""
    valid = next((event for event in reversed(events) if isinstance(event, EvalEnd)), None)
    begun = next((event for event in reversed(events) if isinstance(event, RunStarted)), None)
    words = [tr("step {step}", step=f"{step.step:,}"), tr("loss {loss:.3f}", loss=step.loss)]
    if valid is not None:
        words.append(tr("validation {loss:.3f}", loss=valid.metrics.get("loss", float("nan"))))
        if run is not None and (metric := metric_of(run, valid.metrics)):
            words.append(f"{metric_title(metric)} {valid.metrics[metric]:.3f}")
    if learning:
        words.append(tr("{count} tokens/s", count=short(step.tokens_per_s)))
        words.append(tr("{time} left", time=clock(step.seconds_left)))
        words.append(memory_words(step.memory))
        if step.gpu_memory:
            words.append(tr("GPU {size}", size=memory_words(step.gpu_memory)))
        if begun is not None and not begun.device.startswith("cpu"):
            words.append(begun.device)
    else:
        words.append(clock(step.elapsed))
    if run is not None and not run.config.train.probes:
        words.append(tr("no probes"))
    return "   ".join(words)
