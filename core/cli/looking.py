"""Verbs that look inside a run, and save what they see as a figure."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.cli.parser import Number
from core.errors import UserError
from core.i18n import tr
from core.runs import Run

MOST_ROWS = 40  # of a table in the terminal
LEAST_SHOWN = 0.005  # a weight there
CELL_INCHES, LEAST_INCHES, MOST_INCHES = 0.34, 3.6, 16.0  # of a heat map's cells and of its side


def add_verbs(verb: Callable[[str, Callable[[Any], int | None], str], argparse.ArgumentParser]) -> None:
    add = verb("attention", attention, tr("show where a run's attention heads look"))
    add.add_argument("run", type=Path, metavar="DIR")
    add.add_argument("--text", required=True, help=tr("the sentence"))
    add.add_argument("--pair", default="", help=tr("a second sentence"))
    add.add_argument("--layer", type=Number(), help=tr("the first is 1; without it the last one"))
    add.add_argument("--head", type=Number(), help=tr("the first is 1; without it the mean of all heads of the layer"))
    add.add_argument("--step", type=Number(least=0), help=tr("an earlier step of the training"))
    add.add_argument("--tokens", action="store_true", help=tr("tokens instead of words"))
    add.add_argument("--hide-specials", action="store_true", help=tr("leave out special tokens; rows are made to sum to 1 again"))
    add.add_argument("--rollout", action="store_true", help=tr("attention rollout up to the layer"))
    add.add_argument("--out", type=Path, metavar="FILE", help=tr("save a figure: .svg, .pdf or .png"))
    add.add_argument("--json", action="store_true")


def attention(parsed: argparse.Namespace) -> int:
    from core.pictures import figures

    if parsed.out:
        figures.suffix_of(parsed.out)
    if not parsed.text.strip():
        raise UserError(tr("There is no sentence yet."), tr("Write one behind --text."), where="text")
    opened = Run.open(parsed.run)
    answer, what = _look(opened, parsed)
    title = _title(opened, answer, what)
    if answer["cut"]:
        print(tr("The model reads {limit} tokens; the rest of the text is not shown.", limit=answer["limit"]), file=sys.stderr)
    if parsed.out:
        _save_map(answer, title, parsed.out)
    if parsed.json:
        print(json.dumps({"run": opened.name, "step": answer["step"], "layer": answer["layer"] + 1, "head": None if what != "head" else
                          answer["head"] + 1, "what": what, "words": answer["labels"], "special": answer["special"].tolist(),
                          "sentence": answer["sentence"].tolist(), "weights": answer["weights"].round(6).tolist(),
                          "heads": {name: _plain(values) for name, values in answer["table"].items()}}, ensure_ascii=False, indent=1))
        return 0
    print(title)
    labels, weights = answer["labels"], answer["weights"]
    for row in range(min(len(labels), MOST_ROWS)):
        strongest = [column for column in weights[row].argsort()[::-1][:5] if weights[row, column] >= LEAST_SHOWN]
        print(f"  {labels[row]}\t" + "  ".join(f"{labels[column]} {weights[row, column]:.2f}" for column in strongest))
    if len(labels) > MOST_ROWS:
        print("  " + tr("and {count} more; --json gives all of them", count=len(labels) - MOST_ROWS))
    print(tr("head, entropy in bits, distance in words, share on the previous, the next and the same word"))
    table = answer["table"]
    for layer in range(answer["layers"]):
        for head in range(answer["heads"]):
            print(f"  {layer + 1}.{head + 1}\t" + "\t".join(_figure(table[name][layer, head]) for name in
                                                          ("entropy", "distance", "previous", "next", "same")))
    if parsed.out:
        print(tr("Saved as {path}.", path=parsed.out))
    return 0


def _figure(value: float) -> str:
    """Of a head; NaN where the sentence has no such words."""
    return "–" if value != value else f"{value:.2f}"


def _look(run: Run, parsed: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """The answer, and what it is of: a head, the mean of the layer's heads, or the rollout."""
    from core.analysis import attention as maths
    from core.analysis import attention_window as window
    from core.analysis import reading

    window.require_attention(run)
    model = run.config.model
    for name, value, most in (("--layer", parsed.layer, model.num_layers), ("--head", parsed.head, model.num_heads)):
        if value is not None and not 1 <= value <= most:
            raise UserError(tr("{name} is {value}; this run has 1 to {most}.", name=name, value=value, most=most))
    what = maths.ROLLOUT if parsed.rollout else maths.HEADS if parsed.head is None else maths.HEAD
    layer = (parsed.layer or model.num_layers) - 1
    answer = window.attention(str(run.path), parsed.text, pair=parsed.pair, step=parsed.step, what=what, layer=layer, head=(parsed.head or 1) - 1,
                              units=reading.TOKENS if parsed.tokens else reading.WORDS, parts=(window.WEIGHTS, window.TABLE),
                              specials=maths.RENORMALISE if parsed.hide_specials else maths.KEEP)
    if parsed.step is not None and answer["step"] != parsed.step:  # it took the nearest one, as the window does
        own = not parsed.pair.strip() and parsed.text == window.own_sentence(run)
        steps = sorted({*run.checkpoint_steps(), *(run.probe_steps() if own else ())})
        raise UserError(tr("Of step {step} nothing is left that could read this sentence.", step=parsed.step),
                        tr("There are: {names}.", names=", ".join(map(str, steps))))
    return answer, what


def _title(run: Run, answer: dict[str, Any], what: str) -> str:
    words = {"head": tr("layer {layer}, head {head}", layer=answer["layer"] + 1, head=answer["head"] + 1),
             "heads": tr("layer {layer}, mean of its heads", layer=answer["layer"] + 1),
             "rollout": tr("rollout up to layer {layer}", layer=answer["layer"] + 1)}[what]
    return f"{run.name} · {words} · {tr('step {step:,}', step=answer['step'])}"


def _save_map(answer: dict[str, Any], title: str, path: Path) -> None:
    from core.pictures import figures

    labels, weights = answer["labels"], answer["weights"]
    side = min(max(CELL_INCHES * len(labels) + 1.2, LEAST_INCHES), MOST_INCHES)
    with figures.figure(side + 1.0, side) as drawn:
        axis = drawn.subplots()
        every = max(1, round(len(labels) / (side / 0.2)))
        image = axis.imshow(weights, cmap=figures.ramp(), vmin=0, interpolation="nearest")
        places = range(0, len(labels), every)
        axis.set_xticks(places, [labels[place] for place in places], rotation=90)
        axis.set_yticks(places, [labels[place] for place in places])
        axis.xaxis.tick_top()
        axis.tick_params(length=0)
        axis.set_xlabel(tr("to"))
        axis.set_ylabel(tr("from"))
        axis.set_title(title, fontsize=11)
        drawn.colorbar(image, ax=axis, shrink=0.7, label=tr("attention"))
        note = figures.save(drawn, path)
    if note:
        print(note, file=sys.stderr)


def _plain(values: Any) -> list[list[float | None]]:
    """(layers, heads) as lists; NaN, which JSON does not know, as None."""
    return [[None if value != value else round(float(value), 6) for value in row] for row in values]
