"""python main.py project: the same picture and the same figures as in the window."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from core import cli
from core.cli import mapping

COUNT = 60


@pytest.fixture
def vectors(tmp_path) -> str:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(COUNT, 6)).astype(np.float32))
    (tmp_path / "x.txt").write_text("\n".join(f"词{row}" for row in range(COUNT)), encoding="utf-8")
    return str(tmp_path / "x.npy")


def test_it_prints_every_point_and_how_far_the_picture_can_be_believed(vectors, capsys):
    assert cli.main(["project", vectors, "--measure", "euclid", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    x = np.load(vectors).astype(float)
    _, _, axes = np.linalg.svd(x - x.mean(axis=0))
    assert len(told["points"]) == told["laid_out"] == COUNT
    assert np.allclose(np.abs([point["x"] for point in told["points"]]), np.abs((x - x.mean(axis=0)) @ axes[0]), atol=1e-4)
    assert 0 < told["badge"]["trustworthiness"] < 1
    assert told["badge"]["asked"] == COUNT


def test_its_figure_keeps_text_as_text(vectors, tmp_path, capsys):
    out = tmp_path / "p.svg"
    assert cli.main(["project", vectors, "--out", str(out)]) == 0
    drawn = out.read_text(encoding="utf-8")
    assert ">词0<" in drawn
    assert "trustworthiness" in drawn


def test_a_terminal_shows_how_long_the_layout_still_takes(vectors, capsys, monkeypatch):
    monkeypatch.setattr(mapping.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(mapping.time, "monotonic", lambda: 160.0)
    mapping._laid_out(100.0, 0.25)
    assert "the layout, 3:00 left: 25%" in capsys.readouterr().err


def test_a_file_whose_name_is_no_text_has_a_figure_too(tmp_path, capsys):
    gbk = os.fsdecode(os.fsencode(tmp_path) + b"/" + "词".encode("gbk") + b".txt")
    with open(gbk, "w", encoding="utf-8") as file:
        file.writelines(f"词{row} {row} {row % 7} {row % 3}\n" for row in range(1, COUNT))
    assert cli.main(["project", gbk, "--out", str(tmp_path / "p.svg")]) == 0
    assert ">词1<" in (tmp_path / "p.svg").read_text(encoding="utf-8")


def test_it_refuses_words_of_a_file_and_another_kind_of_figure_before_it_computes(vectors, tmp_path, capsys):
    assert cli.main(["project", vectors, "--words", "词1"]) == 2
    assert "--words" in capsys.readouterr().err
    assert cli.main(["project", vectors, "--out", str(tmp_path / "p.gif")]) == 2
    assert cli.main(["project", str(tmp_path / "nothing.txt")]) == 2
