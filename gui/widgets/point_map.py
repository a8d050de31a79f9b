"""A map of up to a million points, to move, to turn where it is in space, and to choose from by a click, a box or a lasso."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QWidget

from core.i18n import tr
from gui import theme
from gui.widgets.plots import HoverCard
from gui.widgets.point_picture import DENSE, PointPicture

MOVE, LASSO, BOX = "move", "lasso", "box"
SET, ADD, REMOVE = "set", "add", "remove"  # what a lasso does to the selection
REACH = 12  # pixels from a point within which the pointer means it
CLICK = 4  # pixels the pointer may move in a click
RADIANS = 0.01  # for each pixel of a turn


class PointMap(QWidget):
    """picture: what it shows; its setters are the map's. tool: "move", "lasso" or "box".

    clicked(row), -1 beside all points. hovered(row). chosen(rows, how): by lasso or box; how is "set", with Shift "add", with Alt
    "remove". seen(): another part of it is seen, or it is drawn in another way.
    """

    clicked = Signal(int)
    hovered = Signal(int)
    chosen = Signal(object, str)
    seen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = PointPicture(self.update)
        self.tool = MOVE
        self._card_of: Callable[[int], str] | None = None
        self._pressed: QPointF | None = None
        self._at: QPointF | None = None  # of the last event while a button is down
        self._path: list[QPointF] = []
        self._under = -1
        self._turning = False
        self._fits = True  # until the person moves it, everything is seen at any size
        self._drawn = (False, 0)
        self._card = HoverCard(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(200, 160)
        self.setAccessibleName(tr("Map of the vectors"))

    def set_points(self, points: np.ndarray, *, equal: bool = True, keep: bool = False) -> None:
        """As PointPicture.set_points. keep: look at the same part as before, where the number of points is the same."""
        other = self.picture.set_points(points, equal=equal)
        if other:
            self._under = -1
        self._fits = self._fits or other or not keep
        if self._fits:
            self.fit()

    def set_card(self, card: Callable[[int], str] | None) -> None:
        """row -> rich text that is shown while the pointer is on it."""
        self._card_of = card

    def fit(self) -> None:
        """See everything."""
        self._fits = True
        index = self.picture.index
        if len(index):
            self.picture.camera.fit(index.low, index.high, self.width(), self.height(), self.picture.equal)
        self.update()

    @property
    def follows(self) -> bool:
        """Whether everything is seen, whatever moves: the person has not moved it."""
        return self._fits

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        self._fits = False
        at = at or QPointF(self.width() / 2, self.height() / 2)
        self.picture.camera.zoom(factor, at.x(), at.y(), self.width(), self.height())
        self.update()

    def pan(self, across: float, down: float) -> None:
        self._fits = False
        self.picture.camera.pan(across, down)
        self.update()

    def rotate(self, across: float, down: float) -> None:
        """Radians; only of a picture in space."""
        if not self.picture.flat:
            self.picture.camera.rotate(across, down)
            if self._turning:
                self.picture.spin()
            else:
                self.picture.sort()

    def look_at(self, row: int) -> None:
        """Bring a point into the middle, if it is somewhere."""
        place = self.place_of(row)
        if np.isfinite(place.x()) and not self.rect().adjusted(40, 40, -40, -40).contains(place.toPoint()):
            self.pan(self.width() / 2 - place.x(), self.height() / 2 - place.y())

    def place_of(self, row: int) -> QPointF:
        """Where a point is drawn, in pixels of this widget; NaN for one that is nowhere."""
        across, down = self.picture.pixels_of(np.array([row]), self.width(), self.height())
        return QPointF(float(across[0]), float(down[0]))

    def row_at(self, place: QPointF) -> int:
        """The point nearest to a pixel within reach, or -1."""
        camera = self.picture.camera
        x, y = camera.point(place.x(), place.y(), self.width(), self.height())
        return self.picture.index.nearest(x, y, (REACH / camera.scale[0], REACH / camera.scale[1]))

    def rows_in(self, outline: QPolygonF) -> np.ndarray:
        """The rows inside an outline in pixels of this widget, sorted."""
        image = QImage(max(self.width(), 1), max(self.height(), 1), QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QPainter(image)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(255, 255, 255))
        painter.drawPolygon(outline, Qt.FillRule.OddEvenFill)
        painter.end()
        pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        return self.picture.rows_in(pixels[:, : image.width()] > 127)

    # drawing

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        self.picture.paint(painter, self.width(), self.height(), self.devicePixelRatioF(), quick=self._turning)
        look = theme.current()
        if self._under >= 0:
            painter.setPen(QPen(QColor(look.text), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(self.place_of(self._under), 7, 7)
        if len(self._path) > 1:
            fill = QColor(look.accent)
            fill.setAlphaF(0.14)
            painter.setPen(QPen(QColor(look.accent), 1.5, Qt.PenStyle.DashLine))
            painter.setBrush(fill)
            painter.drawPolygon(self._outline())
        painter.end()
        drawn = (self.picture.dense, self.picture.in_sight)
        if drawn != self._drawn:
            self._drawn = drawn
            self.seen.emit()

    def _outline(self) -> QPolygonF:
        if self.tool == BOX:
            return QPolygonF(QRectF(self._path[0], self._path[-1]).normalized())
        return QPolygonF(self._path)

    # the pointer and the keys

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        if self._fits:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if steps := event.angleDelta().y() / 120:
            self.zoom(1.2**steps, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = self._at = event.position()
        if event.button() == Qt.MouseButton.LeftButton and self.tool != MOVE:
            self._path = [event.position()]
        self._card.hide()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        if self._at is None or event.buttons() == Qt.MouseButton.NoButton:
            self._hover(place)
            return
        step, self._at = place - self._at, place
        if self._path:
            self._path.append(place)
            self.update()
        elif not self._far(place):
            return
        elif self.picture.flat or event.modifiers() & Qt.KeyboardModifier.ShiftModifier or not event.buttons() & Qt.MouseButton.LeftButton:
            self.pan(step.x(), step.y())
        else:
            self._turning = len(self.picture.index) > DENSE
            self.rotate(step.x() * RADIANS, step.y() * RADIANS)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        place, far, path = event.position(), self._far(event.position()), bool(self._path)
        outline = self._outline() if path else QPolygonF()
        self._path, self._pressed, self._at, self._turning = [], None, None, False
        if self.picture.spinning:
            self.picture.sort()
        self.update()
        if path and far:
            keys, held = Qt.KeyboardModifier, event.modifiers()
            self.chosen.emit(self.rows_in(outline), ADD if held & keys.ShiftModifier else REMOVE if held & keys.AltModifier else SET)
        elif not far and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(self.row_at(place))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(None)

    def keyPressEvent(self, event: object) -> None:
        keys = Qt.Key
        moves = {keys.Key_Left: (40, 0), keys.Key_Right: (-40, 0), keys.Key_Up: (0, 40), keys.Key_Down: (0, -40)}
        if event.key() in moves:
            self.pan(*moves[event.key()])
        elif event.key() in (keys.Key_Plus, keys.Key_Equal) and not event.modifiers():
            self.zoom(1.25)
        elif event.key() == keys.Key_Minus and not event.modifiers():
            self.zoom(0.8)
        elif event.key() == keys.Key_Home:
            self.fit()
        else:
            super().keyPressEvent(event)

    def _far(self, place: QPointF) -> bool:
        return self._pressed is not None and (place - self._pressed).manhattanLength() > CLICK

    def _hover(self, place: QPointF | None) -> None:
        row = -1 if place is None else self.row_at(place)
        if row == self._under:
            return
        self._under = row
        if row >= 0 and self._card_of is not None:
            self._card.show_at(place.x(), place.y(), self._card_of(row))
        else:
            self._card.hide()
        beside = Qt.CursorShape.ArrowCursor if self.tool == MOVE else Qt.CursorShape.CrossCursor
        self.setCursor(Qt.CursorShape.PointingHandCursor if row >= 0 else beside)
        self.hovered.emit(row)
        self.update()
