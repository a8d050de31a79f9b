"""What the engine's tests ask the analysis process to do."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.errors import UserError
from core.i18n import language


def double(values: np.ndarray) -> dict[str, np.ndarray]:
    sys.stdout.write("a library that prints\n")
    return {"doubled": 2 * values}


def process() -> int:
    return os.getpid()


def spoken() -> str:
    return language()


def loaded() -> list[str]:
    return sorted(sys.modules)


def refuse() -> None:
    raise UserError("The file is not there.", "Choose another.")


def fail() -> None:
    raise ValueError("nobody expected this")


def crash() -> None:
    os._exit(139)


def steps(on_progress: Callable[[int, int], None]) -> str:
    for number in range(3):
        on_progress(number, 3)
    return "ready"


def slow(started: Path) -> None:
    started.touch()
    time.sleep(60)


def patient(started: Path, stopped: Path, cancelled: Callable[[], bool]) -> None:
    started.touch()
    while not cancelled():
        time.sleep(0.01)
    stopped.touch()


def unpicklable() -> object:
    return lambda: None


def tidy(folder: Path, on_progress: Callable[[float], None]) -> None:
    """Works for a minute and clears up behind itself."""
    folder.mkdir()
    try:
        for number in range(6000):
            on_progress(number / 6000)
            time.sleep(0.01)
    finally:
        folder.rmdir()


def niceness() -> int:
    return os.nice(0)


def look_for_nothing(path: Path) -> None:
    path.stat()
