"""The demonstration: the four families learn the built-in text, and one word's senses come apart before one's eyes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core import config as configs
from core import registry
from core.config import RunConfig
from core.registry import family
from core.runs import Run
from gui import specimen_store
from gui.draft import WORDS
from gui.run_queue import queue_of
from gui.session import Session
from gui.views import Services

FAMILIES = ("word2vec", "bert", "elmo", "gpt")  # word2vec takes seconds, so there is something to see at once
CORES_EACH = 2
MOST_AT_ONCE = 3


@dataclass(frozen=True, kw_only=True)
class Plan:
    """at_once: how many are trained at a time on a machine with that many cores, each with `threads`."""

    at_once: int
    threads: int


def plan(cores: int | None = None) -> Plan:
    cores = cores or os.cpu_count() or 1
    at_once = min(max(cores // CORES_EACH, 1), MOST_AT_ONCE)
    return Plan(at_once=at_once, threads=max(cores // at_once, 1))


def demo_configs(language: str) -> list[RunConfig]:
    """The settings of the four runs. language: of the text, "zh" or "en"."""
    word, threads = WORDS[language], plan().threads
    made = []
    for name in FAMILIES:
        options = {"text.corpus": language, "watch.word": word, "train.threads": threads}
        made.append(configs.build(name, "quick", options, name=f"{word} · {family(name).title}"))
    return made


def begin(language: str, session: Session, services: Services, found: Sequence[tuple[str, str]] = ()) -> list[Run]:
    """Train the four runs, put them on the bench and look at their word. UserError if their folders cannot be written.

    found: for each of `demo_configs` the path and state of a run that is there already, as core.exchange.shipped:unpacked has
    them; such a run is taken, and goes on if it has not finished.
    """
    runs, unfinished = [], []
    for index, config in enumerate(demo_configs(language)):
        path, state = found[index] if found else ("", "")
        run = Run.open(Path(path)) if path else Run.create(config)
        runs.append(run)
        if state != "finished" and not services.processes.alive(run):
            unfinished.append(run)
    show(language, runs, session)
    queue_of(services.processes).start(unfinished, plan().at_once)
    return runs


def show(language: str, runs: list[Run], session: Session) -> None:
    """These runs alone on the bench, and the word with its specimens."""
    for item in session.bench:
        if item.path not in [run.path for run in runs]:
            session.remove_run(item.path)
    for run in sorted(runs, key=lambda run: list(registry.FAMILIES).index(run.config.family)):
        session.add_run(run)
    word = WORDS[language]
    session.step = None
    session.look_at(word, specimen_store.specimens_of(word))
