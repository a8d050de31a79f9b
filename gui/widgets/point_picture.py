"""The picture of up to a million points: how densely they lie where they are too many, else each of them, with the names that have room.

It knows no pointer and no window: `paint` draws it at any size on any device, a file that keeps shapes and text among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPaintEngine, QPainter, QPen, QPolygonF, QTransform

from core.i18n import tr
from core.pictures import palette
from core.pictures.label_places import places
from gui import theme
from gui.widgets.point_camera import Camera
from gui.widgets.point_index import PointIndex
from gui.widgets.point_legend import Legend, draw_legend, draw_note
from gui.widgets.point_raster import Canvas, colour_sums, density, shades
from gui.widgets.symbols import symbol_path

DENSE = 20_000  # points in sight from which they are drawn as density
CELL = 2  # pixels of the density's cells
CANDIDATES = 600  # labels that are tried
FOREMOST = 20_000  # of the most important points, among which labels are looked for while more than DENSE are in sight
MOST_LABELS = 120
RADII = ((400, 5.0), (2_000, 4.0), (8_000, 3.0), (DENSE, 2.4))  # points in sight up to so many: the radius of each
HALO = 2.2  # pixels around a selected point
RIM = 12  # pixels around the picture in which a point still reaches into it


class PointPicture:
    """changed: called when something else is to be seen. camera: what part of it is seen."""

    def __init__(self, changed: Callable[[], object]) -> None:
        look = theme.current()
        self._changed = changed
        self.camera = Camera()
        self.show_labels = True
        self.points = np.zeros((0, 2), np.float32)
        self.equal = True
        self.index = PointIndex(self.points)
        self.dense = False  # whether the last picture was one of density
        self.in_sight = 0
        self.taken: Sequence[QRectF] = ()  # where no label may stand
        self._corners: list[QRectF] = []
        self._shown: np.ndarray | None = None
        self._bright: np.ndarray | None = None
        self._selected = np.zeros(0, np.int64)
        self._marked = np.zeros(0, np.int64)
        self._words: Sequence[str] = ()
        self._rank: np.ndarray | None = None
        self._foremost = np.zeros(0, np.int64)
        self._arrows: Sequence[tuple[int, int]] = ()
        self._axes = ("", "")
        self._legend: Legend | None = None
        self._background, self._grey, self._halo = _rgb(look.surface), _rgb(look.border_strong), _rgb(look.text)
        self._ramp = palette.ramp(look.dark)
        self._palette = np.array([_rgb(look.accent)])
        self._colours: np.ndarray | None = None
        self._symbols: Sequence[str] = ("o",)
        self._sums: tuple[np.ndarray, np.ndarray] | None = None
        self._spun: np.ndarray | None = None  # the points in the order of the index, while the space is turned
        self._widths: dict[str, float] = {}
        self._font = theme.font("small")
        self._metrics = QFontMetricsF(self._font)

    # what is shown

    def set_points(self, points: np.ndarray, *, equal: bool = True) -> bool:
        """points: (n, 2) or (n, 3), rows of NaN are not shown. equal: both axes have one scale. With another number of points all
        else that was set is forgotten, and True is returned."""
        points = np.ascontiguousarray(points, np.float32)
        other = len(points) != len(self.points)
        self.points, self.equal = points, equal
        if other:
            self._shown = self._bright = self._colours = self._legend = None
            self._selected = self._marked = np.zeros(0, np.int64)
            self._arrows, self._words, self._rank, self._foremost = (), (), None, np.zeros(0, np.int64)
        self.sort()
        return other

    def set_words(self, words: Sequence[str], rank: np.ndarray | None = None) -> None:
        """words: (n) labels. rank: (n,), the smaller the sooner a point is labelled; without it the order of the rows."""
        self._words, self._rank = words, rank
        self._foremost = np.arange(min(len(words), FOREMOST)) if rank is None else np.argsort(rank, kind="stable")[:FOREMOST]
        self._changed()

    def set_colours(self, colours: np.ndarray | None, rgb: np.ndarray | None = None, symbols: Sequence[str] = ("o",)) -> None:
        """colours: (n,) integers, indices into rgb (m, 3) uint8; None: all alike. symbols: of each colour, or one for all."""
        self._colours = None if colours is None else np.asarray(colours, np.int32)
        self._palette = np.array([_rgb(theme.current().accent)]) if rgb is None else np.asarray(rgb, np.uint8)
        self._symbols, self._sums = symbols, None
        self._changed()

    def set_legend(self, legend: Legend | None) -> None:
        self._legend = legend
        self._changed()

    def set_shown(self, shown: np.ndarray | None) -> None:
        """(n,) bool: only these are there; None: all."""
        self._shown = shown
        self.sort()

    def set_bright(self, bright: np.ndarray | None) -> None:
        """(n,) bool: the others are grey, but stay; None: none is."""
        self._bright, self._sums = bright, None
        self._changed()

    def set_selected(self, rows: np.ndarray) -> None:
        """These get a rim."""
        self._selected, self._sums = np.asarray(rows, np.int64), None
        self._changed()

    def set_marked(self, rows: Sequence[int]) -> None:
        """These get a ring, the first a greater one, and their labels come first."""
        self._marked = np.asarray(rows, np.int64).reshape(-1)
        self._changed()

    def set_arrows(self, arrows: Sequence[tuple[int, int]]) -> None:
        """From row to row."""
        self._arrows = arrows
        self._changed()

    def set_axes(self, across: str, up: str) -> None:
        self._axes = (across, up)
        self._changed()

    @property
    def flat(self) -> bool:
        return self.points.shape[1] == 2

    def sort(self) -> None:
        """After the points or the turn of the space have changed."""
        flat = np.stack(self._flat_of(slice(None)), axis=1)
        if self._shown is not None:
            flat = np.where(self._shown[:, None], flat, np.nan)
        self.index = PointIndex(flat)
        self._sums = self._spun = None
        self._changed()

    def spin(self) -> None:
        """As `sort`, but quickly, for one frame of many; call `sort` after the last."""
        if self._spun is None:
            self._spun = np.ascontiguousarray(self.points[self.index.order])
        turn = self.camera.turn.astype(np.float32)
        self.index = PointIndex.loose(self.index.order, self._spun @ turn[0], self._spun @ turn[1])
        self._changed()

    @property
    def spinning(self) -> bool:
        return self._spun is not None

    def pixels_of(self, rows: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
        """Where points are drawn in a picture of that size; NaN for those that are nowhere."""
        x, y = self._flat_of(rows)
        if self._shown is not None:
            x = np.where(self._shown[rows], x, np.nan)
        return self.camera.pixels(x, y, width, height)

    def rows_in(self, inside: np.ndarray) -> np.ndarray:
        """The rows at the pixels of a mask, (height, width) bool, sorted."""
        height, width = inside.shape
        rows, across, down = self._in_sight(width, height, 0)
        seen = (across >= 0) & (down >= 0) & (across < width) & (down < height)
        return np.sort(rows[seen][inside[down[seen].astype(int), across[seen].astype(int)]])

    def _flat_of(self, rows: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray]:
        points = self.points[rows]
        if self.flat:
            return points[:, 0], points[:, 1]
        turn = self.camera.turn.astype(np.float32)
        return points @ turn[0], points @ turn[1]

    def _in_sight(self, width: int, height: int, rim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, and their pixels across and down."""
        found = self.index.inside(*self.camera.range(width, height, rim))
        across, down = self.camera.pixels(self.index.x[found], self.index.y[found], width, height)
        seen = (across > -rim) & (down > -rim) & (across < width + rim) & (down < height + rim)
        if seen.all():
            return self.index.order[found], across, down
        return self.index.order[found][seen], across[seen], down[seen]

    # drawing

    def paint(self, painter: QPainter, width: int, height: int, ratio: float = 1.0, *, quick: bool = False) -> None:
        """ratio: device pixels for one. quick: without labels."""
        painter.fillRect(QRectF(0, 0, width, height), QColor(theme.current().surface))
        rows, across, down = self._in_sight(width, height, RIM)
        self.dense, self.in_sight = len(rows) > DENSE, len(rows)
        picked = np.zeros(len(self.points), bool)
        picked[self._selected] = True
        if self.dense:
            self._draw_density(painter, rows, across, down, width, height)
            above = picked[rows] if self._bright is None else picked[rows] | self._bright[rows]
            if above.any() and above.sum() <= DENSE:
                self._draw_points(painter, rows[above], across[above], down[above], picked, width, height, ratio, clear=True)
        else:
            self._draw_points(painter, rows, across, down, picked, width, height, ratio)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._corners = self._draw_axes(painter, width, height)
        self._draw_marks(painter, width, height)
        if self._legend is not None:
            self._corners.append(draw_legend(painter, self._legend, width))
        if self.dense:
            self._corners.append(draw_note(painter, tr("{count:,} points as density", count=len(rows))))
        if self.show_labels and len(self._words) and not quick:
            self._draw_labels(painter, rows, width, height)

    def _draw_density(self, painter: QPainter, rows: np.ndarray, across: np.ndarray, down: np.ndarray, width: int, height: int) -> None:
        sums = None
        if self._colours is not None or self._bright is not None or len(self._selected) > DENSE:
            if self._sums is None:
                self._sums = colour_sums(self._colours_of(self.index.order))  # in the order of the index: most frames take it whole
            sums = self._sums
            if len(rows) != len(self.index):
                place = np.empty(len(self.points), np.int64)
                place[self.index.order] = np.arange(len(self.index))
                sums = (sums[0][place[rows]], sums[1][place[rows]])
        image = density(across, down, width, height, self._background, self._ramp, sums, CELL)
        drawn = QImage(image.data, image.shape[1], image.shape[0], image.strides[0], QImage.Format.Format_RGB32)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(0, 0, image.shape[1] * CELL, image.shape[0] * CELL), drawn)

    def _colours_of(self, rows: np.ndarray) -> np.ndarray:
        """(rows, 3) uint8"""
        made = self._palette[self._colours[rows] if self._colours is not None else np.zeros(len(rows), int)]
        if self._bright is not None:
            made = np.where(self._bright[rows][:, None], made, self._grey)
        if len(self._selected) > DENSE:
            picked = np.zeros(len(self.points), bool)
            picked[self._selected] = True
            made = np.where(picked[rows][:, None], self._halo, made)
        return made

    def _draw_points(self, painter: QPainter, rows: np.ndarray, across: np.ndarray, down: np.ndarray, picked: np.ndarray, width: int,
                     height: int, ratio: float, *, clear: bool = False) -> None:
        """clear: upon what is there already."""
        radius = next((radius for most, radius in RADII if len(rows) <= most), RADII[-1][1])
        if painter.paintEngine().type() in (QPaintEngine.Type.SVG, QPaintEngine.Type.Pdf):
            self._draw_shapes(painter, rows, across, down, picked, radius)
            return
        if not self.flat:  # the near ones last
            order = np.argsort(self.points[rows] @ self.camera.turn[2].astype(np.float32), kind="stable")
            rows, across, down = rows[order], across[order], down[order]
        canvas = Canvas(round(width * ratio), round(height * ratio), None if clear else self._background)
        across, down, radius = across * ratio, down * ratio, radius * ratio
        colours = self._colours[rows] if self._colours is not None else np.zeros(len(rows), np.int32)
        count = len(self._palette)
        look = shades(np.vstack([self._palette, [self._grey, self._halo]]), self._background)
        bright = np.ones(len(rows), bool) if self._bright is None else self._bright[rows]
        canvas.draw(across[~bright], down[~bright], np.full(int((~bright).sum()), count), look, "o", radius * 0.8)
        mine = picked[rows]
        canvas.draw(across[mine], down[mine], np.full(int(mine.sum()), count + 1), look, "o", radius + HALO * ratio)
        for number, symbol in enumerate(self._symbols):
            mine = bright if len(self._symbols) == 1 else bright & (colours == number)
            canvas.draw(across[mine], down[mine], colours[mine], look, symbol, radius)
        pixels = canvas.image()
        image = QImage(pixels.data, pixels.shape[1], pixels.shape[0], pixels.strides[0], QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        painter.drawImage(0, 0, image)

    def _draw_shapes(self, painter: QPainter, rows: np.ndarray, across: np.ndarray, down: np.ndarray, picked: np.ndarray, radius: float) -> None:
        """For a file that keeps shapes as shapes."""
        rim = QPen(QColor(*self._halo.tolist()), HALO)
        size = QTransform.fromScale(2 * radius, 2 * radius)
        paths = [size.map(symbol_path(symbol)) for symbol in self._symbols]
        of = self._colours[rows].tolist() if self._colours is not None and len(paths) > 1 else [0] * len(rows)
        for x, y, rgb, mine, symbol in zip(across.tolist(), down.tolist(), self._colours_of(rows).tolist(), picked[rows].tolist(), of, strict=True):
            painter.setPen(rim if mine else Qt.PenStyle.NoPen)
            painter.setBrush(QColor(*rgb))
            painter.drawPath(paths[symbol].translated(x, y))

    def _draw_marks(self, painter: QPainter, width: int, height: int) -> None:
        look = theme.current()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        across, down = self.pixels_of(self._marked, width, height)
        for place, (x, y) in enumerate(zip(across.tolist(), down.tolist(), strict=True)):
            if -RIM < x < width + RIM and -RIM < y < height + RIM:
                painter.setPen(QPen(QColor(look.accent), 1.3 if place else 2.6))
                painter.drawEllipse(QPointF(x, y), *([6.0] * 2 if place else [9.0] * 2))
        for start, end in self._arrows:
            across, down = self.pixels_of(np.array([start, end]), width, height)
            if np.isfinite(across).all() and np.isfinite(down).all():
                _arrow(painter, QPointF(across[0], down[0]), QPointF(across[1], down[1]), QColor(look.accent))

    def _draw_labels(self, painter: QPainter, rows: np.ndarray, width: int, height: int) -> None:
        rows = self._worth_a_label(rows)
        across, down = self.pixels_of(rows, width, height)
        seen = np.flatnonzero((across >= 0) & (down >= 0) & (across < width) & (down < height))[:CANDIDATES]
        if not len(seen):
            return
        words = [self._words[row] for row in rows[seen].tolist()]
        high = self._metrics.height()
        sizes = np.array([(self._wide(word) + 4, high) for word in words])
        taken = [(box.x(), box.y(), box.width(), box.height()) for box in (*self.taken, *self._corners)]
        found = places(np.stack([across[seen], down[seen]], axis=1), sizes, width, height, most=MOST_LABELS, taken=taken)
        painter.setFont(self._font)
        under = QColor(theme.current().surface)
        under.setAlphaF(0.72)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(under)
        for index, left, top in found:
            painter.drawRoundedRect(QRectF(left, top, sizes[index, 0], high), 3, 3)
        painter.setPen(QColor(theme.current().text))
        for index, left, top in found:
            painter.drawText(QPointF(left + 2, top + self._metrics.ascent()), words[index])

    def _worth_a_label(self, rows: np.ndarray) -> np.ndarray:
        """The marked and the selected first, then by rank."""
        if self.dense:
            rows = self._foremost if self._shown is None else self._foremost[self._shown[self._foremost]]
        if self._bright is not None:
            bright = np.flatnonzero(self._bright)[: 4 * CANDIDATES] if self.dense else rows[self._bright[rows]]
            rows = bright if len(bright) else rows
        rank = rows if self._rank is None else self._rank[rows]
        if len(rows) > 2 * CANDIDATES:
            best = np.argpartition(rank, 2 * CANDIDATES)[: 2 * CANDIDATES]
            rows, rank = rows[best], rank[best]
        rows = rows[np.argsort(rank, kind="stable")]
        first = np.array(list(dict.fromkeys([*self._marked.tolist(), *self._selected[:CANDIDATES].tolist()])), np.int64)  # each once
        return np.concatenate([first, rows[~np.isin(rows, first)]]) if len(first) else rows

    def _wide(self, word: str) -> float:
        if word not in self._widths:
            if len(self._widths) > 50_000:
                self._widths.clear()
            self._widths[word] = self._metrics.horizontalAdvance(word)
        return self._widths[word]

    def _draw_axes(self, painter: QPainter, width: int, height: int) -> list[QRectF]:
        """Their names, and where those stand."""
        if not any(self._axes):
            return []
        painter.setFont(self._font)
        painter.setPen(QColor(theme.current().text_soft))
        high = self._metrics.height()
        painter.drawText(QRectF(0, height - high - 4, width - 8, high), Qt.AlignmentFlag.AlignRight, self._axes[0])
        painter.save()
        painter.translate(4, 0)
        painter.rotate(-90)
        painter.drawText(QRectF(-height, 0, height, high), Qt.AlignmentFlag.AlignHCenter, self._axes[1])  # clear of both corners
        painter.restore()
        across, up = (self._metrics.horizontalAdvance(words) for words in self._axes)
        return [QRectF(width - across - 12, height - high - 4, across + 12, high), QRectF(2, (height - up) / 2, high + 4, up)]


def _rgb(colour: str) -> np.ndarray:
    made = QColor(colour)
    return np.array([made.red(), made.green(), made.blue()], np.uint8)


def _arrow(painter: QPainter, start: QPointF, end: QPointF, colour: QColor) -> None:
    painter.setPen(QPen(colour, 2))
    painter.drawLine(start, end)
    way = end - start
    along = way / max((way.x() ** 2 + way.y() ** 2) ** 0.5, 1e-6)
    aside, tip = QPointF(-along.y(), along.x()), end - along * 7
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([tip, tip - along * 10 + aside * 5, tip - along * 10 - aside * 5]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
