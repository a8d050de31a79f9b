from __future__ import annotations

import sys

import numpy as np
import pytest
from PySide6.QtCore import QMargins, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from gui import picture, theme
from gui.widgets.axes import clock, short
from gui.widgets.curve import DRAWN_MEANS, Curves
from gui.widgets.empty import Empty
from gui.widgets.head_grid import NOTE, HeadGrid
from gui.widgets.head_lines import HeadLines
from gui.widgets.heatmap import LEGEND
from gui.widgets.line_chart import Band, Line, LineChart
from gui.widgets.scatter import Scatter
from gui.widgets.sense_text import marked
from gui.widgets.series import Growing, MovingAverage, thin_means, thin_peaks
from gui.widgets.switch import Switch
from gui.widgets.tokens import Tokens
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


def test_without_smoothing_the_values_are_shown_as_they_are(curves):
    curves.add("a", "run a", "#ff0000")
    curves.append("a", {"steps": [1, 2, 3], "time": [1, 2, 3]}, [4.0, np.nan, 6.0])
    curves.set_smoothing(0)
    np.testing.assert_array_equal(curves._curves["a"].line.getData()[1], [4.0, np.nan, 6.0])


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


def test_a_scatter_names_its_axes_where_they_mean_something(qtbot, scatter):
    scatter.set_axes("PC 1 →", "PC 2 ↑")
    assert [part.isHidden() for part in scatter._axes] == [False, False]
    assert scatter.rect().contains(scatter._axes[0].geometry())
    scatter.set_axes("", "")
    assert [part.isHidden() for part in scatter._axes] == [True, True]
