"""What the labels of a task can be: names, or numbers with their scale."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.i18n import tr
from core.tasks.task import Example, Predictions, Reading

NOMINAL, NUMBER = "nominal", "number"


@dataclass(frozen=True, kw_only=True)
class Labels:
    """kind: "nominal", "number" or "" (the answer lies in the example). names: in the order of the outputs.

    mean, scale: of the numbers of the training examples; the network learns (number - mean) / scale.
    """

    kind: str = ""
    names: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    def index(self, name: str) -> int:
        """-100, which the loss ignores, for a name that training did not have."""
        return self.names.index(name) if name in self.names else -100


def names_of(examples: Sequence[Example]) -> tuple[str, ...]:
    """Label names in their natural order: 2 before 10, else by letters."""
    found = {label for example in examples for label in (example.label if isinstance(example.label, tuple) else (example.label,))}
    return tuple(sorted(found, key=lambda name: (0, float(name), name) if is_number(name) else (1, 0.0, name)))


def numbers_of(examples: Sequence[Example]) -> Labels:
    values = [float(example.label) for example in examples]
    mean = sum(values) / len(values)
    scale = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    return Labels(kind=NUMBER, mean=mean, scale=scale or 1.0)


def is_number(text: Any) -> bool:
    try:
        return math.isfinite(float(text))
    except (TypeError, ValueError):
        return False


def keep_numbers(reading: Reading) -> None:
    """Leave out the examples whose label is no number, and say so."""
    for example in reading.examples:
        if not is_number(example.label):
            reading.skip(example.line, "not_a_number", tr("'{label}' is not a number", label=example.label))
    reading.examples = [example for example in reading.examples if is_number(example.label)]


def likeliest(train: Sequence[Example], dev: Sequence[Example]) -> Predictions:
    """The most frequent label for everyone."""
    label = Counter(example.label for example in train).most_common(1)[0][0]
    return [{"label": label, "probabilities": {}} for _ in dev]


def note_unseen(dev: Reading, names: Sequence[str], message: str) -> None:
    """Note the development examples with a label that training lacks. message: with {label}."""
    for example in dev.examples:
        for label in example.label if isinstance(example.label, tuple) else (example.label,):
            if label not in names:
                dev.note(example.line, "unseen_label", message.format(label=label))
                break


def softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
