"""The trained runs that the program ships with: the demonstration's, resources/models/TEXT/FAMILY.lexi.

`python -m benchmarks.shipped` trains and packs them. They were trained as anybody's are, and become ordinary runs once they are unpacked.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from core import config as configs
from core.analysis.recent import alike, plain
from core.arrays import NOT_READABLE
from core.config import RunConfig
from core.errors import UserError
from core.exchange import pack

MODELS = Path(__file__).resolve().parent.parent.parent / "resources" / "models"
FINISHED, SHIPPED = "finished", "shipped"
KEPT = (FINISHED, "running", "preparing", "paused")  # what is under way is looked at, not passed over


def packed(config: RunConfig) -> Path | None:
    """The packed run that was trained with these settings (name and threads do not count); None where none ships."""
    path = MODELS / config.text.corpus / f"{config.family}{pack.SUFFIX}"
    if config.text.files or not path.is_file():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            settings = configs.from_dict(json.loads(archive.read("config.json")))
    except (*NOT_READABLE, UserError):
        return None
    return path if plain(settings) == plain(config) else None


def found(wanted: list[RunConfig]) -> list[tuple[str, str]]:
    """For each of the settings the path and state of the best run that is there, as `alike` has it. One that ships, ("", SHIPPED), is better than
    one that was broken off."""
    there = zip(wanted, alike(wanted), strict=True)
    return [("", SHIPPED) if state not in KEPT and packed(config) else (path, state) for config, (path, state) in there]


def unpacked(wanted: list[RunConfig]) -> list[tuple[str, str]]:
    """The same, where those that ship have become runs in the runs' home. UserError where the disk refuses."""
    there = zip(wanted, found(wanted), strict=True)
    return [(str(pack.unpack(packed(config)).run), FINISHED) if state == SHIPPED else (path, state) for config, (path, state) in there]
