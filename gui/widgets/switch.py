"""An on-off switch; a check box in all but looks."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QCheckBox, QWidget

from gui import theme

WIDTH, HEIGHT, GAP = 38, 22, 3


class Switch(QCheckBox):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(self.sizeHint())
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH + 6, HEIGHT + 6)

    def hitButton(self, pos: QPoint) -> bool:
        return self.rect().contains(pos)

    def paintEvent(self, _event: object) -> None:
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        body = QRectF(3, 3, WIDTH, HEIGHT)
        if self.hasFocus():
            painter.setPen(QPen(QColor(look.accent), 2))
            painter.drawRoundedRect(body.adjusted(-2, -2, 2, 2), HEIGHT / 2 + 2, HEIGHT / 2 + 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.accent if self.isChecked() else look.border_strong))
        painter.drawRoundedRect(body, HEIGHT / 2, HEIGHT / 2)
        knob = HEIGHT - 2 * GAP
        left = body.right() - GAP - knob if self.isChecked() else body.left() + GAP
        painter.setBrush(QColor(look.surface if not look.dark else look.text))
        painter.drawEllipse(QRectF(left, body.top() + GAP, knob, knob))
        painter.end()
