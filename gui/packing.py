"""Packing a run into one file: where to, and how it went."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from core.i18n import tr
from core.runs import Run
from gui.views import Services

SUFFIX = ".lexi"
MEGABYTE = 1e6


def ask_place(parent: QWidget, suggested: str) -> str:
    return QFileDialog.getSaveFileName(parent, tr("Pack a run"), suggested, f"{tr('Packed run')} (*{SUFFIX})")[0]


def pack(parent: QWidget, run: Run, services: Services) -> None:
    """Ask for a place and write the run there; the window stays free meanwhile."""
    name = re.sub(r'[\\/:*?"<>|\s]+', "-", run.name).strip("-.") or run.path.name
    chosen = ask_place(parent, str(Path.home() / f"{name}{SUFFIX}"))
    if not chosen:
        return
    out = chosen if chosen.lower().endswith(SUFFIX) else chosen + SUFFIX
    owner: QObject = services.messages
    services.messages.say(tr("Packing {name}...", name=run.name))
    services.engine.call("core.exchange.pack:for_window", {"run": str(run.path), "out": out}, on_done=partial(_done, services),
                         on_error=partial(services.messages.say, kind="error"), owner=owner)


def _done(services: Services, made: dict[str, Any]) -> None:
    services.messages.say(tr("Packed into {name}, {size:.1f} MB.", name=Path(made["path"]).name, size=made["bytes"] / MEGABYTE), made["path"])
