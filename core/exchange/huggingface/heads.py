"""Our tasks' heads as those of Hugging Face transformers, where these compute the same; elsewhere a sentence that says why not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from core.config import RunConfig
from core.families.family import Family, InputForm
from core.i18n import tr
from core.registry import load
from core.tasks.labels import NUMBER, Labels
from core.tasks.layout import Layout
from core.tasks.networks import plan
from core.text.tokenizers import SPECIALS

OF_WHOLE_TEXT = ("classification", "pair", "multiple_choice")
MOST_FOLDED = 5.0  # times the vector that carries a bias: beyond that, rounding would be seen in the logits


@dataclass(frozen=True, kw_only=True)
class Head:
    """architecture: the class. weights: under its names. config: labels and the like. note: what a person should know, or ""."""

    architecture: str
    weights: dict[str, Tensor]
    config: dict[str, Any]
    note: str = ""


def head_of(family: Family, config: RunConfig, labels: Labels, layout: Layout, weights: Mapping[str, Tensor]) -> Head | str:
    """The head of a finetune; or why transformers has none that computes the same."""
    options, made = config.task, plan(config)
    task, theirs = options.task, load(family.transformers)
    architecture = theirs.tasks.get(task)
    if architecture is None:
        return tr("transformers has no class for this task above a {family}: the encoder leaves without its head.", family=family.title)
    if made.mix or made.reader or options.own_embedding or layout.orders == 2:
        return tr("The head reads what no class of transformers gives it (mixed layers, an LSTM, or both orders of a pair): "
                  "the encoder leaves without it.")
    if task in OF_WHOLE_TEXT and made.pooling != family.form.vector:
        return tr("The head reads the {pooling} of the tokens, for which transformers has no class: the encoder leaves without it.",
                  pooling=made.pooling)
    weight, bias = weights["head.linear.weight"], weights["head.linear.bias"]
    note = ""
    if task == "tagging":  # each unit's vector has that of its place added, which is the same for a token's only unit
        bias = bias + weight @ weights["unit_place.weight"][0]
        note = tr("Where a token holds several tagged units, only the first one's tag is there.")
        if any(name.startswith("head.crf.") for name in weights):
            note = tr("The CRF stays behind: transformers takes each tag by itself.")
    names = list(labels.names) if task not in ("span", "multiple_choice") else []
    settings: dict[str, Any] = {"id2label": {str(index): name for index, name in enumerate(names)}} if names else {}
    settings |= {"label2id": {name: index for index, name in enumerate(names)}} if names else {}
    if labels.kind == NUMBER and task == "pair":
        weight, bias = weight * labels.scale, bias * labels.scale + labels.mean
        settings = {"num_labels": 1, "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}, "problem_type": "regression"}
    elif task in ("classification", "pair"):
        settings["problem_type"] = "single_label_classification"
    if theirs.score and task in ("classification", "pair"):
        folded = _without_bias(weight, bias, weights["encoder.final_norm.weight"], weights["encoder.final_norm.bias"])
        if folded is None:
            return tr("The head has a bias, which that of transformers does not have: the encoder leaves without it.")
        return Head(architecture=architecture, weights={"score.weight": folded}, config=settings)
    name = "qa_outputs" if task == "span" else "classifier"
    return Head(architecture=architecture, weights={f"{name}.weight": weight, f"{name}.bias": bias}, config=settings, note=note)


def _without_bias(weight: Tensor, bias: Tensor, gamma: Tensor, beta: Tensor) -> Tensor | None:
    """W' with W' h = W h + b for every h that leaves a layer norm; None where rounding would spoil it.

    Such an h = gamma * z + beta has a z of mean 0, so sum(h / gamma) = sum(beta / gamma) = c for all of them: (1 / gamma) carries b / c.
    """
    if not bias.any():
        return weight
    gamma, beta = gamma.double(), beta.double()
    if float(gamma.abs().min()) < 1e-3:
        return None
    constant = float((beta / gamma).sum())
    if abs(constant) * MOST_FOLDED < float(bias.abs().max()):
        return None
    return (weight.double() + torch.outer(bias.double() / constant, 1 / gamma)).float()


def with_form(tokenizer: str, family: Family, form: InputForm, vocab_size: int) -> str:
    """The tokenizer's JSON with the special tokens that the second stage puts around a text, where they are others."""
    if not form.new_tokens and form == family.form:
        return tokenizer
    raw = json.loads(tokenizer)
    ids = {token: vocab_size + place for place, token in enumerate(form.new_tokens)}
    around = {name: SPECIALS.index(name) for name in (*form.single, *form.pair) if name in SPECIALS}
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    raw["added_tokens"] += [{"id": number, "content": token, **plain} for token, number in ids.items()]
    raw["post_processor"] = {
        "type": "TemplateProcessing", "single": _template(form.single), "pair": _template(form.pair),
        "special_tokens": {token: {"id": token, "ids": [number], "tokens": [token]} for token, number in (around | ids).items()}}
    return json.dumps(raw, ensure_ascii=False)


def _template(pattern: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{"Sequence" if name in ("A", "B") else "SpecialToken": {"id": name, "type_id": 0}} for name in pattern]
