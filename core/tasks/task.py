"""What a task of the second stage declares about itself, and what its readers hand over; imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Example:
    """One labelled item of a file.

    line: where it begins in the file, from 1. texts: one, or two (text_a and text_b; passage and question).
    label: a name; a number; the right choice's index; a name for each unit; for span the answers ((text, start), ...), none where
    the passage holds no answer. None: not labelled. choices: the answers to choose from. units: the (start, end) characters of
    texts[0] that carry a tag each.
    """

    line: int
    texts: tuple[str, ...]
    label: Any = None
    choices: tuple[str, ...] = ()
    units: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Problem:
    """Something wrong with one line. kind: one that `rule` in core/tasks/problems.py knows. text: what is wrong there, in words."""

    line: int
    kind: str
    text: str


@dataclass(kw_only=True)
class Reading:
    """A file as its task's reader has read it. columns: role -> the column's name. available: all columns.

    skipped: how many items were left out. problems: all, in the file's order.
    """

    examples: list[Example] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    available: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    skipped: int = 0

    def skip(self, line: int, kind: str, text: str) -> None:
        self.skipped += 1
        self.problems.append(Problem(line, kind, text))

    def note(self, line: int, kind: str, text: str) -> None:
        self.problems.append(Problem(line, kind, text))


@dataclass(frozen=True, kw_only=True)
class Part:
    """One row of tokens as the model reads it. offsets: (start, end) in the source text of each token. sources: which text of the
    example each token comes from, -1 for a special token. segments: 0 or 1. cut: tokens that did not fit."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    sources: tuple[int, ...]
    segments: tuple[int, ...]
    cut: int = 0


@dataclass(frozen=True, kw_only=True)
class Feature:
    """What one forward pass reads of an example, one of several where it is long. example: its number.

    units: (number of the unit, position of its first token, its place within that token, below UNIT_PLACES) of each unit in this feature.
    """

    example: int
    parts: tuple[Part, ...]
    units: tuple[tuple[int, int, int], ...] = ()


Predictions = list[dict[str, Any]]
UNIT_PLACES = 8  # places of units within one token that are told apart; all further ones count as the last
NUMBER_METRIC = "pearson"  # of pairs whose label is a number: it takes the place of the task's own


@dataclass(frozen=True, kw_only=True)
class Task:
    """name: as in the registry. title, about: for people. metric: the name of its headline figure, greater is better.

    columns: what a row must hold. kinds: endings of the files it reads.
    read(path, TaskConfig) -> Reading. features(layout, number, example) -> [Feature]: how the model reads it, see core/tasks/layout.py.
    fits(example) -> whether it is one as `read` makes them: those of a run are read back from its folder, where they may be damaged.
    inspect(train, dev, TaskConfig) -> Labels: what the labels are; notes what is wrong between the two. UserError where nothing can be learnt.
    heads: kind of label -> "module:attribute" of the head in core/tasks/heads.py.
    target(feature, example, labels): what the head's loss learns from: a number, or a list of numbers, which is padded with -100.
    decode(features, outputs, examples, labels, config) -> a prediction for each example; outputs: a numpy array for each feature.
    measure(predictions, examples, labels) -> metrics by name.
    majority(train, dev) -> predictions that look at no text: the likeliest label of the training examples. Never asked where labels are numbers.
    asked: what somebody types to get a prediction. units: each example holds units that carry a label each. orders: its two texts may be
    read in both orders. windows: a long text is read in several rows, and nothing of it is cut off. free_parts: each example may have
    another number of parts. tfidf: a plain method applies (core/tasks/baseline.py).
    unreachable(features, example, TaskConfig) -> why its answer can be neither learnt nor given, "" where it can.
    blind: what a model that reads left to right cannot see at this task, in one sentence; "" where nothing.
    """

    name: str
    title: str
    about: str
    metric: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    read: Callable[..., Reading]
    fits: Callable[[Example], bool]
    features: Callable[..., list[Feature]]
    inspect: Callable[..., Any]
    heads: Mapping[str, str]
    target: Callable[..., Any]
    decode: Callable[..., Predictions]
    measure: Callable[..., dict[str, float]]
    majority: Callable[[Sequence[Example], Sequence[Example]], Predictions]
    asked: tuple[str, ...] = ("text",)
    units: bool = False
    orders: bool = False
    windows: bool = False
    free_parts: bool = False
    tfidf: bool = False
    unreachable: Callable[..., str] | None = None
    blind: str = ""


def headline(made: Task, names: Collection[str]) -> str:
    """Which of some measures is the headline figure of a task, greater is better; "" where none is."""
    return next((one for one in (made.metric, NUMBER_METRIC) if one in names), "")
