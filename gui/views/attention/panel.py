"""One run in the attention view: its heads as pictures, a map, lines, a table, or what really changes. Knows answers, no session."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QScrollArea, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from core.i18n import sentences, tr
from gui import theme
from gui.run_panels import seen_at
from gui.views.attention.effects import EffectsPage
from gui.views.attention.notes import is_pair, where
from gui.views.attention.state import EFFECTS, GRID, LINES, MAP, TABLE, State
from gui.views.attention.table import HeadTable, titles
from gui.widgets.chips import Dot
from gui.widgets.elided import Elided
from gui.widgets.head_grid import HeadGrid
from gui.widgets.head_lines import HeadLines
from gui.widgets.heatmap import Heatmap
from gui.widgets.labels import label, row
from gui.widgets.vector_strip import VectorStrip

NARROW, NARROWEST = 168, 112  # below the first the head has room for the family only; its colour is in the stripe
Unit = tuple[int, int, int]  # the sentence, and where the word begins and ends in it; (sentence, -1, place) for a special token
MESSAGE = "message"


class AttentionPanel(QFrame):
    """headChosen(layer, head), counted from 0; pairChosen(query, key) and unitChosen(unit): places among all units, -1 for none."""

    headChosen = Signal(int, int)
    pairChosen = Signal(int, int)
    unitChosen = Signal(int)

    def __init__(self, colour: str, family: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setMinimumWidth(theme.scaled(NARROWEST))
        self._saving: QWidget | None = None
        self.answer: dict[str, Any] | None = None
        self._state = State()
        stripe = QFrame()
        stripe.setFixedHeight(4)
        stripe.setStyleSheet(f"background: {colour}; border: none; border-radius: 2px;")
        self._title = title = Elided(family, "large")
        title.setStyleSheet("font-weight: 700;")
        title.setToolTip(family)
        title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._name = Elided("", "small", least=6)  # "apple..." says nothing
        self._name.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._where = Elided("", "small")
        self._step = Elided("", "small")
        self._step.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._step.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)  # what stands at the left gives way
        self.message = label("", "soft", wrap=True)
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.note = label("", "caption", wrap=True)
        self._pages = {MESSAGE: self.message, **self._make_pictures()}
        self._stack = QStackedLayout()
        for page in self._pages.values():
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        column.setSpacing(theme.XS)
        self._dot = Dot(colour, 14)
        self._tools = row(self._dot, title, self._name)
        self._figures = row(self._where, self._step)
        for part in (stripe, self._tools, self._figures):
            column.addWidget(part)
        column.addLayout(self._stack, 1)
        column.addWidget(self.note)
        self.say("")

    def _make_pictures(self) -> dict[str, QWidget]:
        """mode -> what shows the answer in it."""
        self.grid = HeadGrid()
        self.grid.set_axes(tr("layers"), tr("heads"))
        self.grid.set_scale(tr("each head's greatest weight"))
        self.grid.setAccessibleName(tr("All layers and heads"))
        self.grid.clicked.connect(self.headChosen)
        self.map = Heatmap()
        self.map.set_axes(tr("from"), tr("to"))
        self.map.setAccessibleName(tr("Attention from each word to each word"))
        self.map.clicked.connect(self._cell_clicked)
        self.strip = VectorStrip()
        self.strip.hide()
        self.lines = HeadLines()
        self.lines.setAccessibleName(tr("Attention as lines"))
        self.lines.set_names((tr("from (query)"), tr("query")), (tr("to (key)"), tr("key")))
        self.lines.picked.connect(self._word_picked)
        self.table = HeadTable()
        self.table.chosen.connect(self.headChosen)
        self.effects = EffectsPage()
        self.effects.unitChosen.connect(self.unitChosen)
        self.effects.headChosen.connect(self.headChosen)
        scroll = QScrollArea(widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.lines)
        mapped = QWidget()
        column = QVBoxLayout(mapped)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.map, 1)
        column.addWidget(self.strip)
        return {GRID: self.grid, MAP: mapped, LINES: scroll, TABLE: self.table, EFFECTS: self.effects}

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < theme.scaled(NARROW)
        self._dot.setHidden(narrow)
        self._name.setHidden(narrow)
        self._figures.layout().setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)
        self._step.setAlignment((Qt.AlignmentFlag.AlignLeft if narrow else Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter)
        self._title.setSizePolicy(QSizePolicy.Policy.Preferred if narrow else QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.layout().setContentsMargins(*((theme.S, theme.XS) if narrow else (theme.M, theme.S)) * 2)

    def add_tool(self, tool: QWidget) -> None:
        """A small button in the panel's corner, for its picture: there only while there is one, since the title needs the room."""
        self._saving = tool
        self._tools.layout().addWidget(tool)
        self._tools.setMinimumHeight(tool.sizeHint().height())  # the titles of all panels stand in one line
        tool.setVisible(self.answer is not None)

    def set_head(self, name: str, step: str) -> None:
        self._name.setText(name)
        self.setToolTip(name)
        self._step.setText(step)

    def say(self, message: str) -> None:
        """Only this sentence instead of a picture."""
        self.answer = None
        if self._saving is not None:
            self._saving.hide()
        self.message.setText(message)
        self.note.hide()
        self._where.setText("")
        self._stack.setCurrentWidget(self._pages[MESSAGE])

    def show_answer(self, answer: dict[str, Any], state: State, heads: Sequence[int], notes: Sequence[str]) -> None:
        """answer: of core.analysis.attention_window.attention. heads: whose lines are drawn. notes: what else must be said."""
        self.answer, self._state = answer, state
        if self._saving is not None:
            self._saving.show()
        layer, head = answer["layer"], answer["head"]
        if state.mode == GRID:
            self.grid.set_maps(answer["grid"], self._grid_card)
            self.grid.select(layer, head)
        elif state.mode == MAP:
            self.map.set_weights(answer["weights"], answer["labels"], soft=answer["special"], sentence=answer["sentence"] if is_pair(answer)
                                 else (), least=state.least, words=self._map_card)
        elif state.mode == LINES:
            self.lines.set_lines(answer["lines"], {number: theme.sense_colour(number) for number in answer["lines"]}, answer["labels"],
                                 soft=answer["special"], least=state.least,
                                 titles={number: tr("head {head}", head=number + 1) for number in answer["lines"]})
        elif state.mode == TABLE:
            self.table.show_table(answer["table"], _first_special(answer))
            self.table.select(layer, head)
        else:
            self.effects.set_attention(answer, state)
        self._where.setText(where(answer, state, heads))
        if state.mode == LINES and self.lines.dropped:
            notes = [*notes, tr("{count:,} thinner lines are left out.", count=self.lines.dropped)]
        self.note.setText(sentences(*notes))
        self.note.setVisible(bool(notes))
        self._stack.setCurrentWidget(self._pages[state.mode])

    def picture(self) -> QWidget | None:
        """What is to be saved: the page without its scroll area."""
        if self.answer is None:
            return None
        return {GRID: self.grid, MAP: self.map, LINES: self.lines, TABLE: self.table, EFFECTS: self.effects}[self._state.mode]

    def unit_at(self, place: int) -> Unit | None:
        """The word at that place among all units."""
        if self.answer is None or place not in self.answer["places"]:
            return None
        number = int(np.flatnonzero(self.answer["places"] == place)[0])
        sentence, (start, end) = int(self.answer["sentence"][number]), self.answer["spans"][number]
        return (sentence, -1, place) if self.answer["special"][number] else (sentence, start, end)

    def row_of(self, unit: Unit | None) -> int:
        """The row in which a word (of any run) is shown here, -1 for none."""
        if unit is None or self.answer is None:
            return -1
        answer = self.answer
        for number, (start, end) in enumerate(answer["spans"]):
            if answer["special"][number]:
                if unit[1] < 0 and answer["places"][number] == unit[2]:
                    return number
            elif answer["sentence"][number] == unit[0] and start <= unit[1] < end:
                return number
        return -1

    def select(self, query: Unit | None, key: Unit | None) -> None:
        """Mark the word that is looked at, and the one it looks to, in every picture."""
        asked, answered = self.row_of(query), self.row_of(key)
        self.map.select(asked, answered)
        self.lines.pick(asked)

    def show_vectors(self, found: dict[str, Any] | None) -> None:
        """found: of core.analysis.attention_window.query_and_key; None: nothing is chosen."""
        shown = found is not None and self.answer is not None  # the picture may have gone since they were asked for
        self.strip.setVisible(shown)
        if not shown:
            return
        query, key = found["labels"]
        size = len(found["query"])
        words = tr("Score {score:.2f} = sum of the products / √{size}; softmax over all keys makes it {weight:.3f}.", score=found["score"], size=size,
                   weight=found["weight"])
        if found["masked"]:
            words = tr("Score {score:.2f}, but the word comes later: this model hides it.", score=found["score"])
        self.strip.set_rows([(tr("query {word}", word=query), found["query"]), (tr("key {word}", word=key), found["key"]),
                             (tr("product"), found["query"] * found["key"])], sentences(words, seen_at(found["step"], self.answer["step"])))

    def _cell_clicked(self, asked: int, answered: int) -> None:
        self.pairChosen.emit(int(self.answer["places"][asked]), int(self.answer["places"][answered]))

    def _word_picked(self, number: int) -> None:
        self.unitChosen.emit(int(self.answer["places"][number]) if number >= 0 else -1)

    def rows(self) -> tuple[list[str], list[list[object]]]:
        """The numbers behind the picture, for a file."""
        answer, mode = self.answer, self._state.mode
        if answer is None:
            return [], []
        if mode in (GRID, TABLE):
            self.table.show_table(answer["table"], _first_special(answer))
            return self.table.heads.rows()
        if mode == EFFECTS:
            return self.effects.rows()
        found = {answer["head"]: answer["weights"]} if mode == MAP else answer["lines"]
        labels, named = answer["labels"], (lambda head: head + 1 if mode == LINES or self._state.what in ("head", "layers") else self._state.what)
        return ["layer", "head", "from", "to", "weight"], [
            [answer["layer"] + 1, named(head), labels[asked], labels[answered], round(float(weight), 6)]
            for head, weights in found.items() for (asked, answered), weight in np.ndenumerate(weights) if np.isfinite(weight)]

    def _grid_card(self, layer: int, head: int) -> str:
        lines = [f"<b>{html.escape(tr('Layer {layer}, head {head}', layer=layer + 1, head=head + 1))}</b>"]
        for name, (title, _) in titles(_first_special(self.answer)).items():
            values = self.answer["table"].get(name)
            if values is not None and np.isfinite(values[layer, head]):
                value = float(values[layer, head])
                lines.append(f"{html.escape(title)} {value:.2f}" if name in ("entropy", "distance") else f"{html.escape(title)} {value:.0%}")
        return "<br>".join(lines)

    def _map_card(self, asked: int, answered: int) -> str:
        answer = self.answer
        weight = float(answer["weights"][asked, answered])
        lines = [f"<b>{html.escape(answer['labels'][asked])} → {html.escape(answer['labels'][answered])}</b>"]
        lines.append("–" if not np.isfinite(weight) else f"{weight:.3f}")
        for number in dict.fromkeys((asked, answered)):
            if answer["unknown"][number]:
                lines.append(html.escape(tr("“{word}” is not in the vocabulary: the model reads [UNK].", word=answer["labels"][number])))
            elif answer["pieces"][number] > 1:
                lines.append(html.escape(tr("“{word}” is {count} tokens.", word=answer["labels"][number], count=int(answer["pieces"][number]))))
        return "<br>".join(lines)


def _first_special(answer: dict[str, Any]) -> str:
    return answer["labels"][0] if len(answer["labels"]) and answer["special"][0] else "[CLS]"
