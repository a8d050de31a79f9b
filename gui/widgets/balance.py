"""To which of two sides something leans, and how far: a bar from the middle, in the side's colour."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.widgets.plots import with_alpha

BAR = 16
WIDEST = 2.0  # the greatest lean: the difference of two cosines


class Balance(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lean: float | None = None
        self._faint = False
        self._sides = ("", "")
        self._colours = (QColor(), QColor())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_lean(self, lean: float | None, sides: tuple[str, str], colours: tuple[QColor, QColor], *, faint: bool = False) -> None:
        """lean: below 0 to the first side, above to the second, up to 2 in size; None draws nothing. faint: it means nothing."""
        self._lean, self._sides, self._colours, self._faint = lean, sides, colours, faint
        self.updateGeometry()
        self.setAccessibleName("" if lean is None else f"{sides[lean > 0]} {abs(lean):.2f}")
        self.update()

    @property
    def lean(self) -> float | None:
        return self._lean

    def sizeHint(self) -> QSize:
        return QSize(200, QFontMetrics(theme.font("small")).height() + BAR + 2)

    def minimumSizeHint(self) -> QSize:
        wide = QFontMetrics(theme.font("small")).horizontalAdvance
        return QSize(2 * max(map(wide, self._sides)) + wide(" 0.00 "), self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("small"))
        height = QFontMetrics(painter.font()).height()
        box, middle = QRectF(0, height + 1, self.width(), BAR), self.width() / 2
        for side, (words, align) in enumerate(zip(self._sides, (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight), strict=True)):
            on = self._lean is not None and not self._faint and (self._lean > 0) == bool(side) and self._lean != 0
            painter.setPen(QColor(look.text if on else look.text_faint))
            painter.drawText(QRectF(0, 0, self.width(), height), align | Qt.AlignmentFlag.AlignVCenter, words)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.raised))
        painter.drawRoundedRect(box, 4, 4)
        if self._lean is not None:
            end = middle * (1 + max(-1.0, min(1.0, self._lean / WIDEST)))
            painter.setBrush(with_alpha(look.text_faint, 0.35) if self._faint else self._colours[self._lean > 0])
            painter.drawRect(QRectF(min(middle, end), box.top() + 2, abs(end - middle), BAR - 4))
            painter.setPen(QColor(look.text_soft if self._faint else look.text))
            painter.drawText(QRectF(0, 0, self.width(), height), Qt.AlignmentFlag.AlignCenter, f"{abs(self._lean):.2f}")
        painter.setPen(QPen(QColor(look.text_soft), 1.5))
        painter.drawLine(round(middle), round(box.top() - 2), round(middle), round(box.bottom() + 2))
        painter.end()
