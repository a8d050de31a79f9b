"""From what is frequent less is learnt: of a text's tokens the frequent ones are often left out (Mikolov et al. 2013b, section 2.3)."""

from __future__ import annotations

import numpy as np


def chance_to_stay(counts: np.ndarray, sample: float) -> np.ndarray:
    """(vocab_size) float64: sqrt(t/f) + t/f, at most 1, where f is the token's share of the text and t is `sample` (0 keeps all).

    This is what the authors' program does; equation 5 has only the first term, which leaves a little more out. counts: (vocab_size), 0 for
    what does not occur and never stays.
    """
    counts = np.asarray(counts, np.float64)
    chance = (counts > 0).astype(np.float64)
    if sample > 0:
        known = counts > 0
        ratio = sample * counts.sum() / counts[known]
        chance[known] = np.minimum(np.sqrt(ratio) + ratio, 1.0)
    return chance
