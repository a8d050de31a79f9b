"""Where the vectors of a word come from: a run's probes where they hold the sentences, else its checkpoints.

direction: of a model that is two networks, one for each direction, side by side (ELMo): "forward", "backward", or "both". The
others have one vector, whatever is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.analysis.senses import place_aside
from core.arrays import read_npz
from core.errors import UserError
from core.i18n import tr
from core.registry import family
from core.runs import Run
from core.text.specimens import FIRST, LAST, MIDDLE, Specimen, read_specimens

if TYPE_CHECKING:
    from core.analysis.encode import Loaded

PROBES, CHECKPOINTS, NOTHING = "probes", "checkpoints", ""
BOTH, FORWARD, BACKWARD = "both", "forward", "backward"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a run's vectors of these specimens come from. kind: "probes", "checkpoints", or "" where there is nothing yet.

    rows: (specimens,) each one's place in the probes, -1 where they do not hold it.
    """

    kind: str
    steps: tuple[int, ...]
    rows: tuple[int, ...]


def source_of(run: Run, specimens: Sequence[Specimen]) -> Source:
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
    places = _places(str(path), stamp(path)) if path.exists() else {}
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


def layer_of(run: Run, source: Source, specimens: Sequence[Specimen], step: int, layer: int, direction: str = BOTH, *,
             aside: bool = False) -> np.ndarray | None:
    """(specimens, size), or None where that step cannot be read. layer: clamped to what there is. aside: with the word's place in the
    sentence set aside, see core.analysis.senses."""
    if source.kind == PROBES:
        stored = _probe_layer(str(run.probe_path(step)), stamp(run.probe_path(step)), layer)
        vectors = None if stored is None else half_of(run, _pick(stored, source.rows), direction)
    else:
        layers = all_layers(run, source, specimens, step, direction)
        vectors = None if layers is None else layers[min(layer, len(layers) - 1)]
    if vectors is None or not aside:
        return vectors
    return place_aside(vectors, places_of(run, specimens, direction))


def places_of(run: Run, specimens: Sequence[Specimen], direction: str = BOTH) -> np.ndarray:
    """Where the words stand in their sentences, as far as the model can see it: who reads from one side only does not know the other end."""
    if "generate" in family(run.config.family).capabilities or (direction == FORWARD and is_joined(run)):
        unseen = LAST
    else:
        unseen = FIRST if direction == BACKWARD and is_joined(run) else ""
    places = np.array(_places_in_sentences(tuple((item.word, item.text) for item in specimens)))
    return np.where(places == unseen, MIDDLE, places)


@lru_cache(maxsize=32)
def _places_in_sentences(sentences: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(Specimen(word=word, sense="", text=text).place for word, text in sentences)


def all_layers(run: Run, source: Source, specimens: Sequence[Specimen], step: int, direction: str = BOTH) -> np.ndarray | None:
    """(layers, specimens, size), or None where that step cannot be read."""
    if source.kind == PROBES:
        stored = _probe(str(run.probe_path(step)), stamp(run.probe_path(step)))
        return None if stored is None else half_of(run, np.stack([_pick(layer, source.rows) for layer in stored]), direction)
    if step not in source.steps:
        return None
    return half_of(run, encoded(run, step, specimens), direction)


def encoded(run: Run, step: int, specimens: Sequence[Specimen]) -> np.ndarray:
    """(layers, specimens, size) by the checkpoint of `step`; what was asked lately is known already."""
    return _encoded(str(run.path), step, stamp(run.checkpoint_path(step) / "manifest.json"), tuple(specimens))


def loaded_of(run: Run, step: int) -> Loaded:
    """The model of a checkpoint; what was asked lately is in memory already."""
    return _loaded(str(run.path), step, stamp(run.checkpoint_path(step) / "manifest.json"))


def newest_checkpoint(run: Run, wanted: int | None = None) -> int:
    """The newest checkpoint that is not after `wanted`, else the first one. UserError where there is none."""
    steps = run.checkpoint_steps()
    if not steps:
        raise UserError(tr("{name} has saved no checkpoint yet, so it cannot read another sentence.", name=run.name), tr("Wait for its first one."))
    return max((step for step in steps if wanted is None or step <= wanted), default=steps[0])


def is_joined(run: Run) -> bool:
    """Whether its vectors are those of two networks, one for each direction, side by side."""
    return "directions" in family(run.config.family).capabilities


def half_of(run: Run, vectors: np.ndarray, direction: str) -> np.ndarray:
    """(..., size) -> that direction's part of the last axis, where there are two."""
    if direction == BOTH or not is_joined(run):
        return vectors
    half = vectors.shape[-1] // 2
    return vectors[..., :half] if direction == FORWARD else vectors[..., half:]


def _pick(stored: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """The rows of the specimens; NaN for those that are not there."""
    chosen = np.array(rows, dtype=int)
    there = (chosen >= 0) & (chosen < len(stored))
    result = np.full((len(rows), stored.shape[1]), np.nan, dtype=np.float32)
    result[there] = stored[chosen[there]]
    return result


def stamp(path: Path) -> tuple[int, int]:
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
        vectors = read_npz(Path(path), "vectors")["vectors"]
        return vectors if vectors.ndim == 3 and len(vectors) and vectors.dtype.kind == "f" else None
    except (UserError, KeyError):
        return None


@lru_cache(maxsize=12)
def _encoded(path: str, step: int, _changed: tuple[int, int], specimens: tuple[Specimen, ...]) -> np.ndarray:
    from core.analysis.encode import word_vectors  # the probes need no torch

    loaded = _loaded(path, step, _changed)
    return word_vectors(loaded.encoder, loaded.family, loaded.tokenizer, specimens)


@lru_cache(maxsize=6)
def _loaded(path: str, step: int, _changed: tuple[int, int]) -> Loaded:
    from core.analysis.encode import load

    return load(Run.open(Path(path)), step)
