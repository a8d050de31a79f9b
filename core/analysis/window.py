"""What the window asks about the senses: pictures of a run's probes, their measures, and the bag of context.

Everything comes back as plain numbers, dicts and arrays, so that the window needs to import nothing of this. Torch is
loaded only where a checkpoint must be asked: a run's probes hold the vectors already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from core.analysis import senses
from core.errors import UserError
from core.i18n import tr
from core.projection import pca
from core.registry import family
from core.runs import Run
from core.text.specimens import Specimen, read_specimens

SAME = 1e-3  # of a vector's length: probes keep 11 bits of each number, so vectors nearer than this are one
PROBES, CHECKPOINTS, NOTHING = "probes", "checkpoints", ""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a run's vectors of these specimens come from. kind: "probes", "checkpoints", or "" where there is nothing yet.

    rows: (specimens,) each one's place in the probes, -1 where they do not hold it.
    """

    kind: str
    steps: tuple[int, ...]
    rows: tuple[int, ...]


def answer(questions: Sequence[tuple[str, dict[str, Any]]], specimens: Sequence[Specimen], cancelled: Callable[[], bool],
           on_progress: Callable[[int, dict[str, Any]], None]) -> int:
    """Several questions about the same specimens, the most urgent first: ("replay" | "figures" | "bag", its keywords).

    on_progress(place of the question, its answer) as soon as each is there; {"error": message, "hint": hint} for one that a
    person can mend. Stops between two questions when cancelled. Returns how many were answered.
    """
    kinds = {"replay": replay, "figures": figures, "bag": bag}
    for place, (kind, keywords) in enumerate(questions):
        if cancelled():
            return place
        try:
            on_progress(place, kinds[kind](specimens=specimens, **keywords))
        except UserError as error:
            on_progress(place, {"error": error.message, "hint": error.hint})
    return len(questions)


def replay(run: str, specimens: Sequence[Specimen], layer: int, basis_step: int | None = None) -> dict[str, Any]:
    """The word's vectors of all steps of a run, in one plane: that of the first two principal axes of `basis_step`'s vectors.

    basis_step: None is the newest. Each step's vectors are centred on their own mean, as for the measures, so that what moves
    is the specimens among each other. The axes point so that the first sense of the specimens lies at the left, the second one
    below it where there are more than two.

    {"source", "steps": [...], "xy": (steps, specimens, 2) float32, NaN where there is no vector, "groups": (steps, specimens)
    integers, equal where the vectors are equal, "half": (x, y) of the range that holds all, "share": (2,) of the variance,
    "basis_step", "missing": how many specimens the probes do not hold}. UserError where a checkpoint is damaged.
    """
    opened = Run.open(Path(run))
    source = _source(opened, specimens)
    found = [(step, vectors) for step in source.steps if (vectors := _layer(opened, source, specimens, step, layer)) is not None]
    if not found:
        return {"source": NOTHING, "steps": [], "missing": 0}
    known = [(step, vectors) for step, vectors in found if np.isfinite(vectors).all(axis=1).any()]
    basis_step = max((step for step, _ in known if basis_step is None or step <= basis_step), default=known[0][0] if known else found[-1][0])
    basis = _basis(dict(found)[basis_step], [item.sense for item in specimens])
    xy = np.stack([basis.project(vectors, _mean(vectors)) for _, vectors in found])  # (steps, specimens, 2)
    half = [float(np.abs(xy[..., axis][np.isfinite(xy[..., axis])]).max(initial=0.0)) for axis in range(2)]
    return {"source": source.kind, "steps": [step for step, _ in found], "xy": xy.astype(np.float32),
            "groups": np.stack([groups(vectors) for _, vectors in found]), "half": (half[0], half[1]),
            "share": (float(basis.share[0]), float(basis.share[1])), "basis_step": basis_step, "missing": sum(row < 0 for row in source.rows)
            if source.kind == PROBES else 0}


def figures(run: str, specimens: Sequence[Specimen], layer: int, step: int) -> dict[str, Any]:
    """The measures of a layer at a step.

    {"step", "layer", "layers": how many, "known", "left_out", "senses": how many, "same": whether all vectors are one, "all",
    "hard", "shuffled": the fields of core.analysis.senses.Measures, "best": {"layer", "centroid_accuracy", "interval"} of the
    layers that have read the context, "place": the embedding layer's accuracy where there are more layers, else None}.
    UserError where nothing can be measured: one sense only, or a word that the model does not know.
    """
    opened = Run.open(Path(run))
    labels = np.array([item.sense for item in specimens])
    senses.require_senses(labels)
    vectors = _all_layers(opened, _source(opened, specimens), specimens, step)
    if vectors is None:
        raise UserError(tr("The vectors of step {step} cannot be read.", step=step), tr("Look at another step."))
    hard = np.array([item.hard for item in specimens], dtype=bool)
    return {"step": step, **_figures(vectors.astype(np.float32), labels, hard, layer)}


def bag(run: str, others: Sequence[str], specimens: Sequence[Specimen]) -> dict[str, Any]:
    """The measures of the bag of context. Its static vectors are those of the first of `others` that has any (a word2vec run)
    and a checkpoint, and knows words around the word; else the run's own.

    {"source": the name of the run whose vectors they are, "own": bool, "all", "hard": as in `figures`}, or {} where the run has
    no checkpoint yet.
    """
    candidates = [Run.open(Path(path)) for path in others]
    candidates = [item for item in candidates if "static_vectors" in family(item.config.family).capabilities]
    own = Run.open(Path(run))
    refusal: UserError | None = None
    for item in [*candidates, *([] if own.path in [other.path for other in candidates] else [own])]:
        steps = item.checkpoint_steps()
        if not steps:
            continue
        try:
            measured = _bag(str(item.path), steps[-1], _stamp(item.checkpoint_path(steps[-1]) / "manifest.json"), tuple(specimens))
        except UserError as error:
            refusal = error
            continue
        return {"source": item.name, "own": item.path == own.path, **measured}
    if refusal is not None:
        raise refusal
    return {}


def groups(vectors: np.ndarray) -> np.ndarray:
    """For vectors (n, size): (n,) integers, equal where two vectors are the same but for rounding; -1 for a row with NaN."""
    made = np.full(len(vectors), -1)
    known = np.flatnonzero(np.isfinite(vectors).all(axis=1))
    if not len(known):
        return made
    points = vectors[known].astype(np.float64)
    reach = (SAME * np.linalg.norm(points, axis=1).max()) ** 2
    centred = points - points.mean(axis=0)
    length = np.einsum("ij,ij->i", centred, centred)
    apart = length[:, None] + length[None, :] - 2 * centred @ centred.T  # squared distances
    number = 0
    for row in range(len(known)):
        if made[known[row]] < 0:
            near = (apart[row] <= reach) & (made[known] < 0)
            made[known[near]] = made[known[row]] = number
            number += 1
    return made


def _figures(vectors: np.ndarray, labels: np.ndarray, hard: np.ndarray, layer: int) -> dict[str, Any]:
    """vectors: (layers, specimens, size)."""
    known = np.isfinite(vectors).all(axis=(0, 2))
    vectors, labels, hard = vectors[:, known], labels[known], hard[known]
    if not len(labels):
        raise UserError(tr("The model knows the word in none of these sentences."), tr("Train on text that holds it, or look at another word."))
    senses.require_senses(labels)
    layer = min(layer, len(vectors) - 1)
    chosen = vectors[layer]
    units = [senses.normalised(item) for item in vectors]
    accuracies = [senses.balanced(senses.centroid_hits(unit, labels), labels) for unit in units]
    first = min(1, len(vectors) - 1)
    best = first + int(np.argmax(accuracies[first:]))
    interval = senses.bootstrap(senses.centroid_hits(units[best], labels), labels)
    return {"layer": layer, "layers": len(vectors), "known": len(labels), "left_out": int((~known).sum()),
            "senses": len(np.unique(labels)), "same": int(groups(chosen).max()) == 0,
            "all": asdict(senses.measure(chosen, labels)), "hard": asdict(senses.measure(chosen, labels, hard)),
            "shuffled": asdict(senses.shuffled_control(chosen, labels)),
            "best": {"layer": best, "centroid_accuracy": accuracies[best], "interval": interval},
            "place": accuracies[0] if first else None}


@lru_cache(maxsize=32)
def _bag(path: str, step: int, _changed: tuple[int, int], specimens: tuple[Specimen, ...]) -> dict[str, Any]:
    from core.analysis.encode import load, static_vectors  # the probes need no torch

    loaded = load(Run.open(Path(path)), step)
    context = senses.bag_of_context(loaded.tokenizer, static_vectors(loaded), specimens)
    labels, hard = np.array([item.sense for item in specimens]), np.array([item.hard for item in specimens], dtype=bool)
    return {"all": asdict(senses.measure(context, labels)), "hard": asdict(senses.measure(context, labels, hard))}


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


def _mean(vectors: np.ndarray) -> np.ndarray:
    known = vectors[np.isfinite(vectors).all(axis=1)].astype(np.float64)
    return known.mean(axis=0) if len(known) else np.zeros(vectors.shape[1])


def _source(run: Run, specimens: Sequence[Specimen]) -> Source:
    """The probes where they hold all specimens; else the checkpoints; else the probes for what they hold."""
    rows = _rows(run, specimens)
    probes, checkpoints = run.probe_steps(), run.checkpoint_steps()
    if probes and all(row >= 0 for row in rows):
        return Source(kind=PROBES, steps=tuple(probes), rows=rows)
    if checkpoints:
        return Source(kind=CHECKPOINTS, steps=tuple(checkpoints), rows=rows)
    if probes and any(row >= 0 for row in rows):
        return Source(kind=PROBES, steps=tuple(probes), rows=rows)
    return Source(kind=NOTHING, steps=(), rows=rows)


def _rows(run: Run, specimens: Sequence[Specimen]) -> tuple[int, ...]:
    path = run.specimens_path
    places = _places(str(path), _stamp(path)) if path.exists() else {}
    return tuple(places.get(_key(item), -1) for item in specimens)


@lru_cache(maxsize=32)
def _places(path: str, _changed: tuple[int, int]) -> dict[tuple[str, str], int]:
    try:
        return {_key(item): row for row, item in enumerate(read_specimens(Path(path)))}
    except UserError:
        return {}  # damaged: the checkpoints serve as well


def _key(specimen: Specimen) -> tuple[str, str]:
    """Sense and hardness are labels: the vector is that of the word in its sentence."""
    return specimen.word.lower(), " ".join(specimen.text.split())


def _layer(run: Run, source: Source, specimens: Sequence[Specimen], step: int, layer: int) -> np.ndarray | None:
    """(specimens, size), or None where that step cannot be read. layer: clamped to what there is."""
    if source.kind == PROBES:
        stored = _probe_layer(str(run.probe_path(step)), _stamp(run.probe_path(step)), layer)
        return None if stored is None else _pick(stored, source.rows)
    vectors = _all_layers(run, source, specimens, step)
    return None if vectors is None else vectors[min(layer, len(vectors) - 1)]


def _all_layers(run: Run, source: Source, specimens: Sequence[Specimen], step: int) -> np.ndarray | None:
    """(layers, specimens, size), or None where that step cannot be read."""
    if source.kind == PROBES:
        stored = _probe(str(run.probe_path(step)), _stamp(run.probe_path(step)))
        return None if stored is None else np.stack([_pick(layer, source.rows) for layer in stored])
    if step not in source.steps:
        return None
    return _encoded(str(run.path), step, _stamp(run.checkpoint_path(step) / "manifest.json"), tuple(specimens))


def _pick(stored: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """The rows of the specimens; NaN for those that are not there."""
    chosen = np.array(rows, dtype=int)
    there = (chosen >= 0) & (chosen < len(stored))
    result = np.full((len(rows), stored.shape[1]), np.nan, dtype=np.float32)
    result[there] = stored[chosen[there]]
    return result


def _stamp(path: Path) -> tuple[int, int]:
    """Changes when the file does."""
    try:
        seen = path.stat()
    except OSError:
        return (0, 0)
    return (seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=2048)
def _probe_layer(path: str, changed: tuple[int, int], layer: int) -> np.ndarray | None:
    stored = _probe(path, changed)
    return None if stored is None else stored[min(layer, len(stored) - 1)].copy()


@lru_cache(maxsize=8)
def _probe(path: str, _changed: tuple[int, int]) -> np.ndarray | None:
    """(layers, specimens, size) float16; None where the file is damaged: its step is left out."""
    try:
        with np.load(path, allow_pickle=False) as file:
            vectors = file["vectors"]
        return vectors if vectors.ndim == 3 and len(vectors) else None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


@lru_cache(maxsize=12)
def _encoded(path: str, step: int, _changed: tuple[int, int], specimens: tuple[Specimen, ...]) -> np.ndarray:
    from core.analysis.encode import load, word_vectors  # the probes need no torch

    loaded = load(Run.open(Path(path)), step)
    return word_vectors(loaded.encoder, loaded.family, loaded.tokenizer, specimens)
