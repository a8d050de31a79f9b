"""Starts and stops the processes that train. They outlive the window; what they say goes to RUN_DIR/worker.log."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from PySide6.QtCore import QObject, QTimer, Signal

from core import launch, trash
from core.errors import UserError
from core.i18n import tr
from core.runs import Run, runs_home
from gui.outcome import Outcome

LOOK_MS = 500
NICER = 5  # of the usual 19 steps of politeness
LOG_TAIL_BYTES = 4000


@dataclass
class _Followed:
    run: Run
    process: subprocess.Popen | psutil.Process


class Processes(QObject):
    """The runs that are being trained, whoever started them.

    started(path) and ended(path, Outcome); changed: one of them began, ended, was paused or goes on. Paths are text.
    """

    started = Signal(str)
    ended = Signal(str, object)
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._followed: dict[Path, _Followed] = {}
        self._outcomes: dict[Path, Outcome] = {}
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)

    def start(self, run: Run) -> None:
        """Train a run, or go on with one from its newest checkpoint. UserError if it is being trained or cannot be started."""
        if self.alive(run):
            raise UserError(tr("The run {name} is being trained.", name=run.name), tr("Stop it first."))
        process = launch.start(run)
        _step_back(process)
        self._follow(run, process)
        self.started.emit(str(run.path))

    def find(self) -> list[Run]:
        """The runs that are being trained, among them those of an earlier window; follows them from now on."""
        folder = runs_home()
        for note in folder.glob("*/worker.json") if folder.is_dir() else ():  # of hundreds of runs only these are looked at
            with suppress(UserError):
                self.follow(Run.open(note.parent))
        return self.running()

    def follow(self, run: Run) -> bool:
        """Hear of the end of a run that somebody else started. Returns whether it is being trained."""
        if run.path not in self._followed and (pid := run.worker_pid()):
            try:
                self._follow(run, psutil.Process(pid))
            except psutil.Error:
                return False
        return run.path in self._followed

    def running(self) -> list[Run]:
        return [item.run for item in self._followed.values()]

    def alive(self, run: Run) -> bool:
        return run.path in self._followed or run.worker_pid() is not None

    def outcome(self, run: Run) -> Outcome | None:
        """How its process ended; None where nobody saw that, and once it is being trained again."""
        return self._outcomes.get(run.path)

    def pause(self, run: Run) -> None:
        run.command("pause")
        self.changed.emit()

    def resume(self, run: Run) -> None:
        """Let a paused run go on; start one whose process has gone."""
        run.withdraw("pause")
        if self.alive(run):
            self.changed.emit()
        else:
            self.start(run)

    def stop(self, run: Run) -> None:
        """Ask it to save and to end; it takes a moment."""
        run.withdraw("pause")
        run.command("stop")
        self.changed.emit()

    def checkpoint(self, run: Run) -> None:
        run.command("checkpoint")

    def kill(self, run: Run) -> None:
        """End it at once, with its helpers; what it learned since its last checkpoint is lost."""
        found = self._followed.get(run.path)
        pid = found.process.pid if found else run.worker_pid()
        if pid is None:
            return
        launch.kill(pid)
        with suppress(subprocess.TimeoutExpired, psutil.Error):
            (found.process if found else psutil.Process(pid)).wait(timeout=2)
        if found:
            self._look()

    def discard(self, run: Run) -> None:
        """End it and move its folder to the trash."""
        self.kill(run)
        trash.delete(run)
        self.changed.emit()

    def close(self) -> None:
        """Look no more; the runs go on."""
        self._timer.stop()
        for item in self._followed.values():
            if isinstance(item.process, subprocess.Popen) and item.process.poll() is None:
                item.process.returncode = 0  # it outlives us by intention: Popen must not warn of it
        self._followed.clear()

    def _follow(self, run: Run, process: subprocess.Popen | psutil.Process) -> None:
        self._followed[run.path] = _Followed(run, process)
        self._outcomes.pop(run.path, None)
        self._timer.start()
        self.changed.emit()

    def _look(self) -> None:
        for path, item in list(self._followed.items()):
            code = _exit_code(item.process)
            if code is not None:
                del self._followed[path]
                self._outcomes[path] = Outcome.of(code)
                self.ended.emit(str(path), self._outcomes[path])
                self.changed.emit()
        if not self._followed:
            self._timer.stop()


def log_tail(run: Run) -> str:
    """The last lines that the run's process wrote, for the message when it has crashed."""
    try:
        with (run.path / "worker.log").open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - LOG_TAIL_BYTES, 0))
            return file.read().decode("utf-8", errors="replace").strip()
    except OSError:
        return ""


def _exit_code(process: subprocess.Popen | psutil.Process) -> int | None:
    """None while it lives. What a process that is not our child ended with nobody can tell: 0, the run's events say more."""
    if isinstance(process, subprocess.Popen):
        return process.poll()
    try:
        return None if process.is_running() and process.status() != psutil.STATUS_ZOMBIE else 0
    except psutil.Error:  # it ended between the two questions
        return 0


def _step_back(process: subprocess.Popen) -> None:
    """Let the window go first where both want the processor; a run that has the machine for itself loses nothing by it."""
    with suppress(psutil.Error):
        low = psutil.Process(process.pid)
        low.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else min(low.nice() + NICER, 19))
