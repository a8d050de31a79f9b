"""One sentence before a model: where its word stands, and the vectors of the word in several versions of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import UserError
from core.i18n import tr
from core.text.specimens import find_word

if TYPE_CHECKING:
    from core.analysis.encode import Frame, Loaded

BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A sentence as the model reads it. span: the word's characters; places: its tokens' positions; limit: the most the model reads, or 0."""

    frame: Frame
    span: tuple[int, int]
    places: list[int]
    limit: int


def span_of(text: str, word: str) -> tuple[int, int]:
    """UserError where the sentence does not hold the word."""
    found = find_word(text, word)
    if found is None:
        raise UserError(tr("“{word}” does not stand in the sentence.", word=word), tr("Write a sentence that holds it."), where="text")
    return found


def placed(loaded: Loaded, text: str, word: str) -> Placed:
    """UserError where the word is not there, is not known, or lies beyond what the model reads."""
    from core.analysis.encode import covering, frame

    span = span_of(text, word)
    made = frame(loaded.family, loaded.tokenizer, text)
    places = covering(made.offsets, *span)
    limit = getattr(loaded.config.model, "max_seq_len", 0) or 0
    unknown = loaded.tokenizer.id("[UNK]")
    if not places or any(made.ids[place] == unknown for place in places):
        raise UserError(tr("The model does not know the word {word}: it is not in its vocabulary.", word=word),
                        tr("Train on text that holds it, or watch it when training, so that it gets a token."), where="word")
    if limit and places[-1] >= limit:
        raise UserError(tr("“{word}” stands at token {place:,}; the model reads {limit:,}.", word=word, place=places[-1] + 1, limit=limit),
                        tr("Shorten the sentence."), where="text")
    return Placed(frame=made, span=span, places=places, limit=limit)


def states(loaded: Loaded, rows: Sequence[Sequence[int]], places: Sequence[Sequence[int]], limit: int = 0) -> np.ndarray:
    """The mean vectors at `places` of each row of token ids. (layers, rows, size) float32"""
    import torch

    from core.analysis.encode import padded

    found = []
    device = next(loaded.encoder.parameters()).device
    with torch.no_grad():
        for begin in range(0, len(rows), BATCH):
            ids, mask = padded(rows[begin : begin + BATCH], limit or None)
            hidden = loaded.encoder(ids.to(device), mask.to(device), output_hidden_states=True).hidden_states
            layers = torch.stack([state.float() for state in hidden])  # (layers, batch, tokens, size)
            found.append(torch.stack([layers[:, row, list(where)].mean(dim=1) for row, where in enumerate(places[begin : begin + BATCH])],
                                     dim=1).cpu().numpy())
    return np.concatenate(found, axis=1)
