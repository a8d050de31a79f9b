"""The graph of a finetuned run: labelled texts in, the head's logits out (core/tasks/networks.py).

    input_ids, attention_mask, token_type_ids   (batch, parts, tokens) int64; parts: the texts, orders, choices or windows of an example
    units, unit_places                          (batch, units) int64, tagging: each unit's first token, and its place within that token
    logits                                      as the head gives them
    hidden_states.J                             (batch, parts, tokens, size) of the model beneath the task
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from core import checkpoints
from core.exchange.onnx.graph import MOST_TOKENS, Axes, Graph, example_ids, portable
from core.families.outputs import Output
from core.registry import task as task_named
from core.runs import Run
from core.tasks.data import layout_of, read_labels
from core.tasks.labels import Labels
from core.tasks.layout import Layout
from core.tasks.networks import TaskNetwork
from core.tasks.task import UNIT_PLACES
from core.text.tokenizers import load_tokenizer

MANY = 100  # examples, so that the share of equal answers says something


def load_network(run: Run, step: int | None = None) -> tuple[TaskNetwork, Layout, Labels, int]:
    """A finetuned run's network, how it lays out texts, its labels, and the step."""
    checkpoint, labels = checkpoints.load(run, step), read_labels(run)
    layout = layout_of(run.config, labels, load_tokenizer(run.tokenizer_path))
    network = TaskNetwork(run.config, layout, labels)
    network.load_state_dict(checkpoint.model)
    return network.eval(), layout, labels, checkpoint.step


def parts_of(run: Run, layout: Layout) -> int:
    """The parts of an example; the fewest, where that is free."""
    task = task_named(run.config.task.task)
    if task.orders:
        return 2 if layout.apart else layout.orders
    return 2 if task.free_parts else 1


def task_graphs(run: Run, network: TaskNetwork, layout: Layout) -> dict[str, Callable[[], Graph]]:
    return {"model": lambda: _graph(run, network, layout)}


def _graph(run: Run, network: TaskNetwork, layout: Layout) -> Graph:
    task, parts = task_named(run.config.task.task), parts_of(run, layout)
    free, tagged = task.free_parts, task.units
    names = ("input_ids", "attention_mask", *(["token_type_ids"] if network.segments else []))
    inputs: dict[str, Axes] = dict.fromkeys(names, ("batch", "parts" if free else parts, "tokens"))
    if tagged:
        inputs |= dict.fromkeys(("units", "unit_places"), ("batch", "units"))
    layers = getattr(run.config.model, "num_layers", 0) + 1
    outputs = ("logits", *(f"hidden_states.{layer}" for layer in range(layers)))
    limit = min(run.config.train.seq_len, getattr(run.config.model, "max_seq_len", MOST_TOKENS))

    def example(lengths: dict[str, int], seed: int) -> dict[str, Tensor]:
        rows = (lengths["batch"], lengths["parts"] if free else parts)
        made = example_ids(names, rows, lengths["tokens"], layout.vocab_size, seed, least=1)  # a part that begins with [PAD] is none
        if tagged:
            generator = torch.Generator().manual_seed(seed)
            units = torch.randint(0, lengths["tokens"], (lengths["batch"], lengths["units"]), generator=generator)
            units[1:, 1:][torch.rand(units[1:, 1:].shape, generator=generator) < 0.2] = -1
            made |= {"units": units, "unit_places": torch.randint(0, UNIT_PLACES, units.shape, generator=generator)}
        return made

    shapes = []
    for batch, tokens in ((1, 1), (1, 2), (2, 1), (1, 7), (2, 5), (3, 16), (1, 32), (4, 33), (2, 128), (MANY, 16)):
        shape = {"batch": batch, **({"parts": parts + (batch + tokens) % 3} if free else {}), "tokens": min(tokens, limit)}
        shapes.append(shape | ({"units": min(tokens, limit)} if tagged else {}))
    return Graph(name="model", reference=TaskModel(network, tuple(inputs), layers), portable=TaskModel(portable(network), tuple(inputs), layers),
                 inputs=inputs, outputs=outputs, limits={"tokens": limit}, example=example, shapes=tuple(shapes), defaults={})


class TaskModel(nn.Module):
    """A task's network; gives the logits and, of the model beneath it, all hidden states."""

    def __init__(self, network: TaskNetwork, names: tuple[str, ...], layers: int) -> None:
        super().__init__()
        self.network, self.names, self.layers = network, names, layers

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        given = dict(zip(self.names, inputs, strict=True))
        heard: list[Output] = []
        encoder = self.network.encoder

        def listen(*arguments: Any, output_hidden_states: bool = False) -> Output:
            heard.append(type(encoder).forward(encoder, *arguments, output_hidden_states=True))
            return heard[-1]

        encoder.forward = listen  # the network asks for the layers only where it mixes them
        try:
            logits = self.network(**given)
        finally:
            del encoder.forward
        return logits, *(state.view(*given["input_ids"].shape, state.shape[-1]) for state in heard[0].hidden_states)
