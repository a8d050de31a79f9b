"""A sentence that is being typed: its word's point glides between the senses in every panel as the words come."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from core.registry import load
from gui import theme
from gui.projections import PCA
from gui.views.senses.state import Shared
from gui.views.senses.strip import SensesStrip

WAIT_MS = 60  # after the last letter
WORD_MS = 700  # between two words that come by themselves


class Live(QObject):
    """placed({path of a run: an answer of core.analysis.live.place}): {} while nobody types. Only PCA has a plane in which a new point
    has a place; the other projections' answers are {"other": True}."""

    placed = Signal(object)

    def __init__(self, shared: Shared, strip: SensesStrip) -> None:
        super().__init__(strip)
        self._session, self._engine, self._choices, self._strip = shared.session, shared.services.engine, shared.choices, strip
        self._answers = shared.answers
        self._asked: tuple = ()
        self._bases: Mapping[Path, int | None] = {}
        self._rest: list[str] = []  # the beginnings of the sentence that are still to come
        self._wait = QTimer(self, interval=WAIT_MS, singleShot=True)
        self._wait.timeout.connect(self._ask)
        self._words = QTimer(self, interval=WORD_MS)
        self._words.timeout.connect(self._next_word)
        strip.typed.connect(self._soon)
        strip.edit.textEdited.connect(self._take_over)
        strip.reading.connect(self._switched)
        strip.play.clicked.connect(self._play)
        shared.choices.restored.connect(self._take_sentence)
        self._take_sentence()

    def follow(self, bases: Mapping[Path, int | None]) -> None:
        """The layer, the step or the bench has changed, or a run has learnt more. bases: of each run the step whose plane its picture has."""
        self._bases = bases
        if self._strip.is_typing:
            self._ask()

    def _soon(self, text: str) -> None:
        if self._strip.is_typing:
            self._choices.set(typed=text)
            if not self._wait.isActive():
                self._wait.start()

    def _take_sentence(self) -> None:
        """As it is remembered."""
        state, strip = self._choices.state, self._strip
        if state.typing and (not strip.is_typing or strip.edit.text() != state.typed):
            strip.begin(state.typed, focus=False)
        elif strip.is_typing and not state.typing:
            strip.end()

    def _switched(self, typing: bool) -> None:
        self._asked = ()
        self._choices.set(typing=typing, typed=self._strip.edit.text() if typing else "")
        if typing:
            self._answers.give_way()
        else:
            self._stop()
            self.placed.emit({})

    def _ask(self) -> None:
        session = self._session
        runs = tuple((str(item.path), session.layer_of(item.run), self._choices.direction_of(item.run), self._bases.get(item.path))
                     for item in session.bench)
        panels = tuple((item.colour, item.run.name, item.run.probe_steps()[-1:], item.run.checkpoint_steps()[-1:]) for item in session.bench)
        asked = (runs, panels, session.specimens, self._strip.edit.text(), session.word, session.step, self._choices.projection,
                 self._choices.state.aside)
        if asked == self._asked or not runs or not session.specimens:
            return
        self._asked = asked
        if self._choices.projection != PCA:
            self.placed.emit({item.path: {"other": True} for item in session.bench})
            return
        keywords = [{"run": run, "layer": layer, "direction": direction, "step": session.step, "basis_step": basis,
                     "aside": self._choices.state.aside}
                    for run, layer, direction, basis in runs]
        self._engine.call("core.analysis.live:places", {"runs": keywords, "specimens": session.specimens, "text": self._strip.edit.text(),
                                                        "word": session.word},
                          on_done=partial(self._take, asked), on_error=partial(self._refuse, asked), key="senses live", owner=self)

    def _take(self, asked: tuple, found: list[dict[str, Any]]) -> None:
        if asked == self._asked and self._strip.is_typing and len(found) == len(self._session.bench):
            self.placed.emit({item.path: one for item, one in zip(self._session.bench, found, strict=True)})

    def _refuse(self, asked: tuple, message: str, hint: str) -> None:
        if asked == self._asked:
            self.placed.emit({Path(run): {"error": message, "hint": hint} for run, *_ in asked[0]})

    # the words one by one

    def _play(self) -> None:
        if self._words.isActive():
            self._stop()
            return
        text = self._strip.edit.text().strip()
        spans = load("core.text.segment:words")(text, (self._session.word,))
        self._rest = [text[:end] for _, end in spans]
        if self._rest:
            self._strip.play.setIcon(theme.icon("pause"))
            self._next_word()
            self._words.start()

    def _next_word(self) -> None:
        if self._rest:
            self._strip.edit.setText(self._rest.pop(0))
        if not self._rest:
            self._stop()

    def _take_over(self, _text: str) -> None:
        """What a person types is not overwritten by the words that come by themselves."""
        self._rest = []
        self._stop()

    def _stop(self) -> None:
        if self._rest:
            self._strip.edit.setText(self._rest[-1])
        self._rest = []
        self._words.stop()
        self._strip.play.setIcon(theme.icon("play"))
