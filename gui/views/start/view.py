"""The first page: the demonstration with one click, one's own text, or a run that is there already."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QBoxLayout, QFileDialog, QFrame, QHBoxLayout, QLabel, QProgressBar, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from core.i18n import tr
from core.registry import FAMILIES, family
from core.runs import Run, Status, runs_home, status_of
from gui import draft, theme
from gui.importing import import_button, importer_of
from gui.run_queue import queue_of
from gui.session import Session
from gui.views import Services
from gui.views.start import demo
from gui.widgets.chips import Dot
from gui.widgets.clicks import is_click
from gui.widgets.elided import Elided
from gui.widgets.labels import Card, button, label, row
from gui.widgets.segments import Segments

if TYPE_CHECKING:
    from core.analysis.recent import Recent

RECENT = 8
WIDTH, MARGIN = 1120, 32  # of the page at most at the normal size of text, and what is free at its left and right
STATE_WIDTH, WHEN_WIDTH = 190, 90
LANGUAGE = "start/demo"  # of the demonstration, in the settings


class StartView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        self._queue = queue_of(services.processes)
        self._found: dict[str, list[tuple[str, str]]] = {}  # language -> path and state of each of the demonstration's runs
        self._opening = False
        remembered = services.settings.get(LANGUAGE)
        self._language = remembered if remembered in demo.WORDS else draft.default_text().corpus
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(MARGIN, 28, MARGIN, 24)
        column.setSpacing(theme.L)
        column.addWidget(label("Lexiscope", "hero"))
        column.addWidget(label(tr("Train small language models on a text, watch them learn, and see how one word comes to have two meanings."),
                               "large", wrap=True))
        column.addSpacing(theme.S)
        self._cards = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._cards.setSpacing(theme.L)
        for card in (self._demo_card(), self._text_card(), self._open_card()):
            self._cards.addWidget(card, 1)
        column.addLayout(self._cards)
        column.addSpacing(theme.S)
        self._heading = label(tr("Recent runs"), "heading")
        column.addWidget(self._heading)
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.S)
        column.addLayout(self._list)
        column.addStretch(1)
        page.setMaximumWidth(theme.scaled(WIDTH))
        middle = QWidget()
        beside = QHBoxLayout(middle)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(page, 1)
        scroll = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(middle)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        self.setFocusProxy(self._go)
        services.processes.changed.connect(self._refresh)
        services.watcher.eventsArrived.connect(self._events)
        self._queue.changed.connect(self._show_demo)
        importer_of(session, services).imported.connect(self._refresh)
        self._show_demo()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._arrange()
        self._refresh()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """The cards stand beneath each other where they have no room beside each other."""
        cards = [self._cards.itemAt(place).widget() for place in range(self._cards.count())]
        wanted = sum(card.minimumSizeHint().width() + theme.L for card in cards) + 2 * MARGIN
        self._cards.setDirection(QBoxLayout.Direction.TopToBottom if wanted > self.width() else QBoxLayout.Direction.LeftToRight)

    # the three cards

    def _demo_card(self) -> QWidget:
        self._choice = Segments(demo.WORDS, self._language)
        self._choice.chosen.connect(self._choose)
        self._go = button("", self.open_demo, kind="primary", icon="play")
        self._anew = button(tr("Train anew"), self.train_demo)
        self._bar = QProgressBar(maximum=1000, textVisible=False)
        self._state = label("", "small", wrap=True)
        card, self._demo_title = self._card("senses", "", tr(
            "Four models read the same built-in text, for about a minute each. See which of them learn that the word means two "
            "things, and which one cannot."))
        card.column.addWidget(self._state)
        card.column.addWidget(self._bar)
        card.column.addStretch(1)
        card.column.addWidget(row(self._go, self._anew, None))
        card.column.insertWidget(0, row(card.column.takeAt(0).widget(), None, self._choice))
        return card

    def _text_card(self) -> QWidget:
        card, _ = self._card("corpus", tr("Train on my own text"), tr(
            "Text files, tables or JSON lines, in any usual encoding. You see how they are read before anything is trained."))
        card.column.addStretch(1)
        card.column.addWidget(row(button(tr("Choose a text"), self._to_text), None))
        return card

    def _open_card(self) -> QWidget:
        card, _ = self._card("folder", tr("Open a run"), tr(
            "Everything that a training has written stays in its folder: open one from here or from another computer. "
            "Models of Hugging Face, packed runs and word vectors become runs: drop them on the window."))
        card.column.addStretch(1)
        card.column.addWidget(row(button(tr("Choose a folder"), self._choose_folder), import_button(self, self._session, self._services), None))
        return card

    def _card(self, icon: str, title: str, words: str) -> tuple[Card, QLabel]:
        card = Card()
        card.column.setContentsMargins(20, 18, 20, 18)
        card.setMinimumHeight(236)
        picture = QLabel()
        picture.setPixmap(theme.icon(icon, theme.current().accent, 36).pixmap(36, 36))
        heading = label(title, "title", wrap=True)
        card.column.addWidget(picture)
        card.column.addWidget(heading)
        card.column.addWidget(label(words, "soft", wrap=True))
        return card, heading

    # the demonstration

    def open_demo(self) -> None:
        """Show the demonstration: the runs that are there, or those that ship. What is not trained at all is trained now."""
        if running := self._demo_runs_under_way():
            self._show(running)
            return
        self._opening = True
        self._services.engine.call("core.exchange.shipped:unpacked", {"wanted": demo.demo_configs(self._language)},
                                   on_done=partial(self._opened, self._language), on_error=self._not_opened, key="start/open", owner=self)
        self._show_demo()

    def train_demo(self) -> None:
        """Train all of it anew, beside the runs that are there."""
        self._begin(self._language, [])

    def _opened(self, language: str, found: list[tuple[str, str]]) -> None:
        self._opening = False
        self._show_demo()
        if self.isVisible():  # else somebody has gone elsewhere: the bench is theirs, and the next click opens at once
            self._begin(language, found)

    def _not_opened(self, message: str, hint: str) -> None:
        self._opening = False
        self._show_demo()
        self._no_answer(message, hint)

    def _begin(self, language: str, found: list[tuple[str, str]]) -> None:
        with self._services.messages.guard():
            demo.begin(language, self._session, self._services, found)
            self._services.navigate("senses")
            self._session.pointsWanted.emit()  # not the page that was looked at last

    def _show(self, runs: list[Run]) -> None:
        with self._services.messages.guard():
            demo.show(self._language, runs, self._session)
            self._services.navigate("senses")
            self._session.pointsWanted.emit()  # not the page that was looked at last

    def _choose(self, language: str) -> None:
        self._language = language
        self._services.settings.set(LANGUAGE, language)
        self._refresh()

    def _states(self) -> set[str]:
        return {state for _, state in self._found.get(self._language, [])}

    def _demo_runs_under_way(self) -> list[Run]:
        """The runs of the demonstration on the bench, if some of them are being trained or wait for it."""
        wanted = demo.WORDS[self._language]
        mine = [item.run for item in self._session.bench
                if item.run.config.watch.word == wanted and item.run.config.text.corpus == self._language and not item.run.config.text.files]
        waiting = {run.path for run in self._queue.waiting}
        busy = [run for run in mine if run.path in waiting or self._services.processes.alive(run)]
        return mine if busy and self._queue.busy else []

    def _show_demo(self) -> None:
        runs, states = self._demo_runs_under_way(), self._states()
        there = bool(states) and states <= {"finished", "shipped"}
        self._demo_title.setText(tr("The demo: {word}", word=demo.WORDS[self._language]))
        self._go.setText(" " + (tr("Watch them learn") if runs else tr("Open the demo")))
        self._go.setEnabled(not self._opening)
        self._anew.setText(tr("Train it here") if "shipped" in states else tr("Train anew"))
        self._anew.setVisible(there and not runs)
        self._anew.setEnabled(not self._opening)
        self._bar.setVisible(bool(runs))
        self._state.setVisible(bool(runs) or there)
        if runs:
            self._show_progress(runs)
        elif there:
            self._state.setText(tr("The trained models come with the program: it opens at once. Train it here to watch it learn.")
                                if "shipped" in states else tr("Its trained models are there: it opens at once."))
        self._arrange()  # a button more needs room

    def _show_progress(self, runs: list[Run]) -> None:
        shares = {run.path: self._status(run).progress for run in runs}
        current = [family(run.config.family).title for run in runs if self._services.processes.alive(run)]
        waiting = [family(run.config.family).title for run in runs if run.path in {other.path for other in self._queue.waiting}]
        self._bar.setValue(round(1000 * sum(shares.values()) / len(runs)))
        words = tr("Learning: {names}", names=", ".join(current)) if current else tr("Starting")
        self._state.setText(f"{words}   {tr('Next: {names}', names=', '.join(waiting))}" if waiting else words)

    def _status(self, run: Run) -> Status:
        return status_of(self._services.watcher.newest(run.path), alive=self._services.processes.alive(run))

    # own text, own folder

    def _to_text(self) -> None:
        self._services.navigate("corpus")
        self._session.filesWanted.emit()

    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, tr("Open a run"), str(runs_home()))
        if path:
            self.open_run(path)

    def open_run(self, path: str, _checked: bool = False) -> None:
        """Put a run on the bench and show it: how it learns while it does, else its senses."""
        with self._services.messages.guard():
            run = Run.open(Path(path))
            self._session.add_run(run)
            self._services.navigate("train" if self._services.processes.alive(run) else "senses")

    # the recent runs

    def _refresh(self, *_: object) -> None:
        if not self.isVisible():
            return
        engine, language = self._services.engine, self._language
        engine.call("core.analysis.recent:recent", {"most": RECENT}, on_done=self._show_recent, on_error=self._no_answer,
                    key="start/recent", owner=self)
        engine.call("core.exchange.shipped:found", {"wanted": demo.demo_configs(language)},
                    on_done=partial(self._demo_found, language), on_error=self._no_answer, key=f"start/demo/{language}", owner=self)
        self._show_demo()

    def _demo_found(self, language: str, found: list[tuple[str, str]]) -> None:
        self._found[language] = found
        self._show_demo()

    def _no_answer(self, message: str, hint: str) -> None:
        self._services.messages.say(message, hint, kind="warning")

    def _show_recent(self, found: list[Recent]) -> None:
        while (item := self._list.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        for one in found:
            self._list.addWidget(RecentRow(one, self.open_run))
        self._update_rows()
        if not found:
            self._list.addWidget(label(tr("None yet. What you train will stand here."), "soft"))

    def _events(self, path: str, events: list) -> None:
        if not self.isVisible():
            return
        if self._queue.busy:
            self._show_demo()
        self._update_rows(path)

    def _update_rows(self, path: str = "") -> None:
        """What the window follows itself it knows better than the engine, which may be busy. path: of one run; empty: all."""
        waiting = {str(run.path) for run in self._queue.waiting}
        followed = {str(item.path): item.run for item in self._session.bench}
        followed.update({str(run.path): run for run in self._services.processes.running()})
        for index in range(self._list.count()):
            shown = self._list.itemAt(index).widget()
            if isinstance(shown, RecentRow) and shown.path in followed and path in ("", shown.path):
                shown.show_status(self._status(followed[shown.path]), waiting=shown.path in waiting)



class RecentRow(QFrame):
    """A run in one line; a click opens it."""

    def __init__(self, one: Recent, on_open: object) -> None:
        super().__init__()
        self.setProperty("role", "choice")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.path, self._on_open = one.path, on_open
        name = Elided(one.name, "heading")
        name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        name.setToolTip(one.path)
        self._dot = Dot("")
        self._state = Elided("", "soft")
        self._state.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._state.setFixedWidth(theme.scaled(STATE_WIDTH))
        self._state.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._bar = QProgressBar(maximum=1000, textVisible=False)
        self._bar.setFixedWidth(120)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.M, theme.XS, theme.S, theme.XS)
        layout.setSpacing(theme.M)
        when = label(ago(time.time() - one.changed), "caption")
        when.setFixedWidth(theme.scaled(WHEN_WIDTH))
        when.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        title = family(one.family).title if one.family in FAMILIES else one.family
        for part in (self._dot, name, label(title, "small"), None, self._bar, self._state, when,
                     button(tr("Open"), partial(on_open, one.path), kind="flat")):
            layout.addStretch(1) if part is None else layout.addWidget(part)
        self.show_status(one.status)

    def show_status(self, status: Status, *, waiting: bool = False) -> None:
        """waiting: it is to be trained after others."""
        look = theme.current()
        colours = {"finished": look.good, "failed": look.danger, "killed": look.warning, "stopped": look.warning, "paused": look.warning,
                   "new": look.text_faint}
        self._dot.set_colour(colours.get(status.state, look.accent))
        words = tr("waits for its turn") if waiting else status.text
        self._state.setText(words)
        self._state.setToolTip(words)
        self._bar.setVisible(status.alive)
        self._bar.setValue(round(1000 * status.progress))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if is_click(self, event):
            self._on_open(self.path)


def ago(seconds: float) -> str:
    """How long it is past, in words."""
    for size, words in ((86400, tr("{count} d ago")), (3600, tr("{count} h ago")), (60, tr("{count} min ago"))):
        if seconds >= size:
            return words.format(count=int(seconds // size))
    return tr("just now")

