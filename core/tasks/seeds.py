"""Several seeds of one finetune: runs that differ in nothing else, and their mean and spread. Imports no torch."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.config import RunConfig
from core.errors import UserError
from core.events import EvalEnd
from core.hashes import sha256
from core.i18n import tr
from core.registry import task
from core.runs import Run, list_runs
from core.tasks.data import EXAMPLES
from core.tasks.task import headline


def with_seeds(config: RunConfig, count: int) -> list[RunConfig]:
    """The same finetune from `count` seeds, the first of which is its own; a name of its own tells each one's seed."""
    made = []
    for seed in range(config.train.seed, config.train.seed + count):
        name = tr("{name}, seed {seed}", name=config.name, seed=seed) if config.name and count > 1 else config.name
        made.append(replace(config, name=name, train=replace(config.train, seed=seed)))
    return made


def siblings(run: Run) -> list[Run]:
    """The runs beside `run` that differ from it in nothing but the seed and the name, itself among them, by their seeds; of another
    seed that was run twice the newest."""
    found = {run.config.train.seed: run}
    for other in list_runs(run.path.parent):
        if _alike(other, run):
            found.setdefault(other.config.train.seed, other)
    return [found[seed] for seed in sorted(found)]


def _alike(one: Run, other: Run) -> bool:
    return one.config.task is not None and _seedless(one.config) == _seedless(other.config) and _sources(one) == _sources(other)


def _seedless(config: RunConfig) -> RunConfig:
    return replace(config, name="", train=replace(config.train, seed=0))


def _sources(run: Run) -> tuple[str, str]:
    """What tells the weights that it began with, and the examples that it is measured on."""
    try:
        source = run.path / "pretrained" / "source.json"
        weights = json.loads(source.read_text(encoding="utf-8"))["sha256"] if source.exists() else ""
        return weights, sha256(run.path / EXAMPLES["dev"])
    except (OSError, ValueError, KeyError, TypeError):
        return str(run.path), ""


def over_seeds(*, runs: Sequence[str]) -> list[dict[str, Any]]:
    """For each of these finetunes that was run to its end from two seeds or more, once: {"runs": their folders, "name", "metric", "seeds",
    "end": {measure: {"mean", "spread", "values"}}, "best": the same of each run's best validation}.

    spread: the standard deviation over the seeds. end: by the validation at the end of each run.
    """
    made: list[dict[str, Any]] = []
    told: list[Run] = []
    for path in runs:
        try:
            run = Run.open(Path(path))
        except UserError:
            continue
        if run.config.task is None or any(_alike(run, other) for other in told):
            continue
        measured = [(other, _validations(other)) for other in siblings(run)]
        measured = [(other, found) for other, found in measured if found]
        if len(measured) < 2:
            continue
        told.append(run)
        metric = headline(task(run.config.task.task), measured[0][1][-1])
        made.append({"runs": [str(other.path) for other, _ in measured], "name": run.name, "metric": metric,
                     "seeds": [other.config.train.seed for other, _ in measured], "end": _spread([found[-1] for _, found in measured]),
                     "best": _spread([max(found, key=lambda one: (one[metric], -one["loss"])) for _, found in measured])})
    return made


def _validations(run: Run) -> list[Mapping[str, float]]:
    """The measures of every validation of a run that has come to its end; none of another."""
    told = run.events()
    ended = run.worker_pid() is None and any(getattr(event, "reason", "") in ("complete", "early_stop") for event in told[-1:])
    return [event.metrics for event in told if isinstance(event, EvalEnd)] if ended else []


def _spread(found: Sequence[Mapping[str, float]]) -> dict[str, dict[str, Any]]:
    made = {}
    for name in found[0]:
        values = [one[name] for one in found]
        made[name] = {"mean": statistics.fmean(values), "spread": statistics.stdev(values) if len(values) > 1 else 0.0, "values": values}
    return made
