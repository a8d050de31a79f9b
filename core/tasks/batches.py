"""Features as tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.families.learning import IGNORED
from core.tasks.labels import Labels
from core.tasks.networks import TaskNetwork
from core.tasks.task import Example, Feature, Task
from core.text.tokenizers import PAD

NETWORK_INPUTS = ("input_ids", "attention_mask", "token_type_ids", "units", "unit_places", "states", "pooler_output")


def collate(made: Task, features: Sequence[Feature], examples: Sequence[Example], labels: Labels, *, labelled: bool = True) -> dict[str, Tensor]:
    """input_ids, attention_mask, token_type_ids, answer_mask: (batch, parts, tokens) int64, padded; a missing part is one [PAD] that is read.

    answer_mask: where an answer may begin or end: the passage (text 0), and the first place of its first row, which means none.
    labels: (batch) or (batch, most), -100 where there is none. Tagging: units, unit_places (batch, units), units -1 where there is none.
    """
    parts = max(len(feature.parts) for feature in features)
    tokens = max(len(part.ids) for feature in features for part in feature.parts)
    ids = torch.full((len(features), parts, tokens), PAD, dtype=torch.long)
    mask, segments, answer = torch.zeros_like(ids), torch.zeros_like(ids), torch.zeros_like(ids)
    mask[:, :, 0] = 1
    for row, feature in enumerate(features):
        for number, part in enumerate(feature.parts):
            width = len(part.ids)
            ids[row, number, :width] = torch.tensor(part.ids, dtype=torch.long)
            mask[row, number, :width] = 1
            segments[row, number, :width] = torch.tensor(part.segments, dtype=torch.long)
            answer[row, number, :width] = torch.tensor(part.sources, dtype=torch.long) == 0
        first = next((number for number, part in enumerate(feature.parts) if 0 in part.sources), 0)
        answer[row, first, 0] = 1
    batch = {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments, "answer_mask": answer}
    if made.units:
        most = max(1, *(len(feature.units) for feature in features))
        units, places = torch.full((len(features), most), -1), torch.zeros(len(features), most, dtype=torch.long)
        for row, feature in enumerate(features):
            if feature.units:
                _, positions, inside = zip(*feature.units, strict=True)
                units[row, : len(positions)], places[row, : len(inside)] = torch.tensor(positions), torch.tensor(inside)
        batch |= {"units": units, "unit_places": places}
    if labelled:
        batch["labels"] = _labels([made.target(feature, examples[feature.example], labels) for feature in features], batch)
    return batch


def _labels(targets: list, batch: dict[str, Tensor]) -> Tensor:
    if not isinstance(targets[0], list):
        return torch.tensor(targets)
    width = batch["units"].shape[1] if "units" in batch else max(map(len, targets))
    return torch.tensor([[*row, *[IGNORED] * (width - len(row))] for row in targets], dtype=torch.long)


def network_inputs(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: batch[name] for name in NETWORK_INPUTS if name in batch}


class FrozenReadings:
    """What a frozen model makes of each feature: the same in every epoch, so it is computed once, each feature by itself."""

    def __init__(self, network: TaskNetwork, features: Sequence[Feature]) -> None:
        self._network, self._features = network, features
        self._made: dict[int, list[tuple[Tensor, Tensor | None]]] = {}

    @torch.no_grad()
    def _of(self, index: int) -> list[tuple[Tensor, Tensor | None]]:
        """For each part (tokens, states, size), and (size) or None."""
        if index not in self._made:
            device = next(self._network.parameters()).device
            made = []
            for part in self._features[index].parts:
                ids, segments = (torch.tensor([row], device=device) for row in (part.ids, part.segments))
                encoded = self._network.encode(ids, torch.ones_like(ids), segments)
                pooled = None if encoded.pooler_output is None else encoded.pooler_output[0].cpu()
                made.append((torch.stack([state[0] for state in encoded.states], dim=1).cpu(), pooled))
            self._made[index] = made
        return self._made[index]

    def add(self, batch: dict[str, Tensor], rows: Sequence[int]) -> None:
        """Put "states" and "pooler_output" of these features into their batch."""
        found = [self._of(row) for row in rows]
        states, pooled = found[0][0]
        made = torch.zeros(*batch["input_ids"].shape, *states.shape[1:])
        poolers = None if pooled is None else torch.zeros(*batch["input_ids"].shape[:2], len(pooled))
        for row, parts in enumerate(found):
            for number, (state, pooler) in enumerate(parts):
                made[row, number, : len(state)] = state
                if poolers is not None:
                    poolers[row, number] = pooler
        batch["states"] = made
        if poolers is not None:
            batch["pooler_output"] = poolers
