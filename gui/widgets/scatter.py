"""Labelled points in the plane: colour and symbol by category, hover for the text, click to select."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEasingCurve, QEvent, QPointF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.plots import HoverCard, bare_plot, pyqtgraph, with_alpha

LOOKS_SMALL = {"star": 1.45, "d": 1.2, "t1": 1.15, "t": 1.15, "p": 1.15, "h": 1.1}  # symbols that need more room
REACH = 14  # pixels from a point within which the pointer means it
GLIDE_MS = 220
NOTE_ANCHOR = (0.5, 1.35)  # of the words above a point
EDGE = 0.04  # of the range: a guest beyond it is drawn here


class Scatter(QWidget):
    """clicked(index): a point was clicked. hovered(index): the pointer is on it; -1 when it left.

    Colour and symbol of category c are theme.sense_colour(c) and theme.sense_symbol(c); -1 is grey.
    """

    clicked = Signal(int)
    hovered = Signal(int)

    def __init__(self, parent: QWidget | None = None, *, size: int = 13) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._plot, self._view = bare_plot()
        layout.addWidget(self._plot)
        self._view.disableAutoRange()
        self._view.setDefaultPadding(0)
        self._size = size
        self._xy = np.zeros((0, 2))
        self._categories = np.zeros(0, dtype=int)
        self._hard = np.zeros(0, dtype=bool)
        self._opacity: np.ndarray | None = None
        self._cards: Sequence[str] = ()
        self._notes: dict[int, pyqtgraph.TextItem] = {}
        self._selected = self._under = -1
        look = theme.current()
        thin, thick = pyqtgraph.mkPen(look.text_soft, width=1.5), pyqtgraph.mkPen(look.text, width=3)
        self._rings = pyqtgraph.ScatterPlotItem(symbol="o", size=size + 9, brush=None, pen=thin)
        self._mark = pyqtgraph.ScatterPlotItem(symbol="o", size=size + 13, brush=None, pen=thick)
        self._items: dict[int, pyqtgraph.ScatterPlotItem] = {}
        self._guest: pyqtgraph.ScatterPlotItem | None = None
        self._guest_note: pyqtgraph.TextItem | None = None
        self._guest_from = self._guest_at = np.zeros(2)
        self._glide = QVariantAnimation(self, startValue=0.0, endValue=1.0, duration=GLIDE_MS, easingCurve=QEasingCurve.Type.InOutQuad)
        self._glide.valueChanged.connect(self._draw_guest)
        self._view.addItem(self._rings)
        self._view.addItem(self._mark)
        self._axes = (QLabel(self), QLabel(self))
        for part in self._axes:
            part.setProperty("role", "over")
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            part.hide()
        self._card = HoverCard(self)
        self._plot.viewport().setMouseTracking(True)
        self._plot.viewport().installEventFilter(self)

    def set_points(self, xy: np.ndarray, categories: Sequence[int], *, hard: Sequence[bool] | None = None,
                   opacity: np.ndarray | None = None, cards: Sequence[str] = (), notes: Sequence[str] = ()) -> None:
        """xy: (points, 2), a row of NaN hides its point. categories: (points,) integers. hard: these get a ring.

        opacity: (points,) 0 to 1. cards: rich text for each point, shown on hover. To animate them call `move_points`.
        """
        self._categories = np.asarray(categories, dtype=int)
        self._hard = np.zeros(len(self._categories), dtype=bool) if hard is None else np.asarray(hard, dtype=bool)
        self._opacity, self._cards = opacity, cards
        for item in self._items.values():
            self._view.removeItem(item)
        self._items = {}
        for category in sorted(set(self._categories.tolist())):
            symbol = theme.sense_symbol(category)
            item = pyqtgraph.ScatterPlotItem(symbol=symbol, size=self._size * LOOKS_SMALL.get(symbol, 1.0), pxMode=True)
            item.setZValue(10)
            self._view.addItem(item)
            self._items[category] = item
        self._mark.setZValue(20)
        for item in self._notes.values():
            self._view.removeItem(item)
        self._notes = {index: self._note(text) for index, text in enumerate(notes) if text}
        self.move_points(xy)

    def move_points(self, xy: np.ndarray) -> None:
        """New places of the same points, (points, 2): a frame of a replay."""
        self._xy = np.asarray(xy, dtype=float).reshape(-1, 2)
        if len(self._xy) != len(self._categories):
            raise ValueError(f"{len(self._xy)} places for {len(self._categories)} categories")
        seen = np.isfinite(self._xy).all(axis=1)
        rim = pyqtgraph.mkPen(theme.current().surface, width=1)
        for category, item in self._items.items():
            chosen = np.flatnonzero((self._categories == category) & seen)
            colour = theme.sense_colour(category)
            brush: object = pyqtgraph.mkBrush(with_alpha(colour, 0.88))
            if self._opacity is not None:
                brush = [pyqtgraph.mkBrush(with_alpha(colour, float(value))) for value in np.clip(self._opacity[chosen], 0, 1)]
            item.setData(x=self._xy[chosen, 0], y=self._xy[chosen, 1], brush=brush, pen=rim)
        ringed = self._hard & seen
        self._rings.setData(x=self._xy[ringed, 0], y=self._xy[ringed, 1])
        for index, item in self._notes.items():
            item.setVisible(bool(seen[index]))
            if seen[index]:
                item.setPos(*self._xy[index])
        self._hold_notes()
        self._draw_mark()

    def _hold_notes(self) -> None:
        """Whole within the picture: a note near its edge stands beside the middle of its point, one that is wider than it has more lines."""
        (left, right), _ = self._view.viewRange()
        for index, item in self._notes.items():
            text = item.textItem
            text.setTextWidth(-1)
            wide = text.boundingRect().width()
            if wide > self.width() > 0:
                text.setTextWidth(self.width())
                wide = self.width()
            if item.isVisible() and wide and right > left:
                at = (self._xy[index, 0] - left) / (right - left) * self._view.width()
                item.setAnchor((min(max(NOTE_ANCHOR[0], (at + wide - self._view.width()) / wide), max(at / wide, 0)), NOTE_ANCHOR[1]))

    def set_axes(self, across: str, up: str) -> None:
        """Their names, in two corners; empty where the directions mean nothing."""
        for part, words in zip(self._axes, (across, up), strict=True):
            part.setText(words)
            part.setVisible(bool(words))
            part.ensurePolished()
            part.adjustSize()
        self._place_axes()

    def _place_axes(self) -> None:
        across, up = self._axes
        across.move(self.width() - across.width(), self.height() - across.height())
        up.move(0, 0)

    def sizeHint(self) -> QSize:
        """No more than it must have: it takes what other things leave."""
        return self.minimumSizeHint().expandedTo(self.minimumSize())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_axes()
        self._hold_notes()

    def set_range(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """What part of the plane is seen; it stays so while the points move."""
        self._view.setRange(xRange=x, yRange=y, padding=0.06)
        self._hold_notes()

    def fit(self) -> None:
        """See all points, equally scaled in both directions."""
        seen = self._xy[np.isfinite(self._xy).all(axis=1)]
        if len(seen) == 0:
            return
        middle = (seen.min(axis=0) + seen.max(axis=0)) / 2
        half = max(float((seen.max(axis=0) - seen.min(axis=0)).max()) / 2, 1e-6) * 1.05
        self.set_range((middle[0] - half, middle[0] + half), (middle[1] - half, middle[1] + half))

    def set_equal_scale(self, equal: bool) -> None:
        self._view.setAspectLocked(equal)

    def select(self, index: int) -> None:
        """Ring one point, -1 none. Sends no signal."""
        self._selected = index
        self._draw_mark()

    def show_guest(self, xy: np.ndarray | None, category: int = -1, note: str = "") -> None:
        """A point that is none of them, (2,); it glides from where it was. note: stands above it. None takes it away.

        Where it would be out of sight it is drawn at the edge.
        """
        if xy is None:
            self._glide.stop()
            for item in (self._guest, self._guest_note):
                if item is not None:
                    self._view.removeItem(item)
            self._guest = self._guest_note = None
            return
        fresh = self._guest is None
        if fresh:
            self._guest = pyqtgraph.ScatterPlotItem(symbol="o", size=self._size + 9)
            self._guest.setZValue(30)
            self._view.addItem(self._guest)
            self._guest_note = self._note("")
            self._guest_note.setZValue(31)
        self._guest.setBrush(pyqtgraph.mkBrush(theme.sense_colour(category)))
        self._guest.setPen(pyqtgraph.mkPen(theme.current().text, width=2.5))
        self._guest_note.setText(note, color=theme.current().text)
        self._guest_from = np.asarray(xy, dtype=float) if fresh else self._guest_now()
        self._guest_at = np.asarray(xy, dtype=float)
        self._glide.stop()
        self._glide.start()

    @property
    def guest(self) -> tuple[float, float] | None:
        """Where it is going."""
        return None if self._guest is None else (float(self._guest_at[0]), float(self._guest_at[1]))

    def _guest_now(self) -> np.ndarray:
        return self._guest_from + float(self._glide.currentValue() or 0.0) * (self._guest_at - self._guest_from)

    def _draw_guest(self, _share: float) -> None:
        if self._guest is None:
            return
        low, high = np.array(self._view.viewRange()).T
        room = (high - low) * EDGE
        at = np.clip(self._guest_now(), low + room, high - room)
        self._guest.setData(x=at[:1], y=at[1:])
        self._guest_note.setPos(*at)

    def hideEvent(self, event: object) -> None:
        self._glide.stop()

    def clear(self) -> None:
        self.set_points(np.zeros((0, 2)), ())

    def index_at(self, x: float, y: float) -> int:
        """The point nearest to that pixel of this widget within reach, or -1."""
        if len(self._xy) == 0:
            return -1
        scene = self._plot.mapToScene(self._plot.viewport().mapFrom(self, QPointF(x, y)).toPoint())
        at = self._view.mapSceneToView(scene)
        wide, high = self._view.viewPixelSize()
        with np.errstate(invalid="ignore"):
            far = np.hypot((self._xy[:, 0] - at.x()) / wide, (self._xy[:, 1] - at.y()) / high)
        far = np.where(np.isfinite(far), far, np.inf)
        best = int(far.argmin())
        return best if far[best] <= REACH else -1

    def place_of(self, index: int) -> QPointF:
        """Where a point is drawn, in pixels of this widget."""
        scene = self._view.mapViewToScene(QPointF(*self._xy[index]))
        return QPointF(self._plot.viewport().mapTo(self, self._plot.mapFromScene(scene)))

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.MouseMove:
            self._hover(self._plot.viewport().mapTo(self, event.position().toPoint()))
        elif kind == QEvent.Type.Leave:
            self._hover(None)
        elif kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            place = self._plot.viewport().mapTo(self, event.position().toPoint())
            if (index := self.index_at(place.x(), place.y())) >= 0:
                self.clicked.emit(index)
        return False

    def _hover(self, place: QPointF | None) -> None:
        index = self.index_at(place.x(), place.y()) if place is not None else -1
        if index >= 0 and index < len(self._cards):
            self._card.show_at(place.x(), place.y(), self._cards[index])
        else:
            self._card.hide()
        if index != self._under:
            self._under = index
            self.setCursor(Qt.CursorShape.PointingHandCursor if index >= 0 else Qt.CursorShape.ArrowCursor)
            self.hovered.emit(index)

    def _note(self, text: str) -> pyqtgraph.TextItem:
        item = pyqtgraph.TextItem(text, color=theme.current().text_soft, anchor=NOTE_ANCHOR)
        item.setFont(theme.font("small", bold=True))
        item.setZValue(15)
        self._view.addItem(item, ignoreBounds=True)
        return item

    def _draw_mark(self) -> None:
        good = 0 <= self._selected < len(self._xy) and bool(np.isfinite(self._xy[self._selected]).all())
        at = self._xy[[self._selected]] if good else np.zeros((0, 2))
        self._mark.setData(x=at[:, 0], y=at[:, 1])
