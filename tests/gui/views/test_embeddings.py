"""The map of vectors: nothing is laid out unasked, what is found and chosen is seen and can be taken back, and all of it is there again."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core import registry
from core.vector_source import VectorSource
from gui.projections import TSNE
from gui.views.embeddings import state as map_state
from gui.views.embeddings.answers import Answers
from gui.views.embeddings.colours import by_clusters, by_values
from gui.views.embeddings.layout import LayoutControls
from gui.views.embeddings.selection import Selection, packed, unpacked
from gui.views.embeddings.state import AXES, Layout, MapState
from gui.widgets.badge import Badge, badge_words
from tests.gui.direct_engine import DirectEngine, SilentEngine
from tests.gui.real_views import real_windows
from tests.helpers.saved import saved_run

COUNT = 120
WORDS = [f"word{row}" for row in range(COUNT)]


@pytest.fixture
def make(monkeypatch):
    with real_windows(monkeypatch) as found:
        yield found


@pytest.fixture
def vectors(tmp_path) -> str:
    """A file of 120 vectors of 8 numbers; row 5 is NaN."""
    x = np.random.default_rng(0).normal(size=(COUNT, 8)).astype(np.float32)
    x[5] = np.nan
    np.save(tmp_path / "x.npy", x)
    (tmp_path / "x.txt").write_text("\n".join(WORDS), encoding="utf-8")
    return str(tmp_path / "x.npy")


@pytest.fixture
def view(qtbot, make, vectors):
    """The view, with the file open and nothing laid out."""
    window = make("embeddings")
    window.view.source.open_file(vectors)
    qtbot.waitUntil(lambda: window.view.scene.opened is not None)
    return window.view


def lay_out(qtbot, view):
    QTest.mouseClick(view.layout_controls._go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.scene.xy is not None and not view.badge.isHidden())


def test_nothing_is_laid_out_before_the_button_is_pressed(qtbot, view):
    engine = view._services.aside
    qtbot.waitUntil(lambda: bool(engine.asked("open_source")))
    assert not engine.asked(":project") and not engine.asked(":descend")
    assert view.scene.xy is None
    assert "120" in view._empty.sentence.text()
    lay_out(qtbot, view)
    assert view.scene.xy.shape == (COUNT, 2)
    assert view._stage.currentWidget() is view.map
    assert "1 are no numbers" in view._status.text()
    assert "trustworthiness" in view.badge.text()


def test_a_projection_of_the_registry_is_offered_and_lays_out(qtbot, make, vectors, monkeypatch):
    monkeypatch.setitem(registry.PROJECTIONS, "mine", registry.PROJECTIONS["pca"])
    view = make("embeddings").view
    view.source.open_file(vectors)
    qtbot.waitUntil(lambda: view.scene.opened is not None)
    view.layout_controls._method.button("mine").click()
    assert view.layout_controls._count.isHidden()
    lay_out(qtbot, view)
    assert view.scene.xy.shape == (COUNT, 2)


def test_a_broken_file_is_refused_where_the_map_would_be(qtbot, make, tmp_path):
    view = make("embeddings").view
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY rubbish")
    view.source.open_file(str(tmp_path / "broken.npy"))
    qtbot.waitUntil(lambda: "broken" in view._empty.sentence.text())
    assert not view.layout_controls._go.isEnabled()


def test_the_words_of_axes_and_analogies_outlive_another_look(view):
    window = view.window()
    for field, word in zip((*view.ways._axes, *view.ways._parts), "abcdefg", strict=True):
        field.setText(word)
    window.switch_theme()
    assert (window.view.ways.pairs, window.view.ways.parts) == ((("a", "b"), ("c", "d")), ("e", "f", "g"))


def test_reading_can_be_stopped(qtbot, make, monkeypatch, vectors):
    view = make("embeddings").view
    engine = view._services.aside
    monkeypatch.setattr(engine, "_answer", lambda call: None)
    view.source.open_file(vectors)
    call = engine.calls[-1]
    call.on_progress("reading", 1, 4)
    assert "25%" in view._empty.sentence.text()
    view._empty.button.click()
    assert not call.wanted
    assert view._empty.sentence.text() == "Stopped."
    view._empty.button.click()
    assert engine.calls[-1] is not call and engine.calls[-1].wanted and "Reading" in view._empty.sentence.text()


def test_a_search_that_is_typed_while_the_vectors_are_read_is_searched_in_them(qtbot, make, monkeypatch, vectors):
    view = make("embeddings").view
    engine = view._services.aside
    answer = engine._answer
    monkeypatch.setattr(engine, "_answer", lambda call: None)
    view.source.open_file(vectors)
    view.find._field.setText("word11")
    answer(engine.calls[-1])
    qtbot.waitUntil(lambda: view.find.found is not None and view.find.query == "word11")
    assert view.find.found.tolist() == [11, *range(110, 120)]


def test_words_to_collect_outlive_another_look(qtbot, make, make_run):
    window = make("embeddings")
    window.session.add_run(make_run("one", "gpt"))
    source = window.view.source
    box = source._combo
    box.setCurrentIndex(1)
    box.activated.emit(1)
    source._words.setText("bank, quay")
    window.switch_theme()
    source = window.view.source
    qtbot.waitUntil(lambda: source._words.isVisible() and source._combo.currentIndex() == 1)
    assert source._words.text() == "bank, quay"
    source._combo.setCurrentIndex(0)
    source._combo.activated.emit(0)
    window.switch_theme()
    qtbot.waitUntil(lambda: window.view.source._combo.currentIndex() == 0)


def test_a_click_lists_the_neighbours_of_the_full_space_and_the_list_can_be_saved(qtbot, view, tmp_path, monkeypatch):
    lay_out(qtbot, view)
    place = view.map.place_of(9)
    view.map.clicked.emit(view.map.row_at(place))
    qtbot.waitUntil(lambda: view.near.word == "word9")
    x = np.load(view.scene.source.path)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    far = np.where(np.isfinite(x[:, 0]), 1 - unit @ unit[9], np.inf)
    far[9] = np.inf
    assert [word for word, _ in view.near.listed] == [WORDS[row] for row in np.argsort(far)[:20]]
    path = tmp_path / "near.csv"
    monkeypatch.setattr("gui.saving.ask_path", lambda *_: str(path))
    view.near.save.emit()
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == ["word", "cosine"]
    assert len(rows) == 21
    assert float(rows[1][1]) == pytest.approx(far.min(), abs=1e-4)
    view.near.clicked.emit(int(np.argsort(far)[0]))
    qtbot.waitUntil(lambda: view.near.word == WORDS[int(np.argsort(far)[0])])


def test_tab_leaves_the_list_of_neighbours(qtbot, view):
    window, table = view.window(), view.near._table
    view.near.show_near("a", ["b", "c"], [1, 2], [0.1, 0.2], "cosine")
    with qtbot.waitActive(window):
        window.activateWindow()
    for key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
        table.setFocus()
        table.setCurrentCell(0, 1)
        QTest.keyClick(window.windowHandle(), key)
        assert QApplication.focusWidget() is not table


def test_the_neighbours_of_a_vector_of_nan_are_refused_in_the_list(qtbot, view):
    view.words.look_at(5)
    qtbot.waitUntil(lambda: "word5" in view.near._said.text())
    assert not view.near.listed


def test_search_finds_text_and_expressions_and_a_bad_one_is_said_at_the_field(qtbot, view):
    view.find._field.setText("word11")
    qtbot.waitUntil(lambda: view.find.found is not None)
    assert view.find.found.tolist() == [11, *range(110, 120)]
    view.find._regex.setChecked(True)
    view.find._field.setText("^word(1|22)$")
    qtbot.waitUntil(lambda: view.find.found is not None and len(view.find.found) == 2)
    assert view.find.found.tolist() == [1, 22]
    assert view.map.picture._bright.sum() == 2
    view.find._grey.setChecked(False)
    assert view.map.picture._bright is None
    view.find.choose.emit()
    assert view.scene.selection.chosen.tolist() == [1, 22]
    view.find._field.setText("(word")
    qtbot.waitUntil(lambda: "no regular expression" in view.find._said.text())
    assert view.find._said.text().endswith("it cannot be read from character 1 on."), "not in Python's English"
    assert view.find._said.property("role") == "error"
    assert view.find.found is None


def test_what_was_chosen_can_be_taken_back_isolated_and_laid_out_alone(qtbot, view):
    lay_out(qtbot, view)
    view.map.chosen.emit(np.arange(10, 40), "set")
    view.map.chosen.emit(np.arange(30, 50), "add")
    view.map.chosen.emit(np.array([10]), "remove")
    assert view.scene.selection.chosen.tolist() == list(range(11, 50))
    view.tools.undo.click()
    assert view.scene.selection.chosen.tolist() == list(range(10, 50))
    view.tools.isolate.click()
    assert np.isnan(view.map.place_of(60).x())
    assert "40" in view.layout_controls._go.text()
    lay_out(qtbot, view)
    qtbot.waitUntil(lambda: int(np.isfinite(view.scene.xy[:, 0]).sum()) == 40)
    view.tools.show_all.click()
    view.tools.undo.click()
    assert view.scene.selection.shown is not None
    view.tools.undo.click()
    assert view.scene.selection.shown is None


def test_what_was_chosen_can_be_taken_back_in_another_language_too(qtbot, view):
    view.map.chosen.emit(np.arange(3), "set")
    view.map.chosen.emit(np.array([7]), "add")
    window = view.window()
    window.switch_language()
    qtbot.waitUntil(lambda: window.view is not view and window.view.scene.opened is not None)
    chosen = window.view.scene.selection
    assert chosen.chosen.tolist() == [0, 1, 2, 7]
    window.view.tools.undo.click()
    assert chosen.chosen.tolist() == [0, 1, 2]
    window.switch_theme()
    qtbot.waitUntil(lambda: window.view.scene.opened is not None)
    window.view.tools.redo.click()
    assert window.view.scene.selection.chosen.tolist() == [0, 1, 2, 7]


def test_an_axis_and_an_analogy_between_words(qtbot, view):
    view.ways.set_words((("word1", "word2"),), ("word1", "word2", "nobody"))
    view.ways.axes.emit()
    qtbot.waitUntil(lambda: view.scene.xy is not None)
    assert view.scene.xy[[1, 2], 0] == pytest.approx([0, 1], abs=1e-5)
    assert view.map.picture._axes[0] == "word1 → word2"
    view.ways.analogy.emit()
    assert "nobody" in view.ways._analogy_said.text()
    view.ways.set_words((), ("word1", "word2", "word3"))
    view.ways.analogy.emit()
    qtbot.waitUntil(lambda: len(view.map.picture._arrows) == 2)
    assert view.map.picture._arrows[0] == (1, 2)
    assert view.map.picture._arrows[1][0] == 3
    view.ways.set_words((("word1", "word1"),), ("", "", ""))
    view.ways.axes.emit()
    qtbot.waitUntil(lambda: "same vector" in view.layout_controls._text.text())
    assert view.scene.state.laid.pairs == (("word1", "word2"),)  # the picture that is still seen
    qtbot.waitUntil(lambda: not view.badge.isHidden())


def test_it_is_there_again_after_another_look_without_a_new_layout(qtbot, view):
    window = view.window()
    lay_out(qtbot, view)
    before = view.scene.xy
    view.map.chosen.emit(np.array([3, 8]), "set")
    view.words.look_at(7)
    view.find._field.setText("word2")
    qtbot.waitUntil(lambda: view.find.found is not None)
    window.switch_theme()
    again = window.view
    assert again is not view
    qtbot.waitUntil(lambda: again.scene.xy is not None and again.near.word == "word7")
    assert np.array_equal(again.scene.xy, before, equal_nan=True)
    assert again.scene.selection.chosen.tolist() == [3, 8]
    assert again.find.query == "word2"


def test_a_picture_is_told_as_what_it_was_laid_out_as_while_another_one_is_under_way_and_after_it_is_stopped(qtbot, view, monkeypatch):
    lay_out(qtbot, view)
    window, before, laid, engine = view.window(), view.scene.xy, view.scene.state.laid, view._services.aside
    view.layout_controls._measure.button("euclid").click()
    view.layout_controls._method.button("umap").click()
    with monkeypatch.context() as slow:
        slow.setattr(engine, "_answer", lambda call: None)
        view.lay_out()
        assert view._raw()["laid"]["method"] == "pca"
        view._stop()
    assert view.scene.state.laid == laid and view._raw()["laid"]["measure"] == "cosine"
    qtbot.waitUntil(lambda: not view.badge.isHidden())
    assert engine.asked(":badge")[-1]["measure"] == "cosine"
    window.switch_theme()
    qtbot.waitUntil(lambda: window.view.scene.xy is not None)
    assert np.array_equal(window.view.scene.xy, before, equal_nan=True)


def test_a_descent_that_has_shown_a_picture_is_what_is_seen_after_it_is_stopped(qtbot, view, monkeypatch):
    lay_out(qtbot, view)
    engine = view._services.aside
    monkeypatch.setattr(engine, "_answer", lambda call: None)
    view.layout_controls._method.button(TSNE).click()
    view.lay_out()
    engine.calls[-1].on_done({})
    engine.calls[-1].on_progress(1, np.zeros((COUNT, 2), np.float32), 3.0)
    view._stop()
    assert view.scene.state.laid.method == TSNE and json.loads(view._services.settings.get("embeddings/state"))["laid"]["method"] == TSNE


def test_a_map_is_saved_with_its_picture_and_opened_again(qtbot, view, tmp_path):
    lay_out(qtbot, view)
    view.map.chosen.emit(np.array([3, 8]), "set")
    path = tmp_path / "a.view.json"
    view.file.save(path)
    before = view.scene.xy
    view.scene.selection.choose(np.array([1]))
    view.scene.state = MapState()
    for kept in (tmp_path.parent).rglob("maps/*.npy"):
        kept.unlink()
    view.file.open(path)
    qtbot.waitUntil(lambda: view.scene.xy is not None and view.scene.selection.chosen.tolist() == [3, 8])
    assert np.array_equal(view.scene.xy, before, equal_nan=True)
    stored = json.loads(path.read_text(encoding="utf-8"))
    for name, damaged in (("picture", {"shape": [9, 9], "data": "AAAA"}), ("picture", {"shape": [2, 2], "data": "?"}), ("source", None)):
        view._services.messages.clear()
        path.write_text(json.dumps({**stored, "state": {**stored["state"], name: damaged}}), encoding="utf-8")
        view.file.open(path)
        assert any("no saved view" in words for words, _ in view._services.messages.texts), name
        assert np.array_equal(view.scene.xy, before, equal_nan=True)


def test_a_saved_map_brings_back_whether_names_are_shown(qtbot, view, tmp_path):
    lay_out(qtbot, view)
    view.map.chosen.emit(np.array([3, 8]), "set")
    view.tools.labels.click()
    view.file.save(tmp_path / "a.view.json")
    view.tools.labels.click()
    view.scene.selection.choose(np.array([1]))
    view.file.open(tmp_path / "a.view.json")
    qtbot.waitUntil(lambda: view.scene.xy is not None and view.scene.selection.chosen.tolist() == [3, 8])
    assert not view.tools.labels.isChecked() and not view.map.picture.show_labels and not view.scene.state.labels


def test_the_table_behind_the_picture_has_every_point(qtbot, view):
    lay_out(qtbot, view)
    header, rows = view.scene.table()
    assert header[:3] == ["word", "x", "y"]
    assert len(list(rows)) == COUNT - 1


def test_a_descent_is_paused_goes_on_and_is_stopped(qtbot):
    engine = SilentEngine()
    answers = Answers(engine, engine)
    source, seen, ends = VectorSource(kind="file", path="x"), [], []
    xy = np.zeros((4, 2), np.float32)
    answers.lay_out(source, Layout(method=TSNE), None, (), known_only=False, on_picture=lambda *values: seen.append(values),
                    on_done=lambda *values: ends.append(values), on_error=lambda *_: None)
    engine.calls[-1].on_done({})  # it was never made before
    assert engine.calls[-1].place.endswith(":descend")
    engine.calls[-1].on_progress(1, xy, 3.0)
    engine.calls[-1].on_progress(2, xy, 2.0)
    assert [values[0] is not None for values in seen].count(True) == 2
    answers.hold(True)
    part = {"iteration": 2, "iterations": 9, "xy": xy, "divergence": 2.0, "done": False}
    engine.calls[-1].on_done(part)
    paused = len(engine.calls)
    answers.hold(False)
    assert len(engine.calls) == paused + 1
    engine.calls[-1].on_progress(3, xy, 2.0)
    running = engine.calls[-1]
    assert "3 steps" in answers.stop_layout()
    assert not running.wanted
    running.on_progress(4, xy, 2.0)
    assert len(seen) == 5
    assert not ends


def test_a_layout_that_is_stopped_while_it_is_held_leaves_the_next_one_a_button_that_says_pause(qapp):
    controls = LayoutControls(Layout(method=TSNE))
    controls.set_busy(True, can_pause=True)
    fresh = controls._pause.icon().pixmap(18).toImage()
    controls._pause.click()
    assert controls._pause.text() == "Go on" and controls._pause.icon().pixmap(18).toImage() != fresh
    controls.set_busy(False)
    assert controls._pause.text() == "Pause" and controls._pause.icon().pixmap(18).toImage() == fresh


def test_rows_are_packed_and_damaged_ones_are_nobody():
    rows = np.unique(np.random.default_rng(0).integers(0, 1_000_000, 5000))
    assert unpacked(packed(rows), 1_000_000).tolist() == rows.tolist()
    assert unpacked(packed(np.zeros(0, np.int64)), 5).tolist() == []
    assert packed(None) == ""
    assert unpacked("rubbish", 5) is None
    assert unpacked(packed(np.array([9])), 5) is None


def test_a_selection_forgets_what_comes_after_a_new_step(qtbot):
    chosen = Selection()
    for row in range(3):
        chosen.choose(np.array([row]))
    chosen.undo()
    chosen.undo()
    assert chosen.chosen.tolist() == [0]
    assert chosen.can_redo
    chosen.choose(np.array([7]), "add")
    assert not chosen.can_redo
    assert chosen.chosen.tolist() == [0, 7]


def test_a_state_survives_and_a_damaged_one_reads_as_its_defaults():
    state = MapState(source=VectorSource(kind="occurrences", path="run", words=("苹果",)), laid=Layout(method=AXES, pairs=(("a", "b"),)),
                     colour="rank", query="x", current=4, analogy=("a", "b", "c"))
    assert map_state.loads(state.dumps()) == state
    raw = {**json.loads(state.dumps()), "layout": {"method": "else", "perplexity": 10**9}, "current": "no", "source": {"kind": 3}, "more": 1}
    read = map_state.loads(json.dumps(raw))
    assert (read.layout, read.current, read.source) == (Layout(perplexity=500), -1, None)
    assert map_state.loads("[") == MapState() == map_state.loads("[]")


def test_colours_of_names_numbers_and_clusters(qapp):
    names = by_values("kind", ["a"] * 5 + ["b"] * 3 + [f"rare{number}" for number in range(20)])
    assert names["colours"][:8].tolist() == [0] * 5 + [1] * 3
    assert names["legend"].names[0].startswith("a")
    assert len(names["legend"].names) == 9  # eight and the others
    numbers = by_values("x", np.array([1, 2, 1000, np.nan], np.float32))
    assert numbers["colours"][0] < numbers["colours"][1] < numbers["colours"][2]
    assert numbers["colours"][3] == len(numbers["rgb"]) - 1
    clusters = by_clusters("hdbscan", np.array([0, 0, 1, -1]), [2, 1])
    assert clusters["colours"].tolist() == [0, 0, 1, 2]
    assert clusters["legend"].names[-1].endswith("1")


def test_the_badge_says_of_how_many_points(qapp):
    exact = {"trustworthiness": 0.98, "recall": 0.5, "neighbours": 10, "asked": 50, "points": 50}
    assert badge_words(exact) == "trustworthiness 0.98 · 50% of the 10 nearest kept"
    assert "1,000 of 9,000" in badge_words({**exact, "asked": 1000, "points": 9000})


# answers that come late, and runs that go

def choose_colour(view, name):
    box = view.colours._combo
    box.setCurrentIndex(box.findData(name))
    box.activated.emit(box.currentIndex())


def test_clusters_that_come_late_leave_the_colour_that_was_chosen_since(view, monkeypatch):
    engine = view._services.aside
    monkeypatch.setattr(engine, "_answer", lambda call: None)
    choose_colour(view, "kmeans")
    late = engine.calls[-1]
    choose_colour(view, "length")
    DirectEngine._answer(engine, late)
    assert (view.map.picture._legend.title, view.colours._said.text()) == ("Length of the vector", "")
    late.on_error("Nothing can be grouped.", "")
    assert (view.map.picture._legend.title, view.colours._said.text()) == ("Length of the vector", "")


def test_a_badge_has_more_lines_where_one_has_no_room(qtbot):
    badge = Badge()
    qtbot.addWidget(badge)
    badge.show_quality({"trustworthiness": 0.98, "recall": 0.5, "neighbours": 10, "points": 9000, "asked": 1000})
    badge.fit(2000)
    line = badge.size()
    badge.fit(line.width() - 20)
    assert badge.width() <= line.width() - 20 and badge.height() > 1.5 * line.height()
    badge.fit(2000)
    assert badge.size() == line


def test_a_badge_belongs_to_the_picture_that_was_measured(qtbot, view, monkeypatch):
    engine = view._services.aside
    monkeypatch.setattr(engine, "_answer", lambda call: None if call.place.endswith(":badge") else DirectEngine._answer(engine, call))

    def lay(dimensions):
        view.layout_controls._choose_dimensions(dimensions)
        view.lay_out()

    def measured():
        qtbot.waitUntil(lambda: engine.calls[-1].place.endswith(":badge"))
        return engine.calls[-1]

    lay("2")
    late = measured()
    lay("3")
    qtbot.waitUntil(lambda: view.scene.xy.shape[1] == 3)
    DirectEngine._answer(engine, late)
    assert view.badge.isHidden()
    lay("2")
    late = measured()
    lay("3")
    DirectEngine._answer(engine, late)
    assert not view.badge.isHidden()  # what it measured is still there
    qtbot.waitUntil(lambda: view.scene.xy.shape[1] == 3)
    assert view.badge.isHidden()


def test_a_picture_from_a_file_is_not_that_of_other_vectors(qtbot, view, tmp_path, monkeypatch):
    lay_out(qtbot, view)
    before, engine = view.scene.xy, view._services.aside
    view.file.save(tmp_path / "a.view.json")
    with monkeypatch.context() as slow:
        slow.setattr(engine, "_answer", lambda call: None)
        view.file.open(tmp_path / "a.view.json")
        view._stop_reading()
    np.save(tmp_path / "y.npy", np.random.default_rng(1).normal(size=(COUNT, 8)).astype(np.float32))
    (tmp_path / "y.txt").write_text("\n".join(WORDS), encoding="utf-8")
    view.source.open_file(str(tmp_path / "y.npy"))
    qtbot.waitUntil(lambda: view.scene.opened is not None)
    lay_out(qtbot, view)
    assert engine.asked(":project")[-1]["source"].path == str(tmp_path / "y.npy")
    assert not np.array_equal(view.scene.xy, before, equal_nan=True)


def test_the_box_names_what_is_mapped_after_its_run_has_left_the_bench(qtbot, make, tmp_path):
    window = make("embeddings")
    view, session, box = window.view, window.session, window.view.source._combo
    first, second = saved_run(tmp_path, "bert"), saved_run(tmp_path, "gpt")
    first.rename("first run")
    session.add_run(first)
    session.add_run(second)
    qtbot.waitUntil(lambda: view.scene.opened is not None)
    session.remove_run(first.path)
    assert view.scene.source.path == str(first.path)
    assert (box.currentText(), box.count()) == ("Vocabulary · first run", 3)
    session.add_run(first)
    assert (box.currentText(), box.count()) == ("Vocabulary · first run", 4)
    box.setCurrentIndex(box.findText(f"Vocabulary · {second.name}"))
    box.activated.emit(box.currentIndex())
    session.remove_run(first.path)
    assert box.count() == 2
    qtbot.waitUntil(lambda: view.scene.opened is not None)
