"""Which sense a vector points to: its cosines with the centroids of labelled specimens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.analysis import senses


class Compass:
    """Of the vectors (n, size) of specimens in one layer, and their senses. Rows with NaN are left out.

    As for the measures, vectors are centred on the specimens' mean and scaled to length 1; a centroid is the mean of a sense's. Where
    all specimens have one vector, every cosine is 0. UserError with fewer than two senses, or a sense of fewer than two specimens.
    """

    def __init__(self, vectors: np.ndarray, labels: Sequence[str]) -> None:
        known = np.isfinite(vectors).all(axis=1)
        self._vectors, self._labels = vectors[known].astype(np.float64), np.array(labels)[known]
        senses.require_senses(self._labels)
        self.senses = tuple(dict.fromkeys(self._labels.tolist()))
        self._unit = senses.normalised(self._vectors)

    @property
    def same(self) -> bool:
        """Whether all specimens have one vector."""
        return not self._unit.any()

    def cosines(self, vectors: np.ndarray, sense: str = "") -> np.ndarray:
        """(n, size) -> (n, senses). sense: where the first of the vectors is that of a specimen of this sense, mean and centroids are made
        without it and its equals, for all of the vectors."""
        vectors = np.atleast_2d(vectors).astype(np.float64)
        result = np.zeros((len(vectors), len(self.senses)))
        if self.same:
            return result
        kept = np.ones(len(self._labels), bool)
        if sense:
            first, = self._towards(vectors[:1], self._vectors.mean(axis=0))
            kept = self._unit @ first < 1 - senses.EQUAL
        mean = self._vectors[kept].mean(axis=0)
        unit, specimens = self._towards(vectors, mean), self._towards(self._vectors[kept], mean)
        for place, name in enumerate(self.senses):
            centroid = specimens[self._labels[kept] == name].sum(axis=0)
            length = np.linalg.norm(centroid)
            if length > senses.ROUNDING:
                result[:, place] = unit @ centroid / length
        return result

    def _towards(self, vectors: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """From the mean, of length 1."""
        return senses.unit_of(senses.set_off(vectors, mean, self._vectors))
