"""How long answers take, as bars: the median, and a whisker to what 95 of 100 stay below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.i18n import tr
from gui import theme

BAR, GAP = 16, 8


@dataclass(frozen=True, kw_only=True)
class Taken:
    """p50, p95: milliseconds. colour: of the bar."""

    title: str
    p50: float
    p95: float
    colour: str


class LatencyBars(QWidget):
    """All bars share a scale that begins at 0 and ends at the slowest median, or a little beyond; a whisker may be cut off there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Taken] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def rows(self) -> list[Taken]:
        return self._rows

    def set_rows(self, rows: Sequence[Taken]) -> None:
        self._rows = list(rows)
        self.setAccessibleName("; ".join(f"{row.title}: {words(row)}" for row in rows))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, len(self._rows) * self._row() + GAP)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    def _row(self) -> int:
        return max(BAR, QFontMetrics(theme.font("body")).height()) + GAP

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._rows:
            return
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("body"))
        measure = QFontMetrics(theme.font("body"))
        left = max(measure.horizontalAdvance(row.title) for row in self._rows) + theme.M
        right = max(measure.horizontalAdvance(words(row)) for row in self._rows) + theme.S
        wide = max(40.0, self.width() - left - right)
        longest = 1.15 * max(row.p50 for row in self._rows) or 1.0
        for number, row in enumerate(self._rows):
            top, height = number * self._row(), self._row() - GAP
            painter.setPen(QColor(look.text))
            painter.drawText(QRectF(0, top, left, height), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, row.title)
            middle = top + height / 2
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(row.colour))
            painter.drawRoundedRect(QRectF(left, middle - BAR / 2, max(2.0, wide * row.p50 / longest), BAR), 3, 3)
            painter.setPen(QPen(QColor(look.text), 1.5))
            ends = left + wide * row.p50 / longest, left + wide * min(1.0, row.p95 / longest)
            painter.drawLine(QLineF(ends[0], middle, ends[1], middle))
            if row.p95 <= longest:
                painter.drawLine(QLineF(ends[1], middle - 4, ends[1], middle + 4))
            painter.setPen(QColor(look.text_soft))
            painter.drawText(QRectF(self.width() - right + theme.S, top, right, height), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                             words(row))
        painter.end()


def words(row: Taken) -> str:
    return tr("median {p50:.2f} ms · p95 {p95:.2f} ms", p50=row.p50, p95=row.p95)
