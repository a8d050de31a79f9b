"""What the program makes of labelled files before anything is trained: columns, labels, problems, and examples as the model will see them.

Imports no torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.config import RunConfig
from core.errors import UserError
from core.i18n import tr
from core.registry import family, task
from core.runs import Run
from core.tasks import data
from core.tasks.config import build_finetune
from core.tasks.create import newest_step
from core.tasks.forms import form_of
from core.tasks.labels import NOMINAL, Labels
from core.tasks.layout import Layout
from core.tasks.problems import counted, listed, warnings
from core.tasks.task import Example, Feature, Part
from core.text.tokenizers import load_tokenizer

CUT_LOOKED_AT = 1000  # examples of each file whose length is looked at


def inspect(*, pretrained: str, task: str, options: dict[str, Any], examples: int = 5, on_progress: Callable[..., None] | None = None,
            cancelled: Callable[[], bool] | None = None) -> dict[str, Any]:
    """What is wrong does not raise but stands in "error", "hint" and "where"; then the other keys may be missing.

    {"columns", "available", "labels", "label_kind", "label_counts", "counts", "skipped", "cut", "cut_of", "problems", "problem_counts", "warnings",
    "examples", "sees", "advice", "error", "hint", "where"}; see the functions below for the shapes.
    """
    try:
        run = Run.open(Path(pretrained))
        newest_step(run)
        config = build_finetune(run, task, options)
        return {**look(config, run, examples), "error": "", "hint": "", "where": ""}
    except UserError as error:
        return {"error": error.message, "hint": error.hint, "where": error.where}


def look(config: RunConfig, run: Run, count: int = 5) -> dict[str, Any]:
    """columns: {"train": {role: column}, "dev": ...}. labels: names. label_counts: {name: number in train}. counts, skipped, cut:
    {"train": n, "dev": n}; cut: texts longer than the model reads, among the first ones, "cut_of" as many."""
    train, dev, labels = data.read_files(config.task)
    layout = data.layout_of(config, labels, load_tokenizer(run.tokenizer_path))
    cut = {"train": data.note_cut(config, layout, train, CUT_LOOKED_AT), "dev": data.note_cut(config, layout, dev, CUT_LOOKED_AT)}
    chosen = data.subsample(train.examples, config.task.labels, config.train.seed)
    data.require_labels(chosen, labels)
    counts = [*counted("train", train.problems), *counted("dev", dev.problems)]
    return {
        "columns": {"train": train.columns, "dev": dev.columns}, "available": train.available, "labels": list(labels.names),
        "label_kind": labels.kind, "label_counts": _label_counts(train.examples, labels),
        "counts": {"train": len(chosen), "dev": len(dev.examples)},
        "available_counts": {"train": len(train.examples), "dev": len(dev.examples)}, "skipped": {"train": train.skipped, "dev": dev.skipped},
        "cut": cut, "cut_of": {"train": min(len(train.examples), CUT_LOOKED_AT), "dev": min(len(dev.examples), CUT_LOOKED_AT)},
        "problems": [*listed("train", train.problems), *listed("dev", dev.problems)],
        "problem_counts": counts, "warnings": [*warnings(counts, len(dev.examples)), *data.missing_labels(chosen, labels)],
        "examples": [seen(config, layout, labels, example) for example in train.examples[:count]], "sees": cannot_see(config),
        "advice": advice(config)}


def _label_counts(examples: Sequence[Example], labels: Labels) -> dict[str, int]:
    if labels.kind != NOMINAL:
        return {}
    found = Counter(name for example in examples for name in (example.label if isinstance(example.label, tuple) else (example.label,)))
    return {name: found[name] for name in labels.names}


def cannot_see(config: RunConfig) -> str:
    """What this family cannot do at this task, in words; "" where nothing is to be said."""
    made = family(config.family)
    if "generate" in made.capabilities and task(config.task.task).blind:
        return tr(task(config.task.task).blind)
    return tr(made.limit) if "static_vectors" in made.capabilities else ""


def advice(config: RunConfig) -> str:
    """What of the pretrained run was never trained although this finetune rests on it, and what to do; "" where there is nothing.

    [CLS] and its pooler learn in pretraining by next-sentence prediction alone (Devlin et al. 2019, section 3.1).
    """
    options, form = config.task, form_of(config)
    pooled = not task(options.task).units and not task(options.task).windows
    first = (form.vector if options.pooling == "auto" else options.pooling) == "first"
    if form.segments and pooled and first and not options.from_scratch and not getattr(config.objective, "next_sentence", True):
        return tr("This run was pretrained without next-sentence prediction, so [CLS], which stands for the whole text here, never learnt anything. "
                  "With few labels the mean of all tokens does better: pooling=mean (in the form: What stands for a text, The mean).")
    return ""


def seen(config: RunConfig, layout: Layout, labels: Labels, example: Example) -> dict[str, Any]:
    """An example as the model reads it: {"line", "label", "parts": [{"tokens", "segments", "labels", "special", "cut"}]}.

    labels: one for each token: its tag, or "answer" where it is part of the answer; "" elsewhere.
    """
    made = task(config.task.task)
    parts = []
    for feature in made.features(layout, 0, example):
        for number, part in enumerate(feature.parts):
            parts.append({"tokens": [layout.token(index) for index in part.ids], "segments": list(part.segments),
                          "special": [source < 0 for source in part.sources], "cut": part.cut,
                          "labels": _token_labels(feature, number, part, example)})
    return {"line": example.line, "label": _label_text(example), "parts": parts}


def _token_labels(feature: Feature, number: int, part: Part, example: Example) -> list[str]:
    made = [""] * len(part.ids)
    for unit, position, _ in feature.units:
        made[position] = example.label[unit] if not made[position] else f"{made[position]} {example.label[unit]}"
    answers = example.label if isinstance(example.label, tuple) and not example.units else ()
    for text, start in answers:
        for index, ((a, b), source) in enumerate(zip(part.offsets, part.sources, strict=True)):
            if source == 0 and a < start + len(text) and b > start:
                made[index] = "answer"
    return made


def _label_text(example: Example) -> str:
    if example.choices:
        return example.choices[example.label]
    if example.units:
        return ""
    if isinstance(example.label, tuple):
        return " / ".join(text for text, _ in example.label)
    return str(example.label)
