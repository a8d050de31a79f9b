"""One run in the view of the senses: its picture, its figures, and what they allow to be said. Knows arrays and dicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QEasingCurve, Qt, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.run_panels import seen_at
from gui.views.senses.figures import FiguresTable, badge_words, bars
from gui.views.senses.reel import MIXED, NARROWEST, ROOM, looks
from gui.views.senses.verdict import verdict
from gui.widgets.chips import Dot
from gui.widgets.elided import Elided
from gui.widgets.labels import button, label, restyle, row
from gui.widgets.measure_chart import Bar, MeasureChart
from gui.widgets.panes import NO_BOUND
from gui.widgets.scatter import Scatter

PICTURE = 140  # pixels of its height at least; where that is too much the table beneath the words is scrolled to
MOVE_MS = 150  # shorter than a frame of the replay
WIDE = 620  # from this width on the figures stand beside the picture
FIGURES_WIDTH = 290  # there
NARROW = 168  # below it there is no room for the table
STALE_MS = 400  # so long the figures of another step or layer may stand there


class SensesPanel(QFrame):
    """clicked(index of a specimen); wanted(word): the button of the message was pressed; resized: its width is another.

    Set the head, then either `say` or `show_points` and `show_figures`.
    """

    clicked = Signal(int)
    wanted = Signal(str)
    resized = Signal()

    def __init__(self, colour: str, family: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setMinimumWidth(theme.scaled(NARROWEST))
        self._xy = self._from = np.zeros((0, 2))
        self._half = self._half_from = (1.0, 1.0)
        self._look: tuple | None = None  # what the points look like, apart from their places
        self._members: list[np.ndarray] = []  # the specimens of each drawn point
        self._shown = np.zeros(0, dtype=int)  # of each drawn point the specimen that gives its place
        self._selected = -1
        self._word = ""
        self._refused = False  # there are no figures to show
        stripe = QFrame()
        stripe.setFixedHeight(4)
        stripe.setStyleSheet(f"background: {colour}; border: none; border-radius: 2px;")
        self._title = title = Elided(family, "large")
        title.setStyleSheet("font-weight: 700;")
        self._step = Elided("", "small")
        self._step.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._step.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)  # what stands at the left gives way
        self._name = Elided("", "small", least=6)  # "apple..." says nothing
        self._name.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # it gives way before the title does
        self._layer = Elided("", "small")
        self._layer.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.scatter = Scatter(size=11)
        self.scatter.set_equal_scale(True)
        self.scatter.setMinimumHeight(theme.scaled(PICTURE))
        self.scatter.setAccessibleName(tr("The sentences as points"))
        self.scatter.clicked.connect(self._clicked)
        self.badge = label("", "caption", wrap=True)  # how far the picture can be believed, or what became of the typed sentence
        self.badge.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._quality: tuple[str, str] = ("", "")
        self._guest_words = ""
        self._guest_step: int | None = None  # of the checkpoint that placed the typed sentence
        self.step = 0  # of what is drawn; set it before the badge
        self.chart = MeasureChart(colour)
        self.table = FiguresTable()
        self.verdict = label("", "", wrap=True)
        self.verdict.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.note = Elided("", "caption")  # on one line: the figures above it need the room
        self.note.hide()  # before there are figures it would make all panels higher
        self.message = label("", "soft", wrap=True)
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._offer = button("", self._offered)
        self._dot = Dot(colour, 14)
        self._where = row(self._layer, None, self._step)
        self._lay_out(stripe, row(self._dot, title, self._name), self._where)
        self._move = QVariantAnimation(self, startValue=0.0, endValue=1.0, duration=MOVE_MS, easingCurve=QEasingCurve.Type.InOutQuad)
        self._move.valueChanged.connect(self._frame)
        self._stale = QTimer(self, interval=STALE_MS, singleShot=True)
        self._stale.timeout.connect(self._forget_figures)
        self._forget_figures()
        self.say("")

    def _lay_out(self, *head: QWidget) -> None:
        figures = QWidget()
        column = QVBoxLayout(figures)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)  # a low window has no room to give away
        for part in (self.chart, self.verdict, self.table, self.note):  # in a low window what is said is read without scrolling
            column.addWidget(part)
        self._figures = figures
        waiting = QWidget()
        middle = QVBoxLayout(waiting)
        middle.setSpacing(theme.M)
        middle.addStretch(1)
        middle.addWidget(self.message)
        middle.addWidget(self._offer, 0, Qt.AlignmentFlag.AlignCenter)
        middle.addStretch(1)
        content = QWidget()
        self._body = QBoxLayout(QBoxLayout.Direction.TopToBottom, content)
        self._body.setContentsMargins(0, 0, 0, 0)
        self._body.setSpacing(theme.S)
        picture = QVBoxLayout()
        picture.setSpacing(0)
        picture.addWidget(self.scatter, 1)
        picture.addWidget(self.badge)
        self._body.addLayout(picture, 1)
        self._body.addWidget(figures)
        self._stack = QStackedLayout()
        self._stack.addWidget(waiting)
        self._stack.addWidget(content)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        column.setSpacing(theme.XS)
        for part in head:
            column.addWidget(part)
        column.addLayout(self._stack, 1)

    def set_head(self, name: str, layer: str, step: str) -> None:
        self._name.setText(name)
        self.setToolTip(name)
        self._layer.setText(layer)
        self._step.setText(step)

    def say(self, message: str, offer: str = "", word: str = "") -> None:
        """Only this sentence instead of a picture. offer: the text of a button that sends `wanted(word)`."""
        self._word = word
        self.message.setText(message)
        self._offer.setText(offer)
        self._offer.setVisible(bool(offer))
        self._move.stop()
        self._look = None
        self._stack.setCurrentIndex(0)

    def show_points(self, xy: np.ndarray, groups: np.ndarray, half: tuple[float, float], categories: Sequence[int], hard: Sequence[bool],
                    cards: Callable[[np.ndarray], str]) -> None:
        """xy (specimens, 2) and groups (specimens), as of core.analysis.window.replay; half: of the range seen.

        categories, hard: (specimens). cards(indices of specimens): the rich text of a point that stands for these.
        Points that were there before move to their new places.
        """
        categories, hard = np.asarray(categories), np.asarray(hard, dtype=bool)
        look = (tuple(groups.tolist()), tuple(categories.tolist()), tuple(hard.tolist()))
        fresh = self._look is None or len(self._xy) != len(xy)
        self._from = np.array(xy, dtype=float) if fresh else self._now()
        self._half_from = half if fresh else self._half_now()
        self._move.stop()
        self._xy, self._half = np.array(xy, dtype=float), half
        if look != self._look:
            self._look = look
            self._members = [np.flatnonzero(groups == number) for number in range(int(groups.max(initial=-1)) + 1)]
            self._shown = np.array([members[0] for members in self._members], dtype=int)
            self.scatter.set_points(self._from[self._shown], **looks(self._members, categories.tolist(), hard.tolist()),
                                    cards=[cards(members) for members in self._members])
            self.select(self._selected)
        self._stack.setCurrentIndex(1)
        if fresh or not self.isVisible() or np.array_equal(self._from, self._xy, equal_nan=True):
            self._from, self._half_from = self._xy, self._half
            self._frame(1.0)
        else:
            self._move.start()

    @property
    def xy(self) -> np.ndarray:
        """(specimens, 2): where the points are, or are going."""
        return self._xy

    @property
    def is_drawn(self) -> bool:
        return self._stack.currentIndex() == 1

    def show_badge(self, quality: dict[str, Any] | None) -> None:
        """The fields of core.projection.quality.Quality; None where it is not known, or there is nothing to be faithful to."""
        self._quality = badge_words(quality)
        self._say_badge()

    def show_live(self, found: dict[str, Any] | None, senses: Sequence[str]) -> None:
        """An answer of core.analysis.live.place; None: no sentence is being typed. senses: in the order of their colours, which is not that of
        the answer where the model does not know the word in the first sentences."""
        self._guest_words, self._guest_step = "", None
        if found is None or "xy" not in found:
            self.scatter.show_guest(None)
            if found is not None:
                self._guest_words = (tr("The word has not come yet.") if "waiting" in found else tr("Only PCA has a place for a new sentence.")
                                     if "other" in found else f"{found['error']} {found['hint']}".strip())
        else:
            sense, nearest = max(found["cosines"], key=lambda pair: pair[1], default=("", 0.0))
            self._guest_step = found["step"]
            told = any(cosine for _, cosine in found["cosines"])  # all are 0 where the word has one vector
            self.scatter.show_guest(found["xy"], senses.index(sense) if told and sense in senses else MIXED, f"{nearest:.2f}" if told else "")
        self._say_badge()

    def _say_badge(self) -> None:
        guest = self._guest_words if self._guest_step is None else seen_at(self._guest_step, self.step)
        words, tip = (guest, guest) if guest else self._quality
        self.badge.setText(words)
        self.badge.setToolTip(tip)

    def show_figures(self, figures: dict[str, Any] | None, bag: dict[str, Any] | None, notes: Sequence[str] = ()) -> None:
        """As of core.analysis.window. None: not there yet. notes: what else must be said, a sentence each."""
        refused = figures is not None and "error" in figures
        self._refused = refused
        self.chart.setVisible(not refused)
        self.table.setVisible(not refused and self.width() >= theme.scaled(NARROW))
        if figures is None and not self._stale.isActive():
            self._stale.start()
        elif figures is not None:
            self._stale.stop()
        notes = list(notes)
        if refused:
            self._set_verdict("soft", f"{figures['error']} {figures['hint']}".strip())
        elif figures is not None:
            measured = bag if bag and "error" not in bag else None
            self.chart.set_bars(bars(figures, measured), 1 / figures["senses"],
                                tr("chance {share:.0%}", share=1 / figures["senses"]))
            self.table.show_figures(figures, measured)
            self._set_verdict(*verdict(figures, bag))
            if figures["left_out"]:
                notes.append(tr("{count} sentences are left out: the model does not know the word there.", count=figures["left_out"]))
            if unknown := figures.get("unknown"):
                notes.insert(0, tr("{share:.0%} of the words around are unknown to this model; label sentences of its own text (Find).",
                                   share=unknown))
            if bag and "error" in bag:
                notes.append(tr("No bag of context: {reason}", reason=bag["error"]))
        self.note.setText(" ".join(notes))
        self.note.setToolTip(" ".join(notes))
        self.note.setVisible(bool(notes))

    def select(self, specimen: int) -> None:
        self._selected = specimen
        self.scatter.select(self._point_of(specimen))

    def verdict_height(self) -> int:
        """What the words of the verdict need; the view gives all panels the greatest, so that their charts stand in line."""
        return 0 if self.width() >= theme.scaled(WIDE) else max(self.verdict.heightForWidth(max(self.width() - 2 * theme.M - 2, 60)), 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.resized.emit()
        wide, narrow = self.width() >= theme.scaled(WIDE), self.width() < theme.scaled(NARROW)
        self._column.setContentsMargins(*((theme.S, theme.XS) if narrow else (theme.M, theme.S)) * 2)
        self.table.setVisible(not narrow and not self._refused)
        for part in (self._dot, self._name):
            part.setVisible(not narrow)
        self._where.layout().setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)
        self._title.setSizePolicy(QSizePolicy.Policy.Preferred if narrow else QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._step.setAlignment((Qt.AlignmentFlag.AlignLeft if narrow else Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter)
        self._body.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self._body.setSpacing(theme.L if wide else theme.S)
        self._body.setAlignment(self._figures, Qt.AlignmentFlag.AlignVCenter if wide else Qt.AlignmentFlag(0))
        self._figures.setMinimumWidth(theme.scaled(FIGURES_WIDTH) if wide else 0)
        self._figures.setMaximumWidth(theme.scaled(FIGURES_WIDTH) if wide else NO_BOUND)

    def hideEvent(self, event: object) -> None:
        self._move.stop()
        self._stale.stop()
        self._from, self._half_from = self._xy, self._half

    def _forget_figures(self) -> None:
        """What stands there is not of what is shown."""
        self.chart.set_bars([Bar(title=title, value=None, missing="...") for title in (tr("all"), tr("hard"), tr("Place aside"))], 0.5, "")
        self.table.clear()
        self._set_verdict("soft", tr("Measuring..."))

    def _set_verdict(self, tone: str, text: str) -> None:
        self.verdict.setText(text)
        if self.verdict.property("role") != tone:
            restyle(self.verdict, "role", tone)

    def _point_of(self, specimen: int) -> int:
        return next((number for number, members in enumerate(self._members) if specimen in members), -1) if specimen >= 0 else -1

    def _clicked(self, point: int) -> None:
        """The first sentence of the point; pressed again, its next one."""
        members = self._members[point].tolist()
        place = members.index(self._selected) + 1 if self._selected in members else 0
        self.clicked.emit(members[place % len(members)])

    def _offered(self) -> None:
        self.wanted.emit(self._word)

    # movement

    def _share(self) -> float:
        return float(self._move.currentValue()) if self._move.state() == QVariantAnimation.State.Running else 1.0

    def _now(self) -> np.ndarray:
        share = self._share()
        return self._xy if share >= 1 else _between(self._from, self._xy, share)

    def _half_now(self) -> tuple[float, float]:
        share = self._share()
        return tuple(a + share * (b - a) for a, b in zip(self._half_from, self._half, strict=True))

    def _frame(self, share: float) -> None:
        if self._look is None:
            return
        self.scatter.move_points((self._xy if share >= 1 else _between(self._from, self._xy, share))[self._shown])
        x, y = (max(a + share * (b - a), 1e-6) * 1.08 for a, b in zip(self._half_from, self._half, strict=True))
        low = -y * (1 - ROOM if len(self._members) == 1 else 1)  # a single point has two lines of words above it
        self.scatter.set_range((-x, x), (low, low + 2 * y))


def _between(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """On the way; a point that was nowhere before is at its end at once."""
    return np.where(np.isfinite(start), start + share * (end - start), end)
