"""Many points as an image, by numpy: each a small disc or another symbol, or, where they are too many, how densely they lie.

Images are (height, width) uint32, 0xffRRGGBB, as QImage.Format_RGB32 wants them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

OPAQUE = np.uint32(0xFF000000)
LEVELS = (0.3, 0.65, 1.0)  # how much of a pixel a symbol covers, in steps
FAINTEST = 0.3  # of the colour, of a cell with one point in it
FIELD = float(1 << 26)  # two sums in one number: float64 holds 53 bits, so that cells of up to 260,000 points keep their colours
CORNERS = {  # of the symbols that are no disc, x to the right, y down, within a circle of radius 1.15
    "s": ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)), "t1": ((0, -1.1), (1.05, 0.8), (-1.05, 0.8)),
    "t": ((0, 1.1), (1.05, -0.8), (-1.05, -0.8)), "d": ((0, -1.15), (1.15, 0), (0, 1.15), (-1.15, 0)),
    "star": ((0, -1.15), (0.3, -0.38), (1.1, -0.36), (0.48, 0.14), (0.7, 0.95), (0, 0.48), (-0.7, 0.95), (-0.48, 0.14), (-1.1, -0.36), (-0.3, -0.38)),
    "p": ((0, -1.1), (1.05, -0.34), (0.65, 0.9), (-0.65, 0.9), (-1.05, -0.34)),
    "h": ((-1.1, 0), (-0.55, -0.95), (0.55, -0.95), (1.1, 0), (0.55, 0.95), (-0.55, 0.95)),
}


def packed(rgb: np.ndarray) -> np.ndarray:
    """(m, 3) uint8 -> (m,) uint32"""
    wide = np.asarray(rgb).astype(np.uint32)
    return OPAQUE | (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]


@lru_cache(maxsize=64)
def stamp(symbol: str, radius: float) -> tuple[tuple[int, int, int], ...]:
    """(dx, dy, level) of every pixel of a symbol, the least covered first."""
    reach = int(np.ceil(radius * 1.2)) + 1
    fine = (np.arange((2 * reach + 1) * 4) + 0.5) / 4 - reach - 0.5
    x, y = np.meshgrid(fine / radius, fine / radius)
    if symbol in CORNERS:
        inside = np.zeros(x.shape, bool)
        corners = CORNERS[symbol]
        for (ax, ay), (bx, by) in zip(corners, (*corners[1:], corners[0]), strict=True):
            crosses = (ay > y) != (by > y)
            with np.errstate(divide="ignore", invalid="ignore"):
                inside ^= crosses & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    else:
        inside = x**2 + y**2 <= 1
    covered = inside.reshape(2 * reach + 1, 4, 2 * reach + 1, 4).mean(axis=(1, 3))
    found = [(int(column) - reach, int(row) - reach, int(np.argmin(np.abs(np.array(LEVELS) - covered[row, column]))))
             for row, column in zip(*np.nonzero(covered > 0.12), strict=True)]
    return tuple(sorted(found, key=lambda item: item[2]))


def shades(rgb: np.ndarray, background: np.ndarray) -> np.ndarray:
    """(m, 3) uint8 colours on (3,) uint8 -> (levels, m) uint32: what a pixel becomes that a symbol covers in part."""
    mixed = [background + (np.asarray(rgb, float) - background) * level for level in LEVELS]
    return np.stack([packed(np.rint(item).astype(np.uint8)) for item in mixed])


class Canvas:
    """An image with a rim, so that a symbol at the edge needs no special case. background: (3,) uint8, None for clear."""

    RIM = 16

    def __init__(self, width: int, height: int, background: np.ndarray | None) -> None:
        self.width, self.height = width, height
        self._wide = width + 2 * self.RIM
        self._pixels = np.full((height + 2 * self.RIM) * self._wide, 0 if background is None else packed(background), np.uint32)

    def draw(self, x: np.ndarray, y: np.ndarray, colours: np.ndarray, look: np.ndarray, symbol: str = "o", radius: float = 3.5) -> None:
        """Points at (m,) pixels, float; those outside are left out. colours: (m,) indices into look (levels, palette)."""
        column, row = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
        good = (column > -self.RIM // 2) & (column < self.width + self.RIM // 2) & (row > -self.RIM // 2) & (row < self.height + self.RIM // 2)
        if not good.all():
            column, row, colours = column[good], row[good], colours[good]
        place = (row + self.RIM) * self._wide + column + self.RIM
        drawn = [level[colours] for level in look]  # of each level (m,)
        for dx, dy, level in stamp(symbol, radius):
            self._pixels[place + (dy * self._wide + dx)] = drawn[level]

    def image(self) -> np.ndarray:
        """(height, width) uint32, contiguous."""
        return np.ascontiguousarray(self._pixels.reshape(-1, self._wide)[self.RIM : -self.RIM, self.RIM : -self.RIM])


def colour_sums(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m, 3) uint8 -> two (m,) float64 for `density`: red and green in one number, blue and the count in the other."""
    wide = np.asarray(rgb, np.float64)
    return wide[:, 0] * FIELD + wide[:, 1], wide[:, 2] * FIELD + 1.0


def density(x: np.ndarray, y: np.ndarray, width: int, height: int, background: np.ndarray, ramp: np.ndarray,
            sums: tuple[np.ndarray, np.ndarray] | None = None, cell: int = 1) -> np.ndarray:
    """How many points lie in each cell of cell x cell pixels, on a logarithmic scale. (rows, columns) uint32, a number for each cell.

    x, y: (m,) pixels, float; those outside are left out. ramp: (256, 3) uint8, from none to most. sums: from `colour_sums`; with them
    a cell has the mean colour of its points, and the fewer they are the fainter.
    """
    columns, rows = -(-width // cell), -(-height // cell)
    size = columns * rows
    column, row = (x * (1 / cell)).astype(np.int32), (y * (1 / cell)).astype(np.int32)
    flat = row * columns + column
    outside = (x < 0) | (y < 0) | (column >= columns) | (row >= rows)
    if outside.any():
        flat[outside] = size
    if sums is None:
        count = np.bincount(flat, minlength=size + 1)[:size]
        strength = _strength(count)
        shade = packed(ramp)[np.rint(strength * 255).astype(np.int32)]
    else:
        both = [np.bincount(flat, weights=part, minlength=size + 1)[:size] for part in sums]
        red, blue = (np.floor(part / FIELD) for part in both)
        green, count = both[0] - red * FIELD, both[1] - blue * FIELD
        strength = _strength(count)
        share = strength / np.maximum(count, 1)
        mixed = np.stack([background[axis] * (1 - strength) + part * share for axis, part in enumerate((red, green, blue))], axis=1)
        shade = packed(np.clip(mixed, 0, 255).astype(np.uint8))
    return shade.reshape(rows, columns)


def _strength(count: np.ndarray) -> np.ndarray:
    """(cells,) 0 for none, FAINTEST for one, 1 for the most."""
    table_size = 4096
    most = max(float(count.max(initial=0)), 1.0)
    steps = np.log1p(np.arange(table_size)) / max(np.log1p(most), 1e-9)
    known = FAINTEST + (1 - FAINTEST) * np.minimum(steps, 1.0)
    known[0] = 0.0
    made = known[np.minimum(count, table_size - 1).astype(np.int32)]
    if most >= table_size:
        many = count >= table_size
        made[many] = FAINTEST + (1 - FAINTEST) * np.log1p(count[many]) / np.log1p(most)
    return made
