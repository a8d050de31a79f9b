"""What the pages of the senses know: answers of the analysis process, kept as long as they hold, asked for in order of need."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from gui.engine import Engine

if TYPE_CHECKING:
    from core.text.specimens import Specimen

PLACE = "core.analysis.window:answer"
Question = tuple[str, tuple[tuple[str, Any], ...]]  # ("replay", (("run", ...), ("layer", 2), ...)), see core/analysis/window.py
MOST_KEPT = 6000


def question(kind: str, *, stamp: object = None, **keywords: Any) -> Question:
    """stamp: what else the answer depends on (the newest probe...); another stamp is another question."""
    return kind, (*sorted(keywords.items()), ("", stamp))


class Answers(QObject):
    """arrived(question): its answer is in `get` now. free: nothing urgent is under way any more."""

    arrived = Signal(object)
    free = Signal()

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._specimens: tuple[Specimen, ...] = ()
        self._kept: dict[Question, dict[str, Any]] = {}
        self._asked: list[Question] = []
        self._urgent: frozenset[Question] = frozenset()

    def get(self, asked: Question) -> dict[str, Any] | None:
        """{"error": message, "hint": hint} where it could not be answered; None where there is no answer yet."""
        return self._kept.get(asked)

    def about(self, specimens: tuple[Specimen, ...]) -> None:
        """Other sentences: nothing that is known holds any more."""
        if specimens != self._specimens:
            self._specimens = specimens
            self._kept.clear()
            self._asked, self._urgent = [], frozenset()

    def forget(self, run: str) -> None:
        """The run has changed what it had written."""
        self._kept = {asked: found for asked, found in self._kept.items() if ("run", run) not in asked[1]}
        waited, self._asked, self._urgent = bool(self._asked), [], frozenset()
        if waited:  # for what will not be taken any more
            self.free.emit()

    def ask(self, urgent: Sequence[Question], later: Sequence[Question] = ()) -> None:
        """See to it that these are answered; those of `later` when all of them are known. What is known is not asked again.

        While urgent ones are under way nothing else is asked, for what is being answered would be lost: ask again when `arrived`
        tells of them. Those of `later` give way at once.
        """
        wanted = [asked for asked in dict.fromkeys(urgent) if asked not in self._kept]
        rest = [] if wanted else [asked for asked in dict.fromkeys(later) if asked not in self._kept]
        under_way = set(self._asked)
        if (set(wanted) <= self._urgent and set(rest) <= under_way) or self._urgent:
            return
        if len(self._kept) > MOST_KEPT:
            self._kept.clear()
        self._asked, self._urgent = [*wanted, *rest], frozenset(wanted)
        batch = tuple(self._asked)
        questions = [(kind, {name: value for name, value in keywords if name}) for kind, keywords in batch]
        self._engine.call(PLACE, {"questions": questions, "specimens": self._specimens}, on_done=partial(self._done, batch),
                          on_error=partial(self._refuse, batch), on_progress=partial(self._take, batch), key="senses", owner=self)

    def give_way(self) -> None:
        """Something else is more urgent: what nobody waits for is no longer computed, until it is asked again."""
        if self._asked and not self._urgent:
            self._asked = []
            self._engine.call(PLACE, {"questions": [], "specimens": ()}, on_done=partial(self._done, ()), on_error=partial(self._refuse, ()),
                              key="senses", owner=self)

    def _take(self, batch: tuple[Question, ...], place: int, answer: dict[str, Any]) -> None:
        if batch == tuple(self._asked):
            self._keep(batch[place], answer)

    def _keep(self, asked: Question, answer: dict[str, Any]) -> None:
        self._kept[asked] = answer
        waited, self._urgent = bool(self._urgent), self._urgent - {asked}
        self.arrived.emit(asked)
        if waited and not self._urgent:
            self.free.emit()

    def _done(self, batch: tuple[Question, ...], _count: int) -> None:
        if batch == tuple(self._asked):
            self._asked, self._urgent = [], frozenset()

    def _refuse(self, batch: tuple[Question, ...], message: str, hint: str) -> None:
        """The process has ended or met with an error: the one it was busy with is at fault, and is not asked again."""
        if batch != tuple(self._asked):
            return
        self._asked, self._urgent = [], frozenset()
        guilty = next((asked for asked in batch if asked not in self._kept), None)
        if guilty is not None:
            self._keep(guilty, {"error": message, "hint": hint})
        self.free.emit()  # the others may ask again
