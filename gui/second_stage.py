"""What the window has to know about finetuned runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.i18n import tr
from core.registry import task
from core.runs import Run
from core.tasks.task import headline


def task_of(run: Run) -> str:
    """The task that a run was finetuned for; empty for a pretrained one."""
    return run.config.task.task if run.config.task is not None else ""


def layer_titles(run: Run) -> list[str]:
    """What each layer is called, the embedding layer first."""
    count = getattr(run.config.model, "num_layers", 0)
    return [tr("Embedding layer"), *(tr("Layer {number}", number=number) for number in range(1, count + 1))]


def metric_of(run: Run, metrics: Mapping[str, float]) -> str:
    """Which of the metrics of a validation is the headline figure of the task that a run was finetuned for; empty where none is."""
    name = task_of(run)
    return headline(task(name), metrics) if name else ""


def metric_title(name: str) -> str:
    """A metric as people call it."""
    return {"accuracy": tr("Accuracy"), "macro_f1": tr("macro-F1"), "f1": "F1", "precision": tr("precision"), "recall": tr("recall"),
            "exact_match": tr("Exact match"), "pearson": "Pearson", "spearman": "Spearman", "loss": tr("Loss")}.get(name, name)


def seeds_in_words(found: Mapping[str, Any]) -> str:
    """What a finetune's seeds came to together. found: an item of core.tasks.seeds:over_seeds."""
    def said(measures: Mapping[str, Any], names: Iterable[str]) -> str:
        return "   ".join(f"{metric_title(name)} {measures[name]['mean']:.3f} ± {measures[name]['spread']:.3f}" for name in names)

    order = sorted((name for name in found["end"] if name != "loss"), key=lambda name: name != found["metric"])
    words = tr("{count} seeds ({seeds}), mean ± standard deviation: {figures}", count=len(found["seeds"]), seeds=", ".join(map(str, found["seeds"])),
               figures=said(found["end"], order))
    if found["best"] != found["end"]:
        words += "   " + tr("(best checkpoints, chosen by these same examples: {figures})", figures=said(found["best"], [found["metric"]]))
    return words
