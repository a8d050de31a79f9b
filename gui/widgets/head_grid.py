"""All layers and heads at once, each a small picture; one is chosen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.pictures import palette
from gui import theme
from gui.widgets.clicks import is_click
from gui.widgets.heatmap import LEGEND, image_from, ramp_image
from gui.widgets.plots import HoverCard

GAP = 3
LEAST_ROWS = 6  # have room for their numbers, however little there is
NOTE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap


class HeadGrid(QWidget):
    """Rows are layers, columns are heads. clicked(layer, head). Shows small maps, or one signed number a head."""

    clicked = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._images: list[list[QImage]] = []
        self._values: np.ndarray | None = None
        self._shape = (0, 0)
        self._chosen, self._under = (-1, -1), (-1, -1)
        self._axes = ("", "")
        self._scale, self._note_box = "", QRectF()
        self._words: Callable[[int, int], str] | None = None
        self._card = HoverCard(self)

    def set_axes(self, layers: str, heads: str) -> None:
        """The names of the two axes."""
        self._axes = (layers, heads)

    def set_scale(self, words: str) -> None:
        """What the darkest colour of a map stands for; it is said beneath, with the colours."""
        self._scale = words
        self._place_note()

    def set_maps(self, shades: np.ndarray, words: Callable[[int, int], str] | None = None) -> None:
        """shades: (layers, heads, m, m) uint8. words(layer, head): rich text of the hover card."""
        self._shape, self._values, self._words = shades.shape[:2], None, words
        self._images = [[image_from(one) for one in row] for row in shades]
        self.updateGeometry()
        self.update()

    def set_values(self, values: np.ndarray, words: Callable[[int, int], str] | None = None) -> None:
        """values: (layers, heads); blue below 0, orange above it, each cell with its number where there is room."""
        self._shape, self._values, self._words = values.shape, values, words
        self._images = []
        self.updateGeometry()
        self.update()

    @property
    def shape(self) -> tuple[int, int]:
        return self._shape

    def select(self, layer: int, head: int) -> None:
        if (layer, head) != self._chosen:
            self._chosen = (layer, head)
            self.update()

    def cell_at(self, x: float, y: float) -> tuple[int, int]:
        for layer in range(self._shape[0]):
            for head in range(self._shape[1]):
                if self._cell(layer, head).adjusted(-GAP, -GAP, GAP, GAP).contains(QPointF(x, y)):
                    return layer, head
        return -1, -1

    def place_of(self, layer: int, head: int) -> QPointF:
        return self._cell(layer, head).center()

    def sizeHint(self) -> QSize:
        return QSize(360, 360)

    def minimumSizeHint(self) -> QSize:
        metrics = QFontMetrics(theme.font("small"))
        return QSize(110, round(self._margins(metrics)[1] + min(self._shape[0], LEAST_ROWS) * metrics.height() + self._below(metrics)) + 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_note()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        cell = self.cell_at(at.x(), at.y())
        self.setCursor(Qt.CursorShape.PointingHandCursor if cell[0] >= 0 else Qt.CursorShape.ArrowCursor)
        if cell != self._under:
            self._under = cell
            self.update()
        if cell[0] >= 0 and self._words is not None:
            self._card.show_at(at.x(), at.y(), self._words(*cell))
        else:
            self._card.hide()

    def leaveEvent(self, _event: object) -> None:
        self._under = (-1, -1)
        self._card.hide()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if is_click(self, event) and (cell := self.cell_at(event.position().x(), event.position().y()))[0] >= 0:
            self.clicked.emit(*cell)

    def paintEvent(self, _event: QPaintEvent) -> None:
        layers, heads = self._shape
        if not layers:
            return
        look, font = theme.current(), theme.font("small")
        metrics = QFontMetrics(font)
        painter = QPainter(self)
        painter.setFont(font)
        greatest = float(np.nanmax(np.abs(self._values))) if self._values is not None and np.isfinite(self._values).any() else 0.0
        colours = palette.diverging(look.dark)
        for layer in range(layers):
            for head in range(heads):
                cell = self._cell(layer, head)
                if self._values is None:
                    painter.drawImage(cell, self._images[layer][head])
                else:
                    self._paint_value(painter, cell, float(self._values[layer, head]), greatest, colours)
                chosen, under = (layer, head) == self._chosen, (layer, head) == self._under
                painter.setPen(QPen(QColor(look.accent if chosen else look.text_faint if under else look.border), 2.5 if chosen else 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(cell.adjusted(-1, -1, 1, 1) if chosen else cell)
        painter.setPen(QColor(look.text_soft))
        left, top = self._margins(metrics)
        for layer in range(layers):
            cell = self._cell(layer, 0)
            painter.drawText(QRectF(0, cell.center().y() - metrics.height() / 2, cell.left() - theme.XS, metrics.height()),
                             Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(layer + 1))
        for head in range(heads):
            cell = self._cell(0, head)
            painter.drawText(QRectF(cell.center().x() - 20, cell.top() - theme.XS - metrics.height(), 40, metrics.height()),
                             Qt.AlignmentFlag.AlignCenter, str(head + 1))
        painter.setPen(QColor(look.text_faint))
        painter.drawText(QRectF(left, 0, self.width() - left, metrics.height()), Qt.AlignmentFlag.AlignLeft, f"{self._axes[1]} →")
        self._paint_legend(painter, greatest, colours)
        painter.translate(metrics.height() / 2 + 1, top)
        painter.rotate(90)
        painter.drawText(QRectF(0, -metrics.height() / 2, max(self.height() - top, 1), metrics.height()), Qt.AlignmentFlag.AlignLeft,
                         f"{self._axes[0]} →")
        painter.end()

    def _paint_value(self, painter: QPainter, cell: QRectF, value: float, greatest: float, colours: np.ndarray) -> None:
        if not np.isfinite(value):
            return
        place = round(127.5 * (1 + (value / greatest if greatest else 0.0)))
        colour = QColor(*colours[min(max(place, 0), 255)].tolist())
        painter.fillRect(cell, colour)
        text = f"{value:+.2f}"
        if painter.fontMetrics().horizontalAdvance(text) + 2 <= cell.width() and painter.fontMetrics().height() <= cell.height():
            painter.setPen(QColor("#000000" if colour.lightnessF() > 0.55 else "#ffffff"))
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_legend(self, painter: QPainter, greatest: float, colours: np.ndarray) -> None:
        look, metrics = theme.current(), painter.fontMetrics()
        first, last = self._cell(0, 0), self._cell(self._shape[0] - 1, 0)
        if (self._values is None and not self._scale) or (self._values is not None and not greatest):
            return
        box = QRectF(first.left(), last.bottom() + theme.S, min(self.width() - first.left() - 2, 220.0), LEGEND)
        if self._values is None:
            painter.drawImage(box, ramp_image())
        else:
            each = box.width() / len(colours)
            for place, colour in enumerate(colours.tolist()):
                painter.fillRect(QRectF(box.left() + place * each, box.top(), each + 0.5, LEGEND), QColor(*colour))
        painter.setPen(QPen(QColor(look.border_strong), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box)
        painter.setPen(QColor(look.text_soft))
        if self._values is None:
            painter.drawText(self._note_box.translated(0, box.bottom() + 1), NOTE, self._note)
            return
        below = QRectF(box.left(), box.bottom() + 1, box.width(), metrics.height())
        ends = (f"{-greatest:.2f}", "0", f"{greatest:+.2f}")
        for words, align in zip(ends, (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight), strict=True):
            painter.drawText(below, align, words)

    @property
    def _note(self) -> str:
        """Beneath the colours of maps."""
        return f"0 → {self._scale}"

    def _place_note(self) -> None:
        """Under the colours, or over the whole width where a word of it has no room there. Once, since each cell asks for its height."""
        metrics = QFontMetrics(theme.font("small"))
        left = self._margins(metrics)[0]
        widest = max(metrics.horizontalAdvance(word) for word in self._note.split())
        left = left if left + widest + 2 <= self.width() else 0.0
        room = QRect(0, 0, max(round(self.width() - left) - 2, 1), 10_000)
        self._note_box = QRectF(metrics.boundingRect(room, NOTE, self._note)).translated(left, 0)

    def _below(self, metrics: QFontMetrics) -> float:
        """Room beneath for the colours and what they mean."""
        high = metrics.lineSpacing() if self._values is not None else self._note_box.height() if self._scale else 0
        return (theme.S + LEGEND + 2 + high + 4) if high else 0.0

    def _margins(self, metrics: QFontMetrics) -> tuple[float, float]:
        """Room at the left and above for the numbers and the names of the axes."""
        return metrics.height() + metrics.horizontalAdvance("00") + 2 * theme.XS, 2 * metrics.height() + theme.XS

    def _cell(self, layer: int, head: int) -> QRectF:
        left, top = self._margins(QFontMetrics(theme.font("small")))
        layers, heads = self._shape
        below = self._below(QFontMetrics(theme.font("small")))
        wide, high = (self.width() - left - 2) / max(heads, 1), max(self.height() - top - 2 - below, 1.0) / max(layers, 1)
        if self._values is None:
            wide = high = min(wide, high)
        else:
            high = min(high, max(wide, 28.0))
        return QRectF(left + head * wide, top + layer * high, max(wide - GAP, 1.0), max(high - GAP, 1.0))
