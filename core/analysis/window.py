"""What the window asks about the senses: pictures of a run's probes, their measures, and the bag of context.

Everything comes back as plain numbers, dicts and arrays, so that the window needs to import nothing of this. Torch is
loaded only where a checkpoint must be asked: a run's probes hold the vectors already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis import layouts, senses
from core.analysis import vectors as vectors_of
from core.analysis.vectors import BOTH, NOTHING, PROBES
from core.errors import UserError
from core.i18n import tr
from core.registry import family, load
from core.runs import Run
from core.text.specimens import Specimen

# kind of question -> "module:function", called with specimens and the question's keywords
KINDS = {
    "replay": "core.analysis.window:replay",
    "figures": "core.analysis.window:figures",
    "bag": "core.analysis.window:bag",
    "layout": "core.analysis.layouts:layout",
    "course": "core.analysis.film:course",
    "layers": "core.analysis.layers:curves_of_run",
    "anisotropy": "core.analysis.layers:anisotropy_of_run",
    "occlusion": "core.analysis.occlusion:occlusion_of_run",
    "sides": "core.analysis.sides:sides_of_run",
    "probe": "core.analysis.probe:probe_of_run",
}
SAME = 1e-3  # of a vector's length: probes keep 11 bits of each number, so vectors nearer than this are one


def get_ready() -> None:
    """Load what the first question would have to wait for: it takes seconds."""
    for name in ("sklearn.cluster", "sklearn.metrics", "core.analysis.encode"):
        import_module(name)


def answer(questions: Sequence[tuple[str, dict[str, Any]]], specimens: Sequence[Specimen], cancelled: Callable[[], bool],
           on_progress: Callable[[int, dict[str, Any]], None]) -> int:
    """Several questions about the same specimens, the most urgent first: (one of KINDS, its keywords).

    on_progress(place of the question, its answer) as soon as each is there; {"error": message, "hint": hint} for one that a
    person can mend. Stops between two questions when cancelled. Returns how many were answered.
    """
    for place, (kind, keywords) in enumerate(questions):
        if cancelled():
            return place
        try:
            on_progress(place, load(KINDS[kind])(specimens=specimens, **keywords))
        except UserError as error:
            on_progress(place, {"error": error.message, "hint": error.hint})
    return len(questions)


def replay(run: str, specimens: Sequence[Specimen], layer: int, basis_step: int | None = None, direction: str = BOTH, *,
           aside: bool = False) -> dict[str, Any]:
    """The word's vectors of all steps of a run, in one plane: see core.analysis.layouts.plane. aside: see core.analysis.vectors.layer_of.

    basis_step: None is the newest. Each step's vectors are centred on their own mean, as for the measures, so that what moves
    is the specimens among each other.

    {"source", "steps": [...], "xy": (steps, specimens, 2) float32, NaN where there is no vector, "groups": (steps, specimens)
    integers, equal where the vectors are equal, "half": (x, y) of the range that holds all, "share": (2,) of the variance,
    "basis_step", "missing": how many specimens the probes do not hold}. UserError where a checkpoint is damaged.
    """
    opened = Run.open(Path(run))
    source = vectors_of.source_of(opened, specimens)
    found = layouts.steps_of(opened, source, specimens, layer, direction, aside=aside)
    if not found:
        return {"source": NOTHING, "steps": [], "missing": 0}
    basis_step, basis = layouts.plane(opened, source, specimens, layer, basis_step, direction, aside=aside)
    xy = np.stack([basis.project(vectors, layouts.mean_of(vectors)) for _, vectors in found])  # (steps, specimens, 2)
    half = [float(np.abs(xy[..., axis][np.isfinite(xy[..., axis])]).max(initial=0.0)) for axis in range(2)]
    return {"source": source.kind, "steps": [step for step, _ in found], "xy": xy.astype(np.float32),
            "groups": np.stack([groups(vectors) for _, vectors in found]), "half": (half[0], half[1]),
            "share": (float(basis.share[0]), float(basis.share[1])), "basis_step": basis_step, "missing": sum(row < 0 for row in source.rows)
            if source.kind == PROBES else 0}


def figures(run: str, specimens: Sequence[Specimen], layer: int, step: int, direction: str = BOTH) -> dict[str, Any]:
    """The measures of a layer at a step.

    {"step", "layer", "layers": how many, "known", "left_out", "senses": how many, "same": whether all vectors are one, "all",
    "unknown": the share of the words around that the model does not know, where it is great enough to be told, else 0,
    "hard", "place_aside", "shuffled": the fields of core.analysis.senses.Measures, "best": {"layer", "centroid_accuracy", "interval"} of the
    layers that have read the context, "place": the embedding layer's accuracy where there are more layers, else None}.
    UserError where nothing can be measured: one sense only, or a word that the model does not know.
    """
    opened = Run.open(Path(run))
    labels = np.array([item.sense for item in specimens])
    senses.require_senses(labels)
    vectors = vectors_of.all_layers(opened, vectors_of.source_of(opened, specimens), specimens, step, direction)
    if vectors is None:
        raise UserError(tr("The vectors of step {step} cannot be read.", step=step), tr("Look at another step."))
    hard = np.array([item.hard for item in specimens], dtype=bool)
    places = vectors_of.places_of(opened, specimens, direction)
    unknown = _unknown(str(opened.tokenizer_path), vectors_of.stamp(opened.tokenizer_path), tuple(specimens))
    return {"step": step, "unknown": unknown, **_figures(vectors.astype(np.float32), labels, hard, places, layer)}


@lru_cache(maxsize=64)
def _unknown(tokenizer: str, _changed: tuple[int, int], specimens: tuple[Specimen, ...]) -> float:
    share = 0.0
    with suppress(UserError):  # the vectors of probes are there without a tokenizer
        share = senses.unknown_share(load("core.text.tokenizers:load_tokenizer")(Path(tokenizer)), specimens)
    return share if share > senses.MUCH_UNKNOWN else 0.0


def bag(run: str, others: Sequence[str], specimens: Sequence[Specimen]) -> dict[str, Any]:
    """The measures of the bag of context. Its static vectors are those of the first of `others` that has any (a word2vec run)
    and a checkpoint, and knows words around the word; else the run's own.

    {"source": the name of the run whose vectors they are, "own": bool, "all", "hard", "place_aside": as in `figures`}, or {} where the run has
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
            measured = _bag(str(item.path), steps[-1], vectors_of.stamp(item.checkpoint_path(steps[-1]) / "manifest.json"), tuple(specimens))
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


def _figures(vectors: np.ndarray, labels: np.ndarray, hard: np.ndarray, places: np.ndarray, layer: int) -> dict[str, Any]:
    """vectors: (layers, specimens, size)."""
    known = np.isfinite(vectors).all(axis=(0, 2))
    if not known.any():
        raise UserError(tr("The model knows the word in none of these sentences."), tr("Train on text that holds it, or look at another word."))
    senses.require_senses(labels, known)
    vectors, labels, hard, places = vectors[:, known], labels[known], hard[known], places[known]
    layer = min(layer, len(vectors) - 1)
    chosen = vectors[layer]
    hits = [senses.centroid_hits(item, labels) for item in vectors]
    accuracies = [senses.balanced(item, labels) for item in hits]
    best = senses.best_layer(accuracies)
    interval = senses.bootstrap(hits[best], labels)
    return {"layer": layer, "layers": len(vectors), "known": len(labels), "left_out": int((~known).sum()),
            "senses": len(np.unique(labels)), "same": int(groups(chosen).max()) == 0,
            **_plain(senses.measured(chosen, labels, hard, places)),
            "shuffled": asdict(senses.shuffled_control(chosen, labels)),
            "best": {"layer": best, "centroid_accuracy": accuracies[best], "interval": interval},
            "place": accuracies[0] if best else None}


@lru_cache(maxsize=32)
def _bag(path: str, step: int, _changed: tuple[int, int], specimens: tuple[Specimen, ...]) -> dict[str, Any]:
    from core.analysis.encode import load, static_vectors  # the probes need no torch

    loaded = load(Run.open(Path(path)), step)
    context = senses.bag_of_context(loaded.tokenizer, static_vectors(loaded), specimens)
    labels, hard = np.array([item.sense for item in specimens]), np.array([item.hard for item in specimens], dtype=bool)
    return _plain(senses.measured(context, labels, hard, np.array([item.place for item in specimens])))


def _plain(measures: dict[str, senses.Measures]) -> dict[str, Any]:
    return {name: asdict(item) for name, item in measures.items()}
