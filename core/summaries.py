"""What a list shows of a run, read from the end of its event file: cheap, however long the story is, and cheaper the next time."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass, field
from pathlib import Path

from core.events import EvalEnd, Event, EventReader, Preparing, RunFailed, RunStarted, StepEnd, from_line, newest_of_each_kind, story
from core.runs import Status, status_of

TAIL_BYTES = 16_000  # read of a long story: its end, about 60 events
PIECE_BYTES = 48_000  # what is no longer is read whole
SEARCH_BYTES = 4_000_000  # looked through for the last validation


@dataclass(frozen=True, kw_only=True)
class Summary:
    """status: as of core.runs.status_of. loss, valid_loss: the last ones, None before the first. elapsed: seconds of training.

    seconds_left: of a run that lives, None where nobody knows. stage: what a run does before its first step. failure: why it
    failed, if it did.
    """

    status: Status
    loss: float | None = None
    valid_loss: float | None = None
    elapsed: float = 0.0
    seconds_left: float | None = None
    stage: str = ""
    failure: RunFailed | None = None


@dataclass
class _Known:
    reader: EventReader
    size: int = -1
    alive: bool = False
    events: list[Event] = field(default_factory=list)
    summary: Summary | None = None


class Summaries:
    """Remembers what it has read of each run."""

    def __init__(self) -> None:
        self._known: dict[Path, _Known] = {}

    def read(self, folder: Path, *, alive: bool) -> Summary:
        """The summary of the run in that folder; alive: whether its process lives. Reads what was added since the last time, of more than
        PIECE_BYTES only the end: it never takes long, and a run that has ended is not told as one that was interrupted."""
        path = folder / "events.jsonl"
        known = self._known.setdefault(folder, _Known(EventReader(path)))
        try:
            size = path.stat().st_size
        except OSError:
            size = 0
        if size == known.size and known.reader.offset == size and alive == known.alive and known.summary is not None:
            return known.summary
        if size < known.reader.offset:
            known.reader.offset, known.events = 0, []
        try:
            if size - known.reader.offset > PIECE_BYTES:
                known.events += _skip_to_end(path, known.reader, size)
            new = known.reader.read(PIECE_BYTES)
        except OSError:  # a disk that has gone, or a file that is not ours to read: what is known stays
            new = []
        known.events = newest_of_each_kind(story([*known.events, *new]))
        known.size, known.alive, known.summary = size, alive, _summary(known.events, alive)
        return known.summary

    def forget(self, folder: Path) -> None:
        self._known.pop(folder, None)


def _summary(events: list[Event], alive: bool) -> Summary:
    status = status_of(events, alive=alive)
    step = next((event for event in reversed(events) if isinstance(event, StepEnd)), None)
    checked = next((event for event in reversed(events) if isinstance(event, EvalEnd)), None)
    failure = next((event for event in reversed(events) if isinstance(event, RunFailed)), None)
    first = events[-1] if events and isinstance(events[-1], Preparing) else None
    return Summary(status=status, loss=step.loss if step else None, valid_loss=checked.metrics.get("loss") if checked else None,
                   elapsed=step.elapsed if step else 0.0, seconds_left=step.seconds_left if step and status.state == "running" else None,
                   stage=first.stage if first else "", failure=failure if status.state == "failed" else None)


def _skip_to_end(path: Path, reader: EventReader, size: int) -> list[Event]:
    """Set the reader near the end of a long file. Returns the last start and the last validation that lie before that, if near."""
    found: list[tuple[int, Event]] = []
    start = reader.offset
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        size = min(size, len(data))
        line = data.rfind(b"\n", start, size - TAIL_BYTES) + 1
        reader.offset = max(line, start)
        low = max(start, reader.offset - SEARCH_BYTES)
        for kind in (RunStarted, EvalEnd):
            at = data.rfind(b'{"type": "%s"' % kind.__name__.encode(), low, reader.offset)
            if at >= 0:
                end = data.find(b"\n", at)
                event = from_line(data[at:end].decode("utf-8", errors="replace"))
                if event is not None:
                    found.append((at, event))
    return [event for _, event in sorted(found, key=lambda pair: pair[0])]


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder; what vanishes while one looks counts as nothing."""
    total, folders = 0, [os.fspath(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total
