"""The Embedding Projector's two tables, https://projector.tensorflow.org: vectors.tsv, and metadata.tsv with the words.

Vectors: numbers between tabs, a row a line, no heading. Metadata: a word a line; of several columns the first line is their heading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.exchange.vectors.files import LONGEST_VECTOR, Blocks, OnProgress, damaged, lines_of, numbers_of
from core.i18n import tr
from core.whole import replacing

LARGEST_METADATA = 1 << 30  # bytes
WORD_HEADINGS = ("word", "label", "token", "name")


def save(folder: Path, words: Sequence[str], array: np.ndarray, columns: Mapping[str, Sequence[str]] | None = None) -> None:
    """folder/vectors.tsv and folder/metadata.tsv. columns: more about each word, by heading."""
    with replacing(folder / "metadata.tsv") as file:
        if columns:
            file.write(_line(["word", *columns]))
            for row in zip(words, *columns.values(), strict=True):
                file.write(_line(row))
        else:
            for word in words:
                file.write(_line([word]))
    with replacing(folder / "vectors.tsv") as file:
        for vector in array:
            file.write(("\t".join(map(str, np.asarray(vector, np.float32))) + "\n").encode())


def _line(cells: Sequence[str]) -> bytes:
    return ("\t".join(" ".join(str(cell).split()) or "_" for cell in cells) + "\n").encode("utf-8", "replace")


def read_tables(path: Path, metadata: Path, columns: dict[str, list[str]], on_progress: OnProgress) -> Blocks:
    """(words, (rows, size)) block by block; fills `columns`. See core/exchange/vectors/opened.py."""
    words = read_metadata(metadata, columns)
    total, done, rows, size = path.stat().st_size, 0, 0, 0
    with path.open("rb") as file:
        while lines := lines_of(file, 64 * (size or LONGEST_VECTOR), path):
            size = size or lines[0].count(b"\t") + 1
            numbers = numbers_of(b" ".join(lines))
            if numbers is None or len(numbers) != size * len(lines) or any(line.count(b"\t") != size - 1 for line in lines):
                bad = next((place for place, line in enumerate(lines) if (one := numbers_of(line)) is None or len(one) != size), 0)
                raise damaged(path, tr("line {line} is not a row of {size} numbers", line=rows + bad + 1, size=size))
            done += sum(map(len, lines)) + len(lines)
            on_progress(min(done, total), total)
            yield words[rows : rows + len(lines)], numbers.reshape(len(lines), size)
            rows += len(lines)
            if rows > len(words):
                break
    if rows != len(words):
        raise damaged(path, tr("it has {words} words and {vectors} vectors", words=len(words), vectors=rows))


def read_metadata(path: Path, columns: dict[str, list[str]]) -> list[str]:
    """The words; other columns are put into `columns`. UserError if it is far too large."""
    if path.stat().st_size > LARGEST_METADATA:
        raise damaged(path, tr("it is larger than {size} MB", size=LARGEST_METADATA >> 20))
    lines = path.read_bytes().decode("utf-8", "replace").removesuffix("\n").split("\n")
    rows = [line.removesuffix("\r").split("\t") for line in lines]
    if len(rows[0]) == 1:
        return [row[0] for row in rows]
    heading, rows = rows[0], rows[1:]
    for row in rows:
        row += [""] * (len(heading) - len(row))
    mine = next((place for place, name in enumerate(heading) if name.strip().lower() in WORD_HEADINGS), 0)
    columns.update({name: [row[place] for row in rows] for place, name in enumerate(heading) if place != mine})
    return [row[mine] for row in rows]
