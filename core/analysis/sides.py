"""The deciding word before or after the looked-at word: which model, and which of ELMo's two directions, can know it.

What a model has read of a side is measured, not assumed: the word's vector in the whole sentence beside its vector in the sentence
without that side. A reader that is blind to the side has the same vector in both, but for rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis import sentences
from core.analysis import vectors as vectors_of
from core.analysis.compass import Compass
from core.analysis.vectors import BACKWARD, BOTH, FORWARD, is_joined
from core.errors import UserError
from core.runs import Run
from core.text.specimens import Specimen

SAME = 1e-5  # of a vector's length: a difference below this is rounding


def sides_of_run(run: str, specimens: Sequence[Specimen], texts: Sequence[str], word: str, layer: int) -> dict[str, Any]:
    """{"step", "readers": [{"direction": BOTH, FORWARD or BACKWARD, "texts": [one for each of `texts`]}]}; each of the latter
    {"cosines": [(sense, cosine)], "before", "after": the share of the vector's length by which it changes without what stands before or
    after the word, None where nothing does} or {"error", "hint"}. UserError where the run cannot be asked.
    """
    opened = Run.open(Path(run))
    step = vectors_of.newest_checkpoint(opened)
    loaded = vectors_of.loaded_of(opened, step)
    known = vectors_of.encoded(opened, step, specimens)
    directions = (FORWARD, BACKWARD) if is_joined(opened) else (BOTH,)
    readers: list[dict[str, Any]] = [{"direction": direction, "texts": []} for direction in directions]
    for text in texts:
        try:
            start, end = sentences.span_of(text, word)
            whole = _vector(loaded, text, word, layer)
            begin = start - text[:start][-1:].isspace()  # byte-pair encoding has another token for a word without its space
            without_before = _vector(loaded, text[begin:], word, layer) if text[:start].strip() else None
            without_after = _vector(loaded, text[:end], word, layer) if text[end:].strip() else None
        except UserError as error:
            for reader in readers:
                reader["texts"].append({"error": error.message, "hint": error.hint})
            continue
        for reader in readers:
            def half(vector: np.ndarray, direction: str = reader["direction"]) -> np.ndarray:
                return vectors_of.half_of(opened, vector, direction)

            compass = Compass(half(known[min(layer, len(known) - 1)]), [item.sense for item in specimens])
            cosines = compass.cosines(half(whole))[0].tolist()
            reader["texts"].append({"cosines": list(zip(compass.senses, cosines, strict=True)),
                                    "before": None if without_before is None else _change(half(whole), half(without_before)),
                                    "after": None if without_after is None else _change(half(whole), half(without_after))})
    return {"step": step, "readers": readers}


def _vector(loaded: Any, text: str, word: str, layer: int) -> np.ndarray:
    placed = sentences.placed(loaded, text, word)
    states = sentences.states(loaded, [placed.frame.ids], [placed.places], placed.limit)
    return states[min(layer, len(states) - 1), 0].astype(np.float64)


def _change(whole: np.ndarray, part: np.ndarray) -> float:
    return float(np.linalg.norm(whole - part) / max(np.linalg.norm(whole), 1e-12))
