"""Labelled sentences that hold a word with several senses: what the senses are measured on."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.i18n import tr
from core.text import encodings, segment
from core.whole import whole_file

COLUMNS = ("word", "sense", "text", "hard")
REQUIRED = COLUMNS[:3]
_TRUE = {"1", "true", "yes"}
_FALSE = {"", "0", "false", "no"}
PLACES = FIRST, MIDDLE, LAST = "first", "middle", "last"
LONGEST_SHOWN = 40  # characters of what is wrong


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """A sentence that holds `word` in the sense `sense`. hard: vocabulary of the other sense stands nearby."""

    word: str
    sense: str
    text: str
    hard: bool = False

    @property
    def span(self) -> tuple[int, int]:
        """(start, end) of the word's first occurrence in the text. UserError if it is not there."""
        found = find_word(self.text, self.word)
        if found is None:
            raise UserError(tr("The word '{word}' is not in the sentence '{sentence}'.", word=self.word, sentence=self.text),
                            tr("Write the sentence with the word in it."), where="text")
        return found

    @property
    def place(self) -> str:
        """FIRST where no letter stands before the word, LAST where none stands after it, else MIDDLE."""
        start, end = self.span
        before, after = (any(map(str.isalnum, part)) for part in (self.text[:start], self.text[end:]))
        return FIRST if not before else LAST if not after else MIDDLE


def find_word(text: str, word: str) -> tuple[int, int] | None:
    """Where `word` first stands in `text`: anywhere in Chinese, as a whole word in any case in English. None if nowhere."""
    match = re.search(segment.word_pattern(word), text, re.IGNORECASE) if word.strip() else None
    return match.span() if match else None


def read_specimens(path: Path, *, maybe_none: bool = False) -> list[Specimen]:
    """Read a tsv with the columns word, sense, text and perhaps hard (0 or 1). UserError names the line at fault.

    maybe_none: a file without a sentence is no error.
    """
    path = Path(path)
    made = []
    rows = table_rows(path)
    header = [name.strip().lower() for name in next(rows, [])]
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise UserError(tr("{path} has no column {names}.", path=path.name, names=", ".join(missing)),
                        tr("The first line must name the columns: word, sense, text and perhaps hard, with tabs between."))
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) < len(header) - ("hard" in header) or len(row) > len(header):
            raise UserError(tr("{path}, line {number}: {found} columns instead of {wanted}.", path=path.name, number=number,
                               found=len(row), wanted=len(header)), tr("Put one tab between two columns."))
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=False)}
        made.append(_specimen(cells, tr("{path}, line {number}", path=path.name, number=number)))
    if not made and not maybe_none:
        raise UserError(tr("{path} has no specimens.", path=path.name), tr("Add labelled sentences, one a line."))
    return made


def table_rows(path: Path) -> Iterator[list[str]]:
    """The cells of each line of a tsv. UserError where it is none."""
    try:
        yield from csv.reader(io.StringIO(encodings.read_text(path)), delimiter="\t", quoting=csv.QUOTE_NONE)
    except csv.Error as error:
        raise UserError(tr("{path} is not a table with tabs between its columns.", path=path.name), tr("Save it as tsv.")) from error


def _specimen(cells: dict[str, str], place: str) -> Specimen:
    empty = [name for name in REQUIRED if not cells.get(name)]
    if empty:
        raise UserError(tr("{place}: {names} is empty.", place=place, names=", ".join(empty)),
                        tr("Fill it in, or remove the line."))
    hard = cells.get("hard", "").lower()
    if hard not in _TRUE | _FALSE:
        raise UserError(tr("{place}: hard is '{value}'.", place=place, value=hard[:LONGEST_SHOWN]), tr("Write 0 or 1."))
    if find_word(cells["text"], cells["word"]) is None:
        raise UserError(tr("{place}: the word '{word}' is not in its sentence.", place=place, word=cells["word"][:LONGEST_SHOWN]),
                        tr("Correct the sentence or the word."))
    return Specimen(word=cells["word"], sense=cells["sense"], text=cells["text"], hard=hard in _TRUE)


def write_specimens(path: Path, specimens: Iterable[Specimen]) -> None:
    """Write what `read_specimens` reads, as a whole or not at all. Tabs and newlines in a text become spaces."""
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join((*(re.sub(r"\s+", " ", cell).strip() for cell in (one.word, one.sense, one.text)), str(int(one.hard))))
              for one in specimens]
    with whole_file(path) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
