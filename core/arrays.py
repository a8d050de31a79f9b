"""NumPy's files from anywhere, without unpickling and without believing what they say about their size."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError

import numpy as np

from core.errors import UserError
from core.i18n import tr

LARGEST_ARCHIVE = 8 << 30  # bytes that a .npz may unpack to
LARGEST_RATIO = 300  # times its size on the disk
SMALL = 256 << 20  # bytes that need no ratio
NOT_READABLE = (OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError, SyntaxError, EOFError, AttributeError, IndexError,
                NotImplementedError, RuntimeError, TokenError, zipfile.BadZipFile, zlib.error)  # what damaged arrays and archives raise


def map_npy(path: Path) -> np.ndarray:
    """The array of a .npy, mapped into memory, read-only. UserError if it is damaged or holds objects."""
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except NOT_READABLE as error:
        raise _damaged(path) from error


def read_npz(path: Path, *names: str) -> dict[str, np.ndarray]:
    """The arrays of a .npz, all or those of these names. UserError if it is damaged, lacks one, holds objects, or is larger than it should."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [archive.getinfo(f"{name}.npy") for name in names] or archive.infolist()
            total = sum(item.file_size for item in members)
            if total > LARGEST_ARCHIVE or (total > SMALL and total > LARGEST_RATIO * path.stat().st_size):
                raise UserError(tr("{path} would unpack to {size} MB.", path=path.name, size=total >> 20), tr("Choose another file."))
            for item in members:
                with archive.open(item) as file:
                    _check_header(file, item.file_size)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names or file.files}
    except NOT_READABLE as error:
        raise _damaged(path) from error


def _check_header(file: object, size: int) -> None:
    """ValueError where an array claims more than its file holds, or holds objects."""
    version = np.lib.format.read_magic(file)
    reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    shape, _, dtype = reader(file)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize > size:
        raise ValueError("header")


def _damaged(path: Path) -> UserError:
    return UserError(tr("{path} is damaged, or it is no file of NumPy's without objects.", path=path.name), tr("Choose another file."))
