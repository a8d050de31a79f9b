"""The heads of a run as rows, to be sorted by what they do: previous-token heads first, for instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from core.i18n import tr
from gui import theme

NAMES = ("entropy", "distance", "previous", "next", "same", "first", "sep")
TITLE_SIDES, NUMBER_SIDES = 6, 14  # pixels around a column's title and its numbers
Index = QModelIndex | QPersistentModelIndex


def titles(first: str) -> dict[str, tuple[str, str]]:
    """name -> (title, what it is). first: the token that the model's input begins with."""
    return {
        "head": (tr("Head"), tr("Layer and head, both counted from 1.")),
        "entropy": (tr("Entropy"), tr("In bits: 0 looks at one word only; the higher, the more evenly the head looks at all.")),
        "distance": (tr("Dist."), tr("How many words away it looks, weighted by its attention; special tokens count as words.")),
        "previous": (tr("Prev"), tr("The share of its attention that goes to the word before.")),
        "next": (tr("Next"), tr("The share of its attention that goes to the word after.")),
        "same": (tr("Same"), tr("The share of its attention that stays with the word itself.")),
        "first": (first, tr("The share of its attention that goes to {token}.", token=first)),
        "sep": ("[SEP]", tr("The share of its attention that goes to {token}.", token="[SEP]")),
    }


class HeadModel(QAbstractTableModel):
    """A row a head. `head_at(row)` gives (layer, head)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: list[str] = ["head"]
        self._titles = titles("[CLS]")
        self._values = np.zeros((0, 1))
        self._heads: list[tuple[int, int]] = []
        self._order = np.zeros(0, dtype=int)
        self._sorting: tuple[int, Qt.SortOrder] = (0, Qt.SortOrder.AscendingOrder)

    def set_table(self, table: Mapping[str, np.ndarray], first: str) -> None:
        """table: name -> (layers, heads), as of core.analysis.attention.measures; a column that is NaN throughout is left out."""
        names = ["head", *(name for name in NAMES if name in table and np.isfinite(table[name]).any())]
        shape = next(iter(table.values())).shape if table else (0, 0)
        heads = [(layer, head) for layer in range(shape[0]) for head in range(shape[1])]
        columns = [np.arange(len(heads), dtype=float), *(table[name].ravel() for name in names[1:])]
        same = names == self._names and heads == self._heads and self._titles == titles(first)
        if not same:
            self.beginResetModel()
        self._names, self._heads, self._titles, self._values = names, heads, titles(first), np.stack(columns, axis=1)
        if not same:
            self._order = np.arange(len(heads))
            self.endResetModel()
        self.sort(*self._sorting)

    def head_at(self, row: int) -> tuple[int, int]:
        return self._heads[self._order[row]]

    def row_of(self, layer: int, head: int) -> int:
        """-1 where there is no such head."""
        place = self._heads.index((layer, head)) if (layer, head) in self._heads else -1
        return int(np.flatnonzero(self._order == place)[0]) if place >= 0 else -1

    def rows(self) -> tuple[list[str], list[list[object]]]:
        """Header and rows in the order in which they stand, for a file."""
        return ["layer", *self._names], [[self._heads[place][0] + 1, self._heads[place][1] + 1, *map(float, self._values[place, 1:])]
                                         for place in self._order.tolist()]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own signature)
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._names)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        place, column = int(self._order[index.row()]), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            if column == 0:
                return f"{self._heads[place][0] + 1}.{self._heads[place][1] + 1}"
            value = self._values[place, column]
            if not np.isfinite(value):
                return "–"
            return f"{value:.2f}" if self._names[column] in ("entropy", "distance") else f"{value:.0%}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.BackgroundRole and column:
            return self._shade(place, column)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._names):
            return None
        title, tip = self._titles[self._names[section]]
        return {Qt.ItemDataRole.DisplayRole: title, Qt.ItemDataRole.ToolTipRole: tip}.get(Qt.ItemDataRole(role))

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorting = (column, order)
        if not 0 <= column < len(self._names):
            return
        self.layoutAboutToBeChanged.emit()  # a selection makes its indexes persistent now
        old = self.persistentIndexList()
        before = [self._order[index.row()] for index in old]
        values = np.nan_to_num(self._values[:, column], nan=-np.inf)
        self._order = np.argsort(values if order == Qt.SortOrder.AscendingOrder else -values, kind="stable")
        moved = [self.index(int(np.flatnonzero(self._order == place)[0]), index.column()) for place, index in zip(before, old, strict=True)]
        self.changePersistentIndexList(old, moved)
        self.layoutChanged.emit()

    def _shade(self, place: int, column: int) -> QColor | None:
        """The higher among the heads, the stronger; so that a column can be read at a glance."""
        values = self._values[:, column]
        known = values[np.isfinite(values)]
        low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
        if high <= low or not np.isfinite(values[place]):
            return None
        made = QColor(theme.current().accent)
        made.setAlphaF(0.34 * float((values[place] - low) / (high - low)))
        return made


class HeadTable(QTableView):
    """chosen(layer, head): a row was clicked."""

    chosen = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heads = HeadModel(self)
        self.setModel(self.heads)
        self.setSortingEnabled(True)
        self.setTabKeyNavigation(False)  # Tab leaves it
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        small = f"font-size: {theme.px('small')}px"
        self.setStyleSheet(f"QTableView::item {{ padding: 1px 3px; }} QTableView {{ {small}; padding: 0; }}"
                           f"QHeaderView::section {{ padding: 9px 0px 4px 0px; {small}; font-weight: 400; }}"
                           "QHeaderView::up-arrow, QHeaderView::down-arrow { subcontrol-position: top center; width: 8px; height: 6px; }")
        self.setShowGrid(False)
        self.setAccessibleName(tr("The attention heads"))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(theme.px("small") + 12)
        head = self.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head.setHighlightSections(False)
        self.heads.modelReset.connect(self._share_width)
        head.setSortIndicatorClearable(False)
        head.setFirstSectionMovable(False)
        self.clicked.connect(self._clicked)

    def show_table(self, table: Mapping[str, np.ndarray], first: str) -> None:
        self.heads.set_table(table, first)

    def select(self, layer: int, head: int) -> None:
        """Mark that head's row. Sends no signal."""
        row = self.heads.row_of(layer, head)
        if row >= 0:
            self.selectRow(row)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_width()

    def _share_width(self) -> None:
        """Each column as wide as its title asks for, all of them together as wide as the table, or more where that is too narrow."""
        metrics = QFontMetrics(theme.font("small"))
        number = metrics.horizontalAdvance("0.00") + NUMBER_SIDES
        needs = [max(metrics.horizontalAdvance(str(self.heads.headerData(column, Qt.Orientation.Horizontal))) + TITLE_SIDES, number)
                 for column in range(self.heads.columnCount())]
        spare = max(self.viewport().width() - sum(needs), 0)
        for column, need in enumerate(needs):
            self.setColumnWidth(column, need + spare * (column + 1) // len(needs) - spare * column // len(needs))

    def _clicked(self, index: QModelIndex) -> None:
        self.chosen.emit(*self.heads.head_at(index.row()))
