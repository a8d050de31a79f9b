"""t-SNE (van der Maaten and Hinton 2008), by openTSNE: neighbours of the full space stay neighbours in the picture.

Distances between clusters, and their sizes, mean nothing in it. The descent is ours to step, so that it can be watched, paused
and stopped between any two iterations.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from core.projection import pca
from core.projection.knn import nearest
from core.projection.rows import full, usable

EARLY = 250  # iterations with the attraction exaggerated
ITERATIONS = 750  # in all
EXAGGERATION = 12.0
LEAST = 5
EXACT = 30_000  # points up to which the neighbours are found exactly; beyond that by openTSNE's random trees
FEW = 2_000  # points up to which several threads would wait for each other
WIDTH = 1e-4  # standard deviation of the picture it starts with


class Descent:
    """A t-SNE under way: `step()` until `done`. picture: (n, dimensions) float64, rows of NaN where the vectors have NaN.

    The same vectors and seed give the same pictures. perplexity: how many neighbours count, at most a third of the points.
    UserError for fewer than LEAST vectors, or where all are one; Stopped where `stop` returned true while neighbours were found.
    """

    def __init__(self, x: np.ndarray, dimensions: int = 2, *, perplexity: float = 30.0, seed: int = 0, iterations: int = ITERATIONS,
                 threads: int = 0, stop: Callable[[float], object] | None = None) -> None:
        from openTSNE import TSNEEmbedding, affinity, nearest_neighbors  # takes a second

        rows, self._good = usable(x, LEAST, "t-SNE")
        threads = threads or (os.cpu_count() or 1 if len(rows) > FEW else 1)
        self.perplexity = min(perplexity, (len(rows) - 1) / 3)
        self.iteration, self.iterations = 0, iterations
        self._early = min(EARLY, iterations // 3)
        count = min(len(rows) - 1, int(3 * self.perplexity))
        if len(rows) <= EXACT:
            known = nearest_neighbors.PrecomputedNeighbors(*nearest(rows, count, stop=stop))
        else:
            known = nearest_neighbors.Annoy(rows, count, n_jobs=threads, random_state=seed)
        affinities = affinity.PerplexityBasedNN(perplexity=self.perplexity, knn_index=known, n_jobs=threads)
        begin = pca.fit(rows, dimensions).project(rows)
        begin = begin / np.std(begin[:, 0]) * WIDTH
        begin += np.random.default_rng(seed).normal(0, WIDTH / 100, begin.shape)  # equal vectors need a direction to part in
        method = "bh" if dimensions > 2 or len(rows) < 1000 else "fft"
        self._embedding = TSNEEmbedding(begin, affinities, negative_gradient_method=method, n_jobs=threads, random_state=seed)

    @property
    def done(self) -> bool:
        return self.iteration >= self.iterations

    @property
    def picture(self) -> np.ndarray:
        return full(np.asarray(self._embedding), self._good)

    @property
    def divergence(self) -> float:
        """Kullback-Leibler, of the neighbourhoods in the picture from those of the full space; nan before the first iteration."""
        found = self._embedding.kl_divergence
        return float("nan") if found is None else float(found)

    def step(self) -> None:
        """One iteration."""
        early = self.iteration < self._early
        self._embedding.optimize(n_iter=1, inplace=True, propagate_exception=True, exaggeration=EXAGGERATION if early else 1.0,
                                 learning_rate="auto")
        self.iteration += 1


class TSNE:
    def __init__(self, dimensions: int = 2, *, perplexity: float = 30.0, seed: int = 0, iterations: int = ITERATIONS, threads: int = 0) -> None:
        self.dimensions = dimensions
        self._options = {"perplexity": perplexity, "seed": seed, "iterations": iterations, "threads": threads}

    def fit_transform(self, x: np.ndarray, on_progress: Callable[[float, np.ndarray], object] | None = None) -> np.ndarray:
        """(n, size) -> (n, dimensions) float64. on_progress(share done, picture) after each iteration; where it returns true the
        descent ends, and the picture so far is the answer."""
        descent = Descent(x, self.dimensions, **self._options)
        while not descent.done:
            descent.step()
            if on_progress is not None and on_progress(descent.iteration / descent.iterations, descent.picture):
                break
        return descent.picture
