"""One run in the film of the senses: its points on their way, and the step they have reached."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QStackedLayout, QVBoxLayout, QWidget

from core.errors import UserError
from core.i18n import tr
from core.pictures.film import Reel, places, seen, step_at
from gui import theme
from gui.widgets.chips import Dot
from gui.widgets.elided import Elided
from gui.widgets.labels import label, row
from gui.widgets.scatter import Scatter
from gui.widgets.sense_text import marked

if TYPE_CHECKING:
    from core.text.specimens import Specimen
    from gui.session import Session

NARROWEST, LEAST_PICTURE = 112, 100  # pixels of a panel's width and a picture's height
ROOM = 0.55  # of half the height: so much lower a single point stands
MIXED = -1  # the category of a point that stands for several senses
CARD_SENTENCES = 4  # at most on the card of a point that stands for many


def card(specimen: Specimen, number: int, title: str) -> str:
    """Rich text: a sentence with its word in the colour of its sense, and that sense."""
    try:
        span = specimen.span
    except UserError:
        span = (0, 0)
    return (f'{marked(specimen.text, *span, theme.sense_colour(number).name())}<br>'
            f'<span style="color:{theme.current().text_soft}">{html.escape(title)}</span>')


def card_of(session: Session, titles: Sequence[str], members: np.ndarray) -> str:
    """Rich text: the sentences of a point. titles: of the senses. members: indices of specimens."""
    specimens = [session.specimens[index] for index in members[:CARD_SENTENCES].tolist()]
    numbers = [session.senses.index(specimen.sense) for specimen in specimens]
    lines = [card(specimen, number, titles[number]) for specimen, number in zip(specimens, numbers, strict=True)]
    if len(members) > CARD_SENTENCES:
        lines.append(html.escape(tr("and {count} more at this point", count=len(members) - CARD_SENTENCES)))
    return "<br>".join(lines)


def looks(members: Sequence[np.ndarray], categories: Sequence[int], hard: Sequence[bool]) -> dict[str, Any]:
    """How points look that stand for these specimens each, as Scatter.set_points takes it. categories, hard: of all specimens."""
    kinds = [{categories[index] for index in one} for one in members]
    alone = len(members) == 1
    return {"categories": [kind.pop() if len(kind) == 1 else MIXED for kind in kinds],
            "hard": [all(hard[index] for index in one) and not alone for one in members],
            "notes": ["" if len(one) == 1 else tr("{count} sentences,\none point", count=len(one)) if alone else f"×{len(one)}" for one in members]}


class ReelPanel(QFrame):
    def __init__(self, colour: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._reel: Reel | None = None
        self._shown = np.zeros(0, dtype=int)  # of each drawn point the specimen that gives its place
        stripe = QFrame()
        stripe.setFixedHeight(4)
        stripe.setStyleSheet(f"background: {colour}; border: none; border-radius: 2px;")
        name = Elided(title, "large")
        name.setStyleSheet("font-weight: 700;")
        title = row(Dot(colour, 14), name)
        name.ensurePolished()
        self._step = label("", "small")
        self.scatter = Scatter(size=11)
        self.scatter.set_equal_scale(True)
        self.scatter.setMinimumHeight(theme.scaled(LEAST_PICTURE))
        self.message = label("", "soft", wrap=True)
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.message)
        self._stack.addWidget(self.scatter)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        column.setSpacing(theme.XS)
        column.addWidget(stripe)
        column.addWidget(title)
        column.addWidget(self._step)
        column.addLayout(self._stack, 1)
        self.setMinimumWidth(theme.scaled(NARROWEST))

    def say(self, words: str) -> None:
        self._reel = None
        self._step.setText("")
        self.message.setText(words)
        self._stack.setCurrentWidget(self.message)

    def show_reel(self, reel: Reel, categories: Sequence[int], hard: Sequence[bool], cards: Callable[[np.ndarray], str]) -> None:
        """categories, hard: of the specimens. cards(indices of specimens): the rich text of a point that stands for these. Then `show_at`."""
        self._reel = reel
        members = reel.members
        self._shown = np.array([one[0] for one in members], dtype=int)
        last = seen(places(reel.steps, reel.xy, reel.steps[-1]), reel.half)
        self.scatter.set_points(last[self._shown], **looks(members, categories, hard), cards=[cards(one) for one in members])
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
