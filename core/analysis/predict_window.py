"""What the window asks of the runs on the bench while somebody types: gaps filled, next tokens, text written on, a task's answers.

Everything comes back as dicts of plain numbers and words. Models stay loaded between two questions. checkpoint: "newest", "best" or
a step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from core.analysis import predict
from core.analysis.encode import Loaded, frame
from core.analysis.vectors import loaded_of
from core.errors import UserError
from core.families.generation import generate
from core.families.outputs import directions
from core.i18n import tr
from core.runs import NEWEST, Run
from core.text.tokenizers import BOS, EOS, MASK, SPECIALS

CANDIDATES = 10
LEFT, RIGHT, BOTH = "left", "right", "both"


def answer(questions: Sequence[tuple[str, dict[str, Any]]], cancelled: Callable[[], bool],
           on_progress: Callable[[int, dict[str, Any]], None]) -> int:
    """Several questions, each ("fill" | "next" | "write" | "task", its keywords); one for each run that is to answer.

    on_progress(place of the question, its answer) as soon as it is there, or {"error": message, "hint": hint}. "write" answers
    once for each token. Stops when cancelled. Returns how many were answered.
    """
    kinds: dict[str, Callable[..., dict[str, Any]]] = {"fill": fill, "next": following, "task": task}
    for place, (kind, keywords) in enumerate(questions):
        if cancelled():
            return place
        try:
            if kind == "write":
                write(**keywords, cancelled=cancelled, on_token=lambda token, place=place: on_progress(place, token))
            else:
                on_progress(place, kinds[kind](**keywords))
        except UserError as error:
            on_progress(place, {"error": error.message, "hint": error.hint})
    return len(questions)


def fill(run: str, text: str, most: int = CANDIDATES, checkpoint: str = NEWEST) -> dict[str, Any]:
    """What would stand in each [MASK], as far as the family can see: BERT reads both sides, GPT the left one, ELMo each by itself.

    {"step", "lists": [{"gap": from 0, "side": "both" | "left" | "right", "tokens": [...], "probabilities": [...]}]}
    """
    loaded = _loaded(run, checkpoint)
    if "fill_mask" in loaded.family.capabilities:
        found = [(gap, BOTH, [(item.token, item.probability) for item in row]) for gap, row in enumerate(predict.fill(loaded, text, most))]
        return {"step": loaded.step, "lists": [_list(*item) for item in found]}
    ids = frame(loaded.family, loaded.tokenizer, text, specials=True).ids
    places = [index for index, token in enumerate(ids) if token == MASK]
    if not places:
        raise UserError(tr("The text holds no [MASK]."), tr("Write [MASK] where a token is to be guessed."), where="text")
    lists = []
    for gap, place in enumerate(places):
        lists.append(_list(gap, LEFT, _candidates(loaded, _ahead(loaded, ids[:place]), most)))
        if "directions" in loaded.family.capabilities:
            lists.append(_list(gap, RIGHT, _candidates(loaded, _behind(loaded, ids[place + 1:]), most, BOS)))
    return {"step": loaded.step, "lists": lists}


def following(run: str, text: str, most: int = CANDIDATES, checkpoint: str = NEWEST) -> dict[str, Any]:
    """The likeliest next tokens after `text`: {"step", "lists": [one as in `fill`], "read": how many tokens the model has read}."""
    loaded = _loaded(run, checkpoint)
    ids = _open(loaded, text)
    return {"step": loaded.step, "lists": [_list(0, LEFT, _candidates(loaded, _ahead(loaded, ids), most))], "read": len(ids)}


@torch.no_grad()
def write(run: str, text: str, on_token: Callable[[dict[str, Any]], None], cancelled: Callable[[], bool], *, tokens: int = 60,
          temperature: float = 0.8, top_k: int = 0, top_p: float = 1.0, seed: int = 0, checkpoint: str = NEWEST) -> None:
    """Go on writing after `text`; on_token for each token, {"token": as people read it, "probability", "alternatives": [(token,
    probability)]}, at the end {"ended": "stopped" (its own end of a text) | "length", "step"}. UserError where the family cannot.
    """
    loaded = _loaded(run, checkpoint)
    predict.require(loaded, "generate", tr("Only a GPT run can go on writing."))
    ids = _open(loaded, text)
    generator = torch.Generator().manual_seed(seed)
    count = 0
    for item in generate(loaded.encoder, torch.tensor([ids]), max_new_tokens=tokens, temperature=temperature, top_k=top_k, top_p=top_p,
                         generator=generator, stop_id=EOS):
        if cancelled():
            return
        count += 1
        on_token({"token": _shown(loaded, item.token), "probability": item.probability,
                  "alternatives": [(_shown(loaded, token), share) for token, share in item.alternatives]})
    on_token({"ended": "length" if count == tokens else "stopped", "step": loaded.step})


def task(run: str, inputs: dict[str, str], checkpoint: str = NEWEST) -> dict[str, Any]:
    """The answer of a finetuned run to one example of its task, as core.analysis.evaluate:predict_text gives it, with "inputs", the
    "step" of the checkpoint, and the "types" of spans that a tagger knows.

    inputs: what was typed; "choices" holds one choice a line.
    """
    from core.analysis.evaluate import cached, predict_text

    given: dict[str, Any] = dict(inputs)
    if "choices" in given:
        given["choices"] = [line.strip() for line in given["choices"].splitlines() if line.strip()]
        if len(given["choices"]) < 2:
            raise UserError(tr("There is nothing to choose from."), tr("Write two choices or more, one a line."), where="choices")
    if any(not value for value in given.values()):
        raise UserError(tr("There is a text missing."), tr("Type something into every box."))
    model = cached(run, Run.open(Path(run)).named_step(checkpoint))
    types = sorted({name.partition("-")[2] for name in model.labels.names if "-" in name}) if model.task.name == "tagging" else []
    return {**predict_text(run=run, fields=given, checkpoint=checkpoint), "inputs": given, "types": types}


def _open(loaded: Loaded, text: str) -> list[int]:
    """The ids of a text that goes on: without the mark of its end. UserError where the model writes no next token."""
    if not _reads_ahead(loaded):
        raise UserError(tr("{family} has no next token: it reads both sides of a gap, or no context at all.", family=loaded.family.title),
                        tr("Ask it to fill a gap."))
    suffix = len(loaded.family.suffix)
    ids = frame(loaded.family, loaded.tokenizer, text).ids
    return ids[: len(ids) - suffix] if suffix else ids


def _reads_ahead(loaded: Loaded) -> bool:
    return "generate" in loaded.family.capabilities or "directions" in loaded.family.capabilities


@torch.no_grad()
def _ahead(loaded: Loaded, ids: list[int]) -> Tensor:
    """(vocab_size) scores of the token after ids. A GPT reads the newest tokens that it can hold."""
    if not _reads_ahead(loaded):
        raise UserError(tr("{family} gives one vector for a word, and no probabilities.", family=loaded.family.title), tr("Choose another run."))
    limit = getattr(loaded.config.model, "max_seq_len", 0)
    hidden = loaded.encoder(torch.tensor([ids[-limit:] if limit else ids])).last_hidden_state[0, -1]
    if "directions" in loaded.family.capabilities:
        return _elmo_scores(loaded, directions(hidden)[0])
    return loaded.encoder.token_logits(hidden)


@torch.no_grad()
def _behind(loaded: Loaded, ids: list[int]) -> Tensor:
    """(vocab_size) scores of the token before ids, by ELMo's backward model."""
    return _elmo_scores(loaded, directions(loaded.encoder(torch.tensor([ids])).last_hidden_state[0, 0])[1])


def _elmo_scores(loaded: Loaded, hidden: Tensor) -> Tensor:
    """Through the softmax that both directions share."""
    if loaded.network is not None:
        return loaded.network.token_logits(hidden)
    return F.linear(hidden, loaded.weights["softmax.weight"], loaded.weights["softmax.bias"])


def _candidates(loaded: Loaded, logits: Tensor, most: int, edge: int = EOS) -> list[tuple[str, float]]:
    """The likeliest tokens; of the special ones only the text's end can follow, and only its beginning (edge: BOS) precede."""
    logits = logits.float().clone()
    logits[[index for index in range(len(SPECIALS)) if index != edge]] = -torch.inf
    values, tokens = torch.softmax(logits, dim=-1).topk(min(most, len(logits)))
    return [(_shown(loaded, token), value) for token, value in zip(tokens.tolist(), values.tolist(), strict=True)]


def _shown(loaded: Loaded, token: int) -> str:
    return {EOS: tr("end of the text"), BOS: tr("beginning of the text")}.get(token) or loaded.tokenizer.token(token)


def _list(gap: int, side: str, pairs: Sequence[tuple[str, float]]) -> dict[str, Any]:
    return {"gap": gap, "side": side, "tokens": [token for token, _ in pairs], "probabilities": [share for _, share in pairs]}


def _loaded(run: str, checkpoint: str) -> Loaded:
    opened = Run.open(Path(run))
    chosen = opened.named_step(checkpoint)
    steps = opened.checkpoint_steps() if chosen is None else [chosen]
    if not steps:
        raise UserError(tr("The run {name} has no checkpoint yet.", name=opened.name), tr("Wait until it has saved one, or resume it."))
    return loaded_of(opened, steps[-1])
