"""The words of a sentence one below the other, each with a few bars: shares that grow to the right, changes that go both ways."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.pictures import palette
from gui import theme
from gui.widgets.clicks import is_click

WORD_SHARE = 0.26  # of the width
MOST_ROW = 32  # pixels
LEAST_BAR = 24  # pixels: where there is less beside the numbers, these stand on the card alone


@dataclass(frozen=True, kw_only=True)
class Column:
    """title: above the bars. values: (words), NaN for none. signed: changes, drawn from the middle; else shares. number: how it is written.
    missing: a sentence instead of bars. colours: of changes above 0 and below it, where they stand for something."""

    title: str
    values: np.ndarray
    signed: bool = False
    number: str = "{:.2f}"
    missing: str = ""
    colours: tuple[QColor, QColor] | None = None


class WordBars(QWidget):
    """clicked(word). Each column has its own scale: its longest bar fills it."""

    clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._labels: list[str] = []
        self._soft: np.ndarray = np.zeros(0, dtype=bool)
        self._columns: list[Column] = []
        self._marked = -1
        self.setMouseTracking(True)

    def set_words(self, labels: Sequence[str], columns: Sequence[Column], *, soft: Sequence[bool] = (), marked: int = -1) -> None:
        """marked: the word that is looked at."""
        self._labels, self._columns, self._marked = list(labels), list(columns), marked
        self._soft = np.asarray(soft, dtype=bool) if len(soft) else np.zeros(len(labels), dtype=bool)
        self.setToolTip("")
        self.setMinimumHeight(self.sizeHint().height())
        self.updateGeometry()
        self.update()

    @property
    def columns(self) -> list[Column]:
        return self._columns

    def sizeHint(self) -> QSize:
        return QSize(280, self._head() + len(self._labels) * self._least_row() + theme.XS)

    def minimumSizeHint(self) -> QSize:
        return QSize(110, self.sizeHint().height())

    def place_of(self, word: int) -> QPointF:
        return QPointF(self.width() / 2, self._head() + (word + 0.5) * self._row())

    def card(self, word: int) -> str:
        """Rich text: the word and the number of each column."""
        lines = [f"<b>{html.escape(self._labels[word])}</b>"]
        for column in self._columns:
            known = not column.missing and np.isfinite(column.values[word])
            lines.append(f"{html.escape(column.title)}&nbsp;&nbsp;<b>{column.number.format(column.values[word]) if known else '–'}</b>")
        return "<br>".join(lines)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        word = self._word_at(event.position())
        self.setToolTip(self.card(word) if word >= 0 else "")  # a card inside a narrow picture would be cut

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if is_click(self, event) and (word := self._word_at(event.position())) >= 0:
            self.clicked.emit(word)

    def _word_at(self, place: QPointF) -> int:
        word = int((place.y() - self._head()) // self._row())
        return word if 0 <= word < len(self._labels) and place.y() >= self._head() else -1

    def paintEvent(self, _event: QPaintEvent) -> None:
        look, font, small = theme.current(), theme.font("body"), theme.font("small")
        painter = QPainter(self)
        wide, head, row = self._word_width(), self._head(), self._row()
        metrics = QFontMetrics(font)
        painter.setFont(font)
        for number, text in enumerate(self._labels):
            box = QRectF(0, head + number * row, self.width(), row)
            if number == self._marked:
                painter.fillRect(box, QColor(look.accent_soft))
            painter.setPen(QColor(look.text_faint if self._soft[number] else look.text))
            painter.drawText(QRectF(theme.XS, box.top(), wide - 2 * theme.XS, box.height()),
                             Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                             metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(wide - 2 * theme.XS)))
        painter.setFont(small)
        each = (self.width() - wide) / max(len(self._columns), 1)
        for place, column in enumerate(self._columns):
            self._paint_column(painter, column, QRectF(wide + place * each, 0, each - theme.S, self.height()))
        painter.end()

    def _paint_column(self, painter: QPainter, column: Column, box: QRectF) -> None:
        look, metrics = theme.current(), painter.fontMetrics()
        painter.setPen(QColor(look.text_soft))
        title = " ".join(metrics.elidedText(part, Qt.TextElideMode.ElideRight, int(box.width())) for part in column.title.split(" "))
        painter.drawText(QRectF(box.left(), 0, box.width(), self._head()), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop |
                         Qt.TextFlag.TextWordWrap, title)
        if column.missing:
            painter.setPen(QColor(look.text_faint))
            painter.drawText(box.adjusted(0, self._head() + theme.XS, 0, 0), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop |
                             Qt.TextFlag.TextWordWrap, column.missing)
            return
        known = np.isfinite(column.values)
        top = float(np.abs(column.values[known]).max(initial=0.0))
        numbers = max(metrics.horizontalAdvance(column.number.format(value)) for value in (top, -top)) + theme.XS
        if box.width() - numbers < LEAST_BAR:
            numbers = 0
        head, row = self._head(), self._row()
        bars = QRectF(box.left(), 0, max(box.width() - numbers, 8.0), 0)
        zero = bars.center().x() if column.signed else bars.left()
        room = bars.width() / 2 if column.signed else bars.width()
        ramp = palette.diverging(look.dark)
        above, below = column.colours or (QColor(*ramp[220].tolist()), QColor(*ramp[35].tolist()))
        if column.signed:
            painter.setPen(QPen(QColor(look.border_strong), 1))
            painter.drawLine(QPointF(zero, head), QPointF(zero, head + len(self._labels) * row))
        for number, value in enumerate(column.values.tolist()):
            if not np.isfinite(value):
                continue
            y, high = head + number * row + 4, row - 8
            long = room * value / top if top else 0.0
            text = column.number.format(value)
            if column.signed and not float(text):  # nothing that can be seen in the number is drawn as a bar either
                text, long = "0", 0.0
            colour = (above if value > 0 else below) if column.signed else QColor(look.accent)
            if long:
                painter.fillRect(QRectF(min(zero, zero + long), y, max(abs(long), 1.0), high), colour)
            if not numbers:
                continue
            painter.setPen(QColor(look.text))
            painter.drawText(QRectF(box.right() - numbers, y - 4, numbers, row), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                             text)

    def _word_width(self) -> float:
        metrics = QFontMetrics(theme.font("body"))
        longest = max((metrics.horizontalAdvance(text) for text in self._labels), default=0) + 3 * theme.XS
        return min(longest, WORD_SHARE * self.width())

    def _head(self) -> int:
        return 2 * QFontMetrics(theme.font("small")).height() + theme.XS if self._columns else 0

    def _row(self) -> int:
        """Its height; a short sentence takes the room that there is."""
        room = (self.height() - self._head() - theme.XS) // max(len(self._labels), 1)
        return max(self._least_row(), min(room, MOST_ROW))

    def _least_row(self) -> int:
        return QFontMetrics(theme.font("body")).height() + 3
