"""Extractive question answering: the answer is a piece of the passage, or the passage holds none. Files as SQuAD 1.1 and 2.0."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import UserError
from core.i18n import tr
from core.tasks import metrics
from core.tasks.config import TaskConfig
from core.tasks.labels import Labels
from core.tasks.layout import Layout
from core.tasks.task import Example, Feature, Part, Predictions, Reading, Task
from core.text import encodings, segment

NO_ANSWER = "no answer"
CANDIDATES = 5
IGNORED = [-100, -100, -100]


def read(path: Path, config: TaskConfig) -> Reading:
    raw = encodings.read_text(path)
    try:
        articles = json.loads(raw)["data"]
        found = list(_questions(articles))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(tr("{path} is not a SQuAD file.", path=path.name), tr("It must be JSON: data, paragraphs, context, qas."),
                        where="train_file") from error
    reading = Reading(available=["context", "question", "answers"], columns={role: role for role in ("context", "question", "answers")})
    place, line = 0, 1
    for context, asked in found:
        at = raw.find(json.dumps(asked.get("id", ""), ensure_ascii=False), place)  # JSON knows no lines: count them up to the question
        if at >= 0:
            line += raw.count("\n", place, at)
            place = at
        example = _example(line, context, asked, reading)
        if example is not None:
            reading.examples.append(example)
    return reading


def _questions(articles: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for article in articles:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                yield segment.clean(paragraph["context"]), asked


def _example(line: int, context: str, asked: dict[str, Any], reading: Reading) -> Example | None:
    question, name = segment.clean(str(asked.get("question") or "")).strip(), asked.get("id", "")
    if not context.strip() or not question:
        reading.skip(line, "empty", tr("question {id}: a text is empty", id=name))
        return None
    given = [] if asked.get("is_impossible") else asked.get("answers") or []
    answers = []
    for answer in given:
        text, start = segment.clean(str(answer.get("text", ""))), answer.get("answer_start")
        if not text:
            reading.note(line, "answer_lost", tr("question {id}: an answer is empty", id=name))
            continue
        if not isinstance(start, int) or start < 0 or context[start:start + len(text)] != text:
            if context.count(text) != 1:
                reading.note(line, "answer_lost", tr("question {id}: '{text}' is not at {start}", id=name, text=text, start=start))
                continue
            reading.note(line, "answer_moved", tr("question {id}: '{text}' is not at {start}", id=name, text=text, start=start))
            start = context.index(text)
        answers.append((text, start))
    if given and not answers:
        reading.skipped += 1
        return None
    if asked.get("is_impossible") and asked.get("answers"):
        reading.note(line, "contradiction", tr("question {id} is called impossible and has answers", id=name))
    if not given and not asked.get("is_impossible"):
        reading.note(line, "no_answer", tr("question {id} has no answer", id=name))
    return Example(line=line, texts=(context, question), label=tuple(answers))


def fits(example: Example) -> bool:
    return len(example.texts) == 2 and isinstance(example.label, tuple) and all(
        isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], int) for item in example.label)


def inspect(train: Reading, dev: Reading, config: TaskConfig) -> Labels:
    """names holds NO_ANSWER where the training questions without an answer teach when to give none."""
    if not any(example.label for example in train.examples):
        raise UserError(tr("The training file has no question with an answer."), tr("Choose another file."), where="train_file")
    return Labels(names=(NO_ANSWER,) if any(not example.label for example in train.examples) else ())


def features(layout: Layout, number: int, example: Example) -> list[Feature]:
    """The question with each window of the passage; all windows of a question are scored together, so that their scores can be compared

    (Clark and Gardner 2018, section 3.3: one softmax over them). A family that reads texts apart has the question's row first.
    """
    context, question = example.texts
    if layout.apart:
        parts = (layout.single(question, 1), *layout.windows(context, 0, layout.stride))
    else:
        parts = tuple(layout.pair_windows(question, context, (1, 0)))
    return [Feature(example=number, parts=parts)]


def target(feature: Feature, example: Example, labels: Labels) -> list[int]:
    """(row, first token, last token) of the first answer, in the row where it stands wholly; (first row, 0, 0) where there is none."""
    rows = [number for number, part in enumerate(feature.parts) if 0 in part.sources]
    if not example.label:
        return [rows[0] if rows else 0, 0, 0]
    text, start = example.label[0]
    for number in rows:
        if place := _tokens(feature.parts[number], start, start + len(text)):
            return [number, *place]
    return IGNORED


def _tokens(part: Part, start: int, end: int) -> tuple[int, int] | None:
    """First and last token of text[start:end]; None where not all of it lies in the row."""
    mine = [index for index, source in enumerate(part.sources) if source == 0]
    inside = [index for index in mine if part.offsets[index][0] < end and part.offsets[index][1] > start]
    if not inside or (inside[0] == mine[0] and part.offsets[mine[0]][0] > start) or (inside[-1] == mine[-1] and part.offsets[mine[-1]][1] < end):
        return None
    return inside[0], inside[-1]


def unreachable(features: Sequence[Feature], example: Example, config: TaskConfig) -> str:
    """An answer may lie across two windows, begin or end inside a token, or be longer than any that is given."""
    why = []
    for text, start in example.label:
        found = [place for feature in features for part in feature.parts if (place := _tokens(part, start, start + len(text)))]
        tokens = min((last - first + 1 for first, last in found), default=0)
        if found and tokens <= config.max_answer:
            return ""
        why.append(tr("'{text}' has {count} tokens, more than max_answer", text=text, count=tokens) if found else
                   tr("'{text}' lies in no window whole", text=text))
    return why[0] if why else ""


def decode(features: Sequence[Feature], outputs: Sequence[np.ndarray], examples: Sequence[Example], labels: Labels,
           config: TaskConfig) -> Predictions:
    """{"answer", "start", "end", "probability", "no_answer": probability, "candidates": [{"text", "start", "end", "probability"}]}.

    outputs: log-probabilities (rows, tokens, 2) of beginning and ending there, over all rows of the question together. An answer begins
    with no white space.
    """
    made = []
    for feature, output in zip(features, outputs, strict=True):
        context = examples[feature.example].texts[0]
        rows = [number for number, part in enumerate(feature.parts) if 0 in part.sources] or [0]
        output = output if config.pretrained else _one_null(output, rows)
        found: dict[tuple[int, int], float] = {}
        for number, part in enumerate(feature.parts):
            mine = [index for index, source in enumerate(part.sources) if source == 0]
            if not mine:
                continue
            first, last = mine[0], mine[-1] + 1
            scores = output[number, first:last, 0][:, None] + output[number, None, first:last, 1]  # (begin, end)
            scores = np.where(np.triu(np.tri(len(scores), k=config.max_answer - 1, dtype=bool)), scores, -np.inf)
            for place in np.argsort(scores, axis=None)[::-1][: 2 * CANDIDATES]:
                begin, end = np.unravel_index(place, scores.shape)
                if np.isfinite(scores[begin, end]):
                    start, stop = part.offsets[first + begin][0], part.offsets[first + end][1]
                    start = stop - len(context[start:stop].lstrip())  # a byte-level token has the space before its word
                    if start < stop:
                        found[start, stop] = max(found.get((start, stop), -np.inf), float(scores[begin, end]))
        best = sorted(found.items(), key=lambda item: -item[1])[:CANDIDATES]
        nothing = float(output[rows[0], 0, 0] + output[rows[0], 0, 1])
        made.append(_prediction(context, best, nothing, NO_ANSWER in labels.names))
    return made


def _one_null(output: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """A head from elsewhere has learnt of each window by itself whether it holds no answer: the least such score of all windows counts (BERT's
    run_squad.py, score_null), here in the place of the first one's, so that all are log-probabilities again."""
    least = output[min(rows, key=lambda row: output[row, 0].sum()), 0]
    made = output.copy()
    made[:, 0] = -np.inf
    made[rows[0], 0] = least
    return made - np.logaddexp.reduce(made.reshape(-1, 2), axis=0)


def _prediction(context: str, best: list[tuple[tuple[int, int], float]], nothing: float, may_be_none: bool) -> dict[str, Any]:
    candidates = [{"text": context[a:b], "start": a, "end": b, "probability": float(np.exp(score))} for (a, b), score in best]
    none = not best or (may_be_none and nothing > best[0][1])
    answer = {"text": "", "start": 0, "end": 0, "probability": float(np.exp(nothing))} if none else candidates[0]
    return {"answer": answer["text"], "start": answer["start"], "end": answer["end"], "probability": answer["probability"],
            "no_answer": float(np.exp(nothing)), "candidates": candidates}


def measure(predictions: Predictions, examples: Sequence[Example], labels: Labels) -> dict[str, float]:
    golds = [[text for text, _ in example.label] for example in examples]
    count = max(1, len(examples))
    return {"exact_match": sum(metrics.exact_match(one["answer"], gold) for one, gold in zip(predictions, golds, strict=True)) / count,
            "f1": sum(metrics.answer_f1(one["answer"], gold) for one, gold in zip(predictions, golds, strict=True)) / count}


def majority(train: Sequence[Example], dev: Sequence[Example]) -> Predictions:
    """The whole first sentence: what can be said without reading the question."""
    made = []
    for example in dev:
        context = example.texts[0]
        ends = [place for mark in "。！？.!?" if (place := context.find(mark)) > 0]
        end = min(ends, default=len(context))
        made.append({"answer": context[:end], "start": 0, "end": end, "probability": 0.0, "no_answer": 0.0, "candidates": []})
    return made


TASK = Task(
    name="span", title="Question answering", about="The piece of a passage that answers a question.", metric="f1",
    columns=("context", "question", "answers"), kinds=(".json",), read=read, fits=fits, inspect=inspect, features=features,
    heads={"": "core.tasks.heads:SpanHead"}, target=target, decode=decode, measure=measure, majority=majority,
    asked=("context", "question"), windows=True, free_parts=True, unreachable=unreachable,
    blind="A left-to-right model must choose an answer's beginning before it has read the rest of the passage.",
)
