"""Files and folders that appear whole or not at all: filled under another name, then put in their place."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import psutil

from core.errors import UserError, system_words
from core.i18n import tr

ABANDONED_S = 24 * 3600  # what was filled in a cache by a process that was killed is removed when it is this old

# Windows refuses to replace what another process is just reading, as the window reads a run's files: it is asked again after so many seconds
WAITS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if sys.platform == "win32" else ()


def put_in_place(part: Path, path: Path) -> None:
    """Give what was filled its name: a file takes the place of the old one, a folder one that is free. OSError where the system refuses."""
    for wait in WAITS:
        try:
            part.replace(path)
            return
        except PermissionError:
            time.sleep(wait)
    part.replace(path)


@contextmanager
def whole_file(path: Path, where: str = "") -> Iterator[Path]:
    """The name under which to write a file, which takes its place when the block has ended well. UserError where the disk refuses."""
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        _sweep(path, own=False)  # another thread may be writing it just now
        yield part
        put_in_place(part, path)
    except OSError as error:
        raise unwritable(path, error, where) from error
    finally:
        with suppress(OSError):  # a read-only disk refuses even what is not there
            part.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """The same, opened, in a folder that is made if need be."""
    with whole_file(path) as part:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            yield file


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill that takes its place when the block has ended well. UserError if something stands there, or the disk refuses."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UserError(tr("{path} exists and is not empty.", path=path), tr("Name another folder."), where="out")
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    _sweep(path, own=True)
    try:
        part.mkdir(parents=True)
        yield part
        if path.exists():
            path.rmdir()
        put_in_place(part, path)
    except OSError as error:
        raise unwritable(path, error, "out") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _sweep(path: Path, *, own: bool) -> None:
    """Remove what a process that was ended meanwhile left half filled. own: also what this one has."""
    for old in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        pid = old.name.split(".")[-2]
        if pid.isdigit() and (own if int(pid) == os.getpid() else not psutil.pid_exists(int(pid))):
            with suppress(OSError):
                shutil.rmtree(old) if old.is_dir() else old.unlink()


def remove_abandoned(cache: Path) -> None:
    """Remove the folders .building-* that were left half made a day ago."""
    for path in cache.glob(".building-*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(path, ignore_errors=True)


def unwritable(path: Path, error: OSError, where: str = "") -> UserError:
    homeless = isinstance(error, FileNotFoundError)
    return UserError(tr("{path} cannot be written: {reason}.", path=path, reason=tr("its folder is not there") if homeless else system_words(error)),
                     tr("Make the folder, or choose another place.") if homeless else tr("Free some space, or choose another place."), where=where)
