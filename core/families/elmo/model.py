"""ELMo's bidirectional language model (Peters et al. 2018, "Deep contextualized word representations", section 3.1).

Two language models read the same tokens x_1 ... x_T. The forward one gives p(x_k | x_1 ... x_{k-1}), the backward one
p(x_k | x_{k+1} ... x_T). Each is a stack of L LSTMs; they share the token layer (Θx) and the softmax (Θs, in pretrain.py)
and nothing else: no state passes from one direction to the other, so what one of them knows about a word, it learned from
its own side alone. For every token there are 2L + 1 vectors: x_k, and h→_{k,j} and h←_{k,j} for j = 1 ... L.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from core.errors import UserError
from core.families.elmo.config import CHARACTER_SIZE, CHARACTERS, HIGHWAYS, ElmoConfig
from core.families.outputs import Output
from core.families.places import reversal, take
from core.i18n import tr

if TYPE_CHECKING:
    from core.text.tokenizers import Tokenizer


class Elmo(nn.Module):
    """forward(...) -> Output whose hidden_states are L + 1 tensors (batch, tokens, 2 * hidden_size).

    In each the first half of the last axis is the forward model's and the second half the backward model's vector, so that
    `directions` can take them apart; layer 0 is the token layer, twice. token_type_ids are ignored.
    """

    def __init__(self, config: ElmoConfig, vocab_size: int) -> None:
        super().__init__()
        self.config, self.vocab_size = config, vocab_size
        size = config.hidden_size
        if config.embedding == "char_cnn":
            self.embedding = CharacterCNN(vocab_size, config)
        else:
            self.embedding = nn.Embedding(vocab_size, size)
            nn.init.normal_(self.embedding.weight, std=size**-0.5)
        self.forward_layers = nn.ModuleList(_lstm(config) for _ in range(config.num_layers))
        self.backward_layers = nn.ModuleList(_lstm(config) for _ in range(config.num_layers))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None, *,
                output_hidden_states: bool = False, output_attentions: bool = False) -> Output:
        """UserError where the device cannot compute it."""
        if self.config.cell_size and input_ids.device.type == "mps":
            raise UserError(tr("PyTorch cannot compute an ELMo whose cell_size is not 0 on an Apple GPU."),
                            tr("Choose the device cpu, or for a new run cell_size 0."), where="device")
        token = self.dropout(self.embedding(input_ids))  # (batch, tokens, hidden_size)
        forward = self._read(self.forward_layers, token)
        flip = reversal(input_ids, attention_mask)  # (batch, tokens)
        backward = [take(layer, flip) for layer in self._read(self.backward_layers, take(token, flip))]
        layers = tuple(torch.cat(pair, dim=-1) for pair in zip([token, *forward], [token, *backward], strict=True))
        return Output(last_hidden_state=layers[-1], hidden_states=layers if output_hidden_states else None)

    def spell(self, tokenizer: Tokenizer) -> None:
        """Tell a character CNN how the tokens are written. Needed once, before the first step of a new network."""
        if isinstance(self.embedding, CharacterCNN):
            self.embedding.spell([tokenizer.token(index) for index in range(self.vocab_size)])

    def token_vectors(self) -> Tensor:
        """What every token of the vocabulary is to the model before it has read a context. (vocab_size, hidden_size)"""
        return self.embedding(torch.arange(self.vocab_size, device=next(self.parameters()).device))

    def _read(self, layers: nn.ModuleList, x: Tensor) -> list[Tensor]:
        """One direction: every layer's output, each added to its input from the second layer on (the residual connection)."""
        states = []
        for index, lstm in enumerate(layers):
            y = self.dropout(lstm(x)[0])  # (batch, tokens, hidden_size)
            x = y + x if index else y
            states.append(x)
        return states


def _lstm(config: ElmoConfig) -> nn.LSTM:
    size = config.hidden_size
    lstm = nn.LSTM(size, config.cell_size or size, proj_size=size if config.cell_size else 0, batch_first=True)
    for name, parameter in lstm.named_parameters():
        if name.startswith("weight"):
            nn.init.xavier_uniform_(parameter)
        else:
            nn.init.zeros_(parameter)
    # the forget gate (second of the four) starts open, so that the memory lives long enough to be learned from
    with torch.no_grad():
        width = config.cell_size or size
        lstm.bias_ih_l0[width : 2 * width] = 1.0
    return lstm


class CharacterCNN(nn.Module):
    """A token's vector from its characters: embed, convolve, max-pool, highway, project (Kim et al. 2016, as ELMo has it).

    `characters`, a buffer of (vocab_size, max_characters) code points with 0 as padding, must be set by `spell` before use.
    """

    def __init__(self, vocab_size: int, config: ElmoConfig) -> None:
        super().__init__()
        self.register_buffer("characters", torch.zeros(vocab_size, config.max_characters, dtype=torch.long))
        self.character = nn.Embedding(CHARACTERS, CHARACTER_SIZE, padding_idx=0)
        self.convolutions = nn.ModuleList(nn.Conv1d(CHARACTER_SIZE, number, width) for width, number in config.filters)
        channels = sum(number for _, number in config.filters)
        self.highways = nn.ModuleList(nn.Linear(channels, 2 * channels) for _ in range(HIGHWAYS))
        self.projection = nn.Linear(channels, config.hidden_size)

    def spell(self, tokens: list[str]) -> None:
        """Note the characters of every token of the vocabulary, in the order of their ids."""
        table = torch.zeros_like(self.characters)
        for row, token in enumerate(tokens):
            points = [min(ord(character), CHARACTERS - 1) for character in token[: table.shape[1]]]
            table[row, : len(points)] = torch.tensor(points)
        self.characters.copy_(table)

    def forward(self, input_ids: Tensor) -> Tensor:
        unique, where = input_ids.unique(return_inverse=True)  # each different token is computed once
        x = self.character(self.characters[unique]).transpose(1, 2)  # (unique, CHARACTER_SIZE, max_characters)
        x = torch.cat([torch.relu(convolution(x).amax(dim=-1)) for convolution in self.convolutions], dim=-1)  # (unique, channels)
        for highway in self.highways:
            new, gate = highway(x).chunk(2, dim=-1)
            gate = torch.sigmoid(gate)
            x = gate * x + (1 - gate) * torch.relu(new)
        return self.projection(x)[where]  # (batch, tokens, size)
