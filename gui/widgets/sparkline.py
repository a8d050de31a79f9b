"""A small line without axes: how a number has moved, from its smallest to its greatest value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.i18n import tr
from gui import theme
from gui.widgets.series import thin_peaks

WIDE, HIGH, MARGIN = 96, 26, 3.0
DRAWN = 200  # points at most


class Sparkline(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values = np.zeros(0)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def set_values(self, values: Sequence[float]) -> None:
        found = np.asarray(values, dtype=float)
        self._values = found[np.isfinite(found)]
        if len(self._values):
            words = tr("from {first:.3f} to {last:.3f}", first=self._values[0], last=self._values[-1])
            self.setToolTip(words)
            self.setAccessibleName(words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(WIDE, HIGH)

    def minimumSizeHint(self) -> QSize:
        return QSize(WIDE // 3, HIGH)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if len(self._values) < 2:
            return
        x, y = thin_peaks(np.arange(len(self._values), dtype=float), self._values, DRAWN)
        low, high = y.min(), y.max()
        right = MARGIN + x / x[-1] * (self.width() - 2 * MARGIN)
        down = self.height() - MARGIN - (y - low) / (high - low or 1.0) * (self.height() - 2 * MARGIN)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.current().text_soft), 1.8))
        painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(right.tolist(), down.tolist(), strict=True)]))
        painter.end()
