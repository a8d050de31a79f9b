"""Deleted runs: where they lie until somebody brings them back or removes them for good."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError, system_words
from core.i18n import tr
from core.runs import TRASH, Run, free_place, home, runs_home, write_atomically
from core.whole import put_in_place

TRASHES = "trashes.json"  # in the home: the trashes beside runs that lay elsewhere


def delete(run: Run) -> Path:
    """Move a run's folder to the trash beside it and return its new place, for `restore`. UserError while it is being trained, or where the
    system refuses."""
    if run.worker_pid():
        raise UserError(tr("The run {name} is being trained.", name=run.name), tr("Stop it first."))
    if gone := run.missing():
        raise gone
    place = run.whole.parent / TRASH / f"{run.whole.name}.{time.time_ns()}"
    try:
        place.parent.mkdir(exist_ok=True)
        put_in_place(run.whole, place)
    except OSError as error:
        raise UserError(tr("The run {name} cannot be deleted: {reason}.", name=run.name, reason=system_words(error)),
                        tr("Close what has its files open.")) from error
    _remember(place.parent.resolve())
    return place


def restore(place: Path) -> Run:
    """Undo a delete. Where another run stands in its folder by now, it comes back beside that."""
    target = place.parent.parent / place.name.rpartition(".")[0]
    if target.exists():
        target = free_place(target.name, folder=target.parent)
    put_in_place(place, target)
    return Run.open(target)


@dataclass(frozen=True, kw_only=True)
class Trashed:
    """A deleted run. place: its folder in the trash, as `restore` wants it. deleted: seconds since 1970."""

    place: Path
    name: str
    deleted: float


def trashed(folder: Path | None = None) -> list[Trashed]:
    """What the trash of a folder of runs holds, what was deleted last first; without a folder, what all that are known of hold."""
    found = []
    for place in _in_trash(folder):
        name, _, time_ns = place.name.rpartition(".")
        if name and time_ns.isdigit():
            with suppress(UserError):  # a damaged one has its folder's name
                name = Run.open(place).name
            found.append(Trashed(place=place, name=name, deleted=int(time_ns) / 1e9))
    return sorted(found, key=lambda one: one.deleted, reverse=True)


def has_trash(folder: Path | None = None) -> bool:
    """Whether `trashed` has anything to list; quick."""
    return any(True for _ in _in_trash(folder))


def _in_trash(folder: Path | None) -> Iterator[Path]:
    for trash in [folder / TRASH] if folder else [runs_home() / TRASH, *_elsewhere()]:
        with suppress(OSError):  # there is none, or its disk is not plugged in
            yield from trash.iterdir()


def _elsewhere() -> list[Path]:
    """The trashes that are known of, save that of the runs' home."""
    try:
        return [Path(trash) for trash in json.loads((home() / TRASHES).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def _remember(trash: Path) -> None:
    """So that what lies in it is found again. Where the note cannot be written, it lies beside where the run was."""
    known = _elsewhere()
    if trash not in (*known, (runs_home() / TRASH).resolve()):
        with suppress(OSError):
            home().mkdir(parents=True, exist_ok=True)
            write_atomically(home() / TRASHES, json.dumps([*map(str, known), str(trash)], ensure_ascii=False, indent=1))


def empty_trash(folder: Path | None = None) -> None:
    """Remove all deleted runs for good. UserError where the system refuses to remove one; the others are gone. Of a linked run the link alone
    goes: what it points to was never in the trash."""
    refused: tuple[Trashed, OSError] | None = None
    for one in trashed(folder):
        try:
            if one.place.is_symlink():
                one.place.unlink()
            else:
                shutil.rmtree(one.place)
        except OSError as error:
            refused = refused or (one, error)
    if refused:
        raise UserError(tr("The run {name} cannot be deleted: {reason}.", name=refused[0].name, reason=system_words(refused[1])),
                        tr("Close what has its files open.")) from refused[1]
