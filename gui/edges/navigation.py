"""The views' names at the left."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeySequence, QShortcut
from PySide6.QtWidgets import QButtonGroup, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.views import VIEWS, titles

BESIDE = 34  # pixels of the style sheet to both sides of icon and words
WIDTH = 168  # at the normal size of text


class Navigation(QWidget):
    """chosen(name): the person wants to see that view."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, objectName="navigation")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, theme.M, 0, theme.M)
        layout.setSpacing(2)
        names = titles()
        for number, name in enumerate(VIEWS, start=1):
            made = QToolButton(checkable=True, toolButtonStyle=Qt.ToolButtonStyle.ToolButtonTextBesideIcon,
                               focusPolicy=Qt.FocusPolicy.TabFocus)
            made.setProperty("role", "nav")
            made.setText(f"  {names.get(name, name)}")
            made.setAccessibleName(names.get(name, name))
            made.setIconSize(QSize(20, 20))
            made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            made.setToolTip(made.accessibleName())
            made.clicked.connect(partial(self._choose, name))
            if number <= 9:
                keys = QKeySequence(f"Ctrl+{number}")
                made.setToolTip(f"{made.accessibleName()}  ({keys.toString(QKeySequence.SequenceFormat.NativeText)})")
                QShortcut(keys, parent.window()).activated.connect(partial(self._choose, name))
            self._group.addButton(made)
            self._buttons[name] = made
            layout.addWidget(made)
        layout.addStretch(1)

    def fold(self, folded: bool) -> None:
        """Show the icons alone, or their names too."""
        style = Qt.ToolButtonStyle.ToolButtonIconOnly if folded else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        bold, widest = QFontMetrics(theme.font(bold=True)), 0  # bold when it is current
        for made in self._buttons.values():
            made.setToolButtonStyle(style)
            widest = max(widest, 20 + BESIDE + (0 if folded else bold.horizontalAdvance(made.text())))
        self.setFixedWidth(widest if folded else max(theme.scaled(WIDTH), widest))

    def show_current(self, name: str) -> None:
        look = theme.current()
        for other, made in self._buttons.items():
            made.setChecked(other == name)
            made.setIcon(theme.icon(other, look.accent if other == name else look.text_soft))

    def _choose(self, name: str, _checked: bool = False) -> None:
        self.chosen.emit(name)
