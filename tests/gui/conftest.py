"""Every test of the window runs offscreen, on a fresh home, and proves that nothing of it is left behind."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import psutil
import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication

from core import config, i18n
from core.runs import Run
from gui import theme, views
from gui.main_window import MainWindow
from gui.qt.repair import hold_constants
from gui.settings import Settings

hold_constants()
FAKE_VIEWS = {name: f"tests.gui.fake_views:{kind}" for name, kind in (
    ("start", "PlainView"), ("corpus", "PlainView"), ("train", "PlainView"), ("runs", "BenchView"), ("senses", "FullView"))}


@pytest.fixture(autouse=True)
def nothing_left(qapp: QApplication) -> Iterator[None]:
    """No widget, thread, active timer or process outlives its test."""
    widgets, threads = set(map(id, QApplication.topLevelWidgets())), set(threading.enumerate())
    processes = _children()
    # What is there already need not be searched for what this test leaves behind: with torch in the process that takes a second
    # for each test. Nothing is lost, since the test before has cleared up.
    gc.freeze()
    gc.disable()  # as in the program: see gui/app.py
    yield
    gc.enable()
    _let_die()
    left = [widget for widget in QApplication.topLevelWidgets() if id(widget) not in widgets and not _is_popup_of_qt(widget)]
    assert not left, f"widgets left behind: {left}"
    assert not _wait_for(lambda: set(threading.enumerate()) - threads), "threads left behind"
    timers = [item for item in gc.get_objects() if isinstance(item, QTimer) and shiboken6.isValid(item) and item.isActive()]
    assert not timers, f"timers left behind: {[(timer, timer.parent()) for timer in timers]}"
    assert not _wait_for(lambda: _children() - processes), "processes left behind"


@pytest.fixture(autouse=True)
def light(qapp: QApplication) -> None:
    qapp.setStyle("Fusion")
    theme.apply(qapp, "light")


@pytest.fixture
def make_run(own_home: Path) -> Callable[..., Run]:
    """make_run(name, family=..., **options): a run on the disk that has not begun."""
    def make(name: str = "a run", family: str = "bert", **options: object) -> Run:
        return Run.create(config.build(family, options=options, name=name))

    return make


@pytest.fixture
def make_window(qtbot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., MainWindow]]:
    """make_window(view=..., language=..., look=...): the real window with views that do nothing."""
    monkeypatch.setattr(views, "VIEWS", FAKE_VIEWS)
    for module in ("gui.main_window", "gui.edges.navigation"):
        monkeypatch.setattr(f"{module}.VIEWS", FAKE_VIEWS)
    made: list[MainWindow] = []

    def make(view: str = "senses", language: str = "en", look: str = "light", settings: Settings | None = None) -> MainWindow:
        settings = settings or Settings()
        settings.view, settings.language, settings.theme = view, language, look
        i18n.set_language(language)
        theme.apply(QApplication.instance(), look)
        window = MainWindow(settings)
        made.append(window)
        window.show()
        window.start()
        return window

    yield make
    for window in made:
        if shiboken6.isValid(window):
            window.processes._followed.clear()  # nobody is there to answer the question of the closing window
            window.jobs.close()
            window.close()
            window.deleteLater()
    made.clear()
    _let_die()


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def _let_die() -> None:
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()
        gc.collect()


def _wait_for(left: Callable[[], object], seconds: float = 3.0) -> object:
    """What is still left after a while at most."""
    end = time.monotonic() + seconds
    while (found := left()) and time.monotonic() < end:
        QCoreApplication.processEvents()
        time.sleep(0.01)
    return found


def _is_popup_of_qt(widget: object) -> bool:
    """Containers that Qt keeps for itself (a combo box's list, a tool tip)."""
    return type(widget).__name__ in ("QFrame", "QTipLabel", "QWidget") and not widget.isVisible() and widget.parent() is not None
