"""What a BERT costs."""

from __future__ import annotations

from core.config import RunConfig
from core.families.cost import TRAINING_FLOPS, Cost, transformer_layers


def cost(config: RunConfig, vocab_size: int, tokens: int) -> Cost:
    model, objective, hidden = config.model, config.objective, config.model.hidden_size
    layers = transformer_layers(model, config.train.seq_len)
    embeddings = (vocab_size + model.max_seq_len + 2) * hidden + 2 * hidden
    heads = 2 * (hidden * hidden + hidden) + 2 * hidden + vocab_size + 2 * hidden + 2  # pooler, masked tokens, next sentence
    paired = hidden * hidden + 2 * hidden if objective.next_sentence else 0  # pooler and next sentence, which learn then alone
    share = objective.mask_percent / 100
    # of the last layer, all but keys and values is computed for the guessed tokens alone
    spared_flops = (1 - share) * (layers.flops / model.num_layers - TRAINING_FLOPS * 2 * hidden * hidden)
    spared_kept = (1 - share) * (layers.activations / model.num_layers - 3 * hidden)
    return Cost(parameters=embeddings + layers.parameters + heads,
                hidden=layers.hidden + hidden * hidden + paired,
                flops=layers.flops - spared_flops + share * TRAINING_FLOPS * (hidden * hidden + vocab_size * hidden),
                activations=layers.activations - spared_kept + 4 * hidden * share + 3 * hidden, core_flops=45e9)
