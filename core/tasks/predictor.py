"""A task's network that is asked: examples in, predictions and losses out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import torch
from torch import nn

from core.config import RunConfig
from core.registry import task
from core.tasks.batches import collate, network_inputs
from core.tasks.labels import Labels
from core.tasks.layout import Layout
from core.tasks.task import Example, Feature, Predictions

TOKENS_AT_ONCE = 8192  # read in one forward pass, about


def featurise(config: RunConfig, layout: Layout, examples: Sequence[Example]) -> list[Feature]:
    """All features of all examples; a feature's `example` is the place in `examples`."""
    made = task(config.task.task)
    return [feature for number, example in enumerate(examples) for feature in made.features(layout, number, example)]


@torch.no_grad()
def predict(network: nn.Module, config: RunConfig, layout: Layout, labels: Labels, examples: Sequence[Example],
            features: Sequence[Feature] | None = None, *, on_progress: Callable[[int, int], None] = lambda done, total: None,
            cancelled: Callable[[], bool] = lambda: False) -> tuple[Predictions, float]:
    """A prediction for each example, and the mean loss of those that are labelled (0 where none is); none once it is cancelled.

    The features are read in the order of their length, so that little is padded; the answers come in the order of the examples.
    on_progress(examples done, of how many): one is done when all of its features are.
    """
    made = task(config.task.task)
    features = featurise(config, layout, examples) if features is None else features
    sizes = [len(feature.parts) * max(len(part.ids) for part in feature.parts) for feature in features]
    order = sorted(range(len(features)), key=sizes.__getitem__, reverse=True)
    outputs: list = [None] * len(features)
    left = Counter(feature.example for feature in features)
    done = len(examples) - len(left)
    total = count = 0.0
    training, device = network.training, next(network.parameters()).device
    labelled = all(example.label is not None for example in examples)
    network.eval()
    place = 0
    while place < len(order) and not cancelled():
        rows = max(1, TOKENS_AT_ONCE // sizes[order[place]])
        chosen, place = order[place : place + rows], min(len(order), place + rows)
        batch = collate(made, [features[index] for index in chosen], examples, labels, labelled=labelled)
        batch = {name: value.to(device) for name, value in batch.items()}
        logits = network(**network_inputs(batch))
        if labelled:
            _, sums = network.head.loss(logits, batch)
            total, count = total + float(sums["loss"][0]), count + float(sums["loss"][1])
        for index, output in zip(chosen, network.head.outputs(logits, batch).float().cpu().numpy(), strict=True):
            outputs[index] = output
            left[features[index].example] -= 1
            done += left[features[index].example] == 0
        on_progress(done, len(examples))
    network.train(training)
    if any(output is None for output in outputs):
        return [], 0.0
    return made.decode(features, outputs, examples, labels, config.task), total / count if count else 0.0
