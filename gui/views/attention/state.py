"""What the person has chosen in the attention view; it is remembered, and it says what is to be asked of the engine."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

GRID, MAP, LINES, TABLE, EFFECTS = "grid", "map", "lines", "table", "effects"
MODES = (GRID, MAP, LINES, TABLE, EFFECTS)
PARTS = {GRID: ("grid", "table"), MAP: ("weights",), LINES: ("lines",), TABLE: ("table",), EFFECTS: ("weights",)}  # of an answer, for each mode
CHOICES = {"mode": MODES, "units": ("words", "tokens"), "specials": ("keep", "hide", "renormalise"),
           "what": ("head", "heads", "layers", "all", "rollout"), "between": ("", "AA", "AB", "BA", "BB"), "effect": ("words", "heads"),
           "by": ("mask", "remove"), "measured": ("prediction", "sense")}
MOST_THRESHOLD = 0.5


@dataclass(frozen=True, kw_only=True)
class State:
    """text, pair: the sentences. least: weights below it are not drawn. heads: of the lines; none stands for the session's head.

    The others are one of CHOICES each.
    """

    text: str = ""
    pair: str = ""
    mode: str = GRID
    units: str = "words"
    specials: str = "keep"
    what: str = "head"
    between: str = ""
    least: float = 0.0
    heads: tuple[int, ...] = ()
    effect: str = "words"
    by: str = "mask"
    measured: str = "prediction"

    def question(self, run: str, step: int | None, layer: int, head: int) -> dict[str, Any]:
        """The arguments of core.analysis.attention_window.attention."""
        between = self.between if self.pair.strip() else ""
        asked = {"run": run, "text": self.text, "pair": self.pair, "step": step, "units": self.units, "specials": self.specials,
                 "between": between, "layer": layer, "head": head, "parts": PARTS[self.mode], "heads": self.heads or (head,)}
        if self.mode == MAP:
            asked["what"] = self.what
        if self.mode == EFFECTS:
            asked.update(specials="keep", between="")
        return asked

    def dumps(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    def raw(self) -> dict[str, Any]:
        return asdict(self)

    def still(self) -> State:
        """Without the sentences, which flow while they are typed."""
        return replace(self, text="", pair="")


def parsed(raw: dict[str, Any]) -> State:
    """The reverse of `raw`. ValueError for anything else."""
    made = loads(json.dumps(raw))
    if json.loads(made.dumps()) != raw:
        raise ValueError(raw)
    return made


def loads(text: str) -> State:
    """What `dumps` wrote; whatever is damaged in it reads as its default."""
    try:
        stored = json.loads(text) if text else {}
    except ValueError:
        stored = {}
    made = State()
    if not isinstance(stored, dict):
        return made
    for field in fields(State):
        value = stored.get(field.name)
        known = value in CHOICES[field.name] if field.name in CHOICES else field.name in ("text", "pair") and isinstance(value, str)
        if known:
            made = replace(made, **{field.name: value})
        elif field.name == "least" and isinstance(value, int | float) and 0 <= value <= MOST_THRESHOLD:
            made = replace(made, least=float(value))
        elif field.name == "heads" and isinstance(value, list) and all(isinstance(head, int) and head >= 0 for head in value):
            made = replace(made, heads=tuple(value))
    return made
