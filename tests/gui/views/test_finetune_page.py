"""The form of a finetune, in the train view: clicked through as a person would."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QLabel

from core import events, registry, trash
from core.runs import Run
from core.tasks.config import build_finetune
from core.tasks.seeds import with_seeds
from gui import specimen_store as store
from gui.forms.finetune_options import FinetuneOptions
from gui.forms.labelled_files import DEV, TRAIN
from gui.forms.sense_examples import SenseExamples
from gui.outcome import Outcome
from gui.run_queue import queue_of
from gui.second_stage import metric_of, seeds_in_words
from gui.views.train.finetune_seen import LABELS, PROBLEMS, counts_in_words
from gui.widgets.tokens import Tokens
from tests.gui.direct_engine import DirectEngine, SilentEngine
from tests.gui.real_views import real_windows

FOUND = {
    "columns": {"train": {"text": "review", "label": "cat"}, "dev": {"text": "review", "label": "cat"}}, "available": ["cat", "label", "review"],
    "labels": ["a", "b"], "label_kind": "nominal", "counts": {"train": 90, "dev": 10}, "label_counts": {"a": 60, "b": 30},
    "skipped": {"train": 2, "dev": 0}, "cut": {"train": 0, "dev": 0},
    "problems": [{"file": "train", "line": 7, "kind": "empty", "text": "The text is empty."}],
    "problem_counts": [{"file": "train", "kind": "empty", "count": 2, "rule": "It is skipped."}],
    "examples": [{"line": 3, "label": "a", "parts": [{"tokens": ["[CLS]", "x", " ", "[UNK]"], "segments": [0, 0, 0, 1],
                                                      "labels": ["", "B-PER", "", "O"], "special": [True, False, False, False]}]}],
    "sees": "It cannot see what follows.", "advice": "Take the mean.", "warnings": ["3 of the 10 stand twice."], "error": "", "hint": "", "where": ""}


class Core:
    """Instead of core.tasks: what it was asked, and what it answers."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = FOUND
        self.inspected: list[dict[str, Any]] = []
        self.created: list[dict[str, Any]] = []

    def inspect(self, **keywords: Any) -> dict[str, Any]:
        self.inspected.append(keywords)
        return self.found

    def create_runs(self, **keywords: Any) -> list[str]:
        self.created.append(keywords)
        made = build_finetune(Path(keywords["pretrained"]), keywords["task"], keywords["options"], name=keywords["name"])
        return [str(Run.create(config).path) for config in with_seeds(made, keywords["seeds"])]


@pytest.fixture
def core(monkeypatch):
    made, load = Core(), registry.load
    instead = {"core.tasks.inspect:inspect": made.inspect, "core.tasks.create:create_runs": made.create_runs}
    monkeypatch.setattr(registry, "load", lambda place: instead.get(place) or load(place))
    return made


@pytest.fixture
def files(tmp_path):
    for name in ("train.csv", "dev.csv"):
        (tmp_path / name).write_text("cat,label,review\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def page(monkeypatch, core, make_run, qtbot):
    """The page, with an ELMo and a GPT run to choose from."""
    for family in ("elmo", "gpt"):
        (make_run(f"my {family}", family).checkpoint_path(5)).mkdir()
    with real_windows(monkeypatch, DirectEngine) as make:
        window = make("train")
        started = []
        monkeypatch.setattr(window.processes, "start", started.append)
        window.view._finetune.launched = started
        qtbot.mouseClick(window.view._pages.button("finetune"), Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: window.view._finetune._choice._combo.count() == 2)
        yield window.view._finetune


def _drop(widget, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    widget.dropEvent(event)


def _choose(page, name):
    combo = page._choice._combo
    index = next(index for index in range(combo.count()) if name in combo.itemText(index))
    combo.setCurrentIndex(index)
    combo.activated.emit(index)


def _ready(page, qtbot, files, core):
    _drop(page, files / "train.csv", files / "dev.csv")
    qtbot.waitUntil(lambda: bool(core.inspected))


def test_without_a_file_the_sentences_of_the_word_are_examples(page, core, qtbot):
    [offer] = page.findChildren(SenseExamples)
    assert not offer.isVisible(), "no word is looked at"
    page._session.look_at("apple", store.builtin_specimens("apple"))
    assert offer.isVisible() and "“apple”" in offer.text()
    qtbot.mouseClick(offer, Qt.MouseButton.LeftButton)
    assert page.task == "tagging" and [Path(page._files.path(name)).name for name in (TRAIN, DEV)] == ["apple.conll", "apple-dev.conll"]
    qtbot.waitUntil(lambda: bool(core.inspected))
    page._files.set_path(TRAIN, "")
    page._session.look_at("apple", store.builtin_specimens("apple")[:1])
    qtbot.mouseClick(offer, Qt.MouseButton.LeftButton)
    assert not page._files.path(TRAIN) and "too few" in page._services.messages.texts[-1][0]


def test_a_finetune_is_started_by_clicking_through_it(page, core, qtbot, files):
    assert not page._start.isEnabled()
    _choose(page, "elmo")
    qtbot.mouseClick(page._cards.card("tagging"), Qt.MouseButton.LeftButton)
    _ready(page, qtbot, files, core)
    page._options.forms["task"].editor("labels").inner.setValue(200)
    page._name.setText("mine")
    assert page._start.isEnabled()
    qtbot.mouseClick(page._start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(page.launched))
    run = page.launched[0]
    assert (run.name, run.config.family, run.config.task.task, run.config.task.labels) == ("mine", "elmo", "tagging", 200)
    assert run.config.task.train_file == str(files / "train.csv") and run.config.task.dev_file == str(files / "dev.csv")
    assert page._session.on_bench(run.path) is not None
    assert page._services.settings.get("train/page") == "live"


def test_several_seeds_are_several_runs_one_after_the_other(page, core, qtbot, files):
    _ready(page, qtbot, files, core)
    page._name.setText("mine")
    page._seeds.setValue(6)
    qtbot.mouseClick(page._start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(page.launched))
    assert [run.name for run in page.launched] == ["mine, seed 0"], "the others wait"
    waiting = queue_of(page._services.processes).waiting
    assert [run.config.train.seed for run in waiting] == [1, 2, 3, 4, 5]
    assert [item.run.name for item in page._session.bench] == [f"mine, seed {seed}" for seed in range(4)], "as many as the bench holds"
    page._copy.click()
    assert QGuiApplication.clipboard().text().endswith(" --seeds 6")


def test_what_the_model_sees_is_shown_before_anything_starts(page, core, qtbot, files):
    _ready(page, qtbot, files, core)
    seen = page._seen
    qtbot.waitUntil(lambda: bool(seen.findChildren(Tokens)))
    tokens = seen.findChildren(Tokens)[0]
    assert tokens._tokens == ["[CLS]", "x", "␣", "[UNK]"] and tokens._notes[1] == "B-PER"
    assert tokens._colours[1] == "" and len(set(tokens._colours)) > 2
    assert "90 examples" in seen._words.text() and "Skipped: 2" in seen._words.text()
    seen.show_page(PROBLEMS)
    words = " ".join(label.text() for label in seen.findChildren(QLabel))
    assert "line 7" in words and "It is skipped." in words
    seen.show_page(LABELS)
    assert any(tokens._tokens[:1] == ["a  60"] for tokens in seen.findChildren(Tokens))
    assert page._blind.isVisible() and "what follows" in page._blind.text()
    assert page._advice.isVisible() and page._advice.text() == "Take the mean."
    assert seen.warning.isVisible() and seen.warning.text() == "3 of the 10 stand twice."


def test_another_column_is_chosen_beside_the_preview(page, core, qtbot, files):
    _ready(page, qtbot, files, core)
    qtbot.waitUntil(lambda: "column_label" in page._seen._combos)
    combo = page._seen.combo("column_label")
    assert "cat (auto)" in combo.itemText(0)
    combo.setCurrentIndex(combo.findData("label"))
    combo.activated.emit(combo.currentIndex())
    qtbot.waitUntil(lambda: core.inspected[-1]["options"].get("task.column_label") == "label")
    assert page.config().task.column_label == "label"


def test_a_refused_file_keeps_it_from_starting_and_says_why(page, core, qtbot, files):
    core.found = {**FOUND, "counts": {}, "examples": [], "error": "Only one class.", "hint": "Choose another file.", "where": "train_file"}
    _ready(page, qtbot, files, core)
    qtbot.waitUntil(lambda: page._seen.error.isVisible())
    assert page._seen.error.text() == "Only one class. Choose another file." and not page._start.isEnabled()
    assert "cannot be used" in page._files._rows[TRAIN]._note.text() and not page._files._rows[DEV]._note.text()


def test_with_the_first_of_two_files_chosen_the_second_is_asked_for_and_nothing_is_wrong(page, core, qtbot, files):
    for name, other in ((TRAIN, "measure on"), (DEV, "learn from")):
        page._files.set_path(name, str(files / "train.csv"))
        qtbot.waitUntil(lambda other=other: other in page._seen._words.text())
        assert not page._seen.error.isVisible() and not core.inspected and not page._files._rows[DEV]._note.text()
        page._files.set_path(name, "")


def test_an_option_that_is_refused_shows_it_at_its_field(page, core, qtbot, files):
    _ready(page, qtbot, files, core)
    form = page._options.forms["task"]
    form.editor("label_smoothing").inner.setText("2")
    assert "Label smoothing" in form.error_at("label_smoothing") and not page._start.isEnabled()
    form.editor("label_smoothing").inner.setText("0.1")
    assert page._start.isEnabled() and page.config().task.label_smoothing == 0.1


def test_only_options_that_change_something_are_shown(page, qtbot):
    form = page._options.forms["task"]

    def shown(name):
        return not form._rows[name].isHidden()

    _choose(page, "elmo")
    page.choose_task("tagging")
    assert shown("crf") and shown("mix_place") and not shown("lm_weight") and not shown("order") and not shown("stride")
    _choose(page, "gpt")
    page.choose_task("pair")
    assert not shown("crf") and not shown("mix_place") and shown("lm_weight") and shown("order")
    form.editor("mix").set_value("on")
    assert shown("mix_place")


def test_which_options_change_something_follows_from_what_a_family_and_a_task_can(qtbot, monkeypatch):
    monkeypatch.setitem(registry.FAMILIES, "gru", "tests.helpers.newcomers:GRU")
    monkeypatch.setitem(registry.TASKS, "rating", "tests.helpers.newcomers:RATING")
    options = FinetuneOptions()
    qtbot.addWidget(options)
    options._family, options._task = "gru", "rating"
    options._arrange()
    shown = {name for name, row in options.forms["task"]._rows.items() if not row.isHidden()}
    assert {"mix", "lm_weight", "pooling", "own_embedding"} <= shown
    assert not {"crf", "order", "label_kind", "class_weights", "label_smoothing", "stride", "mix_place"} & shown


def test_what_was_changed_stays_changed_with_another_run(page, qtbot):
    _choose(page, "elmo")
    page._options.forms["train"].editor("learning_rate").inner.setText("0.123")
    _choose(page, "gpt")
    values = page._options.forms["train"].values()
    assert values["learning_rate"] == 0.123
    assert page._options.options()["train.learning_rate"] == 0.123


def test_the_command_starts_the_same_run(page, core, qtbot, files):
    _ready(page, qtbot, files, core)
    page._options.forms["task"].editor("labels").inner.setValue(50)
    page._copy.click()
    words = QGuiApplication.clipboard().text()
    assert words.startswith("python main.py finetune ") and str(files / "train.csv") in words and "labels=50" in words


def test_files_are_remembered_for_each_task_and_can_be_taken_away(page, core, qtbot, files):
    page.choose_task("classification")
    _drop(page._files._rows[DEV], files / "dev.csv")
    assert (page._files.path(TRAIN), page._files.path(DEV)) == ("", str(files / "dev.csv"))
    page.choose_task("span")
    assert page._files.path(DEV) == ""
    page.choose_task("classification")
    assert page._files.path(DEV) == str(files / "dev.csv")
    page._files._rows[DEV]._remove.click()
    assert page._files.path(DEV) == ""


def test_another_view_hands_over_a_run_or_the_settings_of_a_finetune(page, core, qtbot, files, make_run):
    session = page._session
    run = make_run("wanted", "bert")
    session.pretrained = run
    assert page._run.path == run.path
    made = build_finetune(run, "pair", {"task.train_file": str(files / "train.csv"), "task.dev_file": str(files / "dev.csv"), "task.labels": 77})
    session.draft = dataclasses.replace(made, name="old")
    assert (page.task, page._files.path(TRAIN)) == ("pair", str(files / "train.csv"))
    assert page.config().task.labels == 77
    assert page._services.settings.get("train/page") == "finetune"


def _change_the_theme(page):
    """All views are made anew."""
    window = page.window()
    window.switch_theme()
    return window.view


def test_what_was_entered_is_still_there_in_another_theme(page, make_run):
    page._session.pretrained = make_run("wanted", "bert")
    _choose(page, "gpt")
    page.choose_task("tagging")
    page._options.forms["train"].editor("learning_rate").inner.setText("0.0123")
    page._options.forms["task"].editor("mix").set_value("on")
    page._options.forms["task"].changed.emit()
    page._name.setText("mine")
    page._seeds.setValue(5)
    view = _change_the_theme(page)
    made = view._finetune
    assert view._pages.value == "finetune"
    assert (made._run.name, made.task, made._name.text(), made._seeds.value()) == ("my gpt", "tagging", "mine", 5)
    assert made._choice._combo.currentText().startswith("my gpt")
    assert made._options.options() == {"train.learning_rate": 0.0123, "task.mix": "on"}
    assert not made._options.forms["task"]._rows["mix_place"].isHidden()
    view.show_live()
    assert _change_the_theme(made)._pages.value == "live", "the wish of another view is fulfilled once"


def test_a_run_that_nobody_chose_stays_the_one_whose_form_was_filled_in(page, make_run):
    first = page._run
    page._seeds.setValue(3)
    page._session.add_run(make_run("another"))
    (page._session.bench[0].run.checkpoint_path(5)).mkdir()
    made = _change_the_theme(page)._finetune
    assert (made._run.path, made._choice._combo.currentData(), made._seeds.value()) == (first.path, str(first.path), 3)


def test_a_run_that_was_renamed_or_deleted_is_not_chosen_as_it_was(page, core, qtbot, files):
    combo = page._choice._combo
    _choose(page, "elmo")
    _ready(page, qtbot, files, core)
    page._options.forms["task"].editor("labels").inner.setValue(200)
    Run.open(page._choice.run.path).rename("another name")
    page._choice.refresh()
    qtbot.waitUntil(lambda: combo.currentText().startswith("another name"))
    assert page._run.name == "another name" and page._options.changes()["task"] == {"labels": 200}
    trash.delete(page._run)
    page._choice.refresh()
    qtbot.waitUntil(lambda: combo.count() == 1)
    assert "gpt" in combo.currentText() and page._run.name == "my gpt" and page._start.isEnabled()
    trash.delete(page._run)
    page._session.benchChanged.emit()
    assert combo.count() == 0 and page._run is None and not page._start.isEnabled()


def test_the_settings_of_a_finetune_leave_those_of_a_new_run_alone(page, make_run, files):
    view, session = page.window().view, page._session
    view._new._cards._choose("gpt")
    view._new._name.setText("next")
    before = session.draft
    session.draft = build_finetune(make_run("wanted", "bert"), "pair", {"task.labels": 77})
    assert (page._run.name, view._pages.value, session.draft) == ("wanted", "finetune", before)
    view = _change_the_theme(page)
    assert (view._finetune.config().task.labels, view._new._draft.name, view._pages.value) == (77, "next", "finetune")


def test_the_settings_of_a_finetune_reach_a_page_that_was_not_there_yet(monkeypatch, core, make_run, qtbot):
    with real_windows(monkeypatch, DirectEngine) as make:
        window = make("runs")
        window.session.draft = build_finetune(make_run("wanted", "bert"), "pair", {"task.labels": 77})
        window.show_view("train")
        page = window.view._finetune
        assert (window.view._pages.value, page._run.name, page.task, page.config().task.labels) == ("finetune", "wanted", "pair", 77)


def test_counts_in_words():
    assert counts_in_words({}) == ""
    found = {"counts": {"train": 1000, "dev": 5}, "skipped": {"train": 0, "dev": 0}, "cut": {"train": 3, "dev": 1},
             "cut_of": {"train": 1000, "dev": 5}, "available_counts": {"train": 1000, "dev": 5}}
    words = counts_in_words(found)
    assert words.startswith("1,000 examples") and "Skipped" not in words and words.endswith("Too long and cut: 3 and 1.")
    found["available_counts"] = {"train": 4000, "dev": 5}
    assert counts_in_words(found).endswith("Too long and cut: 3 of the first 1,000 and 1.")


# while it learns

def test_the_live_curves_show_how_well_the_task_is_done(monkeypatch, make_run, qtbot):
    run = Run.create(build_finetune(make_run("pre", "elmo"), "tagging", {}, name="tuned"))
    told = [events.RunStarted(step=0, device="cpu", precision="fp32", processes=1, threads=1, parameters=1, train_tokens=1, valid_tokens=1,
                              vocab_size=1, total_steps=9, versions={})]
    for step in (1, 2):
        told += [events.StepEnd(step=step, loss=1.0, learning_rate=0.1, grad_norm=1.0, tokens=step, tokens_per_s=1.0, progress=step / 9, elapsed=1.0,
                                seconds_left=1.0, memory=1, metrics={"mix_0": 1.0}),
                 events.EvalEnd(step=step, metrics={"loss": 0.5, "f1": 0.3 * step, "precision": 0.9})]
    run.events_path.write_text("".join(events.to_line(event) + "\n" for event in told), encoding="utf-8")
    with real_windows(monkeypatch, DirectEngine) as make:
        window = make("train")
        window.session.add_run(run)
        window.session.add_run(make_run("plain"))
        live = window.view._live
        window.view.show_live()
        qtbot.mouseClick(live._which.button("metric"), Qt.MouseButton.LeftButton)
        key = f"{run.path}/metric"
        assert live._curves.keys() == (key,)
        qtbot.waitUntil(lambda: live._curves._curves[key].y.values.tolist() == [0.3, 0.6])
        assert live._curves._curves[key].x["steps"].values.tolist() == [1, 2]
        assert "F1 0.600" in live._strips[str(run.path)]._figures.text()
        with run.events_path.open("a", encoding="utf-8") as file:
            file.write(events.to_line(events.EvalEnd(step=3, metrics={"loss": 0.4, "f1": 0.9})) + "\n")
        qtbot.waitUntil(lambda: live._curves._curves[key].y.values.tolist()[-1] == 0.9)


def _finished(run, accuracy):
    told = [events.EvalEnd(step=9, metrics={"loss": 1.0, "accuracy": accuracy}), events.RunFinished(step=9, reason="complete")]
    run.events_path.write_text("".join(events.to_line(event) + "\n" for event in told), encoding="utf-8")


def test_seeds_that_have_come_to_their_end_are_summed_up(monkeypatch, make_run, qtbot):
    configs = with_seeds(build_finetune(make_run("pre", "elmo"), "classification", {}, name="tuned"), 2)
    runs = [Run.create(config) for config in configs]
    for run in runs:
        (run.path / "dev.jsonl").write_text("", encoding="utf-8")
    _finished(runs[0], 0.5)
    with real_windows(monkeypatch, DirectEngine) as make:
        window = make("train")
        for run in runs:
            window.session.add_run(run)
        live = window.view._live
        window.view.show_live()
        qtbot.waitUntil(lambda: bool(window.engine.asked("over_seeds")))
        assert not live._over_seeds.isVisible(), "one is not several"
        _finished(runs[1], 0.7)
        window.processes.ended.emit(str(runs[1].path), Outcome.of(0))
        qtbot.waitUntil(live._over_seeds.isVisible)
        assert "2 seeds (0, 1), mean ± standard deviation: Accuracy 0.600 ± 0.141" in live._over_seeds.text()


def test_seeds_in_words():
    def measures(mean):
        return {name: {"mean": mean, "spread": 0.01, "values": []} for name in ("loss", "macro_f1", "accuracy")}

    found = {"metric": "accuracy", "seeds": [0, 1, 4], "end": measures(0.5), "best": measures(0.6)}
    words = seeds_in_words(found)
    assert words.startswith("3 seeds (0, 1, 4)") and "Accuracy 0.500 ± 0.010   macro-F1 0.500" in words
    assert "Accuracy 0.600" in words and "Loss" not in words
    assert "best" not in seeds_in_words({**found, "best": found["end"]})


def test_the_headline_figure_of_a_task(make_run):
    run = Run.create(build_finetune(make_run("pre", "bert"), "pair", {}))
    assert metric_of(run, {"loss": 1.0, "accuracy": 0.5}) == "accuracy"
    assert metric_of(run, {"loss": 1.0, "pearson": 0.1, "spearman": 0.2}) == "pearson"
    assert metric_of(make_run("other"), {"accuracy": 1.0}) == ""


def test_a_late_look_at_the_files_is_not_shown_for_another_task(page, files, qtbot):
    engine = SilentEngine()
    page._services = dataclasses.replace(page._services, engine=engine)
    page.choose_task("classification")
    _drop(page, files / "train.csv", files / "dev.csv")
    qtbot.waitUntil(lambda: bool(engine.asked("inspect:inspect")))
    [call] = [call for call in engine.calls if call.place.endswith("inspect:inspect")]
    page.choose_task("tagging")
    qtbot.waitUntil(lambda: page._asked[:0] == () and not page._wait.isActive())
    call.on_done(FOUND)
    assert page._seen._found is None
    call.on_error("It has ended.", "")
    assert "ended" not in page._seen._words.text()


def test_a_deleted_run_is_not_missed_at_every_change_of_the_theme(page):
    run = Run.open(Path(page._entered.run))
    trash.delete(run)
    view = _change_the_theme(page)
    assert not any("is not there" in words for words, _ in view._services.messages.texts)
