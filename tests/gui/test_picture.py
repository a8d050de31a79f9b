"""A picture leaves its view: as pixels, as drawing with its text, and as numbers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.errors import UserError
from core.pictures import palette
from gui import saving, theme
from gui.messages import Messages
from gui.picture import PictureButton, image_of, save_picture, save_rows
from gui.settings import Settings
from gui.widgets.labels import label
from gui.widgets.scatter import Scatter


@pytest.fixture
def drawn(qtbot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    layout = QVBoxLayout(widget)
    layout.addWidget(label("他吃了苹果 apple"))
    points = Scatter()
    points.set_points(np.random.default_rng(0).normal(size=(20, 2)), [0] * 10 + [1] * 10)
    points.fit()
    layout.addWidget(points)
    widget.resize(300, 200)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


@pytest.fixture
def messages(qtbot) -> Messages:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    yield Messages(window)


def test_png_is_drawn_anew_at_each_scale(drawn, tmp_path) -> None:
    for scale in (1, 4):
        save_picture(drawn, tmp_path / "a.png", scale)
        image = QImage(str(tmp_path / "a.png"))
        assert (image.width(), image.height()) == (300 * scale, 200 * scale)
    fine = image_of(drawn, 4)
    small = image_of(drawn, 1).scaled(fine.size())
    assert fine != small


def test_svg_and_pdf_keep_text_as_text_and_points_as_shapes(drawn, tmp_path) -> None:
    save_picture(drawn, tmp_path / "a.svg")
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "他吃了苹果" in svg and "apple" in svg and svg.count("<path") >= 20
    assert not drawn.findChild(Scatter)._rings._exportOpts  # and the window goes on as before
    save_picture(drawn, tmp_path / "a.pdf")
    pdf = (tmp_path / "a.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and b"/ToUnicode" in pdf


def test_what_cannot_be_written_is_said_and_leaves_nothing(drawn, tmp_path) -> None:
    with pytest.raises(UserError, match="cannot be saved as"):
        save_picture(drawn, tmp_path / "a.jpg")
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        save_rows(tmp_path / "a.csv", ["word"], [])
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_the_menu_copies_saves_and_remembers_the_folder(drawn, messages, tmp_path, monkeypatch) -> None:
    asked = []

    def ask(_parent: QWidget, _title: str, suggested: str, _kinds: str) -> str:
        asked.append(suggested)
        return str(tmp_path / f"mine{Path(suggested).suffix}")

    monkeypatch.setattr(saving, "ask_path", ask)
    settings = Settings()
    rows = [["苹果", 0.5], ["梨", float("nan")]]
    button = PictureButton(drawn, "a/b: c", messages=messages, settings=settings, rows=lambda: (["word", "x"], rows), parent=drawn)
    actions = {action.text(): action for action in button.menu().actions() if action.text()}
    assert list(actions) == ["Copy", "Save as PNG, 1x", "Save as PNG, 2x", "Save as PNG, 3x", "Save as PNG, 4x", "Save as SVG", "Save as PDF",
                             "Save its data as csv"]
    actions["Save as PNG, 3x"].trigger()
    assert QImage(str(tmp_path / "mine.png")).width() == 900
    actions["Save its data as csv"].trigger()
    with (tmp_path / "mine.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [["word", "x"], ["苹果", "0.5"], ["梨", ""]]
    assert asked[0].endswith("a_b_ c.png") and asked[1] == str(tmp_path / "a_b_ c.csv")
    actions["Copy"].trigger()
    assert QGuiApplication.clipboard().image().width() == 600
    assert any("Saved as" in text for text, _ in messages.texts)


def test_the_button_is_not_in_its_own_picture(drawn, messages, qtbot) -> None:
    before = image_of(drawn)
    button = PictureButton(drawn, "a", messages=messages, settings=Settings(), parent=drawn)
    button.resize(30, 30)
    button.show()
    assert image_of(drawn) == before and drawn.grab().toImage() != before and not button.unseen


def test_a_choice_not_made_and_a_picture_not_there(drawn, messages, monkeypatch) -> None:
    monkeypatch.setattr(saving, "ask_path", lambda *_: "")
    PictureButton(drawn, "a", messages=messages, settings=Settings(), parent=drawn).save(".svg")
    assert messages.texts == []
    PictureButton(lambda: None, "a", messages=messages, settings=Settings(), parent=drawn).save(".svg")
    assert messages.texts == [("There is no picture yet.", "")]


@pytest.mark.parametrize("look", [theme.LIGHT, theme.DARK])
def test_the_command_line_has_the_colours_of_the_window(look) -> None:
    other = palette.of(look.dark)
    for name in ("surface", "text", "text_soft", "border", "accent", "runs", "senses"):
        assert getattr(other, name) == getattr(look, name), name
    assert QColor(*palette.ramp(look.dark)[0].tolist()) == QColor(look.surface)
