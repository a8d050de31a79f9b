"""What the window and the command line ask about attention: everything that is to be seen of a run's heads over a sentence.

A probe holds the attention over the run's own sentence at many steps; any other sentence is read by a checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.analysis import attention as maths
from core.analysis import reading as readings
from core.analysis.encode import Loaded
from core.analysis.reading import Reading
from core.analysis.vectors import loaded_of, newest_checkpoint, stamp
from core.arrays import read_npz
from core.errors import UserError
from core.i18n import tr
from core.registry import family
from core.runs import Run
from core.text.specimens import read_specimens
from core.text.tokenizers import Tokenizer, load_tokenizer

GRID, WEIGHTS, LINES, TABLE = "grid", "weights", "lines", "table"  # the parts of an answer
THUMBNAIL = 64  # points of a head's picture in the grid, along each side
ANY, BETWEEN = "", {"AA": (0, 0), "AB": (0, 1), "BA": (1, 0), "BB": (1, 1)}  # from which sentence to which
PROBE, CHECKPOINT = "probe", "checkpoint"


def look(questions: Sequence[dict[str, Any]], on_progress: Callable[[int, dict[str, Any]], None], cancelled: Callable[[], bool]) -> int:
    """on_progress(place of the question, its answer), each as soon as it is there; {"error", "hint"} for what a person can mend.

    A question holds the arguments of `attention`. Returns how many were answered.
    """
    for place, question in enumerate(questions):
        if cancelled():
            return place
        try:
            on_progress(place, attention(**question))
        except UserError as error:
            on_progress(place, {"error": error.message, "hint": error.hint})
    return len(questions)


def attention(run: str, text: str, *, pair: str = "", step: int | None = None, units: str = readings.WORDS, specials: str = maths.KEEP,
              what: str = maths.HEAD, layer: int = 0, head: int = 0, between: str = ANY, parts: Sequence[str] = (WEIGHTS,),
              heads: Sequence[int] = ()) -> dict[str, Any]:
    """The attention of a run over a sentence, or a pair. step: the newest probe or checkpoint not after it, else the first; None is the newest.

    units, specials, what: see `reading` and `attention`. layer: of attention, the first is 0. between: only what goes from one
    sentence to the other, a key of BETWEEN. parts: what is wanted of grid, weights, lines (of `heads` of the layer) and table.

    {"step", "source": "probe" | "checkpoint", "labels", "special", "unknown", "sentence", "spans", "places", "pieces" (how many tokens): of
    what is to be seen (units) each, "layers", "heads", "layer", "head", "cut": whether the text is longer than the `limit` tokens that the
    model reads, "paired", "untrained": whether the model has a second segment that was never trained, "share": the mean share of what goes
    `between`, and of the parts: "grid" (layers, heads, m, m) uint8, "weights" (units, units) float32, NaN where `between` leaves it out,
    "lines" {head: (units, units)}, "table" {measure: (layers, heads)}}. UserError where the run has no attention or there is no sentence.
    """
    opened = Run.open(Path(run))
    require_attention(opened)
    tokenizer = _tokenizer(str(opened.tokenizer_path), stamp(opened.tokenizer_path))
    limit = opened.config.model.max_seq_len
    read = readings.read(family(opened.config.family), tokenizer, limit, text, pair, units)
    layers, source, seen = _layers(opened, read, text if not pair.strip() else "", step)
    layer, head = min(max(layer, 0), len(layers) - 1), min(max(head, 0), len(layers[0]) - 1)
    hidden = read.special if specials != maths.KEEP else np.zeros(len(read.labels), dtype=bool)
    allowed = _allowed(read.sentence[~hidden], between)

    def shown(weights: np.ndarray) -> np.ndarray:
        kept = maths.without(maths.pooled(weights, read.unit_starts), read.special, specials)
        return kept if allowed is None else np.where(allowed, kept, np.float32(np.nan))

    answer: dict[str, Any] = {
        "step": seen, "source": source, "labels": _pick(read.labels, ~hidden), "special": read.special[~hidden], "unknown": read.unknown[~hidden],
        "sentence": read.sentence[~hidden], "spans": _pick(read.spans, ~hidden), "places": np.flatnonzero(~hidden),
        "pieces": np.diff(np.append(read.unit_starts, len(read.ids)))[~hidden], "layers": len(layers),
        "heads": len(layers[0]), "layer": layer, "head": head, "cut": read.cut > 0, "limit": limit, "paired": read.paired,
        "untrained": read.paired and not opened.config.objective.next_sentence, "share": None}
    if WEIGHTS in parts:
        answer["weights"] = shown(maths.chosen(layers, what, layer, head))
        if allowed is not None:
            rows = np.isfinite(answer["weights"]).any(axis=1)
            answer["share"] = float(np.nansum(answer["weights"][rows], axis=1).mean()) if rows.any() else None
    if LINES in parts:
        answer["lines"] = {number: shown(layers[layer][number]).astype(np.float16) for number in heads if number < len(layers[0])}
    if GRID in parts:
        answer["grid"] = np.stack([maths.thumbnail(shown(weights), THUMBNAIL) for weights in layers])
    if TABLE in parts:
        columns = readings.columns(read)
        rows = [maths.measures(maths.pooled(weights, read.unit_starts), read.special, columns) for weights in layers]
        answer["table"] = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return answer


@torch.no_grad()
def query_and_key(run: str, text: str, *, query: int, key: int, pair: str = "", step: int | None = None, units: str = readings.WORDS,
                  layer: int = 0, head: int = 0) -> dict[str, Any]:
    """The vectors that make one weight: {"query", "key": (head_size), "labels": the two tokens, "score", "weight", "masked": whether the
    model must not see the key, "step": of the checkpoint, see `model`}.

    query, key: units, of which the first token is taken. score = query . key / sqrt(head_size); the weight is its softmax over all keys.
    """
    loaded = model(Run.open(Path(run)), step)
    read = readings.read(loaded.family, loaded.tokenizer, loaded.config.model.max_seq_len, text, pair, units)
    weights = readings.attention(loaded, read)[layer][head]
    places = [int(read.unit_starts[unit]) for unit in (query, key)]
    seen: list[torch.Tensor] = []
    module = loaded.encoder.layers[layer].attention
    hook = module.qkv.register_forward_hook(lambda _module, _inputs, output: seen.append(output[0]))
    try:
        loaded.encoder(torch.tensor([read.ids]), token_type_ids=readings.token_types(read))
    finally:
        hook.remove()
    hidden = seen[0].shape[-1] // 3
    size = hidden // module.num_heads
    part = slice(head * size, (head + 1) * size)
    asked, offered = (seen[0][place, start * hidden:(start + 1) * hidden][part].float().numpy() for place, start in zip(places, (0, 1), strict=True))
    labels = [loaded.tokenizer.token(read.ids[place]) for place in places]
    return {"query": asked, "key": offered, "labels": labels, "score": float(asked @ offered) / math.sqrt(size),
            "weight": float(weights[places[0], places[1]]), "step": loaded.step,
            "masked": bool(places[1] > places[0] and not weights[places[0], places[1]])}


def own_sentence(run: Run) -> str:
    """The sentence whose attention the run's probes hold; empty where there is none."""
    if run.config.watch.sentence or not run.specimens_path.exists():
        return run.config.watch.sentence
    return _first_sentence(str(run.specimens_path), stamp(run.specimens_path))


def require_attention(run: Run) -> None:
    made = family(run.config.family)
    if "attentions" not in made.capabilities:
        raise UserError(tr("{family} has no attention: there is nothing to show here.", family=made.title), tr("Look at a BERT or a GPT run."))


def model(run: Run, step: int | None) -> Loaded:
    """Of the newest checkpoint not after `step`, else of the first, which may lie far after it. UserError where there is none, or no attention."""
    require_attention(run)
    return loaded_of(run, newest_checkpoint(run, step))


def _layers(run: Run, read: Reading, text: str, step: int | None) -> tuple[list[np.ndarray], str, int]:
    """The weights of each layer, where they come from, and the step they are of."""
    probes = run.probe_steps()
    checkpoints = run.checkpoint_steps()
    if probes and text and text == own_sentence(run):
        latest = max((one for one in probes if step is None or one <= step), default=probes[0])
        stored = _probe(str(run.probe_path(latest)), stamp(run.probe_path(latest)))
        fits = stored is not None and stored.shape[-1] == len(read.ids)
        if fits and not (checkpoints and latest <= newest_checkpoint(run, step) and (step is None or newest_checkpoint(run, step) <= step)):
            return list(stored.astype(np.float32)), PROBE, latest
    loaded = model(run, step)
    return readings.attention(loaded, read), CHECKPOINT, loaded.step


def _allowed(sentence: np.ndarray, between: str) -> np.ndarray | None:
    """bool (units, units), or None where everything is wanted."""
    if between == ANY:
        return None
    asks, answers = BETWEEN[between]
    return (sentence == asks)[:, None] & (sentence == answers)[None, :]


def _pick(items: Sequence[Any], wanted: np.ndarray) -> list[Any]:
    return [item for item, keep in zip(items, wanted.tolist(), strict=True) if keep]


@lru_cache(maxsize=8)
def _tokenizer(path: str, _changed: tuple[int, int]) -> Tokenizer:
    if not Path(path).exists():
        raise UserError(tr("This run has not read its text yet."), tr("Wait until it has begun to train."))
    return load_tokenizer(Path(path))


@lru_cache(maxsize=8)
def _first_sentence(path: str, _changed: tuple[int, int]) -> str:
    try:
        return read_specimens(Path(path))[0].text
    except UserError:
        return ""


@lru_cache(maxsize=64)
def _probe(path: str, _changed: tuple[int, int]) -> np.ndarray | None:
    """(layers, heads, tokens, tokens) float16; None where the probe has none or is damaged."""
    try:
        weights = read_npz(Path(path), "attention")["attention"]
        return weights if weights.ndim == 4 and weights.size and weights.dtype.kind == "f" else None
    except UserError:
        return None
