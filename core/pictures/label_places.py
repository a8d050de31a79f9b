"""Where labels can stand so that none lies on another: the most important first, each at the first free place beside its point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CELL = 4  # pixels of the grid that knows what is taken
GAP = 5  # pixels between a point and its label
SIDES = ((0.5, 1.0), (0.0, 0.5), (1.0, 0.5), (0.5, 0.0))  # what part of the label lies left of and above the point: above, right, left, below


def places(points: np.ndarray, sizes: np.ndarray, width: int, height: int, *, most: int = 200,
           taken: Sequence[tuple[float, float, float, float]] = ()) -> list[tuple[int, float, float]]:
    """(index, left, top) of the labels that have a place, in a picture of width x height pixels; no two overlap.

    points: (m, 2) pixels, the most important first. sizes: (m, 2) of their labels. taken: (left, top, width, height) where none may stand.
    """
    columns, rows = width // CELL + 1, height // CELL + 1
    full = np.zeros((rows, columns), bool)
    for left, top, wide, high in taken:
        full[max(int(top // CELL), 0) : int((top + high) // CELL) + 1, max(int(left // CELL), 0) : int((left + wide) // CELL) + 1] = True
    found: list[tuple[int, float, float]] = []
    for index, ((x, y), (wide, high)) in enumerate(zip(points.tolist(), sizes.tolist(), strict=True)):
        for across, up in SIDES:
            left = x - wide * across + (GAP if across == 0 else -GAP if across == 1 else 0)
            top = y - high * up + (GAP if up == 0 else -GAP if up == 1 else 0)
            if left < 0 or top < 0 or left + wide > width or top + high > height:
                continue
            part = full[int(top // CELL) : int((top + high) // CELL) + 1, int(left // CELL) : int((left + wide) // CELL) + 1]
            if part.any():
                continue
            part[:] = True
            found.append((index, left, top))
            break
        if len(found) == most:
            break
    return found
