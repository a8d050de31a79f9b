"""How far a picture can be believed: trustworthiness (Venna and Kaski 2001) and the share of nearest neighbours it keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.projection.knn import BLOCK, Stopped, nearest

NEIGHBOURS = 10
EXACT = 3_000  # points up to which every point is asked
SAMPLE = 1_000  # points that are asked beyond that, against all points
PAIRS = 300_000_000  # distances at most in the full space: of a million points fewer are asked


@dataclass(frozen=True, kw_only=True)
class Quality:
    """trustworthiness: 1 where all near points of the picture are near in the full space, about 0.5 by chance.
    recall: part of the `neighbours` nearest points in the full space that are among the nearest in the picture; chance is
    neighbours / points. asked: how many points were asked, of `points`; each was compared with all points."""

    trustworthiness: float
    recall: float
    neighbours: int
    asked: int
    points: int

    @property
    def exact(self) -> bool:
        return self.asked == self.points


def quality(x: np.ndarray, picture: np.ndarray, *, seed: int = 0, stop: Callable[[float], object] | None = None) -> Quality | None:
    """Of the picture (n, dimensions) of the vectors (n, size), by Euclid in both. Rows with NaN in either are left out.

    None where fewer than four points are left. stop(share done): where it returns true, Stopped is raised.
    """
    x, picture = np.asarray(x), np.asarray(picture, np.float32)
    good = np.isfinite(x).all(axis=1) & np.isfinite(picture).all(axis=1)
    x, picture = np.ascontiguousarray(x[good], np.float32), picture[good]
    points = len(x)
    k = min(NEIGHBOURS, (points - 1) // 2)
    if points < 4 or k < 1:
        return None
    asked = np.arange(points)
    if points > EXACT:
        count = max(50, min(SAMPLE, PAIRS // points))
        asked = np.sort(np.random.default_rng(seed).choice(points, count, replace=False))
    near, _ = nearest(picture, k, asked)  # (asked, k)
    x = x - x.mean(axis=0)
    squares = np.einsum("ij,ij->i", x, x)
    excess, kept = 0.0, 0
    step = max(1, BLOCK // points)
    for begin in range(0, len(asked), step):
        if stop is not None and stop(begin / len(asked)):
            raise Stopped
        chosen, mine = asked[begin : begin + step], near[begin : begin + step]
        far = squares - 2 * (x[chosen] @ x.T)  # (block, n): the order is that of the distances
        far[np.arange(len(chosen)), chosen] = np.inf
        own = np.take_along_axis(far, mine, axis=1)  # (block, k)
        nearer = np.stack([(far < own[:, [one]]).sum(axis=1) for one in range(k)], axis=1)
        ranks = nearer + 1  # 1 is the nearest; equally near points share the better rank
        excess += float(np.maximum(ranks - k, 0).sum())
        kept += int((ranks <= k).sum())
    worst = len(asked) * k * (2 * points - 3 * k - 1) / 2
    return Quality(trustworthiness=1 - excess / worst, recall=kept / (len(asked) * k), neighbours=k, asked=len(asked), points=points)
