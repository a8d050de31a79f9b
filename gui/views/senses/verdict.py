"""What the figures of a run allow to be said, in plain words, and never more."""

from __future__ import annotations

from typing import Any

from core.i18n import tr

ENOUGH = 5  # sentences of a sense: of fewer all are right by luck too often, and their interval is a point


def verdict(figures: dict[str, Any], bag: dict[str, Any] | None) -> tuple[str, str]:
    """(tone, sentence) of `core.analysis.window.figures` and `bag`. tone: "good" where it reads the context, else "soft".

    bag: None while it is not known yet, {} where the run has no checkpoint to take static vectors from.
    """
    chance, best = 1 / figures["senses"], figures["best"]
    low, high = best["interval"]
    if figures["same"]:
        if figures["layers"] == 1:
            return "soft", tr("One vector, whatever the sentence says.")
        if figures["layer"] == 0:
            return "soft", tr("Before the first layer the word has one vector, whatever the sentence says.")
        return "soft", tr("This layer gives one vector, whatever the sentence says.")
    if figures["layer"] == 0 and figures["layers"] > 1:
        return "soft", tr("The embedding layer has not read the sentence: what differs is only the word's place or form.")
    if low <= chance:
        return "soft", tr("So far it does not tell the senses apart better than chance.")
    if figures["all"]["specimens"] < ENOUGH * figures["senses"]:
        return "soft", tr("Too few sentences to say more: add some, until each sense has {count}.", count=ENOUGH)
    if figures["place"] is not None and low <= figures["place"]:
        return "soft", tr("So far it tells the senses apart no better than the word's place in the sentence does.")
    if bag is None or "error" in bag:
        return "soft", tr("In layer {layer} it tells the senses apart. Whether it reads the context is not measured yet.", layer=best["layer"])
    if not bag:
        return "soft", tr("In layer {layer} it tells the senses apart. Whether it reads the context shows when it has a checkpoint.",
                          layer=best["layer"])
    control = bag["all"]["centroid_accuracy"]
    if low <= control:
        return "soft", tr("So far it has shown only that the neighbours differ, not that it reads the context.")
    return "good", tr("It reads the context: in layer {layer}, {accuracy:.0%} are right ({low:.0f} to {high:.0f}); the bag of context reaches "
                      "{bag:.0%}.", layer=best["layer"], accuracy=best["centroid_accuracy"], low=100 * low, high=100 * high, bag=control)
