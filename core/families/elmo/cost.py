"""What an ELMo costs."""

from __future__ import annotations

from core.config import RunConfig
from core.families.cost import TRAINING_FLOPS, Cost
from core.families.elmo.config import CHARACTER_SIZE, CHARACTERS, HIGHWAYS, ElmoConfig

LSTM_FLOATS = 12  # that a layer and direction keeps for the backward pass, for each token and each unit of cell_size


def cost(config: RunConfig, vocab_size: int, tokens: int) -> Cost:
    model, size = config.model, config.model.hidden_size
    cell = model.cell_size or size
    matrices = 4 * cell * size + 4 * cell * size + (size * cell if model.cell_size else 0)
    lstms, biases = 2 * model.num_layers * matrices, 2 * model.num_layers * 8 * cell
    token, hidden = _character_cnn(model) if model.embedding == "char_cnn" else (vocab_size * size, 0)
    guessed = config.objective.sampled_softmax or vocab_size
    flops = TRAINING_FLOPS * (lstms + hidden) + 2 * TRAINING_FLOPS * min(guessed, vocab_size) * size  # both directions guess
    return Cost(parameters=token + lstms + biases + vocab_size * size + vocab_size, hidden=lstms + hidden, flops=flops,
                activations=2 * model.num_layers * LSTM_FLOATS * cell + 4 * size, core_flops=40e9)


def _character_cnn(model: ElmoConfig) -> tuple[int, int]:
    """Its parameters, and those in matrices."""
    filters, size = model.filters, model.hidden_size
    channels = sum(number for _, number in filters)
    convolutions = sum(CHARACTER_SIZE * width * number + number for width, number in filters)
    hidden = HIGHWAYS * 2 * channels * channels + channels * size
    return CHARACTERS * CHARACTER_SIZE + convolutions + hidden + HIGHWAYS * 2 * channels + size, hidden
