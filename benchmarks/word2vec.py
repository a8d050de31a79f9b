"""word2vec beside gensim: words per second and the quality of the vectors, in one run on one machine.

    python -m benchmarks.word2vec [--data reviews.csv] [--column review] [--threads 2] [--epochs 3] [--rounds 3] [--json]

Both get the same sentences, already cut into words; reading, cutting and building the vocabulary are left out of the time of
both. A word is one of the text before subsampling. The two take turns, and the medians of the rounds are compared. Where other
programs keep the processor busy, the ratio per second of processor time says more than the one per second of the clock.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gensim.models import Word2Vec as Gensim

from core import config as configs
from core.config import TextConfig
from core.families.word2vec.pretrain import Word2VecLearner
from core.text.corpus import Corpus, Split, prepare
from core.text.tokenizers import SPECIALS, Tokenizer

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
DIM, WINDOW, NEGATIVE, SAMPLE, MIN_COUNT = 100, 5, 5, 1e-3, 5
RATES = {"skip_gram": 0.025, "cbow": 0.05}
CANDIDATES = 100  # random words among which the right one must be found


@dataclass(frozen=True, kw_only=True)
class Quality:
    """auc: P(cosine of two words within a window > cosine of a word and a random one). mrr: mean 1 / rank of a word among random
    ones, by cosine with the mean of its neighbours. Both on held-out text. analogies: share of the known questions answered."""

    auc: float
    mrr: float
    analogies: float


@dataclass(frozen=True, kw_only=True)
class Trained:
    """seconds by the clock, cpu_seconds of all threads, vectors (vocab, DIM)."""

    seconds: float
    cpu_seconds: float
    vectors: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA / "reviews.csv", help="text; the built-in one where the file is absent")
    parser.add_argument("--column", default="review")
    parser.add_argument("--analogies", type=Path, default=DATA / "analogies_zh.txt")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as cache:
        corpus = _known_words_only(_corpus(args.data, args.column, Path(cache)))
        found = {name: _compare(name, corpus, args) for name in RATES}
    if args.json:
        flat = {f"{name}_{key}": value for name, row in found.items() for key, value in row.items()}
        print(json.dumps({**flat, "threads": args.threads, "words": len(corpus.train.tokens), "rounds": args.rounds}))
        return
    print(f"{len(corpus.train.tokens):,} words, {args.epochs} epochs, {DIM} dimensions, {args.threads} threads, median of {args.rounds} rounds")
    print(f"{'':20}{'words/s':>14}{'auc':>9}{'mrr':>9}{'analogies':>11}")
    for name, row in found.items():
        for side in ("gensim", "ours"):
            print(f"{name + ' ' + side:20}{row[side + '_words_per_s']:14,.0f}" + "".join(
                f"{row[f'{side}_{key}']:{width}.4f}" for key, width in (("auc", 9), ("mrr", 9), ("analogies", 11))))
        print(f"{name} ratio: {row['ratio']:.2f} (rounds: {', '.join(f'{ratio:.2f}' for ratio in row['ratios'])}); "
              f"per second of processor time: {row['cpu_ratio']:.2f}")


def _corpus(path: Path, column: str, cache: Path) -> Corpus:
    files = {"files": (str(path),), "columns": (column,)} if path.is_file() else {}
    return prepare(TextConfig(tokenizer="word", vocab_size=200_000, min_count=MIN_COUNT, **files), cache)


def _known_words_only(corpus: Corpus) -> Corpus:
    """Without [UNK], so that both count the same words; every document is one sentence, as both are given them."""
    def split(old: Split) -> Split:
        known = np.asarray(old.tokens) >= len(SPECIALS)
        ends = np.concatenate(([0], np.cumsum(known)))[np.asarray(old.sentences)[np.asarray(old.documents)]]
        tokens = np.asarray(old.tokens)[known]
        return Split(tokens=tokens, sentences=ends, documents=np.arange(len(ends)), word_starts=np.ones(len(tokens), np.uint8))

    return Corpus(train=split(corpus.train), valid=split(corpus.valid), tokenizer=corpus.tokenizer, path=corpus.path)


def _compare(objective: str, corpus: Corpus, args: argparse.Namespace) -> dict[str, object]:
    sides: dict[str, Callable[..., Trained]] = {"gensim": _gensim, "ours": _ours}
    _ours(objective, corpus, args.threads, 1, 0)  # what a first call costs, such as compiling, is no part of a rate
    speeds: dict[str, list[float]] = {side: [] for side in sides}
    per_cpu: dict[str, list[float]] = {side: [] for side in sides}
    qualities: dict[str, list[Quality]] = {side: [] for side in sides}
    for seed in range(args.rounds):
        for side, train in sides.items():
            made = train(objective, corpus, args.threads, args.epochs, seed)
            words = args.epochs * len(corpus.train.tokens)
            speeds[side].append(words / made.seconds)
            per_cpu[side].append(words / made.cpu_seconds)
            qualities[side].append(_quality(made.vectors, corpus, args.analogies))
    ratios, cpu_ratios = ([ours / theirs for ours, theirs in zip(rates["ours"], rates["gensim"], strict=True)] for rates in (speeds, per_cpu))
    row: dict[str, object] = {"ratio": statistics.median(ratios), "ratios": ratios, "cpu_ratio": statistics.median(cpu_ratios)}
    for side in sides:
        row[f"{side}_words_per_s"] = statistics.median(speeds[side])
        for key in ("auc", "mrr", "analogies"):
            row[f"{side}_{key}"] = statistics.median(getattr(one, key) for one in qualities[side])
    return row


def _gensim(objective: str, corpus: Corpus, threads: int, epochs: int, seed: int) -> Trained:
    bounds = corpus.train.sentences
    names = [str(index) for index in range(corpus.tokenizer.vocab_size)]  # short strings: in its favour
    sentences = [[names[token] for token in corpus.train.tokens[a:b].tolist()] for a, b in itertools.pairwise(bounds)]
    model = Gensim(vector_size=DIM, window=WINDOW, negative=NEGATIVE, sample=SAMPLE, min_count=1, sg=int(objective == "skip_gram"),
                   alpha=RATES[objective], workers=threads, seed=seed + 1)
    model.build_vocab(sentences)
    start, cpu = time.perf_counter(), time.process_time()
    model.train(sentences, total_examples=len(sentences), epochs=epochs)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    vectors = np.zeros((len(names), DIM), np.float32)
    vectors[[int(name) for name in model.wv.index_to_key]] = model.wv.vectors
    return Trained(seconds=seconds, cpu_seconds=cpu_seconds, vectors=vectors)


def _ours(objective: str, corpus: Corpus, threads: int, epochs: int, seed: int) -> Trained:
    learner = Word2VecLearner(configs.build("word2vec", "quick", {
        "model.dim": DIM, "objective.objective": objective, "objective.window": WINDOW, "objective.negative": NEGATIVE,
        "objective.sample": SAMPLE, "train.learning_rate": RATES[objective], "train.epochs": float(epochs), "train.threads": threads,
        "train.seed": seed}), corpus, None)
    steps = round(learner.steps_per_epoch * epochs)
    start, cpu = time.perf_counter(), time.process_time()
    for step in range(steps):
        learner.step(step, step / steps)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    return Trained(seconds=seconds, cpu_seconds=cpu_seconds, vectors=learner.network().encoder.vectors.numpy().copy())


def _quality(vectors: np.ndarray, corpus: Corpus, analogies: Path) -> Quality:
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    tokens, bounds = corpus.valid.tokens.astype(np.int64), corpus.valid.sentences
    document = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    rng = np.random.default_rng(0)
    near, far = [], []
    neighbours, count = np.zeros((len(tokens), vectors.shape[1]), np.float32), np.zeros(len(tokens), np.int64)
    for distance in range(1, WINDOW + 1):
        left = np.flatnonzero(document[:-distance] == document[distance:])
        right = left + distance
        np.add.at(neighbours, left, unit[tokens[right]])
        np.add.at(neighbours, right, unit[tokens[left]])
        count += np.bincount(left, minlength=len(tokens)) + np.bincount(right, minlength=len(tokens))
        a, b, random = tokens[left], tokens[right], rng.choice(tokens, len(left))
        near.append(np.einsum("nd,nd->n", unit[a], unit[b])[a != b])
        far.append(np.einsum("nd,nd->n", unit[a], unit[random])[a != random])
    has = count > 1
    words = tokens[has]
    others = rng.choice(tokens, (len(words), CANDIDATES))
    right_score = np.einsum("nd,nd->n", neighbours[has], unit[words])
    scores = np.stack([np.einsum("nd,nd->n", neighbours[has], unit[column]) for column in others.T], axis=1)
    better = (scores > right_score[:, None]) & (others != words[:, None])
    return Quality(auc=_auc(np.concatenate(near), np.concatenate(far)), mrr=float((1 / (1 + better.sum(1))).mean()),
                   analogies=_analogies(unit, corpus.tokenizer, analogies))


def _auc(near: np.ndarray, far: np.ndarray) -> float:
    far = np.sort(far)
    return float((np.searchsorted(far, near, "left") + np.searchsorted(far, near, "right")).mean() / (2 * len(far)))


def _analogies(unit: np.ndarray, tokenizer: Tokenizer, path: Path) -> float:
    """Of the questions a b c d whose words are all known: how often d is nearest to b - a + c."""
    if not path.is_file():
        return float("nan")
    rows = [[tokenizer.id(word) for word in line.split()] for line in path.read_text(encoding="utf-8").splitlines() if line[:1] != ":"]
    questions = np.array([row for row in rows if len(row) == 4 and None not in row])
    if not len(questions):
        return float("nan")
    right = 0
    for part in np.array_split(questions, max(1, len(questions) // 500)):
        scores = (unit[part[:, 1]] - unit[part[:, 0]] + unit[part[:, 2]]) @ unit.T  # (questions, vocab)
        np.put_along_axis(scores, part[:, :3], -np.inf, axis=1)
        right += int((scores.argmax(1) == part[:, 3]).sum())
    return right / len(questions)


if __name__ == "__main__":
    main()
