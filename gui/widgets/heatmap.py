"""A square map of weights between words: drawn as one image, with its words at the left and above, and the number on hover."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.pictures import palette
from gui import theme
from gui.widgets.clicks import is_click
from gui.widgets.plots import HoverCard

LABEL_SHARE = 0.3  # of the width that the words at the left may take
LEGEND = 10  # pixels: the height of the bar that says what the colours mean


class Heatmap(QWidget):
    """clicked(row, column); hovered(row, column), -1 where the pointer has left."""

    clicked = Signal(int, int)
    hovered = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._weights = np.zeros((0, 0), dtype=np.float32)
        self._labels: list[str] = []
        self._soft: np.ndarray = np.zeros(0, dtype=bool)
        self._splits: list[int] = []
        self._axes = ("", "")
        self._image = QImage()
        self._least = 0.0
        self._under, self._selected = (-1, -1), (-1, -1)
        self._words: Callable[[int, int], str] | None = None
        self._card = HoverCard(self)

    def set_weights(self, weights: np.ndarray, labels: Sequence[str], *, soft: Sequence[bool] = (), sentence: Sequence[int] = (),
                    least: float = 0.0, words: Callable[[int, int], str] | None = None) -> None:
        """weights: (n, n) from row to column, NaN is left blank; below `least` as well. soft: labels drawn pale. sentence: a line is drawn
        where it changes. words(row, column): rich text of the hover card."""
        self._weights, self._labels, self._least, self._words = weights, list(labels), least, words
        self._soft = np.asarray(soft, dtype=bool) if len(soft) else np.zeros(len(labels), dtype=bool)
        self._splits = (np.flatnonzero(np.diff(np.asarray(sentence))) + 1).tolist() if len(sentence) else []
        self._image = image_of(weights, least)
        self._under = (-1, -1)
        self._card.hide()
        self.update()

    def set_axes(self, rows: str, columns: str) -> None:
        """The names of the two axes, in the corner."""
        self._axes = (rows, columns)

    @property
    def weights(self) -> np.ndarray:
        return self._weights

    def select(self, row: int, column: int = -1) -> None:
        if (row, column) != self._selected:
            self._selected = (row, column)
            self.update()

    def cell_at(self, x: float, y: float) -> tuple[int, int]:
        """(row, column) under that pixel, or (-1, -1)."""
        box, count = self._box(), len(self._labels)
        if not count or not box.contains(QPointF(x, y)):
            return -1, -1
        size = box.width() / count
        return min(int((y - box.top()) / size), count - 1), min(int((x - box.left()) / size), count - 1)

    def place_of(self, row: int, column: int) -> QPointF:
        """The middle of a cell, in pixels."""
        box = self._box()
        size = box.width() / max(len(self._labels), 1)
        return QPointF(box.left() + (column + 0.5) * size, box.top() + (row + 0.5) * size)

    def sizeHint(self) -> QSize:
        return QSize(360, 380)

    def minimumSizeHint(self) -> QSize:
        return QSize(110, 130)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        cell = self.cell_at(at.x(), at.y())
        if cell != self._under:
            self._under = cell
            self.hovered.emit(*cell)
            self.update()
        if cell[0] >= 0 and self._words is not None:
            self._card.show_at(at.x(), at.y(), self._words(*cell))
        else:
            self._card.hide()

    def leaveEvent(self, _event: object) -> None:
        self._under = (-1, -1)
        self._card.hide()
        self.hovered.emit(-1, -1)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if is_click(self, event) and (cell := self.cell_at(event.position().x(), event.position().y()))[0] >= 0:
            self.clicked.emit(*cell)

    def paintEvent(self, _event: QPaintEvent) -> None:
        count = len(self._labels)
        if not count:
            return
        look, box = theme.current(), self._box()
        size = box.width() / count
        painter = QPainter(self)
        painter.drawImage(box, self._image)
        painter.setPen(QPen(QColor(look.border), 1))
        painter.drawRect(box)
        for split in self._splits:
            painter.setPen(QPen(QColor(look.text_soft), 1, Qt.PenStyle.DashLine))
            at = split * size
            painter.drawLine(QPointF(box.left() + at, box.top()), QPointF(box.left() + at, box.bottom()))
            painter.drawLine(QPointF(box.left(), box.top() + at), QPointF(box.right(), box.top() + at))
        row, column = self._under if self._under[0] >= 0 else self._selected
        painter.setPen(QPen(QColor(look.accent), 1.5))
        if row >= 0:
            painter.drawRect(QRectF(box.left(), box.top() + row * size, box.width(), size))
        if column >= 0:
            painter.drawRect(QRectF(box.left() + column * size, box.top(), size, box.height()))
        self._paint_labels(painter, box, size, (row, column))
        self._paint_axes(painter, box)
        self._paint_legend(painter, box)
        painter.end()

    def _paint_labels(self, painter: QPainter, box: QRectF, size: float, marked: tuple[int, int]) -> None:
        look, font = theme.current(), self._label_font(size)
        metrics = QFontMetrics(font)
        painter.setFont(font)
        every = max(1, int(np.ceil(metrics.height() * 0.86 / size)))
        room, above = box.left() - 2 * theme.XS, box.top() - 2 * theme.XS
        for number, text in enumerate(self._labels):
            strong = number in marked
            if number % every and not strong:
                continue
            painter.setPen(QColor(look.accent if strong else look.text_faint if self._soft[number] else look.text))
            if number % every == 0 or number == marked[0]:
                painter.drawText(QRectF(0, box.top() + (number + 0.5) * size - metrics.height() / 2, room + theme.XS, metrics.height()),
                                 Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                                 metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(room)))
            if number % every == 0 or number == marked[1]:
                painter.save()
                painter.translate(box.left() + (number + 0.5) * size, box.top() - theme.XS)
                painter.rotate(-90)
                painter.drawText(QRectF(0, -metrics.height() / 2, above + theme.XS, metrics.height()),
                                 Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                                 metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(above)))
                painter.restore()

    def _paint_axes(self, painter: QPainter, box: QRectF) -> None:
        font = theme.font("small")
        metrics = QFontMetrics(font)
        painter.setFont(font)
        painter.setPen(QColor(theme.current().text_faint))
        room = box.left() - 2 * theme.XS
        for line, text in enumerate((f"{self._axes[1]} →", f"{self._axes[0]} ↓")):
            if self._axes[0] and box.top() >= 2 * metrics.height() and metrics.horizontalAdvance(text) <= room:
                painter.drawText(QRectF(0, box.top() - (2 - line) * metrics.height() - 2, room + theme.XS, metrics.height()),
                                 Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_legend(self, painter: QPainter, box: QRectF) -> None:
        """0, a quarter of the greatest weight, the greatest: the colours follow the square root."""
        look, font = theme.current(), theme.font("small")
        metrics = QFontMetrics(font)
        top, wide = box.bottom() + theme.S, min(box.width(), 220.0)
        painter.drawImage(QRectF(box.left(), top, wide, LEGEND), ramp_image())
        painter.setPen(QPen(QColor(look.border_strong), 1))
        painter.drawRect(QRectF(box.left(), top, wide, LEGEND))
        greatest = float(np.nanmax(self._weights)) if np.isfinite(self._weights).any() else 0.0
        painter.setFont(font)
        painter.setPen(QColor(look.text_soft))
        for share, align in ((0.0, Qt.AlignmentFlag.AlignLeft), (0.5, Qt.AlignmentFlag.AlignHCenter), (1.0, Qt.AlignmentFlag.AlignRight)):
            text = f"{greatest * share * share:.2f}" if share else "0"
            painter.drawText(QRectF(box.left(), top + LEGEND + 1, wide, metrics.height()), align | Qt.AlignmentFlag.AlignTop, text)

    def _label_font(self, size: float) -> QFont:
        """That of the words beside cells of that size."""
        font = theme.font("small")
        font.setPixelSize(int(min(max(size * 0.82, 9), theme.px("body"))))
        return font

    def _box(self) -> QRectF:
        """Where the cells are: a square, with room for the words and the legend."""
        metrics = QFontMetrics(theme.font("small"))
        wide = QFontMetrics(self._label_font(0.9 * min(self.width(), self.height()) / max(len(self._labels), 1)))
        longest = max((wide.horizontalAdvance(text) for text in self._labels), default=0) + 2 * theme.XS + 4
        left = min(longest, LABEL_SHARE * self.width())
        top = min(longest, LABEL_SHARE * self.height())
        below = theme.S + LEGEND + metrics.height() + 2
        side = max(min(self.width() - left - 2, self.height() - top - below - 2), 1.0)
        return QRectF(left + max((self.width() - left - side - 2) / 2, 0) * 0.5, top, side, side)


def image_of(weights: np.ndarray, least: float = 0.0) -> QImage:
    """(n, m) weights as an image of m x n points: colours by the square root of the share of the greatest; it holds its own copy."""
    with np.errstate(invalid="ignore"):
        kept = np.where(weights >= least, weights, 0.0) if least > 0 else np.nan_to_num(weights)
    kept = np.nan_to_num(kept)
    top = float(kept.max(initial=0.0))
    shades = (255 * np.sqrt(kept / top)).round().astype(np.uint8) if top > 0 else np.zeros(weights.shape, dtype=np.uint8)
    return image_from(shades)


def image_from(shades: np.ndarray) -> QImage:
    """(rows, columns) uint8 -> an image in the colours of the theme's ramp."""
    shades = np.ascontiguousarray(shades)
    made = QImage(shades.data, shades.shape[1], shades.shape[0], shades.shape[1], QImage.Format.Format_Indexed8)
    made.setColorTable([0xFF000000 | red << 16 | green << 8 | blue for red, green, blue in palette.ramp(theme.current().dark).tolist()])
    return made.convertToFormat(QImage.Format.Format_RGB32)


def ramp_image() -> QImage:
    return image_from(np.arange(256, dtype=np.uint8)[None, :])
