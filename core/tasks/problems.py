"""What can be wrong with labelled data, and the rule by which each is handled. Nothing is guessed in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import UserError
from core.i18n import tr
from core.tasks.task import Problem, Reading

MOST_LISTED = 200  # problems of a file that are shown one by one; all are counted


def rule(kind: str) -> str:
    """How a kind of problem is handled, in words."""
    return {
        "empty": tr("A text that is empty: the line is left out."),
        "more_columns": tr("A line with more cells than there are columns: it is left out, for nobody can tell which cell is which."),
        "no_label": tr("No label: the line is left out."),
        "columns": tr("A line that lacks a column: it is left out."),
        "not_json": tr("A line that is not a JSON object: it is left out."),
        "not_a_number": tr("A label that is not a number, where numbers are learnt: the line is left out."),
        "unseen_label": tr("A label that the training data lacks: it can never be predicted, and counts as a mistake."),
        "tag_scheme": tr("A tag that is neither O nor of the form B-, I-, E- or S- and a type: the sentence is left out."),
        "i_without_b": tr("An I- or E- that begins a span: it is read as the span's beginning."),
        "no_tag": tr("A token without a tag: the sentence is left out."),
        "answer_moved": tr("An answer that is not at its offset but stands once in the passage: that place is taken."),
        "answer_lost": tr("An answer that is not at its offset, and not once in the passage: it is left out, and with its last answer the question."),
        "no_answer": tr("A question without an answer: it is learnt that the passage does not hold one."),
        "contradiction": tr("A question that is called impossible and has answers: it is read as impossible."),
        "answer_unreachable": tr("An answer that the model cannot give: nothing is learnt from the question, and it counts as a mistake."),
        "few_choices": tr("Fewer than two choices: the question is left out."),
        "label_range": tr("A label that is none of the choices (counted from 0): the question is left out."),
        "unequal_choices": tr("Questions with different numbers of choices: each is scored among its own."),
        "learnt": tr("An example to measure on that also stands in the file to learn from: it is measured all the same, so the figures flatter."),
        "same_file": tr("One file is given to learn from and to measure on: the figures tell what was learnt by heart, and nothing of new texts."),
        "too_long": tr("A text longer than the model reads: its end is cut off."),
        "windows": tr("A text longer than the model reads: it is read in several windows."),
    }[kind]


def none_usable(name: str, reading: Reading, where: str) -> UserError:
    """What to say of a file that holds no example that can be used."""
    kinds = Counter(problem.kind for problem in reading.problems).most_common(1)
    hint = tr("{count} were left out. {rule}", count=reading.skipped, rule=rule(kinds[0][0])) if kinds else tr("Choose a file with labels.")
    return UserError(tr("{path} holds no example that can be used.", path=name), hint, where=where)


def warnings(counts: Sequence[Mapping[str, Any]], measured: int) -> list[str]:
    """What makes the figures worthless or flattering, in a sentence each. counts: as `counted` has them. measured: examples to measure on."""
    made = []
    for one in counts:
        if one["kind"] == "same_file":
            made.append(one["rule"])
        elif one["kind"] == "learnt":
            lines = ", ".join(map(str, one["lines"])) + (" ..." if one["count"] > len(one["lines"]) else "")
            words = tr("{count:,} of the {measured:,} examples to measure on also stand in the file to learn from (line {lines}): "
                       "the figures flatter.", count=one["count"], measured=measured, lines=lines)
            made.append(words)
    return made


def counted(file: str, problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """[{"file", "kind", "count", "rule", "lines"}], the most frequent first; lines: the first few."""
    counts = Counter(problem.kind for problem in problems)
    return [{"file": file, "kind": kind, "count": count, "rule": rule(kind),
             "lines": [problem.line for problem in problems if problem.kind == kind][:5]} for kind, count in counts.most_common()]


def listed(file: str, problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [{"file": file, "line": one.line, "kind": one.kind, "text": one.text} for one in problems[:MOST_LISTED]]
