"""Which part of the text each row of a batch reads: computed, never stored, the same for the same seed.

Nothing here keeps a state between steps. A step's rows follow from (seed, split, index) alone, so a run that goes on from a
checkpoint, or on another number of processes, reads what the undisturbed run would have read.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from core.config import RunConfig
from core.errors import UserError
from core.i18n import tr
from core.text.tokenizers import BOS, EOS

if TYPE_CHECKING:
    from core.text.corpus import Corpus, Split

SPLITS = ("train", "valid")
_ORDER = len(SPLITS)  # keeps the generators of an epoch's order apart from those of a batch


def batch_generator(seed: int, split: str, index: int) -> np.random.Generator:
    """The source of everything random in one batch."""
    return np.random.default_rng((seed, SPLITS.index(split), index))


class RowOrder:
    """Hands every row of a text out once an epoch, in an order of the epoch's own. Validation repeats its first epoch."""

    def __init__(self, seed: int, split: str, rows: int, batch_size: int) -> None:
        self.rows, self.batch_size = rows, batch_size
        self._seed, self._split = seed, SPLITS.index(split)
        self._orders: dict[int, tuple[np.ndarray, int]] = {}  # of the newest epochs; a cache and no more

    def of_batch(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """(batch) row numbers, and (batch) int64 that are constant in an epoch and random between epochs (0 for validation)."""
        place = np.arange(index * self.batch_size, (index + 1) * self.batch_size)
        epochs, within = np.divmod(place, self.rows)
        if self._split:
            epochs[:] = 0
        rows, shifts = np.empty_like(place), np.empty_like(place)
        for epoch in range(epochs[0], epochs[-1] + 1):
            mine = epochs == epoch
            order, shift = self._epoch(epoch)
            rows[mine], shifts[mine] = order[within[mine]], shift
        return rows, shifts

    def _epoch(self, epoch: int) -> tuple[np.ndarray, int]:
        if epoch not in self._orders:
            rng = np.random.default_rng((self._seed, _ORDER + self._split, epoch))
            while len(self._orders) > 1:
                self._orders.pop(next(iter(self._orders)), None)
            self._orders[epoch] = rng.permutation(self.rows), 0 if self._split else int(rng.integers(1 << 62))
        return self._orders[epoch]


class PackedText:
    """All documents of a split in a row, with special tokens around each; the last is followed by the first again.

    Rows are windows into this ring, so every row is full: no padding, however short the documents are.
    """

    def __init__(self, split: Split, before: tuple[int, ...], after: tuple[int, ...]) -> None:
        self.tokens, self.word_starts = np.asarray(split.tokens), np.asarray(split.word_starts)
        starts = np.asarray(split.sentences)[np.asarray(split.documents)]  # (documents + 1) offsets into tokens
        starts = np.append(starts[:-1][np.diff(starts) > 0], starts[-1])  # a document without tokens needs no marks
        marks = len(before) + len(after)
        self._starts, self._places = starts, starts - starts[0] + marks * np.arange(len(starts))  # in tokens, in the ring
        self._before, self._marks = len(before), np.array(after + before, dtype=np.int64)
        self.length = int(self._places[-1])

    def window(self, start: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
        """start: (batch) places in the ring. Returns (batch, width) int64: token ids; their offsets in the text, -1 for marks."""
        place = (start[:, None] + np.arange(width)) % self.length
        document = np.searchsorted(self._places, place, side="right") - 1
        source = place - self._places[document] - self._before + self._starts[document]
        over = source - self._starts[document + 1]  # 0 and more: a mark after the document
        is_mark = (over >= 0) | (source < self._starts[document])
        ids = self.tokens[np.where(is_mark, 0, source)].astype(np.int64)
        if is_mark.any():  # a negative index counts from the end, where the marks before a document stand
            at = np.where(over >= 0, over, source - self._starts[document])[is_mark]
            ids[is_mark] = self._marks[at]
        return ids, np.where(is_mark, -1, source)


class PackedWindows:
    """The batches of a language model that reads plain text: full windows of both splits, packed as [BOS] text [EOS].

    Every epoch cuts the text elsewhere. tokens_per_batch, tokens_per_epoch: of windows without an extra token.
    """

    def __init__(self, config: RunConfig, corpus: Corpus) -> None:
        require_text(corpus.train, "train")
        train = config.train
        self._splits = {"train": corpus.train, "valid": corpus.valid}
        self._texts = {name: PackedText(split, (BOS,), (EOS,)) for name, split in self._splits.items() if len(split.tokens)}
        self._widths = {name: min(train.seq_len, text.length) for name, text in self._texts.items()}
        self._orders = {name: RowOrder(train.seed, name, math.ceil(text.length / self._widths[name]), train.batch_size)
                        for name, text in self._texts.items()}
        self.tokens_per_batch = train.batch_size * self._widths["train"]
        self.tokens_per_epoch = self._orders["train"].rows * self._widths["train"]

    def of_batch(self, split: str, index: int, extra: int = 0) -> np.ndarray:
        """The token ids of a batch, with so many more tokens than the model reads. (batch, seq_len + extra) int64"""
        require_text(self._splits[split], split)
        rows, shift = self._orders[split].of_batch(index)
        text, width = self._texts[split], self._widths[split]
        return text.window(rows * width + shift % text.length, width + extra)[0]


def require_text(split: Split, name: str) -> None:
    """UserError where a split holds no token at all."""
    if len(split.tokens) == 0 and name == "valid":
        raise UserError(tr("No text is left for validation."), tr("Add text, or make valid_percent greater."),
                        where="valid_percent")
    if len(split.tokens) == 0:
        raise UserError(tr("There is no text to learn from."), tr("Choose files that hold text."), where="files")
