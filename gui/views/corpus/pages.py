"""What comes of a text, on three pages: its documents as they are read, as the model sees them, and in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from core.i18n import tr
from core.shares import percent
from gui import theme
from gui.widgets.axes import short
from gui.widgets.histogram import Histogram
from gui.widgets.labels import label, rule
from gui.widgets.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.text.statistics import Statistics

UNKNOWN = "[UNK]"
EXAMPLES = 8
EXAMPLE_TOKENS = 120
LISTED = 12
SPACE = "␣"


class Page(QStackedWidget):
    """A column that scrolls, or a sentence that says why there is nothing. Add to `.column` after `.start()`."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = label(words, "soft", wrap=True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._scroll = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.addWidget(self._words)
        self.addWidget(self._scroll)

    def clear(self, words: str) -> None:
        self._words.setText(words)
        self.setCurrentWidget(self._words)

    def start(self) -> None:
        body = QWidget()
        self.column = QVBoxLayout(body)
        self.column.setContentsMargins(0, theme.XS, theme.M, theme.S)
        self.column.setSpacing(theme.M)
        self.column.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._scroll.setWidget(body)  # the one before dies with its widgets
        self.setCurrentWidget(self._scroll)


class ReadPage(Page):
    def __init__(self) -> None:
        super().__init__("")

    def show_documents(self, documents: Sequence[str], problem: str) -> None:
        if not documents:
            self.clear(problem)
            return
        self.start()
        if problem:
            self.column.addWidget(label(problem, "error", wrap=True))
        self.column.addWidget(label(tr("The first documents"), "caption"))
        for number, document in enumerate(documents, start=1):
            if number > 1:
                self.column.addWidget(rule())
            made = label(document, wrap=True)
            made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self.column.addWidget(made)


class SeenPage(Page):
    def __init__(self) -> None:
        super().__init__(tr("The tokens are shown when the text has been counted."))

    def show_examples(self, found: Statistics) -> None:
        self.start()
        words = tr("{coverage} of the tokens are in the vocabulary of {size:,}.", coverage=percent(found.coverage, 2), size=found.vocab_size)
        self.column.addWidget(label(words, "soft", wrap=True))
        if found.coverage < 1:
            self.column.addWidget(label(tr("Marked: what the model does not know and sees as [UNK]."), "caption", wrap=True))
        red = theme.current().danger_soft
        for tokens in found.examples[:EXAMPLES]:
            shown = tokens[:EXAMPLE_TOKENS]
            made = Tokens()
            made.set_tokens([SPACE if token == " " else token for token in shown], [red if token == UNKNOWN else "" for token in shown])
            self.column.addWidget(made)


class StatisticsPage(Page):
    def __init__(self) -> None:
        super().__init__(tr("The numbers are shown when the text has been counted."))

    def show_statistics(self, found: Statistics) -> None:
        self.start()
        figures = QGridLayout()
        figures.setHorizontalSpacing(theme.L)
        figures.setVerticalSpacing(theme.M)
        shown = (
            (tr("documents"), found.documents), (tr("sentences"), found.sentences), (tr("characters"), found.characters),
            (tr("tokens"), found.tokens), (tr("vocabulary"), found.vocab_size), (tr("documents for validation"), found.valid_documents),
        )
        for index, (words, count) in enumerate(shown):
            place = QVBoxLayout()
            place.setSpacing(0)
            number = label(f"{count:,}", "title")
            number.setToolTip(f"{count:,}")
            place.addWidget(number)
            place.addWidget(label(words, "small"))
            figures.addLayout(place, index // 3, index % 3)
        self.column.addLayout(figures)
        self.column.addWidget(label(tr("{coverage} of the tokens are in the vocabulary.", coverage=percent(found.coverage, 2)), wrap=True))
        for title, counts in ((tr("Length of the sentences, in tokens"), found.sentence_lengths),
                              (tr("Length of the documents, in tokens"), found.document_lengths)):
            self.column.addWidget(label(title, "heading"))
            made = Histogram()
            made.set_counts(counts)
            self.column.addWidget(made)
        if found.watched:
            self._pairs(tr("How often each watched word occurs"), sorted(found.watched.items(), key=lambda pair: -pair[1]), 40)
        self._pairs(tr("Most often unknown"), found.unknown, LISTED)
        self._pairs(tr("The rarest that are known"), found.rarest, LISTED)
        if found.longest:
            self.column.addWidget(label(tr("The longest documents"), "heading"))
            for count, beginning in found.longest[:5]:
                self.column.addWidget(label(tr("{count} tokens: {text}", count=short(count), text=beginning), "small", wrap=True))

    def _pairs(self, title: str, pairs: Sequence[tuple[str, int]], most: int) -> None:
        if pairs:
            self.column.addWidget(label(title, "heading"))
            made = Tokens()
            made.setFont(theme.font("body"))
            made.set_tokens([f"{SPACE if text == ' ' else text}  {count:,}" for text, count in pairs[:most]])
            self.column.addWidget(made)
