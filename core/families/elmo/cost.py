"""What an ELMo costs."""

from __future__ import annotations

import numpy as np

from core.config import RunConfig
from core.families.cost import TRAINING_FLOPS, Cost
from core.families.elmo.config import CHARACTER_SIZE, CHARACTERS, HIGHWAYS, ElmoConfig
from core.families.subsampling import chance_to_stay

LSTM_FLOATS = 12  # that a layer and direction keeps for the backward pass, for each token and each unit of cell_size


def cost(config: RunConfig, vocab_size: int, tokens: int) -> Cost:
    model, size = config.model, config.model.hidden_size
    cell = model.cell_size or size
    matrices = 4 * cell * size + 4 * cell * size + (size * cell if model.cell_size else 0)
    lstms, biases = 2 * model.num_layers * matrices, 2 * model.num_layers * 8 * cell
    token, hidden = _character_cnn(model) if model.embedding == "char_cnn" else (vocab_size * size, 0)
    guessed = config.objective.sampled_softmax or vocab_size
    labels = 2 * _share_of_labels(config.objective.sample, vocab_size)  # of a token: both directions guess it
    flops = TRAINING_FLOPS * (lstms + hidden) + labels * TRAINING_FLOPS * min(guessed, vocab_size) * size
    return Cost(parameters=token + lstms + biases + vocab_size * size + vocab_size, hidden=lstms + hidden, flops=flops,
                activations=2 * model.num_layers * LSTM_FLOATS * cell + 4 * size, core_flops=40e9)


def _share_of_labels(sample: float, vocab_size: int) -> float:
    """That are not left out, in a text whose tokens are as frequent as Zipf's law has it."""
    share = 1 / np.arange(1, vocab_size + 1)
    return float(share / share.sum() @ chance_to_stay(share, sample))


def _character_cnn(model: ElmoConfig) -> tuple[int, int]:
    """Its parameters, and those in matrices."""
    filters, size = model.filters, model.hidden_size
    channels = sum(number for _, number in filters)
    convolutions = sum(CHARACTER_SIZE * width * number + number for width, number in filters)
    hidden = HIGHWAYS * 2 * channels * channels + channels * size
    return CHARACTERS * CHARACTER_SIZE + convolutions + hidden + HIGHWAYS * 2 * channels + size, hidden
