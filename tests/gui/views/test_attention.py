"""The attention view on real widgets, with small models that are really asked."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from core.analysis import attention_window
from core.pictures import palette
from core.text.specimens import read_specimens
from gui import picture, theme, views
from gui.views.attention import state as attention_state
from gui.views.attention.notes import notes
from gui.views.attention.panel import AttentionPanel
from gui.views.attention.state import State, loads
from gui.views.attention.table import HeadModel
from gui.widgets.head_grid import HeadGrid
from gui.widgets.head_lines import MOST_LINES, HeadLines
from gui.widgets.heatmap import Heatmap, image_of
from gui.widgets.labels import icon_button
from tests.gui.direct_engine import DirectEngine
from tests.gui.real_views import real_windows
from tests.helpers.saved import saved_run

LEFT = 517  # pixels of the smallest window, between the navigation and the specimens
SENTENCE = "老师买了一个苹果。"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def bert(folder):
    return saved_run(folder, "bert", steps=(20,), probes=(5, 10, 20))


@pytest.fixture(scope="module")
def gpt(folder):
    return saved_run(folder, "gpt", steps=(20,))


@pytest.fixture
def show(qtbot, monkeypatch, bert):
    """show(*runs, mode=, text=) -> (window, its attention view), after everything was answered."""
    with real_windows(monkeypatch, DirectEngine) as make:
        def made(*runs, mode="grid", text=SENTENCE):
            window = make("attention")
            window.services.settings.set("attention/state", State(mode=mode, text=text).dumps())
            window.set_language("en")
            for run in runs:
                window.session.add_run(run)
            window.session.look_at("苹果", read_specimens(bert.specimens_path))
            settle(qtbot, window)
            return window, window.view

        yield made


def settle(qtbot, window) -> None:
    """Until nothing is asked any more."""
    view = window.view

    def quiet() -> bool:
        return not view._timer.isActive() and not view._effects_timer.isActive() and not any(call.wanted for call in window.engine.calls)

    QApplication.processEvents()
    qtbot.waitUntil(quiet, timeout=10_000)
    QApplication.processEvents()
    qtbot.waitUntil(quiet, timeout=10_000)


def panels(view):
    return list(view.panels.values())


def test_the_triangle_and_the_square_stand_side_by_side(show, gpt, bert) -> None:
    _, view = show(gpt, bert)
    one, other = panels(view)
    assert one.grid.shape == other.grid.shape == (2, 2)
    for panel, triangle in ((one, True), (other, False)):
        shades = panel.answer["grid"]
        assert bool(np.triu(shades, 1).max() == 0) is triangle and shades.max() == 255
    assert one._where.text() == "2 × 2 heads" and one._step.text() == "step 20"


def test_a_head_is_chosen_for_all_runs_and_views(qtbot, show, gpt, bert) -> None:
    window, view = show(gpt, bert)
    grid = panels(view)[1].grid
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid.place_of(0, 1).toPoint())
    assert (window.session.layer, window.session.head) == (1, 1)
    settle(qtbot, window)
    assert all(panel.grid._chosen == (0, 1) for panel in panels(view))
    window.session.layer = 0  # the embeddings have no attention: the first layer's is shown
    settle(qtbot, window)
    assert panels(view)[0].grid._chosen == (0, 1)


def test_typing_changes_every_picture_and_only_what_is_seen_is_asked(qtbot, show, gpt, bert) -> None:
    window, view = show(gpt, bert, mode="map")
    before = [panel.map.weights.shape for panel in panels(view)]
    window.engine.calls.clear()
    view.sentence.text.insert("他")
    settle(qtbot, window)
    assert [panel.map.weights.shape[0] for panel in panels(view)] == [shape[0] + 1 for shape in before]
    questions = [question for call in window.engine.calls for question in call.keywords["questions"]]
    assert all(question["parts"] == ("weights",) for question in questions)
    expected = attention_window.attention(str(bert.path), SENTENCE + "他", layer=1, head=0)
    np.testing.assert_allclose(panels(view)[1].map.weights, expected["weights"])
    np.testing.assert_allclose(panels(view)[1].map.weights.sum(axis=1), 1, atol=1e-5)


def test_a_cell_shows_its_number_and_then_its_vectors(qtbot, show, gpt, bert) -> None:
    window, view = show(gpt, bert, mode="map")
    panel = panels(view)[1]
    place = panel.map.place_of(2, 5).toPoint()
    qtbot.mouseMove(panel.map, place)
    assert f"{panel.map.weights[2, 5]:.3f}" in panel.map._card.text() and "2 tokens" in panel.map._card.text()
    qtbot.mouseClick(panel.map, Qt.MouseButton.LeftButton, pos=place)
    settle(qtbot, window)
    assert panel.strip.isVisible() and [len(vector) for _, vector in panel.strip.rows] == [8, 8, 8]
    np.testing.assert_allclose(panel.strip.rows[2][1], panel.strip.rows[0][1] * panel.strip.rows[1][1])
    assert "this model hides it" in panels(view)[0].strip._caption  # for a GPT the word comes later
    qtbot.mouseClick(panel.map, Qt.MouseButton.LeftButton, pos=panel.map.place_of(2, 5).toPoint())
    settle(qtbot, window)
    assert not panel.strip.isVisible()


def test_averages_and_special_tokens(qtbot, show, bert) -> None:
    window, view = show(bert, mode="map")
    panel, controls = panels(view)[0], view.controls
    for box, value in ((controls._what, "rollout"), (controls._specials, "hide"), (controls._specials, "renormalise")):
        box.setCurrentIndex(box.findData(value))
        box.activated.emit(box.currentIndex())
        settle(qtbot, window)
        expected = attention_window.attention(str(bert.path), SENTENCE, layer=1, what="rollout", specials=view.state.specials)
        np.testing.assert_allclose(panel.map.weights, expected["weights"])
        assert ("less than 1" in panel.note.text()) is (value == "hide")
    assert "[CLS]" not in panel.map._labels and panel._where.text() == "rollout to layer 2"
    controls._units.button("tokens").click()
    settle(qtbot, window)
    assert "苹" in panel.map._labels


def test_lines_of_several_heads_and_of_one_word(qtbot, show, gpt, bert) -> None:
    window, view = show(gpt, bert, mode="lines")
    one, other = panels(view)
    assert {line[0] for line in other.lines.lines} == {0}
    view.controls._button_row.itemAt(1).widget().click()
    settle(qtbot, window)
    assert {line[0] for line in other.lines.lines} == {0, 1} and "heads 1, 2" in other._where.text()
    assert view.controls.isVisible() and other.lines._colours[1] == theme.sense_colour(1)
    many = len(other.lines.lines)
    view.controls._least.setValue(20)
    assert len(other.lines.lines) < many and all(line[3] >= 0.2 for line in other.lines.lines)
    qtbot.mouseMove(other.lines, other.lines.place_of(5).toPoint())
    assert other.lines._under == ("left", 5)
    assert {line[1] for line in other.lines._of("left", 5)} == {5} and {line[2] for line in other.lines._of("right", 3)} <= {3}
    qtbot.mouseClick(other.lines, Qt.MouseButton.LeftButton, pos=other.lines.place_of(5).toPoint())
    assert one.lines._picked == one.answer["labels"].index("苹果") and other.lines._picked == 5


def test_heads_are_sorted_by_what_they_do(qtbot, qtmodeltester, show, bert) -> None:
    window, view = show(bert, mode="table")
    table = panels(view)[0].table
    qtmodeltester.check(table.heads)
    names = [table.heads.headerData(column, Qt.Orientation.Horizontal) for column in range(table.heads.columnCount())]
    assert names == ["Head", "Entropy", "Dist.", "Prev", "Next", "Same", "[CLS]", "[SEP]"]
    table.sortByColumn(names.index("Prev"), Qt.SortOrder.DescendingOrder)
    previous = panels(view)[0].answer["table"]["previous"]
    best = np.unravel_index(previous.argmax(), previous.shape)
    assert table.heads.head_at(0) == best and table.heads.data(table.heads.index(0, 3)) == f"{previous.max():.0%}"
    table.clicked.emit(table.heads.index(3, 0))
    assert (window.session.layer - 1, window.session.head) == table.heads.head_at(3)
    settle(qtbot, window)
    assert table.selectionModel().selectedRows()[0].row() == 3  # sorted as before
    header, rows = panels(view)[0].rows()
    assert header[:3] == ["layer", "head", "entropy"] and len(rows) == 4 and rows[0][4] == pytest.approx(previous.max())


def test_what_really_changes_stands_beside_the_attention(qtbot, show, gpt, bert) -> None:
    window, view = show(gpt, bert, mode="effects")
    one, other = panels(view)
    assert other.effects.bars._labels[other.effects.bars._marked] == "苹果"
    titles = [column.title for column in other.effects.bars.columns]
    assert titles == ["attention", "prediction, bits", "sense score"]
    attention, prediction, sense = (column.values for column in other.effects.bars.columns)
    np.testing.assert_allclose(attention.sum(), 1, atol=1e-5)
    assert np.isfinite(prediction).sum() == np.isfinite(sense).sum() == len(attention) - 3
    scored = other.effects._found["sense"]
    colours = tuple(theme.sense_colour(window.session.senses.index(scored[key])) for key in ("sense", "other"))
    assert [column.colours for column in other.effects.bars.columns] == [None, None, colours]  # as among the deciding words
    assert "hidden by [MASK]" in other.effects.caption.text() and "no explanation" in other.effects.caption.text()
    assert "taken out" in one.effects.caption.text() and "left to right" in one.effects.caption.text()
    assert not one.effects.bars.columns[1].values[one.effects.bars._marked + 1:].any()
    word = other.effects.bars.place_of(2).toPoint()
    qtbot.mouseClick(other.effects.bars, Qt.MouseButton.LeftButton, pos=word)
    settle(qtbot, window)
    assert other.effects.bars._marked == 2 and one.effects.bars._labels[one.effects.bars._marked] == other.effects.bars._labels[2]
    assert "for “苹果” only" in other.effects.bars.columns[2].missing
    view.controls._effect.button("heads").click()
    settle(qtbot, window)
    assert other.effects.heads.shape == (2, 2) and np.isfinite(other.effects._values()).all() and "switched off" in other.effects.caption.text()
    view.controls._measured.button("sense").click()
    assert "only" in other.effects.caption.text()


def test_a_pair_and_its_filters(qtbot, show, gpt, bert) -> None:
    window, view = show(gpt, bert, mode="map")
    view.sentence.second.setChecked(True)
    view.sentence.pair.insert("他看手机")
    settle(qtbot, window)
    one, other = panels(view)
    assert other.map._labels.count("[SEP]") == 2 and other.map._splits == [other.map._labels.index("[SEP]") + 1]
    assert "knows no pairs" in one.note.text() and "not trained on pairs" in other.note.text()
    box = view.controls._between
    box.setCurrentIndex(box.findData("AB"))
    box.activated.emit(box.currentIndex())
    settle(qtbot, window)
    split = other.map._splits[0]
    assert np.isfinite(other.map.weights[:split, split:]).all() and np.isnan(other.map.weights[split:]).all()
    assert f"A→B {other.answer['share']:.0%}" in other._where.text() and one._where.text().endswith("A→B 0%")
    view.sentence.second.setChecked(False)
    settle(qtbot, window)
    assert np.isfinite(other.map.weights).all() and view.sentence.pair.text() == "他看手机"  # hidden, not lost


def test_what_cannot_be_shown_is_said_in_its_place(qtbot, show, folder, bert) -> None:
    elmo, new = saved_run(folder, "elmo", steps=()), saved_run(folder, "bert", steps=())
    window, view = show(elmo, new, bert)
    one, two, three = panels(view)
    assert "ELMo has no attention" in one.message.text() and "no checkpoint" in two.message.text()
    qtbot.waitUntil(lambda: one.width() < min(two.width(), three.width()))  # whoever will never show anything stands aside
    view.sentence.text.setText("吃龘果")
    settle(qtbot, window)
    assert three.note.text().startswith("Not in its vocabulary: 龘. Its heads were set")
    view.sentence.text.setText("苹果" * 50_000)
    settle(qtbot, window)
    assert "reads 128 tokens" in three.note.text() and len(three.answer["labels"]) < 128
    view.sentence.text.clear()
    settle(qtbot, window)
    assert "no sentence yet" in three.message.text() and three.picture() is None


def test_a_step_of_the_replay_is_that_of_the_probe(qtbot, show, bert) -> None:
    window, view = show(bert, mode="map")
    window.session.step = 5
    settle(qtbot, window)
    panel = panels(view)[0]
    assert panel._step.text() == "step 20" and "another sentence" in panel.note.text()
    view.sentence.replay.click()
    settle(qtbot, window)
    assert view.sentence.text.text() == attention_window.own_sentence(bert) and panel._step.text() == "step 5"
    assert panel.note.text().startswith("Its heads were set to look at near tokens")
    first = panel.map.weights.copy()
    window.session.step = 10
    settle(qtbot, window)
    assert panel._step.text() == "step 10" and not np.allclose(panel.map.weights, first, atol=0.01)
    window.session.selected = 4
    settle(qtbot, window)
    assert view.sentence.text.text() == window.session.specimens[4].text


def test_what_a_checkpoint_gave_beside_the_picture_of_a_probe_says_its_step(qtbot, show, bert) -> None:
    window, view = show(bert, mode="map", text=attention_window.own_sentence(bert))
    panel, = panels(view)
    panel.pairChosen.emit(3, 2)
    for step, told in ((5, True), (None, False)):
        window.session.step = step
        settle(qtbot, window)
        assert panel._step.text() == f"step {step or 20}"
        assert panel.strip._caption.endswith(" Seen at the saved checkpoint of step 20.") is told
    window.session.step = 5
    view.modes.button("effects").click()
    panel.unitChosen.emit(3)
    settle(qtbot, window)
    assert panel._step.text() == "step 5" and panel.effects.caption.text().endswith(" Seen at the saved checkpoint of step 20.")
    header, rows = panel.rows()
    assert header[-2:] == ["step of the attention", "step of the effects"] and {tuple(row[-2:]) for row in rows} == {(5, 20)}
    view.controls._effect.button("heads").click()
    settle(qtbot, window)
    assert panel.effects.caption.text().endswith(" Seen at the saved checkpoint of step 20.")
    window.session.step = None
    settle(qtbot, window)
    assert "checkpoint" not in panel.effects.caption.text()


def test_a_run_without_probes_says_why_no_step_is_replayed() -> None:
    answer = {"cut": False, "labels": [], "unknown": np.zeros(0, dtype=bool), "paired": False, "untrained": False, "source": "checkpoint", "step": 3}
    said = [" ".join(notes(answer, State(), replayed=None, without_probes=without, set_beforehand=False)) for without in (True, False)]
    assert "trained without probes" in said[0] and not said[1]


def test_what_was_chosen_is_remembered(qtbot, show, bert) -> None:
    window, view = show(bert, mode="lines", text="他看手机")
    view.controls._least.setValue(10)
    window.switch_language()
    settle(qtbot, window)
    assert window.view is not view and window.view.sentence.text.text() == "他看手机" and window.view.state.least == pytest.approx(0.1)
    assert window.view.modes.value == "lines"
    for damaged in ("", "[", "[1]", '{"mode": "x", "units": [], "least": "a", "heads": ["b"], "text": 3}'):
        assert loads(damaged) == State()
    full = State(text="a", pair="b", mode="map", units="tokens", specials="hide", what="rollout", between="AB", least=0.2, heads=(0, 3),
                 effect="heads", by="remove", measured="sense")
    assert loads(full.dumps()) == full and set(attention_state.CHOICES) <= set(vars(full))


@pytest.mark.parametrize("mode", attention_state.MODES)
def test_every_picture_leaves_with_its_numbers(qtbot, show, gpt, bert, tmp_path, mode) -> None:
    _, view = show(gpt, bert, mode=mode)
    header, rows = view._rows()
    assert header[0] == "run" and {row[0] for row in rows} == {gpt.name, bert.name} and all(len(row) <= len(header) for row in rows)
    for panel in panels(view):
        picture.save_picture(panel.picture(), tmp_path / "a.svg")
        svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
        assert "<text" in svg and (mode in ("grid", "table") or "苹果" in svg)
    picture.save_picture(view._whole(), tmp_path / "all.pdf")
    if mode == "map":
        weights = {(run, start, end): weight for run, _, _, start, end, weight in rows}
        assert weights[bert.name, "苹果", "买"] == pytest.approx(panels(view)[1].map.weights[5, 2], abs=1e-5)


def test_the_view_is_one_of_the_window(show) -> None:
    assert views.VIEWS["attention"] == "gui.views.attention.view:AttentionView"
    _, view = show()
    assert view._stack.currentIndex() == 1


# the widgets

@pytest.mark.parametrize("look", ["light", "dark"])
def test_the_map_has_the_colours_of_its_weights(qtbot, qapp, look) -> None:
    theme.apply(qapp, look)
    weights = np.array([[0.0, 0.25, 1.0], [np.nan, 0.04, 0.0], [0.5, 0.0, 0.1]], dtype=np.float32)
    ramp = palette.ramp(theme.current().dark)
    image = image_of(weights)
    for (row, column), weight in np.ndenumerate(weights):
        expected = ramp[0 if np.isnan(weight) else round(255 * float(weight) ** 0.5)]
        assert image.pixelColor(column, row) == QColor(*expected.tolist())
    assert image_of(weights, 0.3).pixelColor(1, 0) == QColor(*ramp[0].tolist())
    widget = Heatmap()
    qtbot.addWidget(widget)
    widget.set_weights(weights, ["吃", "苹果", "apple"])
    widget.resize(300, 320)
    for cell in np.ndindex(3, 3):
        assert widget.cell_at(*widget.place_of(*cell).toTuple()) == cell
    assert widget.cell_at(1, 1) == (-1, -1)
    picture_ = picture.image_of(widget)
    assert picture_.pixelColor(widget.place_of(0, 2).toPoint()) == QColor(*ramp[255].tolist())


def test_a_grid_finds_its_cells(qtbot) -> None:
    grid = HeadGrid()
    qtbot.addWidget(grid)
    grid.resize(400, 300)
    grid.set_maps(np.zeros((3, 5, 8, 8), dtype=np.uint8))
    for cell in np.ndindex(3, 5):
        assert grid.cell_at(*grid.place_of(*cell).toTuple()) == cell
    grid.set_values(np.array([[0.5, -1.0], [np.nan, 0.0]]))
    assert grid.shape == (2, 2) and not grid.grab().isNull()


def test_too_many_lines_are_counted(qtbot) -> None:
    lines = HeadLines()
    qtbot.addWidget(lines)
    count = 100
    lines.set_lines({0: np.full((count, count), 1 / count, dtype=np.float32)}, {0: QColor("red")}, ["词"] * count)
    assert len(lines.lines) == MOST_LINES and lines.dropped == count**2 - MOST_LINES
    assert lines.minimumHeight() >= 100 * 15
    lines.set_lines({}, {}, [])
    assert lines.lines == [] and not lines.grab().isNull()


def test_the_table_bears_nothing_and_holes(qtbot, qtmodeltester) -> None:
    model = HeadModel()
    qtmodeltester.check(model)
    model.set_table({"entropy": np.array([[1.0, np.nan]]), "sep": np.full((1, 2), np.nan)}, "[BOS]")
    qtmodeltester.check(model)
    assert model.columnCount() == 2 and model.data(model.index(1, 1)) == "–" and model.row_of(5, 5) == -1


def test_steps_are_taken_back_and_a_view_is_opened_again(qtbot, show, bert, tmp_path) -> None:
    window, view = show(bert)
    keeper = view.keeper
    panels(view)[0].grid.clicked.emit(0, 1)
    settle(qtbot, window)
    view.modes.button("map").click()
    settle(qtbot, window)
    for text in ("他吃", "他吃苹果"):  # typed on: one step
        view.sentence.text.setText(text)
        settle(qtbot, window)
    path = tmp_path / "mine.view.json"
    keeper.file.save(path)
    keeper.undo.click()
    assert (view.sentence.text.text(), view.state.mode) == (SENTENCE, "map")
    keeper.undo.click()
    assert view.modes.value == "grid" and window.session.head == 1
    for _ in range(3):
        keeper.redo.click()
    assert view.state.text == "他吃苹果"
    view.sentence.set_sentences("", "")
    window.session.head = 0
    keeper.file.open(path)
    settle(qtbot, window)
    assert (view.state.text, view.state.mode, window.session.layer, window.session.head) == ("他吃苹果", "map", 1, 1)
    keeper.undo.click()
    assert (view.state.text, window.session.head) == ("", 0)
    stored = json.loads(path.read_text(encoding="utf-8"))
    stored["state"]["mode"] = "else"
    path.write_text(json.dumps(stored), encoding="utf-8")
    window.messages.clear()
    keeper.file.open(path)
    assert view.state.text == "" and "no saved view" in window.messages.texts[-1][0]


def test_an_engine_that_dies_leaves_no_picture_of_another_sentence(qtbot, show, bert) -> None:
    window, view = show(bert, mode="effects")
    panel = panels(view)[0]
    asked = [call for call in window.engine.calls if call.place.endswith("effects:look")][-1]
    asked.on_error("The analysis process ended: killed.", "It is started again with the next question.")
    assert panel.effects.caption.text().startswith("The analysis process ended")
    asked = [call for call in window.engine.calls if call.place.endswith("attention_window:look")][-1]
    asked.on_error("The analysis process ended: killed.", "It is started again with the next question.")
    assert panel.answer is None and "killed" in panel.message.text()


def test_heads_that_began_at_random_are_not_said_to_have_been_set(qtbot, show, folder) -> None:
    run = saved_run(folder, "bert", steps=(20,), **{"objective.first_attention": "random"})
    _, view = show(run, mode="map")
    assert panels(view)[0].note.isHidden()


# answers that come late

def hold(monkeypatch, window):
    """Nothing is answered any more but by answer(end of the function's name)."""
    engine = window.engine
    monkeypatch.setattr(engine, "_answer", lambda call: None)

    def waiting(place):
        return [call for call in engine.calls if call.wanted and call.place.endswith(place)]

    def answer(place):
        for call in waiting(place):
            DirectEngine._answer(engine, call)

    return waiting, answer


def test_the_threshold_may_be_moved_before_the_lines_are_there(qtbot, show, bert, monkeypatch) -> None:
    window, view = show(bert, mode="map")
    waiting, answer = hold(monkeypatch, window)
    view.modes.button("lines").click()
    qtbot.waitUntil(lambda: bool(waiting("attention_window:look")))
    view.controls._least.setValue(20)
    answer("attention_window:look")
    lines = panels(view)[0].lines.lines
    assert lines and all(line[3] >= 0.2 for line in lines)


def test_what_is_taken_back_moves_the_threshold_and_its_number(qtbot, show, bert) -> None:
    window, view = show(bert, mode="map")
    controls = view.controls
    controls._least.setValue(30)
    settle(qtbot, window)
    for button, place, words in ((view.keeper.undo, 0, "0.00"), (view.keeper.redo, 30, "0.30")):
        button.click()
        settle(qtbot, window)
        assert (controls._least.value(), controls._least_words.text(), view.state.least) == (place, words, pytest.approx(place / 100))


def test_the_vectors_of_a_cell_come_after_its_panel_has_gone(qtbot, show, gpt, bert, monkeypatch) -> None:
    window, view = show(bert, mode="map")
    panel = panels(view)[0]
    waiting, answer = hold(monkeypatch, window)
    panel.map.clicked.emit(2, 5)
    window.session.add_run(gpt)
    qtbot.waitUntil(lambda: not shiboken6.isValid(panel) and bool(waiting("attention_window:look")))
    answer("query_and_key")
    answer("attention_window:look")
    panel = view.panels[bert.path]
    panel.map.clicked.emit(2, 5)  # taken back before its vectors are there
    answer("query_and_key")
    assert not panel.strip.isVisible()


def test_effects_that_come_due_leave_the_attention_that_is_on_the_way(qtbot, show, bert, monkeypatch) -> None:
    window, view = show(bert, mode="effects")
    waiting, answer = hold(monkeypatch, window)
    panel = panels(view)[0]
    panel.effects.bars.clicked.emit(2)
    window.session.layer = 1
    qtbot.waitUntil(lambda: not view._effects_timer.isActive())
    assert waiting("attention_window:look") and not waiting("effects:look")
    answer("attention_window:look")
    assert panel.answer["layer"] == 0 and panel._step.text() == "step 20"
    qtbot.waitUntil(lambda: bool(waiting("effects:look")))
    answer("effects:look")
    assert panel.effects.bars._marked == 2 and "no explanation" in panel.effects.caption.text()


def test_four_panels_fit_into_the_smallest_window_and_say_whose_they_are(qtbot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    line = QHBoxLayout(window)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(theme.S)
    made = [AttentionPanel("#123456", family) for family in ("ELMo", "BERT", "GPT", "word2vec")]
    for panel in made:
        panel.add_tool(icon_button("export", "Export"))
        panel.set_head("the name of a run", "step 49")
        line.addWidget(panel)
    window.resize(LEFT, 500)
    window.show()
    assert window.width() == LEFT
    assert all(panel._title.width() >= panel._title.sizeHint().width() for panel in made)
    for panel in made:
        panel._where.setText("2 × 4 heads")
    QApplication.processEvents()
    assert all(part.width() >= part.sizeHint().width() for panel in made for part in (panel._where, panel._step))
    window.resize(1200, 500)
    qtbot.waitUntil(lambda: all(panel._name.isVisible() and panel._dot.isVisible() for panel in made))
