"""Segments that fold to a list where there is no room for them."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QToolButton, QWidget

from gui import theme
from gui.widgets.segments import Segments

FOLDED = 110  # pixels at least


class FoldingSegments(QWidget):
    """As gui.widgets.segments.Segments, with all of them seen only where the widget is wide enough."""

    chosen = Signal(str)

    def __init__(self, choices: Mapping[str, str], value: str = "", *, tips: Mapping[str, str] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._segments = Segments(choices, value, tips=tips, parent=self)
        self._list = QComboBox(self)
        for name, words in choices.items():
            self._list.addItem(words, name)
        self._list.setCurrentIndex(self._list.findData(self._segments.value))
        self._list.hide()
        self._segments.chosen.connect(self._pressed)
        self._list.activated.connect(self._picked)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    @property
    def value(self) -> str:
        return self._segments.value

    @property
    def is_folded(self) -> bool:
        return self._segments.isHidden()

    def set_value(self, value: str) -> None:
        """Choose without telling anybody."""
        self._segments.set_value(value)
        self._list.setCurrentIndex(self._list.findData(self._segments.value))

    def button(self, value: str) -> QToolButton:
        return self._segments.button(value)

    def sizeHint(self) -> QSize:
        return self._segments.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.scaled(FOLDED), self._segments.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        folded = self.width() < self._segments.sizeHint().width()
        self._segments.setVisible(not folded)
        self._list.setVisible(folded)
        high = self._list.sizeHint().height()
        self._segments.setGeometry(self.rect())
        self._list.setGeometry(0, (self.height() - high) // 2, self.width(), high)

    def _pressed(self, name: str) -> None:
        self._list.setCurrentIndex(self._list.findData(name))
        self.chosen.emit(name)

    def _picked(self, place: int) -> None:
        name = self._list.itemData(place)
        if name != self._segments.value:
            self._segments.set_value(name)
            self.chosen.emit(name)
