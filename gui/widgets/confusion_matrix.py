"""A confusion matrix: rows are what is right, columns what was said; a click on a cell asks for its examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from core.i18n import tr
from gui import theme
from gui.widgets.clicks import is_click
from gui.widgets.plots import with_alpha

LABEL_SHARE = 0.28  # of the width, at most, for the names at the left
UPRIGHT_SHARE = 0.3  # of the height, at most, for names that stand upright
UPRIGHT = 92  # pixels at most for names that stand upright above the columns
LEAST_CELL, MOST_WIDE, MOST_HIGH = 10, 90, 52
STEPS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}


class ConfusionMatrix(QWidget):
    """set_matrix(counts (labels, labels), names). clicked(row, column); row, column: -1 where nothing is chosen any more."""

    clicked = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts = np.zeros((0, 0), dtype=int)
        self._names: list[str] = []
        self._chosen = (-1, -1)
        self._colours = (QColor(theme.current().good), QColor(theme.current().danger))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_matrix(self, counts: Sequence[Sequence[int]] | np.ndarray, names: Sequence[str]) -> None:
        self._counts, self._names = np.asarray(counts, dtype=int).reshape(len(names), len(names)), list(names)
        self._chosen = (-1, -1)
        right = int(np.trace(self._counts))
        self.setAccessibleName(tr("Confusion matrix: {right:,} of {count:,} right", right=right, count=int(self._counts.sum())))
        self.updateGeometry()
        self.update()

    def choose(self, row: int, column: int) -> None:
        """Mark a cell without telling anybody."""
        self._chosen = (row, column)
        self.update()

    @property
    def chosen(self) -> tuple[int, int]:
        return self._chosen

    def sizeHint(self) -> QSize:
        size = len(self._names) * 40 + 110
        return QSize(size + 60, size)

    def minimumSizeHint(self) -> QSize:
        return QSize(220, 180)

    def cell(self, row: int, column: int) -> QRectF:
        """Where a cell stands."""
        left, top, wide, high = self._place()
        return QRectF(left + column * wide, top + row * high, wide, high)

    def _place(self) -> tuple[float, float, float, float]:
        """Left and top of the first cell, width and height of each."""
        metrics = QFontMetrics(theme.font("small"))
        names = max(metrics.horizontalAdvance(name) for name in [tr("right ↓"), *self._names]) + theme.S
        left, count = min(names, LABEL_SHARE * self.width()), max(len(self._names), 1)
        wide = min(max((self.width() - left - 2) / count, LEAST_CELL), MOST_WIDE)
        top = metrics.height() + theme.XS + round(min(self._widest(metrics), UPRIGHT, UPRIGHT_SHARE * self.height())
                                                    if self._upright(metrics, wide) else metrics.height())
        return left, top, wide, min(max((self.height() - top - 2) / count, LEAST_CELL), MOST_HIGH)

    def _widest(self, metrics: QFontMetrics) -> int:
        return max((metrics.horizontalAdvance(name) for name in self._names), default=0)

    def _upright(self, metrics: QFontMetrics, wide: float) -> bool:
        """Whether a name is wider than its column."""
        return self._widest(metrics) > wide - 2

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._names:
            return
        look, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        small = theme.font("small")
        metrics = QFontMetrics(small)
        painter.setFont(small)
        left, top, wide, high = self._place()
        rows = np.maximum(self._counts.sum(axis=1, keepdims=True), 1)
        shares = self._counts / rows
        painter.setPen(QColor(look.text_faint))
        painter.drawText(QRectF(left, 0, self.width() - left, metrics.height()), Qt.AlignmentFlag.AlignLeft, tr("what it said →"))
        painter.drawText(QRectF(0, metrics.height(), left - theme.XS, metrics.height()), Qt.AlignmentFlag.AlignLeft, tr("right ↓"))
        for row, name in enumerate(self._names):
            painter.setPen(QColor(look.text))
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, round(left - theme.S))
            painter.drawText(QRectF(0, top + row * high, left - theme.XS, high), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, shown)
            self._paint_column_name(painter, name, QRectF(left + row * wide, metrics.height(), wide, top - metrics.height() - theme.XS), metrics)
            for column in range(len(self._names)):
                self._paint_cell(painter, row, column, float(shares[row, column]), metrics)
        painter.end()

    def _paint_column_name(self, painter: QPainter, name: str, box: QRectF, metrics: QFontMetrics) -> None:
        if not self._upright(metrics, box.width()):
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)
            return
        painter.save()
        painter.translate(box.center())
        painter.rotate(-90)
        shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, round(box.height()))
        lying = QRectF(-box.height() / 2, -metrics.height() / 2, box.height(), metrics.height())
        painter.drawText(lying, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()

    def _paint_cell(self, painter: QPainter, row: int, column: int, share: float, metrics: QFontMetrics) -> None:
        look, box = theme.current(), self.cell(row, column).adjusted(1, 1, -1, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.raised))
        painter.drawRoundedRect(box, 3, 3)
        painter.setBrush(with_alpha(self._colours[row != column], 0.75 * share**0.5))
        painter.drawRoundedRect(box, 3, 3)
        count = int(self._counts[row, column])
        if count and metrics.height() <= box.height() + 4 and metrics.horizontalAdvance(str(count)) <= box.width():
            painter.setPen(QColor(look.text))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(count))
        if (row, column) == self._chosen:
            painter.setPen(QPen(QColor(look.accent), 2.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 3, 3)

    def _at(self, x: float, y: float) -> tuple[int, int]:
        left, top, wide, high = self._place()
        row, column = int((y - top) // high), int((x - left) // wide)
        inside = 0 <= row < len(self._names) and 0 <= column < len(self._names)
        return (row, column) if inside else (-1, -1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if is_click(self, event):
            at = self._at(event.position().x(), event.position().y())
            self._take(at if at != self._chosen else (-1, -1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The arrows walk from cell to cell, Escape lets go."""
        if event.key() in STEPS and self._names:
            step, last = STEPS[event.key()], len(self._names) - 1
            self._take(tuple(min(max(place + by, 0), last) for place, by in zip(self._chosen, step, strict=True)))
        elif event.key() == Qt.Key.Key_Escape and self._chosen != (-1, -1):
            self._take((-1, -1))
        else:
            super().keyPressEvent(event)

    def _take(self, at: tuple[int, int]) -> None:
        self._chosen = at
        self.clicked.emit(*at)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row, column = self._at(event.position().x(), event.position().y())
        if row >= 0:
            words = tr("{right} taken for {said}: {count:,}", right=self._names[row], said=self._names[column], count=int(self._counts[row, column]))
            QToolTip.showText(event.globalPosition().toPoint(), words, self)
        else:
            QToolTip.hideText()
