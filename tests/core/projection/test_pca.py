"""PCA against plain numpy: the covariance's eigenvectors."""

from __future__ import annotations

import numpy as np
import pytest

from core.projection import pca
from core.registry import PROJECTIONS, lookup


def test_the_axes_are_the_covariances_eigenvectors() -> None:
    x = np.random.default_rng(0).normal(size=(60, 5)) @ np.diag([5, 3, 1, 0.5, 0.1])
    basis = pca.fit(x, 3)
    values, vectors = np.linalg.eigh(np.cov(x.T))
    assert np.allclose(np.abs(basis.axes @ vectors[:, ::-1][:, :3]), np.eye(3), atol=1e-6)
    assert np.allclose(basis.share, values[::-1][:3] / values.sum())
    assert np.allclose(basis.project(x).var(axis=0, ddof=1), values[::-1][:3])
    assert all(axis[np.abs(axis).argmax()] > 0 for seed in range(4) for axis in pca.fit(np.random.default_rng(seed).normal(size=(9, 4)), 3).axes)


def test_the_picture_does_not_depend_on_the_order_of_the_rows_or_on_where_they_lie() -> None:
    x = np.random.default_rng(1).normal(size=(30, 4))
    order = np.random.default_rng(2).permutation(30)
    assert np.allclose(pca.fit(x).project(x)[order], pca.fit(x[order] + 7).project(x[order] + 7))


def test_points_that_do_not_spread_stay_in_one_place() -> None:
    basis = pca.fit(np.ones((10, 6), dtype=np.float16) * 0.1)
    assert (basis.axes == 0).all() and (basis.share == 0).all()
    assert (basis.project(np.ones((3, 6))) == 0).all()


def test_points_on_a_line_have_one_axis() -> None:
    line = np.outer(np.arange(5.0), [3.0, 4.0])
    basis = pca.fit(line)
    assert np.allclose(basis.axes, [[0.6, 0.8], [0, 0]]) and np.allclose(basis.share, [1, 0])


def test_rows_with_nan_are_left_out_and_stay_nan() -> None:
    x = np.random.default_rng(3).normal(size=(20, 3))
    holed = np.vstack([x, [np.nan, 1, 1]])
    picture = pca.fit(holed).project(holed)
    assert np.allclose(picture[:-1], pca.fit(x).project(x)) and np.isnan(picture[-1]).all()
    with pytest.raises(ValueError, match="no vectors"):
        pca.fit(holed[-1:])


def test_another_mean_moves_the_picture_and_turns_nothing() -> None:
    x = np.random.default_rng(4).normal(size=(20, 3))
    basis = pca.fit(x)
    assert np.allclose(basis.project(x + 5, mean=x.mean(axis=0) + 5), basis.project(x))


def test_the_registry_names_it_and_it_tells_of_its_end() -> None:
    heard = []
    x = np.random.default_rng(5).normal(size=(12, 3))
    picture = lookup(PROJECTIONS, "pca")().fit_transform(x, lambda done, xy: heard.append((done, xy.shape)))
    assert picture.shape == (12, 2) and heard == [(1.0, (12, 2))]
