"""What the window has to know about finetuned runs."""

from __future__ import annotations

from core.i18n import tr
from core.runs import Run


def task_of(run: Run) -> str:
    """The task that a run was finetuned for; empty for a pretrained one."""
    return run.config.task.task if run.config.task is not None else ""


def layer_titles(run: Run) -> list[str]:
    """What each layer is called, the embedding layer first."""
    count = getattr(run.config.model, "num_layers", 0)
    return [tr("Embedding layer"), *(tr("Layer {number}", number=number) for number in range(1, count + 1))]
