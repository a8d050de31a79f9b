"""The files in which word2vec keeps its vectors, text and binary, block by block; and NumPy's, with the words beside them.

Source of the formats: https://code.google.com/archive/p/word2vec (distance.c, word2vec.c). Nothing is unpickled, and no file is
believed about its size.
"""

from __future__ import annotations

import mmap
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from core.errors import UserError
from core.i18n import tr
from core.whole import replacing

LONGEST_VECTOR = 65_536
LONGEST_WORD = 4_096  # bytes
BLOCK = 4_096  # rows that are converted at once
LINES = 1_024  # of text that are read at once
COUNTS = re.compile(rb"[ \t]{0,9}(\d{1,12})[ \t]{1,9}(\d{1,12})[ \t\r]{0,9}\n")  # a file's first line: how many vectors, of how many numbers

OnProgress = Callable[[int, int], None]  # bytes read, bytes in all
Blocks = Iterator[tuple[list[str], np.ndarray]]  # words, (rows, size)
OFFICE, TEXTS = (".docx", ".xlsx", ".pptx", ".odt", ".ods"), (".txt", ".csv", ".tsv", ".jsonl")


def is_binary(head: bytes, size: int) -> bool:
    """Whether what follows the first line is no line of text with `size` numbers."""
    second = head.partition(b"\n")[2].partition(b"\n")[0].split()
    try:
        return len(second) < min(size, 8) + 1 or not all(np.isfinite(float(part)) for part in second[-min(size, 8) : -1])
    except ValueError:
        return True


def read_text(path: Path, counted: bool, on_progress: OnProgress) -> Blocks:
    """A word and its numbers a line. counted: the first line is "count size"."""
    total, done, line_number = path.stat().st_size, 0, 0
    size = promised = 0
    rows = 0
    with path.open("rb") as file:
        if counted:
            head = file.readline(1000)
            promised, size = map(int, COUNTS.match(head).groups())
            done, line_number = len(head), 1
            if not 0 < size <= LONGEST_VECTOR:
                raise damaged(path, tr("its vectors have {size} numbers", size=size))
        longest = 64 * (size or LONGEST_VECTOR) + LONGEST_WORD
        while lines := lines_of(file, longest, path):
            if not size:
                size = len(lines[0].split()) - 1
                if not 0 < size <= LONGEST_VECTOR:
                    raise damaged(path, tr("its first line is no word with its numbers"))
            words, block = _parse(lines, size, line_number, path)
            done += sum(map(len, lines)) + len(lines)
            line_number += len(lines)
            rows += len(words)
            on_progress(min(done, total), total)
            yield words, block
    if counted and rows != promised:
        raise damaged(path, tr("it promises {promised} vectors and holds {count}", promised=promised, count=rows))


def lines_of(file: BinaryIO, longest: int, path: Path) -> list[bytes]:
    """The next lines that are not empty, without their ends. UserError for one that is far too long."""
    made: list[bytes] = []
    while len(made) < LINES and (line := file.readline(longest + 1)):
        if len(line) > longest:
            raise damaged(path, tr("it has a line of more than {count} bytes", count=longest))
        if line := line.rstrip(b"\r\n \t"):
            made.append(line)
    return made


def _parse(lines: list[bytes], size: int, line_number: int, path: Path) -> tuple[list[str], np.ndarray]:
    parts = [line.partition(b" " if b" " in line else b"\t") for line in lines]
    numbers = numbers_of(b" ".join(part[2] for part in parts))
    # a word may hold spaces (GloVe has some): then the numbers are the last fields of the line
    if numbers is None or len(numbers) != size * len(lines) or any(part[2].count(b" ") < size - 1 and b"\t" not in part[2] for part in parts):
        split = [line.rsplit(None, size) for line in lines]
        numbers = None
        for place, fields in enumerate(split, start=line_number + 1):
            one = numbers_of(b" ".join(fields[1:])) if len(fields) == size + 1 else None
            if one is None or len(one) != size:
                raise damaged(path, tr("line {line} is not a word with {size} numbers", line=place, size=size))
        parts = [(fields[0], b"", b" ".join(fields[1:])) for fields in split]
        numbers = numbers_of(b" ".join(part[2] for part in parts))
    words = [part[0].decode("utf-8", "replace") for part in parts]
    return words, numbers.reshape(len(lines), size)


def numbers_of(text: bytes) -> np.ndarray | None:
    """Numbers between white space, float32; None where something is no number."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.fromstring(text, np.float32, sep=" ")
        except (DeprecationWarning, ValueError):
            return None


def read_binary(path: Path, on_progress: OnProgress) -> Blocks:
    """"count size\\n", then for each word: its bytes, a space, size float32 (little endian); some writers add a newline."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        head = COUNTS.match(data)
        count, size, end = int(head[1]), int(head[2]), head.end() - 1
        width = 4 * size
        if not 0 < size <= LONGEST_VECTOR or count * (width + 2) > len(data):
            raise damaged(path, tr("it promises {promised} vectors of {size} numbers and is too short for them", promised=count, size=size))
        place, left = end + 1, count
        while left:
            words, pieces = [], []
            for _ in range(min(left, BLOCK)):
                space = data.find(b" ", place, place + LONGEST_WORD)
                if space < 0 or space + 1 + width > len(data):
                    raise damaged(path, tr("it ends after {count} of {promised} vectors", count=count - left + len(words), promised=count))
                words.append(data[place:space].lstrip(b"\n").decode("utf-8", "replace"))
                place = space + 1 + width
                pieces.append(data[space + 1 : place])
            left -= len(words)
            on_progress(place, len(data))
            yield words, np.frombuffer(b"".join(pieces), "<f4").reshape(len(words), size)


def refuse_pickle(path: Path) -> None:
    """UserError for a file that Python would have to unpickle: that can run anything. And for a document of an office program: also an archive."""
    with path.open("rb") as file:
        head = file.read(4)
    if head[:2] == b"PK" and path.suffix.lower() in OFFICE:
        raise UserError(tr("{path} is neither a model nor word vectors.", path=path.name),
                        tr("If it is text to learn from, save it as txt or csv and choose that under Text."))
    if head[:2] == b"PK" or (head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05"):
        raise UserError(tr("{path} is a pickle of PyTorch or Python: opening one can run any program, so it is never opened.", path=path.name),
                        tr("Where you trust it, convert it with the program that wrote it: a model to model.safetensors, "
                           "vectors to word2vec's text format."))


def damaged(path: Path, reason: str) -> UserError:
    return UserError(tr("{path} cannot be read as word vectors: {reason}.", path=path.name, reason=reason),
                     tr("Choose another file. If it is text to learn from, choose it under Text.") if path.suffix.lower() in TEXTS else
                     tr("Choose another file."))



# writing

def save_text(path: Path, words: Sequence[str], array: np.ndarray) -> None:
    """word2vec's text format; each number with as many digits as tell it from its neighbours. Spaces in words become _."""
    with replacing(path) as file:
        file.write(f"{len(words)} {array.shape[1]}\n".encode())
        for word, vector in zip(words, array, strict=True):
            file.write(f"{_without_space(word)} {' '.join(map(str, np.asarray(vector, np.float32)))}\n".encode("utf-8", "replace"))


def save_binary(path: Path, words: Sequence[str], array: np.ndarray) -> None:
    """word2vec's binary format, as word2vec.c and gensim write it."""
    with replacing(path) as file:
        file.write(f"{len(words)} {array.shape[1]}\n".encode())
        for word, vector in zip(words, array, strict=True):
            file.write(_without_space(word).encode("utf-8", "replace") + b" " + np.asarray(vector, "<f4").tobytes() + b"\n")


def save_npy(path: Path, words: Sequence[str], array: np.ndarray) -> None:
    """x.npy, and x.txt with its words, one a line."""
    with replacing(path.with_suffix(".txt")) as file:
        file.write("".join(word.replace("\n", " ") + "\n" for word in words).encode("utf-8", "replace"))
    with replacing(path) as file:
        np.save(file, np.asarray(array, np.float32), allow_pickle=False)


def _without_space(word: str) -> str:
    return "_".join(word.split()) or "_"


