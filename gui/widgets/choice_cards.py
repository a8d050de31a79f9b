"""Cards to choose one from: a title and a sentence each, side by side where there is room, all as high as the highest."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.clicks import is_click
from gui.widgets.labels import label, restyle

BORDERS = 6  # of the style sheet, which layouts do not count


class ChoiceCards(QWidget):
    """wide: from so many pixels on they stand in one row, else `columns` in a row, or one where even those have no room.
    chosen(name): the person chose another one."""

    chosen = Signal(str)

    def __init__(self, cards: Iterable[ChoiceCard], value: str, *, columns: int, wide: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._cards = {card.name: card for card in cards}
        self._few, self._wide = columns, wide
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.S)
        self._columns = 0
        for card in self._cards.values():
            card.pressed.connect(self._choose)
        self._value = ""
        self.set_value(value)
        self._place(columns)

    @property
    def value(self) -> str:
        return self._value

    def set_value(self, name: str) -> None:
        """Choose without telling anybody."""
        self._value = name
        for other, card in self._cards.items():
            card.set_chosen(other == name)

    def card(self, name: str) -> ChoiceCard:
        return self._cards[name]

    def minimumSizeHint(self) -> QSize:
        """Of one column: the others find another row."""
        return QSize(max(card.minimumSizeHint().width() for card in self._cards.values()), super().minimumSizeHint().height())

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        few = self._few if self.width() >= self._few * (self.minimumSizeHint().width() + theme.S) else 1
        self._place(len(self._cards) if self.width() >= theme.scaled(self._wide) else few)
        width = (self.width() - (self._columns - 1) * theme.S) // self._columns
        height = max(card.heightForWidth(width) for card in self._cards.values())
        for card in self._cards.values():
            card.setFixedHeight(height + BORDERS)

    def _place(self, columns: int) -> None:
        if columns == self._columns:
            return
        for column in range(self._columns):
            self._grid.setColumnStretch(column, 0)
        self._columns = columns
        for index, card in enumerate(self._cards.values()):
            self._grid.addWidget(card, index // columns, index % columns)
            self._grid.setColumnStretch(index % columns, 1)

    def _choose(self, name: str) -> None:
        if name != self._value:
            self.set_value(name)
            self.chosen.emit(name)


class ChoiceCard(QFrame):
    """role: of the title. More can be added to `column`."""

    pressed = Signal(str)

    def __init__(self, name: str, title: str, about: str, role: str = "large") -> None:
        super().__init__()
        self.name = name
        self.setProperty("role", "choice")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(title)
        self.setAccessibleDescription(about)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(theme.M, theme.S, theme.S, theme.S)
        self.column.setSpacing(theme.XS)
        self.column.addWidget(label(title, role, wrap=True))
        self.column.addWidget(label(about, "small", wrap=True), 1, Qt.AlignmentFlag.AlignTop)

    def set_chosen(self, chosen: bool) -> None:
        restyle(self, "chosen", "true" if chosen else "false")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if is_click(self, event):
            self.pressed.emit(self.name)

    def keyPressEvent(self, event: object) -> None:
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.pressed.emit(self.name)
        else:
            super().keyPressEvent(event)
