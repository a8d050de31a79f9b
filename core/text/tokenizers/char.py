"""Characters: every character that is not white space is a token; white space between two characters that are not Chinese is one
token " ", elsewhere nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from core.config import TextConfig
from core.text import segment
from core.text.tokenizers import UNK, Kind
from core.text.tokenizers.table import TableTokenizer, chunks, most_frequent, saved_tokens


def char_tokenizer(tokens: Sequence[str], *, lowercase: bool, watched: Sequence[str] = ()) -> TableTokenizer:
    return TableTokenizer("char", tokens, _Characters, lowercase=lowercase, watched=watched)


class _Characters:
    def __init__(self, ids: Mapping[str, int], lowercase: bool, watched: tuple[str, ...]) -> None:
        self._ids, self._lowercase = ids, lowercase
        self._table: np.ndarray | None = None

    def arrays(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        codes, starts, ends = _cut(text)
        return self._lookup()[codes].astype(np.int64), starts, ends

    def _lookup(self) -> np.ndarray:
        """int32 (segment.CODE_POINTS,): the id of every code point; made when first needed (4 MB)."""
        if self._table is None:
            table = np.full(segment.CODE_POINTS, UNK, np.int32)
            for token, index in self._ids.items():
                if len(token) == 1:
                    table[ord(token)] = index
            self._table = table[segment.small_points(np.arange(segment.CODE_POINTS))] if self._lowercase else table
        return self._table

    def join(self, tokens: Sequence[str]) -> str:
        return "".join(tokens)


def _cut(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """codes, starts, ends (tokens,) of the characters that count as tokens; a gap between two that are not Chinese is a ' '."""
    codes = segment.points(text)
    kind = segment.kinds()[codes]
    seen = np.flatnonzero(kind != segment.SPACE)
    chinese = segment.chinese()[codes[seen]]
    gaps = np.flatnonzero((seen[1:] - seen[:-1] > 1) & ~chinese[1:] & ~chinese[:-1])
    keep = kind != segment.SPACE
    keep &= kind != segment.IS_BREAK
    keep[seen[gaps] + 1] = True
    starts = np.flatnonzero(keep)
    ends = starts + 1
    at = np.searchsorted(starts, seen[gaps] + 1)
    ends[at] = seen[gaps + 1]
    kept = codes[starts]
    kept[at] = ord(" ")
    return kept, starts, ends


def train(config: TextConfig, texts: Iterable[str]) -> TableTokenizer:
    """The most frequent characters of the texts. Memory stays flat however long the texts are."""
    counts = np.zeros(segment.CODE_POINTS, np.int64)
    for chunk in chunks(texts):
        codes, _, _ = _cut(chunk)
        counts += np.bincount(segment.small_points(codes) if config.lowercase else codes, minlength=len(counts))
    counted = {chr(code): int(counts[code]) for code in np.flatnonzero(counts)}
    return char_tokenizer(most_frequent(config, counted), lowercase=config.lowercase, watched=config.watched)


def load(raw: dict[str, Any], lowercase: bool, watched: tuple[str, ...]) -> TableTokenizer:
    return char_tokenizer(saved_tokens(raw), lowercase=lowercase, watched=watched)


KIND = Kind(train=train, load=load)
