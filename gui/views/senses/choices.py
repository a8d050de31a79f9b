"""What the person has chosen in the view of the senses: shared by its pages, remembered, taken back, and saved with the view."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from core.runs import Run
from gui.projections import PCA, titles
from gui.views.senses.state import AGGLOMERATIVE, ARROWS, BOTH, KMEANS, MEASURES, PAGES, RIGHT, is_joined

if TYPE_CHECKING:
    from gui.settings import Settings

STATE = "senses/state"  # of the settings
MOST_GROUPS = 5
CHOICES = {"page": tuple(PAGES), "projection": tuple(titles()), "direction": tuple(ARROWS), "measure": MEASURES,
           "grouping": (KMEANS, AGGLOMERATIVE), "groups": (0, *range(2, MOST_GROUPS + 1)), "typing": (False, True), "aside": (False, True)}
DRAWN = ("projection", "direction", "measure", "aside")  # the pictures are others


@dataclass(frozen=True, kw_only=True)
class State:
    """aside: whether the pictures have the word's place in the sentence set aside. typing, typed: whether a sentence is being typed whose
    point glides, and that sentence. sentence: whose words are hidden, "" for the selected specimen. before, after: the sentences of the
    two sides, "" for the example of `sense`, "" being the first. labels: the file that is probed for, "" for the senses. groups: how many
    senses are proposed, 0 for whatever fits best.

    The others are one of CHOICES each.
    """

    page: str = "points"
    projection: str = PCA
    direction: str = BOTH
    measure: str = RIGHT
    aside: bool = False
    typing: bool = False
    typed: str = ""
    sentence: str = ""
    sense: str = ""
    before: str = ""
    after: str = ""
    labels: str = ""
    grouping: str = KMEANS
    groups: int = 0

    def raw(self) -> dict[str, Any]:
        return asdict(self)

    def still(self) -> State:
        """Without the sentences, which flow while they are typed."""
        return replace(self, typed="", sentence="", before="", after="")


def parsed(raw: dict[str, Any]) -> State:
    """The reverse of `raw`; what an older version did not know yet has its default. ValueError for anything else."""
    made = _state(raw)
    if made.raw() != {**State().raw(), **raw}:
        raise ValueError(raw)
    return made


def loads(text: str) -> State:
    """What a state's raw() was as JSON; whatever is damaged in it reads as its default."""
    try:
        raw = json.loads(text) if text else {}
    except ValueError:
        raw = {}
    return _state(raw) if isinstance(raw, dict) else State()


def _state(raw: dict[str, Any]) -> State:
    plain = State()
    good = {field.name: raw[field.name] for field in fields(State) if type(raw.get(field.name)) is type(getattr(plain, field.name))
            and raw[field.name] in CHOICES.get(field.name, (raw[field.name],))}
    return replace(plain, **good)


class Choices(QObject):
    """changed: the pictures are others. kept: anything was chosen. restored: all of it is another, after a step back or from a file."""

    changed = Signal()
    kept = Signal()
    restored = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._state = loads(settings.get(STATE))

    @property
    def state(self) -> State:
        return self._state

    def set(self, **changes: Any) -> None:
        """Fields of State."""
        drawn = any(getattr(self._state, name) != changes.get(name, getattr(self._state, name)) for name in DRAWN)
        if self._take(replace(self._state, **changes)) and drawn:
            self.changed.emit()

    def restore(self, state: State) -> None:
        if self._take(state):
            self.restored.emit()
            self.changed.emit()

    def _take(self, state: State) -> bool:
        if state == self._state:
            return False
        self._state = state
        self._settings.set(STATE, json.dumps(state.raw(), ensure_ascii=False))
        self.kept.emit()
        return True

    @property
    def projection(self) -> str:
        return self._state.projection

    @projection.setter
    def projection(self, name: str) -> None:
        self.set(projection=name)

    @property
    def direction(self) -> str:
        return self._state.direction

    @direction.setter
    def direction(self, name: str) -> None:
        self.set(direction=name)

    def direction_of(self, run: Run) -> str:
        """What to ask of that run."""
        return self.direction if is_joined(run) else BOTH
