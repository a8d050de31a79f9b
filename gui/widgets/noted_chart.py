"""A chart with words beneath it, or a sentence in its place."""

from __future__ import annotations

from PySide6.QtWidgets import QBoxLayout, QStackedLayout, QWidget

from gui import theme
from gui.widgets.labels import label
from gui.widgets.line_chart import LineChart
from gui.widgets.panes import Panes

LEAST_CHART = 170  # pixels of its height


class NotedChart(QWidget):
    """chart: to be filled. picture: the chart with its words, to be saved. message: what stands in its place."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chart = LineChart()
        self.note = label("", "soft", wrap=True)
        self.message = label("", "large", wrap=True)
        panes = Panes(QBoxLayout.Direction.TopToBottom)  # a long note in large letters scrolls
        self.picture = panes.content
        self.chart.setMinimumHeight(theme.scaled(LEAST_CHART))
        panes.box.addWidget(self.chart, 1)
        panes.box.addWidget(self.note)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(panes)
        self._stack.addWidget(self.message)

    def show_chart(self, note: str) -> None:
        self.note.setText(note)
        self._stack.setCurrentIndex(0)

    def say(self, words: str) -> None:
        """Only this sentence."""
        self.message.setText(words)
        self._stack.setCurrentWidget(self.message)

    @property
    def drawn(self) -> bool:
        return self._stack.currentIndex() == 0
