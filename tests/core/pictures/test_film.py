"""Pictures that move only where the vectors do, their badges, and the figures beneath the film."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from core import config
from core.analysis import film, layouts, senses, window
from core.errors import UserError
from core.pictures import film as moving
from core.projection.align import align
from core.runs import Run
from core.text.specimens import Specimen, write_specimens

SPECIMENS = [Specimen(word="苹果", sense=sense, text=f"{'吃' * number}苹果{ending}")
             for sense, ending in (("fruit", "很甜"), ("company", "发布")) for number in range(8)]
SIDE = np.array([[-1.0] if item.sense == "fruit" else [1.0] for item in SPECIMENS]) * np.eye(12)[0]


def vectors(apart: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(len(SPECIMENS), 12)) + apart * SIDE


def make(folder: Path, steps: dict[int, list[np.ndarray]], family: str = "bert") -> Run:
    """A run with probes; steps: step -> its layers."""
    run = Run.create(config.build(family, "quick", {} if family == "word2vec" else {"num_layers": len(next(iter(steps.values()))) - 1}), folder)
    write_specimens(run.specimens_path, SPECIMENS)
    for step, layers in steps.items():
        np.savez(run.probe_path(step), vectors=np.stack(layers).astype(np.float16), step=np.array(step))
    return run


@pytest.fixture
def frozen(tmp_path: Path) -> Run:
    return make(tmp_path / "frozen", {step: [np.ones((16, 12)), vectors(2.0), vectors(2.0, seed=3)] for step in (0, 10, 20)})


@pytest.mark.parametrize("projection", ["pca", "tsne"])  # UMAP takes seconds to load; tests/core/projection holds that it repeats itself
def test_a_frozen_model_gives_a_film_without_motion(frozen: Run, projection: str) -> None:
    pictures = [layouts.layout(str(frozen.path), SPECIMENS, 2, step, projection)["xy"] for step in (0, 10, 20)]
    assert np.isfinite(pictures[0]).all() and np.ptp(pictures[0]) > 1
    assert np.array_equal(pictures[0], pictures[1]) and np.array_equal(pictures[0], pictures[2])


def test_the_replay_of_a_frozen_model_stands_still(frozen: Run) -> None:
    xy = window.replay(str(frozen.path), SPECIMENS, 1)["xy"]
    assert np.array_equal(xy[0], xy[1]) and np.array_equal(xy[0], xy[2]) and np.ptp(xy[0]) > 1


@pytest.mark.parametrize("projection", ["pca", "tsne"])
def test_a_turned_layer_lies_on_the_last_one(tmp_path: Path, projection: str) -> None:
    """A layer that holds the same shape, turned in the full space, has the same picture in the same place."""
    whole = vectors(2.0).astype(np.float16).astype(np.float64)
    whole *= np.linspace(3, 1, 12)  # clear principal axes
    turned = whole @ np.linalg.qr(np.random.default_rng(1).normal(size=(12, 12)))[0]
    run = make(tmp_path / "turned", {0: [np.ones((16, 12)), turned, whole]})
    below, above = (layouts.layout(str(run.path), SPECIMENS, layer, 0, projection)["xy"] for layer in (1, 2))
    if projection == "pca":
        assert below == pytest.approx(above, abs=0.05)  # half precision
    unaligned = np.abs(above * [1, -1] - above).max()
    left = np.sqrt(((below - above) ** 2).sum() / (above**2).sum())
    assert left < 0.6 and unaligned > 1
    assert left == pytest.approx(np.sqrt(((align(below, above) - above) ** 2).sum() / (above**2).sum()), abs=1e-4)  # it is turned already


def test_every_picture_carries_its_badge_and_noise_scores_low(tmp_path: Path) -> None:
    flat = np.zeros((16, 12))
    flat[:, :2] = np.random.default_rng(0).normal(size=(16, 2))
    noise = np.random.default_rng(0).normal(size=(16, 12))
    run = make(tmp_path / "badge", {0: [np.ones((16, 12)), noise, flat]})
    scores = [layouts.layout(str(run.path), SPECIMENS, layer, 0, "pca")["quality"] for layer in range(3)]
    assert scores[0] is None  # one vector: there is nothing to keep
    assert scores[2]["trustworthiness"] == pytest.approx(1, abs=1e-3) and scores[2]["recall"] > 0.95
    assert scores[1]["trustworthiness"] < 0.9 and scores[1]["recall"] < scores[2]["recall"]


def test_one_vector_is_one_point_in_every_projection(tmp_path: Path) -> None:
    run = make(tmp_path / "one", {0: [np.ones((16, 12))]}, "word2vec")
    for projection in ("pca", "tsne", "umap"):
        found = layouts.layout(str(run.path), SPECIMENS, 0, 0, projection)
        assert not found["xy"].any() and set(found["groups"]) == {0}


def test_vectors_that_are_no_numbers_leave_a_gap(tmp_path: Path) -> None:
    broken = vectors(2.0)
    broken[3] = np.nan
    run = make(tmp_path / "broken", {0: [broken, broken], 5: [np.full((16, 12), np.nan)] * 2})
    for projection in ("pca", "tsne"):
        found = layouts.layout(str(run.path), SPECIMENS, 1, 0, projection)
        assert np.isnan(found["xy"][3]).all() and np.isfinite(np.delete(found["xy"], 3, axis=0)).all() and found["quality"]["points"] == 15
        assert np.isnan(layouts.layout(str(run.path), SPECIMENS, 1, 5, projection)["xy"]).all()
    assert film.course(str(run.path), SPECIMENS, 1)["auc"][1] is None


def test_the_course_is_the_auc_of_every_step(tmp_path: Path) -> None:
    run = make(tmp_path / "course", {step: [np.ones((16, 12)), vectors(step / 5)] for step in (0, 5, 10)})
    found = film.course(str(run.path), SPECIMENS, 1)
    labels = np.array([item.sense for item in SPECIMENS])
    wanted = [senses.auc(senses.normalised(vectors(step / 5).astype(np.float16).astype(np.float32)), labels) for step in (0, 5, 10)]
    assert found["steps"] == [0, 5, 10] and found["auc"] == pytest.approx(wanted) and found["auc"][0] < found["auc"][2]
    assert film.course(str(run.path), SPECIMENS, 0)["auc"] == [0.5, 0.5, 0.5]
    with pytest.raises(UserError, match="same sense"):
        film.course(str(run.path), SPECIMENS[:8], 1)


@pytest.mark.parametrize(("auc", "marks"), [([0.5, None, 0.9], ["0.5", "0.75", "1"]), ([0.31, 0.42, 0.9], ["0.5", "0.75", "1"]),
                                            ([0.0, 0.2, 1.0], ["0", "0.25", "0.5", "0.75", "1"])])
def test_no_auc_is_drawn_outside_its_chart(tmp_path: Path, auc: list[float | None], marks: list[str]) -> None:
    reel = moving.Reel(title="a run", colour="#000000", steps=[0, 5, 10], xy=np.zeros((3, 1, 2)), auc=auc)
    moving.write_svg(moving.Film(title="苹果", reels=[reel], senses=[("fruit", "#ff0000", "o")], categories=[0]), tmp_path / "film.svg", frames=3)
    drawn = (tmp_path / "film.svg").read_text(encoding="utf-8")
    top = moving.HEAD + moving.PICTURE + 2 * moving.GAP
    heights = [float(pair.split(",")[1]) for pair in re.search(r'polyline points="([^"]+)"', drawn)[1].split()]
    assert len(heights) == 3 - auc.count(None) and all(top <= height <= top + moving.CHART for height in heights)
    assert re.findall(r'text-anchor="end" fill="#50555f">([\d.]+)<', drawn) == marks
