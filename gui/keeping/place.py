"""Where one looks: what of the session is kept from one start to the next, with a saved view, and from one step to the next."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from gui import specimen_store as store
from gui.session import LAST_LAYER, NONE_SELECTED, Session


@dataclass(frozen=True, kw_only=True)
class Place:
    """word, sentence: the watched word, and the text of the selected specimen, "" for none. layer, head, step: as of Session."""

    word: str = ""
    sentence: str = ""
    layer: int = LAST_LAYER
    head: int = 0
    step: int | None = None

    def dumps(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def place_of(session: Session) -> Place:
    chosen = session.specimen
    return Place(word=session.word, sentence="" if chosen is None else chosen.text, layer=session.layer, head=session.head, step=session.step)


def go_to(session: Session, place: Place) -> None:
    """Look there. A sentence that is no specimen any more is not selected. UserError where the word's own file is damaged."""
    if place.word and place.word != session.word:
        look_at(session, place.word, place.sentence)
    else:
        session.selected = _index(session.specimens, place.sentence)
    session.layer, session.head, session.step = place.layer, place.head, place.step


def look_at(session: Session, word: str, sentence: str = "") -> None:
    """The word with its sentences, that one selected."""
    specimens = store.specimens_of(word, [item.run for item in session.bench])
    session.look_at(word, specimens, _index(specimens, sentence))


def from_raw(raw: dict[str, Any]) -> Place:
    """The reverse of `asdict`. ValueError for anything else."""
    plain = Place()
    if set(raw) != {field.name for field in fields(Place)}:
        raise ValueError(raw)
    for name, value in raw.items():
        if type(value) is not type(getattr(plain, name)) and not (name == "step" and type(value) is int):
            raise ValueError(raw)
    return replace(plain, **raw)


def loads(text: str) -> Place:
    """What `dumps` wrote; the plain one where it is damaged."""
    try:
        return from_raw(json.loads(text))
    except (ValueError, TypeError):
        return Place()


def _index(specimens: Any, sentence: str) -> int:
    return next((place for place, item in enumerate(specimens) if sentence and item.text == sentence), NONE_SELECTED)
