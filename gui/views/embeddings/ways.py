"""Axes that lead from word to word, and analogies as arrows."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.forms.kept_field import keep
from gui.widgets.labels import button, label, tell


class WayControls(QWidget):
    """axes(): lay out along the axes. analogy(): search the fourth word."""

    axes = Signal()
    analogy = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._axes = [QLineEdit(placeholderText=words) for words in (tr("from"), tr("towards"), tr("from"), tr("towards"))]
        self._parts = [QLineEdit(placeholderText=words) for words in ("a", "b", "c")]
        for field, name in zip(self._axes, (tr("Across, from"), tr("Across, to"), tr("Up, from"), tr("Up, to")), strict=True):
            field.setAccessibleName(name)
            field.returnPressed.connect(self.axes.emit)
        for field in self._parts:
            field.setAccessibleName(field.placeholderText())
            field.returnPressed.connect(self.analogy.emit)
        self._axes_said, self._analogy_said = label("", "small", wrap=True), label("", "small", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        grid = QGridLayout()
        grid.setSpacing(theme.XS)
        for line, name in enumerate((tr("Across"), tr("Up"))):
            grid.addWidget(label(name, "soft"), line, 0)
            grid.addWidget(self._axes[2 * line], line, 1)
            grid.addWidget(label("→", "soft"), line, 2)
            grid.addWidget(self._axes[2 * line + 1], line, 3)
        column.addLayout(grid)
        self._lay = button(tr("Lay out along these"), self.axes.emit)
        column.addWidget(self._lay)
        column.addWidget(self._axes_said)
        line = QHBoxLayout()
        line.setSpacing(theme.XS)
        for field, sign in zip(self._parts, (":", "=", ": ?"), strict=True):
            line.addWidget(field, 1)
            line.addWidget(label(sign, "soft"))
        column.addLayout(line)
        self._search = button(tr("Find the fourth word"), self.analogy.emit)
        column.addWidget(self._search)
        column.addWidget(self._analogy_said)
        self.say_axes("")
        self.say_analogy("")

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The axes that are filled in."""
        words = [field.text().strip() for field in self._axes]
        return tuple(pair for pair in (tuple(words[:2]), tuple(words[2:])) if all(pair))

    @property
    def parts(self) -> tuple[str, str, str]:
        first, second, third = (field.text().strip() for field in self._parts)
        return first, second, third

    def keep(self, past: dict[str, Any]) -> None:
        """What was entered outlives the widget. past: of the session."""
        for number, field in enumerate((*self._axes, *self._parts)):
            keep(past, f"embeddings/ways/{number}", field)

    def set_words(self, pairs: tuple[tuple[str, str], ...], parts: tuple[str, str, str]) -> None:
        for field, word in zip(self._axes, [word for pair in pairs[:2] for word in pair], strict=False):
            field.setText(word)
        for field, word in zip(self._parts, parts, strict=True):
            field.setText(word)

    def say_axes(self, words: str, error: bool = False) -> None:
        tell(self._axes_said, words, error)

    def say_analogy(self, words: str, error: bool = False) -> None:
        tell(self._analogy_said, words, error)
