"""A family, a task and a tokenizer as a newcomer would write them: with what core/families/family.py, outputs.py, learning.py and
core/tasks/task.py and core/text/tokenizers/__init__.py ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.config import RunConfig, check, option
from core.families.batches import PackedWindows
from core.families.cost import Cost
from core.families.family import Family, InputForm
from core.families.huggingface import Counterpart
from core.families.learning import Batch, Loss
from core.families.outputs import Output
from core.tasks import files, metrics
from core.tasks.config import TaskConfig
from core.tasks.labels import NUMBER, Labels, is_number, numbers_of
from core.tasks.layout import Layout
from core.tasks.task import Example, Feature, Predictions, Reading, Task
from core.text import segment
from core.text.tokenizers import SPECIALS, UNK, Encoding, Kind, write


@dataclass(frozen=True, kw_only=True)
class GruConfig:
    num_layers: int = option(2, "Layers.", min=1)
    hidden_size: int = option(16, "Length of a token's vector.", min=8)
    max_seq_len: int = option(64, "The longest input in tokens.", min=8)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class GruObjective:
    """Every token is guessed from those before it."""


class Gru(nn.Module):
    output_bias = None

    def __init__(self, config: GruConfig, vocab_size: int) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(nn.GRU(config.hidden_size, config.hidden_size, batch_first=True) for _ in range(config.num_layers))

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None, *,
                output_hidden_states: bool = False, output_attentions: bool = False) -> Output:
        states = [self.token_embedding(input_ids)]  # (batch, tokens, hidden_size)
        for layer in self.layers:
            states.append(states[-1] + layer(states[-1])[0])
        return Output(last_hidden_state=states[-1], hidden_states=tuple(states) if output_hidden_states else None)

    def token_vectors(self) -> Tensor:
        return self.token_embedding.weight

    def token_logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self.output_matrix)

    def new_cache(self) -> None:
        return None

    @property
    def output_matrix(self) -> Tensor:
        return self.token_embedding.weight


class GruForPretraining(nn.Module):
    def __init__(self, config: GruConfig, vocab_size: int) -> None:
        super().__init__()
        self.encoder = Gru(config, vocab_size)

    def token_logits(self, hidden: Tensor) -> Tensor:
        return self.encoder.token_logits(hidden)


class GruPretraining:
    def __init__(self, config: RunConfig, corpus: Any) -> None:
        self._windows = PackedWindows(config, corpus)
        self.network = self.build(config, corpus.tokenizer.vocab_size)
        self.tokens_per_batch, self.tokens_per_epoch = self._windows.tokens_per_batch, self._windows.tokens_per_epoch

    @staticmethod
    def build(config: RunConfig, vocab_size: int) -> GruForPretraining:
        return GruForPretraining(config.model, vocab_size)

    def batch(self, split: str, index: int) -> Batch:
        ids = torch.from_numpy(self._windows.of_batch(split, index, extra=1).copy())
        return {"input_ids": ids[:, :-1], "labels": ids[:, 1:], "normalizer": torch.tensor(float(ids[:, 1:].numel()))}

    def loss(self, network: nn.Module, batch: Batch) -> Loss:
        logits = network.token_logits(network.encoder(batch["input_ids"]).last_hidden_state)
        nll = F.cross_entropy(logits.flatten(0, 1), batch["labels"].flatten(), reduction="sum")
        return Loss(value=nll / batch["normalizer"], sums={"loss": (nll.detach(), batch["labels"].numel())})


GRU = Family(
    name="gru", title="GRU", paper="Cho et al. 2014, https://arxiv.org/abs/1406.1078", limit="A word sees only what stands before it.",
    model_config=GruConfig, objective_config=GruObjective, presets={"quick": {}}, capabilities=frozenset({"hidden_states", "generate"}),
    prefix=("[BOS]",), form=InputForm(single=("[BOS]", "A", "[EOS]"), vector="last"), model="tests.helpers.newcomers:Gru",
    pretrain="tests.helpers.newcomers:GruPretraining",
)


def cost(config: RunConfig, vocab_size: int, tokens: int) -> Cost:
    hidden = 6 * config.model.hidden_size**2 * config.model.num_layers
    return Cost(parameters=hidden + vocab_size * config.model.hidden_size, hidden=hidden, flops=6.0 * hidden, activations=1.0, core_flops=1e6)


COUNTERPART = Counterpart(
    settings=lambda model, vocab_size: {"model_type": "gru", "vocab_size": vocab_size, "hidden_size": model.hidden_size},
    to_transformers=lambda state: {name.replace("encoder.", "gru."): tensor for name, tensor in state.items()},
    from_transformers=lambda state: {name.replace("gru.", "encoder."): tensor for name, tensor in state.items()},
    encoder="GruModel", pretraining="GruLMHeadModel")

# what a family may say of itself beside that
OUTSPOKEN = replace(GRU, cost="tests.helpers.newcomers:cost", transformers="tests.helpers.newcomers:COUNTERPART")


def read(path: Path, config: TaskConfig) -> Reading:
    reading = Reading()
    for line, row in files.read_table(path, RATING.columns, config.columns(), reading):
        reading.examples.append(Example(line=line, texts=(row["text"],), label=float(row["label"])))
    return reading


def fits(example: Example) -> bool:
    return len(example.texts) == 1 and is_number(example.label)


def inspect(train: Reading, dev: Reading, config: TaskConfig) -> Labels:
    return numbers_of(train.examples)


def features(layout: Layout, number: int, example: Example) -> list[Feature]:
    return [Feature(example=number, parts=(layout.single(example.texts[0]),))]


def target(feature: Feature, example: Example, labels: Labels) -> float:
    return (example.label - labels.mean) / labels.scale


def decode(features: Sequence[Feature], outputs: Sequence[np.ndarray], examples: Sequence[Example], labels: Labels,
           config: TaskConfig) -> Predictions:
    return [{"value": float(row[0]) * labels.scale + labels.mean} for row in outputs]


def measure(predictions: Predictions, examples: Sequence[Example], labels: Labels) -> dict[str, float]:
    return {"pearson": metrics.pearson([example.label for example in examples], [one["value"] for one in predictions])}


def majority(train: Sequence[Example], dev: Sequence[Example]) -> Predictions:
    mean = sum(example.label for example in train) / len(train)
    return [{"value": mean} for _ in dev]


RATING = Task(
    name="rating", title="Rating", about="A number for a text.", metric="pearson", columns=("text", "label"), kinds=(".tsv",), read=read, fits=fits,
    inspect=inspect, features=features, heads={NUMBER: "core.tasks.heads:NumberHead"}, target=target, decode=decode, measure=measure,
    majority=majority,
)


class Blanks:
    """What stands between blanks is a token."""

    kind, lowercase = "blanks", False

    def __init__(self, tokens: Sequence[str], watched: tuple[str, ...]) -> None:
        self.tokens, self.watched, self.vocab_size = list(tokens), watched, len(tokens)

    def arrays(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found = list(re.finditer(r"[^\s\x00]+", text))
        ids = [UNK if (id := self.id(match[0])) is None else id for match in found]
        return np.array(ids, np.int64), np.array([match.start() for match in found], np.int64), np.array([match.end() for match in found], np.int64)

    def encode(self, text: str, specials: bool = False) -> Encoding:
        ids, starts, ends = (each.tolist() for each in self.arrays(segment.clean(text)))
        return Encoding(ids, list(zip(starts, ends, strict=True)))

    def decode(self, ids: Iterable[int]) -> str:
        return " ".join(map(self.token, ids))

    def token(self, id: int) -> str:
        return self.tokens[id]

    def id(self, token: str) -> int | None:
        return self.tokens.index(token) if token in self.tokens else None

    def save(self, path: Path) -> None:
        write(self, path, tokens=self.tokens)


BLANKS = Kind(train=lambda config, texts: Blanks([*SPECIALS, *dict.fromkeys(" ".join(texts).split())][:config.vocab_size], config.watched),
              load=lambda raw, lowercase, watched: Blanks(raw["tokens"], watched))
