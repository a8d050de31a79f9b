"""Rows of labelled data out of csv, tsv and jsonl files, each with the number of its line; which column plays which role."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.config import TextConfig
from core.errors import UserError
from core.i18n import tr
from core.tasks.task import Reading
from core.text import encodings, readers, segment

# Names that people give to such columns, the likeliest first; compared in small letters
NAMES = {
    "text": ("text", "review", "sentence", "content", "title", "headline", "句子", "文本", "内容", "评论"),
    "text_a": ("text_a", "sentence1", "text1", "sentence_a", "premise", "question1", "query1", "a"),
    "text_b": ("text_b", "sentence2", "text2", "sentence_b", "hypothesis", "question2", "query2", "b"),
    "label": ("label", "labels", "score", "class", "category", "cat", "sentiment", "gold_label", "similarity", "标签", "类别", "分数"),
    "context": ("context", "passage", "article", "dialogue"),
    "question": ("question", "query"),
    "choices": ("choices", "options", "choice"),
}


def rows(path: Path, reading: Reading) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, row) of a table or a jsonl file. A jsonl line that is no object is noted in `reading` and left out."""
    guess = encodings.encoding_of(path, TextConfig())
    try:
        with path.open("r", encoding=guess.codec, newline="") as file:
            yield from _records(file, reading) if readers.kind_of(path) == "jsonl" else _table(file, path, reading)
    except UnicodeError as error:
        raise UserError(tr("{path} is not {encoding}.", path=path.name, encoding=guess.name), tr("Save it as UTF-8."), where="train_file") from error
    except csv.Error as error:
        raise UserError(tr("{path} is not a well-formed table: {reason}.", path=path.name, reason=error),
                        tr("Look for a quotation mark that is not closed."), where="train_file") from error


def _table(file: Any, path: Path, reading: Reading) -> Iterator[tuple[int, dict[str, Any]]]:
    """UserError for two columns of one name, and for a quotation mark that is never closed: all that follows would be one cell."""
    csv.field_size_limit(readers.LONGEST_FIELD)
    if readers.kind_of(path) == "tsv":  # quotes are plain characters there, so that a line is a row
        cells: Iterator[tuple[int, list[str]]] = enumerate(
            csv.reader((line.rstrip("\r\n") for line in file), delimiter="\t", quoting=csv.QUOTE_NONE), start=1)
    else:
        head = file.readline()
        delimiter = "," if "," in head else max(";\t", key=head.count)
        file.seek(0)
        cells = readers.quoted_rows(file, delimiter, path, where="train_file")
    names = [name.strip().lstrip("\ufeff") for name in next(cells, (0, []))[1]]
    if twice := [name for name, count in Counter(names).items() if name and count > 1]:
        raise UserError(tr("{path} has two columns named {names}.", path=path.name, names=twice[0]), tr("Rename one of them in the file."),
                        where="train_file")
    for line, row in cells:
        if any(cell.strip() for cell in row[len(names):]):
            reading.skip(line, "more_columns", tr("{count} cells, where there are {columns} columns", count=len(row), columns=len(names)))
        elif any(cell.strip() for cell in row):
            yield line, dict(zip(names, row, strict=False))


def _records(file: Any, reading: Reading) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            yield number, record
        else:
            reading.skip(number, "not_json", tr("not a JSON object"))


def require_file(path: str, kinds: Sequence[str], where: str) -> Path:
    """UserError where there is no such file, or one of another kind."""
    found = Path(path).expanduser()
    if not path or not found.is_file():
        raise UserError(tr("There is no file {path}.", path=path or "''"), tr("Check the name, or choose the file again."), where=where)
    if found.suffix.lower() not in kinds:
        raise UserError(tr("{path} is not of a kind that this task reads.", path=found.name),
                        tr("Known kinds: {kinds}.", kinds=", ".join(kinds)), where=where)
    return found


def columns(path: Path, first: Sequence[dict[str, Any]], roles: Sequence[str], wanted: dict[str, str]) -> dict[str, str]:
    """role -> column: the one named in `wanted`, else one with a usual name, else, where one role and one column are left, that one.

    UserError that names the columns where one cannot be told.
    """
    names = list(dict.fromkeys(name for row in first for name in row))
    if not names:
        raise UserError(tr("{path} has no rows.", path=path.name), tr("Choose another file."), where="train_file")
    chosen: dict[str, str] = {}
    for role in roles:
        if given := wanted.get(role):
            if given not in names:
                raise UserError(tr("{path} has no column {names}.", path=path.name, names=given), tr("It has: {names}.", names=", ".join(names)),
                                where=FIELDS.get(role, "column_text"))
            chosen[role] = given
    small = {name.lower(): name for name in reversed(names)}
    for role in roles:
        usual = [small[name] for name in NAMES[role] if name in small and small[name] not in chosen.values()]
        if role not in chosen and usual:
            chosen[role] = usual[0]
    missing = [role for role in roles if role not in chosen]
    left = [name for name in names if name not in chosen.values()]
    if len(missing) == 1 and len(left) == 1:
        chosen[missing[0]] = left[0]
    elif missing:
        raise UserError(tr("Which column of {path} is '{role}'?", path=path.name, role=missing[0]),
                        tr("Choose one of: {names}.", names=", ".join(names)), where=FIELDS.get(missing[0], "column_text"))
    return chosen


FIELDS = {"text": "column_text", "text_a": "column_text", "text_b": "column_text_b", "label": "column_label"}


def text(value: Any) -> str:
    """A cell as the text that the tokenizer reads: a list of lines becomes one text, anything else but text is empty."""
    if isinstance(value, list):
        return "\n".join(segment.clean(str(item)) for item in value).strip()
    return segment.clean(value).strip() if isinstance(value, str) else "" if value is None else str(value)


def label_name(value: Any) -> str:
    """1, 1.0 and "1 " have one name, and so have the true of jsonl and the True of a csv that Python has written."""
    name = "" if value is None else str(value).strip()
    whole, point, rest = name.partition(".")
    return whole if point and not rest.strip("0") and whole.lstrip("-").isdecimal() else name


def read_table(path: Path, roles: Sequence[str], wanted: dict[str, str], reading: Reading) -> list[tuple[int, dict[str, Any]]]:
    """All rows of a file as (line, {role: value}); a row that lacks a role is noted and left out."""
    found = list(rows(path, reading))
    reading.available = list(dict.fromkeys(name for _, row in found[:readers.ROWS_LOOKED_AT] for name in row))
    reading.columns = columns(path, [row for _, row in found[:readers.ROWS_LOOKED_AT]], roles, wanted)
    made = []
    for line, row in found:
        lacking = [column for column in reading.columns.values() if column not in row]
        if lacking:
            reading.skip(line, "columns", tr("no column {names}", names=", ".join(lacking)))
        else:
            made.append((line, {role: row[column] for role, column in reading.columns.items()}))
    return made
