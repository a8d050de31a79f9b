"""From text to vectors: loading a run's model, and the vectors of a word in its sentences, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core import checkpoints
from core.config import RunConfig
from core.errors import UserError
from core.families.family import Family
from core.i18n import tr
from core.registry import family
from core.registry import load as load_place
from core.runs import Run
from core.tasks.forms import form_of
from core.text.specimens import Specimen
from core.text.tokenizers import PAD, Encoding, Tokenizer, load_tokenizer


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A run's model, ready to be asked. encoder is the family's model; weights: every tensor of the checkpoint, heads too.

    network: of an opened export, which has no weights to make one of: the encoder with its language-model head.
    """

    run: Run
    family: Family
    config: RunConfig
    tokenizer: Tokenizer
    encoder: nn.Module
    weights: dict[str, Tensor]
    step: int
    network: Any = None


def load(run: Run, step: int | None = None) -> Loaded:
    """The model of a run's newest good checkpoint, or of `step`. UserError where there is none."""
    if (run.path.parent / "model.onnx").is_file():
        from core.exchange.onnx import open as onnx_open

        if onnx_open.is_export(run):
            return onnx_open.load(run)
    checkpoint = checkpoints.load(run, step)
    if not run.tokenizer_path.exists():
        raise UserError(tr("The run {name} has no tokenizer.json.", name=run.name), tr("Train it again from its settings."))
    tokenizer = load_tokenizer(run.tokenizer_path)
    made = family(run.config.family)
    # a finetune's new tokens have rows behind the vocabulary
    rows = tokenizer.vocab_size + (len(form_of(run.config).new_tokens) if run.config.task is not None else 0)
    prefix = "encoder."
    weights = {name.removeprefix(prefix): tensor for name, tensor in checkpoint.model.items() if name.startswith(prefix)}
    try:
        with torch.device("meta"):  # shapes alone: settings that do not fit the weights may ask for more memory than there is
            shapes = {name: tensor.shape for name, tensor in load_place(made.model)(run.config.model, rows).state_dict().items()}
        if any(name in weights and weights[name].shape != shape for name, shape in shapes.items()):
            raise RuntimeError("shapes")
        encoder = load_place(made.model)(run.config.model, rows)
        encoder.load_state_dict(weights)
    except (RuntimeError, OverflowError) as error:
        raise UserError(tr("The checkpoint of {name} does not fit its settings.", name=run.name), tr("Train it again from its settings.")) from error
    return Loaded(run=run, family=made, config=run.config, tokenizer=tokenizer, encoder=encoder.eval(), weights=dict(checkpoint.model),
                  step=checkpoint.step)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A text as the model reads it. ids: with the family's special tokens. offsets: characters of each id; (0, 0) for special tokens."""

    ids: list[int]
    offsets: list[tuple[int, int]]


def frame(made: Family, tokenizer: Tokenizer, text: str, *, specials: bool = False) -> Frame:
    """Cut a text and put the family's special tokens around it."""
    encoded: Encoding = tokenizer.encode(text, specials=specials)
    prefix, suffix = ([tokenizer.id(token) for token in tokens] for tokens in (made.prefix, made.suffix))
    return Frame(ids=[*prefix, *encoded.ids, *suffix],
                 offsets=[(0, 0)] * len(prefix) + list(encoded.offsets) + [(0, 0)] * len(suffix))


def covering(offsets: Sequence[tuple[int, int]], start: int, end: int) -> list[int]:
    """The positions of the tokens that share at least one character with text[start:end]."""
    return [position for position, (a, b) in enumerate(offsets) if a < end and b > start and b > a]


@torch.no_grad()
def word_vectors(model: nn.Module, made: Family, tokenizer: Tokenizer, specimens: Sequence[Specimen], *, batch_size: int = 64,
                 frames: Sequence[Frame] | None = None) -> np.ndarray:
    """The vectors of each specimen's word: the mean over its sub-tokens. (layers, specimens, size), float32.

    frames: of the specimens, for whoever asks again and again. A row is NaN where no known token stands for the word, or where it
    lies beyond what the model can read.
    """
    frames = frames or [frame(made, tokenizer, specimen.text) for specimen in specimens]
    limit = getattr(model.config, "max_seq_len", None)
    places = [_places(item, specimen, tokenizer, limit) for item, specimen in zip(frames, specimens, strict=True)]
    order = sorted((index for index, place in enumerate(places) if place), key=lambda index: len(frames[index].ids))
    result: np.ndarray | None = None
    for begin in range(0, len(order), batch_size):
        chosen = order[begin : begin + batch_size]
        ids, mask = padded([frames[index].ids for index in chosen], limit)
        device = next(model.parameters()).device
        states = model(ids.to(device), mask.to(device), output_hidden_states=True).hidden_states
        layers = torch.stack([state.float() for state in states])  # (layers, batch, tokens, size)
        if result is None:
            result = np.full((len(layers), len(specimens), layers.shape[-1]), np.nan, dtype=np.float32)
        for row, index in enumerate(chosen):
            result[:, index] = layers[:, row, places[index]].mean(dim=1).cpu().numpy()
    if result is None:
        words = ", ".join(sorted({specimen.word for specimen in specimens}))
        if limit and any(_places(item, specimen, tokenizer, None) for item, specimen in zip(frames, specimens, strict=True)):
            raise UserError(tr("“{word}” stands behind the {limit:,} tokens that the model reads, in every sentence.", word=words, limit=limit),
                            tr("Shorten the sentences."), where="word")
        raise UserError(tr("The model does not know the word {word}: it is not in its vocabulary.", word=words),
                        tr("Train on text that holds it, or watch it when training, so that it gets a token."), where="word")
    return result


def _places(item: Frame, specimen: Specimen, tokenizer: Tokenizer, limit: int | None) -> list[int]:
    """Where the word's tokens stand; empty if one is unknown or out of reach."""
    places = covering(item.offsets, *specimen.span)
    unknown = tokenizer.id("[UNK]")
    if any(item.ids[place] == unknown for place in places) or (limit and places and places[-1] >= limit):
        return []
    return places


def padded(rows: Sequence[Sequence[int]], limit: int | None = None) -> tuple[Tensor, Tensor]:
    """Ids and attention mask, each (rows, longest), cut at `limit`."""
    width = min(max(map(len, rows)), limit or 1 << 30)
    ids = torch.full((len(rows), width), PAD, dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for index, row in enumerate(rows):
        cut = list(row)[:width]
        ids[index, : len(cut)] = torch.tensor(cut, dtype=torch.long)
        mask[index, : len(cut)] = 1
    return ids, mask


@torch.no_grad()
def attention_of(model: nn.Module, made: Family, tokenizer: Tokenizer, text: str) -> tuple[np.ndarray, list[str]]:
    """The attention of every layer and head over one sentence, (layers, heads, query, key) float16, and its tokens."""
    limit = getattr(model.config, "max_seq_len", None)
    ids, _ = padded([frame(made, tokenizer, text).ids], limit)
    output = model(ids.to(next(model.parameters()).device), output_attentions=True)
    return (np.stack([layer[0].float().cpu().numpy() for layer in output.attentions]).astype(np.float16),
            [tokenizer.token(token) for token in ids[0].tolist()])


@torch.no_grad()
def static_vectors(loaded: Loaded) -> np.ndarray:
    """One vector for each token, without context: word2vec's vectors, or the token embeddings. (vocab_size, size)"""
    return loaded.encoder.token_vectors()[: loaded.tokenizer.vocab_size].float().cpu().numpy()
