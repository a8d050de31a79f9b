"""The words that can be watched, and their labelled sentences: built in, and as the person has changed them.

What the person adds or relabels is kept in the program's home, one file for each word, in the same format as any file of
specimens. core.text is loaded with the first question: the window opens without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from core import i18n
from core.errors import UserError
from core.registry import load
from core.runs import Run, home

if TYPE_CHECKING:
    from core.text.specimens import Specimen

LANGUAGES = ("zh", "en")  # of the built-in text


def read(path: Path) -> list[Specimen]:
    """UserError if the file is damaged."""
    return load("core.text.specimens:read_specimens")(path)


def _own(path: Path) -> list[Specimen]:
    """A file of the person's: it may hold none any more."""
    return load("core.text.specimens:read_specimens")(path, maybe_none=True)


def write(path: Path, specimens: list[Specimen]) -> None:
    load("core.text.specimens:write_specimens")(path, specimens)


def make(*, word: str, sense: str, text: str, hard: bool) -> Specimen:
    return load("core.text.specimens:Specimen")(word=word, sense=sense, text=text, hard=hard)


def own_path(word: str) -> Path:
    """Where the changed specimens of a word live. The name is a digest: a word may hold what a file name may not."""
    return home() / "specimens" / f"{hashlib.sha256(word.encode()).hexdigest()[:16]}.tsv"


def words(runs: Iterable[Run] = (), on_error: Callable[[UserError], None] = lambda error: None) -> list[str]:
    """All words that have specimens: the person's own first, then those of the runs' probes, then the built-in ones, of the window's
    language before the others.

    on_error hears of each file of the person's that is damaged; the other words are there nevertheless.
    """
    found: dict[str, None] = {}
    folder = home() / "specimens"
    for path in sorted(folder.glob("*.tsv")) if folder.is_dir() else ():
        try:
            found.update(dict.fromkeys(item.word for item in _own(path)))
        except UserError as error:
            on_error(error)
    for run in runs:
        found.update(dict.fromkeys(item.word for item in of_run(run)))
    for language in sorted(LANGUAGES, key=lambda language: not i18n.language().startswith(language)):
        found.update(dict.fromkeys(_builtin(language)))
    return list(found)


def specimens_of(word: str, runs: Iterable[Run] = ()) -> list[Specimen]:
    """The person's own version of them, else the built-in ones, else those of the first run that watches the word.

    UserError if the file is damaged.
    """
    path = own_path(word)
    if path.exists():
        return [item for item in _own(path) if item.word == word]
    watched = ([item for item in of_run(run) if item.word == word] for run in runs)
    return builtin_specimens(word) or next((found for found in watched if found), [])


def of_run(run: Run) -> list[Specimen]:
    """The sentences that a run's probes hold; none where it has none yet, or its file is damaged."""
    try:
        return read(run.specimens_path) if run.specimens_path.exists() else []
    except UserError:
        return []


def builtin_specimens(word: str) -> list[Specimen]:
    return [item for language in LANGUAGES for item in _builtin(language).get(word, ())]


def builtin_language(word: str) -> str:
    """The built-in text that is about the word: "zh", "en", or "" for a word of the person's own."""
    return next((language for language in LANGUAGES if word in _builtin(language)), "")


@lru_cache
def _builtin(language: str) -> dict[str, list[Specimen]]:
    """Word -> specimens, the word of the demonstration first."""
    found: dict[str, list[Specimen]] = {word: [] for word in load("core.text.builtin:words")(language)}
    for item in load("core.text.builtin:specimens")(language):
        found.setdefault(item.word, []).append(item)
    return {word: specimens for word, specimens in found.items() if specimens}


def is_changed(word: str) -> bool:
    return own_path(word).exists()


def save(word: str, specimens: Iterable[Specimen], known: Iterable[Specimen] | None = None) -> None:
    """known: those that the window had. A sentence of the file that is none of them another window has written: it stays."""
    path, kept = own_path(word), list(specimens)
    path.parent.mkdir(parents=True, exist_ok=True)
    if known is not None and path.exists():
        texts = {_plain(item) for item in (*known, *kept)}
        with suppress(UserError):  # a damaged file is written anew
            kept += [item for item in _own(path) if item.word == word and _plain(item) not in texts]
    write(path, kept)


def _plain(item: Specimen) -> str:
    """Its sentence as a file gives it back."""
    return " ".join(item.text.split())


def reset(word: str) -> None:
    """Forget the changes."""
    own_path(word).unlink(missing_ok=True)


def sense_title(word: str, sense: str) -> str:
    """The sense in the language of the window, where it is a built-in one."""
    return load("core.text.builtin:sense_title")(word, sense)
