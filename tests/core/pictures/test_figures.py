"""Figures for files: text stays text, Chinese shows, and nothing is left half-written."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.pictures import figures, palette
from core.whole import replacing


def draw(path) -> str:
    with figures.figure(4, 3) as drawn:
        axis = drawn.subplots()
        axis.imshow(np.eye(3), cmap=figures.ramp())
        axis.set_xticks(range(3), ["吃", "苹果", "apple"])
        return figures.save(drawn, path)


def test_text_stays_text(tmp_path) -> None:
    for name in ("a.svg", "a.pdf", "a.png"):
        draw(tmp_path / name)
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert ">苹果</text>" in svg and ">apple</text>" in svg
    pdf = (tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"/ToUnicode" in pdf  # fonts inside, and what their glyphs mean
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 3


def test_dollars_are_no_formula(tmp_path) -> None:
    with figures.figure(4, 3) as drawn:
        axis = drawn.subplots()
        axis.set_title(r"price $\b$")
        axis.set_xticks([0, 1], ["$x$", r"\$"])
        axis.text(0.5, 0.5, "$5 or $6")
        figures.save(drawn, tmp_path / "a.svg")
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert all(f">{words}</text>" in svg for words in (r"price $\b$", "$x$", r"\$", "$5 or $6"))


def test_a_font_that_is_missing_is_said(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(figures, "chinese_font", lambda: "")
    assert "shown as boxes" in draw(tmp_path / "a.png")
    assert draw(tmp_path / "a.svg") == ""  # there it is text: the reader's fonts show it


def test_another_suffix_and_a_folder_that_is_not_there(tmp_path) -> None:
    with pytest.raises(UserError, match="cannot be saved as"):
        figures.suffix_of(tmp_path / "a.jpg")
    with pytest.raises(UserError, match="cannot be written"):
        draw(tmp_path / "none" / "a.svg")


def test_a_read_only_disk_is_put_in_words_though_it_refuses_to_remove_what_is_not_there(tmp_path, monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("open", "unlink"):
        monkeypatch.setattr(Path, name, refuse)
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", refuse)
    with pytest.raises(UserError, match="the disk can only be read"):
        draw(tmp_path / "a.svg")
    with pytest.raises(UserError, match="the disk can only be read"), replacing(tmp_path / "a.bin"):
        pass


@pytest.mark.parametrize("dark", [False, True])
def test_the_ramp_changes_its_lightness_one_way(dark: bool) -> None:
    weights = np.array([0.2126, 0.7152, 0.0722])
    ramp = palette.ramp(dark) @ weights
    assert (np.diff(ramp) * (1 if dark else -1) > -1.0).all() and abs(ramp[-1] - ramp[0]) > 140
    change = palette.diverging(dark) @ weights
    middle = len(change) // 2
    assert abs(change[0] - change[middle]) > 60 and abs(change[-1] - change[middle]) > 60
    assert len(figures.MARKERS) == len(palette.of(dark).senses)
