"""Words as core.text.segment finds them; each punctuation mark is a token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from core.config import TextConfig
from core.text import segment
from core.text.tokenizers import UNK, Kind
from core.text.tokenizers.table import TableTokenizer, chunks, most_frequent, saved_tokens

MOST_WORDS_COUNTED = 2_000_000  # beyond this many different words, those seen once so far are forgotten


def word_tokenizer(tokens: Sequence[str], *, lowercase: bool, watched: Sequence[str] = ()) -> TableTokenizer:
    return TableTokenizer("word", tokens, Words, lowercase=lowercase, watched=watched)


class Words:
    """A Cutter, see core.text.tokenizers.table."""

    def __init__(self, ids: Mapping[str, int], lowercase: bool, watched: tuple[str, ...]) -> None:
        self._ids, self._lowercase, self._watched = ids, lowercase, watched

    def arrays(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        words, starts, ends = cut(text, self._lowercase, self._watched)
        get = self._ids.get
        return np.array([get(word, UNK) for word in words], np.int64), starts, ends

    def join(self, tokens: Sequence[str]) -> str:
        return segment.running_text(tokens)


def cut(text: str, lowercase: bool, watched: tuple[str, ...], guess: bool = True) -> tuple[list[str], np.ndarray, np.ndarray]:
    """words, starts, ends (tokens,), the words in small letters if lowercase. guess: see core.text.segment."""
    starts, ends = segment.word_spans(text, watched, lowercase, guess)
    text = segment.lower(text) if lowercase else text
    return [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)], starts, ends


def counted_words(config: TextConfig, texts: Iterable[str], guess: bool = True) -> Counter[str]:
    counted: Counter[str] = Counter()
    for chunk in chunks(texts):
        counted.update(cut(chunk, config.lowercase, config.watched, guess)[0])
        if len(counted) > MOST_WORDS_COUNTED:
            counted = Counter({word: count for word, count in counted.items() if count > 1})
    return counted


def train(config: TextConfig, texts: Iterable[str]) -> TableTokenizer:
    """The most frequent words of the texts."""
    return word_tokenizer(most_frequent(config, counted_words(config, texts)), lowercase=config.lowercase, watched=config.watched)


def load(raw: dict[str, Any], lowercase: bool, watched: tuple[str, ...]) -> TableTokenizer:
    return word_tokenizer(saved_tokens(raw), lowercase=lowercase, watched=watched)


KIND = Kind(train=train, load=load)
