"""Where a sentence that is being typed stands among the specimens, in the plane in which they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis import layouts, sentences
from core.analysis import vectors as vectors_of
from core.analysis.compass import Compass
from core.analysis.senses import place_aside, place_mean, set_off
from core.analysis.vectors import BOTH
from core.errors import UserError
from core.runs import Run
from core.text.specimens import Specimen, find_word


def places(runs: Sequence[dict[str, Any]], specimens: Sequence[Specimen], text: str, word: str) -> list[dict[str, Any]]:
    """For each run {"xy": (x, y), "cosines": [(sense, cosine)], "step": of the checkpoint that read it}; {"waiting": True} while the
    sentence does not hold the word; {"error", "hint"} where a person can mend it. runs: the keywords of `place`.
    """
    if find_word(text, word) is None:
        return [{"waiting": True}] * len(runs)
    found = []
    for keywords in runs:
        try:
            found.append(place(specimens=specimens, text=text, word=word, **keywords))
        except UserError as error:
            found.append({"error": error.message, "hint": error.hint})
    return found


def place(run: str, specimens: Sequence[Specimen], text: str, word: str, layer: int, step: int | None = None, basis_step: int | None = None,
          direction: str = BOTH, *, aside: bool = False) -> dict[str, Any]:
    """By the newest checkpoint that is not after `step`, else by the first, which may lie far after it: "step" is its. The plane is that of
    core.analysis.layouts.plane with basis_step; the point is looked at from the mean of the specimens as the same checkpoint sees them.
    aside: see core.analysis.vectors.layer_of."""
    opened = Run.open(Path(run))
    source = vectors_of.source_of(opened, specimens)
    used = vectors_of.newest_checkpoint(opened, step)
    loaded = vectors_of.loaded_of(opened, used)
    placed = sentences.placed(loaded, text, word)
    states = sentences.states(loaded, [placed.frame.ids], [placed.places], placed.limit)
    vector = vectors_of.half_of(opened, states[min(layer, len(states) - 1)], direction)  # (1, size)
    known = vectors_of.half_of(opened, vectors_of.encoded(opened, used, specimens), direction)
    known = known[min(layer, len(known) - 1)]
    if aside:
        *where, here = vectors_of.places_of(opened, [*specimens, Specimen(word=word, sense="", text=text)], direction)
        vector = set_off(vector, place_mean(known, np.array(where), here), known)
        known = place_aside(known, np.array(where))
    _, basis = layouts.plane(opened, source, specimens, layer, basis_step, direction, aside=aside)
    xy = basis.project(vector, layouts.mean_of(known))[0]
    try:
        compass = Compass(known, [item.sense for item in specimens])
        cosines = list(zip(compass.senses, compass.cosines(vector)[0].tolist(), strict=True))
    except UserError:
        cosines = []  # one sense only: there is a place, but nothing to be nearer to
    return {"xy": np.asarray(xy, dtype=np.float32), "cosines": cosines, "step": used}
