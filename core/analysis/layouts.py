"""Pictures of a word's vectors in the plane, placed so that what differs between two of them is what differs in the vectors.

PCA has one plane for all steps of a run. The planes of its layers are turned (and mirrored, never stretched) so that the points
lie as near as possible to where they lie in the last layer's: orthogonal Procrustes. t-SNE and UMAP start every picture from the
principal axes with the same seed, so that equal vectors give equal pictures, and each picture is turned on to that of the newest
step in the last layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis import vectors as vectors_of
from core.analysis.vectors import BOTH, Source
from core.errors import UserError
from core.i18n import tr
from core.projection import pca
from core.registry import PROJECTIONS, lookup
from core.runs import Run
from core.text.specimens import Specimen

PCA = "pca"
MARGIN = 1.1  # of the range that is seen, for what moves


def steps_of(run: Run, source: Source, specimens: Sequence[Specimen], layer: int, direction: str, *,
             aside: bool = False) -> list[tuple[int, np.ndarray]]:
    """(step, (specimens, size)) of every step that can be read, the oldest first. aside: see core.analysis.vectors.layer_of."""
    return [(step, vectors) for step in source.steps
            if (vectors := vectors_of.layer_of(run, source, specimens, step, layer, direction, aside=aside)) is not None]


def basis_step_of(found: Sequence[tuple[int, np.ndarray]], wanted: int | None) -> int:
    """The newest step that has vectors, not after `wanted`."""
    known = [step for step, vectors in found if np.isfinite(vectors).all(axis=1).any()]
    return max((step for step in known if wanted is None or step <= wanted), default=known[0] if known else found[-1][0])


def plane(run: Run, source: Source, specimens: Sequence[Specimen], layer: int, basis_step: int | None,
          direction: str = BOTH, *, aside: bool = False) -> tuple[int, pca.Basis]:
    """The step and the plane of the pictures of a layer: the first two principal axes of that step's vectors.

    In the last layer they point so that the first sense of the specimens lies at the left, the second one below it where there
    are more than two; those of the other layers are turned on to it. There must be a step (`steps_of`).
    """
    found = steps_of(run, source, specimens, layer, direction, aside=aside)
    step = basis_step_of(found, basis_step)
    labels = [item.sense for item in specimens]
    vectors = dict(found)[step]
    basis = _basis(vectors, labels)
    last = vectors_of.layer_of(run, source, specimens, step, getattr(run.config.model, "num_layers", 0), direction, aside=aside)
    if last is None or not np.isfinite(last).all(axis=1).any():
        return step, basis
    onto = _basis(last, labels).project(last, mean_of(last))
    picture = basis.project(vectors, mean_of(vectors))
    turn = _turn(picture, onto)
    return step, replace(basis, axes=turn.T @ basis.axes, share=np.square(turn).T @ basis.share)


def layout(run: str, specimens: Sequence[Specimen], layer: int, step: int, projection: str, basis_step: int | None = None,
           direction: str = BOTH, *, aside: bool = False) -> dict[str, Any]:
    """One picture of the word's vectors of a step, and how much can be believed of it.

    {"xy": (specimens, 2) float32, "groups": (specimens) as of core.analysis.window.groups, "half": (x, y) of the range that holds it,
    "quality": the fields of core.projection.quality.Quality, or None where there are too few points}. UserError where the step
    cannot be read, or nothing can be drawn of it.
    """
    from core.analysis.window import groups

    opened = Run.open(Path(run))
    source = vectors_of.source_of(opened, specimens)
    vectors = vectors_of.layer_of(opened, source, specimens, step, layer, direction, aside=aside)
    if vectors is None:
        raise UserError(tr("The vectors of step {step} cannot be read.", step=step), tr("Look at another step."))
    if projection == PCA:
        _, basis = plane(opened, source, specimens, layer, basis_step, direction, aside=aside)
        xy = basis.project(vectors, mean_of(vectors))
        half = np.abs(xy[np.isfinite(xy).all(axis=1)]).max(axis=0, initial=0.0)
    else:
        xy, half = _placed(opened, source, specimens, vectors, projection, basis_step, direction, aside)
    found = groups(vectors)
    return {"xy": xy.astype(np.float32), "groups": found, "half": (float(half[0]), float(half[1])), "quality": badge(vectors, xy)}


def badge(vectors: np.ndarray, xy: np.ndarray) -> dict[str, Any] | None:
    """How faithful a picture (n, 2) of vectors (n, size) is; None where too few of them differ for it to mean anything."""
    from core.projection.quality import quality

    known = np.isfinite(vectors).all(axis=1)
    different = np.unique(np.round(vectors[known].astype(np.float64), 4), axis=0)
    found = quality(vectors[known], xy[known]) if len(different) > 1 else None
    return asdict(found) if found is not None else None


def _placed(run: Run, source: Source, specimens: Sequence[Specimen], vectors: np.ndarray, projection: str, basis_step: int | None,
            direction: str, aside: bool) -> tuple[np.ndarray, np.ndarray]:
    """The picture, turned on to that of the newest step in the last layer, and the half widths that hold both."""
    from core.projection.align import align

    deepest = getattr(run.config.model, "num_layers", 0)
    found = steps_of(run, source, specimens, deepest, direction, aside=aside)
    last = dict(found)[basis_step_of(found, basis_step)] if found else vectors
    onto = _project(projection, last)
    known = np.isfinite(onto).all(axis=1)
    if known.any():
        basis = pca.fit(last)
        onto = onto @ _turn(onto - onto[known].mean(axis=0), _basis(last, [item.sense for item in specimens]).project(last, basis.mean))
        onto -= onto[known].mean(axis=0)
    xy = align(_project(projection, vectors), onto) if np.isfinite(vectors).all(axis=1).any() else _project(projection, vectors)
    both = np.concatenate([xy, onto])
    return xy, np.abs(both[np.isfinite(both).all(axis=1)]).max(axis=0, initial=0.0) * MARGIN


def _project(projection: str, vectors: np.ndarray) -> np.ndarray:
    """(n, size) -> (n, 2) float64; one point where all vectors are one."""
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    return _projected(projection, vectors.tobytes(), vectors.shape).copy()


@lru_cache(maxsize=512)
def _projected(projection: str, data: bytes, shape: tuple[int, int]) -> np.ndarray:
    from core.analysis.window import groups

    vectors = np.frombuffer(data, dtype=np.float32).reshape(shape)
    if groups(vectors).max(initial=0) == 0:
        return np.where(np.isfinite(vectors).all(axis=1)[:, None], 0.0, np.nan) * np.ones((1, 2))
    return lookup(PROJECTIONS, projection)(2).fit_transform(vectors)


def _turn(picture: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """The rotation or reflection (2, 2) of the rows of picture (n, 2) that brings them nearest to those of onto (n, 2)."""
    known = np.isfinite(picture).all(axis=1) & np.isfinite(onto).all(axis=1)
    if not known.any() or not np.abs(picture[known]).any() or not np.abs(onto[known]).any():
        return np.eye(2)
    left, _, right = np.linalg.svd(picture[known].T @ onto[known])
    return left @ right


def _basis(vectors: np.ndarray, labels: Sequence[str]) -> pca.Basis:
    """The plane, mirrored so that the senses lie the same way round for every run."""
    known = np.isfinite(vectors).all(axis=1)
    if not known.any():
        return pca.Basis(mean=np.zeros(vectors.shape[1]), axes=np.zeros((2, vectors.shape[1])), share=np.zeros(2))
    basis = pca.fit(vectors)
    names = list(dict.fromkeys(labels))
    marks = np.array(labels)
    axes = basis.axes.copy()
    for axis, sense in enumerate(names[:2] if len(names) > 2 else names[:1]):
        mine, rest = known & (marks == sense), known & (marks != sense)
        if mine.any() and rest.any():
            places = vectors.astype(np.float64) @ axes[axis]
            if places[mine].mean() > places[rest].mean():
                axes[axis] *= -1
    return pca.Basis(mean=basis.mean, axes=axes, share=basis.share)


def mean_of(vectors: np.ndarray) -> np.ndarray:
    """Of the rows without NaN."""
    known = vectors[np.isfinite(vectors).all(axis=1)].astype(np.float64)
    return known.mean(axis=0) if len(known) else np.zeros(vectors.shape[1])
