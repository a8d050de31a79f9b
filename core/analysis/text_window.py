"""What the window asks about texts and about the machine: files as they would be read, counts, and what a run would cost.

Imports no torch: the answers come at once.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import psutil

from core import checks
from core.config import RunConfig, TextConfig
from core.errors import UserError
from core.estimate import Machine, Sample, TextSize, samples
from core.text import builtin, readers, segment, statistics
from core.text.source import Cancelled, Source, kind_of, nothing

MOST_FILES = 200  # that are looked into; a folder may hold thousands
SHOWN_DOCUMENTS = 8  # of each file
SHOWN_CHARACTERS = 300  # of each document
COUNTED_BYTES = 8_000_000  # a text up to this size is counted whole before a run is estimated
BYTES_A_TOKEN = {"char": 2.6, "word": 5.0, "word_char": 4.7}  # of a mixed text, where it is not counted
BYTES_A_PIECE = 4.0  # a token of any other tokenizer
CHARACTERS_KNOWN = 5000  # different ones in a large text, about


@dataclass(frozen=True, kw_only=True)
class FileLook:
    """One file as it would be read. columns: of a table; column: the one that is read. problem, hint: why it cannot be read."""

    path: str
    given: str  # the file or folder of the settings that brought it in
    size: int
    kind: str
    encoding: str
    confidence: float
    how: str
    columns: tuple[str, ...]
    column: str
    documents: tuple[str, ...]
    problem: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class Look:
    """files: at most MOST_FILES of them; more: how many there are beyond. missing: (path, message, hint) of those that are not there.

    bytes: of all files. builtin: documents of the built-in text, where no files are given.
    """

    files: tuple[FileLook, ...]
    more: int
    missing: tuple[tuple[str, str, str], ...]
    bytes: int
    builtin: tuple[str, ...] = ()

    @property
    def readable(self) -> bool:
        """Whether all files can be read as they are."""
        return not self.missing and not any(one.problem for one in self.files)


def look(config: TextConfig, cancelled: Callable[[], bool] = lambda: False) -> Look:
    """Every file of the settings with its beginning; nothing raises that belongs to one file."""
    if not config.files:
        first = tuple(document for document, _ in zip(builtin.documents(config.corpus), range(SHOWN_DOCUMENTS * 2), strict=False))
        return Look(files=(), more=0, missing=(), bytes=0, builtin=first)
    found: dict[Path, str] = {}
    missing = []
    for given in config.files:
        try:
            for path in readers.find_files(replace(config, files=(given,))):
                found.setdefault(path, given)
        except UserError as error:
            missing.append((given, error.message, error.hint))
    looks = []
    for path, given in list(found.items())[:MOST_FILES]:
        if cancelled():
            break
        looks.append(_look_at(path, given, config))
    sizes = sum(_size(path) for path in found)
    return Look(files=tuple(looks), more=max(0, len(found) - MOST_FILES), missing=tuple(missing), bytes=sizes)


def _look_at(path: Path, given: str, config: TextConfig) -> FileLook:
    seen = readers.preview(path, config, lines=SHOWN_DOCUMENTS)
    guess = seen.encoding
    return FileLook(
        path=str(path), given=given, size=_size(path), kind=seen.kind, encoding=guess.name if guess else "",
        confidence=guess.confidence if guess else 0.0, how=guess.how if guess else "", columns=tuple(seen.columns), column=seen.column,
        documents=tuple(map(_beginning, seen.documents)), problem=seen.problem, hint=seen.hint)


def _beginning(document: str) -> str:
    """"…" where it goes on."""
    return document if len(document) <= SHOWN_CHARACTERS else document[:SHOWN_CHARACTERS] + "…"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def count(config: TextConfig, on_progress: Callable[[str, int, int], None], cancelled: Callable[[], bool]) -> statistics.Statistics:
    """The statistics of a text. Raises what core.text.statistics.statistics raises; a text that was counted before is not read again."""
    key = (config, _fingerprint(config))
    if _counted.get("key") != key:
        try:
            _counted.update(key=key, made=statistics.statistics(config, on_progress, cancelled))
        except Cancelled as stopped:
            raise UserError("") from stopped  # nobody listens any more
    return _counted["made"]


_counted: dict = {}  # the newest statistics


def size_of(config: TextConfig, cancelled: Callable[[], bool] = lambda: False) -> TextSize:
    """How much a text gives to read: counted where that is quick, else reckoned from the size of the files."""
    files = readers.find_files(config) if config.files else []
    total = sum(_size(path) for path in files)
    if total <= COUNTED_BYTES:
        return _counted_size(config, _fingerprint(config))
    kind = kind_of(Source(config, nothing, cancelled))
    tokens = round(total / BYTES_A_TOKEN.get(kind, BYTES_A_PIECE) * (1 - config.valid_percent / 100))
    known = min(config.vocab_size, CHARACTERS_KNOWN) if kind == "char" else config.vocab_size
    return TextSize(tokens=max(tokens, 1), vocab_size=known, exact=False)


def lacks(config: TextConfig, word: str, cancelled: Callable[[], bool] = lambda: False) -> bool:
    """Whether a text nowhere holds the word; of one that is too large to be read whole for that nobody knows: False."""
    if config.files and sum(map(_size, readers.find_files(config))) > COUNTED_BYTES:
        return False
    pattern = re.compile(segment.word_pattern(word), re.IGNORECASE)
    try:
        return not any(pattern.search(document) for _, document in Source(config, nothing, cancelled).documents(""))
    except Cancelled as stopped:
        raise UserError("") from stopped  # nobody listens any more


@lru_cache(maxsize=32)
def _counted_size(config: TextConfig, fingerprint: object) -> TextSize:
    seen = count(config, lambda stage, done, total: None, lambda: False)
    share = 1 - seen.valid_documents / max(seen.documents, 1)
    return TextSize(tokens=max(1, round(seen.tokens * share)), vocab_size=seen.vocab_size)


def _fingerprint(config: TextConfig) -> object:
    """Changes when the files do."""
    if not config.files:
        return config.corpus
    return tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in readers.find_files(config))


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A UserError as a value, with the field that it belongs to."""

    message: str
    hint: str
    where: str


def problem_of(config: RunConfig) -> Problem | None:
    """What speaks against starting the run (core.checks); None where nothing does."""
    try:
        checks.check_inputs(config)
    except UserError as error:
        return Problem(message=error.message, hint=error.hint, where=error.where)
    return None


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What an estimate stands on."""

    machine: Machine
    samples: list[Sample]


def ground() -> Ground:
    """This machine, and how fast its earlier runs were."""
    return Ground(machine=machine(), samples=samples())


def machine() -> Machine:
    """The GPU is asked for by the tools of its driver; that PyTorch can use it too, the first run will tell."""
    memory, cores = psutil.virtual_memory().total, psutil.cpu_count() or 1
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return Machine(cores=cores, memory=memory, kind="mps", gpu="Apple GPU", gpu_memory=memory)
    name, size = _nvidia()
    return Machine(cores=cores, memory=memory, kind="cuda" if name else "cpu", gpu=name, gpu_memory=size)


@lru_cache(maxsize=1)
def _nvidia() -> tuple[str, int]:
    """Name and memory in bytes of the first NVIDIA GPU; ("", 0) where there is none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "", 0
    try:
        asked = subprocess.run([tool, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"], capture_output=True, text=True,
                               timeout=5, check=True)
        name, _, mebibytes = asked.stdout.splitlines()[0].rpartition(",")
        return name.strip(), int(float(mebibytes)) << 20
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return "", 0
