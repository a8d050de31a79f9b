"""How often each length occurs: bars, the last of which may stand for all that is longer."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from core.i18n import tr
from gui import theme
from gui.widgets.axes import short

HEIGHT = 130
BARS = 60  # at most; more lengths share a bar
EDGE = 0.995  # of all lie left of the right edge, so that a few long ones do not press the rest together
FOOT = 24


class Histogram(QWidget):
    """set_counts(counts): counts[n] of length n, the last of them of all that is longer too."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars: list[tuple[int, int, int]] = []  # from, to (inclusive), count
        self._open = False
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_counts(self, counts: np.ndarray) -> None:
        self._bars, self._open = bars(np.asarray(counts))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._bars:
            return
        look = theme.current()
        painter = QPainter(self)
        painter.setFont(theme.font("small"))
        wide, most = self.width() / len(self._bars), max(count for _, _, count in self._bars) or 1
        room = self.height() - FOOT
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.accent))
        for index, (_, _, count) in enumerate(self._bars):
            high = max(room * count / most, 1.0 if count else 0.0)
            painter.drawRect(QRectF(index * wide + 0.5, room - high, max(wide - 1, 1), high))
        painter.setPen(QColor(look.border_strong))
        painter.drawLine(0, room, self.width(), room)
        painter.setPen(QColor(look.text_soft))
        last = short(self._bars[-1][0]) + ("+" if self._open else "")
        below = QRectF(0, room + 2, self.width(), FOOT - 2)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, short(self._bars[0][0]))
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, last)
        middle = self._bars[len(self._bars) // 2][0]
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, short(middle))
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._bars:
            index = min(max(int(event.position().x() / self.width() * len(self._bars)), 0), len(self._bars) - 1)
            low, high, count = self._bars[index]
            lengths = f"{low}+" if self._open and index == len(self._bars) - 1 else str(low) if low == high else f"{low}–{high}"
            QToolTip.showText(event.globalPosition().toPoint(), tr("Length {lengths}: {count:,}", lengths=lengths, count=count), self)


def bars(counts: np.ndarray) -> tuple[list[tuple[int, int, int]], bool]:
    """[(from, to, count)], and whether the last one stands for all longer ones too. Empty where there is nothing."""
    total = int(counts.sum())
    if not total:
        return [], False
    first = int(np.flatnonzero(counts)[0])
    end = int(np.searchsorted(np.cumsum(counts), EDGE * total)) + 1  # the last length that is shown by itself
    step = max(1, -(-(end - first) // BARS))
    found = [(low, min(low + step, end) - 1, int(counts[low: min(low + step, end)].sum())) for low in range(first, end, step)]
    rest = int(counts[end:].sum())
    if rest:
        low, high, count = found[-1]
        found[-1] = (low, high, count + rest)
    return found, bool(rest) or end == len(counts)
