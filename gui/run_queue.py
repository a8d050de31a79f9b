"""Runs that wait for their turn: some machines are too small to train several at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.errors import UserError
from core.runs import Run
from gui.run_process import Processes


class RunQueue(QObject):
    """Starts the next run when one of its own has ended. Belongs to the window, so it goes on while views come and go.

    changed: a run began or left the queue. failed(UserError): a run could not be started; the next one is.
    """

    changed = Signal()
    failed = Signal(object)

    def __init__(self, processes: Processes) -> None:
        super().__init__(processes)
        self._processes = processes
        self._waiting: list[Run] = []
        self._begun: set[str] = set()
        self._at_once = 1
        self._held = False
        processes.ended.connect(self._ended)
        processes.started.connect(self.drop)

    def start(self, runs: Iterable[Run], at_once: int = 1) -> None:
        """Train these, at_once of them at a time, after those that wait already."""
        self._waiting += runs
        self._at_once = max(at_once, 1)
        self._next()

    @property
    def waiting(self) -> tuple[Run, ...]:
        return tuple(self._waiting)

    def holds(self, run: Run) -> bool:
        """Whether it waits for its turn."""
        return any(other.path == run.path for other in self._waiting)

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._begun)

    def hold(self, on: bool) -> None:
        """While it is on, none begins: the person is asked what is to become of those that are being trained."""
        self._held = on
        self._next()

    def clear(self) -> None:
        """Forget those that wait; what is being trained goes on."""
        self._waiting.clear()
        self._begun.clear()
        self.changed.emit()

    def drop(self, path: Path | str) -> None:
        """It need not wait any more (the person has started or deleted it)."""
        self._waiting = [other for other in self._waiting if other.path != Path(path)]
        self.changed.emit()

    def _next(self) -> None:
        while self._waiting and not self._held and len(self._begun) < self._at_once:
            run = self._waiting.pop(0)
            try:
                self._processes.start(run)
                self._begun.add(str(run.path))
            except UserError as error:
                self.failed.emit(error)
        self.changed.emit()

    def _ended(self, path: str, _outcome: object) -> None:
        if path in self._begun:
            self._begun.discard(path)
            self._next()


def queue_of(processes: Processes) -> RunQueue:
    """The window's one queue, made when it is first wanted."""
    return processes.findChild(RunQueue) or RunQueue(processes)
