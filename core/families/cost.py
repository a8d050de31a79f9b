"""What a family's network costs, told before anything is trained: see Family.cost in core/families/family.py. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TRAINING_FLOPS = 6  # a token and a weight: a product and a sum forward, twice that backward
TRANSFORMER_FLOATS = 10  # that a layer keeps for the backward pass, for each token and each unit of hidden_size, beside its feed-forward part


@dataclass(frozen=True, kw_only=True)
class Cost:
    """parameters: of the network as it is trained. hidden: those in the matrices that Muon takes over.

    flops: floating point operations for one token in training. activations: float32 numbers kept for the backward pass, for each token.
    core_flops: operations a second that its training really reached with one core of a laptop (2 cores, PyTorch 2.13).
    step_tokens: read in one step, about; 0: batch_size sequences of seq_len tokens.
    """

    parameters: int
    hidden: int
    flops: float
    activations: float
    core_flops: float = 30e9
    step_tokens: int = 0


def transformer_layers(model: Any, seq_len: int) -> Cost:
    """Of all layers together (core/families/transformer.py). model: with their options, as BertConfig and GptConfig have them."""
    hidden, inner, layers = model.hidden_size, model.intermediate_size or 4 * model.hidden_size, model.num_layers
    matrices = 4 * hidden * hidden + 2 * hidden * inner
    vectors = 4 * hidden + hidden + inner + 4 * hidden  # biases of attention and feed-forward, two norms
    flops = TRAINING_FLOPS * matrices + 12 * hidden * seq_len  # and every token meets every other one
    kept = TRANSFORMER_FLOATS * hidden + (3 if model.activation == "gelu_tanh" else 2) * inner  # that one keeps its gate too (on a CPU)
    return Cost(parameters=layers * (matrices + vectors), hidden=layers * matrices, flops=layers * flops, activations=layers * kept)
