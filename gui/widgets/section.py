"""A part of a long page that can be folded up; folded, it says in a few words what is in it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.elided import Elided


class Section(QFrame):
    """Add to `.column`; where there is more room than it needs, that goes to a stretch beneath it. (A policy of Maximum would cut words: Qt's
    bound is the height in another width.)"""

    def __init__(self, title: str, *, unfolded: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._head = QToolButton(text=f" {title}", checkable=True, toolButtonStyle=Qt.ToolButtonStyle.ToolButtonTextBesideIcon,
                                 cursor=Qt.CursorShape.PointingHandCursor)
        self._head.setProperty("role", "section")
        self._head.setIconSize(QSize(12, 12))
        self._head.toggled.connect(self._unfold)
        self._summary = Elided("", "soft")
        self._summary.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._folded_words, self._words = "", ""
        head = QHBoxLayout()
        head.setSpacing(theme.M)
        head.addWidget(self._head, 0, Qt.AlignmentFlag.AlignLeft)
        head.addWidget(self._summary, 1)
        self._body = QWidget()
        self.column = QVBoxLayout(self._body)
        self.column.setContentsMargins(theme.S, theme.S, theme.S, theme.S)
        self.column.setSpacing(theme.M)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.S, theme.S, theme.M, theme.S)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self._body)
        self._head.setChecked(unfolded)
        self._unfold(unfolded)

    @property
    def unfolded(self) -> bool:
        return self._head.isChecked()

    def unfold(self) -> None:
        self._head.setChecked(True)

    def set_summary(self, words: str, always: str = "") -> None:
        """words: shown while it is folded. always: in front of them, and also while it is unfolded."""
        self._folded_words, self._words = words, always
        self._show_summary()

    def _show_summary(self) -> None:
        words = self._words if self.unfolded else " · ".join(part for part in (self._words, self._folded_words) if part)
        self._summary.setToolTip(words)
        self._summary.setText(words)
        self._summary.setVisible(bool(words))  # or a long title would have less room

    def _unfold(self, unfolded: bool) -> None:
        self._body.setVisible(unfolded)
        self._head.setIcon(theme.icon("arrow-down" if unfolded else "arrow-right", size=12))
        self._show_summary()
