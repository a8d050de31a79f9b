"""Curves of a mean with a band of its spread, over counts that grow by factors."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.axes import NumberAxis, short
from gui.widgets.plots import HoverCard, plot_widget, pyqtgraph, with_alpha

BAND = 0.18  # opacity of the spread
MARGIN = 0.06  # of the range, beyond the first and the last count


@dataclass(frozen=True, kw_only=True)
class BandCurve:
    """x: counts, growing; mean and spread: (n,) numbers; dots: every single value, (count, value). dashed: a line without dots."""

    name: str
    colour: str
    x: Sequence[float]
    mean: Sequence[float]
    spread: Sequence[float]
    dots: Sequence[tuple[float, float]] = field(default=())
    dashed: bool = False


class BandCurves(QWidget):
    def __init__(self, x_title: str, y_title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = theme.current()
        self._curves: list[BandCurve] = []
        self._items: list[object] = []
        self._bottom, left = NumberAxis("bottom"), NumberAxis("left")
        self._plot = plot_widget({"bottom": self._bottom, "left": left})
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.showGrid(x=False, y=True, alpha=0.12)
        self._bottom.setLabel(x_title, color=look.text_soft)
        self._left = left
        self.set_y_title(y_title)
        self._plot.viewport().setMouseTracking(True)
        self._plot.viewport().installEventFilter(self)
        self._card = HoverCard(self)
        self._legend = QLabel(textFormat=Qt.TextFormat.RichText, wordWrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.XS)
        layout.addWidget(self._legend)
        layout.addWidget(self._plot, 1)

    @property
    def curves(self) -> list[BandCurve]:
        return list(self._curves)

    def set_y_title(self, words: str) -> None:
        self._left.setLabel(words, color=theme.current().text_soft)

    def set_curves(self, curves: Sequence[BandCurve], counts: Sequence[float]) -> None:
        """counts: where ticks stand."""
        for item in self._items:
            self._plot.removeItem(item)
        self._curves, self._items = [curve for curve in curves if len(curve.x)], []
        for curve in self._curves:
            self._draw(curve)
        self._bottom.setTicks([[(float(np.log10(count)), short(count)) for count in counts]])
        if len(counts):
            low, high = float(np.log10(min(counts))), float(np.log10(max(counts)))
            room = MARGIN * max(high - low, 0.5)
            self._plot.setXRange(low - room, high + room, padding=0)
        dot = f"font-size:{theme.px('title')}px"
        names = [f'<span style="color:{curve.colour}; {dot}">●</span>&nbsp;{html.escape(curve.name)}' for curve in self._curves]
        self._legend.setText("&nbsp;&nbsp;&nbsp; ".join(names))
        self.setAccessibleName("; ".join(f"{curve.name} " + ", ".join(f"{short(x)}: {y:.3f}" for x, y in zip(curve.x, curve.mean, strict=True))
                                         for curve in self._curves))

    def _draw(self, curve: BandCurve) -> None:
        x, mean, spread = np.log10(np.asarray(curve.x, dtype=float)), np.asarray(curve.mean, dtype=float), np.asarray(curve.spread, dtype=float)
        if len(x) > 1 and (spread > 0).any():
            upper, lower = pyqtgraph.PlotCurveItem(x, mean + spread, pen=None), pyqtgraph.PlotCurveItem(x, mean - spread, pen=None)
            band = pyqtgraph.FillBetweenItem(upper, lower, brush=pyqtgraph.mkBrush(with_alpha(curve.colour, BAND)))
            self._add(upper, lower, band)
        elif len(x) == 1 and spread[0] > 0:
            self._add(pyqtgraph.ErrorBarItem(x=x, y=mean, height=2 * spread, beam=0.03, pen=pyqtgraph.mkPen(curve.colour, width=2)))
        style = Qt.PenStyle.DashLine if curve.dashed else Qt.PenStyle.SolidLine
        marks = {} if curve.dashed else {"symbol": "o", "symbolSize": 8, "symbolBrush": curve.colour, "symbolPen": None}
        self._add(pyqtgraph.PlotDataItem(x, mean, pen=pyqtgraph.mkPen(curve.colour, width=2.5, style=style), **marks))
        if curve.dots:
            at = np.array(curve.dots, dtype=float)
            brush = pyqtgraph.mkBrush(with_alpha(curve.colour, 0.5))
            self._add(pyqtgraph.ScatterPlotItem(np.log10(at[:, 0]), at[:, 1], size=4, pen=None, brush=brush))

    def _add(self, *items: object) -> None:
        for item in items:
            self._plot.addItem(item)
            self._items.append(item)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseMove:
            self._read_out(event.position())
        elif event.type() == QEvent.Type.Leave:
            self._card.hide()
        return False

    def _read_out(self, place: QPointF) -> None:
        """What each curve holds at the nearest count."""
        box = self._plot.getViewBox()
        scene = self._plot.mapToScene(place.toPoint())
        known = sorted({float(x) for curve in self._curves for x in curve.x})
        if not known or not box.sceneBoundingRect().contains(scene):
            self._card.hide()
            return
        at = box.mapSceneToView(scene).x()
        count = min(known, key=lambda x: abs(np.log10(x) - at))
        lines = [f'<span style="color:{theme.current().text_soft}">{short(count)}</span>']
        for curve in self._curves:
            if count in list(curve.x):
                number = list(curve.x).index(count)
                spread = f" ± {curve.spread[number]:.3f}" if curve.spread[number] > 0 else ""
                dot = f'<span style="color:{curve.colour}">●</span>'
                lines.append(f"{dot} {html.escape(curve.name)}&nbsp;&nbsp;<b>{curve.mean[number]:.3f}</b>{spread}")
        where = self._plot.viewport().mapTo(self, place.toPoint())
        self._card.show_at(where.x(), where.y(), "<br>".join(lines))
