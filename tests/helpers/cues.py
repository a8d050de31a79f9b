"""A text in which one word decides what "apple" means, and sentences in which it is known which word that is."""

from __future__ import annotations

import random
from pathlib import Path

from core.runs import Run
from core.text.specimens import Specimen
from core.train import worker
from tests.helpers.runs import make_run

CUES = {"fruit": ["sweet", "juicy", "ripe", "crisp"], "company": ["stock", "screen", "chip", "phone"]}
ENDS = {"fruit": ["eaten", "peeled"], "company": ["sold", "listed"]}  # what a language model must foresee at "apple"
TWINS = {"fruit": "pear", "company": "firm"}  # stand in the word's place, so that a model of gaps must know the sense there
FILLERS = ["one", "two", "now", "here", "then", "again", "today", "there", "soon", "maybe"]


def sentence(rng: random.Random, sense: str, word: str = "apple", *, end: bool = True) -> tuple[str, str]:
    """(the sentence, its cue). The cue stands somewhere before the word."""
    cue = rng.choice(CUES[sense])
    before = [cue, *(rng.choice(FILLERS) for _ in range(3))]
    rng.shuffle(before)
    return " ".join([*before, word, *([rng.choice(ENDS[sense])] if end else [])]), cue


def specimens(count: int = 12, seed: int = 1) -> list[Specimen]:
    rng = random.Random(seed)
    return [Specimen(word="apple", sense=sense, text=sentence(rng, sense, end=False)[0]) for _ in range(count) for sense in CUES]


def trained(folder: Path, family: str, **options: object) -> Run:
    """A run that has learned this text (about two seconds)."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(0)
    lines = []
    for _ in range(1500):
        sense = rng.choice(list(CUES))
        lines.append(sentence(rng, sense, rng.choice(["apple", "apple", TWINS[sense]]))[0])
    (folder / "text.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "specimens.tsv").write_text("word\tsense\ttext\n" + "".join(f"{one.word}\t{one.sense}\t{one.text}\n" for one in specimens()),
                                          encoding="utf-8")
    run = make_run(folder, family, **{"watch.word": "apple", "text.tokenizer": "word", "batch_size": 32, "learning_rate": 0.01, "probes": 4,
                                      "checkpoints": 1, "evals": 1, "eval_batches": 1, "steps": 200, **options})
    assert worker.work(run.path) == 0, (run.path / "events.jsonl").read_text()
    return run
