"""What really changes when a word is hidden or a head is switched off, beside what the attention weights suggest.

Attention alone is no explanation (Jain and Wallace 2019): a weight says where a head looks, not what becomes of it. Here the model
reads the sentence again without the word, or without the head, and two things are compared:

- the prediction: log2 of the probability that the model gives the looked-at word at its place, in bits. A family that fills gaps sees
  [MASK] there; another one has read only what stands before it;
- the sense: the cosine of the word's vector with the centroid of its sense minus that with the nearest other one's; see
  core.analysis.compass. Its sense is that of the labelled sentence where it is one of them, else the nearest.

A change is the value of the whole minus the value without: above 0, the word or the head helped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.analysis import attention_window as window
from core.analysis import reading as readings
from core.analysis import vectors as vectors_of
from core.analysis.compass import Compass
from core.analysis.encode import Loaded, padded
from core.analysis.occlusion import BY_MASK, how
from core.analysis.reading import Reading
from core.errors import UserError
from core.i18n import tr
from core.registry import load as load_place
from core.runs import Run
from core.text.specimens import Specimen
from core.text.tokenizers import MASK

TOKENS_AT_ONCE = 8192  # in one pass of the model
MOST_UNITS = 400  # that are hidden one by one


def look(questions: Sequence[dict[str, Any]], specimens: Sequence[Specimen], on_progress: Callable[[int, dict[str, Any]], None],
         cancelled: Callable[[], bool]) -> int:
    """`effects` of several runs, as core.analysis.attention_window.look: {"done": share} while a run is worked on, then its answer."""
    for place, question in enumerate(questions):
        if cancelled():
            return place
        try:
            found = effects(**question, specimens=specimens, cancelled=cancelled,
                            on_progress=lambda share, place=place: on_progress(place, {"done": share}))
        except UserError as error:
            found = {"error": error.message, "hint": error.hint}
        if not cancelled():
            on_progress(place, found)
    return len(questions)


def effects(run: str, text: str, target: int, *, pair: str = "", step: int | None = None, units: str = readings.WORDS, layer: int = -1,
            specimens: Sequence[Specimen] = (), heads: bool = True, by: str = "",
            on_progress: Callable[[float], None] | None = None, cancelled: Callable[[], bool] | None = None) -> dict[str, Any]:
    """target: the unit that is looked at. layer: of the hidden states, for the sense. heads: whether each head is switched off as well.
    by: how words are hidden, "mask" or "remove"; a family without [MASK] always removes them.

    {"step": of the checkpoint, see core.analysis.attention_window.model, "how": how they were hidden, "ahead": whether the model has read
    only what stands before the target, "prediction": {"base": bits, "words": (units), "heads": (layers, heads)}, "sense": the same with "sense"
    and "other", or {"why": a sentence}}; NaN for the target itself, for special tokens, and for what cannot be had. UserError where the target
    cannot be looked at.
    """
    loaded = window.model(Run.open(Path(run)), step)
    read = readings.read(loaded.family, loaded.tokenizer, loaded.config.model.max_seq_len, text, pair, units)
    if not 0 <= target < len(read.labels) or read.special[target]:
        raise UserError(tr("Choose a word of the sentence."), tr("Click on one."))
    if len(read.labels) > MOST_UNITS:
        raise UserError(tr("The sentence has {count} words.", count=len(read.labels)), tr("At most {most} are hidden one by one.", most=MOST_UNITS))
    compass, why = _compass(loaded, read, target, layer, specimens)
    sentence, word = (text, pair)[read.sentence[target]], read.labels[target].lower()
    sense = next((item.sense for item in specimens if item.text == sentence and item.word.lower() == word), "")
    by = by if by and how(loaded) == BY_MASK else how(loaded)
    others = [unit for unit in range(len(read.labels)) if unit != target and not read.special[unit]]
    rows = [_Row.of(loaded, read, target, None, by), *(_Row.of(loaded, read, target, unit, by) for unit in others)]
    switches: list[tuple[int, int] | None] = [None] * len(rows)
    depth, width = loaded.config.model.num_layers, loaded.config.model.num_heads
    heads = heads and loaded.network is None  # of an opened export no head can be switched off
    if heads:
        switches += [(one, other) for one in range(depth) for other in range(width)]
        rows += [rows[0]] * (depth * width)
    predicted, scores = _measure(loaded, rows, switches, compass, sense, layer, on_progress, cancelled)
    made: dict[str, Any] = {"step": loaded.step, "how": by, "ahead": how(loaded) != BY_MASK}
    made["prediction"] = _changes(predicted, others, len(read.labels), (depth, width) if heads else None)
    if compass is None:
        made["sense"] = {"why": why}
    else:
        own = compass.senses.index(sense) if sense in compass.senses else int(scores[0].argmax())
        other = max((place for place in range(len(compass.senses)) if place != own), key=lambda place: scores[0, place])
        made["sense"] = {**_changes(scores[:, own] - scores[:, other], others, len(read.labels), (depth, width) if heads else None),
                         "sense": compass.senses[own], "other": compass.senses[other]}
    return made


class _Row:
    """A version of the sentence. vector, gap: token ids and sentences of it with the target, and with its gap where the family fills gaps;
    places: of the target's tokens; ids: the tokens that are to be predicted."""

    def __init__(self, vector: list[int], gap: list[int], types: list[int], places: list[int], ids: list[int]) -> None:
        self.vector, self.gap, self.types, self.places, self.ids = vector, gap, types, places, ids

    @classmethod
    def of(cls, loaded: Loaded, read: Reading, target: int, hidden: int | None, by: str) -> _Row:
        ids, types, places = list(read.ids), list(read.types), list(read.tokens_of(target))
        wanted = [ids[place] for place in places]
        away = set() if hidden is None else set(read.tokens_of(hidden))
        if by == BY_MASK:
            ids = [MASK if place in away else token for place, token in enumerate(ids)]
        else:
            kept = [place for place in range(len(ids)) if place not in away]
            ids, types, places = [ids[place] for place in kept], [types[place] for place in kept], [kept.index(place) for place in places]
        gap = [MASK if place in places else token for place, token in enumerate(ids)] if how(loaded) == BY_MASK else ids
        return cls(ids, gap, types, places, wanted)


@contextmanager
def switched_off(model: nn.Module, switches: Sequence[tuple[int, int] | None]) -> Any:
    """Within the block row i of a batch is computed without the head switches[i] = (layer, head): what it puts out is 0."""
    hooks = []
    for number, layer in enumerate(model.layers):
        chosen = [(row, switch[1]) for row, switch in enumerate(switches) if switch is not None and switch[0] == number]
        if chosen:
            hooks.append(layer.attention.output.register_forward_pre_hook(_silence(chosen, layer.attention.num_heads)))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _silence(chosen: Sequence[tuple[int, int]], num_heads: int) -> Callable[[nn.Module, tuple[Tensor]], tuple[Tensor]]:
    """The joined heads (batch, tokens, hidden_size), before they are mixed, with the part of some heads set to 0."""
    def hook(_module: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        joined = inputs[0].clone()
        size = joined.shape[-1] // num_heads
        for row, head in chosen:
            joined[row, :, head * size:(head + 1) * size] = 0
        return (joined,)

    return hook


@torch.no_grad()
def _measure(loaded: Loaded, rows: Sequence[_Row], switches: Sequence[tuple[int, int] | None], compass: Compass | None, sense: str,
             layer: int, on_progress: Callable[[float], None] | None, cancelled: Callable[[], bool] | None) -> tuple[np.ndarray, np.ndarray]:
    """log2 of the target's probability (rows), and the cosines with the senses (rows, senses)."""
    network = _network(str(loaded.run.path), loaded.step, vectors_of.stamp(loaded.run.checkpoint_path(loaded.step) / "manifest.json"))
    predicted, vectors = np.full(len(rows), np.nan), []
    size = max(TOKENS_AT_ONCE // max(len(row.vector) for row in rows), 1)
    paired = any(any(row.types) for row in rows) and how(loaded) == BY_MASK
    for begin in range(0, len(rows), size):
        if begin and cancelled is not None and cancelled():
            break
        part = rows[begin:begin + size]
        with switched_off(network.encoder, switches[begin:begin + size]):
            predicted[begin:begin + size] = _predict(loaded, network, part, paired)
            if compass is not None:
                vectors.append(_vectors(network.encoder, part, paired, layer))
        if on_progress is not None:
            on_progress(min((begin + size) / len(rows), 1.0))
    return predicted, compass.cosines(np.concatenate(vectors), sense) if vectors else np.zeros((0, 0))


def _predict(loaded: Loaded, network: nn.Module, rows: Sequence[_Row], paired: bool) -> np.ndarray:
    ids, mask = padded([row.gap for row in rows])
    hidden = network.encoder(ids, mask, _types(rows, ids) if paired else None).last_hidden_state  # (rows, tokens, hidden_size)
    shift = 0 if how(loaded) == BY_MASK else -1  # what stands before a token predicts it
    found = np.full(len(rows), np.nan)
    for number, row in enumerate(rows):
        before = [place + shift for place in row.places]
        if min(before) >= 0:
            logs = network.token_logits(hidden[number, before]).float().log_softmax(dim=-1)  # (tokens of the target, vocab_size)
            found[number] = float(logs[range(len(before)), row.ids].sum()) / np.log(2)
    return found


def _vectors(encoder: nn.Module, rows: Sequence[_Row], paired: bool, layer: int) -> np.ndarray:
    """(rows, hidden_size) of the target word."""
    ids, mask = padded([row.vector for row in rows])
    states = encoder(ids, mask, _types(rows, ids) if paired else None, output_hidden_states=True).hidden_states
    chosen = states[max(-len(states), min(layer, len(states) - 1))]
    return np.stack([chosen[number, row.places].mean(dim=0).float().numpy() for number, row in enumerate(rows)]).astype(np.float64)


def _types(rows: Sequence[_Row], ids: Tensor) -> Tensor:
    types = torch.zeros_like(ids)
    for number, row in enumerate(rows):
        types[number, :len(row.types)] = torch.tensor(row.types)
    return types


def _compass(loaded: Loaded, read: Reading, target: int, layer: int, specimens: Sequence[Specimen]) -> tuple[Compass | None, str]:
    """What the senses are in that layer; or why the target has none to be measured by."""
    words = {item.word.lower() for item in specimens}
    if read.labels[target].lower() not in words:
        return None, tr("The sense is measured for {words} only: look at that word.", words=", ".join(f"“{word}”" for word in sorted(words))) \
            if words else tr("Without labelled sentences there is no sense to measure.")
    try:
        vectors = vectors_of.encoded(loaded.run, loaded.step, specimens)
        return Compass(vectors[max(-len(vectors), min(layer, len(vectors) - 1))], [item.sense for item in specimens]), ""
    except UserError as error:
        return None, error.message


def _changes(values: np.ndarray, others: Sequence[int], units: int, shape: tuple[int, int] | None) -> dict[str, Any]:
    words = np.full(units, np.nan)
    words[list(others)] = values[0] - values[1:1 + len(others)] if len(values) > len(others) else np.nan
    made: dict[str, Any] = {"base": float(values[0]), "words": words, "heads": None}
    if shape is not None and len(values) == 1 + len(others) + shape[0] * shape[1]:
        made["heads"] = (values[0] - values[1 + len(others):]).reshape(shape)
    return made


@lru_cache(maxsize=4)
def _network(path: str, step: int, _changed: tuple[int, int]) -> nn.Module:
    """The network with its head for tokens. UserError where the checkpoint has none: a finetuned one has given it up."""
    loaded = vectors_of.loaded_of(Run.open(Path(path)), step)
    if loaded.network is not None:
        return loaded.network
    network = load_place(loaded.family.pretrain).build(loaded.config, loaded.tokenizer.vocab_size)
    if network.load_state_dict(loaded.weights, strict=False).missing_keys:
        raise UserError(tr("{name} was finetuned: it guesses no words any more.", name=loaded.run.name), tr("Look at the run that it was made from."))
    return network.eval()
