"""The heads: from what the network has read to logits, and the loss against the labels.

Each is made as Head(size, labels, options, apart=, orders=) and has

    forward(read) -> logits
    loss(logits, batch) -> (summed loss, {name: (sum, count)})     batch["labels"] as Task.target has it, -100 is ignored
    count(batch) -> what the loss of a batch is divided by
    outputs(logits, batch) -> what Task.decode gets, a row for each example
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.families.learning import IGNORED
from core.registry import task
from core.tasks.config import TaskConfig
from core.tasks.crf import LinearChainCrf
from core.tasks.labels import Labels
from core.tasks.networks import BiLstm, Read

SURE = 20.0  # logit of a tag that the CRF has chosen: a probability of 1
Sums = dict[str, tuple[Tensor | float, float]]


def pair_features(u: Tensor, v: Tensor, symmetric: bool) -> Tensor:
    """[u; v; |u - v|; u * v] of two texts that were read apart (Conneau et al. 2017, section 3.1); symmetric: u + v for u and v."""
    both = [u + v] if symmetric else [u, v]
    return torch.cat([*both, (u - v).abs(), u * v], dim=-1)


class TextVector:
    """What a label is judged by: the vector of a text or of a pair in one row; of two texts that were read apart, their pair_features.

    A pair that was read in both orders has two vectors; they are added (Radford et al. 2018, section 3.3). width: of the result.
    """

    def __init__(self, size: int, options: TaskConfig, *, apart: bool, orders: int) -> None:
        self.two, self.symmetric = apart and task(options.task).orders, orders == 2
        self.width = (3 if self.symmetric else 4) * size if self.two else size

    def __call__(self, read: Read) -> Tensor:
        """(batch, width)"""
        return pair_features(read.pooled[:, 0], read.pooled[:, 1], self.symmetric) if self.two else read.pooled.sum(dim=1)


class LabelHead(nn.Module):
    """One label for each example: linear over its TextVector. -> (batch, labels)"""

    def __init__(self, size: int, labels: Labels, options: TaskConfig, *, apart: bool, orders: int) -> None:
        super().__init__()
        self.vector, self.smoothing = TextVector(size, options, apart=apart, orders=orders), options.label_smoothing
        self.linear = nn.Linear(self.vector.width, len(labels.names))
        self.register_buffer("class_weights", torch.ones(len(labels.names)), persistent=False)

    def forward(self, read: Read) -> Tensor:
        return self.linear(self.vector(read))

    def loss(self, logits: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Sums]:
        return cross_entropy(logits, batch["labels"], self.class_weights, self.smoothing)

    def count(self, batch: dict[str, Tensor]) -> float:
        return weight_of(batch["labels"], self.class_weights)

    def outputs(self, logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
        return logits


class NumberHead(nn.Module):
    """A number for each pair, linear over its TextVector; squared error of the standardised numbers. -> (batch, 1)"""

    def __init__(self, size: int, labels: Labels, options: TaskConfig, *, apart: bool, orders: int) -> None:
        super().__init__()
        self.vector = TextVector(size, options, apart=apart, orders=orders)
        self.linear = nn.Linear(self.vector.width, 1)

    def forward(self, read: Read) -> Tensor:
        return self.linear(self.vector(read))

    def loss(self, logits: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Sums]:
        error = (logits[:, 0].float() - batch["labels"].float()).square().sum()
        return error, {"loss": (error.detach(), len(logits))}

    def count(self, batch: dict[str, Tensor]) -> float:
        return float(len(batch["labels"]))

    def outputs(self, logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
        return logits


class ChoiceHead(nn.Module):
    """A score for each choice, softmax over those of a question (Radford et al. 2018, section 3.3). -> (batch, choices)"""

    def __init__(self, size: int, labels: Labels, options: TaskConfig, *, apart: bool, orders: int) -> None:
        super().__init__()
        self.apart = apart
        self.linear = nn.Linear(4 * size if apart else size, 1)

    def forward(self, read: Read) -> Tensor:
        pooled, present = read.pooled, read.present
        if self.apart:  # the first part is passage and question
            asked, pooled, present = pooled[:, :1], pooled[:, 1:], present[:, 1:]
            pooled = pair_features(asked.expand_as(pooled), pooled, symmetric=False)
        return self.linear(pooled).squeeze(-1).masked_fill(~present, -1e4)

    def loss(self, logits: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Sums]:
        return cross_entropy(logits, batch["labels"], None, 0.0)

    def count(self, batch: dict[str, Tensor]) -> float:
        return float(len(batch["labels"]))

    def outputs(self, logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
        return logits


class TagHead(nn.Module):
    """A tag for each unit, each alone or all together by a CRF. -> (batch, units, tags)"""

    def __init__(self, size: int, labels: Labels, options: TaskConfig, *, apart: bool, orders: int) -> None:
        super().__init__()
        self.smoothing = options.label_smoothing
        self.linear = nn.Linear(size, len(labels.names))
        self.crf = LinearChainCrf(len(labels.names)) if options.crf else None
        self.register_buffer("class_weights", torch.ones(len(labels.names)), persistent=False)

    def forward(self, read: Read) -> Tensor:
        return self.linear(read.vectors[:, 0])

    def loss(self, logits: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Sums]:
        labels = batch["labels"]
        if self.crf is None:
            return cross_entropy(logits.flatten(0, 1), labels.flatten(), self.class_weights, self.smoothing)
        mask = batch["units"] >= 0
        some = mask.any(dim=1)
        nll = (self.crf.nll(logits.float(), labels.clamp(min=0), mask) * some).sum()
        return nll, {"loss": (nll.detach(), float(mask.sum()))}

    def count(self, batch: dict[str, Tensor]) -> float:
        return float((batch["units"] >= 0).sum()) if self.crf is not None else weight_of(batch["labels"], self.class_weights)

    def outputs(self, logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
        if self.crf is None:
            return logits
        return SURE * F.one_hot(self.crf.best(logits.float(), batch["units"] >= 0), logits.shape[-1]).float()


class SpanHead(nn.Module):
    """Where the answer begins and ends: a score for each token of each row. -> (batch, parts, tokens, 2)

    Where question and passage were read apart, each token of the passage first looks at the question,
    c~_i = sum_j softmax_j(c_i W q_j) q_j, and a BiLSTM reads [c; c~; c * c~] (after Seo et al. 2017, section 2).
    """

    def __init__(self, size: int, labels: Labels, options: TaskConfig, *, apart: bool, orders: int) -> None:
        super().__init__()
        self.apart = apart
        if apart:
            self.match = nn.Linear(size, size, bias=False)
            nn.init.eye_(self.match.weight)
            self.reader = BiLstm(3 * size, options.lstm_size)
        self.linear = nn.Linear(2 * options.lstm_size if apart else size, 2)

    def forward(self, read: Read) -> Tensor:
        if not self.apart:
            return self.linear(read.vectors)
        question, passage = read.vectors[:, 0], read.vectors[:, 1:]  # (batch, tokens, size), (batch, windows, tokens, size)
        scores = torch.einsum("bwtd,bqd->bwtq", self.match(passage), question)
        scores = scores.masked_fill(read.mask[:, 0, None, None, :] == 0, -1e4)
        asked = scores.softmax(dim=-1) @ question.unsqueeze(1)  # (batch, windows, tokens, size)
        x = torch.cat([passage, asked, passage * asked], dim=-1).flatten(0, 1)
        logits = self.linear(self.reader(x, read.mask[:, 1:].flatten(0, 1))).view(*passage.shape[:3], 2)
        return torch.cat([torch.zeros_like(logits[:, :1]), logits], dim=1)

    def loss(self, logits: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Sums]:
        labels, tokens = batch["labels"], logits.shape[2]
        chances = self._masked(logits, batch).log_softmax(dim=1)  # (batch, parts * tokens, 2)
        known = labels[:, 0] != IGNORED
        place = (labels[:, :1] * tokens + labels[:, 1:])[known]  # (known, 2)
        nll = -chances[known].gather(1, place.unsqueeze(1)).sum() / 2
        right = (chances[known].argmax(dim=1) == place).all(dim=1).sum()
        return nll, {"loss": (nll.detach(), float(known.sum())), "accuracy": (right, float(known.sum()))}

    def outputs(self, logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """Log-probabilities. The first place of every further row is none of their places; it is measured alike (core/tasks/span.py: decode)."""
        masked = self._masked(logits, batch)
        chances = masked.log_softmax(dim=1).view_as(logits)
        chances[:, :, 0] = logits[:, :, 0].float() - masked.logsumexp(dim=1)[:, None]
        return chances

    def count(self, batch: dict[str, Tensor]) -> float:
        return float((batch["labels"][:, 0] != IGNORED).sum())

    def _masked(self, logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """All tokens of the passage in all rows, and the place that means no answer; any other can not be chosen. (batch, parts * tokens, 2)"""
        allowed = batch["answer_mask"].flatten(1).unsqueeze(-1)
        return logits.float().flatten(1, 2).masked_fill(allowed == 0, -1e4)


def cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor | None, smoothing: float) -> tuple[Tensor, Sums]:
    """The summed, weighted cross-entropy of the labels that are not -100, and how many are right."""
    known = labels != IGNORED
    logits, labels = logits[known].float(), labels[known]
    value = F.cross_entropy(logits, labels, weights, reduction="sum", label_smoothing=smoothing)
    count = float(len(labels)) if weights is None else float(weights[labels].sum())
    return value, {"loss": (value.detach(), count), "accuracy": ((logits.argmax(dim=-1) == labels).sum(), float(len(labels)))}


def weight_of(labels: Tensor, weights: Tensor) -> float:
    """The labels that are not -100, each counted by its class's weight."""
    return float(weights.cpu()[labels[labels != IGNORED]].sum())
