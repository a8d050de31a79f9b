"""The labelled examples of a run: read from the person's files, noted in the run's folder, and read again by its process."""

from __future__ import annotations

import json
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
from core.tasks.labels import NUMBER, Labels
from core.tasks.layout import Layout
from core.tasks.task import Example, Reading
from core.text.tokenizers import Tokenizer, load_tokenizer

DATA = "task.json"
EXAMPLES = {"train": "train.jsonl", "dev": "dev.jsonl"}


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """What a finetune learns from and is measured on. skipped: split -> how many items of its file were left out."""

    train: list[Example]
    dev: list[Example]
    labels: Labels
    tokenizer: Tokenizer
    layout: Layout


def read_files(config: TaskConfig) -> tuple[Reading, Reading, Labels]:
    """Both files and what their labels are. UserError where there is nothing to learn from, or nothing to measure on."""
    made = task(config.task)
    readings = []
    for where, path in (("train_file", config.train_file), ("dev_file", config.dev_file)):
        found = files.require_file(path, made.kinds, where)
        try:
            reading = made.read(found, config)
        except UserError as error:
            raise UserError(error.message, error.hint, where=where if error.where == "train_file" else error.where) from error
        if not reading.examples:
            raise UserError(tr("{path} holds no example that can be used.", path=found.name),
                            tr("{count} were left out; see the problems.", count=reading.skipped), where=where)
        readings.append(reading)
    train, dev = readings
    labels = made.inspect(train, dev, config)
    return train, dev, labels


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
        return [_example(json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(path) from error


def read_labels(run: Run) -> Labels:
    path = run.path / DATA
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))["labels"]
        return Labels(kind=raw["kind"], names=tuple(raw["names"]), mean=float(raw["mean"]), scale=float(raw["scale"]))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> UserError:
    return UserError(tr("{path} is missing or damaged.", path=path), tr("Finetune again from the settings of this run."))


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
