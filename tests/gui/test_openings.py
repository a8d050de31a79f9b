"""A window that is closed gives back what it took; benchmarks/openings.py does this two hundred times, with answers."""

from __future__ import annotations

import gc

import shiboken6
from PySide6.QtWidgets import QApplication

from core.text.specimens import Specimen
from gui import views
from tests.gui.conftest import _let_die
from tests.gui.direct_engine import SilentEngine
from tests.gui.real_views import real_windows

WARM, TIMES = 1, 3
LITTLE = 60  # objects of Python a window, of some 20,000 that it makes


def test_openings_and_closings_leave_nothing(qtbot, monkeypatch, make_run) -> None:
    runs = [make_run("one", num_layers=2), make_run("two", "gpt")]
    specimens = [Specimen(word="苹果", sense=sense, text=f"他吃了一个苹果{sense}。") for sense in ("fruit", "company")]
    counts, widgets = [], []
    for _ in range(WARM + TIMES):
        with real_windows(monkeypatch, SilentEngine) as make:
            window = make("start")
            for run in runs:
                window.session.add_run(run)
            window.session.look_at("苹果", specimens)
            made = []
            for name in views.VIEWS:
                window.show_view(name)
                QApplication.processEvents()
                made.append(window.view)
            window.switch_language()  # makes the shown view anew
            assert window.messages._dialog is None
        _let_die()
        assert not any(shiboken6.isValid(view) for view in made)
        del window, make, made
        _let_die()
        widgets.append(len(QApplication.allWidgets()))
        counts.append(len(gc.get_objects()))
    assert len(set(widgets[WARM:])) == 1, widgets
    assert (counts[-1] - counts[WARM - 1]) / TIMES < LITTLE, counts
