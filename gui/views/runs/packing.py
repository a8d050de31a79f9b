"""Packing a run into one file: where to, and how it went."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QWidget

from core.i18n import sentences, tr
from core.runs import Run
from core.sizes import size_words
from gui.jobs import DONE, FAILED, Job
from gui.saving import ask_path
from gui.views import Services

SUFFIX = ".lexi"


def ask_place(parent: QWidget, suggested: str) -> str:
    return ask_path(parent, tr("Pack a run"), suggested, f"{tr('Packed run')} (*{SUFFIX})")


def pack(parent: QWidget, run: Run, services: Services) -> None:
    """Ask for a place and write the run there; the window stays free meanwhile."""
    name = re.sub(r'[\\/:*?"<>|\s]+', "-", run.name).strip("-.") or run.path.name
    chosen = ask_place(parent, str(Path.home() / f"{name}{SUFFIX}"))
    if not chosen:
        return
    out = chosen if chosen.lower().endswith(SUFFIX) else chosen + SUFFIX
    services.messages.say(tr("Packing {name}...", name=run.name))
    services.jobs.start(f"pack {out}", "core.exchange.pack:for_window", {"run": str(run.path), "out": out}, on_end=partial(_packed, services))


def _packed(services: Services, job: Job) -> None:
    if job.state == FAILED:
        services.messages.say(*job.problem, kind="error")
    elif job.state == DONE:
        made = job.result
        words = tr("Packed into {name}, {size}.", name=Path(made["path"]).name, size=size_words(made["bytes"]))
        services.messages.say(sentences(words, *made["left_out"]), made["path"])
