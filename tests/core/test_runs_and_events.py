"""A run's folder and its story: torn lines, void steps, states, deletion and its undo."""

from __future__ import annotations

import dataclasses
import errno
import math
import os
import shutil
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import psutil
import pytest

from core import config, events, runs, trash
from core.errors import UserError


@pytest.fixture
def run(tmp_path: Path) -> runs.Run:
    return runs.Run.create(config.build("bert", "quick", {"steps": 10}), tmp_path / "runs" / "one")


def step(number: int, **more: float) -> events.StepEnd:
    return events.StepEnd(step=number, loss=1.0, learning_rate=0.1, grad_norm=1.0, tokens=1, tokens_per_s=1.0, progress=number / 10,
                          elapsed=1.0, seconds_left=1.0, memory=1, **more)


def started(number: int) -> events.RunStarted:
    return events.RunStarted(step=number, device="cpu", precision="fp32", processes=1, threads=1, parameters=1, train_tokens=1,
                             valid_tokens=1, vocab_size=9, total_steps=10, versions={})


def test_a_run_whose_folder_is_gone_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="The run mine is not there") as gone:
        runs.Run.open(tmp_path / "mine")
    assert "put it back, or take it off the bench" in gone.value.hint
    with pytest.raises(UserError, match="is not a run"):
        runs.Run.open(tmp_path)


def test_events_survive_the_file_and_what_is_not_finite_too() -> None:
    for event in (step(3, metrics={"accuracy": 0.5}), started(0), events.EvalEnd(step=1, metrics={"loss": 2.0})):
        assert events.from_line(events.to_line(event)) == event
    again = events.from_line(events.to_line(events.EvalEnd(step=1, metrics={"loss": math.inf})))
    assert math.isnan(again.metrics["loss"])


@pytest.mark.parametrize("line", ["", "{", "[]", "null", '{"type": "Nothing"}', '{"type": "StepEnd"}', '{"step": 1}'])
def test_a_line_that_is_not_ours_is_passed_over(line: str) -> None:
    assert events.from_line(line) is None


def test_a_torn_last_line_is_left_until_whole_and_cut_by_the_next_writer(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    writer = events.EventWriter(path)
    writer.write(step(1))
    writer.close()
    whole = path.read_bytes()
    torn = events.to_line(step(2)).encode()
    path.write_bytes(whole + torn[:20])
    reader = events.EventReader(path)
    assert reader.read() == [step(1, time=reader_time(whole))]
    path.write_bytes(whole + torn + b"\n")
    assert [event.step for event in reader.read()] == [2]
    path.write_bytes(whole + torn[:20])
    writer = events.EventWriter(path)
    writer.write(step(3))
    writer.close()
    assert [event.step for event in events.EventReader(path).read()] == [1, 3]


def test_a_story_that_was_cut_is_told_from_its_beginning_and_a_long_line_does_not_stop_it(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    lines = [events.to_line(event) + "\n" for event in (step(1), step(2), events.RunFailed(step=2, message="no", traceback="x" * 1000), step(3))]
    path.write_text("".join(lines))
    reader = events.EventReader(path)
    assert [event.step for _ in range(4) for event in reader.read(100)] == [1, 2, 2, 3], "piece by piece, each shorter than a line"
    assert reader.read(100) == []
    path.write_text(lines[3])
    assert [event.step for event in reader.read()] == [3]


def reader_time(line: bytes) -> float:
    return events.from_line(line.decode()).time


def test_steps_after_the_checkpoint_that_a_run_went_on_from_are_void() -> None:
    told = [started(0), step(1), step(2), step(3), started(2), step(3), events.RunFinished(step=3, reason="complete")]
    assert [event.step for event in events.story(told)] == [0, 1, 2, 2, 3, 3]
    told = [started(0), step(1), events.RunFinished(step=1, reason="stopped"), started(1), step(2)]
    assert not any(isinstance(event, events.RunFinished) for event in events.story(told)), "it has not ended"


def test_states(run: runs.Run) -> None:
    assert run.status().state == "new"
    for event, state in [(events.Preparing(stage="x", done=0, total=0), "preparing"), (started(0), "running"), (step(2), "running"),
                         (events.RunPaused(step=2), "paused"), (events.RunContinued(step=2), "running"),
                         (events.RunFailed(step=2, message="no"), "failed"), (started(2), "running"),
                         (events.Preparing(stage="x", done=0, total=0), "preparing"), (events.RunFinished(step=10, reason="complete"), "finished")]:
        writer = events.EventWriter(run.events_path)
        writer.write(event)
        writer.close()
        assert runs.status_of(run.events(), alive=True).state == state
    assert run.status().progress == 1.0, "also where it ended early"
    writer = events.EventWriter(run.events_path)
    writer.write(started(10))
    writer.close()
    assert run.status().state == "killed"


def test_a_run_is_claimed_by_one_process_at_a_time(run: runs.Run) -> None:
    run.claim()
    assert run.worker_pid() == os.getpid()
    other = psutil.Process(os.getppid())
    runs.write_atomically(run.path / "worker.json", f'{{"pid": {other.pid}, "created": {other.create_time()}}}')
    with pytest.raises(UserError, match="already open"):
        run.claim()
    runs.write_atomically(run.path / "worker.json", f'{{"pid": {other.pid}, "created": {other.create_time() - 100}}}')
    assert run.worker_pid() is None, "the pid is another process's by now"


def test_a_number_beyond_all_measure_takes_no_event_out_of_the_story(run: runs.Run) -> None:
    writer = events.EventWriter(run.events_path)
    writer.write(dataclasses.replace(step(1), grad_norm=3e25, metrics={"loss": -1e300}))
    writer.close()
    [told] = run.events()
    assert (told.grad_norm, told.metrics["loss"]) == (events.LARGEST_NUMBER, -events.LARGEST_NUMBER)


def test_a_best_checkpoint_that_cannot_be_read_now_is_not_said_to_be_missing(run: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(_checkpoint: Path) -> bool:
        raise PermissionError(errno.EACCES, "locked", "state.json")

    run.checkpoint_path(4).mkdir()
    monkeypatch.setattr(runs, "_is_best", locked)
    with pytest.raises(UserError, match="no permission"):
        run.named_step(runs.BEST)


def test_a_command_that_cannot_be_taken_back_is_said(run: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, "read-only")

    run.command("stop")
    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(UserError, match="only be read"):
        run.withdraw("stop")


def test_of_two_that_claim_a_run_at_the_same_moment_one_gets_it(run: runs.Run) -> None:
    code = f"""
import pathlib, time
from core.errors import UserError
from core.runs import Run
run, look = Run.open(pathlib.Path({str(run.path)!r})), Run.worker_pid
def slowly(self):
    found = look(self)
    time.sleep(0.5)
    return found
Run.worker_pid = slowly
print("ready", flush=True)
input()
try:
    run.claim()
    print("mine", flush=True)
except UserError as error:
    print(error.message, flush=True)
input()
"""
    both = [subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [one.stdout.readline() for one in both] == ["ready\n"] * 2
    for one in both:
        one.stdin.write("\n")
        one.stdin.flush()
    said = sorted(one.stdout.readline() for one in both)
    for one in both:
        one.communicate("\n")
    assert said[1] == "mine\n" and "already open" in said[0], said


def test_a_worker_is_known_again_after_the_clock_was_set(run: runs.Run) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "worker", str(run.path)])
    created = psutil.Process(other.pid).create_time() - 100
    runs.write_atomically(run.path / "worker.json", f'{{"pid": {other.pid}, "created": {created}}}')
    assert run.worker_pid() == other.pid
    other.kill()
    other.wait()
    assert run.worker_pid() is None


def test_a_worker_that_has_died_and_was_not_waited_for_works_on_nothing(run: runs.Run) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = psutil.Process(other.pid)
    runs.write_atomically(run.path / "worker.json", f'{{"pid": {other.pid}, "created": {process.create_time()}}}')
    assert run.worker_pid() == other.pid
    other.kill()
    deadline = time.monotonic() + 10
    while process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.01)
    assert run.worker_pid() is None
    other.communicate()


def test_a_new_folder_differs_from_the_others_by_more_than_case() -> None:
    made = [runs.Run.create(config.build("bert", "quick", {"text.files": (f"{name}.txt",)})).path.name for name in ("Reviews", "reviews")]
    assert made == ["bert-Reviews", "bert-reviews-2"]
    assert runs.free_place("BERT-reviews", "-seed1").name == "BERT-reviews-seed1", "a suffix counts"
    assert [runs.free_place(name).name for name in ("bert-REVIEWS", "?", "a b/苹果.")] == ["bert-REVIEWS-3", "run", "a-b-苹果"]
    tracemalloc.start()
    assert runs.free_place("bert-REVIEWS").name == "bert-REVIEWS-3"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000, "no more names are made than are looked at"


def test_a_new_run_does_not_take_the_folder_of_a_deleted_one() -> None:
    settings = config.build("bert", "quick")
    first = runs.Run.create(settings)
    place = trash.delete(first)
    second = runs.Run.create(settings)
    assert trash.restore(place).path == first.path != second.path


def test_delete_and_undo(run: runs.Run) -> None:
    place = trash.delete(run)
    assert not run.path.exists()
    found, = trash.trashed(run.path.parent)
    assert (found.place, found.name) == (place, run.name) and abs(found.deleted - time.time()) < 60
    assert trash.restore(place).config == run.config
    assert run.path.exists()
    first = trash.delete(run)
    again = runs.Run.create(run.config, run.path)
    beside = trash.restore(first)
    assert beside.path.parent == run.path.parent and beside.path != run.path and beside.config == run.config, "another run took its folder"
    first, second = trash.delete(beside), trash.delete(again)
    assert [one.place for one in trash.trashed(run.path.parent)] == [second, first], "what was deleted last first"


@pytest.mark.parametrize(("system", "variable", "usual"), [("linux", "XDG_DATA_HOME", ".local/share/lexiscope"),
                                                          ("win32", "LOCALAPPDATA", "AppData/Local/Lexiscope")])
def test_a_place_that_is_empty_or_relative_is_no_home(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, variable: str, usual: str) -> None:
    monkeypatch.delenv(runs.HOME_VARIABLE)
    monkeypatch.setattr(runs.sys, "platform", system)
    for given in ("", "share", "./share"):
        monkeypatch.setenv(variable, given)
        assert runs.home() == Path.home() / usual
    monkeypatch.setenv(variable, str(tmp_path))
    assert runs.home() == tmp_path / Path(usual).name


def test_runs_are_listed_by_when_their_settings_were_written_the_newest_first(run: runs.Run) -> None:
    other = runs.Run.create(run.config, run.path.parent / "two")
    for chosen, wanted in ((run, ["one", "two"]), (other, ["two", "one"])):
        time.sleep(0.02)  # the clock of files is coarse
        chosen.rename(" named ")
        assert [found.path.name for found in runs.list_runs(run.path.parent)] == wanted
    with pytest.raises(UserError, match="needs a name"):
        run.rename("  ")
    assert runs.Run.open(run.path).name == "named"


def test_a_folder_that_is_being_filled_is_no_run_yet(run: runs.Run) -> None:
    shutil.copytree(run.path, run.path.with_name(".another.77.tmp"))
    assert runs.run_folders(run.path.parent) == [run.path]


def test_what_was_deleted_elsewhere_is_found_again(tmp_path: Path) -> None:
    there, here = (runs.Run.create(config.build("bert", "quick"), path) for path in (tmp_path / "elsewhere" / "one", None))
    for made in (there, here):
        trash.delete(made)
    assert [one.place.parent.parent for one in trash.trashed()] == [runs.runs_home(), tmp_path / "elsewhere"] and trash.has_trash()
    trash.restore(trash.trashed()[1].place)
    assert there.path.exists()
    trash.delete(there)
    (runs.home() / trash.TRASHES).write_text("[[1]]", encoding="utf-8")
    assert len(trash.trashed()) == 1, "a damaged note costs the note alone"
    there.path.mkdir()
    (there.path / "config.json").write_text((next((tmp_path / "elsewhere" / trash.TRASH).iterdir()) / "config.json").read_text(encoding="utf-8"))
    trash.delete(there)
    trash.empty_trash()
    assert not trash.trashed() and not list((tmp_path / "elsewhere" / trash.TRASH).iterdir())


def test_a_link_and_one_that_cannot_be_removed_do_not_keep_the_others_in_the_trash(run: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, removed = run.path.parent / "here", shutil.rmtree
    folder.mkdir()
    (folder / "linked").symlink_to(run.path)
    trash.delete(runs.Run.open(folder / "linked"))
    trash.delete(runs.Run.create(run.config, folder / "two"))
    held = trash.delete(runs.Run.create(run.config, folder / "three"))

    def refuses(path: Path) -> None:
        if path == held:
            raise PermissionError(errno.EACCES, "Permission denied")
        removed(path)

    monkeypatch.setattr(trash.shutil, "rmtree", refuses)
    with pytest.raises(UserError, match="cannot be deleted: no permission"):
        trash.empty_trash(folder)
    assert [one.place for one in trash.trashed(folder)] == [held] and run.path.exists()


def test_an_existing_folder_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        runs.Run.create(config.build("bert", "quick"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"format": 99}', '{"format": 1}', '{"format": 1, "family": "lstm"}'])
def test_what_is_no_run_is_refused_in_words(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(UserError) as refused:
        runs.Run.open(tmp_path)
    assert refused.value.hint and "Expecting" not in refused.value.hint, "the decoder's words are no advice"


def test_only_what_leaves_the_steps_alone_may_change(run: runs.Run) -> None:
    run.change({"micro_batch_size": "8", "steps": "20"})
    assert runs.Run.open(run.path).config.train.micro_batch_size == 8
    with pytest.raises(UserError, match="cannot change"):
        run.change({"hidden_size": "32"})


def test_what_somebody_else_has_changed_meanwhile_stays(run: runs.Run) -> None:
    other = runs.Run.open(run.path)
    other.change({"steps": 9000})
    other.rename("mine")
    run.change({"micro_batch_size": 4})
    run.rename("ours")
    other.change({"threads": 1})
    found = runs.Run.open(run.path).config
    assert (found.train.steps, found.train.micro_batch_size, found.train.threads, found.name) == (9000, 4, 1, "ours")
    assert other.config == found


def test_a_given_end_takes_the_place_of_those_that_ended_the_run(run: runs.Run) -> None:
    for given, ends in (({"train.minutes": "3", "epochs": "2"}, (0, 2.0, 3.0)), ({"threads": "1"}, (0, 2.0, 3.0)), ({"minutes": "0"}, (0, 2.0, 0.0)),
                        ({"train.steps": "9000"}, (9000, 0.0, 0.0))):
        run.change(given)
        train = runs.Run.open(run.path).config.train
        assert (train.steps, train.epochs, train.minutes) == ends
    with pytest.raises(UserError, match="no end"):
        run.change({"steps": "0"})


def test_a_run_that_a_full_disk_has_no_room_for_leaves_nothing_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(UserError, match="the disk is full"):
        patch.setattr(runs, "write_atomically", full)
        runs.Run.create(config.build("bert", "quick"), tmp_path / "one")
    assert not list(tmp_path.iterdir())
    runs.Run.create(config.build("bert", "quick"), tmp_path / "one")
