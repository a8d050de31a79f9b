"""What the window asks about the runs that are there: a line for each, with its state. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from core.config import RunConfig
from core.events import EventReader, story
from core.i18n import language
from core.runs import Status, list_runs, runs_home, status_of


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


def finished_like(configs: list[RunConfig], folder: Path | None = None) -> list[str]:
    """For each of the settings the newest finished run with the same ones, "" where there is none.

    Name and threads do not count.
    """
    runs = [(plain(run.config), run) for run in list_runs(folder or runs_home())]
    made = []
    for config in configs:
        alike = [run for settings, run in runs if settings == plain(config)]
        done = (run for run in alike if run.events_path.exists() and run.checkpoint_steps()
                and _status(run.events_path, run.events_path.stat().st_mtime, run.worker_pid() is not None, language()).state == "finished")
        made.append(next((str(run.path) for run in done), ""))
    return made


def plain(config: RunConfig) -> RunConfig:
    """The settings without what makes no other model of it."""
    return replace(config, name="", train=replace(config.train, threads=0))


@lru_cache(maxsize=512)
def _status(path: Path, changed: float, alive: bool, spoken: str) -> Status:
    return status_of(story(EventReader(path).read()), alive=alive)
