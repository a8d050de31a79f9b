"""Steps that can be taken back and forth: of what is chosen of many rows, and of what a view shows."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")
MOST = 100  # that can be taken back


class Steps(Generic[T]):
    """The present is one of them; a new one forgets those that were taken back."""

    def __init__(self, first: T) -> None:
        self._steps = [first]
        self._at = 0

    @property
    def now(self) -> T:
        return self._steps[self._at]

    @property
    def before(self) -> T | None:
        return self._steps[self._at - 1] if self.can_undo else None

    @property
    def can_undo(self) -> bool:
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        return self._at + 1 < len(self._steps)

    def take(self, step: T) -> None:
        self._steps = [*self._steps[: self._at + 1], step][-(MOST + 1):]
        self._at = len(self._steps) - 1

    def change(self, step: T) -> None:
        """Another in place of the present one."""
        self._steps = [*self._steps[: self._at], step]

    def undo(self) -> bool:
        """False where there is nothing before."""
        return self._go(-1, self.can_undo)

    def redo(self) -> bool:
        return self._go(1, self.can_redo)

    def _go(self, way: int, can: bool) -> bool:
        self._at += way * can
        return can
