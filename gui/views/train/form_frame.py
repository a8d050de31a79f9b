"""A form that scrolls, and beside it what it costs and the buttons; where there is no room for both, the buttons stand in a line beneath it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QBoxLayout, QFrame, QScrollArea, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.panes import NO_BOUND

SCROLL_BAR = 12


class FormFrame(QWidget):
    """about: what is told of the settings, at the end of the form where it does not stand beside it. deeds: the name and the buttons.
    words: what is said about them. side_width: in pixels."""

    def __init__(self, form: Sequence[QWidget | QVBoxLayout], *, deeds: Sequence[QWidget], words: Sequence[QWidget], side_width: int,
                 about: QWidget | None = None) -> None:
        super().__init__()
        self._about, self._side_width = about, theme.scaled(side_width)
        self._both = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._both.setContentsMargins(0, 0, 0, 0)
        self._both.setSpacing(theme.M)
        self.scroll = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self._both.addWidget(self.scroll, 1)
        self._page = QWidget()
        self.scroll.setWidget(self._page)  # while it is empty, see TrainView
        self._column = _column(self._page)
        self._column.setContentsMargins(0, 0, theme.M, 0)
        for part in form:
            (self._column.addLayout if isinstance(part, QVBoxLayout) else self._column.addWidget)(part)
        self._column.addStretch(1)
        self._deeds = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._deeds.setSpacing(theme.M)
        for part in deeds:
            self._deeds.addWidget(part, int(part is deeds[0]))
        self._side = QWidget()
        self._side_column = _column(self._side)
        self._side_column.addLayout(self._deeds)
        for part in words:
            self._side_column.addWidget(part)
        self._side_column.addStretch(1)
        self._both.addWidget(self._side)
        self._narrow = True
        self._arrange(False)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._fit()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self._arrange(self.width() < self._page.minimumSizeHint().width() + SCROLL_BAR + theme.M + self._side_width)

    def _arrange(self, narrow: bool) -> None:
        if narrow == self._narrow:
            return
        self._narrow = narrow
        self._both.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)
        self._deeds.setDirection(QBoxLayout.Direction.LeftToRight if narrow else QBoxLayout.Direction.TopToBottom)
        self._side.setMinimumWidth(0 if narrow else self._side_width)
        self._side.setMaximumWidth(NO_BOUND if narrow else self._side_width)
        if self._about is not None:
            column, place = (self._column, self._column.count() - 1) if narrow else (self._side_column, 0)
            column.insertWidget(place, self._about)


def _column(widget: QWidget) -> QVBoxLayout:
    made = QVBoxLayout(widget)
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(theme.M)
    return made
