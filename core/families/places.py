"""Taking tokens out of a batch by their places."""

from __future__ import annotations

import torch
from torch import Tensor


def take(x: Tensor, places: Tensor) -> Tensor:
    """x[b, places[b, n]] for every b and n. x: (batch, tokens, ...), places: (batch, n). Returns (batch, n, ...)."""
    return x[torch.arange(x.shape[0], device=x.device)[:, None], places]  # (gather does the same, with a slower backward pass)


def reversal(input_ids: Tensor, attention_mask: Tensor | None) -> Tensor:
    """For every row the positions of its real tokens from last to first, then the padding where it was. (batch, tokens)

    Padding must stay at the end: a backward LSTM that starts in it would carry its state into the sentence. Taking
    twice by this index gives the original order.
    """
    position = torch.arange(input_ids.shape[1], device=input_ids.device).expand_as(input_ids)
    if attention_mask is None:
        return position.flip(1)
    length = attention_mask.long().sum(dim=1, keepdim=True)  # (batch, 1)
    return torch.where(position < length, length - 1 - position, position)
