"""Which of many rows are chosen and which are shown, with every step taken back and forth."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from gui.keeping.steps import Steps

SET, ADD, REMOVE = "set", "add", "remove"


@dataclass(frozen=True, eq=False)
class _Step:
    chosen: np.ndarray
    shown: np.ndarray | None


class Selection(QObject):
    """chosen: sorted rows. shown: the rows that were isolated, None for all."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reset()

    def reset(self) -> None:
        """Forget everything, the steps too; tells nobody."""
        self._steps = Steps(_Step(np.zeros(0, np.int64), None))

    @property
    def chosen(self) -> np.ndarray:
        return self._steps.now.chosen

    @property
    def shown(self) -> np.ndarray | None:
        return self._steps.now.shown

    def choose(self, rows: np.ndarray, how: str = SET) -> None:
        rows = np.asarray(rows, np.int64)
        made = {ADD: np.union1d, REMOVE: np.setdiff1d}[how](self.chosen, rows) if how in (ADD, REMOVE) else np.unique(rows)
        if not np.array_equal(made, self.chosen):
            self._take(made, self.shown)

    def isolate(self) -> None:
        """Show the chosen alone; nothing is chosen then."""
        if len(self.chosen):
            self._take(self.chosen[:0], self.chosen)

    def show_all(self) -> None:
        if self.shown is not None:
            self._take(self.chosen, None)

    def restore(self, chosen: np.ndarray, shown: np.ndarray | None, steps: Steps[_Step] | None = None) -> None:
        """What was kept: the steps begin there, or go on where those of before end there."""
        step = _Step(np.asarray(chosen, np.int64), shown)
        self._steps = steps if steps is not None and _same(steps.now, step) else Steps(step)
        self.changed.emit()

    @property
    def steps(self) -> Steps[_Step]:
        return self._steps

    @property
    def can_undo(self) -> bool:
        return self._steps.can_undo

    @property
    def can_redo(self) -> bool:
        return self._steps.can_redo

    def undo(self) -> None:
        if self._steps.undo():
            self.changed.emit()

    def redo(self) -> None:
        if self._steps.redo():
            self.changed.emit()

    def _take(self, chosen: np.ndarray, shown: np.ndarray | None) -> None:
        self._steps.take(_Step(chosen, shown))
        self.changed.emit()


def _same(one: _Step, other: _Step) -> bool:
    return packed(one.chosen) == packed(other.chosen) and packed(one.shown) == packed(other.shown)


def packed(rows: np.ndarray | None) -> str:
    """Rows as text, small also for a million of them; "" for None."""
    if rows is None:
        return ""
    steps = np.diff(np.asarray(rows, np.int64), prepend=0).astype("<i4")
    return base64.b64encode(zlib.compress(steps.tobytes(), 6)).decode("ascii") or "-"


def unpacked(text: str, count: int) -> np.ndarray | None:
    """What `packed` wrote; None for "", for damaged text, and where a row is beyond `count`."""
    if not text:
        return None
    try:
        rows = np.cumsum(np.frombuffer(zlib.decompress(base64.b64decode(text, validate=True)), "<i4").astype(np.int64))
    except (ValueError, zlib.error):
        return None
    return rows if not len(rows) or (rows.min() >= 0 and rows.max() < count) else None
