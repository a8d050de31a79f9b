"""Points of the plane sorted into the cells of a grid, so that those in a part of it are found without looking at the others."""

from __future__ import annotations

import numpy as np

CELLS = 256  # to a side at most: a cell's number fits 16 bits, which numpy sorts by radix


class PointIndex:
    """xy: (n, 2), rows with NaN are nowhere. order: (m,) the rows of the others, cell by cell; x, y: (m,) float32, in that order."""

    def __init__(self, xy: np.ndarray) -> None:
        xy = np.asarray(xy, np.float32).reshape(-1, 2)
        rows = np.flatnonzero(np.isfinite(xy).all(axis=1))
        there = xy[rows]
        self.side = int(np.clip(np.sqrt(len(rows) / 8), 1, CELLS))
        self.low = there.min(axis=0) if len(rows) else np.zeros(2, np.float32)
        self.high = there.max(axis=0) if len(rows) else np.ones(2, np.float32)
        self._cell = np.maximum((self.high - self.low).astype(np.float64), 1e-30) / self.side
        column, row = (np.minimum(((there[:, axis] - self.low[axis]) / self._cell[axis]).astype(np.int32), self.side - 1) for axis in (0, 1))
        cells = (row * self.side + column).astype(np.uint16)
        sort = np.argsort(cells, kind="stable")
        self.order = rows[sort]
        self.x, self.y = there[sort, 0].copy(), there[sort, 1].copy()
        self._starts = np.concatenate(([0], np.cumsum(np.bincount(cells, minlength=self.side**2))))

    @classmethod
    def loose(cls, rows: np.ndarray, x: np.ndarray, y: np.ndarray) -> PointIndex:
        """Of points that will have moved again by the next frame: every part of the plane is said to hold all of them."""
        made = cls(np.zeros((0, 2), np.float32))
        made.order, made.x, made.y = rows, x, y
        made.low, made.high = np.full(2, np.inf, np.float32), np.full(2, -np.inf, np.float32)
        return made

    def __len__(self) -> int:
        return len(self.order)

    def inside(self, x: tuple[float, float], y: tuple[float, float]) -> np.ndarray | slice:
        """Places in `order` of the points in all cells that the rectangle touches: every point in it, and few others."""
        if x[0] <= self.low[0] and y[0] <= self.low[1] and x[1] >= self.high[0] and y[1] >= self.high[1]:
            return slice(None)
        if not np.isfinite([*x, *y]).all():
            return np.zeros(0, np.int64)
        (left, right), (bottom, top) = self._span(x, 0), self._span(y, 1)
        if left > right or bottom > top or not len(self.order):
            return np.zeros(0, np.int64)
        begins = self._starts[np.arange(bottom, top + 1) * self.side + left]
        ends = self._starts[np.arange(bottom, top + 1) * self.side + right + 1]
        return np.concatenate([np.arange(begin, end) for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)])

    def nearest(self, x: float, y: float, reach: tuple[float, float], among: np.ndarray | None = None) -> int:
        """The row of the nearest point within the ellipse of half axes `reach`, or -1. among: (n,) bool, these alone."""
        places = self.inside((x - reach[0], x + reach[0]), (y - reach[1], y + reach[1]))
        far = ((self.x[places] - x) / reach[0]) ** 2 + ((self.y[places] - y) / reach[1]) ** 2
        rows = self.order[places]
        if among is not None:
            far = np.where(among[rows], far, np.inf)
        if not len(far):
            return -1
        best = int(far.argmin())
        return int(rows[best]) if far[best] <= 1 else -1

    def _span(self, ends: tuple[float, float], axis: int) -> tuple[int, int]:
        """The first and the last cell along an axis; the last before the first where there is none."""
        first, last = ((end - self.low[axis]) / self._cell[axis] for end in ends)
        if last < 0 or first > self.side:
            return 1, 0
        return int(np.clip(first, 0, self.side - 1)), int(np.clip(last, 0, self.side - 1))
