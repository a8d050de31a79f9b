"""Curves that grow while one looks: several runs, smoothed, over steps, tokens or time."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt, QTimer
from PySide6.QtWidgets import QComboBox, QLabel, QSizePolicy, QSlider, QStackedLayout, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.widgets.axes import NumberAxis
from gui.widgets.labels import label, row
from gui.widgets.plots import HoverCard, plot_widget, pyqtgraph, with_alpha
from gui.widgets.series import Growing, MovingAverage, thin_means, thin_peaks
from gui.widgets.switch import Switch

DRAWN_POINTS = 1200  # of each thin line
DRAWN_MEANS = 300  # of each smooth one: wide lines are drawn ten times slower
REDRAW_MS = 120
SMOOTHING = 0.7  # at first; a stronger one lags behind a short run
FAINT = 0.22  # opacity of the unsmoothed curve
REACH = 0.01  # of the width: so far beyond its ends a curve is still read
DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine)


@dataclass(eq=False)
class _Curve:
    name: str
    colour: str
    smooth: bool
    legend: bool
    raw: pyqtgraph.PlotDataItem
    line: pyqtgraph.PlotDataItem
    average: MovingAverage
    y: Growing = field(default_factory=Growing)
    smooth_y: Growing = field(default_factory=Growing)  # made of y when it is drawn
    x: dict[str, Growing] = field(default_factory=dict)


class Curves(QWidget):
    """axes: name -> title of the x axes between which the person may choose, the first one is shown first.

    Data are arrays: `append(key, {"steps": ..., "tokens": ...}, y)`. Drawn at most every 120 ms, decimated.
    controls: by name, what the person can choose beneath. nothing: what stands there while no curve has a number.
    """

    def __init__(self, axes: Mapping[str, str], y_title: str = "", *, controls: bool = True,
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._axes = dict(axes)
        self._axis = next(iter(self._axes))
        self._curves: dict[str, _Curve] = {}
        self._smoothing, self._log = SMOOTHING, False
        self.controls: dict[str, QWidget] = {}
        self._bottom = NumberAxis("bottom")
        self._left = NumberAxis("left")
        self._plot = plot_widget({"bottom": self._bottom, "left": self._left})
        self._plot.showGrid(x=False, y=True, alpha=0.12)
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.viewport().setMouseTracking(True)
        self._plot.viewport().installEventFilter(self)
        self._line = pyqtgraph.InfiniteLine(angle=90, pen=pyqtgraph.mkPen(theme.current().border_strong))
        self._line.hide()
        self._plot.addItem(self._line, ignoreBounds=True)
        self._card = HoverCard(self)
        self._legend = QLabel(textFormat=Qt.TextFormat.RichText, wordWrap=True)
        self._legend.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.XS)
        layout.addWidget(label(y_title, "heading") if y_title else self._legend)
        if y_title:
            layout.addWidget(self._legend)
        self.nothing = label(tr("There are no numbers to draw yet."), "soft", wrap=True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedLayout()
        self._pages.addWidget(self.nothing)
        self._pages.addWidget(self._plot)
        layout.addLayout(self._pages, 1)
        if controls:
            layout.addWidget(self._make_controls())
        self._redraw = QTimer(self, interval=REDRAW_MS, singleShot=True)
        self._redraw.timeout.connect(self._draw)
        self._title_axis()

    def add(self, key: str, name: str, colour: str, *, dashed: bool = False, points: bool = False, smooth: bool = True,
            legend: bool = True) -> None:
        """A curve, empty at first; one that is there already keeps its data, and gets the name and the colour. points: dots as well (validations).

        smooth: False for what is not to be smoothed. legend: whether its name stands above.
        """
        curve = self._curves.get(key)
        if curve is not None and (curve.name, curve.colour) == (name, colour):
            return
        if curve is None:
            dots = {"symbol": "o", "symbolSize": 7, "symbolPen": None} if points else {}
            raw, line = self._plot.plot(connect="finite"), self._plot.plot(connect="finite", **dots)
            curve = self._curves[key] = _Curve(name, colour, smooth and not points, legend, raw, line, MovingAverage(self._smoothing))
        curve.name, curve.colour = name, colour
        curve.raw.setPen(pyqtgraph.mkPen(with_alpha(colour, FAINT), width=1))
        curve.line.setPen(pyqtgraph.mkPen(colour, width=2, style=DASHES[dashed]))
        curve.line.setSymbolBrush(colour)
        self._show_legend()

    def append(self, key: str, xs: Mapping[str, Sequence[float]], ys: Sequence[float]) -> None:
        """More points of a curve: an array for each x axis, as long as ys. NaN makes a gap."""
        curve = self._curves[key]
        curve.y.extend(ys)
        for name in self._axes:
            curve.x.setdefault(name, Growing()).extend(xs[name])
        if not self._redraw.isActive():
            self._redraw.start()

    def reset(self, key: str) -> None:
        """Take a curve's data away, and keep the curve."""
        curve = self._curves[key]
        curve.y, curve.smooth_y, curve.x = Growing(), Growing(), {}
        curve.average = MovingAverage(self._smoothing)
        self._redraw.start()

    def remove(self, key: str) -> None:
        curve = self._curves.pop(key, None)
        if curve is not None:
            self._plot.removeItem(curve.raw)
            self._plot.removeItem(curve.line)
            self._show_legend()
            self._redraw.start()

    def clear(self) -> None:
        for key in list(self._curves):
            self.remove(key)

    def keys(self) -> tuple[str, ...]:
        return tuple(self._curves)

    def set_axis(self, name: str) -> None:
        self._axis = name
        self._title_axis()
        self._draw()

    def set_smoothing(self, share: float) -> None:
        """0: none, towards 1: very smooth. The share of the old value in the moving average."""
        self._smoothing = share
        for curve in self._curves.values():
            curve.smooth_y, curve.average = Growing(), MovingAverage(share)
        self._draw()

    def set_y_range(self, low: float, high: float) -> None:
        """Hold the y axis there, so that several charts side by side can be compared."""
        self._plot.setYRange(low, high, padding=0)

    def set_log(self, log: bool) -> None:
        self._log = log
        self._plot.setLogMode(x=False, y=log)
        self._draw()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseMove:
            self._read_out(event.position())
        elif event.type() == QEvent.Type.Leave:
            self._card.hide()
            self._line.hide()
        return False

    def _draw(self) -> None:
        self._pages.setCurrentIndex(int(any(np.isfinite(curve.y.values).any() for curve in self._curves.values())))
        for curve in self._curves.values():
            x = curve.x[self._axis].values if self._axis in curve.x else np.zeros(0)
            y = curve.y.values
            if curve.smooth and self._smoothing > 0:
                curve.smooth_y.extend(curve.average.extend(y[len(curve.smooth_y.values):]))
                curve.raw.setData(*thin_peaks(x, y, DRAWN_POINTS))
                curve.line.setData(*thin_means(x, curve.smooth_y.values, DRAWN_MEANS))
            else:
                curve.raw.setData((), ())
                curve.line.setData(*thin_peaks(x, y, DRAWN_POINTS))

    def _read_out(self, place: QPointF) -> None:
        """What each curve that reaches there holds at its point nearest to the pointer."""
        box = self._plot.getViewBox()
        scene = self._plot.mapToScene(place.toPoint())
        if not box.sceneBoundingRect().contains(scene):
            self._card.hide()
            self._line.hide()
            return
        x, reach = box.mapSceneToView(scene).x(), REACH * float(np.ptp(box.viewRange()[0]))
        lines, smoothed = [], False
        for curve in self._curves.values():
            smooth = curve.smooth and self._smoothing > 0
            values = curve.smooth_y.values if smooth else curve.y.values
            at = _nearest(curve.x[self._axis].values[: len(values)] if self._axis in curve.x else np.zeros(0), x, reach)
            if at >= 0 and math.isfinite(values[at]):
                smoothed = smoothed or smooth
                dot = f'<span style="color:{curve.colour}">●</span>'
                lines.append(f"{dot} {html.escape(curve.name)}&nbsp;&nbsp;<b>{values[at]:.4g}</b>")
        where = f"{self._axes[self._axis]} {self._bottom.words(x)}" + (f" · {tr('smoothed')}" if smoothed else "")
        lines.insert(0, f'<span style="color:{theme.current().text_soft}">{html.escape(where)}</span>')
        self._line.setValue(x)
        self._line.show()
        at = self._plot.viewport().mapTo(self, place.toPoint())
        self._card.show_at(at.x(), at.y(), "<br>".join(lines))

    def _make_controls(self) -> QWidget:
        smooth = QSlider(Qt.Orientation.Horizontal, maximum=99, accessibleName=tr("Smoothing"))
        smooth.setValue(round(self._smoothing * 100))
        smooth.setFixedWidth(120)
        smooth.valueChanged.connect(self._slid)
        log = Switch()
        log.setAccessibleName(tr("Logarithmic"))
        log.toggled.connect(self.set_log)
        self.controls |= {"smoothing": smooth, "log": log}
        parts: list[QWidget | None] = [label(tr("Smoothing"), "small"), smooth, label(tr("Logarithmic"), "small"), log, None]
        if len(self._axes) > 1:
            self._chooser = QComboBox()
            for name, title in self._axes.items():
                self._chooser.addItem(title, name)
            self._chooser.currentIndexChanged.connect(self._chosen)
            self.controls["axis"] = self._chooser
            parts.append(self._chooser)
        return row(*parts)

    def _slid(self, value: int) -> None:
        self.set_smoothing(value / 100)

    def _chosen(self, index: int) -> None:
        self.set_axis(self._chooser.itemData(index))

    def _title_axis(self) -> None:
        self._bottom.as_time = self._axis == "time"
        self._bottom.setLabel(self._axes[self._axis], color=theme.current().text_soft)

    def _show_legend(self) -> None:
        dot = f"font-size:{theme.px('title')}px"
        named = [curve for curve in self._curves.values() if curve.name and curve.legend]
        names = [f'<span style="color:{curve.colour}; {dot}">●</span>&nbsp;{html.escape(curve.name)}' for curve in named]
        self._legend.setText("&nbsp;&nbsp;&nbsp; ".join(names))
        self._legend.setVisible(bool(names))


def _nearest(xs: np.ndarray, x: float, reach: float) -> int:
    """The place of the number nearest to x among xs, which rise; -1 where they end before it or begin after it, by more than reach."""
    if not len(xs) or not xs[0] - reach <= x <= xs[-1] + reach:
        return -1
    at = min(int(np.searchsorted(xs, x)), len(xs) - 1)
    return at - 1 if at and x - xs[at - 1] < xs[at] - x else at
