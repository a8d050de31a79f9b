"""Orthogonal Procrustes (Schoenemann 1966): turn and mirror a picture onto another of the same points, so that motion means change."""

from __future__ import annotations

import numpy as np


def align(picture: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """(n, dimensions) float64: `picture` moved, turned and mirrored so that its points lie as near as they can to those of `onto`.

    Points with NaN in one of the two do not count; those of `picture` move along. With no point in common the picture stays as it is.
    """
    picture, onto = np.asarray(picture, np.float64), np.asarray(onto, np.float64)
    if picture.shape != onto.shape:
        raise ValueError(f"{picture.shape} onto {onto.shape}")
    both = np.isfinite(picture).all(axis=1) & np.isfinite(onto).all(axis=1)
    if not both.any():
        return picture
    from_, to = picture[both].mean(axis=0), onto[both].mean(axis=0)
    left, _, right = np.linalg.svd((picture[both] - from_).T @ (onto[both] - to))
    return (picture - from_) @ (left @ right) + to
