"""What part of the plane is seen, and from where in space."""

from __future__ import annotations

import numpy as np

NEAREST, FARTHEST = 1e6, 0.2  # zoom against that at which everything is seen
MARGIN = 0.06


class Camera:
    """centre: the point in the middle of the picture. scale: pixels for one unit, across and up. turn: (3, 3), of the space."""

    def __init__(self) -> None:
        self.centre = np.zeros(2)
        self.scale = np.ones(2)
        self.turn = np.eye(3)
        self._fitted = np.ones(2)

    def fit(self, low: np.ndarray, high: np.ndarray, width: float, height: float, equal: bool) -> None:
        """See all from low to high; equal: one unit is as long across as up."""
        wide = np.maximum(np.asarray(high, float) - low, 0)
        size = np.array([max(width, 1), max(height, 1)]) * (1 - 2 * MARGIN)
        with np.errstate(divide="ignore"):
            scale = np.where(wide > 0, size / np.where(wide > 0, wide, 1), np.inf)
        if equal or not np.isfinite(scale).all():
            scale = np.full(2, scale.min() if np.isfinite(scale.min()) else 1.0)
        self.centre, self.scale, self._fitted = (np.asarray(low, float) + high) / 2, scale, scale.copy()

    @property
    def zoomed(self) -> float:
        """1 where everything is seen."""
        return float(self.scale[0] / self._fitted[0])

    def pixels(self, x: np.ndarray, y: np.ndarray, width: float, height: float) -> tuple[np.ndarray, np.ndarray]:
        """Up in the plane is up in the picture."""
        across = x * np.float32(self.scale[0]) + np.float32(width / 2 - self.centre[0] * self.scale[0])
        down = y * np.float32(-self.scale[1]) + np.float32(height / 2 + self.centre[1] * self.scale[1])
        return across, down

    def point(self, across: float, down: float, width: float, height: float) -> tuple[float, float]:
        """What lies under a pixel."""
        return (float(self.centre[0] + (across - width / 2) / self.scale[0]), float(self.centre[1] - (down - height / 2) / self.scale[1]))

    def range(self, width: float, height: float, rim: float = 0.0) -> tuple[tuple[float, float], tuple[float, float]]:
        """(x0, x1), (y0, y1) of what is seen, and of `rim` pixels around it."""
        half = (np.array([width, height]) / 2 + rim) / self.scale
        low, high = (self.centre - half).tolist(), (self.centre + half).tolist()
        return (low[0], high[0]), (low[1], high[1])

    def pan(self, across: float, down: float) -> None:
        self.centre = self.centre + np.array([-across, down]) / self.scale

    def zoom(self, factor: float, across: float, down: float, width: float, height: float) -> None:
        """Nearer by a factor; what lies under the pixel stays there."""
        factor = float(np.clip(factor * self.zoomed, FARTHEST, NEAREST)) / self.zoomed
        before = np.array(self.point(across, down, width, height))
        self.scale = self.scale * factor
        self.centre = self.centre + before - self.point(across, down, width, height)

    def rotate(self, across: float, down: float) -> None:
        """Turn the space by angles in radians: about the axis that points up in the picture, and the one that points right."""
        a, b = across, down
        about_up = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        about_right = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
        left, _, right = np.linalg.svd(about_right @ about_up @ self.turn)
        self.turn = left @ right  # stays a turn after thousands of them
