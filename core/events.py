"""The story of a run, as it is written to events.jsonl: one JSON object a line, {"type": ..., fields}.

The file is the only data channel from a run to whoever watches it. A writer that is killed may leave a torn last line; a
reader leaves it alone until it is whole, and a new writer cuts it off. When a run goes on from a checkpoint, RunStarted
names its step; what was written of later steps is then void, and `story` leaves it out.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

LARGEST_NUMBER = 1e18  # in a line of the story


@dataclass(frozen=True, kw_only=True)
class Preparing:
    """Work before the first step. stage: what is done, in words. done of total, in units of the stage; total 0: unknown."""

    stage: str
    done: int
    total: int
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """step: the one it starts from. device, precision, versions...: where it runs. parameters: how many numbers it learns.

    text: a hash of the text that is read; none of a finetune, and of runs of earlier versions.
    """

    step: int
    device: str
    precision: str
    processes: int
    threads: int
    parameters: int
    train_tokens: int
    valid_tokens: int
    vocab_size: int
    total_steps: int  # 0 where the clock decides
    versions: dict[str, str]
    text: str = ""
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class StepEnd:
    """After `step` steps. loss in nats per labelled token; elapsed, seconds_left in seconds; memory in bytes."""

    step: int
    loss: float
    learning_rate: float
    grad_norm: float
    tokens: int  # read since the run began
    tokens_per_s: float
    progress: float  # 0 to 1
    elapsed: float
    seconds_left: float
    memory: int  # resident memory of the process
    gpu_memory: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class EvalEnd:
    """A validation. metrics: "loss" always; "perplexity", "mlm_accuracy", "nsp_accuracy" ... where they exist."""

    step: int
    metrics: dict[str, float]
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class ProbeSaved:
    step: int
    path: str  # relative to the run's folder
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved:
    step: int
    path: str  # relative to the run's folder
    best: bool
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class RunPaused:
    step: int
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class RunContinued:
    step: int
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class RunFinished:
    """reason: "complete", "stopped" (asked to) or "early_stop" (validation no longer improved)."""

    step: int
    reason: str
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class RunFailed:
    """message and hint: for a person. traceback: for the error that nobody expected, else empty."""

    step: int
    message: str
    hint: str = ""
    traceback: str = ""
    time: float = field(default_factory=time.time)


Event = (Preparing | RunStarted | StepEnd | EvalEnd | ProbeSaved | CheckpointSaved | RunPaused | RunContinued | RunFinished
         | RunFailed)
KINDS: dict[str, type] = {kind.__name__: kind for kind in Event.__args__}


def to_line(event: Event) -> str:
    """One line of events.jsonl, without the newline. Numbers that are not finite become null (JSON has none), those beyond LARGEST_NUMBER
    that number: who reads takes no line with a greater one."""
    raw = {"type": type(event).__name__, **dataclasses.asdict(event)}
    return json.dumps(_within(raw), ensure_ascii=False, allow_nan=False)


def _within(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _within(item) for key, item in value.items()}
    if not isinstance(value, float):
        return value
    return max(-LARGEST_NUMBER, min(value, LARGEST_NUMBER)) if math.isfinite(value) else None


def from_line(line: str) -> Event | None:
    """The event of a line; None for a kind that this version does not know or a line that is not ours."""
    try:
        raw = json.loads(line)
        kind = KINDS.get(raw.pop("type"))
        fields = _kinds_of_fields(kind) if kind else {}
        values = {key: _number(value) for key, value in raw.items() if key in fields}
        return kind(**values) if kind and all(_fits(value, fields[key]) for key, value in values.items()) else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


@cache
def _kinds_of_fields(kind: type) -> dict[str, Any]:
    """name -> float for any number, another type, or (type,) for a dict with such values."""
    def plain(hint: Any) -> Any:
        return float if hint is int else hint

    return {name: (plain(get_args(hint)[1]),) if get_origin(hint) is dict else plain(hint) for name, hint in get_type_hints(kind).items()}


def _fits(value: Any, kind: Any) -> bool:
    """A number may be of either kind, and is not beyond all measure: others add and compare it."""
    if kind is float:
        return type(value) in (int, float) and not (value > LARGEST_NUMBER or value < -LARGEST_NUMBER)
    if type(kind) is tuple:
        return isinstance(value, dict) and all(_fits(item, kind[0]) for item in value.values())
    return isinstance(value, kind)


def _number(value: Any) -> Any:
    return {key: _number(item) for key, item in value.items()} if isinstance(value, dict) else math.nan if value is None else value


class EventWriter:
    """Appends events to a file; each is in the hands of the operating system when `write` returns."""

    def __init__(self, path: Path) -> None:
        _cut_torn_line(path)
        self._file = path.open("a", encoding="utf-8")

    def write(self, event: Event) -> None:
        self._file.write(to_line(event) + "\n")
        self._file.flush()

    def sync(self) -> None:
        """Wait until the disk has it."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def _cut_torn_line(path: Path) -> None:
    """A process that was killed while writing leaves half a line: cut it off, or the next event would be lost with it."""
    if path.exists():
        with path.open("rb+") as file:
            data = file.read()
            file.truncate(data.rfind(b"\n") + 1)


class EventReader:
    """Hands out the events that were added since the last time. Cheap to ask often: it reads only what is new."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path, self.offset = path, offset

    def read(self, limit: int = -1) -> list[Event]:
        """limit: look at no more than about so many bytes now, so that the window can read a long story piece by piece; -1: all."""
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self.offset:
                    self.offset = 0  # the file was cut: tell the story from the start
                file.seek(self.offset)
                data = file.read(limit)
                if limit >= 0 and b"\n" not in data:
                    data += file.readline()  # a line longer than the limit
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        events = (from_line(line) for line in whole.decode("utf-8", errors="replace").split("\n"))
        return [event for event in events if event is not None]


def story(events: Iterable[Event]) -> list[Event]:
    """The events that count: where a run went on from an earlier step, what it had written beyond that step is dropped."""
    kept: list[Event] = []
    for event in events:
        if isinstance(event, RunStarted):
            kept = [old for old in kept if getattr(old, "step", 0) <= event.step and not isinstance(old, RunFailed | RunFinished)]
        kept.append(event)
    return kept


def newest_of_each_kind(events: Sequence[Event]) -> list[Event]:
    """In their order: all that a status and figures need, however long the story is."""
    last = {type(event): place for place, event in enumerate(events)}
    return [events[place] for place in sorted(last.values())]
