"""What the colours of a map mean, drawn into its corner, so that a saved picture keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter

from gui import theme
from gui.widgets.symbols import symbol_path

EDGE, MARK, BAR = 8, 11, 120  # pixels: distance from the edge, of a symbol, of the bar of colours
WIDEST = 200  # of a name


@dataclass(frozen=True, kw_only=True)
class Legend:
    """title, and either names with their colours (m, 3) and symbols, or a ramp (m, 3) from the words `low` to `high`."""

    title: str
    names: Sequence[str] = ()
    rgb: np.ndarray | None = None
    symbols: Sequence[str] = ()
    low: str = ""
    high: str = ""


def draw_legend(painter: QPainter, legend: Legend, width: int) -> QRectF:
    """In the upper right corner; where it stands, for the labels to stay away."""
    look = theme.current()
    small = theme.font("small")
    metrics = QFontMetricsF(small)
    line = max(metrics.height(), MARK + 4)
    names = [metrics.elidedText(name, Qt.TextElideMode.ElideRight, WIDEST) for name in legend.names]
    inner = max([metrics.horizontalAdvance(legend.title), *(metrics.horizontalAdvance(name) + MARK + 8 for name in names),
                 *([BAR, metrics.horizontalAdvance(legend.low) + metrics.horizontalAdvance(legend.high) + 16] if not names else [])])
    rows = 1 + (len(names) if names else 2)
    box = QRectF(width - inner - 3 * EDGE, EDGE, inner + 2 * EDGE, rows * line + EDGE)
    surface = QColor(look.surface)
    surface.setAlphaF(0.88)
    painter.setPen(QColor(look.border))
    painter.setBrush(surface)
    painter.drawRoundedRect(box, 5, 5)
    painter.setFont(small)
    painter.setPen(QColor(look.text_soft))
    left, top = box.left() + EDGE, box.top() + EDGE / 2
    painter.drawText(QPointF(left, top + metrics.ascent()), legend.title)
    for number, name in enumerate(names):
        top += line
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(*(int(part) for part in legend.rgb[number])))
        painter.save()
        painter.translate(left + MARK / 2, top + line / 2)
        painter.scale(MARK, MARK)
        painter.drawPath(symbol_path(legend.symbols[number % len(legend.symbols)] if legend.symbols else "o"))
        painter.restore()
        painter.setPen(QColor(look.text))
        painter.drawText(QPointF(left + MARK + 8, top + (line - metrics.height()) / 2 + metrics.ascent()), name)
    if not names and legend.rgb is not None:
        top += line
        ramp = QLinearGradient(left, 0, left + inner, 0)
        for number in range(0, len(legend.rgb), max(len(legend.rgb) // 16, 1)):
            ramp.setColorAt(number / max(len(legend.rgb) - 1, 1), QColor(*(int(part) for part in legend.rgb[number])))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ramp)
        painter.drawRect(QRectF(left, top + 3, inner, line - 7))
        top += line
        painter.setPen(QColor(look.text))
        painter.drawText(QPointF(left, top + metrics.ascent() - 2), legend.low)
        painter.drawText(QPointF(left + inner - metrics.horizontalAdvance(legend.high), top + metrics.ascent() - 2), legend.high)
    return box


def draw_note(painter: QPainter, text: str) -> QRectF:
    """In the upper left corner."""
    small = theme.font("small")
    metrics = QFontMetricsF(small)
    box = QRectF(EDGE, EDGE, metrics.horizontalAdvance(text) + 2 * EDGE, metrics.height() + 4)
    surface = QColor(theme.current().surface)
    surface.setAlphaF(0.88)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(surface)
    painter.drawRoundedRect(box, 4, 4)
    painter.setFont(small)
    painter.setPen(QColor(theme.current().text_soft))
    painter.drawText(QPointF(2 * EDGE, EDGE + 2 + metrics.ascent()), text)
    return box
