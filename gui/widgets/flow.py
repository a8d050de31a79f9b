"""Widgets one after another like the words of a text: in as many lines as they need."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget


class Flow(QWidget):
    """One that is wider than a whole line is narrowed to it."""

    def __init__(self, across: int, down: int, parent: QWidget | None = None) -> None:
        """across, down: pixels between two widgets and between two lines."""
        super().__init__(parent)
        self._across, self._down = across, down
        self._parts: list[QWidget] = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_parts(self, parts: Sequence[QWidget]) -> None:
        """In place of those that were there, which go."""
        for part in self._parts:
            part.hide()
            part.deleteLater()
        self._parts = list(parts)
        for part in self._parts:
            part.setParent(self)
            part.show()
            for one in (part, *part.findChildren(QWidget)):
                one.ensurePolished()  # else its text is measured in another size
        self.updateGeometry()
        self._place()

    def sizeHint(self) -> QSize:
        """All in one line."""
        hints = [part.sizeHint() for part in self._parts]
        return QSize(sum(hint.width() for hint in hints) + self._across * max(len(hints) - 1, 0), max((hint.height() for hint in hints), default=0))

    def minimumSizeHint(self) -> QSize:
        hints = [part.minimumSizeHint() for part in self._parts]
        return QSize(max((hint.width() for hint in hints), default=0), self.sizeHint().height())

    def heightForWidth(self, width: int) -> int:
        return max((box.bottom() + 1 for box in self._boxes(width)), default=0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        for part, box in zip(self._parts, self._boxes(self.width()), strict=True):
            part.setGeometry(box)

    def _boxes(self, width: int) -> list[QRect]:
        """Where each widget stands in a flow of that width."""
        high = self.sizeHint().height()
        boxes, x, y = [], 0, 0
        for part in self._parts:
            wide = min(part.sizeHint().width(), max(width, 1))
            if x and x + wide > width:
                x, y = 0, y + high + self._down
            boxes.append(QRect(x, y, wide, high))
            x += wide + self._across
        return boxes
