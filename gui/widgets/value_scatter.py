"""What is right against what was said, a point an example: for tasks whose answer is a number."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui import theme
from gui.widgets.axes import NumberAxis
from gui.widgets.plots import plot_widget, pyqtgraph, with_alpha

SIZE = 7


class ValueScatter(QWidget):
    """set_values(right, said): (n,) numbers each. clicked(index)."""

    clicked = Signal(int)

    def __init__(self, colour: str, x_title: str, y_title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = theme.current()
        bottom, left = NumberAxis("bottom"), NumberAxis("left")
        self._plot = plot_widget({"bottom": bottom, "left": left})
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.showGrid(x=True, y=True, alpha=0.1)
        bottom.setLabel(x_title, color=look.text_soft)
        left.setLabel(y_title, color=look.text_soft)
        self._line = self._plot.plot(pen=pyqtgraph.mkPen(look.text_faint, style=pyqtgraph.QtCore.Qt.PenStyle.DashLine))
        self._points = pyqtgraph.ScatterPlotItem(size=SIZE, pen=None, brush=pyqtgraph.mkBrush(with_alpha(colour, 0.55)), hoverable=True)
        self._points.sigClicked.connect(self._click)
        self._plot.addItem(self._points)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plot)

    def set_values(self, right: np.ndarray, said: np.ndarray) -> None:
        right, said = np.asarray(right, dtype=float), np.asarray(said, dtype=float)
        good = np.isfinite(right) & np.isfinite(said)
        self._points.setData(right[good], said[good], data=np.flatnonzero(good))
        ends = [min(right[good].min(initial=0.0), said[good].min(initial=0.0)), max(right[good].max(initial=1.0), said[good].max(initial=1.0))]
        self._line.setData(ends, ends)

    @property
    def count(self) -> int:
        return len(self._points.points())

    def _click(self, _item: object, points: object, *_: object) -> None:
        if len(points):
            self.clicked.emit(int(points[0].data()))
