"""A chip: a coloured dot, a name, and a cross that takes it away."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from gui import theme
from gui.widgets.elided import Elided


class Dot(QWidget):
    """A filled circle; what it says is said in words beside it too."""

    def __init__(self, colour: str, size: int = 12, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = QColor(colour)
        self.setFixedSize(size, size)

    def set_colour(self, colour: str) -> None:
        self._colour = QColor(colour)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour)
        painter.drawEllipse(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()


class Chip(QFrame):
    """closed: the cross was pressed. clicked: the rest was. Without a cross where close_tip is empty."""

    closed = Signal()
    clicked = Signal()

    def __init__(self, text: str, colour: str, *, close_tip: str = "", tip: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = theme.current()
        self.setObjectName("chip")
        self.setStyleSheet(f"#chip {{ background: {look.raised}; border: 1px solid {colour}; border-radius: 15px; }}")
        self.setFixedHeight(30)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setToolTip(tip)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.M, 0, theme.S if close_tip else theme.M, 0)
        layout.setSpacing(theme.S)
        self.name = Elided(text)
        layout.addWidget(Dot(colour))
        layout.addWidget(self.name)
        if close_tip:
            self.cross = cross = QToolButton(toolTip=close_tip, accessibleName=close_tip)
            cross.setProperty("kind", "small")
            cross.setFixedSize(22, 22)
            cross.setIcon(theme.icon("close", look.text_soft, 14))
            cross.clicked.connect(self.closed)
            layout.addWidget(cross)

    def mouseReleaseEvent(self, event: object) -> None:
        super().mouseReleaseEvent(event)
        self.clicked.emit()
