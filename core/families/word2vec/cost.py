"""What a word2vec costs."""

from __future__ import annotations

from core.config import RunConfig
from core.families.cost import TRAINING_FLOPS, Cost
from core.families.word2vec.config import step_tokens


def cost(config: RunConfig, vocab_size: int, tokens: int) -> Cost:
    dim, objective = config.model.dim, config.objective
    guesses = 1 if objective.objective == "cbow" else objective.window + 1  # the window shrinks at random
    return Cost(parameters=2 * vocab_size * dim, hidden=0, flops=TRAINING_FLOPS * guesses * (1 + objective.negative) * dim, activations=0,
                core_flops=12e9, step_tokens=step_tokens(tokens))
