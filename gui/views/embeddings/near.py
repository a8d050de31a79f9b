"""The words nearest to one, in the full space, with their distances; to click on, and to save."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from core.i18n import tr
from core.vector_source import COSINE
from gui import theme
from gui.widgets.elided import Elided
from gui.widgets.labels import icon_button, label, tell

COUNTS = 20  # neighbours that are listed
VISIBLE = 8  # rows without scrolling


class NearControls(QWidget):
    """clicked(row): a neighbour. save(): the list. watch(): look at the word in the other views."""

    clicked = Signal(int)
    save = Signal()
    watch = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[int] = []
        self.listed: list[tuple[str, float]] = []
        self.word, self.measure = "", COSINE
        self._title = Elided("", "heading")
        self._watch = icon_button("senses", tr("Look at this word in the other views"), self.watch.emit)
        self._save = icon_button("save", tr("Save this list as csv"), self.save.emit)
        self._table = QTableWidget(0, 2, accessibleName=tr("Nearest words"))
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setShowGrid(False)
        self._table.setTabKeyNavigation(False)
        self._table.verticalHeader().hide()
        self._table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self._table.cellClicked.connect(self._cell_clicked)
        self._said = label("", "small", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        line = QHBoxLayout()
        line.addWidget(self._title, 1)
        line.addWidget(self._watch)
        line.addWidget(self._save)
        column.addLayout(line)
        column.addWidget(self._table)
        column.addWidget(self._said)
        self.clear()

    def clear(self, words: str = "") -> None:
        """words: why there is no list."""
        self._rows, self.listed, self.word = [], [], ""
        self._title.setText(tr("Neighbours"))
        self._table.hide()
        self._watch.setEnabled(False)
        self._save.setEnabled(False)
        tell(self._said, words or tr("Click on a point."), bool(words))

    def show_near(self, word: str, names: Sequence[str], rows: Sequence[int], distances: Sequence[float], measure: str) -> None:
        self.word, self.measure = word, measure
        self._rows = [int(row) for row in rows]
        self.listed = [(name, float(far)) for name, far in zip(names, distances, strict=True)]
        self._title.setText(tr("Nearest to “{word}”", word=word))
        self._table.setHorizontalHeaderLabels([tr("Word"), tr("1 - cosine") if measure == COSINE else tr("Distance")])
        self._table.setRowCount(len(self._rows))
        for place, (name, far) in enumerate(self.listed):
            self._table.setItem(place, 0, QTableWidgetItem(name))
            self._table.item(place, 0).setToolTip(name)
            number = QTableWidgetItem(f"{far:.3f}")
            number.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._table.setItem(place, 1, number)
        high = self._table.rowHeight(0) if self._rows else 24
        self._table.setFixedHeight(self._table.horizontalHeader().sizeHint().height() + high * min(VISIBLE, max(len(self._rows), 1)) + 12)
        self._table.setVisible(bool(self._rows))
        self._watch.setEnabled(True)
        self._save.setEnabled(bool(self._rows))
        tell(self._said, "" if self._rows else tr("There is no other word."))

    def _cell_clicked(self, place: int, _column: int) -> None:
        if place < len(self._rows):
            self.clicked.emit(self._rows[place])
