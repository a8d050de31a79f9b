"""The view in which one types and sees what the models say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core import registry
from core.shares import percent
from gui.views.predict.blocks import Bars, Marked, Score, blocks_of
from gui.views.predict.modes import fields, mode_hints, mode_titles
from gui.views.predict.panel import PredictPanel
from gui.widgets.tagged_text import tagged
from tests.gui.direct_engine import DirectEngine
from tests.gui.real_views import real_windows


def candidates(side: str = "both") -> dict[str, Any]:
    return {"step": 30, "lists": [{"gap": 0, "side": side, "tokens": ["a", " ", "<b>"], "probabilities": [0.6, 0.3, 0.0001]}]}


def answer(questions: list, cancelled: Any, on_progress: Any) -> int:
    """Instead of the models."""
    asked.append(questions)
    for place, (kind, _keywords) in enumerate(questions):
        if kind == "write":
            for token in "xyz":
                on_progress(place, {"token": token, "probability": 0.5, "alternatives": [(token, 0.5), ("<w>", 0.0001)]})
            on_progress(place, {"ended": "stopped", "step": 30})
        else:
            on_progress(place, candidates())
    return len(questions)


asked: list = []


@pytest.fixture
def view(monkeypatch, make_run, qtbot):
    """A view with one run of each family."""
    load = registry.load
    monkeypatch.setattr(registry, "load", lambda place: answer if place == "core.analysis.predict_window:answer" else load(place))
    asked.clear()
    with real_windows(monkeypatch, DirectEngine) as make:
        window = make("predict")
        for family in ("bert", "gpt", "elmo", "word2vec"):
            window.session.add_run(make_run(family, family))
        yield window.view


def _panel(view, family):
    return next(panel for path, panel in view.panels.items() if family in path.name)


def _shown(panel):
    return panel._stack.currentIndex()


def test_typing_asks_every_run_that_can_answer_once(view, qtbot):
    qtbot.waitUntil(lambda: bool(asked))
    asked.clear()
    box = view._inputs.box("text")
    box.selectAll()
    qtbot.keyClicks(box, "a [MASK] b")
    qtbot.waitUntil(lambda: bool(asked))
    assert len(asked) == 1, "it waits until one stops typing"
    assert [(kind, keywords["text"]) for kind, keywords in asked[0]] == [("fill", "a [MASK] b")] * 3
    panel = _panel(view, "bert")
    assert panel.blocks[0].titles == ["a", "␣", "<b>"]
    assert "BERT" in panel._note.text() and "30" in panel._note.text()
    assert "one vector" in _panel(view, "word2vec").message.text()


def test_until_the_first_answer_a_panel_says_that_the_sentence_is_being_read(view):
    assert not asked and "Reading" in _panel(view, "bert").message.text() and _shown(_panel(view, "bert")) == 0


def test_each_mode_asks_the_runs_that_are_made_for_it(view, qtbot):
    qtbot.mouseClick(view._segments.button("next"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(asked) and asked[-1][0][0] == "next")
    assert len(asked[-1]) == 2
    assert "both sides" in _panel(view, "bert").message.text() and _shown(_panel(view, "bert")) == 0
    assert view._segments.button("span").isHidden()


def test_another_mode_leaves_no_answer_of_the_one_before(view, qtbot):
    qtbot.waitUntil(lambda: _shown(_panel(view, "elmo")) == 1)
    view.set_mode("next")
    assert _shown(_panel(view, "elmo")) == 0 and "Reading" in _panel(view, "elmo").message.text()
    qtbot.waitUntil(lambda: _shown(_panel(view, "elmo")) == 1)


def test_text_is_written_on_and_each_token_tells_its_alternatives(view, qtbot):
    qtbot.mouseClick(view._segments.button("write"), Qt.MouseButton.LeftButton)
    asked.clear()
    view._inputs._length.setValue(7)
    qtbot.mouseClick(view._inputs.write_button, Qt.MouseButton.LeftButton)
    written = _panel(view, "gpt").written
    qtbot.waitUntil(lambda: written.tokens == ["x", "y", "z"])
    (kind, keywords), = asked[0]
    assert (kind, keywords["tokens"], keywords["seed"]) == ("write", 7, 0)
    qtbot.mouseMove(written._row, written._row.box(1).center())
    written._row._set_under(1)
    assert not written.card.isHidden()
    assert "<b" in written.card.text() and "&lt;w&gt;" in written.card.text() and "&lt;0.1%" in written.card.text()
    qtbot.keyClick(written, Qt.Key.Key_Right)
    assert "<b" in written.card.text() and "z" in written.card.text()
    qtbot.keyClick(written, Qt.Key.Key_Escape)
    assert written.card.isHidden()
    qtbot.waitUntil(lambda: view._inputs.write_button.isEnabled())
    assert "ended" in _panel(view, "gpt").ended.text()
    assert "GPT does" in _panel(view, "elmo").message.text()


def test_nothing_can_be_started_where_no_run_on_the_bench_writes(view):
    view.set_mode("write")
    assert view._inputs.write_button.isEnabled()
    gpt = next(item for item in view._session.bench if item.run.config.family == "gpt")
    view._session.remove_run(gpt.path)
    assert not view._inputs.write_button.isEnabled()
    view._session.add_run(gpt.run)
    assert view._inputs.write_button.isEnabled()


def test_the_tab_key_goes_from_the_text_to_how_it_is_written_on(view, qtbot):
    inputs, window = view._inputs, view.window()
    with qtbot.waitActive(window):
        window.activateWindow()
    inputs.box("text").setFocus()
    qtbot.mouseClick(view._segments.button("write"), Qt.MouseButton.LeftButton)
    box = inputs.box("text")
    assert QApplication.focusWidget() is box  # that of the new mode
    qtbot.waitUntil(box.isVisible)
    order = [box, inputs._temperature, inputs._top_k, inputs._length, inputs._seed, inputs.write_button]
    for key, parts in ((Qt.Key.Key_Tab, order[1:]), (Qt.Key.Key_Backtab, order[-2::-1])):
        for part in parts:
            QTest.keyClick(window.windowHandle(), key)
            assert QApplication.focusWidget() is part
    inputs.write_button.setFocus()
    inputs.set_writing(True)
    assert QApplication.focusWidget() is inputs._stop


def test_what_was_written_is_still_there_after_another_view_or_mode(view, qtbot):
    view.set_mode("write")
    panel = _panel(view, "gpt")
    assert "Press" in panel.message.text()
    view.write()
    qtbot.waitUntil(lambda: panel.written.tokens == ["x", "y", "z"] and view._inputs.write_button.isEnabled())
    window = view.window()
    window.show_view("start")
    window.show_view("predict")
    assert (_shown(panel), panel.written.tokens) == (2, ["x", "y", "z"])
    view.set_mode("next")
    qtbot.waitUntil(lambda: _shown(panel) == 1)
    view.set_mode("write")
    assert _shown(panel) == 2
    view.write()  # and while nothing has come yet
    window.show_view("start")
    window.show_view("predict")
    assert (_shown(panel), panel.written.tokens) == (2, [])
    assert _shown(_panel(view, "elmo")) == 0


def test_what_was_entered_and_written_outlives_another_look_and_language(view, qtbot):
    window = view.window()
    for mode in ("fill", "next", "write"):
        view.set_mode(mode)
        view._inputs.set_value("text", "" if mode == "next" else f"my {mode}")
    view._inputs._temperature.setValue(1.5)
    view._inputs._seed.setValue(3)
    view.write()
    qtbot.waitUntil(lambda: view._inputs.write_button.isEnabled() and _panel(view, "gpt").written.tokens == ["x", "y", "z"])
    for change in (window.switch_theme, window.switch_language, window.switch_language):
        change()
        assert window.view.mode == "write" and _panel(window.view, "gpt").written.tokens == ["x", "y", "z"]
        assert (window.view._inputs.how()["temperature"], window.view._inputs.how()["seed"]) == (1.5, 3)
        for mode, words in (("fill", "my fill"), ("next", ""), ("write", "my write")):
            window.view.set_mode(mode)
            assert window.view._inputs.values() == {"text": words}
        qtbot.waitUntil(lambda: _shown(_panel(window.view, "gpt")) == 2)
    assert "ended" in _panel(window.view, "gpt").ended.text()


def test_a_gap_goes_where_the_cursor_stands_and_what_was_typed_is_kept(view, qtbot):
    view._inputs.set_value("text", "ab")
    box = view._inputs.box("text")
    cursor = box.textCursor()
    cursor.setPosition(1)
    box.setTextCursor(cursor)
    view._inputs._gap.click()
    assert box.toPlainText() == "a[MASK]b"
    view.set_mode("next")
    view.set_mode("fill")
    assert view._inputs.values() == {"text": "a[MASK]b"}


def test_the_best_checkpoint_is_asked_where_it_is_chosen(view, qtbot):
    item = view._session.bench[0]
    assert not view._which.isVisible()
    newest = item.run.checkpoint_steps()[-1] if item.run.checkpoint_steps() else 30
    for step, best in ((20, True), (max(newest, 30), False)):
        item.run.checkpoint_path(step).mkdir(exist_ok=True)
        (item.run.checkpoint_path(step) / "state.json").write_text(json.dumps({"best": best}), encoding="utf-8")
    view._bench_changed()
    assert view._which.isVisible()
    asked.clear()
    qtbot.mouseClick(view._which.segments.button("best"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(asked))
    chosen = {keywords["run"]: keywords["checkpoint"] for _, keywords in asked[-1]}
    assert chosen.pop(str(item.path)) == "best" and set(chosen.values()) == {"newest"}, "a run without a best one has its newest only"
    view._note(item.path, {"step": 20, "cut": 7})
    assert "step 20, the best · 7 tokens cut off" in view.panels[item.path]._note.text()


def test_an_error_stands_in_the_panel_of_its_run(view, qtbot):
    qtbot.waitUntil(lambda: bool(asked))
    path = next(iter(view.panels))
    view._answered("fill", {"text": ""}, (path,), 0, {"error": "No checkpoint.", "hint": "Wait."})
    assert view.panels[path].message.text() == "No checkpoint. Wait." and _shown(view.panels[path]) == 0


def test_the_example_is_in_the_language_that_the_runs_have_read_and_what_was_typed_stays(view, make_run):
    session, inputs = view._session, view._inputs
    assert inputs.values() == {"text": "这个苹果又大又[MASK]，很好吃。"}, "the built-in Chinese text, in an English window"
    for item in list(session.bench):
        session.remove_run(item.path)
    session.add_run(make_run("english", "bert", **{"text.corpus": "en"}))
    assert inputs.values() == {"text": "She ate a sweet red [MASK] after lunch."}
    inputs.set_value("text", "my [MASK]")
    session.remove_run(session.bench[0].path)
    session.add_run(make_run("watches", "gpt", **{"text.files": ("a.txt",), "watch.word": "小米"}))
    assert inputs.values() == {"text": "my [MASK]"}
    view.set_mode("next")
    assert inputs.values() == {"text": "这个苹果又大又"}


def test_those_that_cannot_answer_leave_the_room_to_the_others(view, qtbot):
    def is_narrower(aside, beside):
        return max(_panel(view, family).width() for family in aside) < min(_panel(view, family).width() for family in beside)

    qtbot.waitUntil(lambda: is_narrower(["word2vec"], ["elmo", "gpt", "bert"]))
    name = _panel(view, "word2vec")._name
    name.setText("apple · word2vec")
    qtbot.waitUntil(lambda: name.width() >= name.sizeHint().width())
    view.set_mode("write")
    qtbot.waitUntil(lambda: is_narrower(["word2vec", "elmo", "bert"], ["gpt"]))


def test_in_a_narrow_view_nobody_is_crowded_out_by_those_that_cannot_answer(view, qtbot):
    view.set_mode("write")
    view.setFixedWidth(720)
    qtbot.waitUntil(lambda: _panel(view, "gpt").width() >= max(_panel(view, family).width() for family in ("word2vec", "elmo", "bert")) - 1)
    inputs = view._inputs
    for part in (inputs._stop, inputs._write):
        assert part.width() >= part.minimumSizeHint().width() and part.visibleRegion().boundingRect() == part.rect()


def test_without_runs_it_leads_to_training(view, qtbot):
    session = view._session
    for item in list(session.bench):
        session.remove_run(item.path)
    assert view._stack.currentIndex() == 1


@pytest.mark.parametrize(("mode", "given", "kinds"), [
    ("classification", {"label": "b", "probabilities": {"a": 0.2, "b": 0.8}}, [Bars]),
    ("pair", {"probabilities": {"no": 0.3, "yes": 0.7}, "swapped": {"probabilities": {"no": 0.6, "yes": 0.4}}}, [Bars, Bars]),
    ("pair", {"value": 3.25, "swapped": {"value": 3.5}}, [Score, Score]),
    ("multiple_choice", {"choice": 1, "probabilities": [0.4, 0.6], "inputs": {"choices": ["x", "y"]}}, [Bars]),
    ("tagging", {"spans": [{"start": 0, "end": 2, "type": "PER", "text": "ab"}]}, [Marked]),
    ("span", {"answer": "b", "start": 1, "end": 2, "probability": 0.5, "no_answer": 0.4, "candidates": [{"text": "b", "probability": 0.5}]},
     [Marked, Bars]),
    ("of its own", {"value": 3.25}, [Score]), ("of its own", {"probabilities": {"a": 0.2, "b": 0.8}}, [Bars]), ("of its own", {"other": 1}, []),
])
def test_the_answers_of_every_task_become_blocks_that_the_panel_draws(view, qtbot, mode, given, kinds):
    blocks = blocks_of(mode, given, {"text": "abc", "context": "abc", "question": "?"})
    assert [type(block) for block in blocks] == kinds
    panel = _panel(view, "bert")
    panel.show_blocks(blocks)
    assert len(panel.blocks) == len(kinds) and not panel.grab().isNull()


def test_a_task_that_nobody_knows_here_is_asked_for_what_it_says(monkeypatch):
    monkeypatch.setitem(registry.TASKS, "rating", "tests.helpers.newcomers:RATING")
    assert mode_titles()["rating"] == "Rating" and mode_hints()["rating"] == "A number for a text."
    assert [field.name for field in fields("rating", "en")] == ["text"] and fields("rating", "en")[0].title == "Text"


def test_the_blocks_say_what_the_answer_says():
    first, second = blocks_of("pair", {"probabilities": {"no": 0.3, "yes": 0.7}, "swapped": {"probabilities": {"no": 0.6, "yes": 0.4}}}, {})
    assert (first.titles, first.values, second.titles, second.values) == (["yes", "no"], [0.7, 0.3], ["yes", "no"], [0.4, 0.6])
    nothing = {"start": 0, "end": 0, "no_answer": 0.9, "candidates": [{"text": "b", "probability": 0.1}]}
    marked, weighed = blocks_of("span", nothing, {"context": "abc"})
    assert not marked.spans and "no answer" in marked.note and weighed.titles[0] == "no answer"


def test_marked_text_leaves_nothing_out_and_escapes_it():
    shown = tagged("a<b>cd", [(3, 5, "X"), (1, 4, "Y"), (6, 6, "Z")], {"X": "#ff0000"})
    document = QTextDocument()
    document.setHtml(shown)
    assert document.toPlainText().replace(" ", "") == "a<b>Ycd"


@pytest.mark.parametrize(("value", "words"), [(0.0, "0%"), (0.0001, "<0.1%"), (0.123, "12.3%"), (0.9996, ">99.9%"), (1.0, "100%"),
                                              (float("nan"), "–")])
def test_shares_in_words(value, words):
    assert percent(value) == words


def test_the_name_and_the_step_are_both_read_in_a_narrow_panel(qtbot):
    panel = PredictPanel("apple · BERT", "#123456")
    qtbot.addWidget(panel)
    panel.set_note("BERT · step 49, the newest")
    panel.resize(230, 300)
    panel.show()
    assert all(part.width() >= part.sizeHint().width() for part in (panel._name, panel._note))
    assert panel._note.y() > panel._name.y()
    panel.set_note("BERT · step 49, the newest · 12 tokens cut off, which is much")
    qtbot.waitUntil(lambda: panel._note.height() >= 2 * panel._note.fontMetrics().height())
    panel.set_note("BERT · step 49, the newest")
    panel.resize(600, 300)
    qtbot.waitUntil(lambda: abs(panel._note.geometry().center().y() - panel._name.geometry().center().y()) < 3)
