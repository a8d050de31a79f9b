"""What a run's answer looks like, as blocks of plain data: bars, marked text, a figure. The panel of a run draws them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.i18n import tr
from gui.views.predict.modes import FILL, LANGUAGE_MODES


@dataclass(frozen=True, kw_only=True)
class Bars:
    """marked: the place of the chosen one, -1: the greatest. note: a sentence beneath."""

    title: str
    titles: list[str]
    values: list[float]
    marked: int = -1
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Marked:
    """spans: (start, end, name) in characters of the text. names: all that the run knows, in their order, for the colours."""

    text: str
    spans: list[tuple[int, int, str]]
    names: list[str] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A number that the run gives to a pair."""

    title: str
    value: float
    note: str = ""


Block = Bars | Marked | Score


def blocks_of(mode: str, answer: Mapping[str, Any], inputs: Mapping[str, str]) -> list[Block]:
    """The blocks of an answer of core.analysis.predict_window. inputs: what was typed."""
    if mode in LANGUAGE_MODES:
        return [_candidates(mode, one, len({other["gap"] for other in answer["lists"]})) for one in answer["lists"]]
    return {"classification": _classes, "pair": _pair, "multiple_choice": _choices, "tagging": _tags,
            "span": _answer}.get(mode, _plain)(answer, inputs)


def _candidates(mode: str, one: Mapping[str, Any], gaps: int) -> Bars:
    sides = {"both": tr("from both sides"), "left": tr("from what stands before"), "right": tr("from what comes after")}
    words = [tr("Gap {number}", number=one["gap"] + 1)] if gaps > 1 else []
    words += [sides[one["side"]]] if mode == FILL else []
    return Bars(title=" · ".join(words), titles=one["tokens"], values=one["probabilities"])


def _classes(answer: Mapping[str, Any], _inputs: Mapping[str, str]) -> list[Block]:
    return [_sorted("", answer["probabilities"])]


def _plain(answer: Mapping[str, Any], _inputs: Mapping[str, str]) -> list[Block]:
    """Of a task that has no picture of its own: a number, or the names with their probabilities."""
    if "value" in answer:
        return [Score(title="", value=answer["value"])]
    return [_sorted("", answer["probabilities"])] if answer.get("probabilities") else []


def _sorted(title: str, probabilities: Mapping[str, float]) -> Bars:
    """The likeliest first."""
    pairs = sorted(probabilities.items(), key=lambda pair: -pair[1])
    return Bars(title=title, titles=[label for label, _ in pairs], values=[value for _, value in pairs])


def _pair(answer: Mapping[str, Any], _inputs: Mapping[str, str]) -> list[Block]:
    """Both orders, one beneath the other: the classes in the same order, so that they can be compared."""
    given, swapped = tr("first, second"), tr("second, first")
    other = answer.get("swapped") or {}
    if "value" in answer:
        scores = [(given, answer["value"])] + ([(swapped, other["value"])] if "value" in other else [])
        return [Score(title=title, value=value) for title, value in scores]
    first = _sorted(given, answer["probabilities"])
    if "probabilities" not in other:
        return [first]
    values = [other["probabilities"].get(label, 0.0) for label in first.titles]
    return [first, Bars(title=swapped, titles=first.titles, values=values)]


def _choices(answer: Mapping[str, Any], _inputs: Mapping[str, str]) -> list[Block]:
    return [Bars(title="", titles=list(answer["inputs"]["choices"]), values=list(answer["probabilities"]), marked=answer["choice"])]


def _tags(answer: Mapping[str, Any], inputs: Mapping[str, str]) -> list[Block]:
    spans = [(one["start"], one["end"], one["type"]) for one in answer["spans"]]
    names = sorted({name for _, _, name in spans} | set(answer.get("types", ())))
    return [Marked(text=inputs["text"], spans=spans, names=names, note="" if spans else tr("It tags nothing in this text."))]


def _answer(answer: Mapping[str, Any], inputs: Mapping[str, str]) -> list[Block]:
    """The passage with the answer, and what else it thought of."""
    found = answer["end"] > answer["start"]
    spans = [(answer["start"], answer["end"], "")] if found else []
    blocks: list[Block] = [Marked(text=inputs["context"], spans=spans, note="" if found else tr("It finds no answer in this passage."))]
    pairs = [(one["text"], one["probability"]) for one in answer.get("candidates", ())]
    if answer.get("no_answer") is not None:
        pairs.append((tr("no answer"), answer["no_answer"]))
    if pairs:
        pairs.sort(key=lambda pair: -pair[1])
        blocks.append(Bars(title=tr("What it weighs"), titles=[text for text, _ in pairs], values=[value for _, value in pairs]))
    return blocks
