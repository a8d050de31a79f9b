"""Words with their probabilities as bars, the likeliest first or in the order given."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from core.shares import percent
from gui import theme
from gui.widgets.plots import with_alpha

SPACE = "␣"
TITLE_SHARE = 0.45  # of the width, at most, for the words
LEAST_BAR = 2.0


class ProbabilityBars(QWidget):
    """set_bars(titles, values): values from 0 to 1. marked: the place of the one that is drawn in full colour; -1: the greatest."""

    def __init__(self, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = QColor(colour)
        self._titles: list[str] = []
        self._values: list[float] = []
        self._marked = -1
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_bars(self, titles: Sequence[str], values: Sequence[float], marked: int = -1) -> None:
        self._titles = [SPACE if title == " " else title for title in titles]
        self._values = [float(value) for value in values]
        greatest = max(range(len(self._values)), key=self._values.__getitem__, default=-1)
        self._marked = marked if marked >= 0 else greatest
        self.setAccessibleName("; ".join(f"{title} {percent(value)}" for title, value in zip(self._titles, self._values, strict=True)))
        self.updateGeometry()
        self.update()

    @property
    def titles(self) -> list[str]:
        return list(self._titles)

    def sizeHint(self) -> QSize:
        return QSize(200, len(self._titles) * self._row())

    def minimumSizeHint(self) -> QSize:
        return QSize(100, self.sizeHint().height())

    def _row(self) -> int:
        return QFontMetrics(theme.font()).height() + 6

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._titles:
            return
        look, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font, small = theme.font(), theme.font("small")
        metrics = QFontMetrics(font)
        figures = QFontMetrics(small).horizontalAdvance(">99.9%") + theme.XS
        wide = min(max(metrics.horizontalAdvance(title) for title in self._titles) + theme.S, round(TITLE_SHARE * self.width()))
        room, height = max(self.width() - wide - figures - theme.S, 10), self._row()
        for number, (title, value) in enumerate(zip(self._titles, self._values, strict=True)):
            line = QRectF(0, number * height, self.width(), height)
            painter.setFont(font)
            painter.setPen(QColor(look.text))
            painter.drawText(line.adjusted(0, 0, wide - self.width(), 0), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                             metrics.elidedText(title, Qt.TextElideMode.ElideRight, wide - theme.XS))
            track = QRectF(wide, line.top() + height / 2 - 5, room, 10)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(look.raised))
            painter.drawRoundedRect(track, 4, 4)
            painter.setBrush(self._colour if number == self._marked else with_alpha(self._colour, 0.55))
            share = min(max(value, 0.0), 1.0)
            if share > 0:
                painter.drawRoundedRect(QRectF(track.left(), track.top(), max(room * share, LEAST_BAR), track.height()), 4, 4)
            painter.setFont(small)
            painter.setPen(QColor(look.text_soft))
            painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, percent(value))
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        number = int(event.position().y() // self._row())
        if 0 <= number < len(self._titles):
            QToolTip.showText(event.globalPosition().toPoint(), f"{self._titles[number]}  {self._values[number]:.4%}", self)
