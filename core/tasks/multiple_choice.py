"""Multiple choice: a passage, a question, and several answers of which one is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.i18n import tr
from core.tasks import files, metrics
from core.tasks.config import TaskConfig
from core.tasks.labels import Labels, softmax
from core.tasks.layout import Layout
from core.tasks.task import Example, Feature, Predictions, Reading, Task


def read(path: Path, config: TaskConfig) -> Reading:
    """label: the index of the right choice, from 0, or the text of the right choice."""
    reading = Reading()
    wanted = {"label": config.column_label, "context": config.column_text}
    for line, row in files.read_table(path, TASK.columns, wanted, reading):
        context, question = files.text(row["context"]), files.text(row["question"])
        choices = tuple(files.text(choice) for choice in row["choices"]) if isinstance(row["choices"], list) else ()
        label = _index(row["label"], choices)
        if (not question and not context) or not all(choices):
            reading.skip(line, "empty", tr("a text is empty"))
        elif len(choices) < 2:
            reading.skip(line, "few_choices", tr("{count} choices", count=len(choices)))
        elif label is None:
            reading.skip(line, "label_range", tr("the label '{label}' is none of {count} choices", label=row["label"], count=len(choices)))
        else:
            reading.examples.append(Example(line=line, texts=(context, question), choices=choices, label=label))
    return reading


def _index(value: object, choices: Sequence[str]) -> int | None:
    """A number is a place; of what is written as text, and of true and false, the choice of that text comes first."""
    name, truth = files.label_name(value), isinstance(value, bool)
    if name in choices and (truth or not isinstance(value, int)):
        return choices.index(name)
    place = str(int(value)) if truth else name
    return int(place) if place.isdecimal() and int(place) < len(choices) else None


def fits(example: Example) -> bool:
    return len(example.texts) == 2 and isinstance(example.label, int) and 0 <= example.label < len(example.choices)


def inspect(train: Reading, dev: Reading, config: TaskConfig) -> Labels:
    usual = Counter(len(example.choices) for example in train.examples).most_common(1)[0][0]
    for reading in (train, dev):
        for example in reading.examples:
            if len(example.choices) != usual:
                reading.note(example.line, "unequal_choices", tr("{count} choices, where most have {usual}", count=len(example.choices), usual=usual))
    return Labels()


def features(layout: Layout, number: int, example: Example) -> list[Feature]:
    """A row for each choice: passage and question as the first text, the choice as the second (Radford et al. 2018, section 3.3).

    BERT's two segments are the passage, and the question with the choice. A family that reads texts apart has a row with passage
    and question, then one for each choice.
    """
    context, question = example.texts
    asked = f"{context}\n{question}"
    if layout.apart:
        return [Feature(example=number, parts=(layout.single(asked), *(layout.single(choice, 2) for choice in example.choices)))]
    if layout.form.segments:
        parts = (layout.pair(context, f"{question} {choice}") for choice in example.choices)
    else:
        parts = (layout.pair(asked, choice, sources=(0, 2)) for choice in example.choices)
    return [Feature(example=number, parts=tuple(parts))]


def target(feature: Feature, example: Example, labels: Labels) -> int:
    return example.label


def decode(features: Sequence[Feature], outputs: Sequence[np.ndarray], examples: Sequence[Example], labels: Labels,
           config: TaskConfig) -> Predictions:
    """{"choice": index, "probabilities": [p for each choice]}"""
    made = []
    for feature, output in zip(features, outputs, strict=True):
        chances = softmax(output[: len(examples[feature.example].choices)])
        made.append({"choice": int(chances.argmax()), "probabilities": chances.tolist()})
    return made


def measure(predictions: Predictions, examples: Sequence[Example], labels: Labels) -> dict[str, float]:
    return {"accuracy": metrics.accuracy([example.label for example in examples], [one["choice"] for one in predictions])}


def majority(train: Sequence[Example], dev: Sequence[Example]) -> Predictions:
    """The place that is right most often."""
    place = Counter(example.label for example in train).most_common(1)[0][0]
    return [{"choice": min(place, len(example.choices) - 1), "probabilities": []} for example in dev]


TASK = Task(
    name="multiple_choice", title="Multiple choice", about="Which of several answers to a question about a passage is right.", metric="accuracy",
    columns=("context", "question", "choices", "label"), kinds=(".jsonl",), read=read, fits=fits, inspect=inspect, features=features,
    heads={"": "core.tasks.heads:ChoiceHead"}, target=target, decode=decode, measure=measure, majority=majority,
    asked=("context", "question", "choices"), free_parts=True,
)
