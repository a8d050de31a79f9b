"""What is said about a picture of attention: what it is of, and what must be known to read it rightly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.i18n import tr
from gui.views.attention.state import EFFECTS, GRID, LINES, MAP, TABLE, State

ARROWS = {"AA": "A→A", "AB": "A→B", "BA": "B→A", "BB": "B→B"}


def is_pair(answer: dict[str, Any]) -> bool:
    return bool((answer["sentence"] == 1).any())


def where(answer: dict[str, Any], state: State, heads: Sequence[int]) -> str:
    """What the picture is of: "layer 2/4 · head 1"."""
    layer = tr("layer {layer}/{layers}", layer=answer["layer"] + 1, layers=answer["layers"])
    if state.mode in (GRID, TABLE) or (state.mode == EFFECTS and state.effect == "heads"):
        return tr("{layers} × {heads} heads", layers=answer["layers"], heads=answer["heads"])
    if state.mode == LINES:
        names = ", ".join(str(number + 1) for number in heads)
        return f"{layer} · {tr('heads {names}', names=names) if len(heads) > 1 else tr('head {head}', head=names)}"
    what = state.what if state.mode == MAP else "head"
    words = {"head": f"{layer} · {tr('head {head}', head=answer['head'] + 1)}", "heads": f"{layer} · {tr('mean of its heads')}",
             "layers": tr("mean of the layers · head {head}", head=answer["head"] + 1), "all": tr("mean of all heads"),
             "rollout": tr("rollout to layer {layer}", layer=answer["layer"] + 1)}[what]
    return words if answer["share"] is None else f"{words} · {ARROWS[state.between]} {answer['share']:.0%}"


def notes(answer: dict[str, Any], state: State, *, replayed: int | None, without_probes: bool, set_beforehand: bool) -> list[str]:
    """Sentences. replayed: the probe's step that the session looks at, None where it looks at the newest. without_probes: whether the run
    was trained so. set_beforehand: whether the heads began at near tokens."""
    made = []
    if answer["cut"]:
        made.append(tr("The model reads {limit} tokens; the rest of the text is not shown.", limit=answer["limit"]))
    unknown = [word for word, missing in zip(answer["labels"], answer["unknown"].tolist(), strict=True) if missing]
    if unknown:
        made.append(tr("Not in its vocabulary: {words}.", words=" ".join(dict.fromkeys(unknown))))
    if state.pair.strip() and not answer["paired"]:
        made.append(tr("It knows no pairs: the second sentence follows the first."))
    elif answer["untrained"]:
        made.append(tr("It was not trained on pairs: its second segment has learnt nothing."))
    if state.specials == "hide" and state.mode in (GRID, MAP, LINES):
        made.append(tr("Special tokens are hidden: rows sum to less than 1."))
    if replayed is not None and answer["source"] == "checkpoint" and answer["step"] != replayed:
        made.append(tr("Seen at a saved checkpoint: its probes hold another sentence."))
    if without_probes:
        made.append(tr("Seen at a saved checkpoint: it was trained without probes, so there are no steps to replay."))
    if set_beforehand:
        made.append(tr("Its heads were set to look at near tokens before the first step: what they have learnt is what differs from step 0."))
    return made
