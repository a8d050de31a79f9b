"""How far the senses of a word have come apart, looked at from several sides: a page for each, made when it is first shown."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from core.i18n import tr
from core.registry import load
from gui import theme
from gui.keeping.keeper import Keeper
from gui.session import Session
from gui.views import BENCH, LAYER, SPECIMENS, STEP, Services
from gui.views.senses.answers import Answers
from gui.views.senses.choices import Choices, State, parsed
from gui.views.senses.state import PAGES, Shared
from gui.widgets.folding import FoldingSegments
from gui.widgets.labels import row


class SensesView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset({BENCH, SPECIMENS, LAYER, STEP})

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session = session
        self._word = session.word  # the one that was heard of last
        self._choices = Choices(services.settings, self)
        self._shared = Shared(session=session, services=services, choices=self._choices, answers=Answers(services.engine, self))
        self._pages: dict[str, QWidget] = {}
        self.keeper = Keeper(self, "senses", session, services, state=lambda: self._choices.state, parse=parsed, restore=self._restore)
        self._choices.kept.connect(self.keeper.soon)
        session.selectionChanged.connect(self._selected)  # before the pages hear of it
        session.wordChanged.connect(self._another_word)
        session.pointsWanted.connect(self._to_points)
        self.tabs = FoldingSegments(page_titles(), self._choices.state.page, tips=page_tips())
        self.tabs.chosen.connect(self.show_page)
        self.controls = QWidget(self)
        self._controls = QVBoxLayout(self.controls)
        self._controls.setContentsMargins(0, 0, 0, 0)
        self.controls.hide()
        self._stack = QStackedLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        column.setSpacing(theme.XS)
        column.addWidget(row(self.tabs, None, self.keeper.undo, self.keeper.redo, self.keeper.file, spacing=theme.XS))
        column.addLayout(self._stack, 1)
        self.show_page(self.tabs.value)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self.keeper.soon()

    def hideEvent(self, event: object) -> None:
        """What was computed in advance would keep the view that is looked at now waiting, for half a minute with four runs."""
        super().hideEvent(event)
        self._shared.answers.give_way()

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
        self._choices.set(page=name)
        self._stack.setCurrentWidget(page)
        focused = self.window().focusWidget()
        for other in self._pages.values():
            if other is not page and other.controls.isAncestorOf(focused):
                page.setFocus()  # or Qt moves the keyboard to whatever comes next: the cross of a chip
            other.controls.setVisible(other is page)

    def _to_points(self) -> None:
        self.show_page("points")

    def _restore(self, state: State) -> None:
        self._choices.restore(state)
        self.show_page(state.page)

    def _selected(self) -> None:
        """Another specimen is looked at: the typed sentence gives way to it. Not where a first word is only being found."""
        if self._word == self._session.word and self._session.specimen is not None:
            self._choices.set(sentence="")

    def _another_word(self) -> None:
        if self._word:
            self._choices.set(sentence="", sense="", before="", after="")
        self._word = self._session.word


def page_titles() -> dict[str, str]:
    return {"points": tr("Points"), "film": tr("Film"), "words": tr("Cue words"), "sides": tr("Two sides"), "layers": tr("Layers"),
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
