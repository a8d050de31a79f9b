"""The tasks to choose from: what each is called and what it is, in a sentence."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from core.i18n import tr
from core.registry import TASKS, task
from gui import theme
from gui.widgets.labels import label

BORDERS = 6  # of the style sheet, which layouts do not count
WIDE = 760  # from this width on they stand in one row
NARROW_COLUMNS = 3


class TaskCards(QWidget):
    """chosen(name): the person has chosen another task."""

    chosen = Signal(str)

    def __init__(self, value: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._cards = {name: _TaskCard(name) for name in TASKS}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.S)
        self._columns = 0
        for made in self._cards.values():
            made.pressed.connect(self._choose)
        self._value = ""
        self.set_value(value)
        self._place(NARROW_COLUMNS)

    @property
    def value(self) -> str:
        return self._value

    def set_value(self, name: str) -> None:
        """Choose without telling anybody."""
        self._value = name
        for other, made in self._cards.items():
            made.set_chosen(other == name)

    def card(self, name: str) -> QFrame:
        return self._cards[name]

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        self._place(len(self._cards) if self.width() >= WIDE else NARROW_COLUMNS)
        width = (self.width() - (self._columns - 1) * theme.S) // self._columns
        height = max(made.heightForWidth(width) for made in self._cards.values())
        for made in self._cards.values():
            made.setFixedHeight(height + BORDERS)

    def _place(self, columns: int) -> None:
        if columns == self._columns:
            return
        for column in range(self._columns):
            self._grid.setColumnStretch(column, 0)
        self._columns = columns
        for index, made in enumerate(self._cards.values()):
            self._grid.addWidget(made, index // columns, index % columns)
            self._grid.setColumnStretch(index % columns, 1)

    def _choose(self, name: str) -> None:
        if name != self._value:
            self.set_value(name)
            self.chosen.emit(name)


class _TaskCard(QFrame):
    pressed = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        made = task(name)
        self._name = name
        self.setProperty("role", "choice")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(tr(made.title))
        self.setAccessibleDescription(tr(made.about))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.M, theme.S, theme.S, theme.S)
        layout.setSpacing(theme.XS)
        layout.addWidget(label(tr(made.title), "heading", wrap=True))
        layout.addWidget(label(tr(made.about), "small", wrap=True), 1, Qt.AlignmentFlag.AlignTop)

    def set_chosen(self, chosen: bool) -> None:
        self.setProperty("chosen", "true" if chosen else "false")
        self.style().unpolish(self)
        self.style().polish(self)

    def mouseReleaseEvent(self, event: object) -> None:
        super().mouseReleaseEvent(event)
        self.pressed.emit(self._name)

    def keyPressEvent(self, event: object) -> None:
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.pressed.emit(self._name)
        else:
            super().keyPressEvent(event)
