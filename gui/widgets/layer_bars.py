"""A bar a layer, the highest layer on top as in a drawing of the network: its weight, and beneath it how well it does something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.widgets.plots import with_alpha

BAR, THIN, GAP = 14, 6, 10
HUES = (35, 222)  # of the lowest and the highest layer: orange, green, blue


@dataclass(frozen=True, kw_only=True)
class LayerBar:
    """weight: 0 to 1. share: what stands beneath, 0 to 1, None: nothing; note: its words."""

    title: str
    weight: float
    share: float | None = None
    interval: tuple[float, float] | None = None
    note: str = ""


class LayerBars(QWidget):
    """set_bars(bars, even): the lowest layer first; even: the weight that every layer would have in an even mix, a dashed line.

    chance: where the thin bars beneath begin.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars: list[LayerBar] = []
        self._even, self._chance = 0.0, 0.5
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_bars(self, bars: Sequence[LayerBar], even: float, chance: float = 0.5) -> None:
        changed = [bool(bar.note) for bar in bars] != [bool(bar.note) for bar in self._bars]
        self._bars, self._even, self._chance = list(bars), even, chance
        self.setAccessibleName("; ".join(f"{bar.title} {bar.weight:.2f} {bar.note}".strip() for bar in bars))
        if changed:
            self.updateGeometry()
        self.update()

    @property
    def bars(self) -> list[LayerBar]:
        return list(self._bars)

    def sizeHint(self) -> QSize:
        return QSize(220, len(self._bars) * self._row())

    def minimumSizeHint(self) -> QSize:
        return QSize(110, self.sizeHint().height())

    def _row(self) -> int:
        text, small = QFontMetrics(theme.font()).height(), QFontMetrics(theme.font("small")).height()
        return text + BAR + GAP + (small + THIN + 2 if any(bar.note for bar in self._bars) else 0)

    def paintEvent(self, _event: QPaintEvent) -> None:
        look, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = layer_colours(len(self._bars))
        text_height = QFontMetrics(theme.font()).height()
        for number, (bar, colour) in enumerate(zip(reversed(self._bars), reversed(colours), strict=True)):
            top = number * self._row()
            line = QRectF(0, top, self.width(), text_height)
            painter.setFont(theme.font(bold=True))
            painter.setPen(QColor(look.text))
            figure = f"{bar.weight:.3f}"
            painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, figure)
            room = self.width() - QFontMetrics(theme.font(bold=True)).horizontalAdvance(figure) - theme.S
            painter.setFont(theme.font())
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                             QFontMetrics(theme.font()).elidedText(bar.title, Qt.TextElideMode.ElideRight, room))
            box = QRectF(0, top + text_height, self.width(), BAR)
            self._track(painter, box)
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(QRectF(box.left(), box.top(), max(box.width() * min(max(bar.weight, 0.0), 1.0), 2.0), BAR), 4, 4)
            painter.setPen(QPen(QColor(look.text), 1.5, Qt.PenStyle.DashLine))
            at = box.width() * self._even
            painter.drawLine(QPointF(at, box.top() - 1), QPointF(at, box.bottom() + 1))
            if bar.note:
                self._paint_share(painter, bar, box.bottom() + 2)
        painter.end()

    def _paint_share(self, painter: QPainter, bar: LayerBar, top: float) -> None:
        look = theme.current()
        small = QFontMetrics(theme.font("small"))
        painter.setFont(theme.font("small"))
        painter.setPen(QColor(look.text_soft))
        painter.drawText(QRectF(0, top, self.width(), small.height()), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                         small.elidedText(bar.note, Qt.TextElideMode.ElideRight, self.width()))
        box = QRectF(0, top + small.height(), self.width(), THIN)
        self._track(painter, box)
        if bar.share is None:
            return
        ends = sorted((self._chance, min(max(bar.share, 0.0), 1.0)))
        painter.setBrush(with_alpha(look.text_soft, 0.8))
        painter.drawRect(QRectF(box.width() * ends[0], box.top() + 1, max(box.width() * (ends[1] - ends[0]), 1.5), THIN - 2))
        if bar.interval is not None:
            painter.setPen(QPen(QColor(look.text), 1.5))
            low, high = (box.width() * end for end in bar.interval)
            painter.drawLine(QPointF(low, box.center().y()), QPointF(high, box.center().y()))

    def _track(self, painter: QPainter, box: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.current().raised))
        painter.drawRoundedRect(box, 3, 3)


def layer_colours(count: int) -> list[str]:
    """#rrggbb for each layer, the lowest first: the same place in the network has the same hue whatever the depth."""
    dark = theme.current().dark
    made = []
    for number in range(count):
        place = number / max(count - 1, 1)
        hue = round(HUES[0] + place * (HUES[1] - HUES[0]))
        made.append(QColor.fromHsl(hue, 150 if dark else 165, 160 if dark else 105).name())
    return made
