"""The training of several runs as a film: points that come apart, and their auc beneath, as an animated SVG, GIF, WebP or PNG files.

A film is made of frames on one axis of steps. Between two probes a run's points are drawn on the straight way from one to the other;
before its first and after its last probe they stand still.
"""

from __future__ import annotations

import html
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import UserError
from core.i18n import tr
from core.whole import unwritable, whole_file

FRAMES = 60
FRAME_MS = 100
LAST_MS = 1500  # the last frame stays
FORMATS = (".svg", ".gif", ".webp", ".png")
SEEN = 0.99  # of all coordinates, within the edge
WIDTH, PICTURE, CHART, GAP, HEAD = 960, 260, 140, 16, 64  # of the SVG, in its own units
SHAPES = {"o": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", "s": "M-3.6-3.6h7.2v7.2h-7.2z",
          "t1": "M0-5l4.6 8h-9.2z", "d": "M0-5.2l3.8 5.2l-3.8 5.2l-3.8-5.2z",
          "star": "M0-5.4L1.3-1.8L5.1-1.7L2.2.7L3.2 4.4L0 2.3L-3.2 4.4L-2.2.7L-5.1-1.7L-1.3-1.8z", "p": "M0-4.8L4.6-1.5L2.8 3.9h-5.6L-4.6-1.5z",
          "h": "M0-4.6L4-2.3v4.6L0 4.6L-4 2.3v-4.6z", "t": "M0 5l4.6-8h-9.2z"}  # sense i has symbol i


@dataclass(frozen=True, kw_only=True)
class Reel:
    """One run. steps: of its probes, rising; xy: (steps, points, 2); auc: (steps) or None. groups: (steps, points) as of
    core.analysis.window.replay; None where the places alone tell which points are one."""

    title: str
    colour: str
    steps: Sequence[int]
    xy: np.ndarray
    auc: Sequence[float | None]
    groups: np.ndarray | None = None

    @property
    def members(self) -> list[np.ndarray]:
        """Of each point that is drawn those that it stands for, which are one at every step. What is nowhere is in none."""
        look = np.swapaxes(self.xy + 0.0 if self.groups is None else self.groups, 0, 1)  # 0.0 and -0.0 are one
        found: dict[bytes, list[int]] = {}
        for point in np.flatnonzero(np.isfinite(self.xy).all(axis=2).any(axis=0)).tolist():
            found.setdefault(look[point].tobytes(), []).append(point)
        return [np.array(points) for points in found.values()]

    @property
    def half(self) -> float:
        """Half the width that is seen: it holds nearly all points of all steps; the few beyond it are drawn at the edge (`seen`)."""
        known = np.abs(self.xy[np.isfinite(self.xy)])
        return max(float(np.quantile(known, SEEN)) * 1.1, 1e-6) if known.size else 1.0

    @property
    def is_one_point(self) -> bool:
        """At every step."""
        members = self.members
        return len(members) == 1 and len(members[0]) > 1


@dataclass(frozen=True, kw_only=True)
class Film:
    """senses: (title, colour, symbol of core.pictures.film.SHAPES) of each; categories: (points) the sense of each.

    surface, text, soft, border: colours.
    """

    title: str
    reels: Sequence[Reel]
    senses: Sequence[tuple[str, str, str]]
    categories: Sequence[int]
    surface: str = "#ffffff"
    text: str = "#1a1c20"
    soft: str = "#50555f"
    border: str = "#deded8"

    def times(self, frames: int = FRAMES) -> np.ndarray:
        """(frames) steps, evenly from the first probe to the last of all runs."""
        first, last = min(reel.steps[0] for reel in self.reels), max(reel.steps[-1] for reel in self.reels)
        return np.linspace(first, last, frames)


def places(steps: Sequence[int], xy: np.ndarray, time: float) -> np.ndarray:
    """(points, 2) of a run at a time: on the way between the two probes around it. A point that is nowhere in one is where the other has it."""
    after = int(np.searchsorted(steps, time))
    if after == 0:
        return xy[0]
    if after == len(steps):
        return xy[-1]
    share = (time - steps[after - 1]) / (steps[after] - steps[after - 1])
    start, end = xy[after - 1], xy[after]
    middle = start + share * (end - start)
    return np.where(np.isfinite(middle), middle, np.where(np.isfinite(start), start, end))


def seen(xy: np.ndarray, half: float) -> np.ndarray:
    """What lies beyond the edge, at the edge."""
    return np.clip(xy, -half, half)


def step_at(steps: Sequence[int], time: float) -> int:
    """The newest probe that is not after that time."""
    return int(steps[max(int(np.searchsorted(steps, time, side="right")) - 1, 0)])


def write_svg(film: Film, path: Path, frames: int = FRAMES) -> None:
    """An SVG that plays by itself in a browser, its words as text. UserError where it cannot be written."""
    times = film.times(frames)
    seconds = frames * FRAME_MS / 1000 + LAST_MS / 1000
    turn = frames * FRAME_MS / 1000 / seconds  # the share of the time in which something moves
    keys = ";".join(f"{turn * number / (frames - 1):.4f}" for number in range(frames)) + ";1"
    many = len(film.reels)
    wide = (WIDTH - GAP * (many + 1)) / many
    height = HEAD + PICTURE + 2 * GAP + CHART + GAP + 20

    def animated(name: str, values: Sequence[str], kind: str = "animate", more: str = "") -> str:
        said = ";".join([*values, values[-1]])
        return f'<{kind} attributeName="{name}" {more}dur="{seconds:.2f}s" repeatCount="indefinite" keyTimes="{keys}" values="{said}"/>'

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="14" fill="{film.text}">',
             f'<rect width="{WIDTH}" height="{height}" fill="{film.surface}"/>',
             f'<text x="{GAP}" y="28" font-size="20" font-weight="bold">{html.escape(film.title)}</text>']
    left = GAP + 24.0 + 20 * len(film.title)
    for title, colour, symbol in film.senses:
        parts.append(f'<path transform="translate({left:.0f} 22) scale(1.4)" d="{SHAPES.get(symbol, SHAPES["o"])}" fill="{colour}"/>'
                     f'<text x="{left + 12:.0f}" y="27">{html.escape(title)}</text>')
        left += 40 + 15 * len(title)
    for number, reel in enumerate(film.reels):
        x = GAP + number * (wide + GAP)
        size = min(wide, PICTURE) / 2 - 8
        parts.append(f'<text x="{x:.1f}" y="{HEAD - 8}" font-weight="bold" fill="{reel.colour}">{html.escape(reel.title)}</text>')
        parts.append(f'<rect x="{x:.1f}" y="{HEAD}" width="{wide:.1f}" height="{PICTURE}" rx="6" fill="none" stroke="{film.border}"/>')
        parts.append(f'<g transform="translate({x + wide / 2:.1f} {HEAD + PICTURE / 2})">')
        drawn = seen(np.stack([places(reel.steps, reel.xy, time) for time in times]), reel.half) / reel.half * size  # (frames, points, 2)
        for members in reel.members:
            way = drawn[:, members[0]]
            if np.isfinite(way).all():
                kinds = {film.categories[point] for point in members}
                _, colour, symbol = film.senses[kinds.pop()] if len(kinds) == 1 else ("", film.soft, "o")
                values = [f"{a:.1f} {-b:.1f}" for a, b in way.tolist()]
                count = f'<text y="-9" font-size="12" text-anchor="middle" fill="{film.soft}">×{len(members)}</text>' if len(members) > 1 else ""
                parts.append(f'<g transform="translate({values[-1]})"><path d="{SHAPES.get(symbol, SHAPES["o"])}" fill="{colour}" '
                             f'fill-opacity="0.85"/>{count}' + animated("transform", values, "animateTransform", 'type="translate" ') + "</g>")
        parts.append("</g>")
    parts += _chart(film, times, animated)
    with whole_file(path) as part:
        part.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _chart(film: Film, times: np.ndarray, animated: Callable[..., str]) -> list[str]:
    """The auc over the steps, with a cursor that moves with the film."""
    top, left = HEAD + PICTURE + 2 * GAP, GAP + 36.0
    wide = WIDTH - left - GAP
    low = math.floor(min([0.4, *(value for reel in film.reels for value in reel.auc if value is not None)]) * 10) / 10

    def at(step: float, value: float) -> tuple[float, float]:
        return left + (step - times[0]) / max(times[-1] - times[0], 1e-9) * wide, top + CHART * (1 - value) / (1 - low)

    made = [f'<text x="{GAP}" y="{top - 8}" font-size="12" fill="{film.soft}">AUC</text>']
    for value in [mark for mark in (0.0, 0.25, 0.5, 0.75, 1.0) if mark >= low]:
        y = at(times[0], value)[1]
        made.append(f'<line x1="{left}" x2="{left + wide:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{film.border}"/>'
                    f'<text x="{left - 6}" y="{y + 4:.1f}" font-size="12" text-anchor="end" fill="{film.soft}">{value:g}</text>')
    for reel in film.reels:
        known = [at(step, value) for step, value in zip(reel.steps, reel.auc, strict=True) if value is not None]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in known)
        made.append(f'<polyline points="{points}" fill="none" stroke="{reel.colour}" stroke-width="2.5"/>')
    xs = [f"{at(time, 0.5)[0]:.1f}" for time in times.tolist()]
    made.append(f'<line x1="{xs[-1]}" x2="{xs[-1]}" y1="{top - 4}" y2="{top + CHART}" stroke="{film.text}" stroke-width="2">'
                + animated("x1", xs) + animated("x2", xs) + "</line>")
    for x, anchor, step in ((left, "start", times[0]), (left + wide, "end", times[-1])):
        made.append(f'<text x="{x:.1f}" y="{top + CHART + 20}" font-size="12" text-anchor="{anchor}" fill="{film.soft}">'
                    f'{html.escape(tr("step {step:,}", step=int(step)))}</text>')
    return made


def assemble(frames: Sequence[str], path: str, ms: int = FRAME_MS, last_ms: int = LAST_MS) -> int:
    """Put image files together to a .gif or .webp that repeats, or copy them to PATH-0001.png and so on. Returns how many bytes that are.

    UserError where it cannot be written.
    """
    target = Path(path)
    try:
        if target.suffix.lower() == ".png":
            made = [_frame_path(target, number) for number in range(1, len(frames) + 1)]
            for source, copy in zip(frames, made, strict=True):
                shutil.copyfile(source, copy)
            return sum(copy.stat().st_size for copy in made)
        from PIL import Image

        images = [Image.open(frame).convert("RGB") for frame in frames]
        lasts = [ms] * (len(images) - 1) + [last_ms]
        with whole_file(target) as part:
            if target.suffix.lower() == ".gif":
                palette = images[len(images) // 2].quantize(255)  # one for all: nothing flickers
                reduced = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
                reduced[0].save(part, "GIF", save_all=True, append_images=reduced[1:], duration=lasts, loop=0, optimize=True)
            else:
                images[0].save(part, "WEBP", save_all=True, append_images=images[1:], duration=lasts, loop=0, quality=85, method=3)
        return target.stat().st_size
    except OSError as error:
        raise unwritable(target, error) from error


def _frame_path(target: Path, number: int) -> Path:
    return target.with_name(f"{target.stem}-{number:04}.png")


def files_in_words(path: Path, frames: int) -> str:
    """Where a film of so many frames lies that `assemble` has written."""
    return str(path) if path.suffix.lower() != ".png" else f"{_frame_path(path, 1)} ... {_frame_path(path, frames).name}"


def suffix_of(path: Path) -> str:
    """UserError where a film cannot be of that kind."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise UserError(tr("A film is written as {kinds}, not as '{suffix}'.", kinds=" ".join(FORMATS), suffix=suffix or Path(path).name),
                        tr("Give the file one of these endings."), where="out")
    return suffix
