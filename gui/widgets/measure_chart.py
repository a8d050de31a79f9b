"""Shares as bars from chance: how many are right, how sure that is, and what the controls reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.widgets.plots import with_alpha

BAR, ROW_GAP, MARK = 12, 3, 6
SMALLEST = 11  # pixels of a title's letters


@dataclass(frozen=True, kw_only=True)
class Bar:
    """title: at the left. value, interval, control, band: shares from 0 to 1. interval: a whisker. control: a diamond.

    band: (low, high), shaded behind. None: not there. A bar without a value says `missing` instead. note: what it is. said: all of it as
    words, for the pointer.
    """

    title: str
    value: float | None
    interval: tuple[float, float] | None = None
    control: float | None = None
    band: tuple[float, float] | None = None
    missing: str = ""
    note: str = ""
    said: str = ""


class MeasureChart(QWidget):
    """The scale goes from 0 to 1 over the whole width; a dashed line stands at chance, and the bars begin there."""

    def __init__(self, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = QColor(colour)
        self._bars: list[Bar] = []
        self._chance, self._chance_text = 0.5, ""
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_bars(self, bars: Sequence[Bar], chance: float, chance_text: str) -> None:
        """chance_text: what stands under the dashed line."""
        self._bars, self._chance, self._chance_text = list(bars), chance, chance_text
        self.setAccessibleName("; ".join(f"{bar.title} {words(bar)}" for bar in bars))
        self.updateGeometry()
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        number = int(event.position().y() // self._row())
        self.setToolTip(self._bars[number].said if 0 <= number < len(self._bars) else "")  # a card of its own would have no room here

    def sizeHint(self) -> QSize:
        small = QFontMetrics(theme.font("small"))
        return QSize(180, len(self._bars) * self._row() + small.height() + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def _row(self) -> int:
        return QFontMetrics(theme.font("body", bold=True)).height() + BAR + ROW_GAP + 2

    def paintEvent(self, _event: QPaintEvent) -> None:
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        small, bold = theme.font("small"), theme.font("body", bold=True)
        text_height = QFontMetrics(bold).height()
        left, wide = float(MARK), float(self.width() - 2 * MARK)
        for number, bar in enumerate(self._bars):
            top = number * self._row()
            line = QRectF(0, top, self.width(), text_height)
            number_text = words(bar)
            painter.setFont(bold)
            painter.setPen(QColor(look.text if bar.value is not None else look.text_faint))
            main, _, rest = number_text.partition("  ")
            advance = QFontMetrics(bold).horizontalAdvance(main)
            rest_advance = QFontMetrics(small).horizontalAdvance("  " + rest) if rest else 0
            room = int(self.width() - advance - rest_advance - theme.XS)
            font = fitting(bar.title, room, theme.scaled(SMALLEST))
            if rest and QFontMetrics(font).horizontalAdvance(bar.title) > room:
                rest, room = "", room + rest_advance  # the whisker says it too
                font, rest_advance = fitting(bar.title, room), 0
            painter.drawText(line.adjusted(0, 0, -rest_advance, 0), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, main)
            painter.setFont(small)
            painter.setPen(QColor(look.text_soft))
            painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, rest)
            painter.setFont(font)
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                             QFontMetrics(font).elidedText(bar.title, Qt.TextElideMode.ElideRight, room))
            self._paint_bar(painter, bar, QRectF(left, top + text_height + 1, wide, BAR))
        bottom = len(self._bars) * self._row()
        at = left + wide * self._chance
        painter.setPen(QPen(QColor(look.text_soft), 1.5, Qt.PenStyle.DashLine))
        for number in range(len(self._bars)):
            top = number * self._row() + text_height
            painter.drawLine(QPointF(at, top - 1), QPointF(at, top + BAR + 3))
        painter.setFont(small)
        painter.setPen(QColor(look.text_faint))
        half = QFontMetrics(small).horizontalAdvance(self._chance_text) / 2 + 2
        middle = min(max(at, half), self.width() - half)
        painter.drawText(QRectF(middle - half, bottom, 2 * half, QFontMetrics(small).height()), Qt.AlignmentFlag.AlignCenter,
                         self._chance_text)
        painter.end()

    def _paint_bar(self, painter: QPainter, bar: Bar, box: QRectF) -> None:
        look = theme.current()

        def at(share: float) -> float:
            return box.left() + box.width() * min(max(share, 0.0), 1.0)

        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.raised))
        painter.drawRoundedRect(box, 4, 4)
        if bar.band is not None:
            painter.setBrush(with_alpha(look.text_faint, 0.38))
            painter.drawRect(QRectF(QPointF(at(bar.band[0]), box.top()), QPointF(at(bar.band[1]), box.bottom())))
        if bar.value is not None:
            painter.setBrush(with_alpha(self._colour, 0.85))
            ends = sorted((at(self._chance), at(bar.value)))
            painter.drawRect(QRectF(QPointF(ends[0], box.top() + 3), QPointF(max(ends[1], ends[0] + 1.5), box.bottom() - 3)))
        middle = box.center().y()
        if bar.interval is not None:
            painter.setPen(QPen(QColor(look.text), 2))
            low, high = at(bar.interval[0]), at(bar.interval[1])
            painter.drawLine(QPointF(low, middle), QPointF(high, middle))
            for end in (low, high):
                painter.drawLine(QPointF(end, middle - 4), QPointF(end, middle + 4))
        if bar.control is not None:
            paint_diamond(painter, QPointF(at(bar.control), middle))


def fitting(title: str, room: int, least: int = SMALLEST) -> QFont:
    """Smaller letters rather than a cut title, as long as they can be read. least: pixels of their size."""
    font = theme.font("small")
    while font.pixelSize() > least and QFontMetrics(font).horizontalAdvance(title) > room:
        font.setPixelSize(font.pixelSize() - 1)
    return font


def paint_diamond(painter: QPainter, at: QPointF) -> None:
    """The mark of a control."""
    look = theme.current()
    painter.setPen(QPen(QColor(look.surface), 1.5))
    painter.setBrush(QColor(look.text))
    corners = ((0, -1), (0.8, 0), (0, 1), (-0.8, 0))
    painter.drawPolygon(QPolygonF([QPointF(at.x() + MARK * x, at.y() + MARK * y) for x, y in corners]))


def words(bar: Bar) -> str:
    """ "93%  86-98": the value and its interval."""
    if bar.value is None:
        return bar.missing
    return f"{bar.value:.0%}" + (f"  {100 * bar.interval[0]:.0f}–{100 * bar.interval[1]:.0f}" if bar.interval else "")
