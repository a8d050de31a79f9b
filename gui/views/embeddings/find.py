"""Finding words on the map: by what they hold, or by a regular expression."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.widgets.labels import button, label, row, tell
from gui.widgets.switch import Switch

WAIT_MS = 150  # after a key, so that a million words are not searched for each letter
SLICE_S = 0.008  # of the window's time that a search takes between two frames
CHECKED = 200  # words between two looks at the clock


class FindControls(QWidget):
    """changed(): query, regex or grey. found: rows that match, None while nothing is searched. choose(): select them."""

    changed = Signal()
    choose = Signal()

    def __init__(self, query: str, regex: bool, grey: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words: Sequence[str] = ()
        self._texts: Sequence[str] = ()
        self.found: np.ndarray | None = None
        self._field = QLineEdit(query, placeholderText=tr("Search"), clearButtonEnabled=True, accessibleName=tr("Search"))
        self._regex, self._grey = Switch(), Switch()
        for switch, words, on in ((self._regex, tr("Regular expression"), regex), (self._grey, tr("Grey out the others"), grey)):
            switch.setChecked(on)
            switch.setAccessibleName(words)
        self._select = button(tr("Select"), self.choose.emit)
        self._said = label("", "small", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        line = QHBoxLayout()
        line.addWidget(self._field, 1)
        line.addWidget(self._select)
        column.addLayout(line)
        for switch in (self._regex, self._grey):
            column.addWidget(row(switch, label(switch.accessibleName()), None))
        column.addWidget(self._said)
        self._timer = QTimer(self, interval=WAIT_MS, singleShot=True)
        self._timer.timeout.connect(self._search)
        self._slices = QTimer(self, interval=0)
        self._slices.timeout.connect(self._go_on)
        self._search_on: Iterator[list[int] | None] = iter(())
        self._field.textChanged.connect(self._timer.start)
        self._field.returnPressed.connect(self._search)
        self._regex.toggled.connect(self._search)
        self._grey.toggled.connect(self._tell)
        self._show("", False)

    @property
    def query(self) -> str:
        return self._field.text()

    @property
    def regex(self) -> bool:
        return self._regex.isChecked()

    @property
    def grey(self) -> bool:
        return self._grey.isChecked()

    def set_words(self, words: Sequence[str], texts: Sequence[str], query: str, regex: bool, grey: bool) -> None:
        """Other words to search. texts: the sentences of occurrences, which are searched instead."""
        self._words, self._texts = words, texts
        for widget in (self._field, self._regex, self._grey):
            widget.blockSignals(True)
        self._field.setText(query)
        self._regex.setChecked(regex)
        self._grey.setChecked(grey)
        for widget in (self._field, self._regex, self._grey):
            widget.blockSignals(False)
        self._search()

    def _tell(self) -> None:
        self.changed.emit()

    def _search(self) -> None:
        self._timer.stop()
        self._slices.stop()
        query, words = self.query.strip(), self._texts or self._words
        self.found = None
        if not query or not len(words):
            self._show("", False)
        else:
            folded = query.casefold()
            try:
                search = re.compile(query, re.IGNORECASE).search if self.regex else lambda word: folded in word.casefold()
            except re.error as error:
                self._show(tr("This is no regular expression: it cannot be read from character {place} on.", place=(error.pos or 0) + 1), True)
            else:
                self._search_on = _matching(search, words)
                self._go_on()
                return
        self.changed.emit()

    def _go_on(self) -> None:
        """At once where a slice is enough, as for most vocabularies."""
        found = next(self._search_on, [])
        if found is None:
            self._slices.start()
        else:
            self._slices.stop()
            self._end(np.array(found, np.int64))

    def _end(self, found: np.ndarray) -> None:
        self.found = found
        self._show(tr("{count:,} of {all:,}", count=len(found), all=len(self._texts or self._words)), False)
        self._select.setEnabled(len(found) > 0)
        self.changed.emit()

    def _show(self, words: str, error: bool) -> None:
        tell(self._said, words, error)
        self._select.setEnabled(False)


def _matching(search: Callable[[str], object], words: Sequence[str]) -> Iterator[list[int] | None]:
    """None after each slice of time, at the end the rows that match."""
    found, end = [], time.perf_counter() + SLICE_S
    for place, word in enumerate(words):
        if search(word):
            found.append(place)
        if place % CHECKED == 0 and time.perf_counter() > end:
            yield None
            end = time.perf_counter() + SLICE_S
    yield found
