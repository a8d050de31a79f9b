"""Summaries of runs: what they say is what the whole story says, though only its end is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import config, events
from core.runs import Run
from core.summaries import PIECE_BYTES, Summaries, size_of


def step(number: int, total: int = 1000) -> events.StepEnd:
    return events.StepEnd(step=number, loss=10 / (number + 1), learning_rate=1e-3, grad_norm=1.0, tokens=number * 100, tokens_per_s=1000.0,
                          progress=number / total, elapsed=number / 2, seconds_left=(total - number) / 2, memory=10**9)


def started(number: int) -> events.RunStarted:
    return events.RunStarted(step=number, device="cpu", precision="fp32", processes=1, threads=1, parameters=1, train_tokens=1, valid_tokens=1,
                             vocab_size=1, total_steps=0, versions={})


def write(run: Run, *told: events.Event) -> None:
    writer = events.EventWriter(run.events_path)
    for event in told:
        writer.write(event)
    writer.close()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(config.build("bert"), tmp_path / "run")


def test_a_run_that_has_not_begun(run: Run) -> None:
    found = Summaries().read(run.path, alive=False)
    assert found.status.state == "new" and found.loss is None and found.elapsed == 0
    assert Summaries().read(run.path, alive=True).status.state == "preparing"


def test_what_is_known_stays_where_the_file_can_no_longer_be_read(run: Run) -> None:
    summaries = Summaries()
    write(run, started(0), step(1))
    summaries.read(run.path, alive=True)
    run.events_path.unlink()
    run.events_path.mkdir()
    assert summaries.read(run.path, alive=False).loss == step(1).loss


def test_a_long_story_is_told_from_its_end(run: Run) -> None:
    steps = [step(number) for number in range(1, 900)]
    write(run, started(0), *steps[:400], events.EvalEnd(step=400, metrics={"loss": 3.25}), *steps[400:])
    assert run.events_path.stat().st_size > 2 * PIECE_BYTES
    found = Summaries().read(run.path, alive=True)
    whole = run.status()
    assert (found.status.step, found.status.progress) == (899, 0.899) == (whole.step, whole.progress)
    assert found.status.state == "running" and found.valid_loss == 3.25 and found.loss == steps[-1].loss
    assert found.elapsed == steps[-1].elapsed and found.seconds_left == steps[-1].seconds_left


@pytest.mark.parametrize("added", [0, 100, 150, 180, 200, 500])
def test_a_run_that_has_ended_is_told_as_ended_at_once(run: Run, added: int) -> None:
    summaries = Summaries()
    write(run, started(0), step(1))
    summaries.read(run.path, alive=True)
    write(run, *[step(number) for number in range(2, 2 + added)], events.RunFinished(step=1 + added, reason="stopped"))
    for found in (summaries.read(run.path, alive=False), Summaries().read(run.path, alive=False)):
        assert (found.status.state, found.status.step) == ("stopped", 1 + added)


def test_where_nothing_is_new_nothing_is_read(run: Run) -> None:
    summaries = Summaries()
    write(run, started(0), step(1))
    assert summaries.read(run.path, alive=True) is summaries.read(run.path, alive=True)


@pytest.mark.parametrize("told, alive, state", [
    ((events.RunPaused(step=3),), True, "paused"),
    ((events.RunPaused(step=3), events.RunContinued(step=3)), True, "running"),
    ((events.RunFinished(step=3, reason="stopped"),), False, "stopped"),
    ((events.RunFailed(step=3, message="It broke.", hint="Mend it."),), False, "failed"),
    ((), False, "killed"),
    ((events.RunFailed(step=3, message="It broke."), started(2)), True, "running"),
])
def test_states(run: Run, told: tuple, alive: bool, state: str) -> None:
    write(run, started(0), *[step(number) for number in range(1, 4)], *told)
    found = Summaries().read(run.path, alive=alive)
    assert found.status.state == state == (run.status().state if not alive else state)
    assert (found.failure is not None) == (state == "failed")
    if state == "failed":
        assert (found.failure.message, found.failure.hint) == ("It broke.", "Mend it.")


def test_a_run_that_went_on_from_an_earlier_step_forgets_the_later_ones(run: Run) -> None:
    write(run, started(0), step(10), step(20), started(12), step(13))
    assert Summaries().read(run.path, alive=True).status.step == 13


def test_a_file_that_was_cut_is_read_anew(run: Run) -> None:
    summaries = Summaries()
    write(run, started(0), step(1), step(2))
    summaries.read(run.path, alive=True)
    run.events_path.write_text(events.to_line(started(0)) + "\n" + events.to_line(step(1)) + "\n", encoding="utf-8")
    assert summaries.read(run.path, alive=True).status.step == 1


def test_the_preparation_is_named(run: Run) -> None:
    write(run, events.Preparing(stage="Reading the text", done=1, total=2))
    found = Summaries().read(run.path, alive=True)
    assert found.status.state == "preparing" and found.stage == "Reading the text"


def test_the_size_counts_every_file(run: Run) -> None:
    before = size_of(run.path)
    (run.path / "checkpoints" / "step_00000001").mkdir()
    (run.path / "checkpoints" / "step_00000001" / "model.safetensors").write_bytes(b"x" * 5000)
    assert size_of(run.path) == before + 5000
    assert size_of(run.path / "not there") == 0
