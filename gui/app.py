"""The program with a window: `main()` opens it and returns when it is closed."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from functools import partial
from importlib import import_module
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from core import i18n
from gui import theme
from gui.main_window import MainWindow
from gui.qt.repair import hold_constants
from gui.settings import Settings

PAINT_REPORT = "LEXISCOPE_PAINT_REPORT"  # names a file that gets the time of the first frame, for the benchmark
BEAT_MS = 500
TIDY_MS = 60_000
WARM_UP_MS = 400


def make_app(arguments: list[str]) -> QApplication:
    hold_constants()
    # Garbage is looked for in this thread alone. Python does it in whichever thread makes an object, and a widget that dies in a thread
    # which is not its own ends the program.
    gc.disable()
    app = QApplication(arguments)
    heartbeat = QTimer(app, interval=BEAT_MS)  # also lets Python see Ctrl+C
    heartbeat.timeout.connect(look_among_the_young)
    heartbeat.start()
    app.setApplicationName("Lexiscope")
    app.setDesktopFileName("lexiscope")
    app.setStyle("Fusion")
    return app


def main(arguments: list[str] | None = None) -> int:
    app = make_app(arguments if arguments is not None else sys.argv)
    settings = Settings()
    i18n.set_language(settings.language)
    theme.apply(app, settings.theme, settings.zoom)
    app.setWindowIcon(theme.icon("lexiscope", theme.current().accent))
    window = MainWindow(settings)
    window.painted.connect(_painted)
    window.show()
    window.messages.install_hook()
    QTimer.singleShot(0, window, window.start)
    QTimer.singleShot(WARM_UP_MS, window, warm_up)
    calm = QTimer(window, interval=TIDY_MS)
    calm.timeout.connect(partial(tidy, window))
    calm.start()
    signal.signal(signal.SIGINT, lambda *_: window.close())
    return app.exec()


def warm_up() -> None:
    """Import the plots in a thread: 0.3 s that would be seen when the first view with a plot is shown. It makes no QObject."""
    threading.Thread(target=import_module, args=("gui.widgets.plots",), name="warm up", daemon=True).start()


def look_among_the_young() -> None:
    """To look for garbage among all objects takes 60 ms once a run's story is in memory, which one sees: `tidy` does that."""
    gc.collect(1)


def tidy(window: MainWindow) -> None:
    """Look for garbage among all objects, while nobody looks at the program and nothing is trained."""
    if not window.processes.running() and QApplication.activeWindow() is None:
        gc.collect()


def _painted() -> None:
    if path := os.environ.get(PAINT_REPORT):
        Path(path).write_text(repr(time.time()), encoding="utf-8")
