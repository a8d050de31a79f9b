"""A line of text that ends in an ellipsis where there is no room for it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


class Elided(QLabel):
    """role: as for labels.label. It shrinks as far as it must; a tool tip with the whole text is for whoever makes it.

    least: letters; where there is room for fewer it shows none.
    """

    def __init__(self, text: str = "", role: str = "", parent: QWidget | None = None, *, least: int = 0) -> None:
        super().__init__(text, parent, textFormat=Qt.TextFormat.PlainText)
        self._least = least
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())

    @property
    def shown(self) -> str:
        """What is seen of the text."""
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        return "" if shown != self.text() and len(shown) <= self._least else shown

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))  # the style sheet's colour of the role
        painter.drawText(self.rect(), int(self.alignment()) | Qt.TextFlag.TextSingleLine, self.shown)
        painter.end()

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 2, super().sizeHint().height())
