"""A sentence with one word marked in its colour."""

from __future__ import annotations

import html

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget


def marked(text: str, start: int, end: int, colour: str) -> str:
    """The sentence as rich text, text[start:end] bold in `colour` (#rrggbb). An empty span marks nothing."""
    word = f'<b style="color:{colour}">{html.escape(text[start:end])}</b>' if end > start else ""
    return html.escape(text[:start]) + word + html.escape(text[max(start, end):])


class SenseText(QLabel):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)

    def set_text(self, text: str, start: int, end: int, colour: str) -> None:
        """Characters start to end are the word."""
        self.setText(marked(text, start, end, colour))
