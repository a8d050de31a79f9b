from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QLabel

from core import config
from core.errors import UserError
from core.events import EventWriter, RunFinished, RunStarted, StepEnd
from core.exchange import pack, shipped
from core.runs import Run, list_runs
from core.text import builtin
from core.text.specimens import read_specimens
from gui.run_queue import RunQueue, queue_of
from gui.views.start import demo
from gui.views.start.view import RecentRow, ago
from tests.gui.direct_engine import DirectEngine
from tests.gui.real_views import real_windows


@pytest.fixture
def make(monkeypatch):
    with real_windows(monkeypatch, DirectEngine) as found:
        yield found


@pytest.fixture
def started(monkeypatch):
    """Runs are noted instead of trained."""
    noted = []
    monkeypatch.setattr("gui.run_process.Processes.start", lambda self, run: noted.append(run))
    return noted


@pytest.fixture
def nothing_ships(monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "MODELS", tmp_path / "models")


class FakeProcesses(QObject):
    started = Signal(str)
    ended = Signal(str, object)

    def __init__(self):
        super().__init__()
        self.names, self.refused = [], ()

    def start(self, run):
        if run.name in self.refused:
            raise UserError("No.")
        self.names.append(run.name)
        self.started.emit(str(run.path))


def _step(share: float) -> StepEnd:
    return StepEnd(step=round(100 * share), loss=2.0, learning_rate=0.1, grad_norm=1.0, tokens=100, tokens_per_s=9.0, progress=share, elapsed=1.0,
                   seconds_left=1.0, memory=1, metrics={})


def test_the_demo_words_are_those_of_the_built_in_text():
    assert demo.WORDS == builtin.STARS


@pytest.mark.parametrize(("cores", "at_once", "threads"), [(1, 1, 1), (2, 1, 2), (4, 2, 2), (16, 3, 5)])
def test_no_more_is_trained_at_once_than_the_machine_can_bear(cores, at_once, threads):
    made = demo.plan(cores)
    assert (made.at_once, made.threads) == (at_once, threads)


def test_a_queue_trains_one_after_another(qtbot, make_run):
    processes = FakeProcesses()
    queue, failed = RunQueue(processes), []
    queue.failed.connect(failed.append)
    runs = [make_run(name) for name in "abc"]
    processes.refused = ("b",)
    queue.start(runs)
    assert processes.names == ["a"]
    assert [run.name for run in queue.waiting] == ["b", "c"]
    processes.ended.emit("somebody else", None)
    assert processes.names == ["a"]
    processes.ended.emit(str(runs[0].path), None)
    assert processes.names == ["a", "c"]
    assert len(failed) == 1
    processes.ended.emit(str(runs[2].path), None)
    assert not queue.busy


def test_a_queue_trains_several_at_once_and_lets_go(qtbot, make_run):
    processes = FakeProcesses()
    queue = queue_of(processes)
    assert queue_of(processes) is queue
    runs = [make_run(name) for name in "abc"]
    queue.start(runs, at_once=2)
    assert processes.names == ["a", "b"]
    queue.drop(runs[2].path)
    assert not queue.waiting


def test_while_the_queue_is_held_none_begins(qtbot, make_run):
    processes = FakeProcesses()
    queue = queue_of(processes)
    runs = [make_run(name) for name in "ab"]
    queue.start(runs)
    queue.hold(True)
    processes.ended.emit(str(runs[0].path), None)
    assert processes.names == ["a"] and [run.name for run in queue.waiting] == ["b"]
    queue.hold(False)
    assert processes.names == ["a", "b"]


def test_a_run_that_somebody_else_starts_waits_no_more(qtbot, make_run):
    processes = FakeProcesses()
    queue = queue_of(processes)
    runs = [make_run(name) for name in "abc"]
    queue.start(runs)
    processes.started.emit(str(runs[1].path))
    assert [run.name for run in queue.waiting] == ["c"]


@pytest.mark.parametrize("config", [made for language in demo.WORDS for made in demo.demo_configs(language)], ids=lambda made: made.name)
def test_what_ships_is_what_the_demo_would_train_today(config, tmp_path):
    """Its settings, its text and its sentences: or its figures would be those of another program. `python -m benchmarks.shipped` makes it anew."""
    run = Run.open(pack.unpack(shipped.packed(config), tmp_path / "run").run)
    (begun,) = (event for event in run.events() if isinstance(event, RunStarted))
    assert begun.text == builtin.content_hash(config.text.corpus)
    assert read_specimens(run.specimens_path) == builtin.specimens(config.text.corpus, config.watch.word)
    assert run.status().state == "finished" and list(run.whole_steps()) == [run.status().step]
    assert run.probe_steps()[-1] == run.status().step and len(run.probe_steps()) > 5


def test_the_page_waits_for_no_heavy_library_to_know_what_ships():
    asked = [sys.executable, "-c", "import sys, core.exchange.shipped; print('torch' in sys.modules)"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split() == ["False"]


def test_one_click_opens_the_demo_that_ships_and_trains_nothing(qtbot, make, started):
    window = make("start", "zh_CN")
    qtbot.waitUntil(lambda: window.view._anew.isVisible())
    for _ in range(2):  # the second time they are there
        window.view._go.click()
        assert not window.view._go.isEnabled()
        qtbot.waitUntil(lambda: window._name == "senses")
        window.show_view("start")
        qtbot.waitUntil(window.view._go.isEnabled)
    assert [item.run.config.family for item in window.session.bench] == ["word2vec", "elmo", "gpt", "bert"]
    assert {item.run.status().state for item in window.session.bench} == {"finished"} and len(list_runs()) == 4
    assert window.session.word == "苹果" and not started


def test_what_was_clicked_is_what_opens_whatever_is_chosen_meanwhile(qtbot, make, started):
    window = make("start", "zh_CN")
    window.view._go.click()
    window.view._choice.button("en").click()
    qtbot.waitUntil(lambda: window._name == "senses")
    assert window.session.word == "苹果" and {item.run.config.text.corpus for item in window.session.bench} == {"zh"}


def test_who_has_gone_elsewhere_meanwhile_keeps_the_bench(qtbot, make, make_run, started):
    window = make("start", "zh_CN")
    window.view._go.click()
    window.show_view("runs")
    window.session.add_run(make_run("mine"))
    qtbot.waitUntil(lambda: len(list_runs()) == 5)
    qtbot.waitUntil(lambda: not window._views["start"]._opening)
    assert window._name == "runs" and [item.run.name for item in window.session.bench] == ["mine"]


def test_a_demo_that_is_being_trained_is_looked_at_wherever_its_runs_are(qtbot, make, started, monkeypatch):
    for made in demo.demo_configs("zh"):
        writer = EventWriter(Run.create(made).events_path)
        writer.write(RunStarted(step=0, device="cpu", precision="fp32", processes=1, threads=1, parameters=1, train_tokens=1, valid_tokens=1,
                                vocab_size=9, total_steps=0, versions={}))
        writer.close()
    monkeypatch.setattr(Run, "worker_pid", lambda self: 1)
    assert {state for _, state in shipped.found(demo.demo_configs("zh"))} == {"running"}


def test_every_card_is_whole_in_the_smallest_window(qtbot, make):
    window = make("start")
    window.resize(1024, 640)
    qtbot.waitUntil(lambda: window.view._anew.isVisible())
    cards = [window.view._cards.itemAt(place).widget() for place in range(3)]
    qtbot.waitUntil(lambda: all(card.mapTo(window.view, card.rect().topRight()).x() < window.view.width() for card in cards))


def test_with_large_letters_the_buttons_of_the_cards_are_whole(qtbot, make):
    window = make("start")
    window.resize(1280, 720)
    window.settings.folded = True
    window.zoom(0.5)
    qtbot.waitUntil(lambda: window.view._anew.isVisible())
    qtbot.waitUntil(lambda: all(one.width() >= one.sizeHint().width() for one in (window.view._go, window.view._anew)))


def test_a_demo_that_cannot_be_unpacked_says_why_and_can_be_trained(qtbot, make, started, monkeypatch):
    def refuse(path, *_):
        raise UserError("The disk is full.", "Free some space.")

    window = make("start", "zh_CN")
    monkeypatch.setattr(pack, "unpack", refuse)
    window.view._go.click()
    qtbot.waitUntil(lambda: window.messages.texts != [])
    assert window.messages.texts[0][0] == "The disk is full." and window.view._go.isEnabled() and window._name == "start"
    qtbot.waitUntil(window.view._anew.isVisible)
    window.view._anew.click()
    assert started


def test_what_was_broken_off_here_does_not_stand_in_the_way_of_what_ships(qtbot, make, started):
    for made in demo.demo_configs("en"):
        Run.create(made)
    window = make("start")
    window.view._go.click()
    qtbot.waitUntil(lambda: window._name == "senses")
    assert {item.run.status().state for item in window.session.bench} == {"finished"} and not started


def test_one_click_trains_the_demo_where_nothing_ships_and_shows_the_senses(qtbot, make, started, nothing_ships):
    window = make("start", "zh_CN")
    window.view._go.click()
    qtbot.waitUntil(lambda: window._name == "senses")
    assert [item.run.config.family for item in window.session.bench] == ["word2vec", "elmo", "gpt", "bert"]
    assert window.session.word == "苹果"
    assert len(window.session.specimens) > 10
    assert started[0].config.family == "word2vec"
    assert all(run.config.watch.word == "苹果" for run in started)


def test_the_english_demo_is_a_choice_that_is_remembered(qtbot, make, started):
    window = make("start", "zh_CN")
    window.view._choice.button("en").click()
    window.view._go.click()
    qtbot.waitUntil(lambda: window._name == "senses")
    assert window.session.word == "apple"
    assert {item.run.config.text.corpus for item in window.session.bench} == {"en"}
    window.show_view("start")
    window.set_theme("dark")
    assert window.view._language == "en"


def test_a_trained_demo_opens_at_once_and_can_be_trained_anew(qtbot, make, started):
    for made in demo.demo_configs("en"):
        run = Run.create(replace(made, train=replace(made.train, threads=5)))
        writer = EventWriter(run.events_path)
        writer.write(RunFinished(step=1, reason="complete"))
        writer.close()
    window = make("start")
    qtbot.waitUntil(lambda: window.view._anew.isVisible())
    view = window.view
    view._go.click()
    qtbot.waitUntil(lambda: len(window.session.bench) == 4)
    assert not started
    view._anew.click()
    assert started
    assert len(list_runs()) == 8


def test_a_demo_that_was_broken_off_goes_on_instead_of_beginning_anew(qtbot, make, started, nothing_ships):
    for made in demo.demo_configs("en"):
        Run.create(made)
    window = make("start")
    view = window.view
    view._go.click()
    qtbot.waitUntil(lambda: window._name == "senses")
    assert len(list_runs()) == 4
    assert started


def test_recent_runs_stand_beneath_and_open(qtbot, make, make_run):
    make_run("an old one")
    window = make("start")
    rows = window.view.findChildren(RecentRow)
    qtbot.waitUntil(lambda: len(window.view.findChildren(RecentRow)) == 1)
    rows = window.view.findChildren(RecentRow)
    qtbot.mouseClick(rows[0], Qt.MouseButton.RightButton)
    assert not window.session.bench
    qtbot.mouseClick(rows[0], Qt.MouseButton.LeftButton)
    assert [item.run.name for item in window.session.bench] == ["an old one"]
    assert window._name == "senses"


def test_a_run_s_whole_story_is_not_gone_through_for_every_batch_of_it(qtbot, make, make_run, monkeypatch):
    window, run, asked = make("start"), make_run("mine", "gpt"), []
    window.session.add_run(run)
    window.view._refresh()
    qtbot.waitUntil(lambda: window.view.findChild(RecentRow) is not None)
    writer = EventWriter(run.events_path)
    for share in (0.25, 0.5):
        writer.write(_step(share))
        qtbot.waitUntil(lambda share=share: window.view.findChild(RecentRow)._bar.value() == 1000 * share)
        monkeypatch.setattr(window.watcher, "history", asked.append)
    writer.close()
    assert not asked


def test_when_a_run_was_changed_is_read_whole_with_large_letters(qtbot, make, make_run):
    make_run("an old one")
    window = make("start")
    window.zoom(0.5)
    qtbot.waitUntil(lambda: len(window.view.findChildren(RecentRow)) == 1)
    when = next(label for label in window.view.findChild(RecentRow).findChildren(QLabel) if label.text() == ago(0))
    assert when.width() >= when.fontMetrics().horizontalAdvance(ago(59 * 60))


def test_a_folder_that_is_no_run_is_said_to_be_none(qtbot, make, tmp_path):
    window = make("start")
    window.view.open_run(str(tmp_path))
    assert "config.json" in window.messages.texts[0][0]
    assert window._name == "start"


def test_the_text_card_leads_to_where_files_are_chosen(qtbot, make):
    window = make("start")
    window.view._to_text()
    assert window._name == "corpus" and window.view._source.value == "files"
    window.view._source.button("en").click()
    window.show_view("start")
    window.view._to_text()
    assert window.view._source.value == "files", "the view was there already"


@pytest.mark.parametrize(("seconds", "words"), [(5, "just now"), (130, "2 min"), (7300, "2 h"), (200_000, "2 d")])
def test_how_long_ago(seconds, words):
    assert words in ago(seconds)


def test_the_demo_runs_are_quick_runs():
    for made in demo.demo_configs("zh"):
        plain = config.build(made.family, "quick")
        assert made.model == plain.model
        assert made.train.minutes == plain.train.minutes
