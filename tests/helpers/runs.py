"""Tiny runs for tests: a text of a few hundred short documents, models of a few thousand numbers."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from core import config
from core.runs import Run

SUBJECTS = ["妈妈", "小李", "老师", "店员", "邻居", "医生"]
FRUIT = ["买了一个苹果", "把苹果洗干净", "吃了一口苹果", "削好了苹果", "种了一棵苹果树", "觉得苹果很甜"]
COMPANY = ["看苹果的发布会", "在苹果上班", "买了苹果的手机", "等苹果更新系统", "用苹果打电话", "说苹果的股价涨了"]
OPTIONS = {"bert": {"num_layers": 2, "num_heads": 2, "hidden_size": 16}, "gpt": {"num_layers": 2, "num_heads": 2, "hidden_size": 16},
           "elmo": {"hidden_size": 16}, "word2vec": {"threads": 1}}


def write_text(path: Path, documents: int = 300) -> Path:
    """A document a line, two sentences each, both of one sense."""
    rng = random.Random(0)
    lines = []
    for _ in range(documents):
        sense = rng.choice([FRUIT, COMPANY])
        lines.append("".join(f"{rng.choice(SUBJECTS)}{rng.choice(sense)}。" for _ in range(2)))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def write_specimens(path: Path) -> Path:
    rows = [f"苹果\t{sense}\t{subject}{words}。" for sense, group in (("fruit", FRUIT), ("company", COMPANY))
            for subject, words in zip(SUBJECTS, group, strict=True)]
    path.write_text("\n".join(["word\tsense\ttext", *rows]), encoding="utf-8")
    return path


def make_run(folder: Path, family: str = "bert", **options: Any) -> Run:
    """A run that has not been started. options: names of settings, as on the command line; a step reads 4 rows of 16 tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    text, specimens = folder / "text.txt", folder / "specimens.tsv"
    if not text.exists():
        write_text(text)
        write_specimens(specimens)
    made = {"text.files": (str(text),), "watch.word": "苹果", "watch.specimens": str(specimens), "batch_size": 4, "seq_len": 16, "steps": 12,
            "evals": 2, "eval_batches": 2, "checkpoints": 4, "probes": 3, "threads": 1, "device": "cpu", **OPTIONS[family], **options}
    number = len(list(folder.glob("run*")))
    return Run.create(config.build(family, "quick", made), folder / f"run{number}")
