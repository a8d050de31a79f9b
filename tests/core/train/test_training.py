"""Runs from start to end: the story, stop and resume bit for bit, kill -9, two processes, what goes wrong."""

from __future__ import annotations

import errno
import itertools
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch
from safetensors import SafetensorError

from core import checkpoints, cli, events, launch, trash
from core import config as configs
from core.errors import DISK_FULL, UserError
from core.families.learning import LearnerState, StepResult
from core.registry import FAMILIES, family, load
from core.runs import Run, home
from core.text.specimens import read_specimens
from core.train import gradient, loop, optim, worker
from core.train.device import Device
from tests.helpers.runs import make_run
from tests.helpers.saved import saved_run
from tests.helpers.tiny_corpus import FIRST, make_corpus, make_split, random_documents

GRADIENT_FAMILIES = ["bert", "gpt", "elmo"]


@pytest.fixture(autouse=True)
def _leave_the_process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker lowers its priority and listens to signals; the tests' process keeps its own."""
    monkeypatch.setattr(worker, "_listen", lambda: lambda: False)


def weights(run: Run) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in checkpoints.load(run).model.items()}


def assert_same_weights(one: Run, other: Run) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    for name in first:
        assert first[name].tobytes() == second[name].tobytes(), name


@pytest.mark.parametrize("family", FAMILIES)
def test_a_run_tells_its_story_and_leaves_what_it_promises(tmp_path: Path, family: str) -> None:
    run = make_run(tmp_path, family)
    assert worker.work(run.path) == 0, (run.path / "events.jsonl").read_text()
    told = run.events()
    kinds = {type(event) for event in told}
    assert {events.Preparing, events.RunStarted, events.StepEnd, events.EvalEnd, events.ProbeSaved, events.CheckpointSaved,
            events.RunFinished} <= kinds
    steps = [event for event in told if isinstance(event, events.StepEnd)]
    assert steps[-1].step == 12 and steps[-1].progress == 1.0 and steps[-1].tokens > 0 and math.isfinite(steps[-1].loss)
    assert run.status().state == "finished" and told[-1].step == 12
    assert run.worker_pid() is None
    assert run.probe_steps()[0] == 0 and run.probe_steps()[-1] == 12
    with np.load(run.probe_path(12), allow_pickle=False) as probe:
        assert probe["vectors"].shape[1] == 12 and np.isfinite(probe["vectors"].astype(float)).all()
    assert run.checkpoint_steps()[-1] == 12
    assert len(run.checkpoint_steps()) <= checkpoints.KEPT + 1
    assert all(checkpoints.intact(run.checkpoint_path(step)) for step in run.checkpoint_steps())


@pytest.mark.parametrize("family", FAMILIES)
def test_stopped_and_resumed_is_bit_identical_to_undisturbed(tmp_path: Path, family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed, stopped = make_run(tmp_path, family, **_dropout(family)), make_run(tmp_path, family, **_dropout(family))
    worker.work(undisturbed.path)

    def stop_after_five(_run: Run, name: str) -> bool:
        return name == "stop" and (_run.path / "count").exists() and len((_run.path / "count").read_bytes()) > 5

    original = loop.Loop._agree

    def counted(self: loop.Loop, begun: float) -> tuple[float, int]:
        with (self.run.path / "count").open("ab") as file:
            file.write(b".")
        return original(self, begun)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "commanded", stop_after_five)
        patch.setattr(loop.Loop, "_agree", counted)
        worker.work(stopped.path)
    assert stopped.status().state == "stopped"
    assert 0 < stopped.status().step < 12
    worker.work(stopped.path)
    assert stopped.status().state == "finished"
    assert_same_weights(undisturbed, stopped)


def _dropout(family: str) -> dict[str, float]:
    return {} if family == "word2vec" else {"dropout": 0.2}


@pytest.mark.parametrize("family", FAMILIES)
def test_killed_at_a_random_moment_and_resumed_is_bit_identical(tmp_path: Path, family: str) -> None:
    # benchmarks/kill.py does this many times over
    undisturbed, killed = make_run(tmp_path, family, steps=60, checkpoints=12), make_run(tmp_path, family, steps=60, checkpoints=12)
    worker.work(undisturbed.path)
    process = launch.start(killed)
    deadline = time.monotonic() + 120
    while len(killed.checkpoint_steps()) < 1 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    time.sleep(random.random() * 0.2)
    process.kill()
    process.wait()
    assert killed.status().state in ("killed", "finished")
    worker.work(killed.path)
    assert killed.status().state == "finished"
    assert_same_weights(undisturbed, killed)


def test_the_command_stop_saves_and_ends(tmp_path: Path) -> None:
    run = make_run(tmp_path, steps=1_000_000)
    process = launch.start(run)
    _wait(lambda: run.status().step > 0)
    run.command("stop")
    assert process.wait(60) == 0
    status = run.status()
    assert status.state == "stopped" and run.checkpoint_steps()[-1] == status.step


def test_pause_and_continue(tmp_path: Path) -> None:
    run = make_run(tmp_path, steps=1_000_000)
    process = launch.start(run)
    _wait(lambda: run.status().step > 0)
    run.command("pause")
    _wait(lambda: run.status().state == "paused")
    at = run.status().step
    assert run.checkpoint_steps()[-1] == at
    worker_process = psutil.Process(process.pid)
    looks = worker_process.num_ctx_switches().voluntary
    _wait(lambda: worker_process.num_ctx_switches().voluntary > looks + 1)  # it had its turn, more than once
    assert run.status().step == at
    run.withdraw("pause")
    _wait(lambda: run.status().step > at)
    with pytest.raises(UserError, match="already open"):
        launch.start(run)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) == 0
    assert run.status().state == "stopped"


def _wait(condition: object, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def test_two_processes_give_the_loss_curve_of_one(tmp_path: Path) -> None:
    one, two = make_run(tmp_path, "bert", steps=8, dropout=0.0), make_run(tmp_path, "bert", steps=8, dropout=0.0, processes=2)
    worker.work(one.path)
    process = launch.start(two)
    assert process.wait(300) == 0, (two.path / "worker.log").read_text()[-2000:]
    for name, mine in weights(one).items():
        np.testing.assert_allclose(mine, weights(two)[name], atol=2e-3, err_msg=name)
    curves = [[event.metrics["loss"] for event in run.events() if isinstance(event, events.EvalEnd)] for run in (one, two)]
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-4)


@pytest.mark.parametrize(("end", "told"), [("raise MemoryError", "The memory did not suffice"), ("os._exit(9)", "Another of the processes")])
def test_what_ends_the_second_process_is_told_by_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, told: str) -> None:
    run = make_run(tmp_path, "bert", steps=8, processes=2)
    script = tmp_path / "second_ends.py"
    script.write_text(f"""
import os, sys
sys.path.insert(0, {str(launch._MAIN.parent)!r})
from core.train import gradient, worker
worker.OTHERS_S = 1.0 if "exit" in {end!r} else worker.OTHERS_S
step = gradient.GradientLearner.step
def ends(self, number, progress):
    if number == 3 and os.environ["RANK"] == "1":
        {end}
    return step(self, number, progress)
gradient.GradientLearner.step = ends
sys.exit(worker.work(__import__("pathlib").Path(sys.argv[-1])))
""", encoding="utf-8")
    monkeypatch.setattr(launch, "command", lambda _run, command=launch.command: [
        str(script) if word == str(launch._MAIN) else word for word in command(_run)])
    assert launch.start(run).wait(300) != 0
    failure = run.events()[-1]
    assert isinstance(failure, events.RunFailed) and failure.message.startswith(told) and failure.hint and not failure.traceback, failure


@pytest.mark.parametrize("family", GRADIENT_FAMILIES)
def test_micro_batches_add_up_to_the_whole_batch(tmp_path: Path, family: str) -> None:
    whole = make_run(tmp_path, family, steps=4, dropout=0.0)
    parts = make_run(tmp_path, family, steps=4, dropout=0.0, micro_batch_size=1)
    worker.work(whole.path)
    worker.work(parts.path)
    for name, mine in weights(whole).items():
        np.testing.assert_allclose(mine, weights(parts)[name], atol=2e-3, err_msg=name)


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    run = make_run(tmp_path, "gpt", steps=150, num_layers=1, hidden_size=32, batch_size=8)
    worker.work(run.path)
    losses = [event.metrics["loss"] for event in run.events() if isinstance(event, events.EvalEnd)]
    steps = [event.loss for event in run.events() if isinstance(event, events.StepEnd)]
    assert losses[-1] < 0.7 * steps[0]


def test_a_loss_that_is_not_finite_stops_the_run_and_says_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, "bert")
    original = gradient.GradientLearner.step

    def poisoned(self: gradient.GradientLearner, step: int, progress: float) -> object:
        if step == 8:
            with torch.no_grad():
                next(self._network.parameters()).fill_(math.nan)
        return original(self, step, progress)

    monkeypatch.setattr(gradient.GradientLearner, "step", poisoned)
    assert worker.work(run.path) == 2
    failure = run.events()[-1]
    assert isinstance(failure, events.RunFailed)
    assert "step 9" in failure.message and "learning rate" in failure.hint and "step 6" in failure.hint
    assert all(np.isfinite(value).all() for value in weights(run).values())


def test_a_full_disk_keeps_the_last_good_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, "bert")
    original, calls = checkpoints.save_file, []

    def full(tensors: dict, path: Path, **_: object) -> None:
        calls.append(path)
        if len(calls) > 3:
            raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
        original(tensors, path)

    monkeypatch.setattr(checkpoints, "save_file", full)
    assert worker.work(run.path) == 2
    failure = run.events()[-1]
    assert "the disk is full" in failure.message and failure.hint
    assert checkpoints.intact(run.checkpoint_path(run.checkpoint_steps()[-1]))
    assert not list((run.path / "checkpoints").glob(".*"))


@pytest.mark.parametrize("family", ["bert", "word2vec"])
def test_a_watched_word_that_the_text_does_not_hold_is_not_answered_with_watch_it(tmp_path: Path, family: str) -> None:
    sentences = tmp_path / "durian.tsv"
    sentences.write_text("word\tsense\ttext\n榴莲\tfruit\t我爱吃榴莲。\n榴莲\tcompany\t榴莲发布了手机。\n", encoding="utf-8")
    run = make_run(tmp_path, family, **{"watch.word": "榴莲", "watch.specimens": str(sentences)})
    assert worker.work(run.path) == 2
    failure = run.events()[-1]
    assert isinstance(failure, events.RunFailed) and "榴莲" in failure.message
    assert "add text that does, or watch another word" in failure.hint


@pytest.mark.parametrize("family", ["bert", "word2vec"])
def test_a_text_without_the_word_of_the_built_in_sentences_is_learnt_without_probes(tmp_path: Path, family: str) -> None:
    run = make_run(tmp_path, family, **{"watch.word": "apple", "watch.specimens": ""})
    assert worker.work(run.path) == 0 and run.status().state == "finished"
    assert not run.probe_steps()


def test_a_run_without_probes_takes_none_of_its_beginning_either_and_an_old_one_of_it_is_not_shown(tmp_path: Path) -> None:
    run = make_run(tmp_path, "gpt", probes=0, steps=1)
    assert worker.work(run.path) == 0 and not list((run.path / "probes").iterdir())
    run.probe_path(0).write_bytes(b"of an earlier version")
    assert not run.probe_steps()


def test_a_disk_that_fills_up_while_a_probe_is_written_is_put_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, "bert")
    monkeypatch.setattr(np, "savez", _no_space)
    assert worker.work(run.path) == 2
    failure = run.events()[-1]
    assert isinstance(failure, events.RunFailed) and failure.message == "The disk is full." and not failure.traceback
    assert not list((run.path / "probes").iterdir())


def test_a_disk_with_no_room_even_for_the_error_is_told_by_the_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, "bert")
    monkeypatch.setattr(events.EventWriter, "write", _no_space)
    assert worker.work(run.path) == DISK_FULL
    assert run.worker_pid() is None


def test_a_checkpoint_that_finds_no_room_and_leaves_none_for_the_error_is_told_by_the_exit_code(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, write = make_run(tmp_path, "bert"), events.EventWriter.write
    monkeypatch.setattr(checkpoints, "_sync", _no_space)
    monkeypatch.setattr(events.EventWriter, "write", lambda self, event: (_no_space if isinstance(event, events.RunFailed) else write)(self, event))
    assert worker.work(run.path) == DISK_FULL


def _no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_memory_that_does_not_suffice_is_put_in_words(tmp_path: Path) -> None:
    run = make_run(tmp_path, "bert")
    for error in (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.50 GiB. GPU 0"),
                  RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes."), MemoryError()):
        made = worker.out_of_memory(error, run)
        assert made and "micro_batch_size=2" in made.hint
    assert "3.50 GiB" in worker.out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.50 GiB."), run).message
    refused = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 2147483648 bytes. Error code 12")
    assert "2.0 GB more" in worker.out_of_memory(refused, run).message
    assert worker.out_of_memory(RuntimeError("shapes do not fit"), run) is None
    smaller = worker.out_of_memory(MemoryError(), make_run(tmp_path, "bert", micro_batch_size=2))
    assert "for 2 sequences at once" in smaller.message and "micro_batch_size=1:" in smaller.hint
    shared = worker.out_of_memory(MemoryError(), make_run(tmp_path, "bert", batch_size=64, processes=4, micro_batch_size=32))
    assert "for 16 sequences at once" in shared.message and "micro_batch_size=8:" in shared.hint, "each process has a quarter of them"


@pytest.mark.parametrize(("name", "options", "advice"), [
    ("word2vec", {}, "a smaller vocabulary or shorter vectors"), ("bert", {"batch_size": 1}, "shorter sequences"),
    ("bert", {"batch_size": 2, "processes": 2}, "shorter sequences")])
def test_memory_that_smaller_parts_cannot_save_is_put_in_words_without_them(tmp_path: Path, name: str, options: dict, advice: str) -> None:
    told = worker.out_of_memory(MemoryError(), make_run(tmp_path, name, **options))
    assert advice in told.hint and "micro_batch_size" not in told.hint and "sequences at once" not in told.message


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "state.json", "manifest.json"])
def test_a_flipped_bit_is_noticed_and_the_checkpoint_before_is_used(tmp_path: Path, name: str) -> None:
    run = make_run(tmp_path, "bert")
    worker.work(run.path)
    steps = run.checkpoint_steps()
    path = run.checkpoint_path(steps[-1]) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert checkpoints.load(run).step == steps[-2]
    with pytest.raises(UserError, match="damaged"):
        checkpoints.load(run, steps[-1])


@pytest.mark.parametrize("place", ["core.hashes:sha256", "core.checkpoints:load_file"])
def test_a_checkpoint_that_another_program_holds_is_not_taken_for_a_damaged_one(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    run = make_run(tmp_path, "bert")
    worker.work(run.path)
    before, probes = run.checkpoint_steps(), run.probe_steps()
    real = load(place)

    def held(path: Path) -> object:
        if Path(path).parent == run.checkpoint_path(before[-1]):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path)

    run.change({"steps": 14})
    with monkeypatch.context() as patch:
        patch.setattr(place.replace(":", "."), held)
        assert worker.work(run.path) == 2
    assert f"step_{before[-1]:08d} cannot be read" in run.status().text
    assert (run.checkpoint_steps(), run.probe_steps()) == (before, probes)
    assert worker.work(run.path) == 0 and run.checkpoint_steps()[-1] == 14


def test_a_run_without_a_checkpoint_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no checkpoint yet"):
        checkpoints.load(make_run(tmp_path))


def _looped(monkeypatch: pytest.MonkeyPatch, run: Run, losses: list[float] = (1.0,), at_step: object = lambda step: None,
            validation: float = 0.0) -> list[events.Event]:
    """The story of a loop that learns nothing: by its clock a step takes a second and reads 3 tokens, its loss is its number. losses: of the
    validations, one after another, the last one again and again; each takes so many seconds. A sleep is 50 seconds long, and takes "pause" back."""
    clock, told, left = [0.0], [], list(losses)

    def step(number: int, progress: float) -> StepResult:
        clock[0] += 1
        at_step(number + 1)
        return StepResult(loss=number + 1, tokens=3, learning_rate=0.1)

    def evaluate() -> dict[str, float]:
        clock[0] += validation
        return {"loss": left.pop(0) if len(left) > 1 else left[0]}

    def sleep(_seconds: float) -> None:
        clock[0] += 50
        run.withdraw("pause")

    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    learner = SimpleNamespace(step=step, steps_per_epoch=4.0, evaluate=evaluate,
                              state=lambda: LearnerState(model={"a": torch.ones(1)}, optimizer={}, extra={}))
    device = Device(device=torch.device("cpu"), dtype=None, threads=1)
    made = loop.Loop(run, learner, device, write=told.append, position=loop.Position(), probe=lambda step: None, event_seconds=2.0)
    told.append(events.RunFinished(step=made.at.step, reason=made.train()))
    return told


def test_the_figures_of_the_steps_are_of_the_steps_since_the_last_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, steps=10, probes=0)
    told = [event for event in _looped(monkeypatch, run) if isinstance(event, events.StepEnd)]
    assert [(event.step, event.loss, event.tokens, event.progress) for event in told] == [
        (step, step - 0.5, 3 * step, step / 10) for step in (2, 4, 6, 8, 10)]
    assert [(event.tokens_per_s, event.elapsed, event.seconds_left) for event in told] == [
        pytest.approx((3, event.step, 10 - event.step)) for event in told]


def test_the_speed_is_that_of_training_and_not_of_looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = _looped(monkeypatch, make_run(tmp_path, steps=10, probes=0, evals=5), validation=7.0)
    speeds = [event.tokens_per_s for event in told if isinstance(event, events.StepEnd)]
    assert len(speeds) > 5 and speeds == pytest.approx([3] * len(speeds))


def test_the_time_of_a_pause_is_no_time_of_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, steps=0, minutes=0.1, probes=0)  # six steps
    told = _looped(monkeypatch, run, at_step=lambda step: run.command("pause") if step == 3 else None)
    assert [event.step for event in told if isinstance(event, events.RunPaused | events.RunContinued)] == [3, 3]
    steps = [event for event in told if isinstance(event, events.StepEnd)]
    assert (steps[-1].step, steps[-1].elapsed) == (6, 6.0) and [event.tokens_per_s for event in steps] == pytest.approx([3] * len(steps))


def test_a_checkpoint_that_is_wished_for_is_saved_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, steps=10, probes=0, checkpoints=1, evals=1)
    told = _looped(monkeypatch, run, at_step=lambda step: run.command("checkpoint") if step == 3 else None)
    assert [event.step for event in told if isinstance(event, events.CheckpointSaved)] == [3, 10]


@pytest.mark.parametrize(("losses", "reason", "end"), [([1.0, 1.1, 0.9, 1.0, 0.8], "complete", 10), ([1.0, 1.1, 1.2], "early_stop", 6)])
def test_only_validations_in_a_row_without_progress_stop_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, losses: list[float], reason: str,
                                                               end: int) -> None:
    told = _looped(monkeypatch, make_run(tmp_path, steps=10, probes=0, evals=5, patience=2), losses)
    assert told[-1].reason == reason and [event.step for event in told if isinstance(event, events.StepEnd)][-1] == end


@pytest.mark.parametrize(("steps", "epochs", "wanted"), [(10, 0, 10), (0, 2, 9), (10, 2, 9), (5, 2, 5), (0, 0.01, 1), (0, 0, 0)])
def test_a_run_ends_where_the_first_of_its_limits_does(steps: int, epochs: float, wanted: int) -> None:
    assert loop.total_steps(SimpleNamespace(steps=steps, epochs=epochs), 4.4) == wanted


def test_early_stop_after_validations_without_progress(tmp_path: Path) -> None:
    run = make_run(tmp_path, "bert", steps=100, evals=50, patience=2, learning_rate=0.0, optimizer="adamw")
    worker.work(run.path)
    end = run.events()[-1]
    assert isinstance(end, events.RunFinished) and end.reason == "early_stop" and end.step < 100
    worker.work(run.path)  # whoever lets it go on has patience again: two validations, each after two steps
    assert run.events()[-1].reason == "early_stop" and run.events()[-1].step == end.step + 4


def test_the_validation_at_a_stop_takes_no_patience(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, steps=10, probes=0, evals=5, patience=2)
    told = _looped(monkeypatch, run, [1.0, 1.1, 1.2], at_step=lambda step: run.command("stop") if step == 5 else None)
    assert told[-1].reason == "stopped" and [event.step for event in told if isinstance(event, events.EvalEnd)] == [2, 4, 5]
    assert checkpoints.load(run).state["worse_evals"] == 1


def test_a_stop_in_the_last_step_is_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, steps=10, probes=0)
    assert _looped(monkeypatch, run, at_step=lambda step: run.command("stop") if step == 10 else None)[-1].reason == "complete"


def test_a_kill_about_an_early_stop_neither_takes_patience_nor_gives_it(tmp_path: Path) -> None:
    run = make_run(tmp_path, "bert", steps=100, evals=50, patience=2, learning_rate=0.0, optimizer="adamw")
    worker.work(run.path)
    *lines, last = run.events_path.read_text(encoding="utf-8").splitlines(keepends=True)
    step = json.loads(last)["step"]
    run.events_path.write_text("".join(lines), encoding="utf-8")  # its end was saved and not told
    worker.work(run.path)
    assert (run.events()[-1].reason, run.events()[-1].step) == ("early_stop", step)
    writer = events.EventWriter(run.events_path)  # it was let go on, and killed before anything of that was saved
    writer.write(next(event for event in run.events() if isinstance(event, events.RunStarted)))
    worker.work(run.path)
    assert (run.events()[-1].reason, run.events()[-1].step) == ("early_stop", step + 4)


@pytest.mark.parametrize("loss", [2.0, 100.0, math.nan])
def test_a_validation_that_goes_wrong_is_in_the_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: float) -> None:
    monkeypatch.setattr(gradient, "_means", lambda sums: {"loss": loss})
    learner = SimpleNamespace(_network=torch.nn.Identity(), config=SimpleNamespace(train=SimpleNamespace(eval_batches=0)),
                              _over_processes=lambda sums: sums)
    writer = events.EventWriter(tmp_path / "events.jsonl")
    writer.write(events.EvalEnd(step=1, metrics=gradient.GradientLearner.evaluate(learner)))
    [told] = events.EventReader(tmp_path / "events.jsonl").read()
    assert told.metrics["perplexity"] == pytest.approx(min(math.exp(loss), events.LARGEST_NUMBER), nan_ok=True)


def test_a_run_whose_text_is_gone_is_not_started_and_stays_what_it_was(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("一个苹果。\n" * 50, encoding="utf-8")
    run = Run.create(configs.build("bert", options={"text.files": [str(text)]}), tmp_path / "run")
    text.unlink()
    with pytest.raises(UserError, match=r"text\.txt"):
        launch.start(run)
    assert not run.events_path.exists()


def test_going_on_forgets_what_lies_ahead_of_it(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    worker.work(run.path)
    run.probe_path(99).write_bytes(b"of weights that are lost")
    run.checkpoint_path(99).mkdir()
    worker.work(run.path)
    assert run.probe_steps()[-1] == run.checkpoint_steps()[-1] == 12


def test_the_best_stays_the_best_whenever_a_run_stops_pauses_or_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    still = {"evals": 2, "checkpoints": 1, "learning_rate": 0.0, "optimizer": "adamw"}  # learns nothing: no later validation is better
    original = loop.Loop._agree

    def wish_at_six(wish: int) -> None:
        def agree(self: loop.Loop, begun: float) -> tuple[float, int]:
            return original(self, begun)[0], wish if self.at.step == 6 else loop._GO
        monkeypatch.setattr(loop.Loop, "_agree", agree)

    stopped = make_run(tmp_path, **still)
    wish_at_six(loop._STOP)
    worker.work(stopped.path)
    state = checkpoints.load(stopped).state
    assert (stopped.best_step(), state["worse_evals"]) == (6, 0)
    assert sum(isinstance(event, events.EvalEnd) for event in stopped.events()) == 1
    paused = make_run(tmp_path, **still)
    wish_at_six(loop._PAUSE)
    worker.work(paused.path)
    assert paused.best_step() == 6
    before = sorted(path.name for path in (paused.path / "checkpoints").iterdir())
    worker.work(paused.path)
    assert paused.best_step() == 6 and sorted(path.name for path in (paused.path / "checkpoints").iterdir()) == before


def test_a_run_does_not_go_on_with_another_text_or_from_elsewhere(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    worker.work(run.path)
    text = Path(run.config.text.files[0])
    whole = text.read_text(encoding="utf-8")
    text.write_text(whole.replace("妈妈", "爸爸"), encoding="utf-8")
    run.change({"steps": "14"})
    assert worker.work(run.path) == 2
    assert "no longer the one" in run.status().text and run.checkpoint_steps()[-1] == 12
    text.write_text(whole, encoding="utf-8")
    assert worker.work(run.path) == 0 and run.checkpoint_steps()[-1] == 14
    with pytest.raises(UserError, match="no checkpoint '3'"):
        checkpoints.load(run, 3)
    (run.path / "origin.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="elsewhere"):
        launch.start(Run.open(run.path))


def test_a_refused_resume_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    note = {"pid": child.pid, "created": psutil.Process(child.pid).create_time()}
    (run.path / "worker.json").write_text(json.dumps(note), encoding="utf-8")
    assert cli.main(["resume", str(run.path), "--set", "steps=5000"]) == 2
    assert Run.open(run.path).config.train.steps == 12 and "already open" in capsys.readouterr().err
    child.kill()
    child.wait()


def test_an_opened_onnx_model_does_not_go_on_and_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path)
    folder = run.path.rename(tmp_path / "run")
    (tmp_path / "model.onnx").write_bytes(b"x")
    before = sorted((path.name, path.read_bytes()) for path in folder.iterdir() if path.is_file())
    for named in (tmp_path, folder):
        assert cli.main(["resume", str(named), "--set", "steps=5000"]) == 2
        assert "is an ONNX model: its training cannot go on." in capsys.readouterr().err
    assert sorted((path.name, path.read_bytes()) for path in folder.iterdir() if path.is_file()) == before


def test_all_words_that_are_watched_are_cut_out_of_longer_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr("core.text.corpus.prepare", lambda config, *_, **__: asked.append(config.watched))
    for run, words in ((make_run(tmp_path, **{"text.watched": ("甲",)}), ["手机"]), (make_run(tmp_path, **{"watch.word": ""}), [])):
        worker._read_text(run, [SimpleNamespace(word=word) for word in words], lambda event: None, lambda: False, resumed=False)
    assert asked == [("手机", "甲", "苹果"), ()]


def test_the_preparation_tells_each_stage_its_end_and_little_between(monkeypatch: pytest.MonkeyPatch) -> None:
    told, clock = [], iter([1.0, 1.01, 1.02, 1.12, 1.13, 1.14])
    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    report = worker._reporter(lambda event: told.append((event.stage, event.done)))
    for stage, done in (("a", 0), ("a", 1), ("a", 2), ("a", 3), ("a", 9), ("b", 0)):
        report(stage, done, 9)
    assert told == [("a", 0), ("a", 3), ("a", 9), ("b", 0)]


def test_a_stop_is_heard_while_the_text_is_prepared(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    run.command("stop")
    assert worker.work(run.path) == 0
    assert run.status().state == "stopped" and not any(isinstance(event, events.StepEnd) for event in run.events())
    assert run.status().text == "stopped"  # and nothing saved


@pytest.mark.parametrize(("name", "end", "later"), [("steps", 3, 6), ("epochs", 0.02, 0.04), ("minutes", 0.001, 0.02)])
def test_a_finished_run_says_so_without_its_text_and_goes_on_once_its_end_is_raised(tmp_path: Path, name: str, end: float, later: float) -> None:
    run = make_run(tmp_path, "gpt", **{"steps": 0, name: end})
    assert worker.work(run.path) == 0
    step, told = run.status().step, len(run.events())
    text = (tmp_path / "text.txt").rename(tmp_path / "away.txt")
    assert worker.work(run.path) == 0
    again = run.events()[told:]
    assert [type(event) for event in again if not isinstance(event, events.Preparing)] == [events.RunFinished]
    assert (run.status().state, run.status().step, again[-1].reason) == ("finished", step, "complete")
    text.rename(tmp_path / "text.txt")
    run.change({name: later})
    assert worker.work(run.path) == 0
    assert run.status().step > step


def test_a_worker_started_by_hand_does_not_obey_the_stop_of_the_time_before(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    run.command("stop")
    assert worker.work(run.path) == 0
    assert worker.work(run.path) == 0
    assert run.status().state == "finished"


@pytest.mark.parametrize("probes", [0, 4])
def test_a_run_whose_folder_is_moved_away_says_so_where_it_is_now_and_goes_on_there(tmp_path: Path, probes: int) -> None:
    run = make_run(tmp_path, steps=1_000_000, minutes=0.1, probes=probes, evals=20)
    process = launch.start(run)
    _wait(lambda: run.status().step > 0)
    moved = Run(run.path.rename(tmp_path / "moved"), run.config)
    assert process.wait(60) == 2
    failure = moved.events()[-1]
    assert isinstance(failure, events.RunFailed) and f"is no longer there: {run.path}" in failure.message and not failure.traceback
    assert not run.path.exists()
    for name in ("stop", "pause", "checkpoint"):
        with pytest.raises(UserError, match="no longer there"):
            run.command(name)
    with pytest.raises(UserError, match="no longer there"):
        trash.delete(run)
    with pytest.raises(UserError, match="no longer there"):
        launch.start(run)
    moved.change({"steps": moved.status().step + 2})
    assert worker.work(moved.path) == 0 and moved.checkpoint_steps()[-1] == moved.config.train.steps


def test_the_command_line_says_that_the_folder_was_moved_away(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path)
    moves = f"import os; os.rename({str(run.path)!r}, {str(tmp_path / 'moved')!r}); raise SystemExit(2)"
    monkeypatch.setattr(launch, "command", lambda _run: [sys.executable, "-c", moves])
    assert cli.main(["resume", str(run.path)]) == 2
    assert f"is no longer there: {run.path}" in capsys.readouterr().err


def test_of_two_that_start_a_run_at_once_the_slower_says_why_it_ends(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path)
    quicker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    note = json.dumps({"pid": quicker.pid, "created": psutil.Process(quicker.pid).create_time()})
    work = f"import pathlib; run = pathlib.Path({str(run.path)!r}); (run / 'worker.json').write_text({note!r}); (run / 'commands/stop').touch()"
    monkeypatch.setattr(launch, "command", lambda _run: [sys.executable, "-c", f"{work}; raise SystemExit(2)"])
    assert cli.main(["resume", str(run.path)]) == 2
    assert f"already open in process {quicker.pid}" in capsys.readouterr().err
    assert run.commanded("stop"), "somebody asked the quicker one for it"
    quicker.kill()
    quicker.wait()
    monkeypatch.setattr(launch, "command", lambda _run: [sys.executable, "-c", "raise SystemExit(2)"])
    assert cli.main(["resume", str(run.path)]) == 2
    assert "(exit code 2)" in capsys.readouterr().err


@pytest.mark.parametrize(("code", "words"), [(DISK_FULL, "The disk is full"), (9, r"\(exit code 9\)")])
def test_the_command_line_tells_no_failure_of_before(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int, words: str) -> None:
    run = make_run(tmp_path)
    writer = events.EventWriter(run.events_path)
    writer.write(events.RunFailed(step=3, message="It was too hot.", hint="Open a window."))
    writer.close()
    monkeypatch.setattr(launch, "command", lambda _run: [sys.executable, "-c", f"raise SystemExit({code})"])
    assert cli.main(["resume", str(run.path)]) == 2
    said = capsys.readouterr().err
    assert re.search(words, said) and "hot" not in said


def test_a_kill_takes_the_helpers_along() -> None:
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code])
    parent = psutil.Process(process.pid)
    _wait(lambda: bool(parent.children()))
    child = parent.children()[0]
    launch.kill(process.pid)
    assert process.wait(10) != 0
    _wait(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_run_is_found_from_whatever_folder_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert launch.command(Run.open(Path(run.path.name)))[-1] == str(run.path.resolve())
    monkeypatch.setenv("LEXISCOPE_HOME", "here")
    assert home() == tmp_path.resolve() / "here"
    assert os.environ["LEXISCOPE_HOME"] == str(home())  # for its processes, which work in another folder


def test_a_step_in_which_no_document_begins_does_not_say_that_the_loss_is_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(loop.Loop.__init__.__kwdefaults__, "event_seconds", 0.0)
    text, rng = tmp_path / "books.txt", random.Random(0)
    books = (" ".join(f"w{rng.randrange(100)}" for _ in range(count)) for count in (6000, 6000, 6000, 6000, 200, 200))
    text.write_text("\n".join(books), encoding="utf-8")
    options = {"text.files": (str(text),), "steps": 0, "epochs": 2.0, "probes": 0, "watch.word": "", "watch.specimens": ""}
    run = make_run(tmp_path, "word2vec", **options)
    assert worker.work(run.path) == 0
    steps = [event for event in run.events() if isinstance(event, events.StepEnd)]
    assert any(one.tokens == other.tokens for one, other in itertools.pairwise(steps)) and min(event.loss for event in steps) > 1


def test_the_learning_rate_rises_then_falls() -> None:
    from core.config import TrainConfig

    linear = TrainConfig(steps=10, warmup=0.1)
    assert optim.rate(linear, 0.05) == pytest.approx(0.5)
    assert optim.rate(linear, 0.1) == pytest.approx(1.0)
    assert optim.rate(linear, 0.55) == pytest.approx(0.5)
    assert optim.rate(linear, 1.0) == 0.0
    cosine = TrainConfig(steps=10, warmup=0.0, schedule="cosine")
    assert optim.rate(cosine, 0.25) == pytest.approx(0.5 * (1 + math.cos(math.pi / 4)))
    assert 0 < optim.rate(linear, 0.0) < 0.01


def test_the_two_newest_checkpoints_and_the_best_stay_and_nothing_half_written(tmp_path: Path) -> None:
    run = make_run(tmp_path, "gpt")
    (run.path / "checkpoints" / f".step_00000001.{os.getpid()}.tmp").mkdir()  # of a process that was killed; its number is ours now
    for step in (1, 2, 3, 4, 5, 6, 6):
        checkpoints.save(run, checkpoints.Checkpoint(step=step, model={"a": torch.ones(1)}, optimizer={}, state={"step": step, "best": step == 2}))
    assert sorted(path.name for path in (run.path / "checkpoints").iterdir()) == ["step_00000002", "step_00000005", "step_00000006"]


def test_the_best_is_not_removed_while_it_cannot_be_told_which_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, "gpt")

    def save(step: int) -> list[int]:
        checkpoints.save(run, checkpoints.Checkpoint(step=step, model={"a": torch.ones(1)}, optimizer={}, state={"step": step, "best": step == 2}))
        return run.checkpoint_steps()

    assert [save(step) for step in (1, 2, 3, 4)][-1] == [2, 3, 4]
    read = Path.read_text

    def locked(path: Path, *more: object, **named: object) -> str:
        if path == run.checkpoint_path(2) / "state.json":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", locked)
        assert save(5) == [2, 3, 4, 5] and run.best_step() is None
    assert save(6) == [2, 5, 6] and run.best_step() == 2


def test_a_probe_is_of_the_watched_word_alone_and_of_the_sentence_that_was_named(tmp_path: Path) -> None:
    make_run(tmp_path)
    with (tmp_path / "specimens.tsv").open("a", encoding="utf-8") as file:
        file.write("\n手机\tphone\t买了苹果的手机。")
    run = saved_run(tmp_path, probes=(1,), **{"watch.sentence": "小李在苹果上班"})
    assert {item.word for item in read_specimens(run.specimens_path)} == {"苹果"}
    with np.load(run.probe_path(1)) as probe:
        assert probe["vectors"].shape[1] == 12 and probe["tokens"].tolist() == ["[CLS]", *"小李在苹果上班", "[SEP]"]


def test_a_checkpoint_that_was_being_saved_again_when_the_process_died_is_found_by_the_resume(tmp_path: Path, monkeypatch) -> None:
    run, replace = make_run(tmp_path, "gpt"), Path.replace
    position = {"step": 5, "elapsed": 7.5, "tokens": 11, "best_loss": 1.5, "best_score": 0.5, "worse_evals": 2, "best_step": 3, "evaluated_step": 4}
    state = {**position, "best": False, "learner": {}}
    mine = checkpoints.Checkpoint(step=5, model={"a": torch.ones(1)}, optimizer={}, state=state)
    checkpoints.save(run, mine)

    def dies(path: Path, target: Path) -> Path:
        if target == run.checkpoint_path(5):
            raise KeyboardInterrupt
        return replace(path, target)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "replace", dies)
        checkpoints.save(run, mine)
    assert run.checkpoint_steps() == []
    learner = SimpleNamespace(load_state=lambda state: None)
    assert loop.resume(run, learner) == loop.Position(**position) and checkpoints.load(run).step == 5


@pytest.mark.parametrize(("clip", "moved"), [(0.01, 0.01), (0.0, None)])
def test_a_long_gradient_is_shortened_and_zero_leaves_it_as_it_is(tmp_path: Path, clip: float, moved: float | None) -> None:
    from core.text.corpus import prepare

    run = make_run(tmp_path, "gpt", grad_clip=clip, warmup=0, schedule="constant")
    cpu, corpus = Device(device=torch.device("cpu"), dtype=None, threads=1), prepare(run.config.text, tmp_path / "cache")
    network = gradient.GradientLearner(run.config, corpus, cpu).pretraining
    before = torch.cat([parameter.detach().flatten().clone() for parameter in network.network.parameters()])
    plain = torch.optim.SGD(network.network.parameters(), lr=1.0)  # moves by the gradient itself
    result = gradient.GradientLearner(run.config, corpus, cpu, training=network, optimizers=[plain]).step(0, 0.5)
    after = torch.cat([parameter.detach().flatten() for parameter in network.network.parameters()])
    assert result.grad_norm > 0.01
    assert float((after - before).norm()) == pytest.approx(result.grad_norm if moved is None else moved, rel=1e-3)


def _learner(name: str = "gpt", *, vocab_size: int = 100, device: Device | None = None, **options: object) -> gradient.GradientLearner:
    made = {"batch_size": 4, "seq_len": 16, "hidden_size": 16, "num_layers": 1, "num_heads": 2, "steps": 9, "warmup": 0.0, **options}
    device = device or Device(device=torch.device("cpu"), dtype=None, threads=1)
    corpus = make_corpus(make_split(random_documents(40, vocab_size=vocab_size)), vocab_size=vocab_size)
    return gradient.GradientLearner(configs.build(name, "quick", made), corpus, device)


def test_a_batch_has_left_the_memory_that_it_was_made_in_when_that_is_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    learner, original, waited = _learner(), torch.Tensor.to, []
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *args, non_blocking=False: waited.append(not non_blocking) or original(self, *args))
    learner._shares(learner.pretraining.batch("train", 0))
    assert waited and all(waited)


@pytest.mark.parametrize(("seed", "step", "drawn"), [(0, 0, 2937467307694268567), (0, 1, 4103195943789856137), (7, 0, 2882744023523087010)])
def test_dropout_is_drawn_from_the_seed_and_the_step_alike_in_every_version_of_python(seed: int, step: int, drawn: int) -> None:
    _learner(seed=seed).step(step, 0.1)
    assert torch.initial_seed() == drawn


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_a_gradient_that_is_too_great_for_fp16_moves_nothing_and_the_next_step_learns(clip: float) -> None:
    learner = _learner(device=Device(device=torch.device("cpu"), dtype=torch.float16, threads=1), grad_clip=clip)
    assert len(learner.optimizers) == 2, "AdamW and Muon"

    def stepped(step: int) -> tuple[StepResult, dict[str, bool]]:
        before = {name: parameter.detach().clone() for name, parameter in learner.network().named_parameters()}
        result = learner.step(step, 0.1)
        return result, {name: not torch.equal(parameter, before[name]) for name, parameter in learner.network().named_parameters()}

    scale = learner._scaler.get_scale()
    overflow = learner.network().encoder.layers[0].feed_forward.up.weight.register_hook(lambda grad: torch.full_like(grad, math.inf))
    result, moved = stepped(0)
    assert not math.isfinite(result.grad_norm) and not any(moved.values())
    assert learner._scaler.get_scale() == scale / 2
    overflow.remove()
    result, moved = stepped(1)
    assert math.isfinite(result.grad_norm) and all(moved.values()) and math.isfinite(result.loss)
    assert all(parameter.isfinite().all() for parameter in learner.network().parameters())


def test_validation_is_the_loss_of_the_validation_text(tmp_path: Path) -> None:
    from core.text.corpus import prepare

    run = make_run(tmp_path, "gpt", eval_batches=2)
    corpus = prepare(run.config.text, tmp_path / "cache")
    learner = gradient.GradientLearner(run.config, corpus, Device(device=torch.device("cpu"), dtype=None, threads=1))
    training, total, count = learner.pretraining, 0.0, 0.0
    for index in range(2):
        batch = training.batch("valid", index)
        nll, labels = training.loss(training.network.eval(), batch).sums["loss"]
        total, count = total + float(nll), count + float(labels)
    assert learner.evaluate()["loss"] == pytest.approx(total / count, rel=1e-5)


@pytest.mark.parametrize("name", ["elmo", "gpt", "bert"])
def test_a_batch_is_of_the_text_that_its_split_names(name: str) -> None:
    documents = random_documents(40, vocab_size=FIRST + 40)
    moved = [[[token + 40 for token in sentence] for sentence in document] for document in documents]
    config = configs.build(name, "quick", {"batch_size": 4, "seq_len": 16, "hidden_size": 16, "num_layers": 1})
    made = load(family(name).pretrain)(config, make_corpus(make_split(documents), make_split(moved)))
    for split, wanted in (("train", False), ("valid", True)):
        ids = made.batch(split, 0)["input_ids"]
        assert ((ids[ids >= FIRST] >= FIRST + 40) == wanted).float().mean() > 0.9, "save for the tokens that BERT swaps"


def test_muon_takes_the_hidden_matrices_and_nothing_else(tmp_path: Path) -> None:
    from core.text.corpus import prepare

    run = make_run(tmp_path, "bert", optimizer="muon")
    corpus = prepare(run.config.text, tmp_path / "cache")
    learner = gradient.GradientLearner(run.config, corpus, Device(device=torch.device("cpu"), dtype=None, threads=1))
    hidden, matrices, vectors = (set(map(id, group)) for group in optim.split(learner.network()))
    named = {name: id(parameter) for name, parameter in learner.network().named_parameters() if parameter.requires_grad}
    assert named["encoder.token_embedding.weight"] in matrices and named["encoder.position_embedding.weight"] in matrices
    assert all(named[name] in vectors for name in named if name.endswith("bias"))
    assert any(named[name] in hidden for name in named if "layers.0" in name)
    assert len(hidden) + len(matrices) + len(vectors) == len(named)
    decayed = {id(parameter) for optimizer in learner.optimizers for group in optimizer.param_groups for parameter in group["params"]
               if group["weight_decay"]}
    assert decayed == hidden | matrices, "norms and biases are never decayed"


@pytest.mark.parametrize(("name", "options"), [("gpt", {}), ("gpt", {"tied": False}), ("bert", {"next_sentence": True}), ("bert", {"tied": False}),
                                               ("elmo", {}), ("elmo", {"cell_size": 20, "embedding": "char_cnn"})])
def test_muon_takes_the_same_matrices_whatever_the_size_of_the_vocabulary(name: str, options: dict) -> None:
    heads = {} if name == "elmo" else {"num_heads": 2}
    config = configs.build(name, "quick", {"hidden_size": 16, "num_layers": 2, **heads, **options})

    def taken(vocab_size: int) -> set[str]:
        network = load(family(name).pretrain).build(config, vocab_size)
        hidden = set(map(id, optim.split(network)[0]))
        return {each for each, parameter in network.named_parameters() if id(parameter) in hidden}

    usual = taken(101)
    assert usual and not any("embedding.weight" in each or each in ("softmax.weight", "mlm_output.weight", "encoder.output.weight") for each in usual)
    for size in (16, 20, 32, 48, 64, 80):  # those of the hidden matrices
        assert taken(size) == usual


def test_moments_of_other_parameters_are_not_stepped_with(caplog: pytest.LogCaptureFixture) -> None:
    learner, other = _learner(), _learner(optimizer="adamw")
    other.step(0, 0.1)
    learner.load_state(LearnerState(model=learner.state().model, optimizer=other.state().optimizer, extra={}))
    assert not any(optimizer.state for optimizer in learner.optimizers) and "begins anew" in caplog.text
    assert math.isfinite(learner.step(1, 0.1).loss)


def test_a_worker_started_by_hand_says_what_is_wrong(tmp_path: Path) -> None:
    result = subprocess.run([sys.executable, "main.py", "worker", str(tmp_path)], capture_output=True, text=True, check=False,
                            cwd=Path(__file__).resolve().parents[3])
    assert result.returncode == 2
    assert "not a run" in result.stderr and "Traceback" not in result.stderr
