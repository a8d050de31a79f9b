"""Questions to the analysis process, and their answers. Nobody waits for these: the window stays free.

    engine.call("core.analysis.senses:for_window", {"path": ...}, on_done=self._show, on_error=self._fail, key="senses",
                owner=self)

The process is started with the first call. It answers one call at a time and keeps what it has loaded for the next.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import psutil
from PySide6.QtCore import QObject, QTimer, Signal

from core import i18n
from core.errors import system_words
from core.i18n import tr
from gui.engine_worker import read_frame, write_frame
from gui.outcome import Outcome

ROOT = Path(__file__).resolve().parent.parent
GRACE_MS = 400  # for a function that looks at `cancelled`; then its process is ended
NICER = 5  # of the usual 19 steps of politeness
READER_SECONDS = 2.0  # its process has ended, so that it reads nothing more: it needs a moment, if that


@dataclass(eq=False)
class Call:
    """One question. Hold it to cancel it; its callbacks are not called after that."""

    number: int
    place: str
    keywords: dict[str, Any]
    on_done: Callable[[Any], None]
    on_error: Callable[[str, str], None]
    on_progress: Callable[..., None] | None
    key: str
    wanted: bool = field(default=True)


class Engine(QObject):
    """busyChanged(bool): whether a question is being answered. failed(message, traceback): an error that nobody expected.

    polite: its process lets others go first.
    """

    busyChanged = Signal(bool)
    failed = Signal(str, str)
    _arrived = Signal(object, object)  # the process it came from, and its message (None: it has ended)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: subprocess.Popen | None = None
        self._reader: threading.Thread | None = None
        self._queue: deque[Call] = deque()
        self._running: Call | None = None
        self._numbers = 0
        self._closed = False
        self.polite = False
        self._owned: dict[int, list[Call]] = {}
        self._doomed: Call | None = None  # cancelled while it ran
        self._grace = QTimer(self, interval=GRACE_MS, singleShot=True)
        self._grace.timeout.connect(self._end_doomed)
        self._arrived.connect(self._receive)

    def call(self, place: str, keywords: dict[str, Any], *, on_done: Callable[[Any], None], on_error: Callable[[str, str], None],
             on_progress: Callable[..., None] | None = None, key: str = "", owner: QObject | None = None) -> Call:
        """Ask for place(**keywords), "module:function"; keywords and result must be picklable (arrays, dataclasses of core).

        on_done(result), or on_error(message, hint), is called later in the window's thread; on_progress(...) before that, if
        the function reports any. A call with the same key replaces the one before. owner: when it dies, the call is dropped.
        """
        self._numbers += 1
        made = Call(self._numbers, place, keywords, on_done, on_error, on_progress, key)
        if key:
            for old in [*self._queue, *([self._running] if self._running else [])]:
                if old.key == key:
                    self._drop(old)
        if owner is not None:
            self._belongs(made, owner)
        self._queue.append(made)
        self._next()
        return made

    def cancel(self, call: Call | None) -> None:
        """The answer is no longer wanted. A running one is asked to stop; if it does not, its process is ended."""
        if call is None or not call.wanted:
            return
        self._drop(call)
        if call is self._running:
            self._doomed = call
            self._grace.start()

    @property
    def busy(self) -> bool:
        return self._running is not None

    def close(self) -> None:
        self._closed = True
        self._grace.stop()
        self._queue.clear()
        self._running = None
        self._kill()
        self._wait_for_reader()

    # the process

    def _start(self) -> None:
        if self._process is not None or self._closed:
            return
        self._process = subprocess.Popen([sys.executable, "-m", "gui.engine_worker"], cwd=ROOT, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0))
        if self.polite:
            with suppress(psutil.Error):
                process = psutil.Process(self._process.pid)
                process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else min(process.nice() + NICER, 19))
        self._wait_for_reader()
        self._reader = threading.Thread(target=self._read, args=(self._process,), name="engine reader", daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen) -> None:
        """In a thread of its own: only forwards what arrives."""
        message: tuple | None = ()
        while message is not None:
            try:
                message = read_frame(process.stdout)
            except Exception:  # a damaged frame: the process is of no more use
                message = None
                process.kill()
            if message is None:
                process.wait()
                process.stdout.close()
            try:
                self._arrived.emit(process, message)
            except RuntimeError:
                return  # the window has gone

    def _end_doomed(self) -> None:
        if self._running is not None and self._running is self._doomed:
            self._kill()

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            _close(process.stdin)
        if self._running is not None:
            self._running = None
            self._next()

    def _wait_for_reader(self) -> None:
        """For one whose process has ended. A signal that is emitted while its object is being deleted ends the program."""
        if self._reader is not None:
            self._reader.join(READER_SECONDS)
            self._reader = None

    # the questions

    def _next(self) -> None:
        """Send the next question that is still wanted, if none is being answered."""
        while self._running is None and self._queue and not self._closed:
            call = self._queue.popleft()
            if not call.wanted:
                continue
            self._running = call
            try:
                self._start()
                write_frame(self._process.stdin, ("call", call.number, call.place, call.keywords, i18n.language()))
            except OSError as error:
                self._running = None
                self._kill()
                words = tr("The analysis process cannot be reached: {reason}.", reason=system_words(error))
                self._refuse(call, words, tr("Try again."))
        self.busyChanged.emit(self.busy)

    def _belongs(self, call: Call, owner: QObject) -> None:
        name = id(owner)
        if name not in self._owned:
            owner.destroyed.connect(partial(self._forget, name))
        self._owned[name] = [old for old in self._owned.get(name, []) if old.wanted] + [call]

    def _forget(self, name: int, *_: object) -> None:
        for call in self._owned.pop(name, []):
            self._drop(call)

    def _drop(self, call: Call) -> None:
        call.wanted = False
        if call is self._running and self._process is not None:
            with suppress(OSError):  # it is dying: _receive hears of it
                write_frame(self._process.stdin, ("cancel", call.number))

    def _refuse(self, call: Call, message: str, hint: str) -> None:
        if call.wanted:
            call.wanted = False
            call.on_error(message, hint)

    def _receive(self, process: subprocess.Popen, message: tuple | None) -> None:
        if process is not self._process:
            return  # the last words of one that was ended
        call = self._running
        if message is None:
            _close(process.stdin)
            self._process, self._running = None, None
            self._next()
            if call is not None:
                self._refuse(call, tr("The analysis process ended: {how}.", how=Outcome.of(process.returncode).text),
                             tr("It is started again with the next question."))
            return
        kind, number, *rest = message
        if call is None or number != call.number:
            return
        if kind == "progress":
            if call.wanted and call.on_progress is not None:
                call.on_progress(*rest[0])
            return
        self._running = None
        self._next()  # before the callback: an error in it must not stop the queue
        if kind == "done":
            if call.wanted:
                call.wanted = False
                call.on_done(rest[0])
        else:
            words, hint, _where, trace = rest
            if trace and call.wanted:
                self.failed.emit(words, trace)
            self._refuse(call, words, hint)


def _close(file: BinaryIO) -> None:
    with suppress(OSError):  # what could not be written is still in its buffer
        file.close()
