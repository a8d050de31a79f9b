"""Where a run computes: the device, the number format, the threads, and its place among several processes."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

import torch

from core.config import TrainConfig
from core.errors import UserError
from core.i18n import tr

READING_TIME = timedelta(hours=12)  # the other processes wait while the first reads a large text


@dataclass(frozen=True, kw_only=True)
class Device:
    """dtype: of autocast, None for plain fp32. rank of world processes; rank 0 alone writes."""

    device: torch.device
    dtype: torch.dtype | None
    threads: int
    rank: int = 0
    world: int = 1

    @property
    def precision(self) -> str:
        return {None: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}[self.dtype]

    def autocast(self) -> AbstractContextManager:
        return torch.autocast(self.device.type, dtype=self.dtype) if self.dtype else nullcontext()

    def memory(self) -> int:
        """Bytes of the GPU's memory that this process holds."""
        return torch.cuda.memory_reserved(self.device) if self.device.type == "cuda" else 0


def choose(config: TrainConfig) -> Device:
    """The device that `config` asks for. UserError if it is not there. Joins the process group under torchrun."""
    world, rank, local, here = (int(os.environ.get(name, default)) for name, default in
                                (("WORLD_SIZE", 1), ("RANK", 0), ("LOCAL_RANK", 0), ("LOCAL_WORLD_SIZE", 1)))
    kind = config.device
    if kind == "auto":
        apple = torch.backends.mps.is_available() and world == 1
        kind = "cuda" if torch.cuda.is_available() else "mps" if apple else "cpu"
    if kind == "cuda" and not torch.cuda.is_available():
        raise UserError(tr("This machine has no GPU that PyTorch can use."), tr("Choose the device auto or cpu."), where="device")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise UserError(tr("This machine has no Apple GPU that PyTorch can use."), tr("Choose the device auto or cpu."), where="device")
    if kind == "mps" and world > 1:  # gloo exchanges what lies in the memory of a CPU or of CUDA
        raise UserError(tr("Several processes cannot train together on an Apple GPU."),
                        tr("Choose the device auto or cpu, or one process."), where="device")
    if kind == "cuda" and here > torch.cuda.device_count():  # so that the first one, too, knows it, who tells the story
        raise UserError(tr("{processes} processes want a GPU each, but there are {count}.", processes=here, count=torch.cuda.device_count()),
                        tr("Start fewer processes."), where="processes")
    device = torch.device(kind, local) if kind == "cuda" else torch.device(kind)
    threads = config.threads or max(1, (os.cpu_count() or 1) // here)
    torch.set_num_threads(threads)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high")
    if world > 1 and not torch.distributed.is_initialized():
        nccl = kind == "cuda" and torch.distributed.is_nccl_available()  # which Windows has not
        torch.distributed.init_process_group("nccl" if nccl else "gloo", timeout=READING_TIME)
    return Device(device=device, dtype=_dtype(config.precision, device), threads=threads, rank=rank, world=world)


def _dtype(precision: str, device: torch.device) -> torch.dtype | None:
    if device.type == "cpu" or precision == "fp32":
        return None
    if precision == "auto":
        bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if bf16 else None
    return torch.bfloat16 if precision == "bf16" else torch.float16


def from_rank_zero(values: list[float], device: Device) -> list[float]:
    """Rank 0's numbers, in every process: the clock and the commands must be read by one for all."""
    if device.world == 1:
        return values
    tensor = torch.tensor(values, dtype=torch.float64, device=device.device)
    torch.distributed.broadcast(tensor, src=0)
    return tensor.tolist()
