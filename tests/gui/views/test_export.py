"""The export view: what can be chosen, what is asked of the engine, and what a report, a refusal and a cancel look like."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from gui.widgets.latency_bars import LatencyBars
from tests.gui.direct_engine import SilentEngine
from tests.gui.real_views import real_windows

ROW = {"shape": {"batch": 1, "tokens": 1}, "absolute": 1e-7, "relative": 2e-7, "worst": "logits", "top1": 1.0}
MODEL = {"rows": [ROW, {**ROW, "shape": {"batch": 4, "tokens": 33}, "relative": 3e-7}], "opset": 20,
         "operators": {"MatMul": 14, "DynamicQuantizeLSTM": 4}, "only_onnxruntime": ["DynamicQuantizeLSTM"],
         "latency": [{"device": "cpu", "shape": {"batch": 1, "tokens": 32}, "provider": "CPUExecutionProvider", "speedup": 3.0,
                      "torch": {"p50": 3.0, "p95": 4.0, "threads": 2}, "onnxruntime": {"p50": 1.0, "p95": 1.5, "threads": 1}}]}
REPORT = {"target": "onnx", "path": "/nowhere/out", "files": {"model.onnx": 1_500_000, "config.json": 900}, "tolerance": 0.25, "absolute": 1e-7,
          "relative": 3e-7, "top1": 0.9, "agreement": 0.975, "least": 0.9, "places": 1200, "precision": "int8", "models": {"model": MODEL}}


@pytest.fixture
def make(monkeypatch):
    with real_windows(monkeypatch, SilentEngine) as found:
        yield found


@pytest.fixture
def view(make, make_run, own_home):
    run = make_run("a bert", num_layers=2)
    run.checkpoint_path(3).mkdir(parents=True)
    window = make("export")
    window.session.add_run(run)
    QApplication.processEvents()
    return window.view


def test_the_target_and_the_precision_do_not_overlap_with_large_words_in_a_small_window(view):
    window = view.window()
    window.zoom(0.5)
    window.resize(window.minimumWidth(), 700)
    QApplication.processEvents()
    assert window.view._precision.isVisible() and window.view._target_box.geometry().right() < window.view._precision.x()


def texts(widget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel))


def test_without_a_trained_run_it_leads_to_training(qtbot, make):
    assert make("export").view._stack.currentIndex() == 1


def test_it_offers_what_takes_the_run_and_asks_for_it(qtbot, view):
    assert [view._target_box.itemData(index) for index in range(2)] == ["onnx", "huggingface"]
    view._precision.button("int8").click()
    view._start.click()
    job = view._services.jobs.of("export")
    asked = job.keywords
    assert job.call.place == "core.exchange.exports:export"
    assert asked["target"] == "onnx" and asked["options"] == {"precision": "int8"} and asked["out"].endswith("-onnx-int8")
    job.call.on_progress(0.5, "half")
    assert view._bar.value() == 500 and "half" in view._words.text() and not view._start.isVisible()


def test_while_it_is_not_shown_it_does_not_read_the_runs(make, make_run, monkeypatch):
    window = make("export")
    window.show_view("runs")
    monkeypatch.setattr("gui.views.export.view.list_runs", lambda: pytest.fail("read"))
    window.session.add_run(make_run("one more"))


def test_another_precision_is_another_folder_but_a_typed_one_stays(qtbot, view):
    view._precision.button("fp16").click()
    assert view._path.text().endswith("-onnx-fp16")
    view._path.setText("/mine")
    view._precision.button("fp32").click()
    assert view._path.text() == "/mine"


@pytest.mark.parametrize(("typed", "place"), [("my bert", "exports/my bert"), (" ~no one/there ", "exports/~no one/there"), ("/mine", "/mine")])
def test_a_name_alone_goes_into_the_folder_that_is_suggested(qtbot, view, own_home, typed, place):
    view._path.clear()
    qtbot.keyClicks(view._path, typed)
    view._start.click()
    assert view._services.jobs.of("export").keywords["out"] == str(own_home / place) == view._path.text()


def test_the_report_shows_errors_speed_and_operators(qtbot, view):
    view._start.click()
    view._services.jobs.of("export").call.on_done(REPORT)
    QApplication.processEvents()
    table = view.report.tables[0].rows
    assert [table.data(table.index(1, column)) for column in (0, 2, 3)] == ["4 × 33", "3.00e-07", "100%"]
    shown = texts(view.report)
    assert "1.5 MB in 2 files" in shown and "allowed: 0.25" in shown and "Only ONNX Runtime knows: DynamicQuantizeLSTM" in shown
    assert "greatest error 1.0e-07; at worst 3.0e-07 of its tensor's greatest number" in shown and "off by <0.1%" in shown
    assert "97.5% of 1,200 places (allowed: 90.0% and more); 90.0% at the worst shape" in shown
    assert "The price of int8: 25 of 1,000 answers" in shown
    assert "3.0 times as fast as torch on CPUExecutionProvider" in shown
    assert [row.p50 for row in view.report.findChild(LatencyBars).rows] == [3.0, 1.0]


def test_a_refusal_is_said_in_its_place(qtbot, view):
    view._start.click()
    view._services.jobs.of("export").call.on_error("The export is refused. The error begins in layer 2.", "Choose another.")
    assert "layer 2" in view._words.text() and view.report is None and view._start.isVisible()


def test_the_keyboard_stays_with_the_button_that_takes_the_others_place(qtbot, view):
    with qtbot.waitActive(view.window()):
        view.window().activateWindow()
    qtbot.mouseClick(view._start, Qt.MouseButton.LeftButton)
    assert QApplication.focusWidget() is view._cancel
    view._services.jobs.of("export").call.on_error("The export is refused.", "Choose another.")
    assert QApplication.focusWidget() is view._start


def test_cancelling_is_quiet(qtbot, view):
    view._start.click()
    call = view._services.jobs.of("export").call
    view._cancel.click()
    assert not call.wanted and view._start.isVisible() and view.report is None


def test_another_theme_or_language_keeps_the_export_and_its_report(qtbot, make, make_run, own_home):
    make_run("a bert", num_layers=2).checkpoint_path(3).mkdir(parents=True)
    window = make("export")
    window.view.start()
    call = window.jobs.of("export").call
    call.on_progress(0.5, "half")
    before = window.view
    window.set_theme("dark")
    view = window.view
    assert view is not before and call.wanted
    assert view._bar.value() == 500 and "half" in view._words.text() and view._cancel.isVisibleTo(view) and not view._start.isVisibleTo(view)
    call.on_progress(0.75, "more")
    assert view._bar.value() == 750
    window.set_language("zh_CN")
    call.on_done(REPORT)
    assert window.view.report is not None and window.view._start.isVisibleTo(window.view)
    window.set_theme("light")
    assert window.view.report is not None  # what was exported is still told


def test_the_end_of_an_export_is_said_where_one_is_looking(qtbot, make, make_run, own_home):
    make_run("a bert", num_layers=2).checkpoint_path(3).mkdir(parents=True)
    window = make("export")
    window.view.start()
    window.show_view("start")
    window.jobs.of("export").call.on_done(REPORT)
    assert window.messages.texts[-1][0] == "Export: done."
