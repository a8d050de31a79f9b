"""How far the senses of a word have come apart, looked at from several sides: a page for each, made when it is first shown."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from core.i18n import tr
from core.registry import load
from gui import theme
from gui.session import Session
from gui.views import BENCH, LAYER, SPECIMENS, STEP, Services
from gui.views.senses_answers import Answers
from gui.views.senses_state import Choices, Shared
from gui.widgets.folding import FoldingSegments

# name -> "module:class", called with (Shared); the order is that of the tabs
PAGES = {
    "points": "gui.views.senses_points:PointsPage",
    "film": "gui.views.senses_film:FilmPage",
    "words": "gui.views.senses_words:WordsPage",
    "sides": "gui.views.senses_sides:SidesPage",
    "layers": "gui.views.senses_layers:LayersPage",
    "probe": "gui.views.senses_probe:ProbePage",
    "find": "gui.views.senses_find:FindPage",
}
SHOWN = "senses/page"  # of the settings


class SensesView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset({BENCH, SPECIMENS, LAYER, STEP})

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._settings = services.settings
        choices = Choices(services.settings, self)
        self._shared = Shared(session=session, services=services, choices=choices, answers=Answers(services.engine, self))
        self._pages: dict[str, QWidget] = {}
        shown = self._settings.get(SHOWN, "points")
        self.tabs = FoldingSegments(page_titles(), shown if shown in PAGES else "points", tips=page_tips())
        self.tabs.chosen.connect(self.show_page)
        self.controls = QWidget(self)
        self._controls = QVBoxLayout(self.controls)
        self._controls.setContentsMargins(0, 0, 0, 0)
        self.controls.hide()
        self._stack = QStackedLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        column.setSpacing(theme.XS)
        column.addWidget(self.tabs)
        column.addLayout(self._stack, 1)
        self.show_page(self.tabs.value)

    def page(self, name: str) -> QWidget:
        """The page, made now if it was never shown."""
        if name not in self._pages:
            made = load(PAGES[name])(self._shared)
            self._pages[name] = made
            self._stack.addWidget(made)
            self._controls.addWidget(made.controls)
        return self._pages[name]

    def show_page(self, name: str) -> None:
        page = self.page(name)
        self.tabs.set_value(name)
        self._settings.set(SHOWN, name)
        self._stack.setCurrentWidget(page)
        for other in self._pages.values():
            other.controls.setVisible(other is page)


def page_titles() -> dict[str, str]:
    return {"points": tr("Points"), "film": tr("Film"), "words": tr("Deciding words"), "sides": tr("Two sides"), "layers": tr("Layers"),
            "probe": tr("Probe"), "find": tr("Find")}


def page_tips() -> dict[str, str]:
    return {
        "points": tr("Every sentence as a point, for every run, and how far the senses are apart."),
        "film": tr("The training of all runs, played again."),
        "words": tr("Which words of a sentence decide what the word means?"),
        "sides": tr("The deciding word before or after: who can see it?"),
        "layers": tr("The figures of every layer of every run."),
        "probe": tr("What a straight cut through the vectors can tell."),
        "find": tr("Find sentences in the run's text and let the vectors propose the senses."),
    }
