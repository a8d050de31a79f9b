"""A chart with words beneath it, or a sentence in its place."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from gui.widgets.labels import label
from gui.widgets.line_chart import LineChart


class NotedChart(QWidget):
    """chart: to be filled. picture: the chart with its words, to be saved. message: what stands in its place."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chart = LineChart()
        self.note = label("", "soft", wrap=True)
        self.message = label("", "large", wrap=True)
        self.picture = QWidget()
        column = QVBoxLayout(self.picture)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.chart, 1)
        column.addWidget(self.note)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.picture)
        self._stack.addWidget(self.message)

    def show_chart(self, note: str) -> None:
        self.note.setText(note)
        self._stack.setCurrentWidget(self.picture)

    def say(self, words: str) -> None:
        """Only this sentence."""
        self.message.setText(words)
        self._stack.setCurrentWidget(self.message)

    @property
    def drawn(self) -> bool:
        return self._stack.currentWidget() is self.picture
