"""The network of the second stage: a family's model, perhaps a mix of its layers, perhaps a BiLSTM, and the task's head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.config import RunConfig
from core.families.places import reversal, take
from core.registry import family, load
from core.registry import task as task_named
from core.tasks.forms import form_of
from core.tasks.labels import Labels
from core.tasks.layout import Layout
from core.tasks.scalar_mix import ScalarMix
from core.tasks.task import UNIT_PLACES
from core.text.tokenizers import PAD


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a head sees. vectors: (batch, parts, tokens, size), for tagging (batch, 1, units, size). mask: 1 where there is one.

    pooled: (batch, parts, size): a vector for each part. present: (batch, parts) bool, whether there is such a part.
    last_hidden_state: (batch * parts, tokens, hidden_size) of the family's model, for the language model's loss.
    """

    vectors: Tensor
    mask: Tensor
    pooled: Tensor
    present: Tensor
    last_hidden_state: Tensor


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """What the family's model made of some rows. states: those that the task network reads, each (rows, tokens, size): all where they
    are mixed, else the last one. pooler_output: (rows, size), where there is one."""

    states: tuple[Tensor, ...]
    pooler_output: Tensor | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the options come to for a family and task. pooling: "first", "last", "mean", "max"."""

    mix: bool
    reader: bool
    pooling: str
    unfreeze: str


def plan(config: RunConfig) -> Plan:
    """Every "auto" settled, as the family's paper has it."""
    options, form = config.task, form_of(config)
    mix = form.scalar_mix if options.mix == "auto" else options.mix == "on"
    frozen = (form.frozen or mix) and not options.from_scratch
    reader = (form.frozen and task_named(options.task).units) if options.network == "auto" else options.network == "bilstm"
    return Plan(mix=mix, reader=reader, pooling=form.vector if options.pooling == "auto" else options.pooling,
                unfreeze=("none" if frozen else "all") if options.unfreeze == "auto" else options.unfreeze)


class BiLstm(nn.Module):
    """A forward and a backward LSTM side by side. (rows, tokens, size) -> (rows, tokens, 2 * cells)"""

    def __init__(self, size: int, cells: int) -> None:
        super().__init__()
        self.forward_lstm, self.backward_lstm = (nn.LSTM(size, cells, batch_first=True) for _ in range(2))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        flip = reversal(mask, mask)
        return torch.cat([self.forward_lstm(x)[0], take(self.backward_lstm(take(x, flip))[0], flip)], dim=-1)


class TaskNetwork(nn.Module):
    """network(input_ids, attention_mask, token_type_ids) -> the head's logits; each (batch, parts, tokens).

    encoder: the family's model, frozen or not. mix: at the input of the task network, mix_output: at its output; None where there
    is none. own: the task network's own embedding of the tokens. For tagging also units (batch, units), the position of each
    unit's first token (-1: none), and unit_places (batch, units), its place within that token.
    """

    def __init__(self, config: RunConfig, layout: Layout, labels: Labels) -> None:
        super().__init__()
        made, options, self.plan = family(config.family), config.task, plan(config)
        self.encoder = load(made.model)(config.model, layout.vocab_size)
        self.segments = form_of(config).segments
        self.learns = True  # whether any of the encoder's layers does
        with torch.no_grad():
            states = self.encoder.eval()(torch.zeros(1, 2, dtype=torch.long), output_hidden_states=True).hidden_states
        layers, size = len(states), states[-1].shape[-1]
        at = options.mix_place if self.plan.mix else ""
        self.mix = ScalarMix(layers, layer_norm=options.mix_layer_norm) if at in ("input", "both") else None
        self.mix_output = ScalarMix(layers, layer_norm=options.mix_layer_norm) if at in ("output", "both") else None
        # with the mix at the output only, the task network reads what knows no context: its own embedding, or the token layer
        self.own = nn.Embedding(layout.vocab_size, options.own_embedding) if options.own_embedding else None
        width = (size if at != "output" or self.own is None else 0) + options.own_embedding
        self.unit_place = nn.Embedding(UNIT_PLACES, width) if task_named(options.task).units else None
        if self.unit_place is not None:
            nn.init.zeros_(self.unit_place.weight)
        self.reader = BiLstm(width, options.lstm_size) if self.plan.reader else None
        width = (2 * options.lstm_size if self.plan.reader else width) + (size if self.mix_output is not None else 0)
        self.dropout = nn.Dropout(options.task_dropout)
        head = load(task_named(options.task).heads[labels.kind])
        self.head = head(width, labels, options, apart=layout.apart, orders=layout.orders)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None,
                units: Tensor | None = None, unit_places: Tensor | None = None) -> Tensor:
        return self.head(self.read(input_ids, attention_mask, token_type_ids, units, unit_places))

    def encode(self, ids: Tensor, mask: Tensor, segments: Tensor | None) -> Encoded:
        """ids, mask, segments: (rows, tokens)."""
        if not self.learns:
            self.encoder.eval()  # a frozen model drops nothing
        mixes = self.mix is not None or self.mix_output is not None
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.learns):
            output = self.encoder(ids, mask, segments if self.segments else None, output_hidden_states=mixes)
        return Encoded(states=output.hidden_states if mixes else (output.last_hidden_state,), pooler_output=output.pooler_output)

    def read(self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None,
             units: Tensor | None = None, unit_places: Tensor | None = None, states: Tensor | None = None,
             pooler_output: Tensor | None = None) -> Read:
        """states (batch, parts, tokens, states, size), pooler_output (batch, parts, size): what a frozen model has made of these rows before."""
        batch, parts, tokens = input_ids.shape
        ids = input_ids.flatten(0, 1)  # (rows, tokens)
        mask = torch.ones_like(ids) if attention_mask is None else attention_mask.flatten(0, 1)
        if states is None:
            output = self.encode(ids, mask, None if token_type_ids is None else token_type_ids.flatten(0, 1))
        else:
            output = Encoded(states=states.flatten(0, 1).unbind(2), pooler_output=None if pooler_output is None else pooler_output.flatten(0, 1))
        x = self._input(ids, output, mask)  # (rows, tokens, width)
        late = None if self.mix_output is None else self.mix_output(output.states, mask)
        if units is not None:
            place = units.clamp(min=0)
            x = take(x, place) + self.unit_place(unit_places)  # (batch, units, width)
            late, mask, parts, tokens = None if late is None else take(late, place), (units >= 0).long(), 1, units.shape[1]
        if self.reader is not None:
            x = self.reader(x, mask)
        if late is not None:
            x = torch.cat([x, late], dim=-1)
        pooled = self._pool(x, mask, output)
        return Read(vectors=self.dropout(x).view(batch, parts, tokens, -1), mask=mask.view(batch, parts, tokens),
                    pooled=self.dropout(pooled).view(batch, parts, -1), present=(input_ids[:, :, 0] != PAD),
                    last_hidden_state=output.states[-1])

    def _input(self, ids: Tensor, output: Encoded, mask: Tensor) -> Tensor:
        if self.mix is not None:
            x = [self.mix(output.states, mask)]
        elif self.mix_output is not None:
            x = [output.states[0]] if self.own is None else []
        else:
            x = [output.states[-1]]
        return torch.cat([self.own(ids), *x], dim=-1) if self.own is not None else x[0]

    def _pool(self, x: Tensor, mask: Tensor, output: Encoded) -> Tensor:
        """A vector for each row, (rows, width)."""
        kind = self.plan.pooling
        if kind == "first":
            plain = not (self.plan.mix or self.plan.reader or self.own is not None)
            return output.pooler_output if plain and output.pooler_output is not None else x[:, 0]
        if kind == "last":
            last = (mask.sum(dim=1, keepdim=True) - 1).clamp(min=0)  # (rows, 1)
            return take(x, last).squeeze(1)
        real = mask.unsqueeze(-1).to(x.dtype)  # (rows, tokens, 1)
        if kind == "max":
            return (x * real + (real - 1) * 1e4).amax(dim=1)
        return (x * real).sum(dim=1) / real.sum(dim=1).clamp(min=1)

    def mix_metrics(self) -> dict[str, float]:
        """s_j and gamma of every mix: "mix_0", ... "mix_gamma"; "mix_output_0" ... where there are two."""
        mixes = [mix for mix in (self.mix, self.mix_output) if mix is not None]
        made: dict[str, float] = {}
        for prefix, mix in zip(("mix", "mix_output"), mixes, strict=False):
            made.update({f"{prefix}_{index}": value for index, value in enumerate(mix.weights().tolist())})
            made[f"{prefix}_gamma"] = mix.gamma.item()
        return made


def load_pretrained(network: TaskNetwork, weights: Mapping[str, Tensor]) -> None:
    """Put the encoder's part of a pretrained checkpoint in its place; rows that pretraining did not know stay as they are."""
    mine = network.encoder.state_dict()
    for name, tensor in weights.items():
        place = name.removeprefix("encoder.")
        if place != name and place in mine:
            mine[place][: len(tensor)].copy_(tensor) if tensor.ndim else mine[place].copy_(tensor)


def randomise(network: TaskNetwork) -> None:
    """Give tables of zeros, from which nothing can be learnt, random numbers: what the authors' word2vec begins with."""
    for parameter in network.encoder.parameters():
        if parameter.ndim == 2 and not parameter.detach().any():
            nn.init.uniform_(parameter, -0.5 / parameter.shape[1], 0.5 / parameter.shape[1])
