"""What a view shows can be taken back, is there again after another start, and leaves in a file that refuses what is not its own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from core.runs import Run
from core.text.specimens import Specimen, write_specimens
from gui.keeping import place
from gui.keeping.place import Place
from gui.keeping.steps import MOST, Steps
from gui.views.senses.choices import State, loads, parsed
from tests.gui.direct_engine import DirectEngine
from tests.gui.real_views import real_windows

SPECIMENS = [Specimen(word="苹果", sense=sense, text=f"{'吃' * number}苹果{ending}") for sense, ending in (("fruit", "很甜"), ("company", "发布"))
             for number in range(3)]


@pytest.fixture
def make(monkeypatch):
    with real_windows(monkeypatch, DirectEngine) as found:
        yield found


@pytest.fixture
def runs(make_run) -> list[Run]:
    made = [make_run(name, num_layers=2) for name in ("one", "two")]
    for run in made:
        write_specimens(run.specimens_path, SPECIMENS)
    return made


def settle(qtbot, window) -> None:
    """Until the steps are taken."""
    qtbot.waitUntil(lambda: not window.view.keeper._timer.isActive())
    QApplication.processEvents()


def texts(window) -> str:
    return " ".join(" ".join(pair) for pair in window.messages.texts)


def test_steps_forget_what_was_taken_back():
    steps = Steps(0)
    assert steps.before is None and not steps.undo() and not steps.redo()
    for number in range(1, 300):
        steps.take(number)
    assert steps.undo() and steps.now == 298 and steps.before == 297 and steps.redo() and steps.now == 299
    steps.undo()
    steps.change(-1)
    assert steps.now == -1 and not steps.can_redo
    while steps.undo():
        pass
    assert steps.now == 299 - MOST  # so many at most are held, beside the present


def test_what_is_chosen_in_the_senses_is_taken_back_step_by_step(qtbot, make, runs):
    window = make("senses")
    window.session.add_run(runs[0])
    window.session.look_at("苹果", SPECIMENS)
    settle(qtbot, window)
    keeper, session, view = window.view.keeper, window.session, window.view
    assert not keeper.undo.isEnabled()
    session.selected = 2
    settle(qtbot, window)
    session.selected = 4
    settle(qtbot, window)
    session.layer = 1
    settle(qtbot, window)
    for step in (1, 2, 3):  # a film that plays is one step
        session.step = step
        settle(qtbot, window)
    view.tabs.button("layers").click()
    settle(qtbot, window)
    page = view.page("layers")
    page._measures.button("auc").click()
    settle(qtbot, window)
    keeper.undo.click()
    settle(qtbot, window)
    assert view.tabs.value == "layers" and view._choices.state.measure == "centroid_accuracy"
    keeper.undo.click()
    assert view.tabs.value == "points" and session.step == 3
    keeper.undo.click()
    assert session.step is None and session.layer == 1
    keeper.undo.click()
    assert session.layer == -1 and session.selected == 4
    keeper.undo.click()
    assert session.selected == 2
    keeper.redo.click()
    assert session.selected == 4
    session.selected = 0
    settle(qtbot, window)
    assert not keeper.redo.isEnabled()
    with qtbot.waitActive(window):
        window.activateWindow()
    qtbot.keyClick(window._dock._list, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert session.selected == 4
    session.look_at("别的", [Specimen(word="别的", sense="a", text="别的")])
    settle(qtbot, window)
    keeper.undo.click()
    assert (session.word, session.selected) == ("苹果", -1)  # these sentences are nobody's own: the built-in ones of 苹果 stand there


def test_another_language_or_theme_leaves_what_can_be_taken_back(qtbot, make, runs):
    window = make("senses")
    window.session.add_run(runs[0])
    window.session.look_at("苹果", SPECIMENS)
    settle(qtbot, window)
    window.view.tabs.button("layers").click()
    settle(qtbot, window)
    window.session.layer = 1
    settle(qtbot, window)
    window.switch_language()
    settle(qtbot, window)
    assert window.view.tabs.value == "layers"
    window.view.keeper.undo.click()
    assert (window.session.layer, window.view.tabs.value) == (-1, "layers")
    window.switch_theme()
    settle(qtbot, window)
    window.view.keeper.undo.click()
    assert window.view.tabs.value == "points" and not window.view.keeper.undo.isEnabled()
    window.view.keeper.redo.click()
    assert window.view.tabs.value == "layers"


def test_sentences_that_are_typed_are_kept_and_taken_back(qtbot, make, runs):
    window = make("senses")
    window.session.add_run(runs[0])
    window.session.look_at("苹果", SPECIMENS)
    view = window.view
    settle(qtbot, window)
    page = view.page("points")
    page._strip.begin("我吃")
    settle(qtbot, window)
    page._strip.edit.setText("我吃苹果")
    settle(qtbot, window)
    view.show_page("words")
    settle(qtbot, window)
    words = view.page("words")
    qtbot.keyClicks(words._edit, "x")
    settle(qtbot, window)
    typed = words._edit.text()
    assert view._choices.state.sentence == typed != SPECIMENS[0].text
    view.show_page("sides")
    view.page("sides").set_sentences("红苹果", "苹果红")
    settle(qtbot, window)
    window.switch_theme()  # the view is made anew
    view = window.view
    assert [edit.text() for edit in view.page("sides")._edits] == ["", ""] or view.page("sides")._edits[0].text() == "红苹果"
    qtbot.waitUntil(lambda: [edit.text() for edit in view.page("sides")._edits] == ["红苹果", "苹果红"])
    view.show_page("words")
    assert view.page("words")._edit.text() == typed
    view.show_page("points")
    assert view.page("points")._strip.is_typing and view.page("points")._strip.edit.text() == "我吃苹果"
    window.session.selected = 1  # another sentence is wanted
    assert view._choices.state.sentence == "" and view.page("words")._edit.text() == SPECIMENS[1].text
    window.session.look_at("别的", [Specimen(word="别的", sense="a", text="别的")])
    assert view._choices.state.before == ""


def test_a_window_opens_where_it_was_closed(qtbot, make, runs):
    window = make("senses")
    window.start()
    for run in (*runs, runs[0]):
        window.session.add_run(run)
    window.session.remove_run(runs[0].path)
    window.session.look_at("苹果", place.store.specimens_of("苹果"), 7)
    window.session.layer, window.session.head, window.session.step = 1, 3, 40
    window.view.show_page("words")
    window.view.page("words").set_sentence("我的苹果")
    window.view._choices.set(projection="umap", direction="forward")
    window.close()
    again = make("senses")
    again.start()
    session = again.session
    assert (session.word, session.selected, session.layer, session.head, session.step) == ("苹果", 7, 1, 3, 40)
    assert [(item.run.name, item.colour) for item in session.bench] == [("two", 1)]
    assert again.view.tabs.value == "words" and again.view.page("words")._edit.text() == "我的苹果"
    assert (again.view._choices.projection, again.view._choices.direction) == ("umap", "forward")
    again.settings.set("session/place", '{"layer": "deep"}')
    again.settings.set("senses/state", '{"page": "nowhere", "typing": 1, "groups": 77, "projection": [], "sentence": 3}')
    assert place.loads('{"layer": "deep"}') == Place() == place.loads("[")
    assert loads(again.settings.get("senses/state")) == State() == loads("[") == loads("[3]")


def test_a_saved_view_brings_its_runs_its_word_and_its_choices(qtbot, make, runs, tmp_path):
    window = make("senses")
    session = window.session
    for run in runs:
        session.add_run(run)
    session.remove_run(runs[0].path)
    place.look_at(session, "苹果", place.store.specimens_of("苹果")[3].text)
    session.layer, session.step = 1, 20
    view = window.view
    view.show_page("probe")
    view._choices.set(projection="tsne", grouping="agglomerative", groups=3)
    path = tmp_path / "a.view.json"
    view.keeper.file.save(path)
    session.set_bench(())
    session.look_at("别的", [Specimen(word="别的", sense="a", text="别的")])
    session.layer, session.step = -1, None
    view.show_page("find")
    view.page("find")._count.setCurrentIndex(0)
    view.page("find")._count.activated.emit(0)
    assert view._choices.state.groups == 0
    view._choices.set(projection="pca", grouping="kmeans")
    view.keeper.file.open(path)
    assert [(item.run.name, item.colour) for item in session.bench] == [("two", 1)]
    assert (session.word, session.selected, session.layer, session.step, view.tabs.value) == ("苹果", 3, 1, 20, "probe")
    assert view._choices.projection == "tsne" and view.page("find")._count.currentData() == 3
    settle(qtbot, window)
    view.keeper.undo.click()
    assert view.tabs.value == "find"


def test_runs_that_are_gone_are_named_and_nothing_changes_where_all_are(qtbot, make, runs, tmp_path):
    window = make("senses")
    session, view = window.session, window.view
    for run in runs:
        session.add_run(run)
    path = tmp_path / "a.view.json"
    session.layer = 1
    view.keeper.file.save(path)
    window.messages.clear()
    runs[0].path.rename(runs[0].path.with_name("elsewhere"))
    view.keeper.file.open(path)
    assert [item.run.name for item in session.bench] == ["two"] and "one" in texts(window)
    runs[1].path.rename(runs[1].path.with_name("elsewhere too"))
    session.layer = 2
    window.messages.clear()
    view.keeper.file.open(path)
    assert session.layer == 2 and "one, two" in texts(window)


def test_what_is_no_saved_view_is_refused_in_a_sentence(qtbot, make, tmp_path):
    window = make("senses")
    keeper = window.view.keeper
    path = tmp_path / "a.view.json"
    keeper.file.save(path)
    good = json.loads(path.read_text(encoding="utf-8"))
    window.session.layer = 2
    wrong = ["", "[]", "{}", "[" * 100_000, "\x00", json.dumps(good)[:-9],
             *(json.dumps({**good, name: value}) for name, value in (
                 ("format", "else"), ("view", "nowhere"), ("place", {}), ("place", {**good["place"], "layer": "1"}),
                 ("place", {**good["place"], "x": 1}),
                 ("bench", 3), ("bench", [{"path": 3, "name": "", "colour": 0}]), ("bench", [{"path": "a", "name": "a", "colour": 99}]),
                 ("bench", [{"path": "a", "name": "a", "colour": 0}] * 5), ("state", []), ("state", {**good["state"], "page": "nowhere"}),
                 ("state", {**good["state"], "more": 1}), ("state", {"page": 3})))]
    for text in wrong:
        window.messages.clear()
        path.write_text(text, encoding="utf-8")
        keeper.file.open(path)
        assert "no saved view" in texts(window) and window.messages._dialog is None, text[:200]
    path.write_bytes(b"\xff\xfe\x00")
    window.messages.clear()
    keeper.file.open(path)
    assert "no saved view" in texts(window)
    path.write_text(json.dumps({**good, "view": "attention"}), encoding="utf-8")
    keeper.file.open(path)
    assert "“Attention”" in texts(window) and "Open it there" in texts(window)
    keeper.file.open(tmp_path / "nobody.view.json")
    assert "cannot be read" in texts(window)
    keeper.file.save(tmp_path / "no folder" / "a.view.json")
    assert "cannot be written" in texts(window)
    assert window.session.layer == 2


def test_a_state_goes_round_and_another_one_is_refused():
    full = State(page="find", projection="umap", direction="backward", measure="adjusted", aside=True, typing=True, typed="a",
                 sentence="b", sense="c", before="d", after="e", labels="f", grouping="agglomerative", groups=4)
    assert parsed(json.loads(json.dumps(full.raw()))) == full
    assert all(getattr(full, name) != getattr(State(), name) for name in full.raw())
    older = {name: value for name, value in full.raw().items() if name != "aside"}
    assert parsed(older) == replace(full, aside=False)  # a file of the time before
    with pytest.raises(ValueError):
        parsed({**full.raw(), "groups": True})
