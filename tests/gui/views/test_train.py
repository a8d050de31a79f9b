from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from core import config, registry
from core.config import TextConfig, WatchConfig
from core.estimate import Machine, TextSize
from core.events import CheckpointSaved, EvalEnd, EventWriter, Preparing, RunContinued, RunFailed, RunFinished, RunPaused, RunStarted, StepEnd
from core.runs import Run, list_runs
from core.sizes import memory_words
from core.tasks.config import build_finetune
from gui import draft
from gui import specimen_store as store
from gui.losses import loss_title, name_in_legend
from gui.views.train.estimate_card import EstimateCard, duration_words
from gui.views.train.run_strip import figures
from tests.gui.direct_engine import DirectEngine, SilentEngine
from tests.gui.real_views import real_windows


@pytest.fixture
def make(monkeypatch):
    with real_windows(monkeypatch, SilentEngine) as found:
        yield found


@pytest.fixture
def started(monkeypatch):
    """Runs are noted instead of trained."""
    noted = []
    monkeypatch.setattr("gui.run_process.Processes.start", lambda self, run: noted.append(run))
    return noted


def _step(number: int, loss: float = 2.0, **more) -> StepEnd:
    values = {"learning_rate": 0.1, "grad_norm": 1.0, "tokens": 100 * number, "tokens_per_s": 5000.0, "progress": number / 100,
              "elapsed": float(number), "seconds_left": 65.0, "memory": 500 << 20, **more}
    return StepEnd(step=number, loss=loss, **values)


def _read_with(run, kind: str) -> None:
    """As if its text had been cut with a tokenizer of that kind."""
    asked = TextConfig(tokenizer=kind, vocab_size=300, min_count=1)
    registry.lookup(registry.TOKENIZERS, kind).train(asked, ["apples fell 苹果掉了"]).save(run.tokenizer_path)


def _begun(step: int = 0) -> RunStarted:
    return RunStarted(step=step, device="cpu", precision="fp32", processes=1, threads=1, parameters=1, train_tokens=1, valid_tokens=1, vocab_size=1,
                      total_steps=100, versions={})


def _write(run, *events):
    writer = EventWriter(run.events_path)
    for event in events:
        writer.write(event)
    writer.close()


def _edit(page, section, **values):
    page._forms[section].set_values(values)
    page._forms[section].changed.emit()


# the form

def test_a_family_brings_its_options_and_leaves_out_what_it_does_not_read(qtbot, make):
    window = make("train")
    page = window.view._new
    page._cards._choose("word2vec")
    assert window.session.draft.family == "word2vec"
    assert "dim" in page._forms["model"].names()
    assert "optimizer" not in page._forms["train"].names()
    assert "epochs" in page._forms["train"].names()
    page._cards._choose("gpt")
    assert list(page._forms["objective"].names()) == ["first_vectors", "first_attention"]
    assert window.session.draft == config.build("gpt", options={**draft.text_options(TextConfig(corpus="en")), "watch.word": "apple"})


def test_every_field_is_explained(qtbot, make):
    from PySide6.QtWidgets import QLabel

    page = make("train", "en").view._new
    for form in page._forms.values():
        for row in form._rows.values():
            assert any(one.property("role") == "caption" and one.text() for one in row.findChildren(QLabel)), row.editor.accessibleName()


def test_a_preset_fills_the_form_and_changes_are_marked_and_taken_back(qtbot, make):
    page = make("train").view._new
    page._preset.button("small").click()
    assert page._draft.model.hidden_size == 512
    form = page._forms["model"]
    assert form.differences() == ()
    form.editor("hidden_size").set_value(64)
    assert form.differences() == ("hidden_size",)
    reset = form._rows["hidden_size"].reset
    assert not reset.isHidden()
    assert "512" in reset.toolTip()
    reset.click()
    assert form.differences() == ()
    assert page._draft.model.hidden_size == 512


def test_what_is_wrong_stands_at_its_field_and_keeps_it_from_starting(qtbot, make):
    page = make("train").view._new
    page._cards._choose("bert")
    good = page._draft
    _edit(page, "model", hidden_size=130)
    assert page._forms["model"].error_at("hidden_size")
    assert not page._start.isEnabled()
    assert page._draft == good
    _edit(page, "model", hidden_size=128)
    assert page._start.isEnabled()
    _edit(page, "train", seq_len=100_0)  # longer than the model reads: the parts agree, the whole does not
    assert page._forms["train"].error_at("seq_len")
    assert not page._start.isEnabled()


def test_the_command_gives_the_same_run(qtbot, make):
    page = make("train").view._new
    _edit(page, "train", steps=123, minutes=0.0, learning_rate=0.00025)
    page.copy_command()
    words = shlex.split(QApplication.clipboard().text())
    assert words[:2] == ["python", "main.py"]
    assert words[2:] == config.as_command(page._draft)


def test_the_text_of_the_text_view_is_taken_over(qtbot, make, tmp_path):
    window = make("train")
    window.session.text = TextConfig(files=(str(tmp_path / "mine.txt"),), lowercase=False)
    page = window.view._new
    assert page._draft.text.files == (str(tmp_path / "mine.txt"),)
    assert page._forms["text"].values()["lowercase"] is False
    page._cards._choose("word2vec")
    assert page._draft.text.tokenizer == "word"  # the family's own, since nobody has chosen another
    assert page._draft.text.files == (str(tmp_path / "mine.txt"),)
    assert page._draft.text.lowercase is False


def test_what_is_taken_back_in_the_text_view_is_the_presets_again_in_the_form(qtbot, make, tmp_path):
    window = make("train")
    page, session = window.view._new, window.session
    files = {"files": (str(tmp_path / "mine.txt"),)}
    page._cards._choose("elmo")
    before = page._draft.text
    assert before.tokenizer == "word_char"
    session.text = TextConfig(**files, tokenizer="char", min_count=7)
    assert (page._draft.text.tokenizer, page._draft.text.min_count) == ("char", 7)
    _edit(page, "text", vocab_size=500)
    session.text = TextConfig(**files, min_count=7)
    assert (page._draft.text.tokenizer, page._draft.text.min_count, page._draft.text.vocab_size) == ("word_char", 7, 500)
    session.text = TextConfig(**files)
    assert page._draft.text == replace(before, files=files["files"], corpus=page._draft.text.corpus, vocab_size=500)


def test_a_text_of_ones_own_is_watched_for_the_word_that_is_looked_at(qtbot, make, tmp_path):
    window = make("train")
    page, session = window.view._new, window.session
    page._draft = replace(page._draft, watch=WatchConfig(word="apple"))  # as a built-in text has it, of whatever word is looked at
    page._fill()
    session.word = page._looked_at = "包袱"
    session.text = TextConfig(files=(str(tmp_path / "mine.txt"),))
    assert page._draft.watch.word == "包袱"


def test_a_word_that_is_typed_brings_the_persons_own_sentences(qtbot, make, tmp_path):
    page = make("train").view._new
    store.save("包袱", [store.make(word="包袱", sense="行李", text="他背着包袱走了。", hard=False)])
    _edit(page, "watch", word="包袱")
    assert page._draft.watch.specimens == str(store.own_path("包袱"))
    _edit(page, "watch", word="小米")
    assert page._draft.watch.specimens == ""
    _edit(page, "watch", specimens=str(tmp_path / "chosen.tsv"))
    _edit(page, "watch", word="包袱")
    assert page._draft.watch.specimens == str(tmp_path / "chosen.tsv")


def test_settings_of_another_run_arrive_as_a_draft(qtbot, make):
    window = make("train")
    window.show_view("runs")
    given = config.build("elmo", "small", {"hidden_size": 99, "train.steps": 7, "watch.word": "打"})
    window.session.draft = given
    window.show_view("train")
    page = window.view._new
    assert page.isVisible()
    assert page._whole() == given
    assert page._cards.value == "elmo"
    assert page._preset.value == "small"
    assert "hidden_size" in page._forms["model"].differences()


def test_a_copy_keeps_its_text_with_another_preset_and_another_family(qtbot, make, tmp_path):
    window = make("train")
    window.session.text = TextConfig(files=(str(tmp_path / "chosen.txt"),), lowercase=False)
    copied = (str(tmp_path / "copied.txt"),)
    window.session.hand_over(config.build("bert", "quick", {"text.files": copied}))
    page = window.view._new
    page._preset.button("small").click()
    assert (page._draft.text.files, page._draft.text.lowercase) == (copied, TextConfig().lowercase)
    page._cards._choose("gpt")
    assert page._draft.text.files == copied


def test_the_draft_survives_another_language(qtbot, make):
    window = make("train")
    page = window.view._new
    page._cards._choose("gpt")
    _edit(page, "train", batch_size=7)
    page._name.setText("my run")
    window.switch_language()
    page = window.view._new
    assert (page._draft.family, page._draft.train.batch_size, page._draft.name) == ("gpt", 7, "my run")


def test_the_watched_word_follows_the_session_until_somebody_types_one(qtbot, make):
    window = make("train")
    page = window.view._new
    window.session.text = TextConfig(corpus="zh")
    window.session.word = "打"
    assert page._draft.watch.word == "打"
    _edit(page, "watch", word="火")
    window.session.word = "花"
    assert page._draft.watch.word == "火"


def test_another_word_in_another_view_does_not_turn_the_page(qtbot, make):
    window = make("train", "zh_CN")
    for page in ("live", "finetune"):
        window.view._show(page)
        window.show_view("senses")
        window.session.word = "打" if page == "live" else "花"
        assert window.session.draft.watch.word == window.session.word
        window.show_view("train")
        assert window.view._pages.value == page
    window.session.draft = replace(window.session.draft, name="handed over")
    assert window.view._pages.value == "new"


def test_a_copy_of_the_settings_that_the_form_has_already_is_shown_whatever_page_was_seen(qtbot, make):
    window = make("train", "zh_CN")
    for page in ("live", "finetune"):
        window.view._show(page)
        window.show_view("runs")
        window.session.hand_over(window.session.draft)
        window.show_view("train")
        assert window.view._pages.value == "new"


def test_a_copy_of_the_settings_is_shown_where_train_was_not_seen_yet_and_another_theme_keeps_the_page(qtbot, make):
    window = make("runs", "zh_CN")
    window.settings.set("train/page", "finetune")
    window.session.hand_over(config.build("gpt", "quick"))
    window.show_view("train")
    assert window.view._pages.value == "new"
    window.view._show("finetune")
    window.switch_theme()
    assert window.view._pages.value == "finetune"


@pytest.mark.parametrize(("word", "corpus", "watched"), [("苹果", "en", "apple"), ("打", "zh", "打"), ("my own", "zh", "苹果")])
def test_a_built_in_text_is_not_asked_for_words_that_it_does_not_know(word, corpus, watched):
    assert draft.watch_options(word, TextConfig(corpus=corpus))["watch.word"] == watched


def test_starting_makes_a_run_puts_it_on_the_bench_and_shows_it_learning(qtbot, monkeypatch, started):
    with real_windows(monkeypatch, DirectEngine) as make:
        window = make("train")
        window.view._new._name.setText("a first one")
        window.view._new._start.click()
        qtbot.waitUntil(lambda: bool(started))
        assert started[0].name == "a first one"
        assert [item.run.name for item in window.session.bench] == ["a first one"]
        assert window.view._live.isVisible()


def test_a_file_that_is_gone_is_said_before_anything_starts(qtbot, monkeypatch, started, tmp_path):
    with real_windows(monkeypatch, DirectEngine) as make:
        window = make("train")
        window.session.text = TextConfig(files=(str(tmp_path / "gone.txt"),))
        page = window.view._new
        page._start.click()
        qtbot.waitUntil(lambda: "gone.txt" in page._refused.text())
        assert page._start.isEnabled()
        assert not started
        assert not list_runs()


def test_a_watched_word_that_the_text_does_not_hold_is_named_at_its_field(qtbot, monkeypatch, tmp_path):
    (tmp_path / "zh.txt").write_text("妈妈买了一个苹果。\n" * 20, encoding="utf-8")
    with real_windows(monkeypatch, DirectEngine) as make:
        window = make("start")
        window.session.word, window.session.text = "apple", TextConfig(files=(str(tmp_path / "zh.txt"),))
        window.show_view("train")
        page = window.view._new
        assert page._draft.watch.word == "apple" and page._lacking_words.isHidden()
        qtbot.waitUntil(lambda: page._lacking_words.isVisible())
        assert "“apple”" in page._lacking_words.text()
        _edit(page, "watch", word="苹果")
        assert page._lacking_words.isHidden()
        qtbot.waitUntil(lambda: page._sought == (page._draft.text, "苹果"))
        qtbot.waitUntil(lambda: page._lacking is None)
        assert page._lacking_words.isHidden()


# the estimate

def test_the_estimate_says_what_it_stands_on(qtbot):
    from core.analysis.text_window import Ground
    from core.estimate import Sample

    card = EstimateCard()
    qtbot.addWidget(card)
    made = config.build("gpt")
    card.set_config(made)
    assert card.estimate is None
    card.set_text(TextSize(tokens=1000, vocab_size=100))
    card.set_ground(Ground(machine=Machine(cores=2, memory=8 << 30), samples=[]))
    assert "table" in card._basis.text()
    assert card._values["time"].text() == "60 s"
    assert card._warning.isHidden() and "come on top" not in card._basis.text()
    card.set_config(config.build("gpt", options={"steps": 20}))
    assert "Validations, probes and checkpoints come on top." in card._basis.text()
    sample = Sample(family="gpt", device="cpu", threads=2, flops=1e6, tokens_per_s=100.0)
    card.set_ground(Ground(machine=Machine(cores=2, memory=8 << 30), samples=[sample, sample]))
    assert "2 earlier runs" in card._basis.text()
    card.set_config(config.build("gpt", "base"))
    assert not card._warning.isHidden()


def test_the_estimate_says_so_where_a_family_does_not_tell_what_it_costs(qtbot, monkeypatch):
    from core.analysis.text_window import Ground
    from core.registry import FAMILIES

    monkeypatch.setitem(FAMILIES, "gru", "tests.helpers.newcomers:GRU")
    card = EstimateCard()
    qtbot.addWidget(card)
    card.set_ground(Ground(machine=Machine(cores=2, memory=8 << 30), samples=[]))
    card.set_text(TextSize(tokens=1000, vocab_size=100))
    assert card._basis.text() == ""
    card.set_config(config.build("gru", options={"steps": 2}))
    assert card._basis.text() == "GRU does not say what its runs cost." and card._values["time"].text() == "…"


def test_the_costs_are_read_whole_with_large_letters(qtbot, make):
    window = make("train")
    window.resize(1600, 1000)
    window.zoom(0.5)
    card = window.view._new._estimate
    for name, words in (("speed", "13.7k tokens/s"), ("place", "2 CPU cores")):
        card._values[name].setText(words)
    qtbot.waitUntil(lambda: all(value.width() >= value.fontMetrics().horizontalAdvance(value.text()) for value in card._values.values()))
    card.set_config(None)
    assert card._values["time"].text() == "…"


@pytest.mark.parametrize(("seconds", "words"), [(40, "40 s"), (200, "3 min"), (9000, "2.5 h"), (400_000, "5 days"), (4e8, "13 years")])
def test_durations_are_as_exact_as_an_estimate_deserves(seconds, words):
    assert duration_words(seconds) == words


def test_memory_in_words():
    assert memory_words(450 << 20) == "450 MB"
    assert memory_words(3.25 * 2**30) == "3.2 GB"


# while runs learn

def test_curves_and_strip_tell_the_run_s_story(qtbot, make, make_run):
    window, run = make("train"), make_run("bert")
    live = window.view._live
    assert live._pages.currentIndex() == 0
    _write(run, _begun(), *[_step(n, 3.0 - n / 10) for n in range(1, 6)], EvalEnd(step=5, metrics={"loss": 2.75}))
    window.session.add_run(run)
    window.view.show_live()
    qtbot.waitUntil(lambda: bool(window.watcher.history(run.path)))
    key = f"{run.path}/training"
    curve = live._curves._curves[key]
    assert curve.x["tokens"].values.tolist() == [100, 200, 300, 400, 500]
    valid = live._curves._curves[f"{run.path}/validation"]
    assert (valid.y.values.tolist(), valid.x["time"].values.tolist()) == ([2.75], [5.0])
    strip = live._strips[str(run.path)]
    assert "2.750" in strip._figures.text()
    assert not strip._go.isHidden()  # its process has gone
    _write(run, _begun(2), _step(3, 9.0))
    qtbot.waitUntil(lambda: live._curves._curves[key].y.values.tolist()[-1:] == [9.0])
    assert live._curves._curves[key].x["steps"].values.tolist() == [1, 2, 3]


def test_the_strip_of_a_long_run_keeps_its_device_and_its_validation(qtbot, make, make_run, monkeypatch):
    window, run = make("train"), make_run("bert")
    monkeypatch.setattr(window.processes, "alive", lambda _run: True)
    _write(run, replace(_begun(), device="cuda (a card)"), EvalEnd(step=0, metrics={"loss": 2.75}), *map(_step, range(1, 400)))
    window.session.add_run(run)
    window.view.show_live()
    strip = window.view._live._strips[str(run.path)]
    _write(run, _step(400))
    for _ in range(2):  # as the events arrive, and drawn anew
        qtbot.waitUntil(lambda: "step 400" in strip._figures.text())
        assert "validation 2.750" in strip._figures.text() and "cuda (a card)" in strip._figures.text()
        window.view._live._draw()


def test_the_buttons_pause_go_on_and_stop(qtbot, make, make_run, monkeypatch, started):
    window, run = make("train"), make_run("bert")
    _write(run, _begun(), _step(10))
    alive = [True]
    monkeypatch.setattr(window.processes, "alive", lambda _run: alive[0])
    window.session.add_run(run)
    window.view.show_live()
    qtbot.waitUntil(lambda: bool(window.watcher.history(run.path)))
    strip = window.view._live._strips[str(run.path)]
    strip.show_events(window.watcher.history(run.path))
    assert "1:05 left" in strip._figures.text()
    strip._pause.click()
    assert run.commanded("pause")
    assert "Continue" in strip._pause.text()
    strip._pause.click()
    assert not run.commanded("pause")
    strip._stop.click()
    assert run.commanded("stop")
    assert not strip._stop.isEnabled()
    window.switch_theme()
    strip = window.view._live._strips[str(run.path)]
    assert "saving" in strip._state.text() and not strip._stop.isEnabled() and not strip._pause.isEnabled()
    alive[0] = False
    _write(run, RunFinished(step=10, reason="stopped"))
    qtbot.waitUntil(lambda: strip.status.state == "stopped")
    strip._go.click()
    assert started == [run]


def test_a_run_whose_memory_did_not_suffice_goes_on_with_smaller_parts(qtbot, make, make_run, started):
    window, run = make("train"), make_run("bert", batch_size=32)
    _write(run, _begun(), RunFailed(step=1, message="Too much.", hint="Resume it with --set micro_batch_size=16: smaller."))
    window.session.add_run(run)
    window.view.show_live()
    strip = window.view._live._strips[str(run.path)]
    qtbot.waitUntil(lambda: not strip._smaller.isHidden())
    assert "Too much." in strip._problem.text()
    strip._smaller.click()
    assert [(one.path, one.config.train.micro_batch_size) for one in started] == [(run.path, 16)]
    assert window.session.bench[0].run.config.train.micro_batch_size == 16


def test_other_failures_offer_no_smaller_parts(qtbot, make, make_run):
    window, run = make("train"), make_run("bert")
    _write(run, _begun(), RunFailed(step=1, message="The file is gone.", hint="Look for it."))
    window.session.add_run(run)
    window.view.show_live()
    strip = window.view._live._strips[str(run.path)]
    qtbot.waitUntil(lambda: strip.status is not None and strip.status.state == "failed")
    assert strip._smaller.isHidden()


def _run_something(window, run):
    process = subprocess.Popen(["sleep", "60"])
    window.processes._follow(run, process)
    return process


def _kill(qtbot, window, process):
    """As the system does for want of memory."""
    process.kill()
    with qtbot.waitSignal(window.processes.changed):
        pass


def test_a_run_that_the_system_has_ended_is_offered_smaller_parts_until_it_goes_on(qtbot, make, make_run):
    window, run = make("train"), make_run("bert", batch_size=128, processes=2)  # 64 each
    _write(run, _begun(), _step(1))
    window.session.add_run(run)
    window.view.show_live()
    qtbot.waitUntil(lambda: bool(window.watcher.history(run.path)))

    def offered():
        button = window.view._live._strips[str(run.path)]._smaller
        return "" if button.isHidden() else button.text()

    process = _run_something(window, run)
    assert not offered()
    _kill(qtbot, window, process)
    assert "32" in offered()
    window.switch_theme()
    assert "32" in offered()
    process = _run_something(window, run)
    assert not offered()
    _kill(qtbot, window, process)
    _write(run, RunFinished(step=2, reason="complete"))  # by somebody else
    qtbot.waitUntil(lambda: not offered())


def test_a_run_whose_record_is_not_read_yet_is_not_said_to_be_new(qtbot, make, make_run, monkeypatch):
    run = make_run("bert")
    _write(run, _begun(), _step(1), RunFinished(step=1, reason="complete"))
    monkeypatch.setattr("gui.run_watcher.SLICE_S", 0.0)
    window = make("train")
    window.session.add_run(run)
    strip = window.view._live._strips[str(run.path)]
    assert "reading" in strip._state.text() and strip._go.isHidden()
    monkeypatch.setattr("gui.run_watcher.SLICE_S", 0.003)
    qtbot.waitUntil(lambda: "finished" in strip._state.text())


def test_a_new_run_that_has_no_record_can_be_started(qtbot, make, make_run):
    window, run = make("train"), make_run("bert")
    window.session.add_run(run)
    strip = window.view._live._strips[str(run.path)]
    qtbot.waitUntil(lambda: "not started" in strip._state.text() and not strip._go.isHidden())


def test_validation_is_drawn_as_the_caption_says(qtbot, make, make_run):
    window, run = make("train"), make_run("bert")
    _write(run, _begun(), _step(1), EvalEnd(step=1, metrics={"loss": 2.0}))
    window.session.add_run(run)
    live = window.view._live
    options = live._curves._curves[f"{run.path}/validation"].line.opts
    assert options["pen"].style() == Qt.PenStyle.SolidLine and options["symbol"] == "o"
    assert "lines with dots" in live._caption.text() and not live._caption.isHidden()
    live._which.button("training").click()
    assert live._caption.isHidden()


def test_curves_take_over_the_colours_and_the_names_that_their_runs_get(qtbot, make, make_run):
    window, runs = make("train"), [make_run("one"), make_run("two")]
    for run in runs:
        _write(run, _begun(), _step(1), EvalEnd(step=1, metrics={"loss": 2.5}))
        window.session.add_run(run)
    window.view.show_live()
    curves = window.view._live._curves
    qtbot.waitUntil(lambda: all(len(curve.y.values) for curve in curves._curves.values()))
    one, two = (curves._curves[f"{run.path}/training"] for run in runs)
    before = one.colour, two.colour
    window.session.set_bench([replace(item, colour=1 - item.colour) for item in window.session.bench])
    runs[0].rename("another name")
    window.session.refresh_run(runs[0])
    assert (one.colour, two.colour) == before[::-1] and one.line.opts["pen"].color().name() == before[1].lower()
    assert one.name == "another name" and "another name" in curves._legend.text() and ">one<" not in curves._legend.text()
    valid = curves._curves[f"{runs[0].path}/validation"]
    assert valid.colour == before[1] and "another name" in valid.name and valid.line.opts["symbolBrush"] == before[1]
    assert [len(curve.y.values) for curve in curves._curves.values()] == [1] * 4


def test_only_validation_or_only_training_can_be_drawn(qtbot, make, make_run):
    window, run = make("train"), make_run("bert")
    _write(run, _begun(), _step(1), EvalEnd(step=1, metrics={"loss": 2.0}))
    window.session.add_run(run)
    live = window.view._live
    qtbot.waitUntil(lambda: bool(window.watcher.history(run.path)))
    live._which.button("validation").click()
    assert live._curves.keys() == (f"{run.path}/validation",)
    live._which.button("metric").click()
    assert "none is on the bench" in live._curves.nothing.text()
    live._which.button("both").click()
    assert len(live._curves.keys()) == 2 and "task" not in live._curves.nothing.text()
    window.session.remove_run(run.path)
    assert live._curves.keys() == ()


def test_four_runs_that_learn_are_seen_whole_in_a_small_window(qtbot, make, make_run, monkeypatch):
    window = make("train", "en")
    monkeypatch.setattr("gui.run_process.Processes.alive", lambda *_: True)
    for family in ("word2vec", "elmo", "gpt", "bert"):
        run = make_run(family, family)
        _write(run, _begun(), _step(5), EvalEnd(step=5, metrics={"loss": 2.0}))
        window.session.add_run(run)
    window.resize(1280, 720)
    window.view.show_live()
    live = window.view._live
    qtbot.waitUntil(lambda: live._scroll.height() > 100 and live._scroll.verticalScrollBar().maximum() == 0)
    window.zoom(0.5)
    window.view.show_live()
    heading = window.view._live._heading
    qtbot.waitUntil(lambda: heading.isVisible() and heading.width() >= heading.sizeHint().width())


def test_with_large_words_a_strip_says_its_whole_state(qtbot, make, make_run):
    window = make("train", "en")
    for name in ("one", "two"):
        run = make_run(name)
        _write(run, _begun(), _step(5))
        window.session.add_run(run)
    window.zoom(0.5)
    window.resize(1280, 720)
    window.view._pages.button("live").click()
    QApplication.processEvents()
    states = [strip._state for strip in window.view._live._strips.values()]
    names = [strip._name for strip in window.view._live._strips.values()]
    assert len(states) == 2 and all(state.width() >= state.sizeHint().width() for state in states)
    assert all(name.width() >= name.sizeHint().width() for name in names)


def test_the_losses_name_what_they_are_counted_in_and_which_cannot_be_compared(make_run):
    words, masks = make_run("words", family="word2vec"), make_run("masks")
    _read_with(masks, "char")
    pairs = make_run("pairs", **{"objective.next_sentence": True})
    assert loss_title([masks]) == "Loss, in nats for each token that is guessed"
    assert loss_title([words]) == "Loss, in nats for each guess among negative samples"
    assert loss_title([masks, pairs]) == "Loss, in nats"
    assert "word vectors is not comparable" in loss_title([words, masks])
    read = make_run("read", family="elmo")
    assert read.config.text.tokenizer == "word_char" and loss_title([read]) == loss_title([masks])
    assert loss_title([read, masks]) == loss_title([words, read, masks]) == "Loss, in nats (not comparable: not all guess the same)"
    assert [name_in_legend(run) for run in (words, read, masks)] == ["words (negative samples)", "read (words)", "masks"]


def test_losses_are_compared_by_the_tokens_that_the_texts_were_cut_into(make_run):
    one, same = make_run("one"), make_run("same", family="elmo", **{"text.tokenizer": "char"})
    other, spaced = make_run("other", corpus="en"), make_run("spaced")
    assert {run.config.text.tokenizer for run in (one, other, spaced)} == {"auto"}
    assert "not comparable" not in loss_title([one, same]), "nobody knows yet"
    for run, kind in ((one, "char"), (same, "char"), (other, "wordpiece"), (spaced, "word")):
        _read_with(run, kind)
    assert loss_title([one, same]) == loss_title([one]) == "Loss, in nats for each token that is guessed"
    assert loss_title([one, other]) == "Loss, in nats (not comparable: not all guess the same)"
    assert name_in_legend(spaced) == "spaced (words)"


def test_what_the_axis_holds_is_said_anew_when_a_run_has_read_its_text(qtbot, make, make_run):
    window, one, other = make("train"), make_run("one"), make_run("other", corpus="en")
    _read_with(one, "char")
    for run in (one, other):
        window.session.add_run(run)
    window.view.show_live()
    heading = window.view._live._heading
    assert "not comparable" not in heading.text()
    _read_with(other, "wordpiece")
    _write(other, _begun())
    qtbot.waitUntil(lambda: "not comparable" in heading.text())


def test_a_run_that_is_trained_beside_a_full_bench_stands_first_among_the_strips(make, make_run, monkeypatch):
    window, runs = make("train"), [make_run(str(number)) for number in range(5)]
    for run in runs[:4]:
        window.session.add_run(run)
    with monkeypatch.context() as trained:
        trained.setattr(window.processes, "running", lambda: [runs[2], runs[4]])
        window.view._live._draw()
    assert list(window.view._live._strips) == [str(runs[number].path) for number in (4, 0, 1, 2, 3)]


def test_strips_name_what_is_prepared(qtbot, make, make_run, monkeypatch):
    window, run = make("train"), make_run("bert")
    monkeypatch.setattr(window.processes, "alive", lambda _run: True)
    _write(run, Preparing(stage="reading", done=30, total=100))
    window.session.add_run(run)
    window.view.show_live()
    qtbot.waitUntil(lambda: bool(window.watcher.history(run.path)))
    strip = window.view._live._strips[str(run.path)]
    strip.show_events(window.watcher.history(run.path))
    assert "reading 30%" in strip._state.text()


def test_a_strip_names_no_speed_and_no_time_left_while_its_run_pauses_or_is_prepared(qtbot, make, make_run, monkeypatch):
    window, run = make("train"), make_run("bert")
    monkeypatch.setattr(window.processes, "alive", lambda _run: True)
    _write(run, _begun(), _step(5))
    window.session.add_run(run)
    window.view.show_live()
    strip = window.view._live._strips[str(run.path)]
    for more, speaks in ((RunContinued(step=5), True), (RunPaused(step=5), False), (RunContinued(step=5), True),
                         (Preparing(stage="x", done=0, total=0), False)):
        _write(run, more)
        qtbot.waitUntil(lambda more=more: window.watcher.history(run.path)[-1] == more)
        assert ("tokens/s" in strip._figures.text(), "left" in strip._figures.text()) == (speaks, speaks)


def test_a_strip_says_that_its_run_is_trained_without_probes(make_run):
    assert "no probes" in figures([_begun(), _step(5)], True, make_run("bert", probes=0))
    assert "no probes" not in figures([_begun(), _step(5)], True, make_run("bert"))


def test_a_run_whose_folder_is_gone_does_not_say_that_it_can_go_on(qtbot, make, make_run):
    window, run = make("train"), make_run("bert")
    _write(run, _begun(), _step(1))
    window.session.add_run(run)
    window.view.show_live()
    qtbot.waitUntil(lambda: bool(window.watcher.history(run.path)))
    process = _run_something(window, run)
    run.path.rename(run.path.with_name("elsewhere"))
    strip = window.view._live._strips[str(run.path)]
    for part in (strip._pause, strip._stop):
        window.messages.clear()
        part.click()
        assert "no longer there" in window.messages.texts[0][0]
    _kill(qtbot, window, process)
    assert "its folder is gone" in strip._state.text()
    assert strip._go.isHidden() and strip._smaller.isHidden()


def test_figures_of_a_gpu_run():
    told = [replace(_begun(), device="cuda (a card)"), _step(5, gpu_memory=2 << 30), CheckpointSaved(step=5, path="x", best=True)]
    assert "GPU 2.0 GB" in figures(told, learning=True)
    assert "tokens/s" not in figures(told, learning=False)
    assert figures([], learning=True) == ""


def test_the_seeds_of_runs_that_have_left_the_bench_are_not_told(make, make_run):
    pretrained = make_run("pre")
    run = Run.create(build_finetune(pretrained, "classification", {"task.dev_file": "/there/dev.csv"}, name="tuned"))
    window = make("train")
    window.session.add_run(run)
    window.view.show_live()
    panel = window.view._live
    call = [call for call in panel._services.engine.calls if call.place.endswith("over_seeds")][-1]
    window.session.remove_run(run.path)
    window.session.add_run(pretrained)
    call.on_done([{"name": "tuned", "metric": "accuracy", "end": {"accuracy": {"mean": 0.8, "spread": 0.02}},
                   "best": {"accuracy": {"mean": 0.8, "spread": 0.02}}, "seeds": [0, 1], "runs": 2, "count": 2}])
    assert not panel._over_seeds.isVisible()
