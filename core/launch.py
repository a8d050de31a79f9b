"""Starting a run's process, from the window and from the command line. Imports nothing heavy."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from core.errors import UserError, system_words
from core.i18n import tr
from core.runs import COMMANDS, Run

_MAIN = Path(__file__).resolve().parent.parent / "main.py"


def command(run: Run) -> list[str]:
    """The command that trains a run: one process, or torchrun where the settings ask for several and the family can share its work out."""
    processes = run.config.processes
    worker = [str(_MAIN), "worker", str(run.path.resolve())]
    if processes == 1:
        return [sys.executable, *worker]
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", *worker]


def start(run: Run) -> subprocess.Popen:
    """Start a run's process, detached: it outlives whoever started it. Its output goes to worker.log. UserError where it cannot be."""
    require_startable(run)
    if gone := run.missing():
        raise gone
    detached = ({"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW} if os.name == "nt"
                else {"start_new_session": True})
    try:
        for name in COMMANDS:
            run.withdraw(name)
        with (run.path / "worker.log").open("ab") as output:
            return subprocess.Popen(command(run), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=_MAIN.parent, **detached)
    except OSError as error:
        raise UserError(tr("The training cannot be started: {reason}.", reason=f"{run.path}: {system_words(error)}"),
                        tr("Look whether the disk is full or the folder write-protected.")) from error


def require_startable(run: Run) -> None:
    """UserError for what never goes on, without its text, and while a process works on it."""
    if run.imported:
        raise UserError(tr("{name} was trained elsewhere: its training cannot go on here.", name=run.name), tr("Finetune it, or train a new run."))
    if run.whole != run.path:  # it holds no weights that could learn
        raise UserError(tr("{name} is an ONNX model: its training cannot go on.", name=run.name),
                        tr("Go on with the run that it was exported from, or train a new run."))
    if other := run.worker_pid():
        raise UserError(tr("The run {name} is already open in process {pid}.", name=run.name, pid=other),
                        tr("Stop that one first, or wait for its end."))
    gone = [file for file in run.config.text.files if not os.path.exists(file)] if run.config.task is None else []
    if gone:
        raise UserError(tr("The text of {name} is not there: {path}.", name=run.name, path=gone[0]),
                        tr("Put it back, finetune the run, or train a new one."), where="files")


def kill(pid: int) -> None:
    """End a run's process at once, with its helpers: torchrun's death alone would leave those that train."""
    try:
        parent = psutil.Process(pid)
        family = [*parent.children(recursive=True), parent]
    except psutil.Error:
        return
    for process in family:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(family[:-1], timeout=2)  # not for our own child: who waits for it here takes its exit code from its Popen
