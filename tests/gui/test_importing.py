"""Opening what comes from elsewhere by button and by drag and drop, and packing a run, in the real window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QPushButton

from core.exchange.pack import is_packed
from core.exchange.vectors import files as vector_files
from core.runs import Run, runs_home
from gui import importing
from gui.importing import importer_of
from gui.views.runs import packing
from gui.views.runs.table import NAME, TEXT
from tests.gui.direct_engine import DirectEngine, SilentEngine
from tests.gui.real_views import real_windows
from tests.helpers.saved import saved_run


@pytest.fixture
def make(monkeypatch):
    with real_windows(monkeypatch, DirectEngine) as found:
        yield found


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    vector_files.save_text(tmp_path / "mine.vec", ["苹果", "apple"], np.eye(2, 3, dtype=np.float32))
    return tmp_path / "mine.vec"


def drop(window, *paths: Path) -> bool:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    with pytest.warns(DeprecationWarning):
        enter = QDragEnterEvent(QPoint(500, 300), Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(window, enter)
    if enter.isAccepted():
        QApplication.sendEvent(window, QDropEvent(QPointF(500, 300), Qt.DropAction.CopyAction, data, buttons, keys))
    return enter.isAccepted()


def test_what_is_dropped_stands_on_the_bench(make, qtbot, vectors: Path, tmp_path: Path) -> None:
    window = make("start")
    run = saved_run(tmp_path / "runs")
    with qtbot.waitSignal(importer_of(window.session, window.services).imported):
        assert drop(window, vectors, run.path)
    qtbot.waitUntil(lambda: len(window.session.bench) == 2)
    assert window.session.bench[0].path.parent == runs_home() and window.session.bench[1].path == run.path
    assert any("word2vec-mine" in message for message, _ in window.messages.texts)
    assert not importer_of(window.session, window.services).busy


def test_what_cannot_be_opened_is_said_and_the_next_one_is_opened(make, qtbot, vectors: Path, tmp_path: Path) -> None:
    window = make("start")
    (tmp_path / "bad.lexi").write_bytes(b"PK\x03\x04 nothing")
    drop(window, tmp_path / "bad.lexi", vectors)
    qtbot.waitUntil(lambda: len(window.session.bench) == 1)
    assert any("bad.lexi" in message for message, _ in window.messages.texts)
    assert [path.name for path in runs_home().iterdir()] == ["word2vec-mine"]


def test_a_full_bench_does_not_lose_the_run(make, qtbot, vectors: Path, tmp_path: Path) -> None:
    window = make("start")
    for number in range(4):
        window.session.add_run(saved_run(tmp_path / f"runs{number}"))
    drop(window, vectors)
    qtbot.waitUntil(lambda: any("imported" in message for message, _ in window.messages.texts))
    assert Run.open(runs_home() / "word2vec-mine").config.family == "word2vec"


def test_text_that_is_dragged_is_not_ours(make) -> None:
    window, data = make("start"), QMimeData()
    data.setText("words")
    assert importing.dropped(data) == [] and not drop(window)


@pytest.mark.parametrize("view", ["start", "runs"])
@pytest.mark.parametrize(("place", "entry"), [("ask_folder", 0), ("ask_file", 1)])
def test_the_import_button(view: str, place: str, entry: int, make, make_run, qtbot, vectors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run("another")
    window = make(view)
    monkeypatch.setattr(importing, place, lambda parent: str(vectors))
    button = next(found for found in window.view.findChildren(QPushButton) if found.menu() is not None)
    button.menu().actions()[entry].trigger()
    qtbot.waitUntil(lambda: len(window.session.bench) == 1)
    monkeypatch.setattr(importing, place, lambda parent: "")
    button.menu().actions()[entry].trigger()  # the dialog was closed
    assert not importer_of(window.session, window.services).busy


def test_a_long_import_shows_how_far_it_is_and_can_be_cancelled(qtbot, vectors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with real_windows(monkeypatch, SilentEngine) as make:
        window = make("start")
        importer = importer_of(window.session, window.services)
        importer.open(vectors)
        qtbot.waitUntil(lambda: importer._dialog is not None)
        call = window.jobs.of("import").call
        call.on_progress(0.5, "reading")
        assert "mine.vec" in importer._dialog.labelText() and "reading" in importer._dialog.labelText() and importer._dialog.value() == 500
        importer._dialog.findChild(QPushButton).click()
        assert not call.wanted and not importer.busy and importer._dialog is None


def test_packing_from_the_runs_view(make, qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "ask_place", lambda parent, suggested: str(tmp_path / "mine"))
    saved_run(tmp_path / "made").path.rename(runs_home() / "one") if runs_home().mkdir(parents=True) is None else None
    vector_files.save_text(tmp_path / "v.vec", ["a"], np.ones((1, 2), np.float32))
    window = make("runs")
    drop(window, tmp_path / "v.vec")
    qtbot.waitUntil(lambda: window.view.order.rowCount() == 2, timeout=10_000)
    order = window.view.order
    texts = {order.index(row, NAME).data(): order.index(row, TEXT).data() for row in range(2)}
    assert texts["word2vec-v"] == "imported" and texts["run0"] == "text.txt"
    window.view.table.selectRow(next(row for row in range(2) if order.index(row, NAME).data() == "run0"))
    qtbot.waitUntil(window.view._actions["pack"].isEnabled)
    window.view._actions["pack"].trigger()
    qtbot.waitUntil(lambda: (tmp_path / "mine.lexi").exists())
    assert is_packed(tmp_path / "mine.lexi")
    qtbot.waitUntil(lambda: any("mine.lexi" in message for message, _ in window.messages.texts))
