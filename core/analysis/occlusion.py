"""Which words of a sentence decide what its word means: hide each of the others, and see how the sense score changes.

The sense score of a vector is its cosine with the centroid of its own sense minus that with the nearest other sense's; see
core.analysis.compass. The change of a word is the score with it minus the score without it: above 0, it held the sense; below, it
spoke for the other one. A family that fills gaps sees [MASK] in the place of the word's tokens; from the others the word is taken
out, since they have never seen a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.analysis import sentences
from core.analysis import vectors as vectors_of
from core.analysis.compass import Compass
from core.analysis.vectors import BOTH
from core.errors import UserError
from core.i18n import tr
from core.runs import Run
from core.text import segment
from core.text.specimens import Specimen
from core.text.tokenizers import MASK

if TYPE_CHECKING:
    from core.analysis.encode import Loaded

BY_MASK, BY_REMOVAL = "mask", "remove"
MOST_WORDS = 400  # that are hidden one by one


def words_around(text: str, span: tuple[int, int], watched: Sequence[str] = ()) -> list[tuple[int, int]]:
    """(start, end) of the other words of the text; no punctuation. UserError where there are too many."""
    if len(text) > 40 * MOST_WORDS:  # not even cut into words
        raise UserError(tr("The sentence has {count:,} characters.", count=len(text)),
                        tr("At most {most} words are hidden one by one: shorten it.", most=MOST_WORDS), where="text")
    word = text[span[0] : span[1]]
    found = [(start, end) for start, end in segment.words(text, (*watched, word))
             if (end <= span[0] or start >= span[1]) and any(map(str.isalnum, text[start:end]))]
    if len(found) > MOST_WORDS:
        raise UserError(tr("The sentence has {count:,} words around “{word}”.", count=len(found), word=word),
                        tr("At most {most} words are hidden one by one: shorten it.", most=MOST_WORDS), where="text")
    return found


def how(loaded: Loaded) -> str:
    """How this family's words are hidden."""
    return BY_MASK if "fill_mask" in loaded.family.capabilities else BY_REMOVAL


def hidden(loaded: Loaded, placed: sentences.Placed, words: Sequence[tuple[int, int]]) -> list[tuple[list[int], list[int]] | None]:
    """For each word the token ids of the sentence without it, and where the tokens of the looked-at word stand then.

    None for one that the model does not reach.
    """
    from core.analysis.encode import covering

    ids, offsets = placed.frame.ids, placed.frame.offsets
    by_mask = how(loaded) == BY_MASK
    made: list[tuple[list[int], list[int]] | None] = []
    for start, end in words:
        away = set(covering(offsets, start, end)) - set(placed.places)
        if not away or (placed.limit and min(away) >= placed.limit):
            made.append(None)
        elif by_mask:
            made.append(([MASK if place in away else token for place, token in enumerate(ids)], placed.places))
        else:
            kept = [place for place in range(len(ids)) if place not in away]
            made.append(([ids[place] for place in kept], [kept.index(place) for place in placed.places]))
    return made


def occlude(loaded: Loaded, text: str, word: str, vectors: np.ndarray, labels: Sequence[str], layer: int, *, sense: str = "",
            direction: str = BOTH) -> dict[str, Any]:
    """vectors (specimens, size) and labels: what the senses are, in that layer and direction. sense: that of the sentence, where it is
    one of them; else the nearest.

    {"words": [(start, end)], "changes": [float or None], "score", "sense", "other", "how": BY_MASK or BY_REMOVAL, "same": whether the
    word's vector is the same whatever is hidden, "cosines": [(sense, cosine)] of the whole sentence}.
    """
    placed = sentences.placed(loaded, text, word)
    around = words_around(text, placed.span)
    without = hidden(loaded, placed, around)
    asked = [item for item in without if item is not None]
    states = sentences.states(loaded, [placed.frame.ids, *(ids for ids, _ in asked)], [placed.places, *(places for _, places in asked)],
                              placed.limit)
    found = vectors_of.half_of(loaded.run, states[min(layer, len(states) - 1)], direction).astype(np.float64)
    compass = Compass(vectors, labels)
    cosines = compass.cosines(found, sense)  # (1 + asked, senses)
    own = compass.senses.index(sense) if sense in compass.senses else int(cosines[0].argmax())
    other = max((place for place in range(len(compass.senses)) if place != own), key=lambda place: cosines[0, place])
    scores = cosines[:, own] - cosines[:, other]
    changes = iter((scores[0] - scores[1:]).tolist())
    return {"words": around, "changes": [None if item is None else next(changes) for item in without], "score": float(scores[0]),
            "sense": compass.senses[own], "other": compass.senses[other], "how": how(loaded),
            "same": bool(asked) and bool(np.abs(found - found[0]).max() <= 1e-5 * np.abs(found[0]).max(initial=1e-12)),
            "cosines": list(zip(compass.senses, cosines[0].tolist(), strict=True))}


def occlusion_of_run(run: str, specimens: Sequence[Specimen], text: str, word: str, layer: int, direction: str = BOTH) -> dict[str, Any]:
    """`occlude` by the newest checkpoint; "step": which it was. UserError where there is none."""
    opened = Run.open(Path(run))
    step = vectors_of.newest_checkpoint(opened)
    sense = next((item.sense for item in specimens if item.text == text), "")
    vectors = vectors_of.half_of(opened, vectors_of.encoded(opened, step, specimens), direction)
    found = occlude(vectors_of.loaded_of(opened, step), text, word, vectors[min(layer, len(vectors) - 1)],
                    [item.sense for item in specimens], layer, sense=sense, direction=direction)
    return {**found, "step": step, "known": bool(sense)}
