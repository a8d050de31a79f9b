"""Whether the window gives back what it took: every view opened and closed many times, with the answers of the real engine.

    python -m benchmarks.openings [--times 200] [--bench DIR...] [--json]

Each time a new window shows all views, one after the other, waits for their answers and is closed. Keys: openings, rss_start_mb (after a
tenth of them: until then caches fill), rss_end_mb, kb_per_opening (a line through the second half), objects_per_opening (of Python),
widgets_left, threads_left, processes_left.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import psutil
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from benchmarks.attention import make_run
from core import runs
from core.runs import Run
from gui import main_window, theme
from gui.engine import Engine
from gui.main_window import MainWindow
from gui.qt.repair import hold_constants
from gui.settings import Settings
from gui.views import VIEWS

ANSWER_S = 5.0  # that a view is waited for, at most
MIB = 2**20


class LentEngine:
    """The one engine of all windows: starting it 200 times would be another benchmark. Closing it is left to the end."""

    shared: Engine

    def __init__(self, _parent: Any) -> None:
        self.busyChanged, self.failed = self.shared.busyChanged, self.shared.failed

    def __getattr__(self, name: str) -> Any:
        return getattr(self.shared, name)

    def close(self) -> None:
        """Its window has gone; the views' calls went with them."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--bench", type=Path, nargs="+", default=[], metavar="DIR", help="runs for the bench; without it two with random weights")
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[runs.HOME_VARIABLE] = folder
        bench = [Run.open(path) for path in parsed.bench] or [make_run(Path(folder) / name, name) for name in ("gpt", "bert")]
        found = measure(bench, parsed.times, quiet=parsed.json)
    if parsed.json:
        print(json.dumps(found))
    else:
        for key, value in found.items():
            print(f"{key:<22}{value:>12,.1f}")
    return 0


def measure(bench: list[Run], times: int, *, quiet: bool = True) -> dict[str, float]:
    hold_constants()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    app.setStyle("Fusion")
    theme.apply(app, "light")
    LentEngine.shared = Engine()
    main_window.Engine = LentEngine
    process = psutil.Process()
    widgets, threads = len(QApplication.allWidgets()), threading.active_count()
    memory, objects = [], []
    for number in range(times):
        _open_and_close(bench)
        memory.append(process.memory_info().rss / MIB)
        objects.append(len(gc.get_objects()))
        if not quiet and number % 10 == 0:
            print(f"{number:>5}  {memory[-1]:8.1f} MB  {objects[-1]:>9,} objects  {len(QApplication.allWidgets()):>5} widgets", flush=True)
    left = len(QApplication.allWidgets()) - widgets
    LentEngine.shared.close()
    end = time.monotonic() + 3
    while threading.active_count() > threads and time.monotonic() < end:
        QApplication.processEvents()
    half = np.arange(times // 2, times)
    slope = np.polyfit(half, np.array(memory)[half], 1)[0] if len(half) > 1 else 0.0
    growth = np.polyfit(half, np.array(objects)[half], 1)[0] if len(half) > 1 else 0.0
    return {"openings": times, "rss_start_mb": memory[times // 10], "rss_end_mb": memory[-1], "kb_per_opening": 1024 * float(slope),
            "objects_per_opening": float(growth), "widgets_left": left, "threads_left": threading.active_count() - threads,
            "processes_left": len(process.children(recursive=True))}


def _open_and_close(bench: list[Run]) -> None:
    settings = Settings()
    settings.view = next(iter(VIEWS))
    window = MainWindow(settings)
    window.show()
    window.start()
    for run in bench:
        window.session.add_run(run)
    for name in VIEWS:
        window.show_view(name)
        end = time.monotonic() + ANSWER_S
        QApplication.processEvents()
        while window.engine.busy and time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.001)
        QApplication.processEvents()
    if window.messages._dialog is not None:
        raise SystemExit(window.messages._dialog._trace.toPlainText())
    window.close()
    window.deleteLater()
    del window
    for _ in range(2):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
        gc.collect()


if __name__ == "__main__":
    sys.exit(main())
