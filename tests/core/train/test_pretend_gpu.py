"""That every family and every task could compute on a GPU, on machines that have none (tests/helpers/pretend_gpu.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from core.train import device as devices
from core.train import gradient, worker
from core.train.device import Device
from tests.helpers.labelled import KINDS, make_finetune
from tests.helpers.pretend_gpu import GPU, pretend_gpu
from tests.helpers.runs import make_run
from tests.helpers.saved import saved_run


@pytest.fixture(autouse=True, params=[None, torch.bfloat16], ids=["fp32", "bf16"])
def _on_it(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A run that is worked on here computes on it."""
    monkeypatch.setattr(worker, "_listen", lambda: lambda: False)
    monkeypatch.setattr(worker, "_device_name", lambda device: device.type)
    monkeypatch.setattr(devices, "choose", lambda _: Device(device=GPU, dtype=request.param, threads=1))
    # of the CPU, which really computes: its rules of what is half and what is whole differ a little from those of a GPU
    monkeypatch.setattr(Device, "autocast", lambda self: torch.autocast("cpu", dtype=self.dtype, enabled=self.dtype is not None))
    monkeypatch.setattr(Device, "memory", lambda self: 0)
    with pretend_gpu():
        yield


def test_what_a_gpu_refuses_is_refused(_on_it: None) -> None:
    there, here = torch.ones(2, device=GPU), torch.ones(2)
    for mixed in (lambda: there + here, lambda: torch.stack([there, here]), lambda: torch.nn.Linear(2, 2).to(GPU)(here),
                  lambda: here[torch.tensor([0], device=GPU)]):
        with pytest.raises(RuntimeError, match="same device"):
            mixed()
    with pytest.raises(TypeError, match="numpy"):
        there.numpy()
    moved = (there + here.to(GPU) + 1.0)[torch.tensor([0])]
    assert (moved.device, moved.cpu().device.type, moved.cpu().numpy()) == (GPU, "cpu", 3.0)


@pytest.mark.parametrize(("family", "options"), [
    ("bert", {"next_sentence": True, "dropout": 0.1}), ("bert", {"tied": False, "optimizer": "adamw", "micro_batch_size": 2}),
    ("gpt", {"dropout": 0.1}), ("elmo", {}), ("elmo", {"sampled_softmax": 8, "cell_size": 24}),
    ("elmo", {"embedding": "char_cnn", "optimizer": "adamw"})])
def test_a_run_learns_is_looked_at_and_goes_on(tmp_path: Path, family: str, options: dict[str, Any]) -> None:
    run = make_run(tmp_path, family, steps=4, **options)
    assert worker.work(run.path) == 0, run.events()[-1]
    run.change({"steps": 6})
    assert worker.work(run.path) == 0 and run.checkpoint_steps()[-1] == 6 and run.probe_steps(), run.events()[-1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", ["bert", "elmo"])
def test_a_task_is_learnt(tmp_path: Path, family: str, kind: str) -> None:
    run = make_finetune(tmp_path, saved_run(tmp_path / "pretrained", family), kind, **{"crf": True} if kind == "tagging" else {})
    assert worker.work(run.path) == 0, run.events()[-1]


def test_a_batch_that_was_left_on_the_cpu_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient.GradientLearner, "_shares", lambda self, batch: [batch])
    run = make_run(tmp_path, "bert", steps=2)
    assert worker.work(run.path) == 3 and "same device" in run.events()[-1].message
