"""One run in the film of the senses: its points on their way, and the step they have reached."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QStackedLayout, QVBoxLayout, QWidget

from core.errors import UserError
from core.film import Reel, places, seen, step_at
from core.i18n import tr
from gui import theme
from gui.widgets.chips import Dot
from gui.widgets.elided import Elided
from gui.widgets.labels import label, row
from gui.widgets.scatter import Scatter
from gui.widgets.sense_text import marked

if TYPE_CHECKING:
    from core.text.specimens import Specimen

ROOM = 0.55  # of half the height: so much lower a single point stands
MIXED = -1  # the category of a point that stands for several senses


def card(specimen: Specimen, number: int, title: str) -> str:
    """Rich text: a sentence with its word in the colour of its sense, and that sense."""
    try:
        span = specimen.span
    except UserError:
        span = (0, 0)
    return (f'{marked(specimen.text, *span, theme.sense_colour(number).name())}<br>'
            f'<span style="color:{theme.current().text_soft}">{html.escape(title)}</span>')


class ReelPanel(QFrame):
    def __init__(self, colour: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setMinimumWidth(112)
        self._reel: Reel | None = None
        self._shown = slice(None)
        stripe = QFrame()
        stripe.setFixedHeight(4)
        stripe.setStyleSheet(f"background: {colour}; border: none; border-radius: 2px;")
        name = Elided(title, "large")
        name.setStyleSheet("font-weight: 700;")
        self._step = label("", "small")
        self.scatter = Scatter(size=11)
        self.scatter.set_equal_scale(True)
        self.message = label("", "soft", wrap=True)
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.message)
        self._stack.addWidget(self.scatter)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        column.setSpacing(theme.XS)
        column.addWidget(stripe)
        column.addWidget(row(Dot(colour, 14), name))
        column.addWidget(self._step)
        column.addLayout(self._stack, 1)

    def say(self, words: str) -> None:
        self._reel = None
        self._step.setText("")
        self.message.setText(words)
        self._stack.setCurrentWidget(self.message)

    def show_reel(self, reel: Reel, categories: Sequence[int], hard: Sequence[bool], cards: Sequence[str] = ()) -> None:
        """cards: rich text for each point. Then `show_at`."""
        self._reel = reel
        self._shown = slice(0, 1) if reel.is_one_point else slice(None)
        last = seen(places(reel.steps, reel.xy, reel.steps[-1]), reel.half)
        self.scatter.set_points(last[self._shown], [MIXED] if reel.is_one_point else categories, hard=None if reel.is_one_point else hard,
                                notes=[tr("{count} sentences,\none point", count=len(last))] if reel.is_one_point else (),
                                cards=() if reel.is_one_point else cards)
        if reel.is_one_point:
            self.scatter.set_axes("", "")  # there is no direction
        half = reel.half * 1.08
        low = -half * (1 - ROOM if reel.is_one_point else 1)
        self.scatter.set_range((-half, half), (low, low + 2 * half))
        self._stack.setCurrentWidget(self.scatter)

    def show_at(self, time: float) -> None:
        if self._reel is None:
            return
        self.scatter.move_points(seen(places(self._reel.steps, self._reel.xy, time), self._reel.half)[self._shown])
        self._step.setText(tr("step {step:,}", step=step_at(self._reel.steps, time)))

    @property
    def xy(self) -> np.ndarray:
        return self.scatter._xy
