"""What a run will cost, before it is started: numbers to learn, memory, speed and time. Arithmetic only; no torch.

The parameters are exact. Memory is what the tensors add up to, plus what a process with torch in it takes anyway. The speed
comes from earlier runs of the same family on this machine, scaled by the arithmetic that a token costs; where there are none,
from a small table. All but the parameters is to be read as "about".
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.config import RunConfig
from core.events import EventReader, RunStarted, StepEnd, story
from core.registry import family
from core.runs import Run, list_runs

FLOAT_BYTES = 4
MOMENTS = {"adamw": 2, "muon": 1}  # numbers that the optimizer keeps for each one of a hidden matrix; for the rest always two
PROCESS_BYTES = 430e6  # Python, torch and the mapped text, before the model
TRANSFORMER_FLOATS = 18  # that a layer keeps for the backward pass, for each token and each unit of hidden_size
LSTM_FLOATS = 12  # that a layer and direction keeps, for each token and each unit of cell_size
TRAINING_FLOPS = 6  # a token and a weight: a product and a sum forward, twice that backward
# Floating point operations a second that training really reached: with one core of a laptop, by family (2 cores, PyTorch 2.13)
CORE_FLOPS = {"bert": 45e9, "gpt": 45e9, "elmo": 40e9, "word2vec": 12e9}
CORE_FLOPS_OF_OTHERS = 30e9
THREADS_GAIN = 0.8  # n threads are n^0.8 times as fast as one
GPU_FLOPS = 15e12  # a guess: cards differ by a factor of fifty
GPU_TOKENS_PER_S = 4e5  # small models wait for the card's launches, not for its arithmetic
SAMPLES = 5  # earlier runs that are asked
LEAST_EVENTS = 6  # of a run that counts: the first steps are slow
LOG_BYTES = 2_000_000  # of an event file's beginning that is read

# ELMo's character CNN; a test holds them against core/families/elmo/model.py
CNN_FILTERS = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024))
CNN_HIGHWAYS, CNN_CHARACTERS, CNN_CHARACTER_SIZE = 2, 65536, 16


@dataclass(frozen=True, kw_only=True)
class Size:
    """What a network is made of. hidden: the numbers in matrices that Muon takes over.

    flops: of one token in training. activations: float32 numbers kept for the backward pass, for each token.
    """

    parameters: int
    hidden: int
    flops: float
    activations: float


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
    """How fast an earlier run was. flops: of a token of its model."""

    family: str
    device: str
    threads: int
    flops: float
    tokens_per_s: float


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Memory in bytes, that of all processes together. steps, tokens: that the run will read; epochs: how often the text. samples: runs that
    the speed is taken from."""

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


def estimate(config: RunConfig, text: TextSize, machine: Machine, samples: Sequence[Sample] = ()) -> Estimate | None:
    """None for a family whose size nobody has told us (SIZES)."""
    measure = SIZES.get(config.family)
    if measure is None:
        return None
    train, size = config.train, measure(config, text.vocab_size)
    learns_by_gradient = "optimizer" not in family(config.family).unused
    device = device_of(config, machine)
    share = train.batch_size // train.processes
    rows = min(train.micro_batch_size or share, share)  # that each process computes at once
    half = 0.5 if device == "cuda" and train.precision != "fp32" else 1.0
    moments = 2 * (size.parameters - size.hidden) + MOMENTS[train.optimizer] * size.hidden
    kept = rows * train.seq_len * size.activations * half
    each = FLOAT_BYTES * train.processes  # every process has all of the network
    speed, used = _speed(config, size, machine, device, samples)
    batch_tokens = train.batch_size * train.seq_len if learns_by_gradient else min(1 << 16, max(512, text.tokens // 16))
    limits = [60 * train.minutes] if train.minutes else []
    if train.steps:
        limits.append(train.steps * batch_tokens / speed)
    if train.epochs:
        limits.append(train.epochs * text.tokens / speed)
    seconds = min(limits)
    tokens = round(seconds * speed)
    return Estimate(
        parameters=size.parameters, weights=each * size.parameters, gradients=each * size.parameters if learns_by_gradient else 0,
        optimizer=each * moments if learns_by_gradient else 0, activations=round(each * kept),
        process=round(PROCESS_BYTES) * train.processes, processes=train.processes, on_gpu=device != "cpu", tokens_per_s=speed, seconds=seconds,
        steps=max(1, round(tokens / batch_tokens)), tokens=tokens, epochs=tokens / max(text.tokens, 1), samples=used)


def device_of(config: RunConfig, machine: Machine) -> str:
    """Where the run will compute: "cuda", "mps" or "cpu"."""
    if "device" in family(config.family).unused:
        return "cpu"
    return machine.kind if config.train.device == "auto" else config.train.device


def _speed(config: RunConfig, size: Size, machine: Machine, device: str, samples: Sequence[Sample]) -> tuple[float, int]:
    """Tokens a second, and how many earlier runs say so."""
    threads = config.train.threads or machine.cores
    alike = [one for one in samples if one.family == config.family and one.device == device and one.flops > 0][:SAMPLES]
    if alike:
        # half the arithmetic is rarely twice the speed, on a GPU least of all
        power = 0.9 if device == "cpu" else 0.5
        said = [one.tokens_per_s * (one.flops / size.flops) ** power * (_gain(threads) / _gain(one.threads) if device == "cpu" else 1.0)
                for one in alike]
        return statistics.median(said), len(alike)
    if device == "cpu":
        return CORE_FLOPS.get(config.family, CORE_FLOPS_OF_OTHERS) * _gain(threads) / size.flops, 0
    return min(GPU_TOKENS_PER_S, GPU_FLOPS / size.flops) * config.train.processes, 0


def _gain(threads: int) -> float:
    return max(threads, 1) ** THREADS_GAIN


# the sizes of the families' networks, as they are trained

def _transformer_layers(model: Any, seq_len: int) -> tuple[int, int, float, float]:
    """Of all layers: parameters, those in matrices, flops of a token, activations of a token."""
    hidden, inner, layers = model.hidden_size, model.intermediate_size or 4 * model.hidden_size, model.num_layers
    matrices = 4 * hidden * hidden + 2 * hidden * inner
    vectors = 4 * hidden + hidden + inner + 4 * hidden  # biases of attention and feed-forward, two norms
    flops = TRAINING_FLOPS * matrices + 12 * hidden * seq_len  # and every token meets every other one
    kept = (TRANSFORMER_FLOATS - 8) * hidden + (3 if model.activation == "gelu_tanh" else 2) * inner  # that one keeps its gate too (on a CPU)
    return layers * (matrices + vectors), layers * matrices, layers * flops, layers * kept


def bert_size(config: RunConfig, vocab_size: int) -> Size:
    model, objective, hidden = config.model, config.objective, config.model.hidden_size
    layers, matrices, flops, kept = _transformer_layers(model, config.train.seq_len)
    embeddings = (vocab_size + model.max_seq_len + 2) * hidden + 2 * hidden
    heads = 2 * (hidden * hidden + hidden) + 2 * hidden + vocab_size + 2 * hidden + 2  # pooler, masked tokens, next sentence
    share = objective.mask_percent / 100
    # of the last layer, all but keys and values is computed for the guessed tokens alone
    spared_flops = (1 - share) * (flops / model.num_layers - TRAINING_FLOPS * 2 * hidden * hidden)
    spared_kept = (1 - share) * (kept / model.num_layers - 3 * hidden)
    return Size(parameters=embeddings + layers + heads, hidden=matrices + (3 if objective.next_sentence else 1) * hidden * hidden,
                flops=flops - spared_flops + share * TRAINING_FLOPS * (hidden * hidden + vocab_size * hidden),
                activations=kept - spared_kept + 4 * hidden * share + 3 * hidden)


def gpt_size(config: RunConfig, vocab_size: int) -> Size:
    model, hidden = config.model, config.model.hidden_size
    layers, matrices, flops, kept = _transformer_layers(model, config.train.seq_len)
    embeddings = (vocab_size + model.max_seq_len) * hidden + 2 * hidden
    return Size(parameters=embeddings + layers, hidden=matrices, flops=flops + TRAINING_FLOPS * vocab_size * hidden,
                activations=kept + 3 * hidden)


def elmo_size(config: RunConfig, vocab_size: int) -> Size:
    model, size = config.model, config.model.hidden_size
    cell = model.cell_size or size
    matrices = 4 * cell * size + 4 * cell * size + (size * cell if model.cell_size else 0)
    lstms, biases = 2 * model.num_layers * matrices, 2 * model.num_layers * 8 * cell
    if model.embedding == "char_cnn":
        filters = [(width, number) for width, number in CNN_FILTERS if width <= model.max_characters]
        channels = sum(number for _, number in filters)
        convolutions = sum(CNN_CHARACTER_SIZE * width * number + number for width, number in filters)
        mixing = CNN_HIGHWAYS * (channels * 2 * channels + 2 * channels) + channels * size + size
        token, hidden = CNN_CHARACTERS * CNN_CHARACTER_SIZE + convolutions + mixing, CNN_HIGHWAYS * 2 * channels * channels + channels * size
    else:
        token, hidden = vocab_size * size, 0
    guessed = config.objective.sampled_softmax or vocab_size
    flops = TRAINING_FLOPS * (lstms + hidden) + 2 * TRAINING_FLOPS * min(guessed, vocab_size) * size  # both directions guess
    return Size(parameters=token + lstms + biases + vocab_size * size + vocab_size, hidden=lstms + hidden, flops=flops,
                activations=2 * model.num_layers * LSTM_FLOATS * cell + 4 * size)


def word2vec_size(config: RunConfig, vocab_size: int) -> Size:
    dim, objective = config.model.dim, config.objective
    guesses = 1 if objective.objective == "cbow" else objective.window + 1  # the window shrinks at random
    return Size(parameters=2 * vocab_size * dim, hidden=0, flops=TRAINING_FLOPS * guesses * (1 + objective.negative) * dim, activations=0)


SIZES: dict[str, Callable[[RunConfig, int], Size]] = {"bert": bert_size, "gpt": gpt_size, "elmo": elmo_size, "word2vec": word2vec_size}


# what earlier runs tell; reads their files, so the window asks the engine for it

def samples(folder: Path | None = None, most: int = 40) -> list[Sample]:
    """The speeds of the newest runs, the newest first."""
    found = (sample_of(run) for run in list_runs(folder)[:most])
    return [sample for sample in found if sample is not None]


def sample_of(run: Run) -> Sample | None:
    """None for a run that has told too little of its speed."""
    told = story(EventReader(run.events_path).read(LOG_BYTES))
    begun = [event for event in told if isinstance(event, RunStarted)]
    speeds = [event.tokens_per_s for event in told if isinstance(event, StepEnd)]
    measure = SIZES.get(run.config.family)
    if not begun or len(speeds) < LEAST_EVENTS or measure is None or run.config.task is not None:
        return None
    size = measure(run.config, begun[-1].vocab_size)
    return Sample(family=run.config.family, device=begun[-1].device.partition(" ")[0], threads=begun[-1].threads, flops=size.flops,
                  tokens_per_s=statistics.median(speeds[len(speeds) // 4:]))
