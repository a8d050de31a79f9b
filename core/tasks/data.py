"""The labelled examples of a run: read from the person's files, noted in the run's folder, and read again by its process."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.config import RunConfig
from core.errors import UserError
from core.i18n import tr
from core.registry import family, task
from core.runs import Run, write_atomically
from core.tasks import files
from core.tasks.config import TaskConfig
from core.tasks.forms import form_of
from core.tasks.labels import NOMINAL, NUMBER, Labels
from core.tasks.layout import Layout
from core.tasks.problems import none_usable
from core.tasks.task import Example, Problem, Reading
from core.text.tokenizers import Tokenizer, load_tokenizer

DATA = "task.json"
SHOWN_LABELS = 8
NOT_READABLE = (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError)  # what a damaged file of ours raises
EXAMPLES = {"train": "train.jsonl", "dev": "dev.jsonl"}


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """What a finetune learns from and is measured on."""

    train: list[Example]
    dev: list[Example]
    labels: Labels
    tokenizer: Tokenizer
    layout: Layout


def read_files(config: TaskConfig) -> tuple[Reading, Reading, Labels]:
    """Both files and what their labels are. UserError where there is nothing to learn from, or nothing to measure on."""
    made = task(config.task)
    readings: list[Reading] = []
    given = (("train_file", config.train_file), ("dev_file", config.dev_file))
    for where, path in given:
        found = files.require_file(path, made.kinds, where)
        try:
            reading = made.read(found, config)
        except UserError as error:
            raise UserError(error.message, error.hint, where=where if error.where == "train_file" else error.where) from error
        if not reading.examples:
            raise none_usable(found.name, reading, where)
        readings.append(reading)
    train, dev = readings
    labels = made.inspect(train, dev, config)
    for (where, path), reading in zip(given, readings, strict=True):
        if not reading.examples:  # a task leaves out more once it knows what the labels are
            raise none_usable(Path(path).name, reading, where)
    same = Path(config.train_file).expanduser().samefile(Path(config.dev_file).expanduser())
    note_learnt(dev, train.examples, "same_file" if same else "learnt")
    return train, dev, labels


def note_learnt(reading: Reading, train: Sequence[Example], kind: str = "learnt") -> None:
    """Note the examples to measure on that stand among those to learn from as well, whatever their label."""
    lines: dict[tuple[Any, ...], int] = {}
    for example in train:
        lines.setdefault((example.texts, example.choices), example.line)
    for example in reading.examples:
        if (line := lines.get((example.texts, example.choices))) is not None:
            reading.note(example.line, kind, tr("line {line} of the file to learn from holds the same", line=line))


def note_cut(config: RunConfig, layout: Layout, reading: Reading, limit: int | None = None) -> int:
    """Note every text that is longer than the model reads, and every answer that it cannot learn; returns the number of such examples.

    limit: so many of the first examples are looked at.
    """
    made, count = task(config.task.task), 0
    for number, example in enumerate(reading.examples[:limit]):
        features = made.features(layout, number, example)
        parts = [part for feature in features for part in feature.parts]
        # read apart, a question has a row of its own
        usual = 2 if layout.apart and len(example.texts) > 1 else 1
        too_long = len(parts) > usual if made.windows else any(part.cut for part in parts)
        if too_long:
            count += 1
            longest = max(len(part.ids) + part.cut for part in parts)
            reading.problems.append(Problem(example.line, "windows" if made.windows else "too_long",
                                            tr("{count} tokens, where the model reads {limit}", count=longest, limit=layout.limit)))
        if made.unreachable is not None and (words := made.unreachable(features, example, config.task)):
            reading.note(example.line, "answer_unreachable", words)
    return count


def require_labels(chosen: Sequence[Example], labels: Labels) -> None:
    """UserError where the examples that were drawn hold one label only: nothing can be learnt from them."""
    held = _held(chosen, labels)
    if len(labels.names) > 1 and len(held) < 2 and all(isinstance(example.label, str) for example in chosen):
        raise UserError(tr("The {count} labelled examples that were drawn have only one label: '{label}'.", count=len(chosen),
                           label=next(iter(held), "")), tr("Draw more, or take another seed."), where="labels")


def missing_labels(chosen: Sequence[Example], labels: Labels) -> list[str]:
    """In a sentence, which labels of the file the drawn examples do not hold."""
    missing = [name for name in labels.names if name not in _held(chosen, labels)]
    if labels.kind != NOMINAL or not missing:
        return []
    shown = ", ".join(missing[:SHOWN_LABELS]) + (" ..." if len(missing) > SHOWN_LABELS else "")
    return [tr("The {count:,} examples that were drawn hold {held} of the {all} labels; these cannot be learnt: {names}.", count=len(chosen),
               held=len(labels.names) - len(missing), all=len(labels.names), names=shown)]


def _held(chosen: Sequence[Example], labels: Labels) -> set[str]:
    if labels.kind != NOMINAL:
        return set()
    return {name for example in chosen for name in (example.label if isinstance(example.label, tuple) else (example.label,))}


def subsample(examples: Sequence[Example], count: int, seed: int) -> list[Example]:
    """`count` of them (0: all), drawn by the seed; a smaller sample is the beginning of a greater one."""
    if not count or count >= len(examples):
        return list(examples)
    chosen = np.random.default_rng((seed, len(examples))).permutation(len(examples))[:count]
    return [examples[index] for index in chosen]


def write(folder: Path, train: Sequence[Example], dev: Sequence[Example], labels: Labels, notes: dict[str, Any]) -> None:
    """Into a run's folder; notes: what else is to be remembered of the files."""
    for split, examples in (("train", train), ("dev", dev)):
        lines = (json.dumps(asdict(example), ensure_ascii=False) for example in examples)
        write_atomically(folder / EXAMPLES[split], "\n".join(lines) + "\n")
    write_atomically(folder / DATA, json.dumps({"labels": asdict(labels), **notes}, ensure_ascii=False, indent=1))


def read_examples(run: Run, split: str) -> list[Example]:
    """UserError where the run's own file is missing or damaged."""
    path = run.path / EXAMPLES[split]
    try:
        found = [_example(json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n") if line]
        if not all(_fits(example, run.config.task.task) for example in found):
            raise ValueError("example")
        return found
    except NOT_READABLE as error:
        raise _damaged(path) from error


def read_labels(run: Run) -> Labels:
    path = run.path / DATA
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))["labels"]
        labels = Labels(kind=raw["kind"], names=tuple(raw["names"]), mean=float(raw["mean"]), scale=float(raw["scale"]))
        known = task(run.config.task.task).heads
        if labels.kind not in known or not all(isinstance(name, str) for name in labels.names) or not math.isfinite(labels.mean + labels.scale):
            raise ValueError("labels")
        return labels
    except NOT_READABLE as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> UserError:
    return UserError(tr("{path} is missing or damaged.", path=path), tr("Finetune again from the settings of this run."))


def _fits(example: Example, name: str) -> bool:
    """Whether an example is one of that task, as its reader makes them."""
    return all(isinstance(text, str) for text in (*example.texts, *example.choices)) and task(name).fits(example)


def _example(raw: dict[str, Any]) -> Example:
    label = raw["label"]
    if isinstance(label, list):
        label = tuple(tuple(item) if isinstance(item, list) else item for item in label)
    return Example(line=int(raw["line"]), texts=tuple(raw["texts"]), label=label, choices=tuple(raw["choices"]),
                   units=tuple((int(a), int(b)) for a, b in raw["units"]))


def layout_of(config: RunConfig, labels: Labels, tokenizer: Tokenizer) -> Layout:
    """How that run lays out its texts."""
    order = config.task.order
    both = task(config.task.task).orders and (order == "both" or (order == "auto" and labels.kind == NUMBER))
    return Layout(family(config.family), tokenizer, limit=config.train.seq_len, orders=2 if both else 1, stride=config.task.stride,
                  form=form_of(config))


def load(run: Run) -> Labelled:
    tokenizer, labels = load_tokenizer(run.tokenizer_path), read_labels(run)
    return Labelled(train=read_examples(run, "train"), dev=read_examples(run, "dev"), labels=labels, tokenizer=tokenizer,
                    layout=layout_of(run.config, labels, tokenizer))
