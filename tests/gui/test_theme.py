from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QListView, QMainWindow, QScrollArea, QTabBar, QTableView, QVBoxLayout, QWidget

from core.pictures import film
from gui import theme
from gui.theme import DARK, LIGHT, RESOURCES

# Machado, Oliveira and Fernandes 2009, "A physiologically-based model for simulation of color vision deficiency", severity 1.0
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
}
PADDING = 14  # of a field, above and below, in the style sheet, with its border
WELL, VERY = 15.0, 30.0  # CIE76 differences; 2.3 can just be seen side by side


def _linear(colour: str) -> np.ndarray:
    """Linear RGB, (3,), of #rrggbb."""
    srgb = np.array([int(colour[place: place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _lab(linear: np.ndarray) -> np.ndarray:
    """CIE L*a*b*, D65."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(linear, 0, 1)
    f = xyz / np.array([0.9505, 1.0, 1.089])
    f = np.where(f > 0.008856, np.cbrt(f), 7.787 * f + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio, 1 to 21."""
    low, high = sorted(float(_linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
@pytest.mark.parametrize("blindness", list(BLINDNESS))
def test_runs_and_the_first_senses_are_told_apart(look, blindness):
    for colours, enough in ((look.runs, VERY), (look.senses[:3], VERY), (look.senses[:4], WELL)):
        seen = [_lab(BLINDNESS[blindness] @ _linear(colour)) for colour in colours]
        apart = {pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in combinations(range(len(colours)), 2)}
        assert min(apart.values()) > enough, apart


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
def test_text_is_readable_and_marks_stand_out(look):
    for text in (look.text, look.text_soft, look.text_faint, look.accent, look.danger, look.warning, look.good):
        for ground in (look.window, look.surface):
            assert _contrast(text, ground) >= 4.5, (text, ground)
    assert _contrast(look.on_accent, look.accent) >= 4.5
    for mark in (*look.runs, *look.senses[:3]):
        assert _contrast(mark, look.surface) >= 3.0, mark


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
def test_runs_and_senses_share_no_colour(look):
    assert not set(look.runs) & set(look.senses)
    assert len(theme.SYMBOLS) == len(look.senses)


def test_a_film_that_is_saved_has_every_symbol_of_the_senses():
    assert tuple(film.SHAPES) == theme.SYMBOLS and len(set(film.SHAPES.values())) == len(theme.SYMBOLS)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_style_sheet_has_every_token_and_image(qapp: QApplication, name):
    theme.apply(qapp, name)
    text = theme.stylesheet()
    assert "$" not in text
    for path in re.findall(r"url\((.+?)\)", text):
        assert RESOURCES.joinpath(path).is_file()


def test_every_icon_is_drawn_in_the_asked_colour(qapp: QApplication):
    for path in (RESOURCES / "icons").glob("*.svg"):
        picture = theme.icon(path.stem, "#ff0000").pixmap(24, 24).toImage()
        inked = [picture.pixelColor(x, y) for x in range(picture.width()) for y in range(picture.height())]
        assert any(colour.alpha() > 200 for colour in inked), path.name


@pytest.mark.parametrize("zoom", [1.0, 1.6])
def test_the_least_height_of_a_field_holds_its_letters(qtbot, qapp: QApplication, zoom):
    theme.apply(qapp, "light", zoom)
    field = QLineEdit("Apple repaired her phone")
    qtbot.addWidget(field)
    field.ensurePolished()
    assert field.minimumHeight() - PADDING >= field.fontMetrics().height()


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
def test_the_corner_between_two_scroll_bars_has_the_colour_of_the_page(qtbot, qapp: QApplication, look) -> None:
    theme.apply(qapp, look.name)
    window = QMainWindow()
    qtbot.addWidget(window)
    area = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
    inner = QWidget()
    inner.setMinimumSize(900, 900)
    area.setWidget(inner)
    window.setCentralWidget(area)
    window.resize(200, 200)
    window.show()
    qtbot.waitUntil(lambda: area.horizontalScrollBar().isVisible() and area.verticalScrollBar().isVisible())
    image = window.grab().toImage()
    assert {image.pixelColor(x, y).name() for x in range(188, 200) for y in range(188, 200)} == {look.window}


def test_where_the_keyboard_is_can_be_seen_in_lists_tables_tabs_and_chosen_cards(qtbot, qapp: QApplication) -> None:
    theme.apply(qapp, "light")
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    tabs, card, other = QTabBar(), QFrame(focusPolicy=Qt.FocusPolicy.StrongFocus), QLineEdit()
    tabs.addTab("one")
    card.setProperty("role", "choice")
    card.setProperty("chosen", "true")
    card.setMinimumSize(60, 40)
    parts = [QListView(), QTableView(), tabs, card]
    for part in (*parts, other):
        column.addWidget(part)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    for part in parts:
        other.setFocus()
        before = part.grab().toImage()
        part.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.waitUntil(part.hasFocus)
        assert part.grab().toImage() != before
