"""The questions of the map to the engine, and a layout that is under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QObject

from core.i18n import sentences, tr
from core.vector_source import VectorSource
from gui.engine import Call, Engine
from gui.projections import TSNE
from gui.views.embeddings.state import AXES, Layout

PLACE = "core.analysis.maps:"
Picture = Callable[[np.ndarray | None, float, str], None]
Laid = Callable[[np.ndarray | None, str], None]
Refused = Callable[[str, str], None]


@dataclass(eq=False)
class _Job:
    """A layout that is under way. asked: its arguments for the engine."""

    method: str
    asked: dict[str, Any]
    on_picture: Picture
    on_done: Laid
    on_error: Refused
    call: Call | None = None
    iteration: int = 0
    held: bool = field(default=False)


class Answers(QObject):
    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._job: _Job | None = None
        self._reading: Call | None = None
        self.given: tuple[VectorSource, Layout | None, np.ndarray] | None = None  # a picture from a file, and of what it is

    def open(self, source: VectorSource, on_done: Callable[[dict[str, Any]], None], on_error: Refused,
             on_progress: Callable[[str, int, int], None]) -> None:
        self._reading = self._engine.call("core.analysis.embeddings:open_source", {"source": source}, on_done=on_done, on_error=on_error,
                                          on_progress=on_progress, key="embeddings/open", owner=self)

    def stop_reading(self) -> None:
        self._engine.cancel(self._reading)

    # layouts

    @property
    def descending(self) -> bool:
        """Whether t-SNE is under way and has made a picture."""
        return self._job is not None and self._job.iteration > 1

    def lay_out(self, source: VectorSource, layout: Layout, rows: np.ndarray | None, pairs: Sequence[tuple[int, int]], *, known_only: bool,
                on_picture: Picture, on_done: Laid, on_error: Refused) -> None:
        """on_picture(xy or None, share done or -1, words) on the way, then on_done(xy, words): None where known_only and it was never made."""
        self.stop_layout()
        given, self.given = self.given, None
        if given is not None and given[:2] == (source, layout):
            on_done(given[2], "")
            return
        asked = {"source": source, "dimensions": layout.dimensions, "measure": layout.measure, "rows": rows, "options": layout.options}
        job = self._job = _Job(layout.method, asked, on_picture, on_done, on_error)
        if layout.method == AXES:
            self._ask(job, "axes", {"source": source, "pairs": list(pairs), "measure": layout.measure}, partial(self._whole, job))
        else:
            known = known_only or layout.method == TSNE
            after = partial(self._known, job, known_only) if known else partial(self._whole, job)
            self._ask(job, "project", {**asked, "method": layout.method, "known_only": known}, after, partial(self._on_the_way, job))

    def hold(self, held: bool) -> None:
        """Pause t-SNE between two steps, or go on."""
        job = self._job
        if job is not None and job.method == TSNE:
            job.held = held
            if not held and job.call is None:
                self._descend(job)

    def stop_layout(self) -> str:
        """End what is under way; what to say of it."""
        job, self._job = self._job, None
        if job is None:
            return ""
        self._engine.cancel(job.call)
        return tr("Stopped after {count} steps. “Lay out” goes on from there.", count=job.iteration) if job.method == TSNE and job.iteration \
            else tr("Stopped.")

    def _ask(self, job: _Job, name: str, asked: dict[str, Any], on_done: Callable[[dict[str, Any]], None],
             on_progress: Callable[..., None] | None = None) -> None:
        job.call = self._engine.call(PLACE + name, asked, on_done=on_done, on_error=partial(self._failed, job), on_progress=on_progress,
                                     key="embeddings/layout", owner=self)

    def _on_the_way(self, job: _Job, done: float) -> None:
        if job is self._job:
            job.on_picture(None, done or -1, tr("The layout is being made..."))

    def _known(self, job: _Job, known_only: bool, found: dict[str, Any]) -> None:
        if job is not self._job:
            return
        if found:
            self._whole(job, found)
        elif job.method != TSNE:
            self._end(job, None, "")
        elif known_only:
            self._ask(job, "descend", {**job.asked, "known_only": True}, partial(self._underway, job))
        else:
            job.on_picture(None, -1, tr("Finding the neighbours of every vector..."))
            self._descend(job)

    def _underway(self, job: _Job, found: dict[str, Any]) -> None:
        """Of a descent that was begun before: it waits until the person wants it to go on."""
        self._end(job, found.get("xy"), tr("Stopped after {count} steps. “Lay out” goes on from there.", count=found["iteration"]) if found else "")

    def _descend(self, job: _Job) -> None:
        self._ask(job, "descend", job.asked, partial(self._descended, job), partial(self._stepped, job))

    def _stepped(self, job: _Job, iteration: int, xy: np.ndarray | None, number: float) -> None:
        if job is not self._job:
            return
        if xy is None:
            job.on_picture(None, number or -1, tr("Finding the neighbours of every vector..."))
            return
        job.iteration = iteration
        job.on_picture(xy, -1, tr("step {step} · divergence {divergence:.3f}", step=iteration, divergence=number))

    def _descended(self, job: _Job, found: dict[str, Any]) -> None:
        if job is not self._job or not found:
            return
        job.call, job.iteration = None, found["iteration"]
        words = tr("step {step} of {count} · divergence {divergence:.3f}", step=found["iteration"], count=found["iterations"],
                   divergence=found["divergence"])
        if found["done"]:
            self._end(job, found["xy"], words)
            return
        job.on_picture(None, found["iteration"] / found["iterations"], words)
        if not job.held:
            self._descend(job)

    def _whole(self, job: _Job, found: dict[str, Any]) -> None:
        if job is self._job:
            share = found.get("share") or []
            words = tr("The axes hold {shares} of the variance.", shares=" + ".join(f"{part:.0%}" for part in share)) if len(share) else ""
            self._end(job, found["xy"], words)

    def _failed(self, job: _Job, message: str, hint: str) -> None:
        if job is self._job:
            self._job = None
            job.on_error(message, hint)

    def _end(self, job: _Job, xy: np.ndarray | None, words: str) -> None:
        job.on_done(xy, words)
        if job is self._job:
            self._job = None

    # the rest

    def badge(self, source: VectorSource, measure: str, xy: np.ndarray, on_done: Callable[[dict[str, Any]], None]) -> None:
        self._engine.call(PLACE + "badge", {"source": source, "measure": measure, "xy": xy}, on_done=on_done, on_error=_nothing,
                          key="embeddings/badge", owner=self)

    def clusters(self, source: VectorSource, method: str, measure: str, rows: np.ndarray | None, k: int,
                 on_done: Callable[[str, dict[str, Any]], None], on_error: Refused) -> None:
        self._engine.call(PLACE + "clusters", {"source": source, "method": method, "measure": measure, "rows": rows, "k": k},
                          on_done=partial(on_done, method), on_error=on_error, key="embeddings/colour", owner=self)

    def counts(self, source: VectorSource, on_done: Callable[[np.ndarray], None], on_error: Refused,
               on_progress: Callable[[str, int, int], None]) -> None:
        self._engine.call("core.analysis.embeddings:counts", {"source": source}, on_done=on_done, on_error=on_error, on_progress=on_progress,
                          key="embeddings/colour", owner=self)

    def neighbours(self, source: VectorSource, row: int, measure: str, on_done: Callable[[int, str, dict[str, Any]], None],
                   on_error: Callable[[str], None]) -> None:
        self._engine.call(PLACE + "neighbours", {"source": source, "row": row, "measure": measure}, on_done=partial(on_done, row, measure),
                          on_error=partial(_joined, on_error), key="embeddings/near", owner=self)

    def analogy(self, source: VectorSource, rows: list[int], measure: str, on_done: Callable[[list[int], dict[str, Any]], None],
                on_error: Refused) -> None:
        a, b, c = rows
        self._engine.call(PLACE + "analogy", {"source": source, "a": a, "b": b, "c": c, "measure": measure}, on_done=partial(on_done, rows),
                          on_error=on_error, key="embeddings/near", owner=self)


def _joined(told: Callable[[str], None], message: str, hint: str) -> None:
    told(sentences(message, hint))


def _nothing(_message: str, _hint: str) -> None:
    """A picture without a badge says enough."""
