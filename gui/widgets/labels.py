"""Labels, buttons and cards with the roles that the style sheet knows."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gui import theme


def label(text: str = "", role: str = "", *, wrap: bool = False) -> QLabel:
    """role: hero title large heading soft small caption error good warning, or empty for plain text."""
    made = QLabel(text=text, wordWrap=wrap, textFormat=Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    return made


def restyle(widget: QWidget, name: str, value: str) -> None:
    """Set a property that the style sheet knows, and have the widget drawn by it: by itself Qt looks only once."""
    widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def tell(where: QLabel, words: str, error: bool = False) -> None:
    """Say something small in a label, as an error or not; with nothing to say it takes no room."""
    restyle(where, "role", "error" if error and words else "small")
    where.setText(words)
    where.setVisible(bool(words))


def button(text: str, on_click: Callable[[], object] | None = None, *, kind: str = "", icon: str = "",
           tip: str = "") -> QPushButton:
    """kind: primary, danger, flat, or empty for a quiet one. on_click: a bound method."""
    made = QPushButton(text=text, toolTip=tip)
    made.setProperty("kind", kind)
    if icon:
        look = theme.current()
        made.setIcon(theme.icon(icon, {"primary": look.on_accent, "danger": look.danger}.get(kind, look.text)))
        made.setIconSize(QSize(18, 18))
    if on_click is not None:
        made.clicked.connect(on_click)
    return made


def icon_button(icon: str, tip: str, on_click: Callable[[], object] | None = None, *, size: int = 18,
                checkable: bool = False) -> QToolButton:
    """A small button that shows only an icon; tip says what it does, also to a screen reader."""
    made = QToolButton(toolTip=tip, checkable=checkable, accessibleName=tip)
    made.setProperty("kind", "small")
    made.setIcon(theme.icon(icon))
    made.setIconSize(QSize(size, size))
    if on_click is not None:
        made.clicked.connect(on_click)
    return made


class Card(QFrame):
    """A bordered surface with a column in it: add to `.column`."""

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(theme.L, theme.M, theme.L, theme.L)
        self.column.setSpacing(theme.S)
        if title:
            self.column.addWidget(label(title, "heading"))


def rule() -> QFrame:
    made = QFrame()
    made.setProperty("role", "line")
    return made


def row(*widgets: QWidget | None, spacing: int = theme.S) -> QWidget:
    """Widgets side by side; None is the space that grows."""
    made = QWidget()
    made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
    layout = QHBoxLayout(made)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for widget in widgets:
        if widget is None:
            layout.addStretch(1)
        else:
            layout.addWidget(widget)
    return made
