"""What the map of vectors is asked to show: kept in the settings, and with its picture in a file where the person saves the view."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from core.vector_source import COSINE, EUCLID, VectorSource
from gui.projections import PCA, TSNE, UMAP, titles

AXES = "axes"
PICTURE = "picture"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the picture is made. pairs: of AXES, the words (from, to) of one axis or two. rows: packed (gui.views.embeddings.selection), "" for all."""

    method: str = PCA
    dimensions: int = 2
    measure: str = COSINE
    perplexity: int = 30
    neighbours: int = 15
    pairs: tuple[tuple[str, str], ...] = ()
    rows: str = ""

    @property
    def options(self) -> dict[str, Any]:
        return {TSNE: {"perplexity": float(self.perplexity)}, UMAP: {"neighbours": self.neighbours}}.get(self.method, {})


@dataclass(frozen=True, kw_only=True)
class MapState:
    """layout: of the next picture. laid: of the one that is seen, None before the person has asked for any.

    colour: a column, or "kmeans" or "hdbscan"; query, regex: of the search; grey: what is not found turns grey. current: the word
    whose neighbours are listed. analogy: a, b, c. chosen, shown: packed rows.
    """

    source: VectorSource | None = None
    layout: Layout = Layout()
    laid: Layout | None = None
    colour: str = ""
    clusters: int = 8
    query: str = ""
    regex: bool = False
    grey: bool = True
    labels: bool = True
    current: int = -1
    analogy: tuple[str, str, str] = ("", "", "")
    chosen: str = ""
    shown: str = ""

    def dumps(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def loads(text: str) -> MapState:
    """What `dumps` wrote; whatever is damaged in it reads as its default."""
    try:
        raw = json.loads(text) if text else {}
    except ValueError:
        return MapState()
    return _state(raw) if isinstance(raw, dict) else MapState()


def with_picture(state: MapState, xy: np.ndarray | None) -> dict[str, Any]:
    """Both as what json can hold."""
    raw = asdict(state)
    if xy is not None:
        plain = np.ascontiguousarray(xy, "<f4")
        raw[PICTURE] = {"shape": list(plain.shape), "data": base64.b64encode(zlib.compress(plain.tobytes(), 1)).decode("ascii")}
    return raw


def parsed(raw: dict[str, Any]) -> tuple[MapState, np.ndarray | None]:
    """The reverse of `with_picture`. ValueError, KeyError or TypeError for anything else."""
    raw = dict(raw)
    picture = raw.pop(PICTURE, None)
    state = _state(raw)
    if json.loads(state.dumps()) != raw or state.source is None:
        raise ValueError(raw)
    if picture is None:
        return state, None
    shape = tuple(int(side) for side in picture["shape"])
    try:
        xy = np.frombuffer(zlib.decompress(base64.b64decode(picture["data"], validate=True)), "<f4").reshape(shape)
    except zlib.error as error:
        raise ValueError(shape) from error
    if xy.ndim != 2 or shape[1] not in (2, 3):
        raise ValueError(shape)
    return state, xy.astype(np.float32)


def _state(raw: dict[str, Any]) -> MapState:
    made: dict[str, Any] = {}
    plain = MapState()
    for field in fields(MapState):
        value, default = raw.get(field.name), getattr(plain, field.name)
        if field.name in ("layout", "laid"):
            if isinstance(value, dict):
                made[field.name] = _layout(value)
        elif field.name == "source":
            if isinstance(value, dict):
                made["source"] = VectorSource.from_json(json.dumps(value))
        elif field.name == "analogy":
            if isinstance(value, list) and len(value) == 3:
                made["analogy"] = tuple(map(str, value))
        elif type(value) is type(default):
            made[field.name] = value
    return MapState(**made)


def _layout(raw: dict[str, Any]) -> Layout:
    made: dict[str, Any] = {}
    known = {"method": (*titles(), AXES), "dimensions": (2, 3), "measure": (COSINE, EUCLID)}
    for name, choices in known.items():
        if raw.get(name) in choices:
            made[name] = raw[name]
    for name, low, high in (("perplexity", 2, 500), ("neighbours", 2, 200)):
        if isinstance(raw.get(name), int):
            made[name] = min(max(raw[name], low), high)
    pairs = raw.get("pairs")
    if isinstance(pairs, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        made["pairs"] = tuple((str(start), str(end)) for start, end in pairs)
    if isinstance(raw.get("rows"), str):
        made["rows"] = raw["rows"]
    return Layout(**made)
