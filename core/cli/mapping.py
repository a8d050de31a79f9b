"""The verb that lays vectors out in the plane, and saves the picture."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from core.cli import sensing
from core.cli.parser import Number
from core.errors import UserError
from core.i18n import tr
from core.pictures import palette
from core.pictures.label_places import places
from core.registry import PROJECTIONS
from core.runs import Run
from core.vector_source import COSINE, EUCLID, FILE, OCCURRENCES, VOCABULARY, VectorSource

WIDTH, HEIGHT = 10.0, 7.0  # inches
POINT = 72  # of them to an inch
LETTER = 9  # points high
DENSE = 20_000  # points from which they are drawn as density
CELLS = (360, 252)
LABELS = 80


def add_verbs(verb: Callable[[str, Callable[[Any], int | None], str], argparse.ArgumentParser]) -> None:
    add = verb("project", project, tr("lay the vectors of a run or of a file out in the plane"))
    add.add_argument("run", type=Path, metavar="DIR", help=tr("a run's folder, or a file of word vectors"))
    add.add_argument("--out", type=Path, metavar="FILE", help=tr("save a figure: .svg, .pdf or .png"))
    add.add_argument("--method", choices=list(PROJECTIONS), default="pca", help=tr("how the plane is found"))
    add.add_argument("--measure", choices=(COSINE, EUCLID), default=COSINE, help=tr("how vectors are compared"))
    add.add_argument("--words", nargs="+", metavar="WORD", help=tr("every occurrence of these words in the run's text, instead of its vocabulary"))
    add.add_argument("--layer", type=Number(least=0), default=-1, help=tr("of the occurrences: 0 is the embedding layer, without it the last one"))
    add.add_argument("--step", type=Number(least=0), default=-1, help=tr("an earlier step of the training"))
    add.add_argument("--labels", type=Number(least=0), default=LABELS, metavar="N", help=tr("names in the figure at most"))
    add.add_argument("--json", action="store_true", help=tr("print every point"))


def project(parsed: argparse.Namespace) -> int:
    from core.analysis import embeddings, maps
    from core.pictures import figures

    if parsed.out:
        figures.suffix_of(parsed.out)
    source = _source(parsed)
    opened = embeddings.opened_of(source, _said)
    picture = maps.project(source, parsed.method, 2, parsed.measure, on_progress=partial(_laid_out, time.monotonic()))
    xy = picture["xy"]
    found = maps.badge(source, parsed.measure, xy)
    name = Run.open(parsed.run).name if source.kind != FILE else parsed.run.name
    name = name.encode("utf-8", "replace").decode("utf-8")  # no font has what is no text
    title = f"{name} · {', '.join(source.words) or tr('vocabulary')} · {parsed.method}"
    if parsed.out and (note := _draw(xy, opened.words, opened.columns, title, found, parsed)):
        print(note, file=sys.stderr)
    there = np.flatnonzero(np.isfinite(xy).all(axis=1)).tolist()
    if parsed.json:
        rows = [{"word": opened.words[row], **({"text": opened.texts[row]} if opened.texts else {}), "x": round(float(xy[row, 0]), 5),
                 "y": round(float(xy[row, 1]), 5)} for row in there]
        print(json.dumps({"run": name, "method": parsed.method, "measure": parsed.measure, "vectors": len(opened.words), "laid_out": len(there),
                          "badge": found, "points": rows}, ensure_ascii=False))
        return 0
    print(title)
    print(tr("{count:,} of {all:,} vectors are laid out.", count=len(there), all=len(opened.words)))
    if found:
        print(_badge(found))
    if parsed.out:
        print(tr("Saved as {path}.", path=parsed.out))
    return 0


def _source(parsed: argparse.Namespace) -> VectorSource:
    if parsed.run.is_dir() and (parsed.run / "config.json").exists():
        if parsed.words:
            sensing.require_layer(Run.open(parsed.run), parsed.layer)
            if not any(map(str.strip, parsed.words)):
                raise UserError(tr("No word was given."), tr("Write the words behind --words, with spaces between them."), where="words")
        kind = OCCURRENCES if parsed.words else VOCABULARY
        return VectorSource(kind=kind, path=str(parsed.run), words=tuple(parsed.words or ()), layer=parsed.layer, step=parsed.step)
    if parsed.words:
        raise UserError(tr("Only a run has occurrences of words; {path} is none.", path=parsed.run), tr("Leave --words out."), where="words")
    return VectorSource(kind=FILE, path=str(parsed.run))


def _said(stage: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{stage} {done / total:.0%}" if total else f"\r\033[K{stage}", end="", file=sys.stderr, flush=True)


def _laid_out(begun: float, done: float) -> None:
    from core.cli import duration

    left = (time.monotonic() - begun) * (1 - done) / done if done > 0 else math.inf
    _said(tr("the layout, {left} left:", left=duration(left)) if math.isfinite(left) else tr("the layout"), round(100 * done), 100)


def _badge(found: dict[str, Any]) -> str:
    words = tr("trustworthiness {trust:.2f} · {recall:.0%} of the {k} nearest kept", trust=found["trustworthiness"], recall=found["recall"],
               k=found["neighbours"])
    return words if found["exact"] else words + " · " + tr("{asked:,} of {points:,} points asked", asked=found["asked"], points=found["points"])


def _draw(xy: np.ndarray, words: list[str], columns: dict[str, Any], title: str, found: dict[str, Any], parsed: argparse.Namespace) -> str:
    from core.pictures import figures

    there = np.flatnonzero(np.isfinite(xy).all(axis=1))
    x, y = xy[there].T
    look = palette.LIGHT
    with figures.figure(WIDTH, HEIGHT) as drawn:
        axis = drawn.subplots()
        if len(there) > DENSE:
            counts, across, up = np.histogram2d(x, y, bins=CELLS)
            axis.imshow(np.log1p(counts.T), origin="lower", extent=(across[0], across[-1], up[0], up[-1]), cmap=figures.ramp(), aspect="auto")
            title += " · " + tr("{count:,} points as density", count=len(there))
        else:
            names = list(dict.fromkeys(columns["word"])) if "word" in columns else [""]
            groups = np.array(columns["word"])[there] if "word" in columns else np.full(len(there), "")
            for number, name in enumerate(names):
                mine = groups == name
                axis.scatter(x[mine], y[mine], s=max(4.0, 30 - len(there) / 300), color=look.senses[number % len(look.senses)],
                             marker=figures.MARKERS[number % len(figures.MARKERS)], linewidths=0, alpha=0.85, label=name or None)
            if len(names) > 1:
                axis.legend(loc="upper right")
        axis.set_aspect("equal", adjustable="datalim")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_title(title, fontsize=11)
        if found:
            axis.set_xlabel(_badge(found), fontsize=9)
        if "word" not in columns:
            _name(drawn, axis, xy, words, there[: max(parsed.labels, 0) * 10], parsed.labels)
        return figures.save(drawn, parsed.out)


def _name(drawn: Any, axis: Any, xy: np.ndarray, words: list[str], rows: np.ndarray, most: int) -> None:
    """Labels for the first rows, none on another."""
    drawn.draw_without_rendering()  # settles where the axes stand
    box = axis.get_window_extent()
    scale = POINT / drawn.dpi
    width, height = int(box.width * scale), int(box.height * scale)
    points = (axis.transData.transform(xy[rows]) - [box.x0, box.y0]) * scale
    points[:, 1] = height - points[:, 1]
    sizes = np.array([(sum(LETTER if unicodedata.east_asian_width(letter) in "WF" else LETTER * 0.65 for letter in words[row]) + 2, LETTER * 1.3)
                      for row in rows.tolist()]).reshape(-1, 2)
    for index, left, top in places(points, sizes, width, height, most=most):
        axis.text(left / width, 1 - (top + sizes[index, 1]) / height, words[rows[index]], transform=axis.transAxes, fontsize=LETTER,
                  va="bottom", ha="left")
