"""Arithmetic on growing series of numbers: smoothing and thinning out. Knows numpy only."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


class Growing:
    """An array that takes more values at its end without copying all of it each time."""

    def __init__(self) -> None:
        self._buffer, self._size = np.zeros(256), 0

    @property
    def values(self) -> np.ndarray:
        """A view, (size,) float64; valid until the next `extend`."""
        return self._buffer[: self._size]

    def extend(self, more: Sequence[float]) -> None:
        needed = self._size + len(more)
        if needed > len(self._buffer):
            grown = np.zeros(max(2 * len(self._buffer), needed))
            grown[: self._size] = self.values
            self._buffer = grown
        self._buffer[self._size: needed] = more
        self._size = needed


class MovingAverage:
    """Exponential moving average, bias-corrected as in Adam (Kingma and Ba 2015, section 3), so that it does not begin at 0.

    s_t = share s_(t-1) + (1 - share) v_t; the result is s_t / (1 - share^t). A value that is not finite leaves s as it is and
    stays a gap in the result.
    """

    def __init__(self, share: float) -> None:
        self.share, self._state, self._count = share, 0.0, 0

    def extend(self, values: np.ndarray) -> np.ndarray:
        """The averages at the next values, as many as there are values."""
        values = np.asarray(values, dtype=float)
        if self.share <= 0 or len(values) == 0:
            return values.copy()
        good = np.isfinite(values)
        kept = values[good]
        smooth = np.empty(len(kept))
        block = max(int(600 / -math.log(self.share)), 1)  # as long as share^-block is a float64
        for start in range(0, len(kept), block):
            piece = kept[start: start + block]
            powers = self.share ** np.arange(1, len(piece) + 1)
            smooth[start: start + block] = powers * (self._state + (1 - self.share) * np.cumsum(piece / powers))
            self._state = float(smooth[start + len(piece) - 1])
        smooth /= 1 - self.share ** np.arange(self._count + 1, self._count + len(kept) + 1, dtype=float)
        self._count += len(kept)
        result = np.full(len(values), np.nan)
        result[good] = smooth
        return result


def thin_peaks(x: np.ndarray, y: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """About `most` points that look the same when drawn: of each bin the lowest and the highest, and always the last point.

    Values that are not finite are left out where there are more than `most`.
    """
    if len(x) <= most:
        return x.copy(), y.copy()
    size, whole = _bins(len(x), most // 2)
    rows = y[:whole].reshape(-1, size)
    begin = np.arange(0, whole, size)
    lowest = begin + np.where(np.isfinite(rows), rows, np.inf).argmin(axis=1)
    highest = begin + np.where(np.isfinite(rows), rows, -np.inf).argmax(axis=1)
    index = np.unique(np.concatenate([lowest, highest, np.arange(whole, len(x)), [len(x) - 1]]))
    return x[index], y[index]


def thin_means(x: np.ndarray, y: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """About `most` points of a smooth curve: the mean of each bin, and the last point as it is. NaN is left out of the means."""
    if len(x) <= most:
        return x.copy(), y.copy()
    size, whole = _bins(len(x), most)
    rows = y[:whole].reshape(-1, size)
    good = np.isfinite(rows)
    counts = good.sum(axis=1)
    means = np.where(good, rows, 0.0).sum(axis=1) / np.maximum(counts, 1)
    means[counts == 0] = np.nan
    return np.append(x[:whole].reshape(-1, size).mean(axis=1), x[-1]), np.append(means, y[-1])


def _bins(count: int, most: int) -> tuple[int, int]:
    """The size of a bin, and how many values fill whole bins; fewer than a bin are left over."""
    size = math.ceil(count / most)
    return size, count // size * size
