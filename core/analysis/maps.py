"""What the window asks about a map: pictures of vectors, what they are worth, neighbours, clusters, axes between words, analogies.

Distances are those of the full space, by `measure`: "cosine" or "euclid"; a picture is laid out by the same. rows: (n,) the
rows that a question is about, None for all; answers for other rows are NaN or -1.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis.embeddings import BLOCK, Opened, measured, opened_of, stamp
from core.errors import UserError
from core.i18n import tr
from core.projection import pca
from core.projection.knn import Stopped
from core.projection.quality import quality
from core.projection.tsne import Descent
from core.registry import PROJECTIONS, lookup
from core.runs import home
from core.vector_source import COSINE, VectorSource

KEPT = 24  # pictures on the disk, those that were looked at last
HDBSCAN_MOST = 20_000  # vectors; it compares each with each
SMALL_BATCHES = 20_000  # vectors from which k-means learns from batches

Cancelled = Callable[[], bool]


def project(source: VectorSource, method: str, dimensions: int, measure: str, rows: np.ndarray | None = None,
            options: dict[str, Any] | None = None, known_only: bool = False, on_progress: Callable[[float], object] = lambda *_: None,
            cancelled: Cancelled = lambda: False) -> dict[str, Any]:
    """A picture of the vectors, from the disk where the same was made before.

    {"xy": (all rows, dimensions) float32, NaN for those not in it, "share": of the variance along each axis (PCA), "stopped":
    bool} or {} where known_only and it was never made. on_progress(share done).
    """
    options = options or {}
    place = _place(source, method, dimensions, measure, rows, options)
    if (found := _stored(place)) is not None:
        return {"xy": found, "share": _share(source, measure, rows, dimensions) if method == "pca" else [], "stopped": False}
    if known_only:
        return {}
    x = _finite(measured(source, measure, rows))
    total, share, stopped = len(opened_of(source).words), [], False
    if method == "pca":
        basis = pca.fit(x, dimensions)
        xy, share = basis.project(x), basis.share.tolist()
    else:
        def tell(done: float, _picture: np.ndarray) -> bool:
            nonlocal stopped
            on_progress(done)
            stopped = cancelled()
            return stopped

        xy = lookup(PROJECTIONS, method)(dimensions, **options).fit_transform(x, tell)
    made = spread(xy, rows, total)
    if not stopped:
        _store(place, made)
    return {"xy": made, "share": share, "stopped": stopped}


def descend(source: VectorSource, dimensions: int, measure: str, rows: np.ndarray | None = None, options: dict[str, Any] | None = None,
            seconds: float = 0.3, known_only: bool = False, on_progress: Callable[[int, Any, float], object] = lambda *_: None,
            cancelled: Cancelled = lambda: False) -> dict[str, Any]:
    """Go on with t-SNE for about so many seconds, and at least one iteration; the first call begins it. To pause it do not ask.

    on_progress(iteration, xy, divergence) after each; before the first, on_progress(0, None, share of the neighbours found).
    {"iteration", "iterations", "xy", "divergence", "done"}, or {} where it was cancelled before the first iteration. known_only: how
    far it is, without a step; {} where none is under way.
    """
    options = options or {}
    place = _place(source, "tsne", dimensions, measure, rows, options)
    total = len(opened_of(source).words)

    def stop(share: float) -> bool:
        on_progress(0, None, share)
        return cancelled()

    if place not in _descents:
        if known_only:
            return {}
        _descents.clear()
        try:
            _descents[place] = Descent(_finite(measured(source, measure, rows)), dimensions, stop=stop, **options)
        except Stopped:
            return {}
    descent, end = _descents[place], time.monotonic() + seconds
    while not (known_only or descent.done or cancelled()):
        descent.step()
        on_progress(descent.iteration, spread(descent.picture, rows, total), descent.divergence)
        if time.monotonic() > end:
            break
    xy = spread(descent.picture, rows, total)
    if descent.done:
        _store(place, xy)
    return {"iteration": descent.iteration, "iterations": descent.iterations, "xy": xy, "divergence": descent.divergence, "done": descent.done}


_descents: dict[str, Descent] = {}  # the one that is under way


def badge(source: VectorSource, measure: str, xy: np.ndarray, cancelled: Cancelled = lambda: False) -> dict[str, Any]:
    """How far the picture can be believed: the fields of core.projection.quality.Quality, or {} for fewer than four points."""
    there = np.flatnonzero(np.isfinite(xy).all(axis=1))
    try:
        found = quality(measured(source, measure, there), xy[there], stop=lambda _: cancelled())
    except Stopped:
        return {}
    return {} if found is None else {**asdict(found), "exact": found.exact}


def neighbours(source: VectorSource, row: int, measure: str, k: int = 20) -> dict[str, Any]:
    """The k rows nearest to `row` in the full space: {"rows": (k,), "distances": (k,)}, the nearest first; 1 - cosine, or Euclid's.

    UserError where the vector has NaN or points nowhere.
    """
    wanted = measured(source, measure, np.array([row]))[0]
    if not np.isfinite(wanted).all():
        raise UserError(tr("The vector of “{word}” has no direction or is no number.", word=opened_of(source).words[row]),
                        tr("Choose another word."))
    return _nearest(opened_of(source), wanted, measure, k, [row])


def analogy(source: VectorSource, a: int, b: int, c: int, measure: str, k: int = 10) -> dict[str, Any]:
    """a is to b as c is to ...: the rows nearest to b - a + c, as in `neighbours`; never one of the three or of their names.

    (Mikolov et al. 2013a, section 4.) UserError as there."""
    x, opened = measured(source, measure, np.array([a, b, c])), opened_of(source)
    words, wanted = opened.words, x[1] - x[0] + x[2]
    if not np.isfinite(wanted).all():
        raise UserError(tr("One of the three words has a vector that is no number or points nowhere."), tr("Choose other words."))
    given = {words[row] for row in (a, b, c)}
    same = [row for row, word in enumerate(words) if word in given] if len(words) < 200_000 else [a, b, c]
    return _nearest(opened, wanted, measure, k, same)


def axes(source: VectorSource, pairs: Sequence[tuple[int, int]], measure: str) -> dict[str, Any]:
    """Every vector measured along the way from one word to another: {"xy": (n, 2) float32}, 0 at the first word, 1 at the second.

    With one pair the other axis is the direction in which the vectors spread most across it. UserError where the two words of
    an axis have one vector.
    """
    x, words = _finite(measured(source, measure)), opened_of(source).words
    made = []
    for start, end in pairs:
        way = x[end].astype(np.float64) - x[start]
        length = float(way @ way)
        if not np.isfinite(length) or length == 0:
            raise UserError(tr("“{start}” and “{end}” have the same vector, or none: there is no way between them.", start=words[start],
                               end=words[end]), tr("Choose two other words."))
        made.append(((x - x[start]) @ way / length, way / np.sqrt(length)))
    if len(made) == 1:
        way = made[0][1]
        across = x - np.outer(x @ way, way)
        made.append((pca.fit(across, 1).project(across)[:, 0], way))
    return {"xy": np.stack([made[0][0], made[1][0]], axis=1).astype(np.float32)}


def clusters(source: VectorSource, method: str, measure: str, rows: np.ndarray | None = None, *, k: int = 8, least: int = 15,
             seed: int = 0) -> dict[str, Any]:
    """{"labels": (all rows,) integers, the greatest cluster 0, -1 for rows in none, "sizes": [...]} by "kmeans" (k clusters) or
    "hdbscan" (each of `least` vectors or more), in the full space."""
    x = measured(source, measure, rows)
    good = np.isfinite(x).all(axis=1)
    x = x[good]
    if len(x) < 2 or np.ptp(x, axis=0).max() == 0:
        raise UserError(tr("Clusters need two different vectors at least."), tr("Choose other words or another layer."))
    if method == "kmeans":
        from sklearn.cluster import KMeans, MiniBatchKMeans

        maker = KMeans if len(x) < SMALL_BATCHES else MiniBatchKMeans
        found = maker(n_clusters=min(k, len(np.unique(x[:10_000], axis=0))), n_init=3, random_state=seed).fit_predict(x)
    else:
        if len(x) > HDBSCAN_MOST:
            raise UserError(tr("HDBSCAN compares every vector with every other: {count:,} are too many for it.", count=len(x)),
                            tr("Isolate up to {most:,} first, or take k-means.", most=HDBSCAN_MOST))
        from sklearn.cluster import HDBSCAN

        found = HDBSCAN(min_cluster_size=max(2, min(least, len(x) - 1)), copy=True).fit_predict(x)
    sizes = np.bincount(found[found >= 0], minlength=int(found.max(initial=-1)) + 1)
    order = np.argsort(-sizes, kind="stable")
    names = np.empty(len(order) + 1, np.int32)
    names[order], names[-1] = np.arange(len(order)), -1
    labels = np.full(len(good), -1, np.int32)
    labels[good] = names[found]
    every = labels if rows is None else np.full(len(opened_of(source).words), -1, np.int32)
    if rows is not None:
        every[rows] = labels
    return {"labels": every, "sizes": sizes[order].tolist()}


def spread(picture: np.ndarray, rows: np.ndarray | None, total: int) -> np.ndarray:
    """(rows, dimensions) -> (total, dimensions) float32, NaN elsewhere."""
    if rows is None:
        return picture.astype(np.float32)
    made = np.full((total, picture.shape[1]), np.nan, np.float32)
    made[rows] = picture
    return made


def _nearest(opened: Opened, wanted: np.ndarray, measure: str, k: int, left_out: Sequence[int]) -> dict[str, Any]:
    """No copy of the vectors is made: there may be more than fit into memory."""
    x = opened.vectors
    with np.errstate(over="ignore", invalid="ignore"):  # a mapped array may hold anything
        if measure == COSINE:
            far = 1 - x @ (wanted / max(float(np.linalg.norm(wanted)), np.finfo(np.float32).tiny)) / opened.lengths
        else:
            far = np.concatenate([np.linalg.norm(x[start : start + BLOCK] - wanted, axis=1) for start in range(0, len(x), BLOCK)])
    far = np.where(np.isfinite(far), far, np.inf)
    far[list(left_out)] = np.inf
    k = min(k, int(np.isfinite(far).sum()))
    best = np.sort(np.argpartition(far, k - 1)[:k]) if k else np.zeros(0, int)
    best = best[np.argsort(far[best], kind="stable")]
    return {"rows": best, "distances": far[best]}


def _finite(x: np.ndarray) -> np.ndarray:
    if not np.isfinite(x).all(axis=1).any():
        raise UserError(tr("No vector here is a number in every place."), tr("The model or the file is damaged: choose another."))
    return x


def _share(source: VectorSource, measure: str, rows: np.ndarray | None, dimensions: int) -> list[float]:
    return pca.fit(measured(source, measure, rows), dimensions).share.tolist()


# pictures that were made stay on the disk, so that what was seen can be seen again at once

def _place(source: VectorSource, method: str, dimensions: int, measure: str, rows: np.ndarray | None, options: dict[str, Any]) -> str:
    told = repr((source, stamp(source), method, dimensions, measure, sorted(options.items())))
    digest = hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=16)
    if rows is not None:
        digest.update(np.asarray(rows, np.int64).tobytes())
    return digest.hexdigest()


def _stored(place: str) -> np.ndarray | None:
    path = home() / "cache" / "maps" / f"{place}.npy"
    try:
        made = np.load(path, allow_pickle=False)
        path.touch()
    except (OSError, ValueError, EOFError):
        return None
    return made if made.ndim == 2 and made.dtype == np.float32 else None


def _store(place: str, xy: np.ndarray) -> None:
    folder = home() / "cache" / "maps"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                np.save(file, xy, allow_pickle=False)
            os.replace(name, folder / f"{place}.npy")
        finally:
            Path(name).unlink(missing_ok=True)
        for old in sorted(folder.glob("*.npy"), key=_age)[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        pass  # it can be made again


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
