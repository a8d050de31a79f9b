"""What a family declares of its like in Hugging Face transformers (Family.transformers), and what several need for that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

ACTIVATIONS = {"gelu": "gelu", "gelu_tanh": "gelu_new", "relu": "relu"}  # ours -> theirs


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """The classes of transformers that compute what the family's networks compute, and the way there.

    settings(model, vocab_size) -> what config.json says of the encoder, its model_type among it.
    to_transformers(state) -> the weights of the family's pretraining, or of its encoder alone, under their names; UserError where the model
    has what theirs lack. from_transformers(state): the way back.
    encoder, pretraining: their classes. tasks: task -> their class for it, where that computes what our head does (core/tasks/heads.py).
    score: their classes for a whole text have a head `score` without a bias above the layer norm `final_norm`, else `classifier` with one.
    """

    settings: Callable[[Any, int], dict[str, Any]]
    to_transformers: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
    from_transformers: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
    encoder: str
    pretraining: str
    tasks: Mapping[str, str] = field(default_factory=dict)
    score: bool = False


def take(state: Mapping[str, Tensor], source: str, made: dict[str, Tensor], name: str, transposed: bool = False) -> None:
    """Put the weight and the bias of a part into `made` under its other name, where the part is there."""
    for kind in ("weight", "bias"):
        if f"{source}.{kind}" in state:
            tensor = state[f"{source}.{kind}"]
            made[f"{name}.{kind}"] = tensor.t().contiguous() if transposed and kind == "weight" else tensor


def count_layers(state: Mapping[str, Tensor], prefix: str) -> int:
    """How many different numbers follow the prefix."""
    return len({name.removeprefix(prefix).partition(".")[0] for name in state if name.startswith(prefix)})
