"""Principal component analysis: the directions in which centred vectors spread most (Pearson 1901), by the SVD."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Basis:
    """A plane (or a space) to look at vectors in. mean: (size,); axes: (dimensions, size), orthonormal rows, the widest first.

    share: (dimensions,), the part of the variance that lies along each axis, 0 to 1; zeros where the vectors do not spread at all.
    """

    mean: np.ndarray
    axes: np.ndarray
    share: np.ndarray

    def project(self, vectors: np.ndarray, mean: np.ndarray | None = None) -> np.ndarray:
        """(n, size) -> (n, dimensions) float64. mean: another point to look from; else that of the fit. A row with NaN stays NaN."""
        return (np.asarray(vectors, dtype=np.float64) - (self.mean if mean is None else mean)) @ self.axes.T


def fit(vectors: np.ndarray, dimensions: int = 2) -> Basis:
    """The principal axes of (n, size). Rows with NaN are left out. The sign of an axis is that of its greatest entry, so that
    the same vectors give the same picture everywhere. Axes along which nothing spreads are zero.

    ValueError where no row is left.
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    vectors = vectors[np.isfinite(vectors).all(axis=1)]
    if not len(vectors):
        raise ValueError("no vectors to fit")
    mean = vectors.mean(axis=0)
    _, widths, rows = np.linalg.svd(vectors - mean, full_matrices=False)
    noise = max(vectors.shape) * np.finfo(np.float64).eps * float(np.abs(vectors).max(initial=0.0)) * np.sqrt(len(vectors))
    found = int((widths[:dimensions] > noise).sum())
    axes = np.zeros((dimensions, vectors.shape[1]))
    axes[:found] = rows[:found]
    greatest = np.abs(axes).argmax(axis=1)
    axes *= np.where(axes[np.arange(dimensions), greatest] < 0, -1.0, 1.0)[:, None]
    share = np.zeros(dimensions)
    share[:found] = widths[:found] ** 2 / (widths**2).sum() if found else 0.0
    return Basis(mean=mean, axes=axes, share=share)


class PCA:
    def __init__(self, dimensions: int = 2) -> None:
        self.dimensions = dimensions

    def fit_transform(self, x: np.ndarray, on_progress: Callable[[float, np.ndarray], None] | None = None) -> np.ndarray:
        """(n, size) -> (n, dimensions) float64. on_progress(share done, picture) is called once, at the end."""
        picture = fit(x, self.dimensions).project(x)
        if on_progress is not None:
            on_progress(1.0, picture)
        return picture
