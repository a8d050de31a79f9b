"""UMAP (McInnes, Healy and Melville 2018), by umap-learn: like t-SNE, with more of the large shape kept."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Callable

import numpy as np

from core.projection import pca
from core.projection.rows import full, usable

LEAST = 5
EXACT = 30_000  # points up to which the neighbours are found exactly


class UMAP:
    """The same vectors and seed give the same picture. neighbours: how many count for each point."""

    def __init__(self, dimensions: int = 2, *, neighbours: int = 15, min_dist: float = 0.1, seed: int = 0, epochs: int | None = None) -> None:
        self.dimensions = dimensions
        self._neighbours, self._min_dist, self._seed, self._epochs = neighbours, min_dist, seed, epochs

    def fit_transform(self, x: np.ndarray, on_progress: Callable[[float, np.ndarray], object] | None = None) -> np.ndarray:
        """(n, size) -> (n, dimensions) float64, rows of NaN where the vectors have NaN.

        on_progress(share done, picture) at the beginning, with the principal axes it starts from, then with that same picture as the
        share grows, for the library shows none in between, and at the end; where it returns true the beginning is the answer.
        UserError for fewer than LEAST vectors, or where all are one.
        """
        rows, good = usable(x, LEAST, "UMAP")
        begin = pca.fit(rows, self.dimensions).project(rows)
        begin = 10 * begin / np.abs(begin).max()
        begin += np.random.default_rng(self._seed).normal(0, 1e-4, begin.shape)
        if on_progress is not None and on_progress(0.0, full(begin, good)):
            return full(begin, good)
        told = _Told(lambda share: on_progress is not None and on_progress(share, full(begin, good)))
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(_Ended):
            warnings.simplefilter("ignore")  # that one thread is used because of the seed, which is meant
            from umap import UMAP as Library  # takes seconds
            from umap.umap_ import nearest_neighbors

            count = min(self._neighbours, len(rows) - 1)
            known: tuple = (None, None, None)
            if len(rows) <= EXACT:
                known = _exact(rows, count)
            else:
                known = nearest_neighbors(rows, count, "euclidean", {}, False, np.random.RandomState(self._seed))
            made = Library(n_components=self.dimensions, n_neighbors=count, min_dist=self._min_dist, init=begin.astype(np.float32),
                           random_state=self._seed, n_epochs=self._epochs, precomputed_knn=known, n_jobs=1,
                           verbose=True, tqdm_kwds={"file": told, "mininterval": 0.1, "ascii": True, "disable": False})
            picture = full(np.asarray(made.fit_transform(rows), np.float64), good)
            if on_progress is not None:
                on_progress(1.0, picture)
            return picture
        return full(begin, good)


class _Ended(Exception):
    """The person did not want it any longer."""


class _Told(io.StringIO):
    """Takes the library's progress bar, and tells how far it is: there is no other way to hear of it, or to end it."""

    def __init__(self, tell: Callable[[float], object]) -> None:
        super().__init__()
        self._tell = tell

    def write(self, text: str) -> int:
        if (found := re.search(r"(\d+)%", text)) and 0 < int(found[1]) < 100 and self._tell(int(found[1]) / 100):
            raise _Ended
        return len(text)


def _exact(rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """As umap-learn wants it: the point itself is its first neighbour."""
    from core.projection.knn import nearest

    found, apart = nearest(rows, count - 1)
    own = np.arange(len(rows))[:, None]
    return np.hstack([own, found]), np.hstack([np.zeros((len(rows), 1), np.float32), apart])
