"""Long work that the window starts and need not wait for: exports, imports, measuring on a file. Each has a process of its own.

    services.jobs.start("export", "core.exchange.exports:export", {...})

The views' questions are answered meanwhile by the engine. A job belongs to the window, not to the view that began it: a view that is made
anew (another language, another theme) finds it with `of` and shows how far it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from gui.engine import GRACE_MS, Call, Engine

RUNNING, DONE, FAILED, CANCELLED = "running", "done", "failed", "cancelled"


@dataclass(eq=False)
class Job:
    """keywords: what was asked. progress: what was told last. result, problem (message, hint): once it is done, or has failed.

    about: whatever the one who started it wants to find again.
    """

    kind: str
    keywords: dict[str, Any]
    about: Any = None
    state: str = RUNNING
    progress: tuple[Any, ...] = ()
    result: Any = None
    problem: tuple[str, str] = ("", "")
    on_end: Callable[[Job], None] | None = field(default=None, repr=False)
    call: Call | None = field(default=None, repr=False)
    engine: Engine | None = field(default=None, repr=False)  # the process that works on it

    @property
    def running(self) -> bool:
        return self.state == RUNNING


class Jobs(QObject):
    """changed(kind): a job of that kind began, got further or ended. failed(message, traceback): an error that nobody expected."""

    changed = Signal(str)
    failed = Signal(str, str)

    def __init__(self, make_engine: Callable[[QObject], Engine] = Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_engine = make_engine
        self._jobs: dict[str, Job] = {}
        self._held: dict[str, Callable[[], bool]] = {}
        self._engines: list[Engine] = []
        self._leaving: list[Engine] = []  # of cancelled jobs, which have a moment to end by themselves
        self._grace = QTimer(self, interval=GRACE_MS + 100, singleShot=True)
        self._grace.timeout.connect(self._end_leaving)

    def start(self, kind: str, place: str, keywords: dict[str, Any], about: Any = None, on_end: Callable[[Job], None] | None = None) -> Job:
        """place(**keywords) in a new process; place is "module:function". One of the same kind that is still at work is cancelled.

        on_end: told once, when it is done, has failed or was cancelled; such a job is then forgotten.
        """
        self.cancel(kind)
        job = Job(kind, keywords, about, on_end=on_end)
        self._jobs[kind] = job
        engine = self._make_engine(self)
        engine.polite = True
        engine.failed.connect(self.failed)
        self._engines.append(engine)
        job.engine = engine
        job.call = engine.call(place, keywords, on_done=partial(self._done, job), on_error=partial(self._refused, job),
                               on_progress=partial(self._progressed, job))
        self.changed.emit(kind)
        return job

    def of(self, kind: str) -> Job | None:
        """The newest job of that kind, also when it has ended."""
        return self._jobs.get(kind)

    def running(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.running]

    def hold(self, kind: str, lasts: Callable[[], bool]) -> None:
        """Work of that kind which the window does by itself is under way as long as lasts() is true."""
        self._held[kind] = lasts

    def under_way(self) -> list[str]:
        """The kinds of all work that ends with the window."""
        self._held = {kind: lasts for kind, lasts in self._held.items() if lasts()}
        return list(dict.fromkeys([*(job.kind for job in self.running()), *self._held]))

    def cancel(self, kind: str) -> None:
        """It is asked to stop and to clear up; if it does not, its process is ended."""
        job = self.of(kind)
        if job is None or not job.running:
            return
        job.state, engine, call = CANCELLED, job.engine, job.call
        job.engine = job.call = None
        engine.cancel(call)
        self._leaving.append(engine)
        self._grace.start()
        self._tell_end(job)

    def forget(self, kind: str) -> None:
        """What has ended is not shown again."""
        if (job := self.of(kind)) is not None and not job.running:
            del self._jobs[kind]

    def close(self) -> None:
        """The window goes: all end."""
        for job in self.running():
            job.state, job.engine, job.call = CANCELLED, None, None
        self._grace.stop()
        for engine in list(self._engines):
            self._release(engine)

    def _progressed(self, job: Job, *values: Any) -> None:
        if job.running:
            job.progress = values
            self.changed.emit(job.kind)

    def _done(self, job: Job, result: Any) -> None:
        job.result = result
        self._end(job, DONE)

    def _refused(self, job: Job, message: str, hint: str) -> None:
        job.problem = (message, hint)
        self._end(job, FAILED)

    def _end(self, job: Job, state: str) -> None:
        if not job.running:
            return
        job.state, engine = state, job.engine
        job.engine = job.call = None
        self._release(engine)
        self._tell_end(job)

    def _tell_end(self, job: Job) -> None:
        self.changed.emit(job.kind)
        if job.on_end is not None:
            self.forget(job.kind)
            job.on_end(job)

    def _end_leaving(self) -> None:
        for engine in self._leaving:
            self._release(engine)
        self._leaving.clear()

    def _release(self, engine: Engine) -> None:
        if engine in self._engines:
            self._engines.remove(engine)
            engine.close()
            engine.deleteLater()
