"""Projections show what is near, the badge says how far that can be believed, and aligned pictures of the same are the same."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import UserError
from core.projection import knn, pca, tsne
from core.projection.align import align
from core.projection.knn import BLOCK, Stopped, nearest
from core.projection.quality import EXACT, quality
from core.registry import PROJECTIONS, lookup

CLOUDS = 4


@pytest.fixture(scope="module")
def clouds() -> tuple[np.ndarray, np.ndarray]:
    """160 vectors of 20 in four clouds that lie apart, and which cloud each is of."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(CLOUDS), 40)
    return (random.normal(size=(CLOUDS, 20))[labels] * 8 + random.normal(size=(160, 20))).astype(np.float32), labels


def _same_cloud(picture: np.ndarray, labels: np.ndarray) -> float:
    near, _ = nearest(picture, 5)
    return float((labels[near] == labels[:, None]).mean())


@pytest.mark.parametrize("name", PROJECTIONS)
@pytest.mark.parametrize("dimensions", [2, 3])
def test_clouds_stay_apart_and_the_same_seed_gives_the_same_picture(clouds, name, dimensions):
    x, labels = clouds
    options = {"tsne": {"iterations": 250, "perplexity": 15}, "umap": {"epochs": 100}}.get(name, {})
    told = []
    first = lookup(PROJECTIONS, name)(dimensions, **options).fit_transform(x, lambda share, picture: told.append((share, picture.shape)))
    again = lookup(PROJECTIONS, name)(dimensions, **options).fit_transform(x)
    assert first.shape == (160, dimensions)
    assert np.isfinite(first).all()
    assert (first == again).all()
    assert _same_cloud(first, labels) > 0.97
    assert told[-1] == (1.0, (160, dimensions))
    assert len(told) >= {"pca": 1, "umap": 2, "tsne": 250}[name]


@pytest.mark.parametrize("name", PROJECTIONS)
def test_rows_with_nan_stay_away_and_leave_the_others_alone(clouds, name):
    x = clouds[0][:60].copy()
    x[[3, 59], 1] = np.nan
    options = {"tsne": {"iterations": 20}, "umap": {"epochs": 20}}.get(name, {})
    picture = lookup(PROJECTIONS, name)(2, **options).fit_transform(x)
    assert np.flatnonzero(~np.isfinite(picture).all(axis=1)).tolist() == [3, 59]


@pytest.mark.parametrize("name", ["tsne", "umap"])
@pytest.mark.parametrize("x", [np.ones((50, 4)), np.ones((1, 4)), np.full((50, 4), np.nan)])
def test_too_few_vectors_or_one_and_the_same_are_refused_in_a_sentence(name, x):
    with pytest.raises(UserError):
        lookup(PROJECTIONS, name)().fit_transform(x)


def test_equal_vectors_among_others_are_borne(clouds):
    x = np.vstack([clouds[0][:40], np.repeat(clouds[0][:1], 40, axis=0)])
    assert np.isfinite(tsne.TSNE(iterations=60).fit_transform(x)).all()


def test_a_descent_ends_where_the_person_wants_and_goes_on_as_if_never_paused(clouds):
    x, _ = clouds
    stopped = tsne.TSNE(iterations=90).fit_transform(x, lambda share, _: share >= 0.5)
    descent = tsne.Descent(x, iterations=90)
    while descent.iteration < 45:
        descent.step()
    assert (descent.picture == stopped).all()
    divergence = descent.divergence
    while not descent.done:
        descent.step()
    assert (descent.picture == tsne.TSNE(iterations=90).fit_transform(x)).all()
    assert descent.divergence < divergence


def test_a_descent_begins_small_and_exaggerates_a_third_of_its_way_at_most(clouds, monkeypatch):
    x, _ = clouds
    descent, other = tsne.Descent(x, iterations=9, perplexity=7), tsne.Descent(x, iterations=9, seed=1)
    assert (descent.perplexity, other.perplexity, tsne.Descent(x[:7]).perplexity) == (7, 30, 2)
    assert descent.picture[:, 0].std() == pytest.approx(tsne.WIDTH, rel=0.05) and not np.array_equal(descent.picture, other.picture)
    told = []
    monkeypatch.setattr(descent._embedding, "optimize", lambda **options: told.append(options["exaggeration"]))
    while not descent.done:
        descent.step()
    assert told == 3 * [tsne.EXAGGERATION] + 6 * [1.0]


def test_umap_is_asked_with_the_neighbours_that_are_known(clouds, monkeypatch):
    import umap

    class Asked:
        def __init__(self, **options):
            told.append(options)

        def fit_transform(self, rows):
            return np.zeros((len(rows), 2))

    told = []
    monkeypatch.setattr(umap, "UMAP", Asked)
    x, _ = clouds
    lookup(PROJECTIONS, "umap")(2, neighbours=6, min_dist=0.3, seed=5).fit_transform(x)
    options, = told
    assert (options["n_neighbors"], options["min_dist"], options["random_state"]) == (6, 0.3, 5)
    found, apart = options["precomputed_knn"]
    assert (found[:, 0] == np.arange(len(x))).all() and (apart[:, 0] == 0).all()  # the point itself is its first neighbour
    assert (found[:, 1:] == nearest(x, 5)[0]).all() and (apart[:, 1:] > 0).all()


def test_umap_ends_where_the_person_wants(clouds):
    told = []
    x = np.random.default_rng(9).normal(size=(500, 8))
    umap = lookup(PROJECTIONS, "umap")
    begun = umap(2, epochs=1000).fit_transform(x, lambda share, _: told.append(share) or share > 0)
    assert told[0] == 0 < told[-1] < 1
    assert len(told) < 6  # the bar says it once more when it closes
    assert np.isfinite(begun).all()


@pytest.mark.parametrize("block", [BLOCK, 300, 8])  # at once, in pieces, in pieces whose differences are too many to hold
def test_nearest_is_that_of_all_distances(monkeypatch, block):
    monkeypatch.setattr(knn, "BLOCK", block)
    x = np.random.default_rng(1).normal(size=(70, 5)) + 1000
    apart = np.linalg.norm(x[:, None] - x[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    found, far = nearest(x, 7)
    assert (np.sort(found) == np.sort(np.argsort(apart)[:, :7])).all()
    assert np.allclose(far, np.sort(apart)[:, :7], atol=1e-3)
    with pytest.raises(Stopped):
        nearest(x, 7, stop=lambda _share: True)


def test_the_badge_is_sklearns_trustworthiness(clouds):
    from sklearn.manifold import trustworthiness

    picture = pca.PCA().fit_transform(clouds[0])
    found = quality(clouds[0], picture)
    assert found.exact
    assert found.trustworthiness == pytest.approx(trustworthiness(clouds[0], picture, n_neighbors=10), abs=1e-6)
    assert quality(clouds[0] + 3000, picture).trustworthiness == pytest.approx(found.trustworthiness, abs=1e-3)  # wherever the vectors lie
    with pytest.raises(Stopped):
        quality(clouds[0], picture, stop=lambda _share: True)


def test_the_badge_is_high_where_the_picture_is_true_and_low_for_a_random_cloud(clouds):
    x, _ = clouds
    true = quality(x[:, :2], x[:, :2])
    assert (true.trustworthiness, true.recall) == (1.0, 1.0)
    structured = quality(x, tsne.TSNE(iterations=250, perplexity=15).fit_transform(x))
    random = np.random.default_rng(2).normal(size=(1000, 100))
    flattened = quality(random, pca.PCA().fit_transform(random))
    thrown = quality(random, np.random.default_rng(3).normal(size=(1000, 2)))
    assert structured.trustworthiness > 0.9
    assert flattened.trustworthiness < 0.7
    assert flattened.recall < 0.1
    assert thrown.trustworthiness == pytest.approx(0.5, abs=0.03)
    assert thrown.recall == pytest.approx(10 / 999, abs=0.01)


def test_of_many_points_some_are_asked_and_the_badge_says_how_many(monkeypatch):
    x = np.random.default_rng(4).normal(size=(EXACT + 500, 3))
    x[5] = np.nan
    found = quality(x, x[:, :2])
    assert (found.points, found.exact) == (EXACT + 499, False)
    assert 50 <= found.asked <= 1000
    assert quality(x, x).recall == 1.0
    assert 0.6 < found.trustworthiness < 0.98
    monkeypatch.setattr("core.projection.quality.PAIRS", 100 * found.points)
    assert quality(x, x[:, :2]).asked == 100


def test_no_badge_for_three_points():
    assert quality(np.eye(3), np.eye(3)[:, :2]) is None


@pytest.mark.parametrize("dimensions", [2, 3])
def test_aligning_takes_turns_and_mirrors_back_and_keeps_the_size(dimensions):
    random = np.random.default_rng(5)
    onto = random.normal(size=(30, dimensions))
    turn, _ = np.linalg.qr(random.normal(size=(dimensions, dimensions)))
    turn[0] *= -1
    assert np.allclose(align(onto, onto), onto)
    moved = onto @ turn + 7
    assert np.allclose(align(moved, onto), onto)
    assert np.allclose(np.ptp(align(moved * 3, onto), axis=0), 3 * np.ptp(onto, axis=0))  # nothing is enlarged or shrunk


def test_aligning_turns_as_orthogonal_procrustes_does():
    from scipy.linalg import orthogonal_procrustes

    random = np.random.default_rng(8)
    onto, picture = random.normal(size=(2, 30, 2))
    centred = picture - picture.mean(axis=0)
    turn, _ = orthogonal_procrustes(centred, onto - onto.mean(axis=0))
    assert np.allclose(align(picture, onto), centred @ turn + onto.mean(axis=0))


def test_aligning_looks_at_the_points_that_both_have():
    onto = np.random.default_rng(6).normal(size=(10, 2))
    picture = onto[:, ::-1] - 4
    onto[0] = np.nan
    picture[1] = np.nan
    made = align(picture, onto)
    assert np.allclose(made[2:], onto[2:])
    assert np.isfinite(made[0]).all()
    nothing = np.full((3, 2), np.nan)
    assert np.array_equal(align(np.ones((3, 2)), nothing), np.ones((3, 2)))
    assert np.array_equal(align(np.ones((3, 2)), np.zeros((3, 2))), np.zeros((3, 2)))


def test_the_axes_of_many_vectors_are_those_of_the_svd():
    x = (np.random.default_rng(7).normal(size=(pca.MANY + 10, 6)) * [5, 4, 3, 2, 1, 0]).astype(np.float32)
    many, few = pca.fit(x, 6), pca.fit(x[: pca.MANY - 1], 6)
    _, widths, rows = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    assert np.allclose(np.abs(many.axes[:5]), np.abs(rows[:5]), atol=1e-4)
    assert np.allclose(many.share[:5], (widths**2 / (widths**2).sum())[:5], atol=1e-6)
    assert (many.axes[5] == 0).all()
    assert (few.axes[5] == 0).all()
