"""What a GPT costs."""

from __future__ import annotations

from core.config import RunConfig
from core.families.cost import TRAINING_FLOPS, Cost, transformer_layers


def cost(config: RunConfig, vocab_size: int, tokens: int) -> Cost:
    model, hidden = config.model, config.model.hidden_size
    layers = transformer_layers(model, config.train.seq_len)
    embeddings = (vocab_size + model.max_seq_len) * hidden + 2 * hidden
    return Cost(parameters=embeddings + layers.parameters, hidden=layers.hidden, flops=layers.flops + TRAINING_FLOPS * vocab_size * hidden,
                activations=layers.activations + 3 * hidden, core_flops=45e9)
