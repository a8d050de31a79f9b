"""The vectors of a map: opened, kept while they are looked at, and what is known about each of them.

The window asks these by name; everything comes back as plain numbers, lists and arrays.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import UserError
from core.i18n import tr
from core.runs import Run, home
from core.text import readers
from core.text.tokenizers import SPECIALS
from core.text.tokenizers.table import TableTokenizer
from core.vector_source import COSINE, FILE, OCCURRENCES, VOCABULARY, VectorSource

OnProgress = Callable[[str, int, int], object]
MOST = 100_000  # occurrences that are mapped

BLOCK = 50_000  # rows of what may be mapped from the disk that are computed with at a time


@dataclass(frozen=True, kw_only=True)
class Opened:
    """words: what each row is called. vectors: (n, size) float32, perhaps mapped from the disk; rows may be NaN or zero.

    texts, spans: of occurrences, the sentence and where the word stands in it. columns: name -> (n,) numbers, or n words. total: of which
    these are the first; the text may hold more occurrences than are mapped.
    """

    words: list[str]
    vectors: np.ndarray
    texts: list[str]
    spans: np.ndarray
    columns: dict[str, Any]
    step: int
    total: int

    @cached_property
    def lengths(self) -> np.ndarray:
        """(n,) float32: of each vector; NaN where it points nowhere."""
        lengths = np.empty(len(self.vectors), np.float32)
        for start in range(0, len(lengths), BLOCK):
            block = self.vectors[start : start + BLOCK]
            with np.errstate(over="ignore", invalid="ignore"):  # a mapped array may hold anything
                lengths[start : start + BLOCK] = np.sqrt(np.einsum("ij,ij->i", block, block))
        return np.where(lengths > 0, lengths, np.nan)


def open_source(source: VectorSource, on_progress: OnProgress = lambda *_: None, cancelled: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """Open the vectors and say what they are.

    {"words", "texts", "spans", "columns", "total": as in Opened, "count", "size", "nan": rows with NaN, "zero": rows of length 0, "same":
    whether all others are one vector, "step", "stamp": a key that changes when the vectors do, "countable": whether there is a text for
    `counts`}. UserError where they cannot be read, or the reading was stopped.
    """
    opened = opened_of(source, on_progress, cancelled)
    good = np.isfinite(opened.vectors).all(axis=1)
    known = opened.vectors[good] if not good.all() else opened.vectors
    zero = int((~known.any(axis=1)).sum())
    return {"words": opened.words, "texts": opened.texts, "spans": opened.spans, "columns": opened.columns, "total": opened.total,
            "count": len(opened.words), "size": int(opened.vectors.shape[1]), "nan": int((~good).sum()), "zero": zero,
            "same": len(known) > 1 and bool((known[1:] == known[0]).all()), "step": opened.step, "stamp": repr(stamp(source)),
            "countable": source.kind == VOCABULARY and not Run.open(Path(source.path)).without_text}


def opened_of(source: VectorSource, on_progress: OnProgress = lambda *_: None, cancelled: Callable[[], bool] = lambda: False) -> Opened:
    """The vectors, from memory where they were opened before and have not changed."""
    key = (source, stamp(source))
    if key not in _kept:
        made = _from_file(source, on_progress) if source.kind == FILE else _from_run(source, on_progress, cancelled)
        while len(_kept) > 1:
            _kept.pop(next(iter(_kept)))
        _kept[key] = made
    return _kept[key]


_kept: dict[tuple, Opened] = {}  # the two that were looked at last


def measured(source: VectorSource, measure: str, rows: np.ndarray | None = None) -> np.ndarray:
    """(n, size) float32 whose Euclidean distances are those of `measure`: of length 1 for the cosine, where a vector that points
    nowhere becomes NaN. rows: (n,) these alone; the others are not looked at."""
    vectors = opened_of(source).vectors
    vectors = np.asarray(vectors if rows is None else vectors[rows], np.float32)
    if measure != COSINE:
        return vectors
    with np.errstate(over="ignore", invalid="ignore"):  # a mapped array may hold anything
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths > 0, lengths, np.nan)


def stamp(source: VectorSource) -> tuple[int, ...]:
    """Changes when what is on the disk does: the vectors, their words beside them, the text in which words are found."""
    from core.exchange.vectors.opened import read_from, stamp_of

    if source.kind == FILE:
        return tuple(stamp_of(read_from(Path(source.path))))
    run = Run.open(Path(source.path))
    texts = readers.find_files(run.config.text) if source.kind == OCCURRENCES else []
    return tuple(stamp_of([run.checkpoint_path(_step(run, source.step)) / "manifest.json", *texts]))


def counts(source: VectorSource, on_progress: OnProgress = lambda *_: None, cancelled: Callable[[], bool] = lambda: False) -> np.ndarray:
    """(n,) float32: how often each token of a run's vocabulary stands in its training text. Counts what training has prepared,
    or prepares it again. UserError where there is none to count in."""
    from core.analysis import corpus_words  # torch
    from core.text import corpus
    from core.text.source import with_words
    from core.text.specimens import read_specimens
    from core.text.tokenizers import load_tokenizer

    if source.kind != VOCABULARY:
        raise UserError(tr("Only the vocabulary of a run can be counted."), "")
    run = Run.open(Path(source.path))
    corpus_words.require_text(run)
    tokenizer = load_tokenizer(run.tokenizer_path)
    watched = [item.word for item in read_specimens(run.specimens_path)] if run.specimens_path.exists() else []
    config = with_words(run.config.text, [*watched, run.config.watch.word])  # as in training
    made = corpus.prepare(config, home() / "cache", on_progress=on_progress, cancelled=cancelled)
    if [made.tokenizer.token(row) for row in range(made.tokenizer.vocab_size)] != [tokenizer.token(row) for row in range(tokenizer.vocab_size)]:
        made = corpus.prepare(config, home() / "cache", on_progress=on_progress, cancelled=cancelled, tokenizer=tokenizer)  # the text has changed
    split = made.train
    counted = np.zeros(tokenizer.vocab_size, np.int64)
    for begin in range(0, len(split.tokens), 1 << 24):
        counted += np.bincount(split.tokens[begin : begin + (1 << 24)], minlength=tokenizer.vocab_size)
    return counted[len(SPECIALS) :].astype(np.float32)


def _from_run(source: VectorSource, on_progress: OnProgress, cancelled: Callable[[], bool]) -> Opened:
    from core.analysis import corpus_words, encode  # torch

    run = Run.open(Path(source.path))
    loaded = encode.load(run, _step(run, source.step))
    if source.kind == VOCABULARY:
        tokens = [loaded.tokenizer.token(row) for row in range(len(SPECIALS), loaded.tokenizer.vocab_size)]
        vectors = encode.static_vectors(loaded)[len(SPECIALS) :]
        words = [token.strip() or "␣" for token in tokens]
        by_frequency = isinstance(loaded.tokenizer, TableTokenizer)  # pieces stand in the order in which they were made
        return Opened(words=words, vectors=vectors, texts=[], spans=np.zeros((0, 2), int), step=loaded.step, total=len(words),
                      columns={"rank" if by_frequency else "row": np.arange(1, len(words) + 1, dtype=np.float32),
                               "script": [script(word) for word in words], "length": _lengths(vectors)})
    corpus_words.require_text(run)
    found, total = corpus_words.find_first(run.config.text, source.words, MOST, on_progress, cancelled)
    words = tr("The text holds {count}; the first {most} were taken.", count=total, most=MOST)
    vectors = corpus_words.vectors(loaded, found, source.layer, on_progress if total == len(found) else
                                   lambda _, done, most: on_progress(words, done, most), cancelled)
    return Opened(words=[item.word for item in found], vectors=vectors, texts=[item.text for item in found],
                  spans=np.array([item.span for item in found], int).reshape(-1, 2), step=loaded.step, total=total,
                  columns={"word": [item.word for item in found], "place": np.array([item.span[0] for item in found], np.float32),
                           "sentence": np.array([len(item.text) for item in found], np.float32), "length": _lengths(vectors)})


def _from_file(source: VectorSource, on_progress: OnProgress) -> Opened:
    from core.exchange.vectors.opened import open_vectors

    read = open_vectors(Path(source.path), lambda done, total: on_progress(tr("reading the file"), done, total))
    words = list(read.words)
    return Opened(words=words, vectors=read.array, texts=[], spans=np.zeros((0, 2), int), step=-1, total=len(words),
                  columns={**read.columns, "row": np.arange(1, len(words) + 1, dtype=np.float32), "script": [script(word) for word in words],
                           "length": _lengths(read.array)})


def _step(run: Run, wanted: int) -> int | None:
    steps = run.checkpoint_steps()
    if not steps:
        raise UserError(tr("The run {name} has no checkpoint yet.", name=run.name), tr("Train it first, or wait until it has saved one."))
    return steps[-1] if wanted == -1 else wanted


def _lengths(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float32)).astype(np.float32)


@lru_cache(maxsize=1 << 16)
def script(word: str) -> str:
    """What a word is written in: "han", "latin", "digits", "other" letters, or "signs"."""
    kinds = {_script(character) for character in word if not character.isspace()}
    if not kinds or kinds == {"signs"}:
        return "signs"
    kinds -= {"signs"}
    return kinds.pop() if len(kinds) == 1 else "mixed"


@lru_cache(maxsize=1 << 16)
def _script(character: str) -> str:
    if character.isdigit():
        return "digits"
    if not character.isalpha():
        return "signs"
    name = unicodedata.name(character, "")
    return "han" if name.startswith("CJK") else "latin" if name.startswith("LATIN") else "other"
