"""What is exported of a run: modules that take and give plain tensors, with the names and axes of both.

Two forms of each: the network as it is, which the export is compared with, and one that says the same in operators that ONNX has.

    input_ids, attention_mask, token_type_ids   (batch, tokens) int64
    last_hidden_state, hidden_states.J          (batch, tokens, size), J = 0 is the embedding layer
    attentions.J                                (batch, heads, query, key), J = 0 is the first transformer layer
    pooler_output                               (batch, size), BERT
    logits                                      (batch, tokens, vocabulary), BERT and GPT
    forward_logits, backward_logits             the same, ELMo: of the token after and of the token before
    mixed                                       (batch, tokens, size), ELMo: gamma * sum_J softmax(scalar_parameters)_J * hidden_states.J

GPT's second graph, for writing: input_ids, past.J.key and past.J.value (batch, heads, past, head size) give logits, last_hidden_state,
present.J.key and present.J.value.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.analysis.encode import Loaded
from core.exchange.onnx.settings import WRITES_ON
from core.families.elmo.model import CharacterCNN, Elmo
from core.families.gpt.model import Cache, Gpt
from core.families.outputs import Output, directions
from core.families.transformer import LayerCache
from core.registry import load as load_place

MOST_TOKENS = 1 << 14  # where the family sets no limit itself
Axes = tuple["str | int", ...]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """reference: the network as it is. portable: the same for the exporter; both take the inputs in order and give the outputs in order.

    inputs: name -> its axes, a name for one that is free and a number for one that is not. limits: axis name -> its longest.
    example(axis name -> length, seed) -> the inputs, with padding where there is a mask.
    defaults: inputs that may be left out, and what they are then. shapes: lengths of the axes to compare at.
    """

    name: str
    reference: nn.Module
    portable: nn.Module
    inputs: dict[str, Axes]
    outputs: tuple[str, ...]
    limits: dict[str, int]
    example: Callable[[dict[str, int], int], dict[str, Tensor]]
    shapes: tuple[dict[str, int], ...]
    defaults: dict[str, Tensor]

    @property
    def free_axes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(axis for axes in self.inputs.values() for axis in axes if isinstance(axis, str)))


def language_graphs(loaded: Loaded) -> dict[str, Callable[[], Graph]]:
    """name of a model file without its ending -> its graph, for a run that was trained on plain text."""
    made: dict[str, Callable[[], Graph]] = {"model": lambda: _encoder_graph(loaded)}
    if loaded.family.model == WRITES_ON:
        made["decoder"] = lambda: _decoder_graph(loaded)
    return made


def _encoder_graph(loaded: Loaded) -> Graph:
    network, vocabulary = language_network(loaded), loaded.tokenizer.vocab_size
    family, encoder = loaded.family, network.encoder if hasattr(network, "encoder") else network
    layers = getattr(loaded.config.model, "num_layers", 0)
    limit = getattr(loaded.config.model, "max_seq_len", MOST_TOKENS)
    names, outputs = ["input_ids"], ["last_hidden_state", *(f"hidden_states.{layer}" for layer in range(layers + 1))]
    contextual = layers > 0
    if contextual:
        names.append("attention_mask")
    if "attentions" in family.capabilities:
        outputs += [f"attentions.{layer}" for layer in range(layers)]
    if hasattr(encoder, "segment_embedding"):
        names.append("token_type_ids")
        outputs.append("pooler_output")
    inputs: dict[str, Axes] = dict.fromkeys(names, ("batch", "tokens"))
    defaults = {}
    if isinstance(encoder, Elmo):
        defaults = {"scalar_parameters": torch.zeros(layers + 1), "gamma": torch.ones(1)}
        inputs |= {name: (len(value),) for name, value in defaults.items()}
        outputs += ["mixed", "forward_logits", "backward_logits"]
    elif contextual:
        outputs.append("logits")
    kind = LanguageModel if contextual else Lookup

    def example(lengths: dict[str, int], seed: int) -> dict[str, Tensor]:
        made = example_ids(tuple(names), (lengths["batch"],), lengths["tokens"], vocabulary, seed)
        generator = torch.Generator().manual_seed(seed)
        return made | {name: value + 0.5 * torch.randn(len(value), generator=generator) for name, value in defaults.items()}

    return Graph(name="model", reference=kind(network, tuple(outputs)), portable=kind(portable(network), tuple(outputs)), inputs=inputs,
                 outputs=tuple(outputs), limits={"tokens": limit}, example=example, shapes=text_shapes(limit), defaults=defaults)


def _decoder_graph(loaded: Loaded) -> Graph:
    encoder, config = loaded.encoder, loaded.config.model
    heads, size = config.num_heads, config.hidden_size // config.num_heads
    places = [f"{layer}.{kind}" for layer in range(config.num_layers) for kind in ("key", "value")]
    inputs: dict[str, Axes] = {"input_ids": ("batch", "tokens"), **{f"past.{place}": ("batch", heads, "past", size) for place in places}}

    def example(lengths: dict[str, int], seed: int) -> dict[str, Tensor]:
        made = example_ids(("input_ids",), (lengths["batch"],), lengths["tokens"], loaded.tokenizer.vocab_size, seed)
        generator = torch.Generator().manual_seed(seed)
        before = torch.randint(0, loaded.tokenizer.vocab_size, (lengths["batch"], lengths["past"]), generator=generator)
        return made | dict(zip([f"past.{place}" for place in places], _keys_and_values(encoder, before, heads, size), strict=True))

    module = WithPast(language_network(loaded))
    shapes = tuple({"batch": batch, "past": past, "tokens": tokens} for batch, past, tokens in
                   ((1, 0, 1), (1, 1, 1), (1, 0, 5), (2, 3, 4), (3, 7, 1), (1, 5, 3), (4, 2, 2), (16, 5, 8),
                    (2, config.max_seq_len - 1, 1)))
    return Graph(name="decoder", reference=module, portable=module, inputs=inputs,
                 outputs=("logits", "last_hidden_state", *(f"present.{place}" for place in places)),
                 limits={"tokens": config.max_seq_len, "past": config.max_seq_len},
                 example=example, shapes=shapes, defaults={})


def language_network(loaded: Loaded) -> nn.Module:
    """The whole network of a pretrained run, its head too, with the weights of the checkpoint."""
    if not loaded.family.pretrain:
        return loaded.encoder
    network: nn.Module = load_place(loaded.family.pretrain).build(loaded.config, loaded.tokenizer.vocab_size)
    network.load_state_dict(loaded.weights)
    return network.eval()


class Lookup(nn.Module):
    """A vector for each token, and nothing else."""

    def __init__(self, network: nn.Module, outputs: tuple[str, ...]) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor) -> tuple[Tensor, ...]:
        vectors = self.network(input_ids).last_hidden_state
        return vectors, vectors.clone()


class LanguageModel(nn.Module):
    """An encoder and its language-model head, all of their outputs in the order of `outputs`."""

    def __init__(self, network: nn.Module, outputs: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.outputs = network, outputs

    def forward(self, input_ids: Tensor, attention_mask: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        segments = others[:1] if "pooler_output" in self.outputs else ()
        output: Output = self.network.encoder(input_ids, attention_mask, *segments, output_hidden_states=True,
                                              output_attentions="attentions.0" in self.outputs)
        given = [output.last_hidden_state, *output.hidden_states, *(output.attentions or ())]
        if output.pooler_output is not None:
            given.append(output.pooler_output)
        if "mixed" in self.outputs:
            share = others[0].softmax(dim=0)  # (layers)
            mixed = others[1] * sum(share[layer] * state for layer, state in enumerate(output.hidden_states))
            forward, backward = directions(output.last_hidden_state)  # each (batch, tokens, hidden_size)
            given += [mixed, self.network.token_logits(forward), self.network.token_logits(backward)]
        else:
            given.append(self.network.token_logits(output.last_hidden_state))
        return tuple(given)


class WithPast(nn.Module):
    """A GPT that goes on after the tokens whose keys and values it is given. No padding: the rows of a batch are equally long."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        gpt = self.network.encoder
        before, tokens = past[0].shape[2], input_ids.shape[1]
        place = torch.arange(tokens, device=input_ids.device) + before  # (tokens)
        mask = torch.arange(before + tokens, device=input_ids.device)[None, :] <= place[:, None]  # (query, key)
        x = gpt.token_embedding(input_ids) + gpt.position_embedding(place)  # (batch, tokens, hidden_size)
        present: list[Tensor] = []
        for layer, keys, values in zip(gpt.layers, past[::2], past[1::2], strict=True):
            cache = LayerCache()
            cache.extend(keys, values)
            x, _ = layer(x, mask, False, cache, True)
            present += [cache.keys, cache.values]
        x = gpt.final_norm(x)
        return self.network.token_logits(x), x, *present


def portable(network: nn.Module) -> nn.Module:
    """A copy that computes the same with operators that ONNX has.

    A CNN over a token's characters becomes a table with its result for every token. An LSTM whose output h = W r is projected
    becomes one without: what goes back into the gates is U h = (U W) r.
    """
    network = copy.deepcopy(network)
    for module in list(network.modules()):
        if isinstance(module, Elmo) and isinstance(module.embedding, CharacterCNN):
            with torch.no_grad():
                module.embedding = nn.Embedding.from_pretrained(module.token_vectors())
        for name, child in list(module.named_children()):
            if isinstance(child, nn.LSTM):
                setattr(module, name, _OnnxLstm(child))
    return network


class _OnnxLstm(nn.Module):
    """Written as the one operator that it is. (The exporter's own translation slices the weights each time, and notes the length of the
    example as that of every sentence.) torch keeps the gates in the order i f g o, ONNX as i o f g."""

    def __init__(self, lstm: nn.LSTM) -> None:
        super().__init__()
        self.size = lstm.hidden_size  # of the cells
        self.projection = nn.Parameter(lstm.weight_hr_l0.detach(), requires_grad=False) if lstm.proj_size else None  # (hidden_size, cell_size)
        back = lstm.weight_hh_l0.detach()
        if self.projection is not None:
            back = (back.double() @ self.projection.double()).float()  # (4 cell_size, cell_size)
        self.weight, self.back = (nn.Parameter(self._order(matrix)[None], requires_grad=False) for matrix in (lstm.weight_ih_l0.detach(), back))
        bias = torch.cat([self._order(lstm.bias_ih_l0.detach()), self._order(lstm.bias_hh_l0.detach())])
        self.bias = nn.Parameter(bias[None], requires_grad=False)  # (1, 8 cell_size)

    def _order(self, gates: Tensor) -> Tensor:
        i, f, g, o = gates.split(self.size)
        return torch.cat([i, o, f, g])

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        batch, tokens, _ = x.shape
        y = torch.onnx.ops.symbolic("::LSTM", (x.transpose(0, 1), self.weight, self.back, self.bias), {"hidden_size": self.size}, dtype=x.dtype,
                                    shape=(tokens, 1, batch, self.size), version=14)
        y = y.squeeze(1).transpose(0, 1)  # (batch, tokens, cell_size)
        return y if self.projection is None else F.linear(y, self.projection), None


def text_shapes(limit: int) -> tuple[dict[str, int], ...]:
    """(1, 1) first; the longest input that is tried is the model's longest, or 128 tokens."""
    pairs = [(1, 1), (1, 2), (2, 1), (1, 7), (2, 5), (3, 16), (1, 32), (4, 33), (2, 128)]
    return tuple({"batch": batch, "tokens": min(tokens, limit)} for batch, tokens in pairs)


def example_ids(names: Sequence[str], rows: tuple[int, ...], tokens: int, vocabulary: int, seed: int, least: int = 0) -> dict[str, Tensor]:
    """Random tokens, `least` or greater; of each row but the first, some at the end are padding. All (*rows, tokens)."""
    generator = torch.Generator().manual_seed(seed)
    shape = (*rows, tokens)
    length = torch.randint(1, tokens + 1, rows, generator=generator)  # (*rows)
    length.view(-1)[0] = tokens
    mask = (torch.arange(tokens) < length[..., None]).long()
    ids = torch.randint(least, vocabulary, shape, generator=generator)
    start = torch.randint(0, tokens + 1, rows, generator=generator)
    segments = (torch.arange(tokens) >= start[..., None]).long() * mask
    made = {"input_ids": ids * mask if "attention_mask" in names else ids, "attention_mask": mask, "token_type_ids": segments}
    return {name: made[name] for name in names}


@torch.no_grad()
def _keys_and_values(gpt: Gpt, ids: Tensor, heads: int, size: int) -> list[Tensor]:
    """What a GPT remembers of ids (batch, past): keys and values of every layer, (batch, heads, past, size)."""
    if not ids.shape[1]:
        return [torch.zeros(len(ids), heads, 0, size) for _ in range(2 * len(gpt.layers))]
    cache = Cache(len(gpt.layers))
    gpt(ids, cache=cache)
    return [kept for layer in cache.layers for kept in (layer.keys, layer.values)]
