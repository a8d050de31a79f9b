from __future__ import annotations

import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMargins, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent
from PySide6.QtWidgets import QApplication, QGraphicsView, QVBoxLayout, QWidget

from core.pictures import palette
from core.shares import percent
from gui import picture, theme
from gui.widgets.axes import clock, short
from gui.widgets.balance import Balance
from gui.widgets.band_curves import BandCurve, BandCurves
from gui.widgets.choice_cards import ChoiceCard
from gui.widgets.confusion_matrix import ConfusionMatrix
from gui.widgets.curve import DRAWN_MEANS, Curves
from gui.widgets.elided import Elided
from gui.widgets.empty import Empty
from gui.widgets.head_grid import NOTE, HeadGrid
from gui.widgets.head_lines import HeadLines
from gui.widgets.heatmap import LEGEND, Heatmap
from gui.widgets.histogram import Histogram
from gui.widgets.histogram import bars as histogram_bars
from gui.widgets.latency_bars import LatencyBars, Taken
from gui.widgets.layer_bars import LayerBar, LayerBars, layer_colours
from gui.widgets.line_chart import Band, Line, LineChart
from gui.widgets.measure_chart import MARK, Bar, MeasureChart
from gui.widgets.plots import HoverCard
from gui.widgets.probability_bars import ProbabilityBars
from gui.widgets.scatter import Scatter
from gui.widgets.sense_text import marked
from gui.widgets.series import Growing, MovingAverage, thin_means, thin_peaks
from gui.widgets.sparkline import Sparkline
from gui.widgets.switch import Switch
from gui.widgets.tokens import Tokens
from gui.widgets.value_scatter import ValueScatter
from gui.widgets.vector_strip import VectorStrip
from gui.widgets.word_bars import Column, WordBars

XY = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [np.nan, np.nan]])


@pytest.fixture
def scatter(qtbot):
    made = Scatter()
    qtbot.addWidget(made)
    made.resize(400, 400)
    made.show()
    qtbot.waitExposed(made)
    made.set_points(XY, [0, 1, 1, 2], hard=[False, True, False, True], cards=["a", "b", "c", "d"])
    made.set_range((-1, 2), (-1, 2))
    QApplication.processEvents()
    return made


def _move(widget: Scatter, place: QPointF) -> None:
    viewport = widget._plot.viewport()
    at = viewport.mapFrom(widget, place.toPoint())
    event = QMouseEvent(QMouseEvent.Type.MouseMove, QPointF(at), viewport.mapToGlobal(QPointF(at)), Qt.MouseButton.NoButton,
                        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(viewport, event)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_click_names_the_point(qtbot, scatter, index):
    place = scatter._plot.viewport().mapFrom(scatter, scatter.place_of(index).toPoint())
    with qtbot.waitSignal(scatter.clicked) as caught:
        qtbot.mouseClick(scatter._plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert caught.args == [index]


def test_a_click_beside_all_points_names_none(qtbot, scatter):
    with qtbot.assertNotEmitted(scatter.clicked):
        qtbot.mouseClick(scatter._plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(5, 5))


def test_hover_shows_the_card_of_the_point_and_hides_it(qtbot, scatter):
    _move(scatter, scatter.place_of(1))
    assert scatter._card.isVisible()
    assert scatter._card.text() == "b"
    _move(scatter, QPointF(5, 5))
    assert not scatter._card.isVisible()


def test_points_that_are_not_there_are_not_drawn(scatter):
    assert len(scatter._items[2].getData()[0]) == 0
    assert len(scatter._rings.getData()[0]) == 1


def test_a_selected_point_is_marked(scatter):
    scatter.select(2)
    x, y = scatter._mark.getData()
    assert (x[0], y[0]) == (0.0, 1.0)
    scatter.select(3)
    assert len(scatter._mark.getData()[0]) == 0


def test_moving_points_leaves_the_range_alone(scatter):
    before = scatter._view.viewRange()
    scatter.move_points(XY + 5)
    assert scatter._view.viewRange() == before
    assert scatter._items[0].getData()[0][0] == 5.0


def test_places_must_fit_the_categories(scatter):
    with pytest.raises(ValueError, match="2 places for 4"):
        scatter.move_points(np.zeros((2, 2)))


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.full((3, 2), np.nan), np.zeros((1, 2))])
def test_fit_bears_nothing_nan_and_one_point(scatter, points):
    scatter.set_points(points, np.zeros(len(points), dtype=int))
    scatter.fit()
    scatter.grab()
    scatter.index_at(10, 10)


@pytest.fixture
def curves(qtbot):
    made = Curves({"steps": "Steps", "time": "Time"}, "Loss")
    qtbot.addWidget(made)
    made.resize(500, 400)
    made.show()
    return made


def test_curves_grow_and_are_drawn_decimated(qtbot, curves):
    curves.add("a", "run a", "#ff0000")
    steps = np.arange(20_000)
    curves.append("a", {"steps": steps, "time": steps / 10}, np.sin(steps))
    curves.append("a", {"steps": [20_000], "time": [2000.0]}, [5.0])
    curves._draw()
    x, _ = curves._curves["a"].line.getData()
    assert len(x) <= DRAWN_MEANS + 1
    assert x[-1] == 20_000
    curves.set_axis("time")
    assert curves._curves["a"].line.getData()[0][-1] == 2000.0


def test_curves_without_a_number_say_so_instead_of_an_empty_axis(qtbot, curves):
    curves.add("a", "apple", "#ff0000")
    assert curves.nothing.isVisible() and not curves._plot.isVisible()
    curves.append("a", {"steps": [1.0], "time": [1.0]}, [2.0])
    qtbot.waitUntil(lambda: curves._plot.isVisible() and not curves.nothing.isVisible())
    curves.clear()
    qtbot.waitUntil(lambda: curves.nothing.isVisible())


def test_without_smoothing_the_values_are_shown_as_they_are(curves):
    curves.add("a", "run a", "#ff0000")
    curves.append("a", {"steps": [1, 2, 3], "time": [1, 2, 3]}, [4.0, np.nan, 6.0])
    curves.set_smoothing(0)
    np.testing.assert_array_equal(curves._curves["a"].line.getData()[1], [4.0, np.nan, 6.0])


def _over(curves: Curves, x: float, aside: float = 0) -> QPointF:
    """The pointer at that x, or so many pixels beside it; returns where it is in the widget."""
    curves._draw()
    QApplication.processEvents()
    box, viewport = curves._plot.getViewBox(), curves._plot.viewport()
    scene = box.mapViewToScene(QPointF(x, box.viewRange()[1][0]))
    at = QPointF(curves._plot.mapFromScene(scene)) + QPointF(aside, -20)
    QApplication.sendEvent(viewport, QMouseEvent(QMouseEvent.Type.MouseMove, at, viewport.mapToGlobal(at), Qt.MouseButton.NoButton,
                                                 Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier))
    return viewport.mapTo(curves, at)


def _said(curves: Curves) -> list[str]:
    return [re.sub("<[^>]*>", "", line).replace("&nbsp;", " ") for line in curves._card.text().split("<br>")]


def test_the_card_over_curves_tells_what_the_nearest_point_of_each_holds(curves):
    steps = np.array([0, 100, 200])
    curves.add("a", "run <a>", "#ff0000")
    curves.add("b", "run b", "#00ff00", points=True)
    curves.append("a", {"steps": steps, "time": steps * 36}, [4.0, 2.0, 1.0])
    curves.append("b", {"steps": steps[1:], "time": steps[1:] * 36}, [8.0, 6.0])
    smooth = (0.7 * 0.3 * 4 + 0.3 * 2) / (1 - 0.7**2)
    for aside in (0, -30, 30):
        _over(curves, 100, aside)
        assert _said(curves)[0].endswith(" · smoothed") and _said(curves)[1] == f"● run &lt;a&gt;  {smooth:.4g}"
        assert _said(curves)[2:] == ["● run b  8"] * (aside >= 0), "it begins there"
        assert curves._card.isVisible() and abs(curves._line.value() - 100 - aside / 2) < 10 and curves._line.isVisible()
    curves.set_smoothing(0.5)
    _over(curves, 100)
    assert _said(curves)[1] == f"● run &lt;a&gt;  {(0.5 * 0.5 * 4 + 0.5 * 2) / (1 - 0.5**2):.4g}"
    curves.set_smoothing(0)
    _over(curves, 100)
    assert re.fullmatch(r"Steps (99|100|101)(\.\d)?", _said(curves)[0]) and _said(curves)[1] == "● run &lt;a&gt;  2"
    curves.set_axis("time")
    _over(curves, 3700)
    assert re.fullmatch(r"Time 1:0[12]:\d\d", _said(curves)[0]) and _said(curves)[1:] == ["● run &lt;a&gt;  2", "● run b  8"]
    QApplication.sendEvent(curves._plot.viewport(), QEvent(QEvent.Type.Leave))
    assert not curves._card.isVisible() and not curves._line.isVisible()


@pytest.mark.parametrize(("x", "y", "right", "below"), [(9, 9, True, True), (390, 9, False, True), (9, 290, True, False), (390, 290, False, False)])
def test_a_card_stands_beside_the_pointer_where_there_is_room(qtbot, x, y, right, below):
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(400, 300)
    card = HoverCard(parent)
    card.show_at(x, y, "one line<br>and another")
    place = card.geometry()
    assert (place.left() - x, x - place.right() - 1)[not right] == 16 and (place.top() - y, y - place.bottom() - 1)[not below] == 12


def test_a_narrow_picture_does_not_cut_its_card_which_goes_with_it(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(600, 300)
    picture = Scatter(parent=window)
    picture.setGeometry(440, 100, 120, 120)
    picture.set_points(np.array([[0.0, 0.0], [1.0, 1.0]]), (0, 0), cards=["a sentence that is wider than the picture"] * 2)
    picture.fit()
    window.show()
    qtbot.waitExposed(window)
    _move(picture, picture.place_of(0))
    card = picture._card
    assert card.visibleRegion().boundingRect() == card.rect() and card.width() > picture.width()
    assert not card.geometry().contains(picture.mapTo(window, picture.place_of(0).toPoint()))
    picture.hide()
    assert not card.isVisible()
    picture.deleteLater()
    qtbot.waitUntil(lambda: not window.findChildren(HoverCard))


def test_the_card_over_curves_stands_where_the_pointer_is(curves):
    curves.add("a", "run a", "#ff0000")
    curves.append("a", {"steps": [0, 200], "time": [0, 200]}, [4.0, 2.0])
    curves.set_smoothing(0)  # fewer words in the card
    for step in (0, 100, 200):
        at, card = _over(curves, step), curves._card
        gap = card.x() - at.x() if step < 200 else at.x() - card.x() - card.width()
        assert 10 < gap < 20 and curves.rect().contains(card.geometry())


def test_a_curve_that_was_reset_is_smoothed_from_its_new_beginning(curves):
    curves.add("a", "run a", "#ff0000")
    curves.append("a", {"steps": [1, 2], "time": [1, 2]}, [4.0, 2.0])
    curves._draw()
    curves.reset("a")
    curves.append("a", {"steps": [1, 2, 3], "time": [1, 2, 3]}, [9.0, 9.0, 9.0])
    curves._draw()
    np.testing.assert_allclose(curves._curves["a"].line.getData(), [[1, 2, 3], [9, 9, 9]])


def test_curves_can_be_logarithmic_taken_away_and_emptied(curves):
    curves.add("a", "<b>a run</b>", "#ff0000", dashed=True)
    curves.add("b", "", "#00ff00", points=True)
    curves.append("a", {"steps": [1, 2], "time": [1, 2]}, [1.0, 2.0])
    assert "<b>" not in curves._legend.text()
    curves.set_log(True)
    curves.grab()
    curves.reset("a")
    curves.remove("b")
    assert curves.keys() == ("a",)
    curves.clear()
    assert curves.keys() == ()
    curves.grab()


def test_a_curve_is_read_at_its_point_nearest_to_the_pointer_and_not_beyond_its_end(qtbot, curves):
    curves.add("short", "short run", "#ff0000", smooth=False)
    curves.add("long", "long run", "#00ff00")
    curves.append("short", {"steps": [0, 10, 20], "time": [0, 1, 2]}, [9.0, 8.0, np.nan])
    curves.append("long", {"steps": [0, 10, 100], "time": [0, 1, 9]}, [5.0, 4.0, 3.0])
    curves._draw()
    QApplication.processEvents()
    box = curves._plot.getViewBox()

    def read(x: float) -> str:
        curves._read_out(QPointF(curves._plot.mapFromScene(box.mapViewToScene(QPointF(x, 4.0)))))
        return curves._card.text()

    assert "<b>8</b>" in read(12) and "smoothed" in read(12)
    assert "short run" not in read(20) and "long run" in read(20)  # there it holds no number
    assert "short run" not in read(60) and "<b>3." in read(60)
    curves.set_smoothing(0)
    assert "<b>3</b>" in read(60) and "<b>4</b>" in read(50) and "smoothed" not in read(60)


def test_pyqtgraph_leaves_our_hook_in_place():
    assert "pyqtgraph" not in sys.excepthook.__class__.__module__
    assert "pyqtgraph" not in getattr(sys.excepthook, "__module__", "")


def test_ema_is_the_recurrence_of_its_formula():
    values, share = np.random.default_rng(0).normal(size=5000), 0.9
    state, expected = 0.0, []
    for step, value in enumerate(values, start=1):
        state = share * state + (1 - share) * value
        expected.append(state / (1 - share ** step))
    np.testing.assert_allclose(MovingAverage(share).extend(values), expected, rtol=1e-9, atol=1e-12)
    piecewise = MovingAverage(share)
    np.testing.assert_allclose(np.concatenate([piecewise.extend(part) for part in np.array_split(values, 7)]), expected, rtol=1e-9,
                               atol=1e-12)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_ema_of_a_constant_is_the_constant_and_gaps_stay_gaps(share):
    values = np.full(3000, 7.0)
    values[10] = np.nan
    smooth = MovingAverage(share).extend(values)
    assert np.isnan(smooth[10])
    np.testing.assert_allclose(np.delete(smooth, 10), 7.0)


def test_thinning_keeps_peaks_and_the_last_point():
    y = np.zeros(10_000)
    y[4321], y[7654] = 9.0, -9.0
    x, thin = thin_peaks(np.arange(10_000.0), y, 200)
    assert len(x) <= 260
    assert {9.0, -9.0} <= set(thin.tolist())
    assert x[-1] == 9999
    assert (np.diff(x) > 0).all()


@pytest.mark.parametrize("count", [0, 1, 299, 301, 100_003])
def test_means_of_bins_follow_the_curve_and_bear_gaps(count):
    x = np.arange(float(count))
    y = 2 * x
    y[count // 2: count // 2 + 5] = np.nan
    thin_x, thin_y = thin_means(x, y, 300)
    assert len(thin_x) == len(thin_y) <= 301
    good = np.isfinite(thin_y)
    np.testing.assert_allclose(thin_y[good], 2 * thin_x[good], atol=2.0 * max(count / 300, 1))


def test_growing_keeps_all_values():
    series = Growing()
    for number in range(1000):
        series.extend([number, number + 0.5])
    assert len(series.values) == 2000
    assert series.values[-1] == 999.5


@pytest.mark.parametrize(("value", "words"), [(0, "0"), (1500, "1500"), (25_000, "25k"), (2_000_000, "2M"), (0.25, "0.25")])
def test_numbers_read_as_people_write_them(value, words):
    assert short(value) == words


@pytest.mark.parametrize(("seconds", "words"), [(5, "0:05"), (65, "1:05"), (7200, "2:00:00"), (-5, "-0:05")])
def test_seconds_read_as_a_clock(seconds, words):
    assert clock(seconds) == words


def test_a_marked_word_keeps_the_text_harmless():
    assert marked("a <b> c", 2, 5, "#123456") == 'a <b style="color:#123456">&lt;b&gt;</b> c'
    assert marked("plain", 0, 0, "#123456") == "plain"


def test_tokens_flow_and_can_be_clicked(qtbot):
    tokens = Tokens()
    qtbot.addWidget(tokens)
    tokens.set_tokens(["我", "有", "一个", "苹果"] * 30)
    tokens.resize(300, tokens.heightForWidth(300))
    tokens.show()
    assert tokens.heightForWidth(300) > tokens.heightForWidth(3000)
    with qtbot.waitSignal(tokens.clicked) as caught:
        qtbot.mouseClick(tokens, Qt.MouseButton.LeftButton, pos=tokens._boxes[5].center())
    assert caught.args == [5]
    tokens.set_tokens([])
    tokens.grab()


def _tokens():
    made = Tokens()
    made.set_tokens(["吃", "苹果"])
    return made, made.clicked, lambda: QPointF(made._boxes[0].center())


def _heatmap():
    made = Heatmap()
    made.set_weights(np.eye(2), ["吃", "苹果"])
    return made, made.clicked, lambda: made.place_of(0, 0)


def _head_grid():
    made = HeadGrid()
    made.set_values(np.eye(2))
    return made, made.clicked, lambda: made.place_of(0, 0)


def _head_lines():
    made = HeadLines()
    made.set_lines({0: np.eye(2)}, {0: QColor("#ff0000")}, ["吃", "苹果"])
    return made, made.picked, lambda: made.place_of(0)


def _word_bars():
    made = WordBars()
    made.set_words(["吃", "苹果"], [Column(title="attention", values=np.array([0.25, 0.5]))])
    return made, made.clicked, lambda: QPointF(20, made._head() + made._row() / 2)


def _matrix():
    made = ConfusionMatrix()
    made.set_matrix([[3, 1], [2, 0]], ["a", "b"])
    return made, made.clicked, lambda: made.cell(0, 0).center()


def _card():
    made = ChoiceCard("bert", "BERT", "reads both sides")
    return made, made.pressed, lambda: QPointF(made.rect().center())


@pytest.mark.parametrize("make", [_tokens, _heatmap, _head_grid, _head_lines, _word_bars, _matrix, _card])
def test_only_the_left_button_clicks_and_only_where_it_is_let_go(qtbot, make):
    widget, clicked, place = make()
    qtbot.addWidget(widget)
    widget.resize(400, 300)
    widget.show()
    told, inside = [], place()
    clicked.connect(lambda *values: told.append(values))

    def press(button: Qt.MouseButton, end: QPointF) -> None:
        for kind, at, held in ((QEvent.Type.MouseButtonPress, inside, button), (QEvent.Type.MouseButtonRelease, end, Qt.MouseButton.NoButton)):
            event = QMouseEvent(kind, at, QPointF(widget.mapToGlobal(at)), button, held, Qt.KeyboardModifier.NoModifier)
            QApplication.sendEvent(widget, event)

    outside = QPointF(-9, inside.y())
    for button, end in ((Qt.MouseButton.RightButton, inside), (Qt.MouseButton.MiddleButton, inside), (Qt.MouseButton.LeftButton, outside)):
        press(button, end)
    assert not told
    press(Qt.MouseButton.LeftButton, inside)
    assert len(told) == 1


def test_a_switch_is_toggled_by_mouse_and_key(qtbot):
    switch = Switch()
    qtbot.addWidget(switch)
    switch.show()
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    assert switch.isChecked()
    qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert not switch.isChecked()


def test_an_empty_panel_offers_a_way_out(qtbot):
    pressed = []
    panel = Empty("senses", "There is nothing here.", "Make something", lambda: pressed.append(True))
    qtbot.addWidget(panel)
    panel.show()
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    assert pressed


def test_the_sentence_of_an_empty_panel_takes_the_room_that_there_is(qtbot):
    panel = Empty("senses", "2,260 vectors of 128 numbers. Choose a layout at the right and press the button below.")
    window = QWidget()
    qtbot.addWidget(window)
    QVBoxLayout(window, contentsMargins=QMargins()).addWidget(panel)
    window.resize(900, 500)
    window.show()
    wide = panel.sentence.size()
    window.resize(300, 500)
    assert panel.width() == 300, "it keeps nobody from being narrow"
    qtbot.waitUntil(lambda: panel.rect().contains(panel.sentence.geometry()))
    assert panel.sentence.height() == panel.sentence.heightForWidth(panel.sentence.width()) > wide.height()
    window.resize(900, 500)
    qtbot.waitUntil(lambda: panel.sentence.size() == wide)


def test_no_plot_stops_the_tab_key(scatter, curves):
    plots = [*scatter.findChildren(QGraphicsView), *curves.findChildren(QGraphicsView)]
    assert len(plots) == 2 and all(plot.focusPolicy() == Qt.FocusPolicy.NoFocus for plot in plots)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_plots_have_the_colour_of_the_theme(qtbot, qapp, name):
    theme.apply(qapp, name)
    plot = Scatter()
    qtbot.addWidget(plot)
    plot.resize(100, 100)
    assert plot.grab().toImage().pixelColor(50, 50).name() == theme.current().surface


# what the pictures of attention and of the senses say of themselves

def _point_at(widget, place: QPointF) -> None:
    event = QMouseEvent(QMouseEvent.Type.MouseMove, place, widget.mapToGlobal(place), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton,
                        Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)


def svg_text(widget, path) -> str:
    picture.save_picture(widget, path)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "names"), [(420, ("from (query)", "to (key)")), (150, (">query<", ">key<"))])
def test_the_head_view_names_its_columns_and_heads_in_the_file_too(qtbot, tmp_path, width, names):
    lines = HeadLines()
    qtbot.addWidget(lines)
    lines.set_names(("from (query)", "query"), ("to (key)", "key"))
    weights = np.array([[0.75, 0.25], [0.0, 1.0]])
    lines.set_lines({0: weights, 3: weights.T}, {0: QColor("#ff0000"), 3: QColor("#00ff00")}, ["吃", "苹果"], titles={0: "head 1", 3: "head 4"})
    lines.resize(width, 300)
    lines.show()
    said = svg_text(lines, tmp_path / "a.svg")
    assert all(name in said for name in (*names, "head 1", "head 4"))
    assert [lines._top() < lines.place_of(unit).y() < 300 for unit in (0, 1)] == [True, True]
    at = lines.place_of(0)
    _point_at(lines, at)
    qtbot.waitUntil(lines._card.isVisible)
    assert "0.750" in lines._card.text() and "吃 →" in lines._card.text()
    assert "1.000" in lines.card("right", 1) and "→ 苹果" in lines.card("right", 1)


def test_the_grid_of_heads_says_what_its_colours_mean_in_the_file_too(qtbot, tmp_path):
    grid = HeadGrid()
    qtbot.addWidget(grid)
    grid.set_axes("layers", "heads")
    grid.set_scale("the greatest")
    grid.set_maps(np.full((4, 4, 5, 5), 200, np.uint8))
    grid.resize(200, 150)
    grid.show()
    assert "the greatest" in svg_text(grid, tmp_path / "a.svg")
    assert grid._cell(3, 0).bottom() + grid._below(grid.fontMetrics()) * 0.5 < 150  # there is room beneath
    grid.set_values(np.array([[0.25, -0.5]]))
    said = svg_text(grid, tmp_path / "b.svg")
    assert "-0.50" in said and "+0.50" in said


def test_the_note_of_a_narrow_grid_of_heads_is_there_whole(qtbot):
    grid = HeadGrid()
    qtbot.addWidget(grid)
    grid.set_scale("each head's greatest weight")
    grid.set_maps(np.full((2, 4, 5, 5), 200, np.uint8))
    for width in (105, 140, 400):
        grid.resize(width, 300)
        grid.show()
        note, metrics = grid._note_box, QFontMetrics(theme.font("small"))
        wanted = metrics.boundingRect(QRect(0, 0, round(note.width()), 1000), NOTE, grid._note)
        assert note.right() <= width and note.height() >= wanted.height()
        assert grid._cell(1, 0).bottom() + theme.S + LEGEND + 1 + note.height() <= 300
    assert grid.minimumSizeHint().height() > note.height() + 2 * metrics.height()


def test_words_with_bars_have_their_numbers_at_the_pointer_where_there_is_no_room(qtbot, tmp_path):
    bars = WordBars()
    qtbot.addWidget(bars)
    bars.set_words(["吃", "苹果"], [Column(title="attention", values=np.array([0.25, 0.5])),
                                  Column(title="prediction, bits", values=np.array([-1.5, np.nan]), signed=True, number="{:+.1f}")])
    bars.resize(120, 160)
    bars.show()
    assert "0.25" not in svg_text(bars, tmp_path / "a.svg")
    _point_at(bars, bars.place_of(0))
    qtbot.waitUntil(lambda: "-1.5" in bars.toolTip() and "0.25" in bars.toolTip())
    bars.resize(500, 160)
    assert "0.25" in svg_text(bars, tmp_path / "b.svg")
    assert "–" in bars.card(1)


def test_changes_have_the_colours_of_what_they_stand_for(qtbot, tmp_path):
    bars = WordBars()
    qtbot.addWidget(bars)
    bars.resize(500, 160)
    bars.show()
    values, colours = np.array([0.25, -0.5]), (theme.sense_colour(0), theme.sense_colour(1))
    for given, seen in ((None, False), (colours, True)):
        bars.set_words(["吃", "梨"], [Column(title="sense score", values=values, signed=True, colours=given)])
        drawn = svg_text(bars, tmp_path / "a.svg")
        assert [colour.name() in drawn for colour in colours] == [seen, seen]
    above, below = (bars.grab().toImage().pixelColor(round(bars.width() * share), round(bars.place_of(word).y()) + 3)
                    for share, word in ((0.56, 0), (0.45, 1)))
    assert (above, below) == colours


def test_the_card_of_a_chart_names_controls_intervals_and_bands(qtbot):
    chart = LineChart()
    qtbot.addWidget(chart)
    chart.set_lines([Line(name="GPT", colour="#ff0000", x=(0, 1), y=(0.5, 0.75), interval=[(0.4, 0.6), (0.7, 0.8)]),
                     Line(name="", said="GPT, control", colour="#ff0000", x=(0, 1), y=(0.5, 0.55), dashed=True)],
                    bands=[Band(name="shuffled", x=(0, 1), low=(0.4, 0.41), high=(0.6, 0.61))], level=(0.5, "chance"), percent=True)
    chart.resize(400, 300)
    chart.show()
    _point_at(chart, chart._at(1, 0.5, chart._field()))
    qtbot.waitUntil(chart._card.isVisible)
    for words in ("75%", "70%–80%", "GPT, control", "55%", "shuffled", "41%–61%", "chance"):
        assert words in chart._card.text()


def test_the_card_of_a_chart_tells_of_the_nearest_place_and_goes_when_it_would_tell_of_nothing(qtbot):
    chart = LineChart()
    qtbot.addWidget(chart)
    chart.resize(400, 300)
    chart.show()

    lines = [Line(name="GPT", colour="#ff0000", x=(0, 1, 2), y=(0.5, 0.75, 1.0)), Line(name="ELMo", colour="#00ff00", x=(1,), y=(0.25,))]
    names = {0: "first", 1: "second", 2: "third"}
    for x, named, said in ((0.3, names, "Layer first GPT  0.50"), (0.7, names, "Layer second GPT  0.75 ELMo  0.25"),
                           (1.9, names, "Layer third GPT  1.00"),  # what has no third layer has no value there
                           (1.9, None, "Step 2 GPT  1.00 ELMo  0.25")):
        chart.set_lines(lines, x_title="Layer" if named else "Step", names=named)
        assert not chart._card.isVisible(), "it told of other lines"
        at = chart._at(x, 0.6, chart._field())
        _point_at(chart, at)
        assert re.sub("<[^>]*>", "", chart._card.text().replace("<br>", " ")).replace("&nbsp;", " ").replace("● ", "") == said
        card = chart._card.geometry()
        assert chart.rect().contains(card) and 10 < max(card.left() - at.x(), at.x() - card.right()) < 20
    _point_at(chart, QPointF(at.x(), chart.height() - 1))
    assert not chart._card.isVisible()


def test_a_scatter_names_its_axes_where_they_mean_something(qtbot, scatter):
    scatter.set_axes("PC 1 →", "PC 2 ↑")
    assert [part.isHidden() for part in scatter._axes] == [False, False]
    assert scatter.rect().contains(scatter._axes[0].geometry())
    scatter.set_axes("", "")
    assert [part.isHidden() for part in scatter._axes] == [True, True]


# what the charts draw, and where: read from the file that they leave as

class Drawn(NamedTuple):
    """colour, opacity: of a filled shape, else of its line. points: (n, 2) in pixels, a shape's corners among them. words: of a text."""

    kind: str
    colour: str
    opacity: float
    points: np.ndarray
    words: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        """left, top, right, bottom"""
        return *self.points.min(axis=0).tolist(), *self.points.max(axis=0).tolist()


def drawn(widget: QWidget, path: Path) -> list[Drawn]:
    made = []
    for group in ElementTree.fromstring(svg_text(widget, path)).iter("{http://www.w3.org/2000/svg}g"):
        a, b, c, d, x, y = map(float, re.findall(r"[-\d.e]+", group.get("transform", "1 0 0 1 0 0").removeprefix("matrix")))
        filled = group.get("fill") != "none" and group.get("stroke") == "none"
        for item in group:
            kind, get = item.tag.rpartition("}")[2], item.get
            if kind == "rect":
                left, top, wide, high = (float(get(name)) for name in ("x", "y", "width", "height"))
                points = np.array([[left, top], [left + wide, top + high]])
            elif kind in ("circle", "ellipse"):
                middle = np.array([float(get("cx")), float(get("cy"))])
                size = np.array([float(get("r") or get("rx")), float(get("r") or get("ry"))])
                points = np.stack([middle - size, middle + size])
            elif kind == "text":
                points = np.array([[float(get("x")), float(get("y"))]])
            elif kind in ("path", "polygon", "polyline"):
                points = np.array(re.findall(r"-?[\d.]+(?:e-?\d+)?", get("d") or get("points")), float).reshape(-1, 2)
            else:
                continue
            fill = (filled or kind in ("circle", "ellipse", "path", "polygon")) and group.get("fill") != "none" and kind != "polyline"
            colour, opacity = (group.get("fill"), group.get("fill-opacity")) if fill else (group.get("stroke"), group.get("stroke-opacity"))
            made.append(Drawn(kind, colour, float(opacity or 1), points @ [[a, b], [c, d]] + [x, y], item.text or ""))
    return made


@pytest.fixture
def look_at(qtbot, tmp_path):
    """look_at(widget, width, height): what it draws in that size."""
    def look(widget: QWidget, width: int, height: int) -> list[Drawn]:
        qtbot.addWidget(widget)
        widget.resize(width, height)
        widget.show()
        QApplication.processEvents()
        return drawn(widget, tmp_path / "drawn.svg")

    return look


def across(found: list[Drawn], colour: str, kind: str = "") -> list[tuple[float, float]]:
    """From where to where the shapes of a colour go from left to right."""
    return [(round(one.box[0], 1), round(one.box[2], 1)) for one in found if one.colour == colour and kind in ("", one.kind) and one.kind != "text"]


def test_the_bars_of_the_layers_are_their_weights_and_the_highest_layer_is_on_top(look_at):
    bars, look = LayerBars(), theme.current()
    bars.set_bars([LayerBar(title="low", weight=0.1, share=0.75, interval=(0.6, 0.9), note="n"),
                   LayerBar(title="high", weight=0.6, share=0.2, note="n")], even=0.3, chance=0.5)
    found = look_at(bars, 400, 200)
    low, high = layer_colours(2)
    assert (across(found, low, "path"), across(found, high, "path")) == ([(0, 40)], [(0, 240)])
    tops = {one.words or one.colour: one.box[1] for one in found}
    assert tops[high] < tops[low] and tops["high"] < tops["low"]
    assert across(found, look.text_soft, "rect") == [(80, 200), (200, 300)]  # from chance
    assert across(found, look.text, "polyline") == [(120, 120), (120, 120), (240, 360)]  # an even mix twice, and the interval


def test_the_bars_of_latency_are_the_medians_and_the_whiskers_what_95_of_100_stay_below(look_at):
    bars, look = LatencyBars(), theme.current()
    bars.set_rows([Taken(title="a", p50=2.0, p95=3.0, colour="#ff0000"), Taken(title="b", p50=4.0, p95=40.0, colour="#0000ff")])
    found = look_at(bars, 600, 80)
    (left, first), (_, second) = across(found, "#ff0000")[0], across(found, "#0000ff")[0]
    assert second - left == pytest.approx(2 * (first - left), abs=0.2)
    whiskers = [pair for pair in across(found, look.text, "polyline") if pair[1] > pair[0]]
    assert whiskers[0] == pytest.approx((first, left + 1.5 * (first - left)), abs=0.2)
    assert whiskers[1] == pytest.approx((second, left + 1.15 * (second - left)), abs=0.2)  # cut off
    assert {"median 2.00 ms · p95 3.00 ms", "median 4.00 ms · p95 40.00 ms"} <= {one.words for one in found}


def test_a_share_is_a_bar_from_chance_with_its_interval_its_control_and_its_band(look_at):
    chart, look = MeasureChart("#ff0000"), theme.current()
    chart.set_bars([Bar(title="all", value=0.75, interval=(0.6, 0.9), control=0.3, band=(0.4, 0.55))], 0.5, "chance")
    found = look_at(chart, 200 + 2 * MARK, 60)
    assert across(found, "#ff0000") == [(MARK + 100, MARK + 150)]
    assert across(found, look.text_faint, "rect") == [(MARK + 80, MARK + 110)]
    assert (MARK + 120, MARK + 180) in across(found, look.text, "polyline") and (MARK + 100, MARK + 100) in across(found, look.text_soft, "polyline")
    assert [sum(pair) / 2 for pair in across(found, look.text, "polygon")] == [MARK + 60]


def test_the_title_of_a_bar_takes_smaller_letters_before_its_interval_goes(look_at):
    chart, small = MeasureChart("#ff0000"), QFontMetrics(theme.font("small"))
    chart.set_bars([Bar(title="All 100", value=0.76, interval=(0.67, 0.84))], 0.5, "chance")
    needed = QFontMetrics(theme.font("body", bold=True)).horizontalAdvance("76%") + small.horizontalAdvance("  67–84" + "All 100")
    for width, told in ((needed + theme.S, True), (needed - 2, True), (needed - 30, False)):
        words = [one.words for one in look_at(chart, width, 60)]
        assert {"All 100", "76%"} <= set(words) and ("67–84" in words) is told


def test_a_lean_is_drawn_to_its_side_in_its_colour(look_at):
    balance, colours = Balance(), (QColor("#ff0000"), QColor("#0000ff"))
    for lean, wanted in ((-0.5, {"#ff0000": [(75, 100)], "#0000ff": []}), (1.0, {"#ff0000": [], "#0000ff": [(100, 150)]})):
        balance.set_lean(lean, ("fruit", "company"), colours)
        found = look_at(balance, 200, 40)
        assert {name: across(found, name) for name in wanted} == wanted
        assert balance.accessibleName() == ("fruit 0.50" if lean < 0 else "company 1.00")


def test_a_small_line_rises_where_its_values_do(look_at):
    line = Sparkline()
    line.set_values([0.0, np.nan, 0.5, 1.0])
    points, = (one.points for one in look_at(line, 96, 26) if one.kind == "polyline" and one.colour == theme.current().text_soft)
    assert (np.diff(points[:, 0]) > 0).all() and (np.diff(points[:, 1]) < 0).all()


def test_each_cell_of_a_matrix_has_its_count_and_the_share_of_its_row(look_at):
    matrix, look = ConfusionMatrix(), theme.current()
    matrix.set_matrix([[3, 1], [2, 0]], ["a", "b"])
    found = look_at(matrix, 300, 260)

    def inside(row: int, column: int) -> list[Drawn]:
        return [one for one in found if matrix.cell(row, column).contains(QPointF(*one.points.mean(axis=0)))]

    assert [[one.words for one in inside(row, column) if one.words.strip()] for row in (0, 1) for column in (0, 1)] == [["3"], ["1"], ["2"], []]
    shares = [[round(one.opacity, 3) for one in inside(row, column) if one.colour == (look.good if row == column else look.danger)]
              for row in (0, 1) for column in (0, 1)]
    assert shares == [[pytest.approx(0.75 * share**0.5, abs=2e-3)] for share in (0.75, 0.25, 1.0, 0.0)]


def test_a_point_of_values_lies_at_what_is_right_and_what_was_said(qtbot):
    scatter = ValueScatter("#0000ff", "right", "said")
    qtbot.addWidget(scatter)
    scatter.set_values(np.array([1.0, np.nan, 3.0]), np.array([5.0, 2.0, 7.0]))
    assert [values.tolist() for values in scatter._points.getData()] == [[1.0, 3.0], [5.0, 7.0]]
    with qtbot.waitSignal(scatter.clicked) as heard:
        scatter._click(None, [scatter._points.points()[1]])
    assert heard.args == [2]  # of all examples, also those that are not drawn


def test_the_bars_of_probabilities_are_as_long_as_these(look_at):
    bars = ProbabilityBars("#ff0000")
    bars.set_bars(["a", "b"], [0.5, 0.25])
    (left, half), (_, quarter) = across(look_at(bars, 400, 80), "#ff0000")
    assert half - left == pytest.approx(2 * (quarter - left), abs=0.2)
    assert [percent(value) for value in (0.931, 1.0, 0.0004, 0.02, 0.0, float("nan"))] == ["93.1%", "100%", "<0.1%", "2.0%", "0%", "–"]
    assert [percent(value) for value in (0.9996, 0.9995, 0.9994)] == [">99.9%", ">99.9%", "99.9%"] and percent(0.99996, 2) == ">99.99%"


def test_the_bars_of_a_histogram_stand_on_its_axis_and_are_as_high_as_their_counts(look_at):
    histogram = Histogram()
    histogram.set_counts(np.array([0, 4, 0, 2]))
    bars = [one.box for one in look_at(histogram, 300, 130) if one.colour == theme.current().accent]
    heights = [bottom - top for _, top, _, bottom in bars]
    assert heights[0] == 2 * heights[2] and heights[1] == 0 and len({bottom for *_, bottom in bars}) == 1
    assert bars[0][0] < bars[1][0] < bars[2][0]
    counts = np.zeros(1001, int)
    counts[1:121], counts[1000] = 10, 2
    found, is_open = histogram_bars(counts)
    assert is_open and found[0] == (1, 2, 20) and found[-1] == (119, 120, 22) and sum(count for *_, count in found) == counts.sum()
    assert all(before[1] + 1 == after[0] for before, after in pairwise(found))


def test_a_band_is_the_mean_and_the_spread_to_both_sides(qtbot):
    chart = BandCurves("labels", "accuracy")
    qtbot.addWidget(chart)
    chart.set_curves([BandCurve(name="a", colour="#ff0000", x=(10, 100), mean=(0.5, 0.75), spread=(0.125, 0.25), dots=((100, 1.0),)),
                      BandCurve(name="b", colour="#0000ff", x=(10,), mean=(0.5,), spread=(0.125,))], (10, 100))
    upper, lower, _, line, dots, lone, _ = chart._items
    assert [item.getData()[0].tolist() for item in (upper, lower, line, dots)] == [[1, 2], [1, 2], [1, 2], [2]]
    assert [item.getData()[1].tolist() for item in (upper, lower, line, dots)] == [[0.625, 1.0], [0.375, 0.5], [0.5, 0.75], [1.0]]
    assert lone.opts["y"].tolist() == [0.5] and lone.opts["height"].tolist() == [0.25]


def test_a_line_goes_up_with_its_values_stops_at_a_gap_and_has_its_whiskers(look_at):
    chart = LineChart()
    chart.set_lines([Line(name="", colour="#ff0000", x=(10, 15, 20, 30), y=(0.0, None, 0.5, 1.0), interval=(None, None, (0.25, 0.75), None))],
                    bands=[Band(name="", x=(10, 30), low=(0.1, 0.1), high=(0.4, 0.4))], y_range=(0.0, 1.0))
    found = look_at(chart, 400, 300)
    field = chart._field()

    def y(value: float) -> float:
        return field.bottom() - value * field.height()

    dots = [one.points.mean(axis=0) for one in found if one.colour == "#ff0000" and one.kind in ("circle", "ellipse")]
    assert np.allclose([dot[1] for dot in dots], [y(0.0), y(0.5), y(1.0)], atol=0.1)
    assert np.allclose([(dot[0] - dots[0][0]) / (dots[2][0] - dots[0][0]) for dot in dots], [0, 0.5, 1], atol=0.01)
    lines = [one.points for one in found if one.colour == "#ff0000" and one.kind == "polyline"]
    assert [np.allclose(line[:, 1], ends, atol=0.1) for line, ends in zip(lines, ((y(0.25), y(0.75)), (y(0.5), y(1.0))), strict=True)] == [True, True]
    assert any(one.kind == "polygon" and np.allclose((one.box[1], one.box[3]), (y(0.4), y(0.1)), atol=0.1) for one in found)
    chart.set_cursor(10.0)
    heard = []
    chart.moved.connect(heard.append)
    _press(chart, chart._at(20, 0.5, field))
    assert heard == [pytest.approx(20, abs=0.3)]


def _press(widget: QWidget, place: QPointF) -> None:
    for kind in (QMouseEvent.Type.MouseButtonPress, QMouseEvent.Type.MouseButtonRelease):
        QApplication.sendEvent(widget, QMouseEvent(kind, place, widget.mapToGlobal(place), Qt.MouseButton.LeftButton, Qt.MouseButton.LeftButton,
                                                   Qt.KeyboardModifier.NoModifier))


def test_a_chart_without_a_range_holds_whiskers_bands_and_the_level(qtbot):
    chart = LineChart()
    qtbot.addWidget(chart)
    line = Line(name="", colour="#ff0000", x=(0, 1), y=(0.5, 0.6), interval=((0.1, 0.9), None))
    for bands, level, ends in (((), None, (0.1, 0.9)), ([Band(name="", x=(0,), low=(0.0,), high=(0.95,))], (1.0, ""), (0.0, 1.0))):
        chart.set_lines([line], bands=bands, level=level)
        assert chart._range[0] < ends[0] and chart._range[1] > ends[1] and chart._range[1] - chart._range[0] < 1.2 * (ends[1] - ends[0])


def test_the_numbers_of_a_vector_are_coloured_from_left_to_right(look_at):
    strip, ramp = VectorStrip(), palette.diverging(theme.current().dark)
    strip.set_rows([("query", np.array([-1.0, 0.0, 0.5, 1.0]))], "")
    wanted = [QColor(*ramp[place].tolist()).name() for place in (0, 128, 191, 255)]
    cells = sorted((one.box[0], one.colour) for one in look_at(strip, 300, 60) if one.kind == "rect" and one.colour in wanted)
    assert [colour for _, colour in cells] == wanted


def test_a_narrow_strip_of_vectors_has_room_for_all_its_caption(qtbot):
    page, strip = QWidget(), VectorStrip()
    qtbot.addWidget(page)
    column = QVBoxLayout(page)
    column.addWidget(QWidget(), 1)
    column.addWidget(strip)
    strip.set_rows([("query", np.ones(4))], "some words that are said of it " * 6)
    page.resize(140, 600)
    page.show()
    QApplication.processEvents()
    assert strip.sizeHint().height() + 4 * QFontMetrics(theme.font("small")).height() < strip.height() == strip.heightForWidth(strip.width())


def test_a_grid_of_heads_has_each_value_and_each_map_in_its_cell(look_at):
    grid, ramp = HeadGrid(), palette.diverging(theme.current().dark)
    values = np.array([[0.25, -0.5, 0.0], [0.125, 0.5, -0.25]])
    grid.set_values(values)
    found = look_at(grid, 400, 200)
    for layer in range(2):
        for head in range(3):
            inside = [one for one in found if grid._cell(layer, head).contains(QPointF(*one.points.mean(axis=0)))]
            assert f"{values[layer, head]:+.2f}" in [one.words for one in inside]
            colour = QColor(*ramp[round(127.5 * (1 + values[layer, head] / 0.5))].tolist()).name()
            assert colour in [one.colour for one in inside if one.kind == "rect"]
    maps = np.zeros((2, 3, 4, 4), np.uint8)
    maps[1, 0] = 255
    grid.set_maps(maps)
    image = grid.grab().toImage()
    strong = {(layer, head) for layer in range(2) for head in range(3)
              if image.pixelColor(grid._cell(layer, head).center().toPoint()) == QColor(*palette.ramp(theme.current().dark)[255].tolist())}
    assert strong == {(1, 0)}


def test_a_line_of_attention_goes_from_who_looks_to_who_is_looked_at(look_at, tmp_path):
    lines = HeadLines()
    lines.set_lines({0: np.array([[0.75, 0.25], [0.0, 1.0]])}, {0: QColor("#ff0000")}, ["吃", "苹果"])
    slopes = [np.sign(np.diff(one.points[np.argsort(one.points[:, 0]), 1])[0]) for one in look_at(lines, 300, 120)
              if one.kind in ("polyline", "path") and one.colour == "#ff0000"]
    assert sorted(slopes) == [0, 0, 1]  # from the upper word at the left to the lower one at the right, never back
    assert "0.250" in lines.card("right", 1) and "吃" in lines.card("right", 1)
    _point_at(lines, QPointF(8, lines.place_of(0).y()))
    bars = [one.box for one in drawn(lines, tmp_path / "b.svg") if one.kind == "rect" and one.colour == "#ff0000"]
    assert bars[0][2] - bars[0][0] == pytest.approx(3 * (bars[1][2] - bars[1][0]), abs=0.2) and bars[0][1] < bars[1][1]


def test_the_bars_of_words_share_a_scale_and_changes_go_both_ways(look_at):
    bars = WordBars()
    colours = QColor("#ff0000"), QColor("#0000ff")
    bars.set_words(["吃", "苹果", "梨"], [Column(title="change", values=np.array([2.0, -4.0, 1.0]), signed=True, colours=colours)])
    found = look_at(bars, 500, 160)
    (zero, two), (_, one) = across(found, "#ff0000")
    (least, same), = across(found, "#0000ff")
    assert same == zero and (two - zero, one - zero) == pytest.approx(((zero - least) / 2, (zero - least) / 4), abs=0.2)


def test_a_map_of_weights_is_parted_where_the_sentence_changes(look_at):
    heatmap = Heatmap()
    heatmap.set_weights(np.eye(4), list("甲乙丙丁"), sentence=[0, 0, 0, 1])
    found = look_at(heatmap, 300, 320)
    box = heatmap._box()
    assert [round((one.box[0] - box.left()) / box.width(), 2) for one in found
            if one.kind == "polyline" and one.colour == theme.current().text_soft and one.box[0] == one.box[2]] == [0.75]
    assert {"0", "0.25", "1.00"} <= {one.words for one in found}  # beneath the colours, which follow the square root


@pytest.mark.parametrize("level", [0.5, 0.99])
def test_the_words_of_a_chart_of_lines_have_room(qtbot, level):
    chart = LineChart()
    qtbot.addWidget(chart)
    chart.resize(220, 200)
    chart.set_lines([Line(name="a name that is wider than the whole chart, by far", colour="#123456", x=[0, 1], y=[0.5, 0.5])],
                    y_range=(0.0, 1.0), level=(level, "chance 50%"))
    field, box = chart._field(), chart._level_box(chart._field())
    assert field.contains(box) and box.height() >= QFontMetrics(theme.font("small")).height()
    assert all(wide <= chart.width() for row in chart._legend_rows() for _, wide in row)
    assert not chart.grab().isNull()


def test_a_name_that_would_be_a_stump_is_not_shown(qtbot):
    name = Elided("apple · word2vec", least=5)
    qtbot.addWidget(name)
    whole = name.fontMetrics().horizontalAdvance(name.text())
    name.resize(whole + 2, 20)
    assert name.shown == "apple · word2vec"
    name.resize(whole * 2 // 3, 20)
    assert name.shown.startswith("apple") and name.shown.endswith("…")
    name.resize(name.fontMetrics().horizontalAdvance("ap…") + 1, 20)
    assert name.shown == ""
