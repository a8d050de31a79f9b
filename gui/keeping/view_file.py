"""A view as a file: what it shows, where it looks, and the runs on the bench; opened again, it shows the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from core.errors import UserError, system_words
from core.i18n import tr
from core.whole import whole_file
from gui.keeping.place import Place, from_raw
from gui.session import BENCH_SIZE
from gui.views import titles

T = TypeVar("T")
FORMAT = "lexiscope view 1"
SUFFIX = ".view.json"
MOST_BYTES = 200_000_000  # a map of a million points in space takes a tenth of it


@dataclass(frozen=True, kw_only=True)
class Kept(Generic[T]):
    """view: a name of gui.views.VIEWS. bench: path, name and colour of each run. state: what the view makes of its own part."""

    view: str
    place: Place
    bench: tuple[tuple[str, str, int], ...]
    state: T


def save(path: Path, kept: Kept[dict[str, Any]]) -> None:
    """The whole file or none. UserError where it cannot be written."""
    bench = [{"path": run, "name": name, "colour": colour} for run, name, colour in kept.bench]
    stored = {"format": FORMAT, "view": kept.view, "place": asdict(kept.place), "bench": bench, "state": kept.state}
    with whole_file(path) as part:
        part.write_text(json.dumps(stored, ensure_ascii=False, indent=1), encoding="utf-8")


def read(path: Path, view: str, parse: Callable[[dict[str, Any]], T]) -> Kept[T]:
    """parse: of the view's own part; ValueError, KeyError or TypeError where it is damaged. UserError for what is no saved view of it."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(path)
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["format"] != FORMAT or stored["view"] not in titles():
            raise ValueError(stored["format"])
        if stored["view"] != view:
            raise UserError(tr("“{name}” is a saved view of “{view}”.", name=path.name, view=titles()[stored["view"]]), tr("Open it there."))
        return Kept(view=view, place=from_raw(stored["place"]), bench=_bench(stored["bench"]), state=parse(stored["state"]))
    except OSError as error:
        raise UserError(tr("{path} cannot be read: {reason}.", path=path, reason=system_words(error)), tr("Choose another file.")) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(tr("“{name}” is no saved view, or it is damaged.", name=path.name), tr("Choose a file that was saved here.")) from error


def _bench(raw: list[dict[str, Any]]) -> tuple[tuple[str, str, int], ...]:
    made = tuple((item["path"], item["name"], item["colour"]) for item in raw)
    if len(made) > BENCH_SIZE or any(not isinstance(path, str) or not isinstance(name, str) or colour not in range(BENCH_SIZE)
                                     for path, name, colour in made):
        raise ValueError(raw)
    return made
