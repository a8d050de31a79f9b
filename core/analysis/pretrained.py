"""What the window offers to finetune: the pretrained runs that have a checkpoint. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.runs import list_runs
from core.tasks.forms import stands_alone

MOST = 60


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """step: of its newest checkpoint."""

    path: str
    name: str
    family: str
    step: int


def pretrained_runs() -> list[Pretrained]:
    """Those of the runs' home, the newest first; also a model that came with its head."""
    found = []
    for run in list_runs():
        if run.whole != run.path:
            continue  # an ONNX model cannot be trained
        if (run.config.task is None or stands_alone(run.config)) and (steps := run.checkpoint_steps()):
            found.append(Pretrained(path=str(run.path), name=run.name, family=run.config.family, step=steps[-1]))
    return found[:MOST]
