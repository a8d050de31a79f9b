"""A text as the model reads it: a row of tokens that can be clicked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.widgets.clicks import is_click


class Tokens(QWidget):
    """clicked(index), hovered(index or -1). The tokens flow over as many lines as they need."""

    clicked = Signal(int)
    hovered = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens: list[str] = []
        self._colours: list[str] = []
        self._notes: list[str] = []
        self._boxes: list[QRect] = []
        self._selected = self._under = -1
        self.setFont(theme.font("large"))
        self.setMouseTracking(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_tokens(self, tokens: Sequence[str], colours: Sequence[str] | None = None, notes: Sequence[str] | None = None) -> None:
        """colours: #rrggbb (or #aarrggbb) behind each token; empty for the plain surface. notes: small words beneath each."""
        self._tokens = list(tokens)
        self._notes = list(notes) if notes is not None and any(notes) else []
        self._colours = list(colours) if colours is not None else [""] * len(self._tokens)
        self._selected = self._under = -1
        self._place(self.width())
        self.updateGeometry()
        self.update()

    def select(self, index: int) -> None:
        self._selected = index
        self.update()

    def box(self, index: int) -> QRect:
        """Where a token stands."""
        return self._boxes[index]

    def heightForWidth(self, width: int) -> int:
        return self._flow(width)[1]

    def sizeHint(self) -> QSize:
        return QSize(320, self._flow(max(self.width(), 320))[1])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place(self.width())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_under(self._at(event.position().toPoint()))

    def leaveEvent(self, event: object) -> None:
        self._set_under(-1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if is_click(self, event) and (index := self._at(event.position().toPoint())) >= 0:
            self.clicked.emit(index)

    def paintEvent(self, _event: QPaintEvent) -> None:
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, (token, colour, box) in enumerate(zip(self._tokens, self._colours, self._boxes, strict=True)):
            chosen, under = index == self._selected, index == self._under
            painter.setBrush(QColor(colour or (look.hover if under else look.raised)))
            painter.setPen(QPen(QColor(look.accent if chosen else look.text_faint if under else look.border), 2 if chosen else 1))
            painter.drawRoundedRect(box, 6, 6)
            painter.setPen(QColor(look.text))
            if not self._notes:
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, token)
                continue
            painter.setFont(self.font())
            painter.drawText(box.adjusted(0, 2, 0, 0), Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, token)
            painter.setFont(theme.font("small"))
            painter.setPen(QColor(look.text_soft))
            painter.drawText(box.adjusted(0, 0, 0, -2), Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, self._notes[index])
        painter.end()

    def _at(self, point: QPoint) -> int:
        return next((index for index, box in enumerate(self._boxes) if box.contains(point)), -1)

    def _set_under(self, index: int) -> None:
        if index != self._under:
            self._under = index
            self.hovered.emit(index)
            self.update()

    def _place(self, width: int) -> None:
        self._boxes = self._flow(width)[0]

    def _flow(self, width: int) -> tuple[list[QRect], int]:
        """Each token's rectangle, and the height of them all."""
        metrics, small = QFontMetrics(self.font()), QFontMetrics(theme.font("small"))
        height = metrics.height() + theme.S + (small.height() - theme.XS if self._notes else 0)
        boxes, x, y = [], 1, 1
        for index, token in enumerate(self._tokens):
            wide = metrics.horizontalAdvance(token) + theme.L
            if self._notes:
                wide = max(wide, small.horizontalAdvance(self._notes[index]) + theme.S)
            if x + wide > width and x > 1:
                x, y = 1, y + height + theme.XS
            boxes.append(QRect(x, y, wide, height))
            x += wide + theme.XS
        return boxes, y + height + 1
