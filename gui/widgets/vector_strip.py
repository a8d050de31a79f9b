"""A query vector, a key vector and their product, place by place: why a head looks from one word to another."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.pictures import palette
from gui import theme

BAND = 16  # pixels: the height of a vector


class VectorStrip(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)  # a fixed height would be that of two lines
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._rows: list[tuple[str, np.ndarray]] = []
        self._caption = ""

    def set_rows(self, rows: list[tuple[str, np.ndarray]], caption: str) -> None:
        """rows: (name, vector) each, blue below 0 and orange above; vectors of one strip have one length. caption: beneath."""
        self._rows, self._caption = rows, caption
        self.setToolTip("\n".join(f"{name}: " + " ".join(f"{value:.2f}" for value in vector.tolist()) for name, vector in rows))
        self.updateGeometry()
        self.update()

    @property
    def rows(self) -> list[tuple[str, np.ndarray]]:
        return self._rows

    def sizeHint(self) -> QSize:
        return QSize(240, len(self._rows) * (BAND + 3) + QFontMetrics(theme.font("small")).height() * 2 + theme.XS)

    def heightForWidth(self, width: int) -> int:
        """In a narrow strip the caption has more than two lines."""
        words = QFontMetrics(theme.font("small")).boundingRect(QRect(0, 0, width, 10_000), int(Qt.TextFlag.TextWordWrap), self._caption)
        return max(self.sizeHint().height(), len(self._rows) * (BAND + 3) + words.height() + theme.XS)

    def paintEvent(self, _event: QPaintEvent) -> None:
        look, font = theme.current(), theme.font("small")
        painter = QPainter(self)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        named = [(f"{name}  ±{float(np.abs(vector).max(initial=0.0)):.2f}", vector) for name, vector in self._rows]  # the strongest colour
        wide = min(max((metrics.horizontalAdvance(name) for name, _ in named), default=0) + theme.S, 0.4 * self.width())
        ramp = palette.diverging(look.dark)
        for number, (name, vector) in enumerate(named):
            top = number * (BAND + 3)
            painter.setPen(QColor(look.text_soft))
            painter.drawText(QRectF(0, top, wide - theme.XS, BAND), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                             metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(wide - theme.XS)))
            each = (self.width() - wide - 2) / max(len(vector), 1)
            most = float(np.abs(vector).max(initial=0.0)) or 1.0
            for place, value in enumerate(vector.tolist()):
                colour = QColor(*ramp[round(127.5 * (1 + value / most))].tolist())
                painter.fillRect(QRectF(wide + place * each, top, max(each - 0.5, 0.5), BAND), colour)
            painter.setPen(QColor(look.border))
            painter.drawRect(QRectF(wide, top, each * len(vector), BAND))
        painter.setPen(QColor(look.text))
        top = len(self._rows) * (BAND + 3)
        painter.drawText(QRectF(0, top, self.width(), self.height() - top),
                         Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap, self._caption)
        painter.end()
