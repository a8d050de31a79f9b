"""Tiny labelled files for every task, in the language of tests/helpers/runs.py; pretrained runs to finetune."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from core.runs import Run
from core.tasks.config import build_finetune
from core.tasks.create import create
from tests.helpers.runs import COMPANY, FRUIT, SUBJECTS

# name -> (task, options); pairs with each kind of label
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "classification": ("classification", {}), "matching": ("pair", {}), "entailment": ("pair", {}), "similarity": ("pair", {}),
    "multiple_choice": ("multiple_choice", {}), "tagging": ("tagging", {}), "span": ("span", {}),
}


def _sentence(rng: random.Random) -> tuple[str, str]:
    kind = rng.choice(["fruit", "company"])
    return rng.choice(SUBJECTS) + rng.choice(FRUIT if kind == "fruit" else COMPANY), kind


def write_labelled(folder: Path, kind: str, count: int = 24, seed: int = 0) -> Path:
    """A file of that kind (a key of KINDS); returns its path."""
    rng = random.Random(f"{kind}{seed}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind}{seed}{ {'tagging': '.conll', 'span': '.json', 'multiple_choice': '.jsonl'}.get(kind, '.tsv')}"
    path.write_text(_WRITERS[kind](rng, count), encoding="utf-8")
    return path


def _classification(rng: random.Random, count: int) -> str:
    return "\n".join(["text\tlabel", *("\t".join(_sentence(rng)) for _ in range(count))])


def _pairs(rng: random.Random, count: int, kind: str) -> str:
    rows = ["text_a\ttext_b\tlabel"]
    for number in range(count):
        (a, one), (b, other) = _sentence(rng), _sentence(rng)
        label = {"matching": str(int(one == other)), "similarity": str(round(rng.random() * 5, 2)),
                 "entailment": ["entailment", "neutral", "contradiction"][number % 3]}[kind]
        rows.append(f"{a}\t{b}\t{label}")
    return "\n".join(rows)


def _choices(rng: random.Random, count: int) -> str:
    rows = []
    for number in range(count):
        (text, _), choices = _sentence(rng), rng.sample(SUBJECTS, 2 + number % 3)
        rows.append(json.dumps({"context": text, "question": "谁?", "choices": choices, "label": rng.randrange(len(choices))}, ensure_ascii=False))
    return "\n".join(rows)


def _tagging(rng: random.Random, count: int) -> str:
    sentences = []
    for _ in range(count):
        subject, words = rng.choice(SUBJECTS), rng.choice(FRUIT + COMPANY)
        tags = ["B-PER", "I-PER", *("O" for _ in words)]
        sentences.append("\n".join(f"{character} {tag}" for character, tag in zip(subject + words, tags, strict=True)))
    return "\n\n".join(sentences) + "\n"


def _span(rng: random.Random, count: int) -> str:
    asked = []
    for number in range(count):
        subject, words = rng.choice(SUBJECTS), rng.choice(FRUIT + COMPANY)
        context = "今天" + subject + words + "。" + "后来下雨了。" * 4
        answers = [] if number % 4 == 3 else [{"text": subject, "answer_start": 2}]
        qas = {"id": f"q{number}", "question": "谁?", "answers": answers, "is_impossible": not answers}
        asked.append({"context": context, "qas": [qas]})
    return json.dumps({"version": "2.0", "data": [{"title": "t", "paragraphs": asked}]}, ensure_ascii=False, indent=1)


_WRITERS = {
    "classification": _classification, "multiple_choice": _choices, "tagging": _tagging, "span": _span,
    "matching": lambda rng, count: _pairs(rng, count, "matching"), "entailment": lambda rng, count: _pairs(rng, count, "entailment"),
    "similarity": lambda rng, count: _pairs(rng, count, "similarity"),
}

SMALL = {"train.steps": 4, "batch_size": 4, "seq_len": 32, "evals": 1, "checkpoints": 2, "probes": 2, "threads": 1, "device": "cpu", "lstm_size": 8}


def make_finetune(folder: Path, pretrained: Run, kind: str = "classification", **options: Any) -> Run:
    """A finetune of a kind of KINDS that has not been started."""
    task, own = KINDS[kind]
    train, dev = write_labelled(folder, kind), write_labelled(folder, kind, count=8, seed=1)
    given = {**SMALL, **own, "task.train_file": str(train), "task.dev_file": str(dev), **options}
    number = len(list(folder.glob("finetune*")))
    return create(build_finetune(pretrained, task, given), folder / f"finetune{number}")
