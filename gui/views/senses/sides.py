"""The deciding word before the word, and after it: which model, and which of ELMo's two directions, can know it, and why the others cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLineEdit, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from core.errors import UserError
from core.i18n import tr
from gui import picture, theme
from gui import specimen_store as store
from gui.session import BenchRun
from gui.views.senses.answers import Question, question
from gui.views.senses.state import ARROWS, BACKWARD, BOTH, FORWARD, Redraw, Shared, checkpoints_of, heading, is_joined, line_name, why_empty
from gui.widgets.balance import Balance
from gui.widgets.chips import Dot
from gui.widgets.elided import Elided
from gui.widgets.folding import FoldingSegments
from gui.widgets.labels import label, row

WAIT_MS = 250  # after the last letter
SAME = 1e-5  # of a vector's length; see core.analysis.sides
BEFORE, AFTER = "before", "after"
LONGEST = 500
NAME_WIDTH = 140  # of a run at most
# (word, sense) -> the deciding words before the word, and after it
EXAMPLES = {
    ("苹果", "fruit"): ("又脆又甜的苹果", "苹果又脆又甜"),
    ("苹果", "company"): ("手机和平板都是苹果", "苹果的手机和平板"),
    ("apple", "fruit"): ("a crisp and juicy apple", "apple pie is sweet and juicy"),
    ("apple", "company"): ("a new phone from apple", "apple released a new phone"),
}


class SidesPage(QWidget):
    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self._session, self._services = session, services = shared.session, shared.services
        self._answers, self._choices = shared.answers, shared.choices
        self._cells: dict[tuple[Path, str, int], Cell] = {}
        self._order: tuple = ()
        self._word: tuple = ()
        self._stands: dict[Path, tuple] = {}  # of each run what is asked, or was answered
        self.controls = QWidget(self)
        self.controls.hide()
        self._senses: FoldingSegments | None = None
        self._edits = [QLineEdit(maxLength=LONGEST, accessibleName=words) for words in (tr("The deciding word stands before"),
                                                                                      tr("The deciding word stands after"))]
        self._wait = QTimer(self, interval=WAIT_MS, singleShot=True)
        for edit in self._edits:
            edit.setFont(theme.font("large"))
            edit.textEdited.connect(self._typed)
        self._board = QWidget()
        self._grid = QGridLayout(self._board)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.S)
        self._grid.setVerticalSpacing(theme.XS)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(2, 1)
        heads = (tr("The deciding word before"), tr("The deciding word after"))
        for column, (words, edit) in enumerate(zip(heads, self._edits, strict=True), start=1):
            self._grid.addWidget(label(words, "heading", wrap=True), 0, column, Qt.AlignmentFlag.AlignBottom)
            self._grid.addWidget(edit, 1, column)
        self._message = label("", "large", wrap=True)
        area = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._board)
        column.addStretch(1)
        area.setWidget(inside)
        save = picture.PictureButton(self._board, "two sides", messages=services.messages, settings=services.settings, rows=self._rows)
        self._top = QHBoxLayout()
        self._top.addWidget(label(tr("Example for:")))
        self._top.addStretch(1)
        self._top.addWidget(save)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.S)
        whole.addLayout(self._top)
        whole.addWidget(self._message)
        whole.addWidget(area, 1)
        self._redraw = Redraw(self, self._draw, shared.answers)
        self._wait.timeout.connect(self._redraw.soon)
        for signal in (session.benchChanged, session.specimensChanged, session.layerChanged, services.processes.changed):
            signal.connect(self._redraw.soon)
        shared.choices.restored.connect(self._take_sentences)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._redraw.soon()

    @property
    def cells(self) -> dict[tuple[Path, str, int], Cell]:
        """(run, direction, 0 for before or 1 for after) -> what is said of it."""
        return self._cells

    def set_sentences(self, before: str, after: str) -> None:
        self._choices.set(before=before, after=after)
        self._take_sentences()

    def _typed(self, _text: str) -> None:
        before, after = (edit.text() for edit in self._edits)
        self._choices.set(before=before, after=after)
        self._wait.start()

    def _choose(self, sense: str) -> None:
        self._choices.set(sense=sense, before="", after="")
        self._take_sentences()

    def _take_sentences(self) -> None:
        """As they are remembered; else the example of the sense."""
        state = self._choices.state
        sense = state.sense if state.sense in self._session.senses else next(iter(self._session.senses), "")
        if self._senses is not None:
            self._senses.set_value(sense)
        texts = (state.before, state.after) if state.before or state.after else self._example(sense)
        for edit, text in zip(self._edits, texts, strict=True):
            edit.setText(text)
            edit.setCursorPosition(0)  # where it is narrow one reads from the beginning
        self._redraw.soon()

    def _example(self, sense: str) -> tuple[str, str]:
        """Ready ones; else the specimens in which the word stands last and first."""
        session = self._session
        ready = EXAMPLES.get((session.word.lower(), sense))
        if ready is not None:
            return ready
        mine = [(item, _span(item)) for item in session.specimens if item.sense == sense]
        places = [(span[0] / max(len(item.text) - (span[1] - span[0]), 1), item.text) for item, span in mine if span[1] > span[0]]
        return (max(places)[1], min(places)[1]) if places else ("", "")

    # drawing

    def _draw(self) -> None:
        session = self._session
        self._answers.about(session.specimens)
        words, _ = why_empty(session)
        self._message.setVisible(bool(words))
        self._board.setVisible(not words)
        if words:
            self._message.setText(words)
            return
        self._offer_senses()
        self._make_rows()
        texts = tuple(" ".join(edit.text().split()) for edit in self._edits)
        asked: list[Question] = []
        for item in session.bench:
            wanted = question("sides", run=str(item.path), texts=texts, word=session.word, layer=session.layer_of(item.run),
                              stamp=checkpoints_of([item]))
            asked.append(wanted)
            found = self._answers.get(wanted)
            stands = session.word, session.specimens, session.layer_of(item.run), self._senses.value
            stale, self._stands[item.path] = self._stands.get(item.path) != stands, stands
            if found is None and not stale:  # while one types the answer before stays
                continue
            for direction in _directions(item):
                for place in range(2):
                    cell = self._cells[item.path, direction, place]
                    if found is None:
                        cell.say(tr("Looking at the vectors..."))
                        continue
                    if "error" in found:
                        cell.say(f"{found['error']} {found['hint']}".strip())
                        continue
                    reader = next(one for one in found["readers"] if one["direction"] == direction)
                    cell.show_answer(reader["texts"][place], place, list(session.senses), session.word)
        self._redraw.ask(asked)

    def _offer_senses(self) -> None:
        session = self._session
        if self._word == (session.word, session.senses):
            return
        if self._senses is not None:
            self._top.removeWidget(self._senses)
            self._senses.hide()
            self._senses.deleteLater()
        self._word = (session.word, session.senses)
        self._senses = FoldingSegments({sense: store.sense_title(session.word, sense) for sense in session.senses})
        self._senses.chosen.connect(self._choose)
        self._top.insertWidget(1, self._senses)
        self._take_sentences()

    def _make_rows(self) -> None:
        order = tuple((item.path, item.colour, item.run.name) for item in self._session.bench)
        if order == self._order:
            return
        self._order, self._cells = order, {}
        while self._grid.count() > 4:  # the headings and the two sentences stay
            part = self._grid.takeAt(4).widget()
            part.hide()
            part.deleteLater()
        line = 2
        for item in self._session.bench:
            for direction in _directions(item):
                name, arrow = Elided(heading(item, self._session.bench), "large"), label("" if direction == BOTH else ARROWS[direction], "large")
                for part in (name, arrow):
                    part.setStyleSheet("font-weight: 700;")
                name.ensurePolished()
                name.setFixedWidth(min(name.sizeHint().width(), theme.scaled(NAME_WIDTH)))
                head = row(Dot(theme.current().runs[item.colour], 14), name, arrow, None)
                head.setToolTip(line_name(item.run, direction))
                self._grid.addWidget(head, line, 0, Qt.AlignmentFlag.AlignTop)
                for place in range(2):
                    self._cells[item.path, direction, place] = Cell()
                    self._grid.addWidget(self._cells[item.path, direction, place], line, place + 1)
                line += 1

    def _rows(self) -> tuple[list[str], list[list[Any]]]:
        runs = {item.path: item.run.name for item in self._session.bench}
        return ["run", "direction", "side", "lean", "words"], [
            [runs.get(path, ""), direction, (BEFORE, AFTER)[place], cell.balance.lean, cell.words.text()]
            for (path, direction, place), cell in self._cells.items()]


class Cell(QFrame):
    """What one reader makes of one sentence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.balance = Balance()
        self.words = label(tr("Looking at the vectors..."), "soft", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.M, 2, theme.M, theme.XS)
        column.setSpacing(0)
        column.addWidget(self.balance)
        column.addWidget(self.words)

    def say(self, words: str) -> None:
        self.balance.set_lean(None, ("", ""), (theme.sense_colour(0), theme.sense_colour(1)))
        self.words.setText(words)

    def show_answer(self, found: dict[str, Any], place: int, senses: list[str], word: str) -> None:
        """found: one of the "texts" of core.analysis.sides. place: 0 where the deciding word stands before, 1 where after."""
        if "error" in found:
            self.say(f"{found['error']} {found['hint']}".strip())
            return
        cosines = dict(found["cosines"])
        ranked = sorted(cosines, key=lambda sense: -cosines[sense])
        two = sorted(ranked[:2], key=senses.index)  # the two that it might be
        change = found[(BEFORE, AFTER)[place]]
        blind = change is not None and change < SAME
        lean = cosines[two[1]] - cosines[two[0]]
        self.balance.set_lean(lean, tuple(store.sense_title(word, sense) for sense in two),
                              tuple(theme.sense_colour(senses.index(sense)) for sense in two), faint=blind or lean == 0)
        side = (tr("before"), tr("after"))[place]
        if change is None:
            self.words.setText(tr("Nothing stands {side} the word.", side=side))
        elif blind:
            self.words.setText(tr("Cannot know: without what stands {side}, the vector is the same (by {change}).", side=side,
                                  change=f"{change:.0e}" if change else "0"))
        else:
            self.words.setText(tr("Has read it: without what stands {side}, the vector changes by {change:.0%}.", side=side, change=change))
        self.setToolTip(tr("The bar is what the vector leans to in any sentence that begins or ends like this.") if blind else
                        tr("The bar is the cosine with one sense's centroid less that with the other's; the change is told in shares of the "
                           "vector's length."))


def _directions(item: BenchRun) -> tuple[str, ...]:
    return (FORWARD, BACKWARD) if is_joined(item.run) else (BOTH,)


def _span(item: Any) -> tuple[int, int]:
    try:
        return item.span
    except UserError:
        return 0, 0
