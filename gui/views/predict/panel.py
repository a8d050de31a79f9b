"""What one run says to what was typed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.views.predict.blocks import Bars, Block, Marked, Score
from gui.widgets.chips import Dot
from gui.widgets.elided import Elided
from gui.widgets.labels import Card, label
from gui.widgets.probability_bars import ProbabilityBars
from gui.widgets.tagged_text import TaggedText
from gui.widgets.written_text import WrittenText

LEAST_WIDTH, DOT = 130, 12


class PredictPanel(Card):
    """note: what stands at the right of its head: the family and, of an answer, the step."""

    def __init__(self, name: str, colour: str, family: str = "") -> None:
        super().__init__()
        self._family = family
        self._colour = colour
        self._kinds: tuple[type, ...] = ()
        self._parts: list[QWidget] = []
        self._titles: list[QWidget] = []
        self._notes: list[QWidget] = []
        self.setMinimumWidth(LEAST_WIDTH)
        self._name = Elided(name, "heading")
        self._note = label(family, "caption", wrap=True)
        named = QHBoxLayout()
        named.setSpacing(theme.S)
        named.addWidget(Dot(colour, DOT))
        named.addWidget(self._name, 1)
        self._name.setToolTip(name)
        self._head = head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        head.setSpacing(theme.S)
        head.addLayout(named, 1)
        head.addWidget(self._note)
        self.message = label("", "soft", wrap=True)
        self.message.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, theme.S, 0)
        self._column.setSpacing(theme.S)
        self._column.setAlignment(Qt.AlignmentFlag.AlignTop)
        body = QWidget()
        body.setLayout(self._column)
        scroll = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        self.written = WrittenText(colour)
        self.ended = label("", "caption", wrap=True)
        writing = QWidget()
        inside = QVBoxLayout(writing)
        inside.setContentsMargins(0, 0, theme.S, 0)
        inside.addWidget(self.written)
        inside.addWidget(self.ended)
        inside.addStretch(1)
        scroll_written = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        scroll_written.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll_written.setWidget(writing)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.message)
        self._stack.addWidget(scroll)
        self._stack.addWidget(scroll_written)
        self.column.addLayout(head)
        self.column.addWidget(self._stack, 1)
        self.wait()

    def set_note(self, words: str) -> None:
        self._note.setText(words)
        self._note.setToolTip(words)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """The note stands beneath the name where both have no room in one line."""
        wanted = DOT + 2 * theme.S + self._name.sizeHint().width() + self._note.fontMetrics().horizontalAdvance(self._note.text())
        below = wanted > self.column.contentsRect().width()
        self._note.setWordWrap(below)
        self._head.setDirection(QBoxLayout.Direction.TopToBottom if below else QBoxLayout.Direction.LeftToRight)

    def say(self, words: str) -> None:
        """Why there is no answer."""
        self.set_note(self._family)
        self.message.setText(words)
        self._stack.setCurrentIndex(0)

    def wait(self) -> None:
        """Until it has answered: the first time takes seconds, as the model is loaded, and the answer before may be to another question."""
        self.say(tr("Reading the sentence..."))

    def begin_writing(self) -> None:
        self.written.clear()
        self.ended.setText("")
        self._stack.setCurrentIndex(2)

    def show_written(self) -> None:
        """Once more, after another mode or view."""
        self._stack.setCurrentIndex(2)

    @property
    def blocks(self) -> list[QWidget]:
        """The widgets that show the blocks, in their order."""
        return list(self._parts)

    def show_blocks(self, blocks: Sequence[Block]) -> None:
        """Draw an answer; where it has the same parts as the one before, nothing moves."""
        kinds = tuple(type(block) for block in blocks)
        if kinds != self._kinds:
            self._build(kinds)
        for block, part, title, note in zip(blocks, self._parts, self._titles, self._notes, strict=True):
            words = "" if isinstance(block, Marked) else block.title
            title.setText(words)
            title.setVisible(bool(words))
            note.setText(block.note)
            note.setVisible(bool(block.note))
            if isinstance(block, Bars):
                part.set_bars(block.titles, block.values, block.marked)
            elif isinstance(block, Score):
                part.setText(f"{block.value:.3f}")
            else:
                part.set_text(block.text, block.spans, _colours(block))
        self._stack.setCurrentIndex(1)

    def _build(self, kinds: tuple[type, ...]) -> None:
        while (item := self._column.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        self._kinds, self._parts, self._titles, self._notes = kinds, [], [], []
        for kind in kinds:
            part = TaggedText() if kind is Marked else label("", "hero") if kind is Score else ProbabilityBars(self._colour)
            title, note = label("", "small", wrap=True), label("", "caption", wrap=True)
            for widget in (title, part, note):
                self._column.addWidget(widget)
            self._parts.append(part)
            self._titles.append(title)
            self._notes.append(note)


def _colours(block: Marked) -> dict[str, str]:
    """The colours of senses serve for names as well; a single kind of mark has the accent's."""
    names = block.names or list(dict.fromkeys(name for _, _, name in block.spans))
    if len(names) < 2:
        return {name: theme.current().accent for name in names}
    return {name: theme.sense_colour(place).name() for place, name in enumerate(names)}
