"""The measures of the second stage, in numpy: accuracy, F1, confusion, correlations, spans of tags, answers of SQuAD."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

Span = tuple[str, int, int]  # type, first unit, last unit


def accuracy(gold: Sequence[Any], predicted: Sequence[Any]) -> float:
    """The share that agree; 0 of none."""
    return sum(a == b for a, b in zip(gold, predicted, strict=True)) / len(gold) if gold else 0.0


def confusion(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """int64 (labels, labels): how often a gold label (row) was predicted as another (column)."""
    place = {label: index for index, label in enumerate(labels)}
    table = np.zeros((len(labels), len(labels)), np.int64)
    for one, other in zip(gold, predicted, strict=True):
        table[place[one], place[other]] += 1
    return table


def _f1(right: int, predicted: int, gold: int) -> dict[str, float]:
    precision, recall = right / predicted if predicted else 0.0, right / gold if gold else 0.0
    both = precision + recall
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / both if both else 0.0, "support": gold}


def per_class(gold: Sequence[str], predicted: Sequence[str]) -> list[dict[str, Any]]:
    """For each label that occurs: {"label", "precision", "recall", "f1", "support"}; 0 where nothing was predicted."""
    right = Counter(a for a, b in zip(gold, predicted, strict=True) if a == b)
    said, true = Counter(predicted), Counter(gold)
    return [{"label": label, **_f1(right[label], said[label], true[label])} for label in sorted(set(said) | set(true))]


def macro_f1(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """The plain mean of the F1 of all labels that occur in either, as scikit-learn has it."""
    rows = per_class(gold, predicted)
    return sum(row["f1"] for row in rows) / len(rows) if rows else 0.0


def pearson(x: Sequence[float], y: Sequence[float]) -> float:
    """Pearson's correlation; 0 where one of them does not vary."""
    a, b = np.asarray(x, float), np.asarray(y, float)
    if not (a.size and np.ptp(a) and np.ptp(b)):  # less its mean, which is rounded, a constant seems to vary
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 0 else 0.0


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Pearson's correlation of the ranks; equal values share the mean of their ranks."""
    return pearson(_ranks(x), _ranks(y))


def _ranks(values: Sequence[float]) -> np.ndarray:
    _, where, counts = np.unique(np.asarray(values, float), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[where]


# spans of tags

def tag_spans(tags: Sequence[str]) -> list[Span]:
    """The spans that BIO or BIOES tags mark, counted as conlleval and seqeval (its default mode) count them.

    A span begins at B- and S-, and at an I- or E- that has no span of its type to go on with; it ends with E- or S-, before a
    beginning, and before O.
    """
    spans: list[Span] = []
    before, kind, begin = "O", "", 0
    for place, tag in enumerate([*tags, "O"]):
        mark, _, type_ = tag.partition("-")
        starts = mark in ("B", "S") or (mark != "O" and (before in ("O", "E", "S") or type_ != kind))
        if before != "O" and (mark == "O" or starts):
            spans.append((kind, begin, place - 1))
        if starts:
            begin = place
        before, kind = mark, type_
    return spans


def span_f1(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Micro-averaged {"precision", "recall", "f1"} over the spans of all sentences, and the same for each type with "label", "support"."""
    right, said, true = Counter(), Counter(), Counter()
    for one, other in zip(gold, predicted, strict=True):
        a, b = set(tag_spans(one)), set(tag_spans(other))
        true.update(span[0] for span in a)
        said.update(span[0] for span in b)
        right.update(span[0] for span in a & b)
    micro = _f1(right.total(), said.total(), true.total())
    micro.pop("support")
    return micro, [{"label": kind, **_f1(right[kind], said[kind], true[kind])} for kind in sorted(set(said) | set(true))]


# answers

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def answer_tokens(text: str) -> list[str]:
    """An answer as SQuAD compares it (Rajpurkar et al. 2016): small letters, no punctuation, no articles; words between spaces.

    A Chinese (or Japanese) character is a word of its own, and its text's wide punctuation goes, too, as in MLQA (Lewis et al. 2020).
    (CMRC 2018 splits alike, but its F1 counts the longest common piece; here it counts common words, as in SQuAD.)
    """
    text = text.lower()
    wide = _CJK.search(text) is not None
    text = "".join(c for c in text if c not in string.punctuation and not (wide and unicodedata.category(c).startswith("P")))
    return _CJK.sub(r" \g<0> ", _ARTICLES.sub(" ", text)).split()


def exact_match(predicted: str, answers: Sequence[str]) -> float:
    """1 if the prediction equals one of the answers; no answers means that "" is right."""
    return float(any(answer_tokens(predicted) == answer_tokens(answer) for answer in answers or ("",)))


def answer_f1(predicted: str, answers: Sequence[str]) -> float:
    """The best F1 of common words with one of the answers; where either is empty, 1 if both are (Rajpurkar et al. 2018)."""
    return max(_common_words(answer_tokens(predicted), answer_tokens(answer)) for answer in answers or ("",))


def _common_words(predicted: list[str], answer: list[str]) -> float:
    if not predicted or not answer:
        return float(predicted == answer)
    return _f1((Counter(predicted) & Counter(answer)).total(), len(predicted), len(answer))["f1"]
