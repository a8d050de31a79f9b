"""A choice between a few things, all of which can be seen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from gui import theme

PADDING = 12  # of the style sheet, to each side


class Segments(QFrame):
    """choices: value -> words. chosen(value): the person has chosen another one."""

    chosen = Signal(str)

    def __init__(self, choices: Mapping[str, str], value: str = "", *, tips: Mapping[str, str] | None = None,
                 parent: QWidget | None = None) -> None:
        super().__init__(parent, objectName="segments")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        self._buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3, 3, 3, 3)
        layout.setSpacing(2)
        for name, words in choices.items():
            made = QToolButton(text=words, checkable=True, toolTip=(tips or {}).get(name, ""), cursor=Qt.CursorShape.PointingHandCursor)
            made.setProperty("role", "segment")
            made.clicked.connect(partial(self._choose, name))
            self._group.addButton(made)
            self._buttons[name] = made
            layout.addWidget(made)
            self._widen(made)
        self._value = ""
        self.set_value(value or next(iter(choices), ""))

    @property
    def value(self) -> str:
        return self._value

    def set_value(self, value: str) -> None:
        """Choose without telling anybody."""
        if value in self._buttons:
            self._value = value
            self._buttons[value].setChecked(True)

    def set_words(self, value: str, words: str) -> None:
        self._buttons[value].setText(words)
        self._widen(self._buttons[value])

    def button(self, value: str) -> QToolButton:
        return self._buttons[value]

    def _widen(self, made: QToolButton) -> None:
        """Room for the bold letters of the chosen one, so that nothing moves when another is chosen."""
        bold = QFontMetrics(theme.font(bold=True))
        made.setMinimumWidth(bold.horizontalAdvance(made.text()) + 2 * PADDING + 4)

    def _choose(self, value: str, _checked: bool = False) -> None:
        if value != self._value:
            self._value = value
            self.chosen.emit(value)
