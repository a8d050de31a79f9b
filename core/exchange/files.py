"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import psutil

from core.errors import UserError
from core.i18n import tr


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes its place when the block has ended well. UserError where the disk refuses."""
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with suppress(OSError):  # a read-only disk refuses even what is not there
            part.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill that takes its place when the block has ended well. UserError if something stands there, or the disk refuses."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UserError(tr("{path} exists and is not empty.", path=path), tr("Name another folder."), where="out")
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    _sweep(path)
    try:
        part.mkdir(parents=True)
        yield part
        if path.exists():
            path.rmdir()
        part.rename(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _sweep(path: Path) -> None:
    """Remove what a process that was ended meanwhile left half filled."""
    for old in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        pid = old.name.split(".")[-2]
        if pid.isdigit() and (int(pid) == os.getpid() or not psutil.pid_exists(int(pid))):
            shutil.rmtree(old, ignore_errors=True)


def unwritable(path: Path, error: OSError) -> UserError:
    return UserError(tr("{path} cannot be written: {reason}.", path=path, reason=error.strerror or error),
                     tr("Free some space, or choose another place."))
