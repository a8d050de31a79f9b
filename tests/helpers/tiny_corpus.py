"""A corpus made by hand: token ids without text, as the pretraining of a family reads them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from core.text.tokenizers import SPECIALS

FIRST = len(SPECIALS)  # the smallest id of a token that is not special


def make_split(documents: list[list[list[int]]], word_starts: list[int] | None = None) -> SimpleNamespace:
    """documents: for each its sentences, for each its token ids."""
    sentences = [sentence for document in documents for sentence in document]
    tokens = np.array([token for sentence in sentences for token in sentence], dtype=np.uint16)
    return SimpleNamespace(
        tokens=tokens,
        sentences=np.concatenate([[0], np.cumsum([len(sentence) for sentence in sentences])]).astype(np.int64),
        documents=np.concatenate([[0], np.cumsum([len(document) for document in documents])]).astype(np.int64),
        word_starts=np.array(word_starts if word_starts is not None else [1] * len(tokens), dtype=np.uint8),
    )


def make_corpus(train: SimpleNamespace, valid: SimpleNamespace | None = None, vocab_size: int = 100) -> SimpleNamespace:
    return SimpleNamespace(train=train, valid=valid or train, tokenizer=SimpleNamespace(vocab_size=vocab_size))


def random_documents(count: int, *, vocab_size: int = 100, seed: int = 0, sentences: int = 6,
                     length: int = 12) -> list[list[list[int]]]:
    """Documents of 1 to `sentences` sentences of 1 to `length` tokens."""
    rng = np.random.default_rng(seed)
    return [[rng.integers(FIRST, vocab_size, rng.integers(1, length + 1)).tolist() for _ in range(rng.integers(1, sentences + 1))]
            for _ in range(count)]


def counting_documents(count: int, *, sentences: int = 5, length: int = 10) -> list[list[list[int]]]:
    """Documents whose tokens count upwards through the whole text, so that every token tells its place: place + FIRST."""
    numbers = iter(range(FIRST, FIRST + count * sentences * length))
    return [[[next(numbers) for _ in range(length)] for _ in range(sentences)] for _ in range(count)]
