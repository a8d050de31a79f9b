"""Taking tokens out of a batch by their places."""

from __future__ import annotations

import torch
from torch import Tensor


def take(x: Tensor, places: Tensor) -> Tensor:
    """x[b, places[b, n]] for every b and n. x: (batch, tokens, ...), places: (batch, n). Returns (batch, n, ...)."""
    return x[torch.arange(x.shape[0], device=x.device)[:, None], places]  # (gather does the same, with a slower backward pass)
