"""Where a run computes, on machines that are told of and not there: what torch says of them is put in its mouth."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from core.config import TrainConfig
from core.train import device


def machine(monkeypatch: pytest.MonkeyPatch, *, gpus: int = 0, apple: bool = False, bf16: str = "native", **environment: int) -> SimpleNamespace:
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
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda backend, **_: setattr(asked, "backend", backend))
    return asked


def choose(**options: object) -> device.Device:
    return device.choose(TrainConfig(steps=1, threads=1, **options))


def test_auto_takes_bf16_where_the_gpu_computes_in_it_and_does_not_only_imitate_it(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, gpus=1)
    assert (choose().device.type, choose().precision) == ("cuda", "bf16")
    machine(monkeypatch, gpus=1, bf16="emulated")
    assert choose().precision == "fp32" and choose(precision="bf16").precision == "bf16"
