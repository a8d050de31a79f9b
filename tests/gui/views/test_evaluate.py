"""The view that measures a finetuned run, and the widgets that it draws with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from core import registry
from core.runs import Run
from core.tasks.config import build_finetune
from gui import theme
from gui.views.evaluate.body import ALL, LEAST, WRONG, chosen_rows
from gui.widgets.confusion_matrix import ConfusionMatrix
from gui.widgets.rows_table import RowsTable
from gui.widgets.value_scatter import ValueScatter
from tests.gui.direct_engine import DirectEngine, SilentEngine
from tests.gui.real_views import real_windows


def row(line: int, gold: Any, predicted: Any, confidence: float) -> dict[str, Any]:
    return {"line": line, "text": f"text {line}", "gold": gold, "predicted": predicted, "confidence": confidence, "right": gold == predicted,
            "detail": ""}


CLASSES = {"task": "classification", "metric": "accuracy", "metrics": {"loss": 0.5, "accuracy": 0.6, "macro_f1": 0.55}, "examples": 5,
           "labels": ["a", "b"], "confusion": [[2, 1], [1, 1]],
           "per_class": [{"label": "a", "precision": 0.667, "recall": 0.667, "f1": 0.667, "support": 3}],
           "rows": [row(2, "a", "a", 0.9), row(3, "a", "b", 0.6), row(4, "b", "a", 0.8), row(5, "a", "a", 0.7), row(6, "b", "b", 0.5)],
           "problem_counts": [{"file": "dev", "kind": "empty", "count": 3, "rule": "skipped"}], "problems": [], "step": 5, "best": 3,
           "intervals": {"accuracy": (0.2, 1.0), "macro_f1": (0.167, 0.9)}, "majority": 0.6}
NUMBERS = {"task": "pair", "metric": "spearman", "metrics": {"spearman": 0.8, "pearson": 0.7}, "examples": 3, "labels": [],
           "confusion": [], "per_class": [], "rows": [row(2, 1.0, 1.5, 0.0), row(3, 4.0, 1.0, 0.0), row(4, 2.0, 2.0, 0.0)],
           "problem_counts": [], "problems": [], "step": 5, "best": None, "intervals": {}, "majority": None}
ANSWERS = {"task": "span", "metric": "f1", "metrics": {"f1": 0.5, "exact_match": 0.4}, "examples": 2, "labels": [], "confusion": [], "per_class": [],
           "rows": [row(1, "x", "y", 0.9), row(2, "x", "x", 0.8)], "problem_counts": [], "problems": [], "step": 5, "best": None,
           "intervals": {}, "majority": None}
TAGS = {**ANSWERS, "task": "tagging", "per_class": [{"label": "PER", "precision": 0.5, "recall": 0.4, "f1": 0.44, "support": 9}]}


class Measuring:
    """Instead of core.analysis.evaluate."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer = CLASSES

    def evaluate(self, run: str, file: str, checkpoint: str, on_progress: Any) -> dict[str, Any]:
        self.asked.append({"run": run, "file": file, "checkpoint": checkpoint})
        on_progress(1, 2)
        self.told()
        return self.answer

    def told(self) -> None:
        """A test may look here at what is shown while it is measured."""


@pytest.fixture
def measuring(monkeypatch):
    made, load = Measuring(), registry.load
    monkeypatch.setattr(registry, "load", lambda place: made.evaluate if place == "core.analysis.evaluate:evaluate" else load(place))
    return made


@pytest.fixture
def view(monkeypatch, measuring, make_run, qtbot):
    """One finetuned run on the bench, and the one that it was made from."""
    with real_windows(monkeypatch, DirectEngine) as make:
        window = make("evaluate")
        pretrained = make_run("pre")
        run = Run.create(build_finetune(pretrained, "classification", {"task.dev_file": "/there/dev.csv"}, name="tuned"))
        run.checkpoint_path(5).mkdir()
        for one in (pretrained, run):
            window.session.add_run(one)
        yield window.view


def _measure(view, qtbot):
    before = view.body
    qtbot.mouseClick(view._measure, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.body is not None and view.body is not before)
    return view.body


def _texts(widget):
    return " ".join(label.text() for label in widget.findChildren(QLabel) if not label.isHidden())


def test_one_measures_and_sees_figures_and_the_worst_mistakes_first(view, measuring, qtbot):
    assert view._combo.count() == 1 and "dev.csv" in view._path.text()
    body = _measure(view, qtbot)
    assert measuring.asked[0]["file"] == ""
    assert "0.600" in _texts(body) and "5 examples" in body._note.text() and "3 × skipped" in body._note.text()
    assert "0.200–1.000" in _texts(body) and "95% bootstrap interval" in body._note.text()
    assert "always the most frequent label: 60.0%" in body._note.text()
    assert body.shown == [2, 1]  # the surer it was, the worse
    body.examples.choose(0)
    assert "text 4" in body._detail.text() and "right: b" in body._detail.text()
    qtbot.mouseClick(body._pages.button(ALL), Qt.MouseButton.LeftButton)
    assert body.shown == [0, 1, 2, 3, 4]


def test_the_file_that_is_measured_on_can_be_read_with_large_words_in_a_small_window(view):
    window = view.window()
    window.zoom(0.5)
    window.resize(window.minimumWidth(), 700)
    QApplication.processEvents()
    assert window.view._path.width() >= window.view._path.sizeHint().width()


def test_with_large_words_in_a_small_window_the_run_and_its_task_are_read_whole(view, qtbot):
    window = view.window()
    window.zoom(0.5)
    view = window.view
    run = window.session.bench[1].run
    run.rename("bert-builtin-en")
    window.session.refresh_run(run)
    for width in (1024, 1280):
        window.resize(width, 720)
        qtbot.waitUntil(lambda width=width: window.width() == width and view._combo.width() >= view._combo.sizeHint().width())
        room = view._combo.fontMetrics().horizontalAdvance("bert-builtin-en  ·  Classification")
        assert view._combo.currentText() == "bert-builtin-en  ·  Classification" and view._combo.width() > room


def test_with_large_words_the_classes_are_read_without_moving_sideways_and_all_can_be_reached(view, measuring, qtbot):
    window = view.window()
    window.zoom(0.5)
    window.resize(1024, 700)
    body = _measure(window.view, qtbot)
    QApplication.processEvents()
    assert body.split.orientation() == Qt.Orientation.Vertical and body.classes.horizontalScrollBar().maximum() == 0
    assert window.view._holder.verticalScrollBar().maximum() > 0 and body.matrix.height() >= theme.scaled(LEAST["chart"])
    window.resize(1900, 1000)
    qtbot.waitUntil(lambda: body.split.orientation() == Qt.Orientation.Horizontal and window.view._holder.verticalScrollBar().maximum() == 0)


def test_a_click_on_a_cell_shows_its_examples(view, qtbot):
    body = _measure(view, qtbot)
    body.grab()
    qtbot.mouseClick(body.matrix, Qt.MouseButton.LeftButton, pos=body.matrix.cell(1, 0).center().toPoint())
    assert body.shown == [2] and body._cell.isVisible() and "b taken for a" in body._cell.text()
    assert not body._cell.parentWidget().geometry().intersects(body._pages.parentWidget().geometry())
    qtbot.keyClick(body.matrix, Qt.Key.Key_Up)
    assert body.shown == [0, 3] and "recognised" in body._cell.text()
    qtbot.mouseClick(body._cell, Qt.MouseButton.LeftButton)
    assert body.shown == [2, 1] and body.matrix.chosen == (-1, -1)
    qtbot.mouseClick(body.matrix, Qt.MouseButton.LeftButton, pos=body.matrix.cell(1, 0).center().toPoint())
    qtbot.mouseClick(body._pages.button(ALL), Qt.MouseButton.LeftButton)  # other examples: no cell is named above them
    assert body.shown == [0, 1, 2, 3, 4] and body._cell.isHidden() and body.matrix.chosen == (-1, -1)


@pytest.mark.parametrize(("answer", "chart", "table"), [(CLASSES, True, True), (NUMBERS, True, False), (ANSWERS, False, False), (TAGS, False, True)])
def test_each_task_is_drawn_in_its_way(view, measuring, qtbot, answer, chart, table):
    measuring.answer = answer
    body = _measure(view, qtbot)
    assert (not body._chart.isHidden(), not body.classes.isHidden()) == (chart, table)
    assert not body.grab().isNull()


def test_numbers_are_a_scatter_whose_points_are_examples(view, measuring, qtbot):
    measuring.answer = NUMBERS
    body = _measure(view, qtbot)
    assert body.scatter.count == 3 and body.shown == [1, 0, 2]  # the farthest off first
    body.scatter.clicked.emit(2)
    assert "text 4" in body._detail.text()


def test_another_file_is_measured_and_what_was_measured_is_kept(view, measuring, qtbot, tmp_path):
    _measure(view, qtbot)
    view.take_file(str(tmp_path / "other.csv"))
    assert "other.csv" in view._path.text() and not view._holder.isVisible()
    _measure(view, qtbot)
    assert measuring.asked[-1]["file"].endswith("other.csv")
    view._own.click()
    assert view._holder.isVisible() and len(measuring.asked) == 2
    view.item.run.checkpoint_path(9).mkdir()  # it has learnt more: the figures are no longer true
    view._show()
    assert not view._holder.isVisible()


def test_another_theme_keeps_what_was_measured_and_on_which_file(view, measuring, qtbot, tmp_path):
    view.take_file(str(tmp_path / "other.csv"))
    _measure(view, qtbot)
    window = view.window()
    window.set_theme("dark")
    assert window.view is not view and window.view.body is not None and "other.csv" in window.view._path.text()
    assert len(measuring.asked) == 1


def test_another_language_keeps_the_measuring_that_is_under_way(view, qtbot):
    view.measure()
    window, job = view.window(), view._services.jobs.of("evaluate")
    window.set_language("zh_CN")
    assert job.running and window.view._cancel.isVisibleTo(window.view)
    qtbot.waitUntil(lambda: window.view.body is not None)
    assert job.state == "done"


def test_the_rows_leave_as_csv(view, qtbot, monkeypatch, tmp_path):
    _measure(view, qtbot)
    monkeypatch.setattr("gui.saving.ask_path", lambda *_: str(tmp_path / "rows.csv"))
    view._save.save_rows()
    lines = (tmp_path / "rows.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("line,gold,predicted") and len(lines) == 6 and "text 3" in lines[2]


def test_the_rows_that_leave_are_those_that_are_shown_also_after_the_run_has_saved_another_checkpoint(view, qtbot):
    _measure(view, qtbot)
    view.item.run.checkpoint_path(9).mkdir()
    assert view._picture() is not None and len(view._rows()[1]) == 5
    view._which_chosen()  # what is looked at now is not measured yet
    assert view._picture() is None and not view._rows()[1]


def test_what_cannot_be_measured_says_why(view, qtbot):
    view._refused("The file has no labels.", "Choose another.")
    assert view._words.text() == "The file has no labels. Choose another." and not view._holder.isVisible()


def test_a_run_without_a_file_of_its_own_asks_for_one(view, make_run, qtbot, tmp_path):
    run = Run.create(build_finetune(make_run("other"), "classification", name="theirs"))
    run.checkpoint_path(5).mkdir()
    for item in view._session.bench:
        view._session.remove_run(item.path)
    view._session.add_run(run)
    qtbot.waitUntil(lambda: view.item is not None and view.item.path == run.path)
    assert view._words.text() == "Choose a file with labels." and not view._measure.isEnabled()
    view.take_file(str(tmp_path / "labels.csv"))
    assert view._words.text() == "Press “Measure”." and view._measure.isEnabled()


def test_without_a_finetuned_run_it_leads_to_one(view, qtbot):
    session = view._session
    session.remove_run(view.item.path)
    assert view._stack.currentIndex() == 1


def test_the_worst_mistakes_are_mistakes():
    assert chosen_rows(CLASSES, WRONG, None) == [1, 2]
    assert chosen_rows(CLASSES, ALL, ("a", "b")) == [1]


# the widgets

def test_the_model_of_a_table_keeps_to_qts_rules(qtbot, qtmodeltester):
    table = RowsTable(["name", "number"], stretch=0)
    qtbot.addWidget(table)
    table.set_rows([["b", 10], ["a", 9], ["c", 100]])
    qtmodeltester.check(table.rows)
    table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert [table.model().index(place, 0).data() for place in range(3)] == ["a", "b", "c"]
    with qtbot.waitSignal(table.chosen) as heard:
        table.choose(2)
    assert heard.args == [2]
    table.set_rows([["x", 1]])
    assert table.model().rowCount() == 1


def test_a_matrix_of_many_labels_still_fits(qtbot):
    matrix = ConfusionMatrix()
    qtbot.addWidget(matrix)
    matrix.resize(300, 260)
    matrix.set_matrix(np.eye(15, dtype=int), [f"a long label {number}" for number in range(15)])
    assert matrix.cell(14, 14).right() <= 300 and matrix.cell(14, 14).bottom() <= 261
    assert not matrix.grab().isNull() and "15 of 15" in matrix.accessibleName()


def test_points_that_are_no_number_are_left_out(qtbot):
    scatter = ValueScatter("#0000ff", "x", "y")
    qtbot.addWidget(scatter)
    scatter.set_values(np.array([1.0, np.nan, 3.0]), np.array([1.0, 2.0, 2.0]))
    assert scatter.count == 2


def test_a_file_is_dropped_on_the_view(view, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("x", encoding="utf-8")
    view.take_file(str(Path(path)))
    assert view._file == str(path)


# which checkpoint, how far, and several seeds

def _checkpoint(run, step, best):
    run.checkpoint_path(step).mkdir(exist_ok=True)
    (run.checkpoint_path(step) / "state.json").write_text(json.dumps({"step": step, "best": best}), encoding="utf-8")


def test_the_best_checkpoint_is_measured_where_it_is_chosen(view, measuring, qtbot):
    run = view.item.run
    assert not view._which.isVisible(), "there is nothing to choose"
    _checkpoint(run, 3, True)
    view._look_again()
    assert view._which.isVisible()
    body = _measure(view, qtbot)
    assert measuring.asked[-1]["checkpoint"] == "newest" and "step 5" in body._note.text() and "best" not in body._note.text()
    qtbot.mouseClick(view._which.segments.button("best"), Qt.MouseButton.LeftButton)
    assert not view._holder.isVisible(), "the figures of the other checkpoint are gone"
    measuring.answer = {**CLASSES, "step": 3}
    body = _measure(view, qtbot)
    assert measuring.asked[-1]["checkpoint"] == "best" and "step 3, the best" in body._note.text()
    qtbot.mouseClick(view._which.segments.button("newest"), Qt.MouseButton.LeftButton)
    assert view._holder.isVisible() and "step 5" in view.body._note.text()
    _checkpoint(run, 5, True)
    view._look_again()
    assert not view._which.isVisible(), "the newest is the best"


def test_it_says_how_many_examples_are_done(view, measuring, qtbot):
    seen = []
    measuring.told = lambda: seen.append((view._bar.maximum(), view._bar.value(), view._counted.text(), view._counted.isVisible(),
                                          view._words.isVisible()))
    assert view._words.isVisible()  # they ask to press the button
    _measure(view, qtbot)
    assert seen == [(2, 1, "1 of 2 examples", True, False)] and not view._counted.isVisible()


def test_without_a_result_its_words_stand_at_the_top(view, qtbot):
    assert view._words.isVisible() and view._words.geometry().top() < view.height() / 3


def test_what_is_measured_of_one_run_is_not_told_of_another(view, make_run, qtbot):
    session, jobs, first = view._session, view._services.jobs, view.item.path
    other = Run.create(build_finetune(make_run("pre2"), "classification", {"task.dev_file": "/there/b.csv"}, name="other"))
    other.checkpoint_path(5).mkdir()
    session.add_run(other)
    jobs._make_engine = SilentEngine
    view.measure()
    jobs._progressed(jobs.of("evaluate"), 12, 100)
    session.add_run(make_run("x", "gpt"))
    assert view._bar.isVisible() and view._counted.text() == "12 of 100 examples" and not view._words.isVisible()
    session.remove_run(first)
    assert view.item.path == other.path and not view._bar.isVisible() and view._measure.isVisible() and jobs.of("evaluate") is None
