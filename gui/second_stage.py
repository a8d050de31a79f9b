"""What the window has to know about finetuned runs."""

from __future__ import annotations

from core.runs import Run


def task_of(run: Run) -> str:
    """The task that a run was finetuned for; empty for a pretrained one."""
    return getattr(getattr(run.config, "task", None), "name", "")
