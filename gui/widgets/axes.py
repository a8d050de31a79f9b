"""An axis whose numbers read as people write them: 1.5k, 2M, 3:05."""

from __future__ import annotations

from gui.widgets.plots import pyqtgraph


class NumberAxis(pyqtgraph.AxisItem):
    """as_time: the values are seconds."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.as_time = False
        self.enableAutoSIPrefix(False)

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        if self.logMode:
            return super().tickStrings(values, scale, spacing)
        return [self.words(value) for value in values]

    def words(self, value: float) -> str:
        return clock(value) if self.as_time else short(value)


def short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.3g}{letter}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def clock(seconds: float) -> str:
    """1:05 for 65 seconds, 2:00:00 for two hours."""
    whole = round(seconds)
    minutes, left = divmod(abs(whole), 60)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if whole < 0 else ""
    return f"{sign}{hours}:{minutes:02d}:{left:02d}" if hours else f"{sign}{minutes}:{left:02d}"
