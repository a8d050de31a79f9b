"""Documents out of files: txt, jsonl, csv and tsv, in whatever encoding they were written (core.text.encodings). Nothing is read whole."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.config import TextConfig
from core.errors import UserError, system_words
from core.i18n import tr
from core.text import segment
from core.text.encodings import EncodingGuess, encoding_of, undecodable

EXTENSIONS = {".txt": "txt", ".text": "txt", ".md": "txt", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv"}
LONGEST_DOCUMENT = 100_000  # characters; a longer one is cut at the end of a sentence
LONGEST_FIELD = 1 << 26  # characters of one field or line of a table; beyond it a quote was surely never closed
ROWS_LOOKED_AT = 200  # to find the column that holds the text
PLAUSIBLE_LENGTH = 5  # characters that the texts of a column have on average, at least
PLAUSIBLE_VARIETY = 0.5  # share of the rows that differ from each other, at least
_END = "\0end of the table"  # behind the last line of a csv: where it lies inside a cell, the cell was never closed
_LONE_QUOTE = re.compile(r'(?<!")"(?:"")*(?!")')  # not one of the pairs that stand for a mark within a cell
_SENTENCE_END = re.compile(r"[。！？…；!?.\n][”’」』）\"')\]]*")


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The beginning of a file as it would be read. problem: why no documents can be shown, in words; empty where all is well."""

    path: Path
    kind: str
    encoding: EncodingGuess | None
    columns: list[str] = field(default_factory=list)
    column: str = ""
    documents: list[str] = field(default_factory=list)
    problem: str = ""
    hint: str = ""


# which files

def find_files(config: TextConfig) -> list[Path]:
    """The files of config.files, folders searched for known extensions, sorted by path; none twice.

    UserError for a path that is not there, and a folder without a file that we know.
    """
    found: dict[Path, None] = {}
    for name in config.files:
        path = Path(name).expanduser()
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.suffix.lower() in EXTENSIONS and one.is_file()
                            and not any(part.startswith(".") for part in one.relative_to(path).parts))
            if not inside:
                raise UserError(tr("The folder {path} has no text files.", path=path),
                                tr("Known kinds: {kinds}.", kinds=", ".join(sorted(EXTENSIONS))), where="files")
            found.update((one, None) for one in inside)
        elif path.is_file():
            found[path] = None
        else:
            raise UserError(tr("There is no file {path}.", path=path), tr("Check the name, or choose the file again."),
                            where="files")
    return list(found)


def kind_of(path: Path) -> str:
    """ "txt", "jsonl", "csv" or "tsv"; a file with an extension that we do not know is read as txt."""
    return EXTENSIONS.get(Path(path).suffix.lower(), "txt")


# documents

def read_documents(config: TextConfig) -> Iterator[str]:
    """Every document of config.files, in the order of the files; none is empty or longer than LONGEST_DOCUMENT.

    UserError, in one sentence, for a file that is missing, not text, in another encoding, or without its column.
    """
    for path in find_files(config):
        yield from read_file(path, config)


def read_file(path: Path, config: TextConfig, on_bytes: Callable[[int], None] = lambda place: None,
              guess: EncodingGuess | None = None) -> Iterator[str]:
    """The documents of one file. on_bytes is told from time to time how many bytes have been read. guess: of its encoding, if that is known."""
    path = Path(path)
    with _opened(path, guess or encoding_of(path, config)) as file:
        for number, document in enumerate(_documents(file, path, config)):
            if number % 64 == 0:
                on_bytes(file.buffer.tell())
            yield from _bounded(document)


@contextmanager
def _opened(path: Path, guess: EncodingGuess) -> Iterator[Any]:
    """The file as text. UserError for what it meets within: another encoding, what is no table, a system that refuses."""
    try:
        with path.open("r", encoding=guess.codec, newline="" if kind_of(path) == "csv" else None) as file:
            yield file
    except UnicodeError as error:  # UTF-16 without its mark raises the plain kind
        raise undecodable(path, guess) from error
    except csv.Error as error:
        raise UserError(tr("{path} is not a well-formed table: {reason}.", path=path.name, reason=error),
                        tr("Look for a quotation mark that is not closed."), where="files") from error
    except OSError as error:
        raise UserError(tr("{path} cannot be read: {reason}.", path=path, reason=system_words(error)),
                        tr("Check the name and the permissions."), where="files") from error


def _documents(file: Any, path: Path, config: TextConfig) -> Iterator[str]:
    if kind_of(path) == "txt":
        return _lines(file) if config.documents == "line" else _paragraphs(file)
    return _cells(_table(file, path), path, config)


def _lines(file: Any) -> Iterator[str]:
    """Lines; one that is longer than LONGEST_DOCUMENT comes in pieces that end where a sentence does."""
    rest = ""
    while piece := file.readline(LONGEST_DOCUMENT - len(rest)):
        text = rest + piece
        rest = ""
        if not text.endswith("\n") and len(text) >= LONGEST_DOCUMENT:
            cut = _last_sentence_end(text)
            text, rest = text[:cut], text[cut:]
        yield text
    if rest:
        yield rest


def _paragraphs(file: Any) -> Iterator[str]:
    """What stands between blank lines."""
    held: list[str] = []
    size = 0
    for line in _lines(file):
        if line.strip():
            held.append(line)
            size += len(line)
        if held and (not line.strip() or size >= LONGEST_DOCUMENT):
            yield "".join(held)
            held, size = [], 0
    if held:
        yield "".join(held)


def _bounded(document: str) -> Iterator[str]:
    """The document without the space around it, in pieces of at most LONGEST_DOCUMENT characters."""
    while len(document) > LONGEST_DOCUMENT:
        cut = _last_sentence_end(document[:LONGEST_DOCUMENT])
        if piece := document[:cut].strip():
            yield piece
        document = document[cut:]
    if document := document.strip("\x00\ufeff \t\r\n\u3000\xa0"):
        yield document


def _last_sentence_end(text: str) -> int:
    """Where to cut a text that is too long; at its end where no sentence ends in its last tenth."""
    tail = len(text) - len(text) // 10
    ends = [match.end() for match in _SENTENCE_END.finditer(text, tail)]
    return ends[-1] if ends else len(text)


# tables

def _table(file: Any, path: Path) -> Iterator[dict[str, Any]]:
    return _records(file, path) if kind_of(path) == "jsonl" else _rows(file, path)


def _rows(file: Any, path: Path) -> Iterator[dict[str, str]]:
    """The rows of a csv or tsv below its first one, which names the columns."""
    csv.field_size_limit(LONGEST_FIELD)
    lines = iter(lambda: file.readline(LONGEST_FIELD), "")
    if kind_of(path) == "tsv":  # quotes are plain characters there: news headlines are full of them
        delimiter = "\t"
        rows: Iterator[list[str]] = csv.reader((line.replace("\r", " ") for line in lines), delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        first = next(lines, "")
        delimiter = _delimiter(first)
        rows = (row for _, row in quoted_rows(itertools.chain((first,), lines), delimiter, path))
    names = [name.strip().lstrip("\ufeff") for name in next(rows, [])]
    if not any(names):
        raise _empty(path)
    names = [name or tr("column {number}", number=number) for number, name in enumerate(names, start=1)]
    last = len(names) - 1
    for row in rows:
        if len(row) > len(names):  # delimiters in the last column that nobody has quoted
            row[last:] = [delimiter.join(row[last:])]
        if row:
            yield dict(zip(names, row, strict=False))


def quoted_rows(lines: Iterable[str], delimiter: str, path: Path, where: str = "files") -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row of a csv. UserError for a quotation mark that is never closed: all that follows would be one cell; and for
    one that only the opening mark of a later row closes: the rows between would be."""
    held: list[str] = []  # the lines of the row that is being read
    reader = csv.reader(_noted(itertools.chain(lines, ["\n", _END]), held), delimiter=delimiter)
    line, columns = 1, 0
    for row in reader:
        if row and _END in row[-1]:
            if row == [_END]:
                return
            raise UserError(tr("{path}, line {number}: a quotation mark is never closed.", path=path.name, number=line),
                            tr("Close it; all that follows would be one cell."), where=where)
        if len(held) > 1 and _begins_a_row(held[-1], delimiter, columns):
            raise UserError(tr("{path}, line {number}: a quotation mark is not closed before that of line {other}, which begins another row.",
                               path=path.name, number=line, other=reader.line_num), tr("Close it; the rows between would be one cell."), where=where)
        yield line, row
        held.clear()
        line, columns = reader.line_num + 1, columns or len(row)


def _noted(lines: Iterable[str], held: list[str]) -> Iterator[str]:
    for line in lines:
        held.append(line)
        yield line


def _begins_a_row(line: str, delimiter: str, columns: int) -> bool:
    """Whether the mark that closes a cell of several lines, in its last line, rather opens one: it stands where a cell begins, text follows,
    and the line alone is a whole row. A writer of tables doubles the marks within a cell, so that such a line is not his."""
    closing = _LONE_QUOTE.search(line)
    if closing is None:
        return False
    before, after = line[: closing.start()], line[closing.end() :].rstrip("\r\n")
    opens = (not before or before.endswith(delimiter)) and after and not after.startswith(delimiter)
    return bool(opens) and len(next(csv.reader([line], delimiter=delimiter))) >= columns


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count) if header.count(",") == 0 else ","


def _records(file: Any, path: Path) -> Iterator[dict[str, Any]]:
    number = 0
    while line := file.readline(LONGEST_FIELD):
        number += 1
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(tr("{path}, line {number} is not JSON.", path=path.name, number=number),
                            tr("Each line must be one JSON object: {\"text\": ...}."), where="files") from error
        yield record if isinstance(record, dict) else {"text": record}


def _cells(rows: Iterator[dict[str, Any]], path: Path, config: TextConfig) -> Iterator[str]:
    """The text of the chosen columns, each cell a document."""
    first = list(itertools.islice(rows, ROWS_LOOKED_AT))
    chosen = _choose(path, first, config.columns)
    for row in first:
        yield from (_text(row.get(name)) for name in chosen)
    for row in rows:
        yield from (_text(row.get(name)) for name in chosen)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(segment.clean(item) for item in value if isinstance(item, str))
    return segment.clean(value) if isinstance(value, str) else ""  # JSON may hold half surrogates


def _choose(path: Path, rows: Sequence[dict[str, Any]], wanted: Sequence[str]) -> list[str]:
    """The columns to read: those of `wanted` that are there, else the only one that can be text; UserError where that fails."""
    names = _names(rows)
    if not rows:
        raise _empty(path)
    if wanted:
        if found := [name for name in wanted if name in names]:
            return found
        raise UserError(tr("{path} has no column {names}.", path=path.name, names=", ".join(wanted)),
                        tr("It has: {names}.", names=", ".join(names)), where="columns")
    plausible = [name for name in names if _plausible([_text(row.get(name)) for row in rows])] if len(names) > 1 else names
    if len(plausible) == 1:
        return plausible
    raise UserError(tr("Which column of {path} is the text?", path=path.name),
                    tr("Choose one of: {names}.", names=", ".join(plausible or names)), where="columns")


def _plausible(values: Sequence[str]) -> bool:
    """Whether a column looks like running text: not numbers, not a few words again and again."""
    filled = [value.strip() for value in values if value.strip()]
    if not filled:
        return False
    letters = sum(sum(character.isalpha() for character in value) for value in filled)
    long_enough = sum(map(len, filled)) / len(filled) >= PLAUSIBLE_LENGTH
    varied = len(set(filled)) > PLAUSIBLE_VARIETY * len(filled) or len(filled) < 3
    return letters * 2 > sum(map(len, filled)) and long_enough and varied


def _empty(path: Path) -> UserError:
    return UserError(tr("{path} holds no text.", path=path.name), tr("Choose another file."), where="files")


def _first_rows(path: Path, guess: EncodingGuess) -> list[dict[str, Any]]:
    """Those of a table, or the records of a jsonl file, that are looked at; none of a txt. UserError where it cannot be read."""
    if kind_of(path) == "txt":
        return []
    with _opened(path, guess) as file:
        return list(itertools.islice(_table(file, path), ROWS_LOOKED_AT))


def _names(rows: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def preview(path: Path, config: TextConfig, lines: int = 20) -> Preview:
    """The first `lines` documents of one file. What a person can mend does not raise but stands in `problem` and `hint`."""
    path = Path(path)
    made = Preview(path=path, kind=kind_of(path), encoding=None)
    try:
        guess = encoding_of(path, config)
        made = replace(made, encoding=guess)
        rows = _first_rows(path, guess)
        made = replace(made, columns=_names(rows))
        if made.columns:
            made = replace(made, column=", ".join(_choose(path, rows, config.columns)))
        documents = list(itertools.islice(read_file(path, config, guess=guess), lines))
        if not documents:
            raise _empty(path)
        return replace(made, documents=documents)
    except UserError as error:
        return replace(made, problem=error.message, hint=error.hint)
