"""A few lines over the same axis, with bands behind them and a cursor: drawn by hand, so that every word stays a word in an SVG."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.widgets.plots import HoverCard, with_alpha

DOT = 3.5  # radius of the last line's points
RING = 4.0  # the first line's are larger by this, so that points in one place are all seen
LONE = 30.0  # pixels to each side of a band that has one point only
TICKS = 5


@dataclass(frozen=True, kw_only=True)
class Line:
    """y: None makes a gap. interval: (low, high) of each point, a whisker. dotted: whether its points are marked. said: its name on the card
    of the pointer, where the legend has none."""

    name: str
    colour: str
    x: Sequence[float]
    y: Sequence[float | None]
    interval: Sequence[tuple[float, float] | None] = ()
    dashed: bool = False
    dotted: bool = True
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Band:
    """Shaded between low and high; name: stands in the legend."""

    name: str
    x: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    hatched: bool = False


class LineChart(QWidget):
    """moved(x): the cursor was dragged or the chart was clicked there; only where `set_cursor` was called."""

    moved = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: list[Line] = []
        self._bands: list[Band] = []
        self._names: dict[float, str] = {}
        self._x_title = self._y_title = ""
        self._range = (0.0, 1.0)
        self._level: tuple[float, str] | None = None
        self._cursor: float | None = None
        self._percent = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 110)
        self.setMouseTracking(True)
        self._card = HoverCard(self)

    def set_lines(self, lines: Sequence[Line], *, bands: Sequence[Band] = (), x_title: str = "", y_title: str = "",
                  names: dict[float, str] | None = None, y_range: tuple[float, float] | None = None, level: tuple[float, str] | None = None,
                  percent: bool = False) -> None:
        """names: what stands under these x; else numbers. y_range: None to hold all that is drawn. level: a dashed line and its name."""
        self._lines, self._bands, self._names = list(lines), list(bands), dict(names or {})
        self._x_title, self._y_title, self._level, self._percent = x_title, y_title, level, percent
        self._range = y_range or self._needed()
        said = "; ".join(f"{line.name} " + " ".join(self._number(value) for value in line.y) for line in lines)
        self.setAccessibleName(f"{y_title}: {said}"[:2000])
        self._card.hide()
        self.update()

    def set_cursor(self, x: float | None) -> None:
        self._cursor = x
        self.update()

    @property
    def cursor_at(self) -> float | None:
        return self._cursor

    def sizeHint(self) -> QSize:
        return QSize(420, 220)

    # where things are

    def _needed(self) -> tuple[float, float]:
        values = [value for line in self._lines for value in line.y if value is not None]
        values += [value for band in self._bands for value in (*band.low, *band.high)]
        values += [value for line in self._lines for pair in line.interval if pair for value in pair]
        if self._level is not None:
            values.append(self._level[0])
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        room = max((high - low) * 0.08, 0.02)
        return low - room, high + room

    def _span(self) -> tuple[float, float]:
        xs = [float(x) for line in (*self._lines, *self._bands) for x in line.x]
        low, high = (min(xs), max(xs)) if xs else (0.0, 1.0)
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    def _field(self) -> QRectF:
        small = QFontMetrics(theme.font("small"))
        left = max(small.horizontalAdvance(self._tick(value)) for value in self._ticks()) + theme.M
        bottom = small.height() * (2 if self._x_title else 1) + theme.S
        top = self._legend_height() + small.height() * bool(self._y_title) + theme.S
        return QRectF(left, top, max(self.width() - left - theme.L, 10), max(self.height() - top - bottom, 10))

    def _at(self, x: float, y: float, field: QRectF) -> QPointF:
        (left, right), (low, high) = self._span(), self._range
        inset = field.adjusted(DOT + 4, 0, -DOT - 4, 0)
        return QPointF(inset.left() + (x - left) / (right - left) * inset.width(),
                       field.bottom() - (y - low) / max(high - low, 1e-9) * field.height())

    def _ticks(self) -> list[float]:
        low, high = self._range
        rough = max(high - low, 1e-9) / TICKS
        size = 10 ** math.floor(math.log10(rough))
        step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
        return [value * step for value in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)] or [low]

    def _tick(self, value: float) -> str:
        return f"{value:.0%}" if self._percent else f"{value:.3g}" if abs(value) > 1e-9 else "0"

    def _number(self, value: float | None) -> str:
        return "–" if value is None else f"{value:.0%}" if self._percent else f"{value:.2f}"

    # drawing

    def paintEvent(self, _event: QPaintEvent) -> None:
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("small"))
        self._paint_legend(painter)
        field = self._field()
        painter.setPen(QColor(look.text_soft))
        if self._y_title:
            painter.drawText(QPointF(2, field.top() - theme.S), self._y_title)
        self._paint_axes(painter, field)
        painter.setClipRect(field.adjusted(-2, -DOT - 4, 2, DOT + 4))
        for band in self._bands:
            edge = [self._at(x, y, field) for x, y in zip(band.x, band.low, strict=True)]
            edge += [self._at(x, y, field) for x, y in reversed(list(zip(band.x, band.high, strict=True)))]
            if len(band.x) == 1:
                low, high = edge
                edge = [low + QPointF(-LONE, 0), low + QPointF(LONE, 0), high + QPointF(LONE, 0), high + QPointF(-LONE, 0)]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_brush(band))
            painter.drawPolygon(QPolygonF(edge))
        if self._level is not None:
            painter.setPen(QPen(QColor(look.text_soft), 1.5, Qt.PenStyle.DashLine))
            at = self._at(self._span()[0], self._level[0], field).y()
            painter.drawLine(QPointF(field.left(), at), QPointF(field.right(), at))
        for place, line in enumerate(self._lines):
            self._paint_line(painter, line, field, DOT + RING * (len(self._lines) - 1 - place) / max(len(self._lines) - 1, 1))
        if self._level is not None:
            self._paint_level_name(painter, field)
        if self._cursor is not None:
            at = self._at(self._cursor, self._range[0], field).x()
            painter.setPen(QPen(QColor(look.text), 2))
            painter.drawLine(QPointF(at, field.top() - 4), QPointF(at, field.bottom()))
        painter.end()

    def _level_box(self, field: QRectF) -> QRectF:
        """Where the name of the level stands: above its line, at the right."""
        value, name = self._level
        small = QFontMetrics(theme.font("small"))
        wide, high = small.horizontalAdvance(name) + 4, small.height()
        return QRectF(field.right() - wide - 2, max(self._at(self._span()[0], value, field).y() - high - 1, field.top()), wide, high)

    def _paint_level_name(self, painter: QPainter, field: QRectF) -> None:
        """On a ground of its own, or the lines would run through it."""
        box = self._level_box(field)
        painter.fillRect(box, with_alpha(theme.current().surface, 0.85))
        painter.setPen(QColor(theme.current().text_soft))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._level[1])

    def _paint_axes(self, painter: QPainter, field: QRectF) -> None:
        look = theme.current()
        for value in self._ticks():
            at = self._at(self._span()[0], value, field).y()
            painter.setPen(QPen(with_alpha(look.text_faint, 0.25), 1))
            painter.drawLine(QPointF(field.left(), at), QPointF(field.right(), at))
            painter.setPen(QColor(look.text_soft))
            painter.drawText(QRectF(0, at - 10, field.left() - theme.XS, 20), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                             self._tick(value))
        names = self._names or self._numbers()
        height = QFontMetrics(painter.font()).height()
        for x, name in names.items():
            at = self._at(x, self._range[0], field).x()
            wide = QFontMetrics(painter.font()).horizontalAdvance(name) + 4
            left = min(max(at - wide / 2, 0), self.width() - wide)
            painter.drawText(QRectF(left, field.bottom() + 4, wide, height), Qt.AlignmentFlag.AlignCenter, name)
        if self._x_title:
            painter.drawText(QRectF(field.left(), field.bottom() + 4 + height, field.width(), height), Qt.AlignmentFlag.AlignCenter, self._x_title)

    def _numbers(self) -> dict[float, str]:
        left, right = self._span()
        rough = (right - left) / 6
        size = 10 ** math.floor(math.log10(max(rough, 1e-9)))
        step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
        return {value * step: f"{value * step:,.6g}" for value in range(math.ceil(left / step), math.floor(right / step) + 1)}

    def _paint_line(self, painter: QPainter, line: Line, field: QRectF, dot: float) -> None:
        pen = QPen(QColor(line.colour), 2.5, Qt.PenStyle.DashLine if line.dashed else Qt.PenStyle.SolidLine)
        before: QPointF | None = None
        for place, (x, y) in enumerate(zip(line.x, line.y, strict=True)):
            if y is None or not math.isfinite(y):
                before = None
                continue
            here = self._at(x, y, field)
            painter.setPen(pen)
            if before is not None:
                painter.drawLine(before, here)
            span = line.interval[place] if place < len(line.interval) else None
            if span is not None:
                painter.setPen(QPen(with_alpha(line.colour, 0.55), 1.5))
                painter.drawLine(self._at(x, span[0], field), self._at(x, span[1], field))
            if line.dotted or len(line.x) == 1:
                painter.setPen(QPen(QColor(theme.current().surface), 1))
                painter.setBrush(QColor(line.colour))
                painter.drawEllipse(here, dot, dot)
            before = here

    def _legend_rows(self) -> list[list[tuple[Line | Band, int]]]:
        small = QFontMetrics(theme.font("small"))
        rows: list[list[tuple[Line | Band, int]]] = [[]]
        used = 0
        for item in (*self._lines, *self._bands):
            if not item.name:
                continue
            wide = min(34 + small.horizontalAdvance(item.name) + theme.M, self.width() - theme.L)
            if used and used + wide > self.width() - theme.L:
                rows.append([])
                used = 0
            rows[-1].append((item, wide))
            used += wide
        return rows if rows[0] else []

    def _legend_height(self) -> int:
        return len(self._legend_rows()) * (QFontMetrics(theme.font("small")).height() + 3)

    def _paint_legend(self, painter: QPainter) -> None:
        height = QFontMetrics(painter.font()).height()
        for number, items in enumerate(self._legend_rows()):
            left, middle = 4.0, number * (height + 3) + height / 2
            for item, wide in items:
                if isinstance(item, Band):
                    painter.fillRect(QRectF(left, middle - 5, 26, 10), _brush(item))
                else:
                    painter.setPen(QPen(QColor(item.colour), 2.5, Qt.PenStyle.DashLine if item.dashed else Qt.PenStyle.SolidLine))
                    painter.drawLine(QPointF(left, middle), QPointF(left + 26, middle))
                painter.setPen(QColor(theme.current().text))
                name = QFontMetrics(painter.font()).elidedText(item.name, Qt.TextElideMode.ElideRight, wide - 31)
                painter.drawText(QRectF(left + 31, middle - height / 2, wide, height), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                                 name)
                left += wide

    # the pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._drag(event)
        self._tell(event.position())

    def leaveEvent(self, event: object) -> None:
        self._card.hide()

    def _drag(self, event: QMouseEvent) -> None:
        if self._cursor is None:
            return
        field, (left, right) = self._field().adjusted(DOT + 4, 0, -DOT - 4, 0), self._span()
        share = min(max((event.position().x() - field.left()) / field.width(), 0.0), 1.0)
        self.moved.emit(left + share * (right - left))

    def _tell(self, place: QPointF) -> None:
        """The values at the nearest x."""
        field = self._field()
        xs = sorted({float(x) for line in self._lines for x in line.x})
        if not xs or not field.adjusted(-8, -8, 8, 8).contains(place):
            self._card.hide()
            return
        nearest = min(xs, key=lambda x: abs(self._at(x, 0, field).x() - place.x()))
        where = html.escape(f"{self._x_title} " + self._names.get(nearest, f"{nearest:,.6g}"))
        lines = [f'<span style="color:{theme.current().text_soft}">{where}</span>']
        for line in self._lines:
            known = [place for place, (x, value) in enumerate(zip(line.x, line.y, strict=True)) if value is not None
                     and (x == nearest or (x < nearest and not self._names))]  # a value holds until the next step, but not for another layer
            if known:
                span = line.interval[known[-1]] if known[-1] < len(line.interval) else None
                words = self._number(line.y[known[-1]]) + ("" if span is None else f"</b> {self._number(span[0])}–{self._number(span[1])}<b>")
                name = html.escape(line.name or line.said)
                lines.append(f'<span style="color:{line.colour}">{"○" if line.dashed else "●"}</span> {name}&nbsp;&nbsp;<b>{words}</b>')
        for band in self._bands:
            for x, low, high in zip(band.x, band.low, band.high, strict=True):
                if x == nearest:
                    lines.append(f"{html.escape(band.name)}&nbsp;&nbsp;{self._number(low)}–{self._number(high)}")
        if self._level is not None:
            lines.append(f'<span style="color:{theme.current().text_soft}">{html.escape(self._level[1])}</span>')
        self._card.show_at(place.x(), place.y(), "<br>".join(lines))


def _brush(band: Band) -> QBrush:
    look = theme.current()
    if band.hatched:
        return QBrush(with_alpha(look.text, 0.4), Qt.BrushStyle.BDiagPattern)
    return QBrush(with_alpha(look.text_faint, 0.28))
