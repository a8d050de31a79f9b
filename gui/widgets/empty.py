"""What a view shows when there is nothing to show: an icon, a sentence, and the button that changes it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.labels import button, label

WIDTH, LEAST = 520, 160  # of the sentence


class Empty(QWidget):
    """icon: a name in resources/icons. on_click: a bound method, called when the button is pressed."""

    def __init__(self, icon: str, sentence: str, action: str = "", on_click: Callable[[], object] | None = None,
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.L)
        layout.addStretch(2)
        picture = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        picture.setPixmap(theme.icon(icon, theme.current().text_faint, 56).pixmap(56, 56))
        self.sentence = label(sentence, "large", wrap=True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(picture)
        layout.addWidget(self.sentence, 0, Qt.AlignmentFlag.AlignCenter)
        if action:
            self.button = button(action, on_click, kind="primary")
            layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignCenter)
        layout.addStretch(3)
        self._fit(sentence)

    def add(self, part: QWidget) -> None:
        """One thing more, beneath the button."""
        self.layout().insertWidget(self.layout().count() - 1, part, 0, Qt.AlignmentFlag.AlignCenter)

    def say(self, sentence: str) -> None:
        """Another sentence in the same place."""
        self.sentence.setText(sentence)
        self._fit(sentence)

    def minimumSizeHint(self) -> QSize:
        """Narrower than the sentence of the moment, which then takes more lines."""
        hint, margins = super().minimumSizeHint(), self.layout().contentsMargins()
        wide = self.button.minimumSizeHint().width() if hasattr(self, "button") else 0
        return QSize(max(LEAST, wide) + margins.left() + margins.right(), hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit(self.sentence.text())

    def _fit(self, sentence: str) -> None:
        """A label that wraps does not know how wide it would like to be."""
        self.sentence.ensurePolished()
        wanted = min(theme.scaled(WIDTH), self.sentence.fontMetrics().horizontalAdvance(sentence) + theme.L)
        self.sentence.setMinimumSize(0, 0)  # or it would not become lower again
        margins = self.layout().contentsMargins()
        width = max(min(wanted, self.width() - margins.left() - margins.right()), LEAST)
        self.sentence.setFixedSize(width, self.sentence.heightForWidth(width))
