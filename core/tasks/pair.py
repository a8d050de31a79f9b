"""Pairs of texts: the same meaning or not, entailment, or how similar they are (a number: regression)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import UserError
from core.i18n import tr
from core.tasks import classification, files, metrics
from core.tasks.config import TaskConfig
from core.tasks.labels import NOMINAL, NUMBER, Labels, is_number, keep_numbers, likeliest, numbers_of
from core.tasks.layout import Layout
from core.tasks.task import Example, Feature, Predictions, Reading, Task

MOST_NAMES = 5  # labels that are numbers, but so few different ones, are names
MOSTLY = 0.9  # numbers, from this share on: the rest is left out


def read(path: Path, config: TaskConfig) -> Reading:
    reading = Reading()
    for line, row in files.read_table(path, TASK.columns, config.columns(), reading):
        first, second, label = files.text(row["text_a"]), files.text(row["text_b"]), files.label_name(row["label"])
        if not first or not second:
            reading.skip(line, "empty", tr("a text is empty"))
        elif not label:
            reading.skip(line, "no_label", tr("no label"))
        else:
            reading.examples.append(Example(line=line, texts=(first, second), label=label))
    return reading


def fits(example: Example) -> bool:
    return len(example.texts) == 2 and (isinstance(example.label, str) or is_number(example.label))


def inspect(train: Reading, dev: Reading, config: TaskConfig) -> Labels:
    """Labels are numbers where (nearly) all are, and more than MOST_NAMES differ; the person may say otherwise."""
    counts = Counter(example.label for example in train.examples)
    numbers = sum(count for label, count in counts.items() if is_number(label))
    different = sum(map(is_number, counts))
    kind = config.label_kind
    if kind == "auto":
        kind = NUMBER if numbers >= MOSTLY * len(train.examples) and different > MOST_NAMES else NOMINAL
    if kind == NOMINAL:
        return classification.inspect(train, dev, config)
    for reading in (train, dev):
        keep_numbers(reading)
    if len({float(example.label) for example in train.examples}) < 2:
        raise UserError(tr("The training examples do not have two different numbers."), tr("Choose another column."), where="column_label")
    return numbers_of(train.examples)


def features(layout: Layout, number: int, example: Example) -> list[Feature]:
    """One row, or two where the pair is read in both orders; a family that reads texts apart has a row for each text."""
    first, second = example.texts
    if layout.apart:
        return [Feature(example=number, parts=(layout.single(first, 0), layout.single(second, 1)))]
    parts = [layout.pair(first, second)]
    if layout.orders == 2:
        parts.append(layout.pair(second, first, sources=(1, 0)))
    return [Feature(example=number, parts=tuple(parts))]


def target(feature: Feature, example: Example, labels: Labels) -> float:
    if labels.kind == NUMBER:
        return (float(example.label) - labels.mean) / labels.scale
    return labels.index(example.label)


def decode(features: Sequence[Feature], outputs: Sequence[np.ndarray], examples: Sequence[Example], labels: Labels,
           config: TaskConfig) -> Predictions:
    """As classification has it, or {"value": number}."""
    if labels.kind == NUMBER:
        return [{"value": float(output[0]) * labels.scale + labels.mean} for output in outputs]
    return classification.decode(features, outputs, examples, labels, config)


def measure(predictions: Predictions, examples: Sequence[Example], labels: Labels) -> dict[str, float]:
    if labels.kind == NUMBER:
        gold, predicted = [float(example.label) for example in examples], [one["value"] for one in predictions]
        return {"pearson": metrics.pearson(gold, predicted), "spearman": metrics.spearman(gold, predicted)}
    return classification.measure(predictions, examples, labels)


TASK = Task(
    name="pair", title="Pairs", about="Whether two texts mean the same, one follows from the other, or how similar they are.", metric="accuracy",
    columns=("text_a", "text_b", "label"), kinds=(".csv", ".tsv", ".jsonl"), read=read, fits=fits, inspect=inspect, features=features,
    heads={NOMINAL: "core.tasks.heads:LabelHead", NUMBER: "core.tasks.heads:NumberHead"}, target=target, decode=decode, measure=measure,
    majority=likeliest, asked=("text_a", "text_b"), orders=True, tfidf=True,
)
