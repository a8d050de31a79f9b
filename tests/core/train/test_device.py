"""Where a run computes, on machines that are told of and not there: what torch says of them is put in its mouth."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from core import events, launch
from core.config import TrainConfig
from core.errors import UserError
from core.runs import Run
from core.tasks.config import TaskConfig
from core.train import device, worker
from tests.helpers.runs import make_run


def machine(monkeypatch: pytest.MonkeyPatch, *, gpus: int = 0, apple: bool = False, bf16: str = "native", nccl: bool = True,
            **environment: int) -> SimpleNamespace:
    """A machine with so many GPUs. bf16: "native", "emulated". environment: as torchrun sets it. Returns what was asked of torch: backend."""
    asked = SimpleNamespace(backend=None)
    for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "RANK", "LOCAL_RANK"):
        monkeypatch.setenv(name, str(environment[name])) if name in environment else monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.cuda, "set_device", lambda chosen: None)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: bf16 == "native" or including_emulation)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: apple)
    monkeypatch.setattr(torch, "set_float32_matmul_precision", lambda precision: None)
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: nccl)
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda backend, **_: setattr(asked, "backend", backend))
    return asked


def choose(**options: object) -> device.Device:
    return device.choose(TrainConfig(steps=1, threads=1, **options))


def test_auto_takes_bf16_where_the_gpu_computes_in_it_and_does_not_only_imitate_it(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, gpus=1)
    assert (choose().device.type, choose().precision) == ("cuda", "bf16")
    machine(monkeypatch, gpus=1, bf16="emulated")
    assert choose().precision == "fp32" and choose(precision="bf16").precision == "bf16"


def test_on_an_apple_gpu_one_process_trains_and_several_take_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, apple=True)
    assert choose().device.type == choose(device="mps").device.type == "mps"
    machine(monkeypatch, apple=True, WORLD_SIZE=2, LOCAL_WORLD_SIZE=2)
    assert choose(processes=2).device.type == "cpu"
    with pytest.raises(UserError, match="Several processes cannot train together on an Apple GPU") as refused:
        choose(processes=2, device="mps")
    assert refused.value.where == "device" and refused.value.hint


@pytest.mark.parametrize("rank", [0, 1])
def test_more_processes_than_gpus_is_told_by_the_first_and_logged_by_the_others(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, rank: int) -> None:
    machine(monkeypatch, gpus=1, WORLD_SIZE=4, LOCAL_WORLD_SIZE=2, RANK=rank, LOCAL_RANK=rank)
    monkeypatch.setattr(worker, "_listen", lambda: lambda: False)
    run = make_run(tmp_path, device="cuda", processes=2)
    assert worker.work(run.path) == 2
    told = [event.message for event in run.events() if isinstance(event, events.RunFailed)]
    said = "2 processes want a GPU each, but there are 1."
    assert told == ([said] if rank == 0 else [])
    logged = [record.getMessage() for record in caplog.records]
    assert logged == ([] if rank == 0 else [f"{said} Start fewer processes."])


@pytest.mark.parametrize(("gpus", "nccl", "backend"), [(2, True, "nccl"), (2, False, "gloo"), (0, True, "gloo")])
def test_processes_exchange_their_gradients_by_what_this_torch_was_built_with(
        monkeypatch: pytest.MonkeyPatch, gpus: int, nccl: bool, backend: str) -> None:
    asked = machine(monkeypatch, gpus=gpus, nccl=nccl, WORLD_SIZE=2, LOCAL_WORLD_SIZE=2, RANK=1, LOCAL_RANK=1)
    assert choose(processes=2).world == 2 and asked.backend == backend


def test_word2vec_trains_once_on_the_cpu_and_says_so_whatever_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, gpus=2)
    monkeypatch.setattr(worker, "_listen", lambda: lambda: False)
    run = make_run(tmp_path, "word2vec", device="auto", processes=2, steps=1)
    assert launch.command(run)[:2] == [sys.executable, str(launch._MAIN)]
    assert worker.work(run.path) == 0, run.events()
    begun = next(event for event in run.events() if isinstance(event, events.RunStarted))
    assert (begun.device, begun.precision, begun.processes) == ("cpu", "fp32", 1)
    finetune = Run(run.path, replace(run.config, task=TaskConfig(task="classification")))  # which learns by gradient descent
    assert "--nproc-per-node=2" in launch.command(finetune) and "device" not in finetune.config.unused
