"""Follows the event files of runs and hands on what is new, in batches, without ever holding the window up."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path
from time import perf_counter

from PySide6.QtCore import QObject, QTimer, Signal

from core.events import Event, EventReader, RunStarted, newest_of_each_kind, story

LOOK_MS = 200
PIECE_BYTES = 24_000  # read at once; about 1 ms of work
SLICE_S = 0.003  # of the window's time; then the loop has its turn


class RunWatcher(QObject):
    """eventsArrived(path, events): what a watched run added to its story; a long file comes in several batches, oldest first.

    Who begins to look later finds the earlier events in `history`. caughtUp(path): the file has been read to its end once.
    """

    eventsArrived = Signal(str, list)
    caughtUp = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._readers: dict[str, EventReader] = {}
        self._history: dict[str, list[Event]] = {}
        self._newest: dict[str, list[Event]] = {}  # of those that somebody has asked for
        self._users: Counter[str] = Counter()
        self._behind: list[str] = []  # files in which there may be more to read
        self._caught_up: set[str] = set()
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._hurry = QTimer(self, interval=0, singleShot=True)
        self._hurry.timeout.connect(self._read)

    def watch(self, path: Path | str) -> None:
        """Follow the run in that folder. Each `watch` wants its `unwatch`."""
        name = str(path)
        self._users[name] += 1
        if name not in self._readers:
            self._readers[name] = EventReader(Path(name) / "events.jsonl")
            self._history[name] = []
            self._look()
            self._timer.start()

    def unwatch(self, path: Path | str) -> None:
        name = str(path)
        self._users[name] -= 1
        if self._users[name] <= 0:
            del self._users[name]
            self._readers.pop(name, None)
            self._history.pop(name, None)
            self._newest.pop(name, None)
            self._caught_up.discard(name)
            self._behind = [other for other in self._behind if other != name]
        if not self._readers:
            self._timer.stop()
            self._hurry.stop()

    def history(self, path: Path | str) -> list[Event]:
        """What has arrived so far, without what a resumed run has taken back (core.events.story)."""
        return story(self._history.get(str(path), []))

    def newest(self, path: Path | str) -> list[Event]:
        """Of each kind of event the newest in `history`: to be asked as often as events arrive, however many there were before."""
        name = str(path)
        if name not in self._history:
            return []
        if name not in self._newest:
            self._newest[name] = newest_of_each_kind(self.history(name))
        return list(self._newest[name])

    def is_caught_up(self, path: Path | str) -> bool:
        """Whether the file has been read to its end once."""
        return str(path) in self._caught_up

    def _look(self) -> None:
        self._behind += [name for name in self._readers if name not in self._behind]
        if not self._hurry.isActive():
            self._read()

    def _read(self) -> None:
        end = perf_counter() + SLICE_S
        batches: dict[str, list[Event]] = {}
        done: list[str] = []
        while self._behind and perf_counter() < end:
            name = self._behind[0]
            reader = self._readers[name]
            before = reader.offset
            with suppress(OSError):  # a disk that has gone, or a file that is not ours to read: the others must not wait for it
                batches.setdefault(name, []).extend(reader.read(PIECE_BYTES))
            if reader.offset - before < PIECE_BYTES // 2:
                done.append(self._behind.pop(0))
        if self._behind:
            self._hurry.start()
        for name, events in batches.items():
            if events and name in self._history:
                self._history[name] += events
                known = self._newest.pop(name, None)
                if known is not None and not any(isinstance(event, RunStarted) for event in events):  # else what is void must be left out
                    self._newest[name] = newest_of_each_kind([*known, *events])
                self.eventsArrived.emit(name, events)
        for name in done:
            if name in self._readers and name not in self._caught_up:
                self._caught_up.add(name)
                self.caughtUp.emit(name)
