"""The symbols of the senses as paths in the unit square around the origin; the scatter draws the same ones by name."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath, QPolygonF


def symbol_path(name: str) -> QPainterPath:
    """o circle, s square, t triangle pointing down, t1 up, d diamond, star, p pentagon, h hexagon."""
    path = QPainterPath()
    half = 0.5
    if name == "s":
        path.addRect(QRectF(-half, -half, 1, 1))
    elif name in ("t", "t1"):
        sign = 1 if name == "t" else -1
        path.addPolygon(QPolygonF([QPointF(-half, -half * sign), QPointF(half, -half * sign), QPointF(0, half * sign)]))
        path.closeSubpath()
    elif name == "d":
        path.addPolygon(QPolygonF([QPointF(0, -half), QPointF(0.4, 0), QPointF(0, half), QPointF(-0.4, 0)]))
        path.closeSubpath()
    elif name in ("p", "h"):
        path.addPolygon(_ring({"p": 5, "h": 6}[name], half))
        path.closeSubpath()
    elif name == "star":
        path.addPolygon(_ring(10, half, 0.4))
        path.closeSubpath()
    else:
        path.addEllipse(QRectF(-half, -half, 1, 1))
    return path


def _ring(corners: int, radius: float, inner: float = 1.0) -> QPolygonF:
    """A regular polygon that stands on its tip; every second corner drawn in to `inner` of the radius."""
    lengths = [radius * (inner if number % 2 else 1.0) for number in range(corners)]
    angles = [2 * math.pi * number / corners for number in range(corners)]
    pairs = zip(lengths, angles, strict=True)
    return QPolygonF([QPointF(length * math.sin(angle), -length * math.cos(angle)) for length, angle in pairs])
