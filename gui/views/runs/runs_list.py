"""Finds the runs of the home and of the bench and keeps an eye on them, a few milliseconds at a time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter

from PySide6.QtCore import QObject, QTimer, Signal

from core.errors import UserError
from core.runs import Run, runs_home, within
from core.summaries import Summaries, Summary, size_of
from gui.run_process import Processes
from gui.run_queue import queue_of
from gui.session import Session

SLICE_S = 0.004  # of the window's time; then the loop has its turn
LOOK_MS = 1000  # between the end of one round and the next
SIZE_S = 5.0  # a growing run is weighed this often at most


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """created: seconds since 1970. size: bytes on the disk. waits: it is to be trained after others."""

    run: Run
    summary: Summary
    created: float
    size: int
    waits: bool = False

    @property
    def path(self) -> Path:
        return self.run.path


@dataclass
class _Opened:
    run: Run
    changed: int  # config.json's time
    created: float
    size: int = 0
    weighed: float = -SIZE_S
    events: int = -1  # size of the event file when it was weighed


class RunsList(QObject):
    """seen(RunRow): a run as it is now, sent for every run in the first round and later when something changed.

    gone(path): its folder has vanished, or it lies outside the home and is no longer on the bench. roundEnded: all have been looked at.
    """

    seen = Signal(object)
    gone = Signal(object)
    roundEnded = Signal()

    def __init__(self, processes: Processes, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._processes, self._queue, self._session = processes, queue_of(processes), session
        self._summaries = Summaries()
        self._opened: dict[Path, _Opened] = {}
        self._rows: dict[Path, RunRow] = {}
        self._waiting: deque[Path] = deque()
        self._pause = QTimer(self, interval=LOOK_MS, singleShot=True)
        self._pause.timeout.connect(self._begin)
        self._work = QTimer(self, interval=0)
        self._work.timeout.connect(self._slice)

    def start(self) -> None:
        if not self._work.isActive():
            self._begin()

    def stop(self) -> None:
        self._pause.stop()
        self._work.stop()

    @property
    def rows(self) -> dict[Path, RunRow]:
        return self._rows

    def refresh(self, path: Path) -> None:
        """Look at this one now, and send it."""
        self._rows.pop(path, None)
        self._look(path)

    def _begin(self) -> None:
        self._pause.stop()
        try:
            folders = [within(path) for path in runs_home().iterdir() if not path.name.startswith(".")]
        except OSError:
            folders = []
        known = {path.resolve() for path in folders}
        folders += [item.path for item in self._session.bench if item.path.resolve() not in known]
        for path in set(self._rows) - set(folders):
            self._drop(path)
        self._waiting = deque(folders)
        self._work.start()

    def _slice(self) -> None:
        end = perf_counter() + SLICE_S
        while self._waiting and perf_counter() < end:
            self._look(self._waiting.popleft())
        if not self._waiting:
            self._work.stop()
            self._pause.start()
            self.roundEnded.emit()

    def _look(self, path: Path) -> None:
        opened = self._open(path)
        if opened is None:
            if path in self._rows:
                self._drop(path)
            return
        summary = self._summaries.read(path, alive=self._processes.alive(opened.run))
        self._weigh(opened)
        row = RunRow(run=opened.run, summary=summary, created=opened.created, size=opened.size, waits=self._queue.holds(opened.run))
        if row != self._rows.get(path):
            self._rows[path] = row
            self.seen.emit(row)

    def _open(self, path: Path) -> _Opened | None:
        """The run, read again only if its settings changed; None for what is no run, or one that this version cannot read."""
        try:
            seen = (path / "config.json").stat()
        except OSError:
            return None
        known = self._opened.get(path)
        if known is None or known.changed != seen.st_mtime_ns:
            try:
                run = Run.open(path)
            except UserError:
                return None
            created = known.created if known else _created(path, seen.st_mtime)
            self._opened[path] = known = _Opened(run, seen.st_mtime_ns, created)
        return known

    def _weigh(self, opened: _Opened) -> None:
        try:
            events = opened.run.events_path.stat().st_size
        except OSError:
            events = 0
        if events != opened.events and monotonic() - opened.weighed >= SIZE_S:
            opened.size, opened.weighed, opened.events = size_of(opened.run.whole), monotonic(), events

    def _drop(self, path: Path) -> None:
        self._rows.pop(path, None)
        self._opened.pop(path, None)
        self._summaries.forget(path)
        self.gone.emit(path)


def _created(path: Path, changed: float) -> float:
    """The settings are written anew when a run is renamed; its tokenizer is not."""
    try:
        return min((path / "tokenizer.json").stat().st_mtime, changed)
    except OSError:
        return changed
