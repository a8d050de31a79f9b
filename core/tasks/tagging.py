"""Tagging: a tag for each token of a sentence, in the BIO or BIOES scheme, as named entities are marked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from core.config import TextConfig
from core.errors import UserError
from core.i18n import tr
from core.tasks import metrics
from core.tasks.config import TaskConfig
from core.tasks.labels import NOMINAL, Labels, names_of, note_unseen, softmax
from core.tasks.layout import Layout
from core.tasks.task import UNIT_PLACES, Example, Feature, Part, Predictions, Reading, Task
from core.text import encodings, segment

OUTSIDE = "O"
_TAG = re.compile(r"O|[BIES]-\S+")
WIDE = re.compile("[\u2e80-\ua4cf\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")


def read(path: Path, config: TaskConfig) -> Reading:
    """A token and its tag a line (the first and the last of its columns), a blank line between sentences."""
    reading = Reading(available=["token", "tag"], columns={"token": "1", "tag": "-1"})
    for begin, lines in _sentences(path):
        example = _sentence(begin, lines, reading)
        if example is not None:
            reading.examples.append(example)
    if not reading.examples:
        first = next((problem for problem in reading.problems if problem.kind == "tag_scheme"), None)
        raise UserError(tr("{path} has no sentence that can be used.", path=path.name),
                        tr("Line {line}: {text}.", line=first.line, text=first.text) if first else tr("Each line must be a token and its tag."),
                        where="train_file")
    return reading


def _sentences(path: Path) -> Iterator[tuple[int, list[list[str]]]]:
    lines: list[list[str]] = []
    begin = 1
    for number, line in enumerate([*encodings.read_lines(path, TextConfig()), ""], start=1):
        cells = line.split()
        if cells and not line.startswith("-DOCSTART-"):
            begin = begin if lines else number
            lines.append(cells)
        elif lines:
            yield begin, lines
            lines = []


def _sentence(begin: int, lines: list[list[str]], reading: Reading) -> Example | None:
    tags, units, text = [], [], ""
    before = OUTSIDE
    repaired: list[tuple[int, str]] = []
    for number, cells in enumerate(lines, start=begin):
        if len(cells) < 2:
            reading.skip(number, "no_tag", tr("'{token}' has no tag", token=cells[0]))
            return None
        token, tag = segment.clean(cells[0]), cells[-1]
        if not _TAG.fullmatch(tag):
            reading.skip(number, "tag_scheme", tr("the tag '{tag}' is neither O nor of the form B-, I-, E- or S- and a type", tag=tag))
            return None
        inside = before != OUTSIDE and before[0] in "BI" and before[1:] == tag[1:]
        if tag[0] in "IE" and not inside:
            repaired.append((number, tag))
            tag = ("B" if tag[0] == "I" else "S") + tag[1:]
        if text and not (WIDE.match(text[-1]) or WIDE.match(token)):
            text += " "
        units.append((len(text), len(text) + len(token)))
        text += token
        tags.append(tag)
        before = tag
    for number, tag in repaired:
        reading.note(number, "i_without_b", tr("{tag} has no beginning before it", tag=tag))
    return Example(line=begin, texts=(text,), units=tuple(units), label=tuple(tags))


def fits(example: Example) -> bool:
    tags, units = example.label, example.units
    return len(example.texts) == 1 and isinstance(tags, tuple) and len(tags) == len(units) and all(isinstance(tag, str) for tag in tags) and all(
        0 <= start < end <= len(example.texts[0]) for start, end in units)


def inspect(train: Reading, dev: Reading, config: TaskConfig) -> Labels:
    names = names_of(train.examples)
    if names == (OUTSIDE,):
        raise UserError(tr("The training sentences hold no tag but O."), tr("Add sentences with marked spans."), where="train_file")
    note_unseen(dev, names, tr("the training data has no tag '{label}'"))
    return Labels(kind=NOMINAL, names=names)


def features(layout: Layout, number: int, example: Example) -> list[Feature]:
    """A sentence that is too long comes in several rows; each unit stands in the row that holds its first token."""
    return [Feature(example=number, parts=(part,), units=_units(example, part)) for part in layout.windows(example.texts[0])]


def _units(example: Example, part: Part) -> tuple[tuple[int, int, int], ...]:
    """(unit, position, place). Several units may share a token (a word's characters): their place in it tells them apart."""
    made, position = [], 0
    place, before = 0, -1
    for number, (begin, end) in enumerate(example.units):
        while position < len(part.ids) and (part.sources[position] < 0 or part.offsets[position][1] <= begin):
            position += 1
        if position == len(part.ids):
            break
        if part.offsets[position][0] >= end:
            continue  # no token of this row stands for it
        place = min(place + 1, UNIT_PLACES - 1) if position == before else 0
        before = position
        made.append((number, position, place))
    return tuple(made)


def target(feature: Feature, example: Example, labels: Labels) -> list[int]:
    return [labels.index(example.label[number]) for number, _, _ in feature.units]


def decode(features: Sequence[Feature], outputs: Sequence[np.ndarray], examples: Sequence[Example], labels: Labels,
           config: TaskConfig) -> Predictions:
    """{"tags": [one for each unit], "probabilities": [of each], "spans": [{"type", "start", "end", "text"}]} in characters of the text.

    A unit that no token stands for is outside.
    """
    tags = [[OUTSIDE] * len(example.units) for example in examples]
    chances = [[1.0] * len(example.units) for example in examples]
    for feature, output in zip(features, outputs, strict=True):
        for (number, _, _), row in zip(feature.units, softmax(output[: len(feature.units)]), strict=True):
            tags[feature.example][number] = labels.names[int(row.argmax())]
            chances[feature.example][number] = float(row.max())
    return [{"tags": row, "probabilities": chance, "spans": spans(example, row)}
            for example, row, chance in zip(examples, tags, chances, strict=True)]


def spans(example: Example, tags: Sequence[str]) -> list[dict[str, object]]:
    """The spans that the tags mark, in characters."""
    made = []
    for kind, first, last in metrics.tag_spans(tags):
        start, end = example.units[first][0], example.units[last][1]
        made.append({"type": kind, "start": start, "end": end, "text": example.texts[0][start:end]})
    return made


def measure(predictions: Predictions, examples: Sequence[Example], labels: Labels) -> dict[str, float]:
    micro, _ = metrics.span_f1([example.label for example in examples], [one["tags"] for one in predictions])
    return micro


def majority(train: Sequence[Example], dev: Sequence[Example]) -> Predictions:
    """The likeliest tag everywhere; it is O in any real data, so no span is found."""
    tag = Counter(tag for example in train for tag in example.label).most_common(1)[0][0]
    return [{"tags": [tag] * len(example.units), "probabilities": [], "spans": []} for example in dev]


TASK = Task(
    name="tagging", title="Tagging", about="A tag for each token: the names of people, places and organisations.", metric="f1",
    columns=("token", "tag"), kinds=(".conll", ".txt", ".bio", ".iob", ".tsv"), read=read, fits=fits, inspect=inspect, features=features,
    heads={NOMINAL: "core.tasks.heads:TagHead"}, target=target, decode=decode, measure=measure, majority=majority,
    units=True, windows=True, blind="A left-to-right model tags each token before it has read what follows.",
)
