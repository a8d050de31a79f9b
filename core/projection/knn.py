"""The nearest points of every point, exactly, by blocks of a matrix product."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

BLOCK = 1 << 24  # distances held at a time


def nearest(x: np.ndarray, k: int, queries: np.ndarray | None = None,
            stop: Callable[[float], object] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The k points of (n, size) nearest to each query by Euclid, never the query itself: indices (queries, k) and distances.

    queries: (m,) rows of x, None for all. The nearest come first; of the found ones, equally near ones stand by their index. stop(share
    done) is called between blocks; where it returns true, Stopped is raised.
    """
    x = np.ascontiguousarray(x, np.float32)
    x = x - x.mean(axis=0)  # squares of small differences of great numbers lose their digits
    rows = np.arange(len(x)) if queries is None else np.asarray(queries)
    k = min(k, len(x) - 1)
    squares = np.einsum("ij,ij->i", x, x)
    found = np.empty((len(rows), k), np.int64)
    apart = np.empty((len(rows), k), np.float32)
    step = max(1, BLOCK // len(x))
    for begin in range(0, len(rows), step):
        chosen = rows[begin : begin + step]
        if stop is not None and stop(begin / len(rows)):
            raise Stopped
        far = squares - 2 * (x[chosen] @ x.T)  # (block, n), less the query's own square
        far[np.arange(len(chosen)), chosen] = np.inf
        near = np.sort(np.argpartition(far, k - 1, axis=1)[:, :k], axis=1)
        order = np.argsort(np.take_along_axis(far, near, axis=1), axis=1, kind="stable")
        near = np.take_along_axis(near, order, axis=1)
        found[begin : begin + step] = near
        exact = x[chosen][:, None, :] - x[near] if k * x.shape[1] * len(chosen) <= BLOCK * 4 else None
        squared = np.einsum("ijk,ijk->ij", exact, exact) if exact is not None \
            else np.take_along_axis(far, near, axis=1) + squares[chosen][:, None]
        apart[begin : begin + step] = np.sqrt(np.maximum(squared, 0))
    return found, apart


class Stopped(Exception):
    """The person did not want it any longer."""
