"""A finetuned run is measured on labelled data, and asked about a text that somebody types."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core import checkpoints
from core.analysis.senses import BOOTSTRAPS
from core.analysis.vectors import stamp
from core.config import RunConfig
from core.errors import UserError, system_words
from core.families.family import Family
from core.i18n import tr
from core.registry import family, task
from core.runs import NEWEST, Run
from core.tasks import data, files, metrics, tagging
from core.tasks.labels import NOMINAL, NUMBER, Labels, keep_numbers, note_unseen
from core.tasks.layout import Layout
from core.tasks.networks import TaskNetwork
from core.tasks.predictor import predict
from core.tasks.problems import counted, listed, none_usable
from core.tasks.task import NUMBER_METRIC, Example, Predictions, Reading, Task
from core.text.tokenizers import Tokenizer, load_tokenizer

COLUMNS = ("line", "text", "gold", "predicted", "confidence", "right")


@dataclass(frozen=True, kw_only=True)
class TaskModel:
    """A finetuned run, ready to be asked. network: see core/tasks/networks.py. layout: how its texts become rows."""

    run: Run
    config: RunConfig
    task: Task
    family: Family
    tokenizer: Tokenizer
    labels: Labels
    layout: Layout
    network: TaskNetwork
    step: int

    def predict(self, examples: Sequence[Example], on_progress: Callable[[int, int], None] | None = None,
                cancelled: Callable[[], bool] | None = None) -> Predictions:
        return predict(self.network, self.config, self.layout, self.labels, examples, on_progress=on_progress or (lambda done, total: None),
                       cancelled=cancelled or (lambda: False))[0]


def load_task(run: Run, step: int | None = None) -> TaskModel:
    """The newest good checkpoint of a finetuned run, or that of `step`. UserError for a pretrained run."""
    if run.config.task is None:
        raise UserError(tr("{name} is a pretrained run: it has not learnt a task.", name=run.name), tr("Finetune it, or choose a finetuned run."),
                        where="run")
    exported = (run.path.parent / "model.onnx").is_file() and run.path.name == "run"
    checkpoint = None if exported else checkpoints.load(run, step)
    tokenizer, labels = load_tokenizer(run.tokenizer_path), data.read_labels(run)
    layout = data.layout_of(run.config, labels, tokenizer)
    if exported:
        from core.exchange.onnx.open import load_task_network

        network = load_task_network(run)
    else:
        network = TaskNetwork(run.config, layout, labels)
        try:
            network.load_state_dict(dict(checkpoint.model))
        except RuntimeError as error:
            raise UserError(tr("The checkpoint of {name} does not fit its settings.", name=run.name),
                            tr("Finetune again from the settings of this run.")) from error
    return TaskModel(run=run, config=run.config, task=task(run.config.task.task), family=family(run.config.family), tokenizer=tokenizer,
                     labels=labels, layout=layout, network=network.eval(),
                     step=max(run.checkpoint_steps(), default=0) if checkpoint is None else checkpoint.step)


@lru_cache(maxsize=4)
def _loaded(path: str, step: int, _changed: tuple[int, int]) -> TaskModel:
    return load_task(Run.open(Path(path)), step)


def cached(run: str, step: int | None = None) -> TaskModel:
    """As load_task, but kept; four at a time."""
    opened = Run.open(Path(run))
    steps = opened.checkpoint_steps()
    if opened.config.task is None or not steps:
        return load_task(opened, step)
    step = step if step is not None else steps[-1]
    return _loaded(str(Path(run).resolve()), step, stamp(opened.checkpoint_path(step) / "manifest.json"))


# measured on a file

def evaluate(*, run: str, file: str = "", checkpoint: str = NEWEST, on_progress: Callable[..., None] | None = None,
             cancelled: Callable[[], bool] | None = None) -> dict[str, Any]:
    """All that is to be said of a run on a file; without one, on the development examples of its own folder.

    {"task", "metric", "metrics", "examples", "labels", "confusion", "per_class", "rows", "problems", "problem_counts", "skipped", "step",
    "best": the best checkpoint's step or None, "intervals": {metric: (low, high)} as of `intervals`, "majority": the accuracy on this file of who
    always names its most frequent label (of choices the most frequent place); {} and None where an example has no single label}.
    checkpoint: see Run.named_step. on_progress(examples done, of how many).
    confusion: rows are the gold labels, columns the predicted ones. per_class: of labels, or of the types of spans.
    rows: {"line", "text", "gold", "predicted", "confidence", "right"} in the file's order.
    """
    model = cached(run, Run.open(Path(run)).named_step(checkpoint))
    reading = _reading(model, file)
    if on_progress:
        on_progress(0, len(reading.examples))
    predictions = model.predict(reading.examples, on_progress, cancelled)
    if cancelled and cancelled():
        return {}
    measures = model.task.measure(predictions, reading.examples, model.labels)
    number = model.labels.kind == NUMBER
    made = {"task": model.task.name, "metric": NUMBER_METRIC if number else model.task.metric, "metrics": measures, "examples": len(predictions),
            "labels": [], "confusion": [], "per_class": [], "step": model.step, "best": model.run.best_step(), "skipped": reading.skipped,
            "rows": [_row(model, example, one) for example, one in zip(reading.examples, predictions, strict=True)],
            "problems": listed("file", reading.problems), "problem_counts": counted("file", reading.problems), "intervals": {}, "majority": None}
    if answered := next((key for key in ("label", "choice") if key in (predictions[0] if predictions else {})), ""):
        gold, said = [one.label for one in reading.examples], [one[answered] for one in predictions]
        made |= {"intervals": {name: interval for name, interval in intervals(gold, said).items() if name in measures},
                 "majority": max(Counter(gold).values()) / len(gold)}
    if model.task.units:
        made["per_class"] = metrics.span_f1([one.label for one in reading.examples], [one["tags"] for one in predictions])[1]
    elif model.labels.names and "label" in (predictions[0] if predictions else {}):
        gold, said = [one.label for one in reading.examples], [one["label"] for one in predictions]
        labels = [*model.labels.names, *sorted(set(gold) - set(model.labels.names))]
        made |= {"labels": labels, "confusion": metrics.confusion(gold, said, labels).tolist(), "per_class": metrics.per_class(gold, said)}
    return made


def intervals(gold: Sequence[Any], predicted: Sequence[Any], seed: int = 0) -> dict[str, tuple[float, float]]:
    """The 95% intervals of "accuracy" and "macro_f1", by bootstrap over the examples.

    To draw n examples again is to draw n times among the cells of the confusion matrix: no longer for a hundred thousand than for a hundred.
    """
    places = np.unique([*gold, *predicted], return_inverse=True)[1].reshape(2, -1)
    (true, said), counts = np.unique(places, axis=1, return_counts=True)  # of each cell that occurs
    labels, total, rng = int(places.max()) + 1, len(gold), np.random.default_rng(seed)
    found = np.zeros((BOOTSTRAPS, 2))
    for row in range(BOOTSTRAPS):
        drawn = rng.multinomial(total, counts / total)
        right = np.bincount(true, drawn * (true == said), labels)
        both = np.bincount(true, drawn, labels) + np.bincount(said, drawn, labels)
        f1 = 2 * right[both > 0] / both[both > 0]  # of the labels that occur among those drawn, as metrics.macro_f1
        found[row] = right.sum() / total, f1.mean()
    low, high = np.percentile(found, [2.5, 97.5], axis=0).tolist()
    return dict(zip(("accuracy", "macro_f1"), zip(low, high, strict=True), strict=True))


def _reading(model: TaskModel, file: str) -> Reading:
    if not file:
        own = data.read_examples(model.run, "dev")
        if not own:
            raise UserError(tr("{name} came without examples to measure on.", name=model.run.name), tr("Choose a file with labels."), where="file")
        return _noted(model, Reading(examples=own))
    found = files.require_file(file, model.task.kinds, "file")
    reading = model.task.read(found, model.config.task)
    if model.labels.kind == NUMBER:
        keep_numbers(reading)
    elif model.labels.kind == NOMINAL:
        note_unseen(reading, model.labels.names, tr("the training data has no label '{label}'"))
    if not reading.examples:
        raise none_usable(found.name, reading, "file")
    return _noted(model, reading)


def _noted(model: TaskModel, reading: Reading) -> Reading:
    """With what the run has learnt from, and what it cannot read whole."""
    if (model.run.path / data.EXAMPLES["train"]).exists():  # an export is without them
        data.note_learnt(reading, data.read_examples(model.run, "train"))
    data.note_cut(model.config, model.layout, reading)
    return reading


def _row(model: TaskModel, example: Example, one: dict[str, Any]) -> dict[str, Any]:
    """An example and what was made of it, in words."""
    text = " ‖ ".join(part for part in example.texts if part)
    made = {"line": example.line, "text": text, "gold": example.label, "predicted": one.get("label"), "confidence": 1.0}
    if "value" in one:
        gap = abs(one["value"] - float(example.label)) / model.labels.scale
        return {**made, "predicted": round(one["value"], 3), "confidence": gap, "right": gap < 1, "gold": example.label}
    if "choice" in one:
        made |= {"gold": example.choices[example.label], "predicted": example.choices[one["choice"]],
                 "confidence": max(one["probabilities"], default=0.0),
                 "text": f"{text} ‖ {' / '.join(example.choices)}"}
    elif "tags" in one:
        made |= {"gold": _said(tagging.spans(example, example.label)), "predicted": _said(one["spans"]),
                 "confidence": min(one["probabilities"], default=1.0)}
    elif "answer" in one:
        answers = [answer for answer, _ in example.label]
        return {**made, "gold": " / ".join(answers), "predicted": one["answer"], "confidence": one["probability"],
                "right": bool(metrics.exact_match(one["answer"], answers))}
    else:
        made["confidence"] = max(one["probabilities"].values(), default=0.0)
    return {**made, "right": made["gold"] == made["predicted"]}


def _said(spans: Sequence[dict[str, Any]]) -> str:
    return "  ".join(f"{span['text']}/{span['type']}" for span in spans)


def worst(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The mistakes, the most confident first."""
    return sorted((row for row in result["rows"] if not row["right"]), key=lambda row: -row["confidence"])


def to_csv(result: dict[str, Any], path: Path) -> None:
    """The rows of an evaluation, for a spreadsheet (UTF-8 with a mark, which Excel asks for)."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(result["rows"])
    try:
        Path(path).write_bytes(text.getvalue().encode("utf-8-sig"))  # at one go; not by another file, as it may be /dev/stdout
    except OSError as error:
        raise UserError(tr("{path} cannot be written: {reason}.", path=path, reason=system_words(error)),
                        tr("Free some space, or choose another place.")) from error


# asked about a text

def example_of(model: TaskModel, fields: dict[str, Any]) -> Example:
    """What somebody has typed, as the task reads it. UserError names the field that is empty."""
    values = {field: fields.get(field) or "" for field in model.task.asked}
    for field, value in values.items():
        if not value or (isinstance(value, str) and not value.strip()):
            raise UserError(tr("{name} is empty.", name=field), tr("Type something."), where=field)
    texts = tuple(files.text(value) for field, value in values.items() if field != "choices")
    given = values.get("choices")
    choices = tuple(map(str, given)) if isinstance(given, list | tuple) else ()  # a text is no list of its letters
    if "choices" in values and len(choices) < 2:
        raise UserError(tr("There are fewer than two choices."), tr("Write at least two."), where="choices")
    return Example(line=0, texts=texts, choices=choices, units=_units(model, texts[0]) if model.task.units else ())


def _units(model: TaskModel, text: str) -> tuple[tuple[int, int], ...]:
    """What carries a tag in a typed text: what did in training, a character of Chinese or else a word."""
    offsets = model.tokenizer.encode(text).offsets
    units: list[tuple[int, int]] = []
    for start, end in offsets:
        start = end - len(text[start:end].lstrip())  # a byte-level token has the space before its word
        chinese = any("\u3400" <= character <= "\u9fff" for character in text[start:end])
        if chinese:
            units += [(place, place + 1) for place in range(start, end)]
        elif start < end:
            before = text[start - 1] if units and units[-1][1] == start else " "
            joined = before.isalnum() and text[start].isalnum() and not "\u3400" <= before <= "\u9fff"
            units[-1:] = [(units[-1][0], end)] if joined else [*units[-1:], (start, end)]
    return tuple(units)


def predict_text(*, run: str, fields: dict[str, Any], checkpoint: str = NEWEST, on_progress: Callable[..., None] | None = None,
                 cancelled: Callable[[], bool] | None = None) -> dict[str, Any]:
    """The prediction for what somebody has typed, as Task.decode has it, with "task" and "step"; of a pair also "swapped": that of (b, a).

    fields: {"text"}; {"text_a", "text_b"}; {"context", "question", "choices"}; {"context", "question"}.
    "cut": how many tokens of it did not fit and were not read.
    tagging has "units" besides: the (start, end) characters that carry the tags.
    """
    model = cached(run, Run.open(Path(run)).named_step(checkpoint))
    example = example_of(model, fields)
    examples = [example]
    if model.task.orders:
        examples.append(replace(example, texts=example.texts[::-1]))
    made = model.predict(examples)
    answer = {"task": model.task.name, "step": model.step, **made[0]}
    if model.task.orders:
        answer["swapped"] = made[1]
    features = model.task.features(model.layout, 0, example)
    answer["cut"] = 0 if model.task.windows else max((part.cut for feature in features for part in feature.parts), default=0)
    if model.task.units:
        answer["units"] = [list(unit) for unit in example.units]
    return answer
