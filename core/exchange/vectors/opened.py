"""Word vectors of any origin, opened for looking at and searching (core/analysis/maps.py).

Read: word2vec's text (also GloVe's, which lacks the first line) and binary files, TensorFlow's Embedding Projector, .npy with its
words beside it, .npz. A file that is not an array already is converted once, into the cache; from then on it is mapped into
memory and never read as a whole.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from core.arrays import map_npy, read_npz
from core.errors import UserError, system_words
from core.exchange.vectors.files import (
    BLOCK,
    COUNTS,
    LONGEST_VECTOR,
    LONGEST_WORD,
    Blocks,
    OnProgress,
    damaged,
    is_binary,
    read_binary,
    read_text,
    refuse_pickle,
)
from core.i18n import tr
from core.runs import home
from core.whole import put_in_place, remove_abandoned

FORMAT = 1  # of the cache
KEPT = 8  # converted files in the cache
# where the words of a .npy may stand beside it, and those of a table of the Projector
LABELS = {".npy": ("{stem}.txt", "{stem}_words.txt", "words.txt", "labels.txt", "{stem}.tsv", "metadata.tsv"),
          ".tsv": ("{stem}_metadata.tsv", "{stem}.metadata.tsv", "metadata.tsv")}


class Vectors:
    """words: (count). array: (count, size) float32, read-only, on the disk. columns: further words about each, by their heading."""

    def __init__(self, words: Sequence[str], array: np.ndarray, path: Path, columns: dict[str, list[str]] | None = None) -> None:
        self.words, self.array, self.path, self.columns = words, array, path, columns or {}

    def __len__(self) -> int:
        return len(self.words)


def open_vectors(path: Path, on_progress: OnProgress | None = None) -> Vectors:
    """The vectors of a file, or of a folder in the Projector's format. UserError for whatever is wrong with it."""
    path = Path(path)
    if path.is_dir():
        path = _tensors_of(path)
    if not path.is_file():
        raise UserError(tr("{path} is missing.", path=path), tr("Choose a file of word vectors."))
    if path.suffix.lower() == ".npy":
        array = map_npy(path)
        if array.dtype == np.float32 and array.ndim == 2 and array.flags.aligned:  # NumPy copies what is not aligned at every search
            return _checked(_labels(path, len(array)), array, path)
    return _converted(path, on_progress or (lambda done, total: None))


def read_from(path: Path) -> list[Path]:
    """The file that `open_vectors` reads, and behind it the places beside it where the words may stand, whether there is one or not.

    UserError for a folder that holds no vectors.
    """
    path = _tensors_of(path) if path.is_dir() else path
    return [path, *(path.with_name(name.format(stem=path.stem)) for name in LABELS.get(path.suffix.lower(), ()))]


def stamp_of(paths: Iterable[Path]) -> list[int]:
    """Times and sizes: another list where one of the files has changed, come or gone."""
    made: list[int] = []
    for path in paths:
        try:
            seen = path.stat()
            made += [seen.st_mtime_ns, seen.st_size]
        except OSError:
            made += [0, 0]
    return made


def _converted(path: Path, on_progress: OnProgress) -> Vectors:
    """From the cache, after the file was read into it if need be."""
    metadata = _metadata_of(path) if path.suffix.lower() == ".tsv" else None
    place = hashlib.sha256(str(path.resolve()).encode("utf-8", "replace")).hexdigest()[:24]
    stamp = [FORMAT, *stamp_of(read_from(path))]
    cache = home() / "cache" / "vectors"
    folder = cache / place
    if (found := _cached(folder, stamp, path)) is not None:
        return found
    building = None
    try:
        cache.mkdir(parents=True, exist_ok=True)
        remove_abandoned(cache)
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
        columns: dict[str, list[str]] = {}
        with (building / "vectors.f32").open("wb") as file:
            words: list[str] = []
            size = 0
            for some, block in _read(path, metadata, columns, on_progress):
                size = _append(file, block, size, len(words), path)
                words += some
        if not words:
            raise UserError(tr("{path} holds no vectors.", path=path.name), tr("Choose a file of word vectors."))
        (building / "words.txt").write_bytes("\n".join(word.replace("\n", " ") for word in words).encode("utf-8", "replace"))
        (building / "about.json").write_text(json.dumps({"stamp": stamp, "count": len(words), "size": size, "columns": columns}), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        put_in_place(building, folder)
    except OSError as error:
        raise UserError(tr("{path} cannot be read: {reason}.", path=path.name, reason=system_words(error)),
                        tr("Free some space, or choose another file.")) from error
    finally:
        if building is not None:
            shutil.rmtree(building, ignore_errors=True)
    _forget_old(cache)
    made = _cached(folder, stamp, path)
    assert made is not None
    return made


def _append(file: BinaryIO, block: np.ndarray, size: int, row: int, path: Path) -> int:
    """Write a block; returns the length of its vectors. UserError where it differs from what came before, or is no number."""
    if size and block.shape[1] != size:
        raise damaged(path, tr("its vectors have different lengths"))
    finite = np.isfinite(block).all(axis=1)
    if not finite.all():
        raise damaged(path, tr("vector {row} holds a value that is not a finite number", row=row + int(np.argmin(finite)) + 1))
    file.write(np.ascontiguousarray(block, np.float32).tobytes())
    return block.shape[1]


def _cached(folder: Path, stamp: list[int], path: Path) -> Vectors | None:
    try:
        about = json.loads((folder / "about.json").read_text("utf-8"))
        if about["stamp"] != stamp:
            return None
        words = (folder / "words.txt").read_bytes().decode("utf-8").split("\n")
        array = np.memmap(folder / "vectors.f32", np.float32, "r", shape=(about["count"], about["size"]))
        return Vectors(words, array, path, about["columns"]) if len(words) == len(array) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _forget_old(cache: Path) -> None:
    folders = sorted((item for item in cache.iterdir() if not item.name.startswith(".")), key=lambda item: item.stat().st_mtime)
    for folder in folders[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)


def _checked(words: list[str], array: np.ndarray, path: Path) -> Vectors:
    if not 0 < array.shape[1] <= LONGEST_VECTOR or not len(array):
        raise damaged(path, tr("its vectors have {size} numbers", size=array.shape[1]))
    return Vectors(words, array, path)


# reading block by block

def _read(path: Path, metadata: Path | None, columns: dict[str, list[str]], on_progress: OnProgress) -> Blocks:
    suffix = path.suffix.lower()
    if suffix == ".tsv":
        from core.exchange.vectors.projector import read_tables

        return read_tables(path, metadata, columns, on_progress)
    if suffix == ".npy":
        return _read_npy(path)
    if suffix == ".npz":
        return _read_npz(path, columns)
    refuse_pickle(path)
    with path.open("rb") as file:
        head = file.read(1 << 16)
    counted = COUNTS.match(head)
    if counted and is_binary(head, min(int(counted[2]), LONGEST_VECTOR + 1)):
        return read_binary(path, on_progress)
    return read_text(path, counted is not None, on_progress)


def _read_npy(path: Path) -> Blocks:
    array = map_npy(path)
    if array.ndim != 2 or array.dtype.kind != "f":
        raise damaged(path, tr("it must be a table of numbers, one row for each word"))
    words = _checked(_labels(path, len(array)), array, path).words
    for start in range(0, len(array), BLOCK):
        yield list(words[start : start + BLOCK]), array[start : start + BLOCK]


def _read_npz(path: Path, columns: dict[str, list[str]]) -> Blocks:
    """Also the occurrences of a word (core/exchange/vectors/exports.py): their sentences become a column."""
    held = read_npz(path)
    array, words = held.get("vectors"), held.get("words", held.get("word"))
    if array is None or words is None or array.ndim < 2 or array.dtype.kind != "f" or words.dtype.kind != "U":
        raise damaged(path, tr("it must hold the arrays vectors and words"))
    array = array[-1] if array.ndim == 3 else array  # of several layers the last one
    words = np.broadcast_to(words, len(array)) if words.ndim == 0 else words
    if array.ndim != 2 or words.shape != (len(array),) or not 0 < array.shape[1] <= LONGEST_VECTOR:
        raise damaged(path, tr("it has {words} words and {vectors} vectors", words=words.size, vectors=len(array)))
    for name in ("sentences", "senses"):
        if name in held and held[name].shape == (len(array),) and held[name].dtype.kind == "U":
            columns[name] = held[name].tolist()
    yield words.tolist(), array


def _labels(path: Path, count: int) -> list[str]:
    """The words of a .npy: a line each, in a file beside it."""
    for file in read_from(path)[1:]:
        if file.is_file() and file.stat().st_size <= count * LONGEST_WORD:
            words = file.read_bytes().decode("utf-8", "replace").removesuffix("\n").split("\n")
            if len(words) == count:
                return [word.removesuffix("\r") for word in words]
    raise UserError(tr("Beside {path} there is no list of its {count} words.", path=path.name, count=count),
                    tr("Put one there as {name}, a word a line.", name=f"{path.stem}.txt"))


def _tensors_of(folder: Path) -> Path:
    for name in ("vectors.tsv", "tensors.tsv", "tensor.tsv", "vectors.npy"):
        if (folder / name).is_file():
            return folder / name
    raise UserError(tr("{path} holds no word vectors.", path=folder), tr("Choose a folder with vectors.tsv and metadata.tsv."))


def _metadata_of(path: Path) -> Path:
    for found in read_from(path)[1:]:
        if found.is_file() and found != path:
            return found
    raise UserError(tr("Beside {path} there is no metadata.tsv with its words.", path=path.name), tr("Put both files into one folder."))
