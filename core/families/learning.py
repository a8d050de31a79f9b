"""The two contracts of training. The loop (core/train/loop.py) drives any Learner; GradientLearner (core/train/gradient.py) makes one of
any Pretraining or task.

Everything random in a step is drawn from (seed, step), never from a generator that lives on between steps. So a run that
goes on from a checkpoint repeats the undisturbed run bit for bit, and two processes agree on the batch without talking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor, nn

from core.config import RunConfig

Batch = dict[str, Tensor]
IGNORED = -100  # a label that is not learnt, as in torch


@dataclass(frozen=True, kw_only=True)
class Loss:
    """value: the sum over labelled positions, in nats, divided by the batch's `normalizer`: what is minimised.

    sums: name -> (sum, count) of what is reported; those of several micro-batches add up: {"loss": (nats, labels), "mlm_accuracy": ...}.
    """

    value: Tensor
    sums: Mapping[str, tuple[Tensor | float, Tensor | float]]


class Pretraining(Protocol):
    """How a family learns from plain text; made as Pretraining(config: RunConfig, corpus: Corpus)."""

    network: nn.Module  # what is trained and saved; network.encoder is the family's model
    tokens_per_batch: int  # real tokens in one step's batch, about
    tokens_per_epoch: int  # in all of the training text

    @staticmethod
    def build(config: RunConfig, vocab_size: int) -> nn.Module:
        """The network of such a run, as it is before the first step. Where it guesses tokens it has token_logits(hidden), and it or its encoder
        has output_matrix, (vocab_size, size), that these scores are made with: of all matrices Muon leaves this one and the embeddings to AdamW."""
        ...

    def batch(self, split: str, index: int) -> Batch:
        """The whole global batch of that step, on the CPU: a pure function of (seed, split, index). Rows are sequences.

        split: "train" or "valid". It may hold "normalizer": the labels in the whole batch, a scalar.
        """
        ...

    def loss(self, network: nn.Module, batch: Batch) -> Loss:
        """Of some rows of a batch, moved to the network's device; "normalizer" is that of the whole batch."""
        ...


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """loss in nats per label; metrics: others by name; tokens: read in this step; grad_norm: before clipping (0 where there is none)."""

    loss: float
    tokens: int
    learning_rate: float
    grad_norm: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LearnerState:
    """All that a checkpoint must hold. Every tensor on the CPU; extra: JSON."""

    model: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]
    extra: Mapping[str, Any]


class Learner(Protocol):
    """Made as Learner(config: RunConfig, corpus: Corpus, device: Device)."""

    parameters: int
    steps_per_epoch: float

    def step(self, step: int, progress: float) -> StepResult:
        """Learn from batch `step` (0 is the first). progress, 0 to 1, sets the learning rate."""
        ...

    def evaluate(self) -> dict[str, float]:
        """Validation metrics, "loss" among them."""
        ...

    def network(self) -> nn.Module:
        """The family's model as it is now, for probes; shares memory with what is trained where it can."""
        ...

    def state(self) -> LearnerState: ...

    def load_state(self, state: LearnerState) -> None: ...
