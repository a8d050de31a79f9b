"""Principal component analysis: the directions in which centred vectors spread most (Pearson 1901), by the SVD."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MANY = 5_000  # rows from which the axes are those of the covariance, which needs no copy of all vectors
BLOCK = 50_000  # rows that are looked at together


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
        vectors, mean = np.asarray(vectors), self.mean if mean is None else mean
        made = np.empty((len(vectors), len(self.axes)))
        for begin in range(0, len(vectors), BLOCK):
            made[begin : begin + BLOCK] = (vectors[begin : begin + BLOCK] - mean) @ self.axes.T
        return made


def fit(vectors: np.ndarray, dimensions: int = 2) -> Basis:
    """The principal axes of (n, size), by the SVD, or of many rows by their covariance, which keeps half as many digits. Rows with
    NaN are left out. The sign of an axis is that of its greatest entry, so that the same vectors give the same picture everywhere.
    Axes along which nothing spreads are zero.

    ValueError where no row is left.
    """
    vectors = np.asarray(vectors)
    good = np.isfinite(vectors).all(axis=1)
    if not good.any():
        raise ValueError("no vectors to fit")
    vectors = vectors if good.all() else vectors[good]
    mean = vectors.mean(axis=0, dtype=np.float64)
    greatest = float(np.abs(vectors).max(initial=0.0))
    if len(vectors) < max(MANY, vectors.shape[1]):
        _, widths, rows = np.linalg.svd(vectors - mean, full_matrices=False)
        noise = max(vectors.shape) * np.finfo(np.float64).eps * greatest * np.sqrt(len(vectors))
    else:
        widths, rows = _by_covariance(vectors, mean)
        noise = np.sqrt(len(vectors) * np.finfo(np.float64).eps * vectors.shape[1]) * greatest
    found = int((widths[:dimensions] > noise).sum())
    axes = np.zeros((dimensions, vectors.shape[1]))
    axes[:found] = rows[:found]
    greatest = np.abs(axes).argmax(axis=1)
    axes *= np.where(axes[np.arange(dimensions), greatest] < 0, -1.0, 1.0)[:, None]
    share = np.zeros(dimensions)
    share[:found] = widths[:found] ** 2 / (widths**2).sum() if found else 0.0
    return Basis(mean=mean, axes=axes, share=share)


def _by_covariance(vectors: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(size,) widths as the singular values would be, the greatest first, and their axes (size, size)."""
    scatter = np.zeros((vectors.shape[1], vectors.shape[1]))
    for begin in range(0, len(vectors), BLOCK):
        centred = vectors[begin : begin + BLOCK] - mean
        scatter += centred.T @ centred
    squares, columns = np.linalg.eigh(scatter)
    return np.sqrt(np.maximum(squares[::-1], 0)), columns.T[::-1]


class PCA:
    def __init__(self, dimensions: int = 2) -> None:
        self.dimensions = dimensions

    def fit_transform(self, x: np.ndarray, on_progress: Callable[[float, np.ndarray], None] | None = None) -> np.ndarray:
        """(n, size) -> (n, dimensions) float64. on_progress(share done, picture) is called once, at the end."""
        picture = fit(x, self.dimensions).project(x)
        if on_progress is not None:
            on_progress(1.0, picture)
        return picture
