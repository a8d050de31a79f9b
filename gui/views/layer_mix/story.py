"""The weights that a run gives to its layers, as its story tells them: step by step, out of the metrics of StepEnd."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from core.events import Event, RunStarted, StepEnd
from core.registry import family
from core.runs import Run
from gui.widgets.series import Growing

INPUT, OUTPUT = "input", "output"
_KEY = re.compile(r"mix_(?:(output)_)?(\d+|gamma)$")


@dataclass(eq=False)
class Mix:
    """One mix. steps: (n,); weights: one series (n,) a layer, the embedding layer first, which sum to 1; gamma: (n,)."""

    steps: Growing = field(default_factory=Growing)
    weights: list[Growing] = field(default_factory=list)
    gamma: Growing = field(default_factory=Growing)

    def at(self, step: int | None) -> int:
        """The place of the newest step not after `step`; None: of the newest. -1 where there is none."""
        steps = self.steps.values
        return len(steps) - 1 if step is None else max(int(np.searchsorted(steps, step, side="right")) - 1, min(len(steps) - 1, 0))

    def weights_at(self, place: int) -> list[float]:
        return [float(series.values[place]) for series in self.weights]


class MixStory:
    """mixes: "input" and, where the mix stands in both places, "output". cuts: see there."""

    def __init__(self) -> None:
        self.mixes: dict[str, Mix] = {}
        self.cuts = 0  # how often something was taken back

    def feed(self, events: Iterable[Event]) -> bool:
        """More of the story; a run that goes on from an earlier step takes back what came after it. Returns whether weights came."""
        came = False
        for event in events:
            if isinstance(event, RunStarted):
                self._cut(event.step)
            elif isinstance(event, StepEnd) and any(key.startswith("mix_") for key in event.metrics):
                self._take(event)
                came = True
        return came

    def _take(self, event: StepEnd) -> None:
        found: dict[str, dict[str, float]] = {}
        for key, value in event.metrics.items():
            if match := _KEY.match(key):
                found.setdefault(match[1] or INPUT, {})[match[2]] = value
        for place, values in found.items():
            mix = self.mixes.setdefault(place, Mix())
            layers = sorted(int(name) for name in values if name != "gamma")
            if not mix.weights:
                mix.weights = [Growing() for _ in layers]
            if len(layers) != len(mix.weights):
                continue
            mix.steps.extend([event.step])
            for series, layer in zip(mix.weights, layers, strict=True):
                series.extend([values[str(layer)]])
            mix.gamma.extend([values.get("gamma", float("nan"))])

    def _cut(self, step: int) -> None:
        for mix in self.mixes.values():
            keep = mix.steps.values <= step
            if not keep.all():
                self.cuts += 1
                mix.steps, mix.gamma = _kept(mix.steps, keep), _kept(mix.gamma, keep)
                mix.weights = [_kept(series, keep) for series in mix.weights]


def _kept(series: Growing, keep: np.ndarray) -> Growing:
    made = Growing()
    made.extend(series.values[keep])
    return made


def mixes_layers(run: Run) -> bool:
    """Whether a run is one that mixes its layers."""
    task = run.config.task
    return task is not None and (task.mix == "on" or (task.mix == "auto" and family(run.config.family).form.scalar_mix))
