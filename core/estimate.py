"""What a run will cost, before it is started: numbers to learn, memory, speed and time. Arithmetic only; no torch.

The parameters are exact. Memory is what the tensors add up to, plus what a process with torch in it takes anyway. The speed
comes from earlier runs of the same family on this machine, scaled by the arithmetic that a token costs; where there are none,
from what the family says of itself (Family.cost). All but the parameters is to be read as "about".
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.config import RunConfig
from core.events import EventReader, RunStarted, StepEnd, story
from core.families.cost import Cost
from core.registry import family, load
from core.runs import Run, list_runs

FLOAT_BYTES = 4
MOMENTS = {"adamw": 2, "muon": 1}  # numbers that the optimizer keeps for each one of a hidden matrix; for the rest always two
PROCESS_BYTES = 430e6  # Python, torch and the mapped text, before the model
THREADS_GAIN = 0.8  # n threads are n^0.8 times as fast as one
GPU_FLOPS = 15e12  # a guess: cards differ by a factor of fifty
GPU_TOKENS_PER_S = 4e5  # small models wait for the card's launches, not for its arithmetic
SAMPLES = 5  # earlier runs that are asked
LEAST_EVENTS = 6  # of a run that counts: the first steps are slow
LOG_BYTES = 2_000_000  # of an event file's beginning that is read


@dataclass(frozen=True, kw_only=True)
class TextSize:
    """tokens: in the training text, once. exact: counted; else reckoned from a part of the text."""

    tokens: int
    vocab_size: int
    exact: bool = True


@dataclass(frozen=True, kw_only=True)
class Machine:
    """memory, gpu_memory: bytes in all. gpu: its name, "" where there is none that PyTorch can use. kind: "cuda", "mps" or "cpu"."""

    cores: int
    memory: int
    kind: str = "cpu"
    gpu: str = ""
    gpu_memory: int = 0


@dataclass(frozen=True, kw_only=True)
class Sample:
    """How fast an earlier run was. threads: of all its processes together. flops: of a token of its model."""

    family: str
    device: str
    threads: int
    flops: float
    tokens_per_s: float
    processes: int = 1


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Memory in bytes, that of all processes together. seconds: of learning, without validations, probes and checkpoints, where no limit in
    minutes ends the run. steps, tokens: that the run will read; epochs: how often the text. samples: runs that the speed is taken from."""

    parameters: int
    weights: int
    gradients: int
    optimizer: int
    activations: int
    process: int
    processes: int
    on_gpu: bool
    tokens_per_s: float
    seconds: float
    steps: int
    tokens: int
    epochs: float
    samples: int

    @property
    def model_memory(self) -> int:
        """What lies on a GPU where there are any: one process has each."""
        return (self.weights + self.gradients + self.optimizer + self.activations) // self.processes

    @property
    def memory(self) -> int:
        """All together."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.process


def cost_of(config: RunConfig, vocab_size: int, tokens: int) -> Cost | None:
    """None for a family that does not say what it costs."""
    place = family(config.family).cost
    return load(place)(config, vocab_size, tokens) if place else None


def estimate(config: RunConfig, text: TextSize, machine: Machine, samples: Sequence[Sample] = ()) -> Estimate | None:
    """None for a family that does not say what it costs."""
    train, cost = config.train, cost_of(config, text.vocab_size, text.tokens)
    if cost is None:
        return None
    learns_by_gradient = "optimizer" not in config.unused
    device = device_of(config, machine)
    half = 0.5 if device == "cuda" and train.precision != "fp32" else 1.0
    moments = 2 * (cost.parameters - cost.hidden) + MOMENTS[train.optimizer] * cost.hidden
    kept = config.rows * train.seq_len * cost.activations * half
    each = FLOAT_BYTES * config.processes  # every process has all of the network
    speed, used = _speed(config, cost, machine, device, samples)
    step_tokens = cost.step_tokens or train.batch_size * train.seq_len
    limits = [60 * train.minutes] if train.minutes else []
    if train.steps:
        limits.append(train.steps * step_tokens / speed)
    if train.epochs:
        limits.append(train.epochs * text.tokens / speed)
    seconds = min(limits)
    tokens = round(seconds * speed)
    return Estimate(
        parameters=cost.parameters, weights=each * cost.parameters, gradients=each * cost.parameters if learns_by_gradient else 0,
        optimizer=each * moments if learns_by_gradient else 0, activations=round(each * kept),
        process=round(PROCESS_BYTES) * config.processes, processes=config.processes, on_gpu=device != "cpu", tokens_per_s=speed, seconds=seconds,
        steps=max(1, round(tokens / step_tokens)), tokens=tokens, epochs=tokens / max(text.tokens, 1), samples=used)


def device_of(config: RunConfig, machine: Machine) -> str:
    """Where the run will compute: "cuda", "mps" or "cpu"."""
    if "device" in config.unused:
        return "cpu"
    if config.train.device != "auto":
        return config.train.device
    return "cpu" if machine.kind == "mps" and config.processes > 1 else machine.kind


def _speed(config: RunConfig, cost: Cost, machine: Machine, device: str, samples: Sequence[Sample]) -> tuple[float, int]:
    """Tokens a second, and how many earlier runs say so."""
    threads = config.train.threads * config.processes or machine.cores  # of all processes together; without a number they share the cores
    alike = [one for one in samples if one.family == config.family and one.device == device and one.flops > 0][:SAMPLES]
    if alike:
        # half the arithmetic is rarely twice the speed, on a GPU least of all
        power = 0.9 if device == "cpu" else 0.5
        said = [one.tokens_per_s * (one.flops / cost.flops) ** power
                * (_gain(threads) / _gain(one.threads) if device == "cpu" else config.processes / one.processes) for one in alike]
        return statistics.median(said), len(alike)
    if device == "cpu":
        return cost.core_flops * _gain(threads) / cost.flops, 0
    return min(GPU_TOKENS_PER_S, GPU_FLOPS / cost.flops) * config.processes, 0


def _gain(threads: int) -> float:
    return max(threads, 1) ** THREADS_GAIN


# what earlier runs tell; reads their files, so the window asks the engine for it

def samples(folder: Path | None = None, most: int = 40) -> list[Sample]:
    """The speeds of the newest runs, the newest first."""
    found = (sample_of(run) for run in list_runs(folder)[:most])
    return [sample for sample in found if sample is not None]


def sample_of(run: Run) -> Sample | None:
    """None for a run that has told too little of its speed, or of another machine's."""
    if run.trained_elsewhere:
        return None
    told = story(EventReader(run.events_path).read(LOG_BYTES))
    begun = [event for event in told if isinstance(event, RunStarted)]
    speeds = [event.tokens_per_s for event in told if isinstance(event, StepEnd)]
    if not begun or len(speeds) < LEAST_EVENTS or run.config.task is not None:
        return None
    cost = cost_of(run.config, begun[-1].vocab_size, begun[-1].train_tokens)
    if cost is None:
        return None
    return Sample(family=run.config.family, device=begun[-1].device.partition(" ")[0], threads=begun[-1].threads * begun[-1].processes,
                  flops=cost.flops, tokens_per_s=statistics.median(speeds[len(speeds) // 4:]), processes=begun[-1].processes)
