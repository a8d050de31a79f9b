"""What the pages of the view of the senses share, and how a page is drawn once for several changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from core.i18n import tr
from core.registry import family
from core.runs import Run
from core.shares import percent
from gui.projections import PCA
from gui.session import BenchRun, Session

if TYPE_CHECKING:
    from gui.views import Services
    from gui.views.senses.answers import Answers, Question
    from gui.views.senses.choices import Choices

# name -> "module:class", called with (Shared); the order is that of the tabs
PAGES = {
    "points": "gui.views.senses.points:PointsPage",
    "film": "gui.views.senses.film:FilmPage",
    "words": "gui.views.senses.words:WordsPage",
    "sides": "gui.views.senses.sides:SidesPage",
    "layers": "gui.views.senses.layers:LayersPage",
    "probe": "gui.views.senses.probe:ProbePage",
    "find": "gui.views.senses.find:FindPage",
}
BOTH, FORWARD, BACKWARD = "both", "forward", "backward"
MEASURES = AUC, RIGHT, SIMILAR, ANISOTROPY, ADJUSTED = "auc", "centroid_accuracy", "self_similarity", "anisotropy", "adjusted"
KMEANS, AGGLOMERATIVE = "kmeans", "agglomerative"
ARROWS = {BOTH: "→←", FORWARD: "→", BACKWARD: "←"}


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What every page is made with."""

    session: Session
    services: Services
    choices: Choices
    answers: Answers


class Redraw(QTimer):
    """Draws a page once for several changes, and only while it is seen. Connect signals to `soon`."""

    def __init__(self, page: QWidget, draw: Callable[[], object], answers: Answers) -> None:
        super().__init__(page, interval=0, singleShot=True)
        self._page, self._answers = page, answers
        self._awaited: frozenset[Question] = frozenset()  # what is to be seen at once when it comes
        self.timeout.connect(draw)
        answers.arrived.connect(self._arrived)
        answers.free.connect(self._freed)

    def soon(self, *_: object) -> None:
        if self._page.isVisible() and not self.isActive():
            self.start()

    def ask(self, urgent: Sequence[Question], soon: Sequence[Question] = (), later: Sequence[Question] = ()) -> None:
        """The page is drawn again when one of the first two arrives."""
        self._awaited = frozenset([*urgent, *soon])
        self._answers.ask(urgent, [*soon, *later])

    def _arrived(self, asked: Question) -> None:
        if asked in self._awaited:
            self.soon()

    def _freed(self) -> None:
        """Another page's questions were in the way."""
        if any(self._answers.get(asked) is None for asked in self._awaited):
            self.soon()


def is_joined(run: Run) -> bool:
    """Whether its vectors are those of two networks, one for each direction, side by side."""
    return "directions" in family(run.config.family).capabilities


def why_empty(session: Session) -> tuple[str, bool]:
    """Why there is nothing to draw, and whether training would help; ("", False) where there is something."""
    if not session.bench:
        return tr("Put a run on the bench to see how its model keeps the senses of a word apart, or train one."), True
    if not session.specimens:
        return (tr("There are no sentences with “{word}” yet. Add some at the right: a few for each sense.", word=session.word)
                if session.word else tr("Choose a word at the right.")), False
    return "", False


def layer_title(run: Run, layer: int, direction: str = BOTH) -> str:
    deepest = getattr(run.config.model, "num_layers", 0)
    if not deepest:
        return tr("word vectors")
    if layer == 0:
        return tr("embedding layer")
    words = tr("layer {layer}/{count}", layer=layer, count=deepest)
    return f"{words} {ARROWS[direction]}" if is_joined(run) else words


def axes(run: Run, layer: int, projection: str, *, aside: bool, share: Sequence[float] = ()) -> tuple[str, str]:
    """What stands at the two axes of a picture; that the place is set aside is said with the second, so that it leaves with the picture.

    The planes of the lower layers are turned on to the last one's (core.analysis.layouts): their axes are no principal axes, and only what both
    hold together is the share of principal ones. share: of the variance of what is drawn, along each axis; empty: that of another step.
    """
    turned = layer < getattr(run.config.model, "num_layers", 0)
    held = [f" · {percent(one, 0)}" for one in ((sum(share),) if turned else share)] if len(share) else ["", ""]
    own = (tr("PC 1 and 2, turned") + held[0], "") if turned else (f"PC 1{held[0]} →", f"PC 2{held[1]} ↑")
    first, second = own if projection == PCA else ("", "")
    return first, (second + aside_words(aside)).removeprefix(" · ")


def aside_words(aside: bool) -> str:
    """What a title says of it."""
    return " · " + tr("place aside") if aside else ""


def line_name(run: Run, direction: str) -> str:
    """A run's name beside others: its family, and its own name where that says more."""
    title = family(run.config.family).title
    name = title if run.name.lower() == title.lower() else f"{title} · {run.name}"
    return f"{name} {ARROWS[direction]}" if is_joined(run) else name


def heading(item: BenchRun, bench: Sequence[BenchRun]) -> str:
    """What stands above a run: its family, or its own name where another one of that family is there."""
    alike = sum(one.run.config.family == item.run.config.family for one in bench)
    return item.run.name if alike > 1 else family(item.run.config.family).title


def checkpoints_of(bench: Sequence[BenchRun]) -> str:
    """Changes when one of the runs has saved another checkpoint."""
    return repr([item.run.checkpoint_steps()[-1:] for item in bench])
