from __future__ import annotations

from itertools import count

import pytest
from PySide6.QtCore import QTimer

from core.events import EvalEnd, EventWriter, RunStarted, StepEnd, to_line
from core.runs import status_of
from gui import run_watcher
from gui.run_watcher import RunWatcher


def _step(number: int) -> StepEnd:
    return StepEnd(step=number, loss=1.0, learning_rate=1e-3, grad_norm=1.0, tokens=number, tokens_per_s=1.0, progress=0.5,
                   elapsed=1.0, seconds_left=1.0, memory=1, metrics={"accuracy": 0.5})


def _started(step: int) -> RunStarted:
    return RunStarted(step=step, device="cpu", precision="fp32", processes=1, threads=1, parameters=1, train_tokens=1,
                      valid_tokens=1, vocab_size=1, total_steps=9, versions={})


@pytest.fixture
def watcher(qtbot):
    made = RunWatcher()
    yield made
    for path in list(made._readers):
        made.unwatch(path)


def test_events_arrive_in_batches_with_their_run(qtbot, watcher, tmp_path):
    writer = EventWriter(tmp_path / "events.jsonl")
    writer.write(_step(1))
    seen = []
    watcher.eventsArrived.connect(lambda path, events: seen.append((path, [event.step for event in events])))
    watcher.watch(tmp_path)
    qtbot.waitUntil(lambda: seen == [(str(tmp_path), [1])])
    writer.write(_step(2))
    writer.write(_step(3))
    qtbot.waitUntil(lambda: seen[1:] == [(str(tmp_path), [2, 3])])
    assert [event.step for event in watcher.history(tmp_path)] == [1, 2, 3]
    writer.close()


def test_the_newest_of_each_kind_tell_the_same_as_the_whole_story(qtbot, watcher, tmp_path):
    writer = EventWriter(tmp_path / "events.jsonl")
    for event in (_started(0), EvalEnd(step=0, metrics={"loss": 3.0}), *map(_step, range(1, 500))):
        writer.write(event)
    watcher.watch(tmp_path)
    qtbot.waitUntil(lambda: watcher.is_caught_up(tmp_path))
    assert watcher.newest(tmp_path) == [event for event in watcher.history(tmp_path) if event.step in (0, 499)]
    writer.write(_step(500))
    qtbot.waitUntil(lambda: watcher.newest(tmp_path)[-1].step == 500)
    assert [type(event) for event in watcher.newest(tmp_path)] == [RunStarted, EvalEnd, StepEnd]
    writer.write(_started(200))  # it went on from there: what came after is void
    qtbot.waitUntil(lambda: [event.step for event in watcher.newest(tmp_path)] == [0, 200, 200])
    assert status_of(watcher.newest(tmp_path), alive=True) == status_of(watcher.history(tmp_path), alive=True)
    writer.close()
    watcher.unwatch(tmp_path)
    assert watcher.newest(tmp_path) == []


def test_a_run_that_has_written_nothing_is_no_error(qtbot, watcher, tmp_path):
    with qtbot.waitSignal(watcher.caughtUp):
        watcher.watch(tmp_path / "nowhere")
        watcher._look()


def test_a_file_that_cannot_be_read_is_no_error_and_holds_up_no_other(qtbot, watcher, tmp_path):
    (tmp_path / "bad" / "events.jsonl").mkdir(parents=True)
    (tmp_path / "good").mkdir()
    watcher.watch(tmp_path / "bad")
    watcher.watch(tmp_path / "good")
    writer = EventWriter(tmp_path / "good" / "events.jsonl")
    writer.write(_step(1))
    writer.close()
    qtbot.waitUntil(lambda: len(watcher.history(tmp_path / "good")) == 1)


def test_half_a_line_waits_until_it_is_whole(qtbot, watcher, tmp_path):
    path = tmp_path / "events.jsonl"
    line = to_line(_step(1)) + "\n"
    path.write_text(line + line[:30])
    watcher.watch(tmp_path)
    qtbot.waitUntil(lambda: len(watcher.history(tmp_path)) == 1)
    with path.open("a") as file:
        file.write(line[30:])
    qtbot.waitUntil(lambda: len(watcher.history(tmp_path)) == 2)


def test_history_leaves_out_what_a_resumed_run_took_back(qtbot, watcher, tmp_path):
    writer = EventWriter(tmp_path / "events.jsonl")
    for event in (_started(0), _step(1), _step(2), _step(3), _started(1), _step(2)):
        writer.write(event)
    writer.close()
    watcher.watch(tmp_path)
    qtbot.waitUntil(lambda: watcher.is_caught_up(tmp_path))
    assert [event.step for event in watcher.history(tmp_path) if isinstance(event, StepEnd)] == [1, 2]


def test_two_who_watch_need_two_who_stop(qtbot, watcher, tmp_path):
    watcher.watch(tmp_path)
    watcher.watch(tmp_path)
    watcher.unwatch(tmp_path)
    assert watcher._timer.isActive()
    watcher.unwatch(tmp_path)
    assert not watcher._timer.isActive()


def test_what_nobody_follows_any_more_is_forgotten_and_read_anew(qtbot, watcher, tmp_path, monkeypatch):
    gone, other = tmp_path / "gone", tmp_path / "other"
    for folder in (gone, other):
        folder.mkdir()
        (folder / "events.jsonl").write_text(to_line(_step(1)) + "\n")
        watcher.watch(folder)
    qtbot.waitUntil(lambda: watcher.is_caught_up(gone) and watcher.is_caught_up(other))
    with monkeypatch.context() as patch:
        patch.setattr(run_watcher, "SLICE_S", 0.0)
        watcher._look()  # there is no time for it now: both are still to be read
    watcher.unwatch(gone)
    watcher._read()
    assert watcher.history(gone) == [] and not watcher.is_caught_up(gone) and len(watcher.history(other)) == 1
    told = []
    watcher.caughtUp.connect(told.append)
    watcher.watch(gone)
    qtbot.waitUntil(lambda: told == [str(gone)])
    assert len(watcher.history(gone)) == 1


def test_a_long_story_never_holds_the_window_up(qtbot, watcher, tmp_path, monkeypatch):
    """30,000 events: all arrive in order, and by a clock that passes a slice with every second piece the loop has its turn between any two."""
    total = 30_000
    (tmp_path / "events.jsonl").write_text("".join(to_line(_step(number)) + "\n" for number in range(total)))
    clock = count()
    monkeypatch.setattr(run_watcher, "perf_counter", lambda: next(clock) * run_watcher.SLICE_S / 2)
    seen: list[int] = []
    batches: list[int] = []
    turns: list[int] = []

    def arrived(_path: str, events: list) -> None:
        seen.extend(event.step for event in events)
        batches.append(len(events))

    watcher.eventsArrived.connect(arrived)
    timer = QTimer(interval=0)
    timer.timeout.connect(lambda: turns.append(len(batches)))
    timer.start()
    watcher.watch(tmp_path)
    qtbot.waitUntil(lambda: watcher.is_caught_up(tmp_path), timeout=60_000)
    timer.stop()
    assert seen == list(range(total))
    assert max(batches) <= 2 * run_watcher.PIECE_BYTES // len(to_line(_step(0)))
    assert len(set(turns)) >= len(batches) - 1 > 100
