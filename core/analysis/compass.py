"""Which sense a vector points to: its cosines with the centroids of labelled specimens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.analysis import senses

EQUAL = senses.EQUAL


class Compass:
    """Of the vectors (n, size) of specimens in one layer, and their senses. Rows with NaN are left out.

    As for the measures, vectors are centred on the specimens' mean and scaled to length 1; a centroid is the mean of a sense's. Where
    all specimens have one vector, every cosine is 0. UserError with fewer than two senses, or a sense of fewer than two specimens.
    """

    def __init__(self, vectors: np.ndarray, labels: Sequence[str]) -> None:
        known = np.isfinite(vectors).all(axis=1)
        vectors, marks = vectors[known].astype(np.float64), np.array(labels)[known]
        senses.require_senses(marks)
        self.senses = tuple(dict.fromkeys(marks.tolist()))
        self.mean = vectors.mean(axis=0)
        self._least = senses.ROUNDING * float(np.linalg.norm(vectors, axis=1).max(initial=0.0))
        unit = senses.normalised(vectors)
        self.same = not unit.any()
        self._mine = [unit[marks == sense] for sense in self.senses]

    def cosines(self, vectors: np.ndarray, sense: str = "") -> np.ndarray:
        """(n, size) -> (n, senses). sense: where the first of the vectors is that of a specimen of this sense, its centroid is made
        without it and its equals, for all of the vectors."""
        unit = self._unit(np.atleast_2d(vectors).astype(np.float64))
        result = np.zeros((len(unit), len(self.senses)))
        for place, (name, mine) in enumerate(zip(self.senses, self._mine, strict=True)):
            kept = mine[mine @ unit[0] < 1 - EQUAL] if name == sense else mine
            centroid = kept.sum(axis=0)
            length = np.linalg.norm(centroid)
            if length > senses.ROUNDING:
                result[:, place] = unit @ centroid / length
        return result

    def _unit(self, vectors: np.ndarray) -> np.ndarray:
        centred = vectors - self.mean
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        return np.divide(centred, length, out=np.zeros_like(centred), where=length > self._least)
