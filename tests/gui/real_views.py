"""The real window with its real views, and an engine of the test's choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import shiboken6
from PySide6.QtWidgets import QApplication

from core import i18n
from gui import main_window, theme
from gui.main_window import MainWindow
from gui.settings import Settings
from tests.gui.conftest import _let_die
from tests.gui.direct_engine import DirectEngine


@contextmanager
def real_windows(monkeypatch: pytest.MonkeyPatch, engine: type = DirectEngine) -> Iterator[Callable[..., MainWindow]]:
    """make(view, language=, look=) -> a shown window; all are closed at the end."""
    monkeypatch.setattr(main_window, "Engine", engine)
    made: list[MainWindow] = []

    def make(view: str, language: str = "en", look: str = "light") -> MainWindow:
        settings = Settings()
        settings.view, settings.language, settings.theme = view, language, look
        i18n.set_language(language)
        theme.apply(QApplication.instance(), look)
        window = MainWindow(settings)
        made.append(window)
        window.show()
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
