"""How long the demonstration takes from the click to its figures, in the real window with the real engine: a part of benchmarks.views."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from core import i18n, runs
from gui import app as program
from gui import theme
from gui.main_window import MainWindow
from gui.settings import Settings
from gui.views.start import demo, view

LOOKS_S = 3.0  # a person finds the button; the engine gets ready meanwhile
WAIT_S = 60.0


def measure() -> dict[str, float]:
    """The first time in a new home, so the runs that ship are unpacked. demo_senses_ms: until the view of the senses is there; demo_figures_ms:
    until every run has its picture, its figures, its controls and what is said of them."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ[runs.HOME_VARIABLE] = folder
        i18n.set_language("en")
        app = QApplication.instance() or program.make_app(["lexiscope"])
        app.setStyle("Fusion")
        theme.apply(app, "light")
        settings = Settings()
        settings.view = "start"
        settings.set(view.LANGUAGE, "zh")
        window = MainWindow(settings)
        window.resize(1280, 720)
        window.show()
        window.start()
        _turn(lambda: False, LOOKS_S)
        begin = time.perf_counter()
        window.view._go.click()
        _turn(lambda: window._name == "senses")
        senses = time.perf_counter() - begin
        panels = window.view.page("points")._panels
        _turn(lambda: len(panels) == len(demo.FAMILIES) and all(_is_measured(panel.verdict.text()) for panel in panels.values()))
        figures = time.perf_counter() - begin
        window.close()
    return {"demo_senses_ms": 1000 * senses, "demo_figures_ms": 1000 * figures}


def _is_measured(said: str) -> bool:
    """Whether what stands under a picture is its last word: all figures are there, those of the controls too."""
    return said not in ("", "Measuring...") and "not measured yet" not in said


def _turn(done: Callable[[], bool], seconds: float = WAIT_S) -> None:
    end = time.perf_counter() + seconds
    while not done() and time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.002)


if __name__ == "__main__":
    print(measure())
