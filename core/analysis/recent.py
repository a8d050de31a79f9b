"""What the window asks about the runs that are there: a line for each, with its state. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from core.config import RunConfig
from core.events import EventReader, story
from core.i18n import language
from core.runs import Status, list_runs, runs_home, status_of

USABLE = ("finished", "running", "preparing", "paused", "stopped", "killed", "new")  # the best state first; a failed run is of no use


@dataclass(frozen=True, kw_only=True)
class Recent:
    """changed: when its story last went on, in seconds since 1970."""

    path: str
    name: str
    family: str
    status: Status
    changed: float


def recent(most: int = 8) -> list[Recent]:
    """The newest runs, by when something last happened to them."""
    found = []
    for run in list_runs():
        file = run.events_path if run.events_path.exists() else run.path / "config.json"
        found.append((file.stat().st_mtime, run))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return [Recent(path=str(run.path), name=run.name, family=run.config.family, changed=changed,
                   status=_status(run.events_path, changed, run.worker_pid() is not None, language())) for changed, run in found[:most]]


def alike(configs: list[RunConfig], folder: Path | None = None) -> list[tuple[str, str]]:
    """For each of the settings the best run that has the same ones, and its state; ("", "") where there is none.

    A finished one is better than one that can go on, and the newest is the best of equals. Name and threads do not count.
    """
    runs = [(plain(run.config), run) for run in list_runs(folder or runs_home())]
    made = []
    for config in configs:
        states = []
        for settings, run in runs:
            if settings == plain(config):
                changed = run.events_path.stat().st_mtime if run.events_path.exists() else 0.0
                states.append((str(run.path), _status(run.events_path, changed, run.worker_pid() is not None, language()).state))
        ranked = sorted((one for one in states if one[1] in USABLE), key=lambda one: USABLE.index(one[1]))
        made.append(ranked[0] if ranked else ("", ""))
    return made


def plain(config: RunConfig) -> RunConfig:
    """The settings without what makes no other model of it."""
    return replace(config, name="", train=replace(config.train, threads=0))


@lru_cache(maxsize=512)
def _status(path: Path, changed: float, alive: bool, spoken: str) -> Status:
    return status_of(story(EventReader(path).read()), alive=alive)
