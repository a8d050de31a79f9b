"""Which words decide? Every other word of a sentence is hidden once, and coloured by what that does to the sense of the word."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QLineEdit, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from core.i18n import tr
from gui import picture, theme
from gui import specimen_store as store
from gui.run_panels import RunPanels
from gui.session import BenchRun
from gui.views.senses.answers import Question, question
from gui.views.senses.legend import DirectionChoice
from gui.views.senses.state import Redraw, Shared, checkpoints_of, heading, is_joined, layer_title, line_name, why_empty
from gui.views.senses.strip import SensesStrip
from gui.widgets.chips import Dot
from gui.widgets.elided import Elided
from gui.widgets.labels import icon_button, label, row
from gui.widgets.plots import with_alpha
from gui.widgets.tokens import Tokens

WAIT_MS = 250  # after the last letter
STRONGEST = 0.75  # opacity of the word that matters most
WEAK = 0.15  # a strongest change below this is coloured weakly
FAINTEST = 0.02  # changes below this are not coloured
LONGEST = 2000  # characters of a sentence


class WordsPage(QWidget):
    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self._session, self._services = session, services = shared.session, shared.services
        self._answers, self._choices = shared.answers, shared.choices
        self._stands: dict[Path, tuple] = {}  # of each run what is asked, or was answered
        self._own = bool(shared.choices.state.sentence)  # the person has typed a sentence of their own
        self.controls = DirectionChoice(shared.choices, self)
        self.controls.hide()
        self._edit = QLineEdit(placeholderText=tr("A sentence with the word"), clearButtonEnabled=True, maxLength=LONGEST,
                               accessibleName=tr("A sentence with the word"))
        self._edit.setText(shared.choices.state.sentence)
        self._edit.setFont(theme.font("large"))
        self._edit.textEdited.connect(self._typed)
        self._next = icon_button("arrow-right", tr("The next sentence"), self._next_sentence)
        self._about = label("", "soft", wrap=True)
        self._board = QWidget()
        column = QVBoxLayout(self._board)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        self._strip = SensesStrip()
        self._strip.show_line(False)
        column.addWidget(self._strip)
        column.addWidget(self._about)
        inside = QVBoxLayout()
        column.addLayout(inside)
        column.addStretch(1)
        self._run_panels = RunPanels(inside, self._make_panel)
        self._panels = self._run_panels.panels
        area = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        area.setWidget(self._board)
        save = picture.PictureButton(self._board, "deciding words", messages=services.messages, settings=services.settings, rows=self._rows)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.S)
        line = row(self._edit, self._next, save)
        line.layout().setStretch(0, 1)
        whole.addWidget(line)
        whole.addWidget(area, 1)
        self._wait = QTimer(self, interval=WAIT_MS, singleShot=True)
        self._redraw = Redraw(self, self._draw, shared.answers)
        self._wait.timeout.connect(self._redraw.soon)
        for signal in (session.benchChanged, session.specimensChanged, session.layerChanged, shared.choices.changed, services.processes.changed):
            signal.connect(self._redraw.soon)
        session.selectionChanged.connect(self._take_sentence)
        shared.choices.restored.connect(self._take_sentence)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._take_sentence()
        self._redraw.soon()

    @property
    def panels(self) -> dict[Path, WordsPanel]:
        return self._panels

    def set_sentence(self, text: str) -> None:
        self._edit.setText(text)
        self._typed(text)
        self._redraw.soon()

    # what happens

    def _typed(self, text: str) -> None:
        self._own = True
        self._choices.set(sentence=text)
        self._wait.start()

    def _take_sentence(self) -> None:
        """As it is remembered; else the selected one."""
        text = self._choices.state.sentence
        self._own = bool(text)
        if not text:
            self._selected()
        elif text != self._edit.text():
            self._edit.setText(text)
        self._redraw.soon()

    def _selected(self) -> None:
        """The selected specimen; the first one before anything was typed."""
        chosen = self._session.specimen
        if chosen is None and not self._own and self._session.specimens:
            chosen = self._session.specimens[0]
        if chosen is not None and chosen.text != self._edit.text():
            self._own = False
            self._edit.setText(chosen.text)
            self._redraw.soon()

    def _next_sentence(self) -> None:
        if self._session.specimens:
            self._session.selected = (self._session.selected + 1) % len(self._session.specimens)

    # drawing

    def _draw(self) -> None:
        session = self._session
        self._answers.about(session.specimens)
        words, _ = why_empty(session)
        text = " ".join(self._edit.text().split())
        if not words and not text:
            words = tr("Type a sentence with “{word}”, or choose one at the right.", word=session.word)
        if words:
            self._run_panels.show(())
            self._about.setText(words)
            return
        if not self._own and session.specimen is None and not any(item.text == self._edit.text() for item in session.specimens):
            self._selected()  # other sentences have come
            text = " ".join(self._edit.text().split())
        self.controls.setVisible(self.isVisible() and any(is_joined(item.run) for item in session.bench))
        titles = [store.sense_title(session.word, sense) for sense in session.senses]
        self._strip.show_senses(session.word, titles, [sum(item.sense == sense for item in session.specimens) for sense in session.senses], 0)
        self._run_panels.show(session.bench)
        asked: list[Question] = []
        for item in session.bench:
            wanted = question("occlusion", run=str(item.path), text=text, word=session.word, layer=session.layer_of(item.run),
                              direction=self._choices.direction_of(item.run), stamp=checkpoints_of([item]))
            asked.append(wanted)
            found = self._answers.get(wanted)
            stands = session.word, session.specimens, session.layer_of(item.run), self._choices.direction_of(item.run), self._own or text
            if found is not None:
                self._panels[item.path].show_answer(found, text, session.word, list(session.senses))
            elif self._stands.get(item.path) != stands:  # while one types the answer before stays
                self._panels[item.path].wait()
            self._stands[item.path] = stands
            self._panels[item.path].set_layer(layer_title(item.run, session.layer_of(item.run), self._choices.direction_of(item.run)))
        self._about.setText(tr("Each word is hidden once. In the colour of a sense: the word spoke for it. The stronger, the more the sense "
                               "score changes (the cosine with the own sense's centroid less the other's)."))
        self._redraw.ask(asked)

    def _make_panel(self, item: BenchRun) -> WordsPanel:
        return WordsPanel(item, heading(item, self._session.bench), self._choices.direction)

    def _rows(self) -> tuple[list[str], list[list[Any]]]:
        return ["run", "word", "start", "end", "change"], [[item.run.name, *one] for item in self._session.bench if item.path in self._panels
                                                           for one in self._panels[item.path].rows]


class WordsPanel(QFrame):
    """One run: the sentence in colours, and what the figures stand on."""

    def __init__(self, item: BenchRun, heading: str, direction: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.rows: list[list[Any]] = []
        self._tips: list[str] = []
        colour = theme.current().runs[item.colour]
        self._layer = Elided("", "small")
        self._score = label("", "")
        title = Elided(heading, "large")
        title.setStyleSheet("font-weight: 700;")
        title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.tokens = Tokens()
        self.tokens.hovered.connect(self._hovered)
        self.words = label(tr("Hiding one word after another..."), "soft", wrap=True)
        self.setToolTip(line_name(item.run, direction))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        column.setSpacing(theme.XS)
        column.addWidget(row(Dot(colour, 14), title, self._layer, None, self._score))
        column.addWidget(self.tokens)
        column.addWidget(self.words)

    def set_layer(self, words: str) -> None:
        self._layer.setText(words)

    def wait(self) -> None:
        """What stood there is not of what is asked now."""
        self._say(tr("Hiding one word after another..."))

    def _say(self, words: str) -> None:
        self.rows = []
        self.tokens.set_tokens([])
        self.tokens.hide()
        self._score.setText("")
        self.words.setText(words)

    def show_answer(self, found: dict[str, Any], text: str, word: str, senses: list[str]) -> None:
        """found: of core.analysis.occlusion.occlusion_of_run. senses: of the session, in their order."""
        if "error" in found:
            self._say(f"{found['error']} {found['hint']}".strip())
            return
        self.tokens.show()
        own, other = senses.index(found["sense"]), senses.index(found["other"])
        strongest = max((abs(change) for change in found["changes"] if change is not None), default=0.0)
        pieces = _pieces(text, word, found["words"])
        by_place = dict(zip(found["words"], found["changes"], strict=True))
        colours, self._tips = [], []
        for start, end in pieces:
            change = by_place.get((start, end))
            if change is None or abs(change) < max(FAINTEST, 1e-9):
                colours.append("")
            else:
                sense = own if change > 0 else other
                shade = with_alpha(theme.sense_colour(sense), STRONGEST * abs(change) / max(strongest, WEAK))
                colours.append(shade.name(QColor.NameFormat.HexArgb))
            self._tips.append("" if change is None else tr("without “{word}” the score is {score:.2f}, {change:+.2f}", word=text[start:end],
                                                           score=found["score"] - change, change=-change))
        self.tokens.set_tokens([text[start:end] for start, end in pieces], colours)
        self.tokens.select(next((place for place, (start, end) in enumerate(pieces) if (start, end) not in by_place
                                 and text[start:end].lower() == word.lower()), -1))
        title = store.sense_title(word, found["sense"])
        self._score.setText(tr("{sense}: score {score:.2f}", sense=title, score=round(found["score"], 2) + 0.0) if not found["same"] else "")
        self.rows = [[text[start:end], start, end, change] for (start, end), change in by_place.items()]
        self.words.setText(self._verdict(found, text, word))

    def _verdict(self, found: dict[str, Any], text: str, word: str) -> str:
        how = tr("Hidden words are replaced by [MASK].") if found["how"] == "mask" else \
            tr("Hidden words are taken out: this model has never seen a gap.")
        if found["same"]:
            return tr("Nothing changes: “{word}” has the same vector whatever is hidden.", word=word)
        known = [(change, span) for change, span in zip(found["changes"], found["words"], strict=True) if change is not None]
        if not known:
            return tr("There is no other word to hide.")
        change, (start, end) = max(known, key=lambda one: abs(one[0]))
        blind = sum(abs(one) < 1e-5 for one, _ in known)
        words = [tr("“{word}” matters most: {change:+.2f}.", word=text[start:end], change=change) if abs(change) > FAINTEST
                 else tr("No single word holds the sense.")]
        if blind:
            words.append(tr("{count} of {all} words change nothing at all: it cannot see them.", count=blind, all=len(known)))
        return " ".join([*words, how])

    def _hovered(self, index: int) -> None:
        self.tokens.setToolTip(html.escape(self._tips[index]) if 0 <= index < len(self._tips) else "")


def _pieces(text: str, word: str, words: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The words, and what stands between them, without the spaces."""
    made, at = [], 0
    for start, end in [*words, (len(text), len(text))]:
        between = text[at:start]
        place = between.lower().find(word.lower())
        cuts = [(0, place), (place, place + len(word)), (place + len(word), len(between))] if place >= 0 else [(0, len(between))]
        for first, last in cuts:
            piece = between[first:last]
            if piece.strip():
                left = at + first + len(piece) - len(piece.lstrip())
                made.append((left, left + len(piece.strip())))
        if end > start:
            made.append((start, end))
        at = end
    return made
