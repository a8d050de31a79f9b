"""The map: labels never overlap, what is chosen is what was encircled, and many points are drawn as density, none left out."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QPolygonF
from PySide6.QtTest import QTest

from core.pictures.label_places import places
from gui.widgets.point_camera import Camera
from gui.widgets.point_index import PointIndex
from gui.widgets.point_map import ADD, BOX, LASSO, REMOVE, SET, PointMap
from gui.widgets.point_picture import DENSE
from gui.widgets.point_raster import Canvas, colour_sums, density, packed, shades

WHITE = np.array([255, 255, 255], np.uint8)


@pytest.fixture
def make_map(qtbot):
    def make(points: np.ndarray, width: int = 400, height: int = 300) -> PointMap:
        made = PointMap()
        qtbot.addWidget(made)
        made.resize(width, height)
        made.set_points(points)
        made.show()
        return made

    return make


def test_labels_never_overlap_and_stay_in_the_picture_and_away_from_what_is_taken():
    placed = 0
    for seed in range(25):
        random = np.random.default_rng(seed)
        count = int(random.integers(1, 500))
        points = random.normal(size=(count, 2)) * random.uniform(1, 200) + [300, 200]
        sizes = random.uniform(3, 130, size=(count, 2)) * [1, 0.3]
        found = places(points, sizes, 600, 400, most=1000, taken=[(20.0, 30.0, 150.0, 60.0)])
        boxes = [(left, top, left + sizes[index, 0], top + sizes[index, 1]) for index, left, top in found]
        assert all(a >= 0 and b >= 0 and c <= 600 and d <= 400 for a, b, c, d in boxes)
        every = [*boxes, (20, 30, 170, 90)]
        for first, (a, b, c, d) in enumerate(every):
            for e, f, g, h in every[first + 1 :]:
                assert c <= e or g <= a or d <= f or h <= b
        if (points[0] > 220).all() and (points[0] < [450, 350]).all():
            assert found[0][0] == 0  # the most important one has its place
        placed += len(found)
    assert placed > 1000  # a label alone overlaps none either


def test_the_index_finds_what_lies_in_a_rectangle_and_the_nearest_point():
    random = np.random.default_rng(1)
    xy = random.normal(size=(5000, 2)).astype(np.float32)
    xy[7] = np.nan
    index = PointIndex(xy)
    for _ in range(30):
        low, high = np.sort(random.normal(size=(2, 2)), axis=0)
        rows = index.order[index.inside((low[0], high[0]), (low[1], high[1]))]
        wanted = np.flatnonzero((xy >= low).all(axis=1) & (xy <= high).all(axis=1))
        assert set(wanted.tolist()) <= set(rows.tolist())
        assert len(rows) == len(set(rows.tolist())) < len(wanted) + 1000  # and few others
        at = random.normal(size=2)
        far = np.hypot(*(xy - at).T)
        best = int(np.nanargmin(far))
        assert index.nearest(*at, (0.2, 0.2)) == (best if far[best] <= 0.2 else -1)
    assert len(PointIndex(np.full((3, 2), np.nan))) == 0
    assert index.nearest(float("nan"), 0, (0.1, 0.1)) == -1
    assert PointIndex(np.ones((4, 2))).nearest(1, 1, (0.1, 0.1)) in range(4)


def test_every_point_is_counted_in_the_picture_of_density():
    x, y = np.full(1000, 10.0, np.float32), np.full(1000, 4.0, np.float32)
    x[:2] = 30
    x[2] = -5
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    image = density(x, y, 40, 20, WHITE, ramp, cell=2) & 255
    assert image.shape == (10, 20)
    assert np.count_nonzero(image) == 2
    assert 0 < image[2, 15] < image[2, 5] == 255


def test_a_cell_of_density_has_the_mean_colour_of_its_points():
    rgb = np.array([[200, 0, 0]] * 30_000 + [[0, 100, 250]] * 10_000, np.uint8)
    x = np.full(len(rgb), 3.0, np.float32)
    pixel = int(density(x, x, 8, 8, WHITE, np.zeros((256, 3), np.uint8), colour_sums(rgb))[3, 3])
    assert np.allclose([pixel >> 16 & 255, pixel >> 8 & 255, pixel & 255], [150, 25, 62], atol=1)


def test_a_symbol_is_drawn_where_its_point_is():
    for symbol in ("o", "s", "d", "star", "t", "t1", "p", "h"):
        canvas = Canvas(60, 40, WHITE)
        canvas.draw(np.array([20.0, -500.0]), np.array([10.0, 5.0]), np.array([0, 0]), shades(np.array([[255, 0, 0]]), WHITE), symbol, 4)
        rows, columns = np.nonzero(canvas.image() != packed(WHITE))
        assert np.hypot(rows.mean() - 10, columns.mean() - 20) < 1
        assert canvas.image()[10, 20] == 0xFFFF0000


def test_what_lies_under_the_pointer_stays_there_while_zooming():
    camera = Camera()
    camera.fit(np.zeros(2), np.array([10.0, 5.0]), 400, 300, True)
    before = camera.point(310, 40, 400, 300)
    camera.zoom(3, 310, 40, 400, 300)
    assert np.allclose(camera.point(310, 40, 400, 300), before)
    assert camera.zoomed == pytest.approx(3)
    across, down = camera.pixels(np.float32(before[0]), np.float32(before[1]), 400, 300)
    assert (float(across), float(down)) == pytest.approx((310, 40), abs=1e-3)


def test_a_turned_space_stays_one():
    camera = Camera()
    for _ in range(500):
        camera.rotate(0.1, 0.07)
    assert np.allclose(camera.turn @ camera.turn.T, np.eye(3))


def test_few_points_are_points_and_many_are_density(make_map):
    random = np.random.default_rng(2)
    few, many = make_map(random.normal(size=(500, 2))), make_map(random.normal(size=(DENSE + 500, 2)))
    many.picture.set_words([str(row) for row in range(DENSE + 500)])
    few.grab()
    many.grab()
    assert (few.picture.dense, many.picture.dense) == (False, True)
    assert many.picture.in_sight == DENSE + 500
    many.zoom(30)
    many.grab()
    assert not many.picture.dense


def test_a_click_means_the_point_under_it(qtbot, make_map):
    shown = make_map(np.array([[0.0, 0], [10, 0], [10, 8]]))
    place = shown.place_of(1)
    with qtbot.waitSignal(shown.clicked) as sent:
        QTest.mouseClick(shown, Qt.MouseButton.LeftButton, pos=place.toPoint() + QPoint(4, -3))
    assert sent.args == [1]
    with qtbot.waitSignal(shown.clicked) as sent:
        QTest.mouseClick(shown, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    assert sent.args == [-1]


@pytest.mark.parametrize(("keys", "how"), [(Qt.KeyboardModifier.NoModifier, SET), (Qt.KeyboardModifier.ShiftModifier, ADD),
                                          (Qt.KeyboardModifier.AltModifier, REMOVE)])
def test_a_box_chooses_the_points_in_it(qtbot, make_map, keys, how):
    random = np.random.default_rng(3)
    points = random.uniform(0, 10, size=(800, 2))
    shown = make_map(points)
    shown.tool = BOX
    corners = [shown.place_of(0), shown.place_of(1)]
    with qtbot.waitSignal(shown.chosen) as sent:
        QTest.mousePress(shown, Qt.MouseButton.LeftButton, keys, corners[0].toPoint())
        QTest.mouseMove(shown, corners[1].toPoint())
        QTest.mouseRelease(shown, Qt.MouseButton.LeftButton, keys, corners[1].toPoint())
    rows, said = sent.args
    box = QRectF(*(QPointF(corner.toPoint()) for corner in corners)).normalized().adjusted(-1.5, -1.5, 1.5, 1.5)
    inner = box.adjusted(3, 3, -3, -3)
    at = [shown.place_of(row) for row in range(800)]
    assert said == how
    assert {row for row in range(800) if inner.contains(at[row])} <= set(rows.tolist()) <= {row for row in range(800) if box.contains(at[row])}


def test_a_lasso_chooses_the_points_within_its_line(make_map):
    shown = make_map(np.random.default_rng(4).uniform(0, 10, size=(2000, 2)))
    shown.tool = LASSO
    triangle = QPolygonF([QPointF(50, 50), QPointF(350, 80), QPointF(120, 260)])
    rows = set(shown.rows_in(triangle).tolist())
    exact = {row for row in range(2000) if triangle.containsPoint(shown.place_of(row), Qt.FillRule.OddEvenFill)}
    assert len(exact) > 100
    assert len(rows ^ exact) <= 0.03 * len(exact)  # points on the line itself


def test_points_of_nan_and_hidden_ones_are_nowhere(make_map):
    points = np.array([[0.0, 0], [np.nan, 1], [5, 5]])
    shown = make_map(points)
    assert shown.row_at(shown.place_of(2)) == 2
    shown.picture.set_shown(np.array([True, True, False]))
    shown.grab()
    assert np.isnan(shown.place_of(1).x()) and np.isnan(shown.place_of(2).x())
    assert shown.rows_in(QPolygonF(QRectF(0, 0, 400, 300))).tolist() == [0]


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.zeros((1, 2)), np.full((4, 2), np.nan), np.ones((50, 2)), np.ones((6, 3))])
def test_it_bears_nothing_one_point_and_points_in_one_place(make_map, points):
    shown = make_map(points)
    shown.picture.set_words(["word"] * len(points))
    shown.zoom(2)
    shown.rotate(0.3, 0.2)
    assert not shown.grab().isNull()


def test_a_point_in_space_moves_when_the_space_turns(make_map):
    shown = make_map(np.random.default_rng(5).normal(size=(100, 3)))
    before = shown.place_of(4)
    QTest.mousePress(shown, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    QTest.mouseMove(shown, QPoint(140, 100))
    QTest.mouseMove(shown, QPoint(160, 110))
    QTest.mouseRelease(shown, Qt.MouseButton.LeftButton, pos=QPoint(160, 110))
    assert (shown.place_of(4) - before).manhattanLength() > 3


def test_many_points_are_turned_without_sorting_them_for_each_frame(make_map, monkeypatch):
    shown = make_map(np.random.default_rng(6).normal(size=(DENSE + 100, 3)))
    shown.picture.set_colours(np.arange(DENSE + 100) % 2, np.array([[255, 0, 0], [0, 0, 255]]))
    sorted_ = []
    monkeypatch.setattr(shown.picture, "sort", lambda sort=shown.picture.sort: sorted_.append(sort()))
    QTest.mousePress(shown, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    for step in range(5):
        QTest.mouseMove(shown, QPoint(120 + 9 * step, 100))
        shown.grab()
        assert shown.picture.in_sight > DENSE
    assert not sorted_
    QTest.mouseRelease(shown, Qt.MouseButton.LeftButton, pos=QPoint(160, 100))
    assert len(sorted_) == 1
    turn = shown.picture.camera.turn
    row = int(shown.picture.index.order[0])
    assert shown.picture.index.x[0] == pytest.approx(shown.picture.points[row] @ turn[0], abs=1e-4)


def test_a_point_that_is_marked_and_selected_has_its_name_once(make_map, tmp_path):
    from gui.picture import save_picture

    shown = make_map(np.array([[0.0, 0], [5, 4], [10, 8]]))  # there is room around the one in the middle
    shown.picture.set_words(["apple", "苹果", "pear"])
    shown.picture.set_marked([1])
    shown.picture.set_selected(np.array([0, 1]))
    save_picture(shown, tmp_path / "a.svg")
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert [drawn.count(f">{word}<") for word in ("apple", "苹果", "pear")] == [1, 1, 1]


def test_a_saved_picture_keeps_symbols_and_names(make_map, tmp_path):
    from gui.picture import save_picture

    shown = make_map(np.array([[0.0, 0], [10, 0], [10, 8]]))
    shown.picture.set_words(["apple", "苹果", "pear"])
    shown.picture.set_colours(np.array([0, 1, 1]), np.array([[255, 0, 0], [0, 0, 255]]), ("o", "s"))
    save_picture(shown, tmp_path / "a.svg")
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert ">苹果<" in drawn
    assert "#ff0000" in drawn and "#0000ff" in drawn
    assert "<image" not in drawn
