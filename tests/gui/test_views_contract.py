"""What every view must bear, the real ones and those that are still to come."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QWidget,
)

from core import i18n
from core.text.specimens import Specimen
from gui import theme
from gui.views import VIEWS, titles
from gui.widgets.panes import Panes
from tests.gui.direct_engine import SilentEngine
from tests.gui.real_views import real_windows

NEEDS = {"bench", "specimens", "layer", "step"}
ONE = [Specimen(word="苹果", sense="fruit", text="他吃了一个苹果。")]


@pytest.fixture
def make(monkeypatch):
    with real_windows(monkeypatch, SilentEngine) as found:
        yield found


def _is_well(window, name):
    assert window.messages._dialog is None, window.messages._dialog._trace.toPlainText()
    assert window._name == name
    assert not window.grab().isNull()


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize(("language", "look"), [("en", "light"), ("zh_CN", "dark")])
def test_it_shows_itself_with_nothing_and_with_one_specimen(qtbot, make, make_run, name, language, look):
    window = make(name, language, look)
    _is_well(window, name)
    window.session.look_at("苹果", ONE)
    window.session.selected = 0
    window.session.add_run(make_run("one", num_layers=2))
    QApplication.processEvents()
    _is_well(window, name)
    window.session.layer, window.session.step, window.session.head = 0, 10, 3
    window.session.remove_run(window.session.bench[0].path)
    window.session.look_at("", ())
    QApplication.processEvents()
    _is_well(window, name)


@pytest.mark.parametrize("name", VIEWS)
def test_it_fits_the_smallest_window(qtbot, make, make_run, name):
    window = make(name)
    for number in range(4):
        window.session.add_run(make_run(f"run number {number}", "gpt"))
    window.session.look_at("苹果", ONE)
    window.resize(window.minimumSize())
    QApplication.processEvents()
    assert (window.width(), window.height()) == (window.minimumWidth(), window.minimumHeight())
    assert window.centralWidget().minimumSizeHint().width() <= window.minimumWidth()
    _is_well(window, name)


@pytest.mark.parametrize("name", ["attention", "layer_mix", "predict", "senses"])
def test_the_panels_of_four_runs_are_beside_each_other_with_large_words_in_a_small_window(qtbot, make, make_run, name):
    window = make(name)
    for number in range(4):
        window.session.add_run(make_run(f"run number {number}", "gpt"))
    window.session.look_at("苹果", ONE)
    window.zoom(0.5)
    window.resize(window.minimumWidth(), 700)

    def panels():
        view = window.view.page("points") if name == "senses" else window.view
        return list(view.panels.values())

    qtbot.waitUntil(lambda: len(panels()) == 4 and all(one.geometry().right() < other.x() for one, other in pairwise(panels())))
    widest = QWidget.minimumWidth if name == "senses" else lambda panel: panel.minimumSizeHint().width()  # its table is there in wide panels only
    assert all(panel.width() >= widest(panel) for panel in panels())
    assert window._dock.geometry().right() < window.centralWidget().width()
    assert window._bench.chips()[3].geometry().right() < window.width()


ARROW = 30  # pixels that a list takes beside its words


def _out_of_sight(part):
    """Whether a button or a field of the view is cut by what it stands in, and nothing scrolls to it."""
    above = part.parentWidget()
    while above is not None:
        box, scroll = part.rect().translated(part.mapTo(above, part.rect().topLeft())), above.parentWidget()
        if isinstance(scroll, QAbstractScrollArea) and above is scroll.viewport():
            return scroll.horizontalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOff and box.right() > above.width()
        if not above.rect().adjusted(-1, -1, 1, 1).contains(box):
            return True
        above = scroll
    return False


@pytest.mark.parametrize(("name", "page"), [("start", ""), ("train", ""), ("train", "finetune"), ("runs", ""), ("embeddings", ""), ("worth", ""),
                                            ("senses", "find"), ("senses", "probe"), ("senses", "sides")])
def test_every_button_is_whole_and_no_form_scrolls_sideways_with_large_words_in_a_small_window(qtbot, make, make_run, name, page):
    window = make(name)
    window.session.add_run(make_run("one", "gpt"))
    window.session.look_at("苹果", ONE)
    window.zoom(0.5)
    window.resize(window.minimumWidth(), 700)
    if page == "finetune":
        window.view.show_finetune()
    elif page:
        window.view.show_page(page)
    for _ in range(5):
        QApplication.processEvents()
    buttons = [part for part in window.view.findChildren(QAbstractButton) if part.isVisible() and part.text()]
    bad = [part.text() for part in buttons if _out_of_sight(part) or part.width() < part.minimumSizeHint().width()]
    assert not bad, bad
    chosen = [part for part in window.view.findChildren(QComboBox) if part.isVisible()]
    cut = [part.currentText() for part in chosen if part.width() < part.fontMetrics().horizontalAdvance(part.currentText()) + ARROW]
    assert not cut, cut
    forms = [part for part in window.view.findChildren(QScrollArea) if part.isVisible() and not isinstance(part, Panes)]
    assert not [part.widget().minimumSizeHint().width() for part in forms if part.horizontalScrollBar().maximum()]


@pytest.mark.parametrize("name", VIEWS)
def test_it_bears_another_language_and_another_look_while_it_is_shown(qtbot, make, make_run, name):
    window = make(name)
    window.session.add_run(make_run("one"))
    window.session.look_at("苹果", ONE)
    window.switch_language()
    window.switch_theme()
    assert (i18n.language(), theme.current().dark) == ("zh_CN", True)
    _is_well(window, name)
    window.zoom(0.3)
    _is_well(window, name)


@pytest.mark.parametrize("name", [name for name in VIEWS if name not in ("corpus", "train", "embeddings")])  # their own tests see to it
def test_what_was_typed_into_it_stays_in_another_look_and_language(qtbot, make, make_run, name):
    window = make(name)
    run = make_run("one")
    run.checkpoint_path(5).mkdir()
    window.session.add_run(run)
    window.session.look_at("苹果", ONE)
    window.show_view("start")
    window.show_view(name)
    count = len(_typed_into(window))
    for place in range(count):
        field = _typed_into(window)[place]
        if isinstance(field, QLineEdit):
            field.clear()
            qtbot.keyClicks(field, "7")
        else:
            field.setPlainText("7") if isinstance(field, QPlainTextEdit) else field.setValue(7)
    before = [_value(field) for field in _typed_into(window)]
    for change in (window.switch_theme, window.switch_language):
        change()
        QApplication.processEvents()
        assert [_value(field) for field in _typed_into(window)] == before


def _typed_into(window):
    """The fields of the view and of the specimens beside it that are seen."""
    inner = (QAbstractSpinBox, QComboBox)
    return [part for place in (window.view, window._dock) for part in place.findChildren(QWidget) if part.isVisible() and
            (isinstance(part, QAbstractSpinBox | QPlainTextEdit) or (isinstance(part, QLineEdit) and not isinstance(part.parent(), inner)))]


def _value(field):
    return field.text() if isinstance(field, QLineEdit) else field.toPlainText() if isinstance(field, QPlainTextEdit) else field.value()


@pytest.mark.parametrize("name", VIEWS)
def test_it_says_what_it_is_and_needs(qtbot, make, name):
    assert name in titles()
    assert (theme.RESOURCES / "icons" / f"{name}.svg").exists()
    assert set(make(name).view.needs) <= NEEDS


def test_all_views_go_with_their_window(qtbot, make):
    window = make(next(iter(VIEWS)))
    for name in VIEWS:
        window.show_view(name)
    assert window.messages._dialog is None
    window.close()
