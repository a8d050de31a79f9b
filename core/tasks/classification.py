"""Text classification: one text, one of several labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import UserError
from core.i18n import tr
from core.tasks import files, metrics
from core.tasks.config import TaskConfig
from core.tasks.labels import NOMINAL, Labels, likeliest, names_of, note_unseen, softmax
from core.tasks.layout import Layout
from core.tasks.task import Example, Feature, Predictions, Reading, Task


def read(path: Path, config: TaskConfig) -> Reading:
    reading = Reading()
    for line, row in files.read_table(path, TASK.columns, config.columns(), reading):
        text, label = files.text(row["text"]), files.label_name(row["label"])
        if not text:
            reading.skip(line, "empty", tr("the text is empty"))
        elif not label:
            reading.skip(line, "no_label", tr("no label"))
        else:
            reading.examples.append(Example(line=line, texts=(text,), label=label))
    return reading


def fits(example: Example) -> bool:
    return len(example.texts) == 1 and isinstance(example.label, str)


def inspect(train: Reading, dev: Reading, config: TaskConfig) -> Labels:
    names = names_of(train.examples)
    if len(names) < 2:
        raise UserError(tr("The training examples have only one label: '{label}'.", label=names[0] if names else ""),
                        tr("Add examples of another label, or choose another column."), where="column_label")
    note_unseen(dev, names, tr("the training data has no label '{label}'"))
    return Labels(kind=NOMINAL, names=names)


def features(layout: Layout, number: int, example: Example) -> list[Feature]:
    return [Feature(example=number, parts=(layout.single(example.texts[0]),))]


def target(feature: Feature, example: Example, labels: Labels) -> int:
    return labels.index(example.label)


def decode(features: Sequence[Feature], outputs: Sequence[np.ndarray], examples: Sequence[Example], labels: Labels,
           config: TaskConfig) -> Predictions:
    """{"label", "probabilities": {name: p}}, the probabilities in the order of the names."""
    chances = [softmax(output) for output in outputs]
    return [{"label": labels.names[int(row.argmax())], "probabilities": dict(zip(labels.names, row.tolist(), strict=True))} for row in chances]


def measure(predictions: Predictions, examples: Sequence[Example], labels: Labels) -> dict[str, float]:
    gold, predicted = [example.label for example in examples], [one["label"] for one in predictions]
    return {"accuracy": metrics.accuracy(gold, predicted), "macro_f1": metrics.macro_f1(gold, predicted)}


HEADS = {NOMINAL: "core.tasks.heads:LabelHead"}

TASK = Task(
    name="classification", title="Classification", about="One label for a text: its topic, its mood.", metric="accuracy",
    columns=("text", "label"), kinds=(".csv", ".tsv", ".jsonl"), read=read, fits=fits, inspect=inspect, features=features, heads=HEADS,
    target=target, decode=decode, measure=measure, majority=likeliest, tfidf=True,
)
