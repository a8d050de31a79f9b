"""The process of a study: starting it, finding it again, ending it. It outlives whoever started it. Imports no torch.

    DIR/ command.json  the arguments after `python main.py`, so that it can go on    process.json  who works on it    worth.log
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from core.config import spoken
from core.errors import UserError
from core.i18n import tr
from core.runs import home, write_atomically

COMMAND, PROCESS, LOG = "command.json", "process.json", "worth.log"
PATIENCE_S = 3.0  # for a process that was asked to end
LOG_TAIL_BYTES = 2000
_MAIN = Path(__file__).resolve().parent.parent / "main.py"


def studies_home() -> Path:
    return home() / "studies"


def arguments(*, pretrained: str, task: str, train: str, dev: str, counts: Sequence[int] = (), seeds: int = 0,
              options: Mapping[str, Any] | None = None) -> list[str]:
    """What follows `python main.py` for a study, without its folder. No counts: as the program thinks best."""
    words = ["worth", pretrained, "--task", task, *spoken("--train", train), *spoken("--dev", dev)]
    words += ["--counts", ",".join(map(str, counts))] if counts else []
    words += ["--seeds", str(seeds)] if seeds else []
    for key, value in (options or {}).items():
        words += ["--set", f"{key}={value}"]
    return words


def new_folder(pretrained: str, task: str) -> Path:
    """A folder for another study, in the studies' home."""
    stem = re.sub(r"[^\w.-]+", "-", f"{Path(pretrained).name}-{task}")[:60]
    numbered = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 1_000_000))
    path = studies_home() / next(name for name in numbered if not (studies_home() / name).exists())
    path.mkdir(parents=True)
    return path


def start(folder: Path, words: Sequence[str] | None = None) -> None:
    """Start a study, or go on with one (words: None). UserError where it is under way or its command is gone."""
    if pid(folder) is not None:
        raise UserError(tr("This comparison is under way."), tr("Stop it first."))
    try:
        if words is not None:
            write_atomically(folder / COMMAND, json.dumps(list(words), ensure_ascii=False))
        found = json.loads((folder / COMMAND).read_text(encoding="utf-8"))
        if not (isinstance(found, list) and found and found[0] == "worth" and all(isinstance(word, str) for word in found)):
            raise ValueError(COMMAND)
        detached = ({"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW} if os.name == "nt"
                    else {"start_new_session": True})
        with (folder / LOG).open("wb") as output:
            process = subprocess.Popen([*interpreter(), *found, "--out", str(folder)], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       cwd=_MAIN.parent, **detached)
        _started[process.pid] = process
        write_atomically(folder / PROCESS, json.dumps({"pid": process.pid, "created": psutil.Process(process.pid).create_time()}))
    except (OSError, ValueError, psutil.Error) as error:
        raise UserError(tr("The comparison cannot be started: {reason}.", reason=error), tr("Start a new one.")) from error


def interpreter() -> list[str]:
    """What stands before the arguments."""
    return [sys.executable, str(_MAIN)]


def pid(folder: Path) -> int | None:
    """The process that works on the study, if it lives. As core.runs.Run.worker_pid has it: pids are used again, and the clock is set."""
    try:
        noted = json.loads((folder / PROCESS).read_text(encoding="utf-8"))
        if noted["pid"] in _started:
            _started[noted["pid"]].poll()  # so that it does not stay a zombie
        process = psutil.Process(noted["pid"])
        same = abs(process.create_time() - noted["created"]) < 1 or str(folder) in process.cmdline()
        return process.pid if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None


_started: dict[int, subprocess.Popen] = {}  # our children


def stop(folder: Path) -> None:
    """End it; what has come out so far stays, and it can go on."""
    number = pid(folder)
    if number is None:
        return
    with suppress(psutil.Error):
        parent = psutil.Process(number)
        family = [*parent.children(recursive=True), parent]
        for process in family:
            with suppress(psutil.Error):
                process.terminate()
        _, alive = psutil.wait_procs(family, timeout=PATIENCE_S)
        for process in alive:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(alive, timeout=PATIENCE_S)
    (folder / PROCESS).unlink(missing_ok=True)


def was_stopped(folder: Path) -> bool:
    """Whether somebody stopped it: of a process that ended by itself the note stays."""
    return not (folder / PROCESS).exists()


def log_tail(folder: Path) -> str:
    """The last lines that it wrote, for when it has failed."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - LOG_TAIL_BYTES, 0))
            return file.read().decode("utf-8", errors="replace").strip()
    except OSError:
        return ""


def list_studies() -> list[Path]:
    """The newest first."""
    folder = studies_home()
    found = [path for path in folder.iterdir() if (path / COMMAND).is_file()] if folder.is_dir() else []
    return sorted(found, key=lambda path: (path / COMMAND).stat().st_mtime, reverse=True)


def under_way() -> list[Path]:
    """Those that a process works on, the newest first."""
    return [folder for folder in list_studies() if pid(folder) is not None]
