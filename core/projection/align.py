"""Orthogonal Procrustes (Schoenemann 1966): turn and mirror a picture onto another of the same points, so that motion means change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """picture: (n, dimensions) float64, in the place of the other. residual: root mean square distance of the points that both
    pictures have, as a part of the other's spread (0: the same shape; 0 also where the other does not spread)."""

    picture: np.ndarray
    residual: float


def align(picture: np.ndarray, onto: np.ndarray, *, scale: bool = False) -> Alignment:
    """Move, turn and mirror `picture` (n, dimensions) so that its points lie as near as they can to those of `onto`.

    scale: also enlarge or shrink. Points with NaN in one of the two do not count; those of `picture` move along. With no point
    in common the picture stays as it is.
    """
    picture, onto = np.asarray(picture, np.float64), np.asarray(onto, np.float64)
    if picture.shape != onto.shape:
        raise ValueError(f"{picture.shape} onto {onto.shape}")
    both = np.isfinite(picture).all(axis=1) & np.isfinite(onto).all(axis=1)
    if not both.any():
        return Alignment(picture=picture, residual=0.0)
    from_, to = picture[both].mean(axis=0), onto[both].mean(axis=0)
    a, b = picture[both] - from_, onto[both] - to
    left, widths, right = np.linalg.svd(a.T @ b)
    turn = left @ right
    spread = float((a**2).sum())
    size = float(widths.sum()) / spread if scale and spread > 0 else 1.0
    made = (picture - from_) @ turn * size + to
    wide = float((b**2).sum())
    return Alignment(picture=made, residual=float(np.sqrt(((made[both] - onto[both]) ** 2).sum() / wide)) if wide > 0 else 0.0)
