"""What the parts of the map's view share: the vectors that are open, their picture, and what is chosen of them."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QObject

from core.i18n import tr
from core.vector_source import OCCURRENCES, VectorSource
from gui import theme
from gui.views.embeddings.answers import Answers
from gui.views.embeddings.colours import column_title, value_title
from gui.views.embeddings.selection import Selection
from gui.views.embeddings.state import MapState
from gui.widgets.point_map import PointMap
from gui.widgets.sense_text import marked


class Scene(QObject):
    """opened: the answer of core.analysis.embeddings.open_source, None while nothing is open. xy: the picture, None before the first.

    keep: remembers the state; call it after every change a person makes.
    """

    def __init__(self, state: MapState, answers: Answers, map_: PointMap, keep: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self.state, self.answers, self.map, self.keep = state, answers, map_, keep
        self.opened: dict[str, Any] | None = None
        self.xy: np.ndarray | None = None
        self.selection = Selection(self)
        self._rows: dict[str, int] = {}

    @property
    def source(self) -> VectorSource | None:
        return self.state.source

    def open(self, found: dict[str, Any] | None) -> None:
        self.opened, self.xy, self._rows = found, None, {}
        for row, word in enumerate(found["words"] if found else ()):
            self._rows.setdefault(word, row)

    @property
    def count(self) -> int:
        return 0 if self.opened is None else self.opened["count"]

    def row(self, word: str) -> int:
        """The first row of a word, or -1."""
        return self._rows.get(word, -1)

    def name(self, row: int) -> str:
        """A word, or of an occurrence its sentence."""
        return self.opened["texts"][row] if self.opened["texts"] else self.opened["words"][row]

    def card(self, row: int) -> str:
        """Rich text: the word, its sentence, and what else is known of it."""
        found, look = self.opened, theme.current()
        lines = [f'<b style="font-size:{theme.px("large")}px">{html.escape(found["words"][row])}</b>']
        if found["texts"]:
            lines.append(marked(found["texts"][row], *(int(part) for part in found["spans"][row]), look.accent))
        for name, values in found["columns"].items():
            value = values[row]
            words = value_title(name, value) if isinstance(value, str) else f"{float(value):,.4g}"
            if name != "word":
                lines.append(f'<span style="color:{look.text_soft}">{html.escape(column_title(name))}: {html.escape(words)}</span>')
        return "<br>".join(lines)

    def status(self) -> str:
        """How many vectors there are, how many of them are seen, and why the others are not."""
        found = self.opened
        if found is None:
            return ""
        parts = [tr("{count:,} vectors of {size} numbers", count=found["count"], size=found["size"])]
        if self.source.kind == OCCURRENCES:
            parts.append(tr("in layer {layer}", layer=self.source.layer) if self.source.layer >= 0 else tr("in the last layer"))
        if found["total"] > found["count"]:
            parts.append(tr("The text holds {count}; the first {most} were taken.", count=found["total"], most=found["count"]))
        if found["nan"]:
            parts.append(tr("{count:,} are no numbers or out of the model's reach", count=found["nan"]))
        if found["zero"]:
            parts.append(tr("{count:,} point nowhere", count=found["zero"]))
        if found["same"]:
            parts.append(tr("all are one and the same vector"))
        if self.xy is not None:
            laid = int(np.isfinite(self.xy).all(axis=1).sum())
            if laid < found["count"]:
                parts.append(tr("{count:,} are laid out", count=laid))
            if self.selection.shown is not None:
                parts.append(tr("{count:,} are isolated", count=len(self.selection.shown)))
            if len(self.selection.chosen):
                parts.append(tr("{count:,} selected", count=len(self.selection.chosen)))
        return " · ".join(parts)

    def table(self) -> tuple[list[str], Any]:
        """The picture's numbers: the names of the columns, and the rows."""
        if self.opened is None or self.xy is None:
            return ["word"], []
        names = ["x", "y", "z"][: self.xy.shape[1]]
        return ["word", *(["sentence"] if self.opened["texts"] else []), *names, *self.opened["columns"]], self._table_rows()

    def _table_rows(self) -> Any:
        found = self.opened
        for row in np.flatnonzero(np.isfinite(self.xy).all(axis=1)).tolist():
            sentence = [found["texts"][row]] if found["texts"] else []
            yield [found["words"][row], *sentence, *self.xy[row].tolist(), *(values[row] for values in found["columns"].values())]
