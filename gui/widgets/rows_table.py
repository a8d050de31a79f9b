"""A table of words and numbers that can be read, sorted and chosen from, however many rows it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from gui import theme

INVALID = QModelIndex()
WIDEST = 230


class RowsModel(QAbstractTableModel):
    """Numbers are shown with three decimals where they have any, and sorted as numbers."""

    def __init__(self, header: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._header = list(header)
        self._rows: list[Sequence[Any]] = []

    def set_rows(self, rows: Sequence[Sequence[Any]], header: Sequence[str] | None = None) -> None:
        self.beginResetModel()
        self._header = list(header) if header is not None else self._header
        self._rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = INVALID) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = INVALID) -> int:
        return 0 if parent.isValid() else len(self._header)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        value = self._rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.UserRole:  # what is sorted by
            return value
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else " ".join(str(value).split())
        if role == Qt.ItemDataRole.ToolTipRole and isinstance(value, str):
            return value
        if role == Qt.ItemDataRole.TextAlignmentRole and isinstance(value, int | float):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._header[section]
        return None


class RowsTable(QTableView):
    """chosen(row): the place of the row in `set_rows` that stands chosen now. stretch: the column that takes what is left.

    widest: of the other columns at first, in pixels at zoom 1; the person may draw them wider.
    """

    chosen = Signal(int)

    def __init__(self, header: Sequence[str], *, stretch: int = -1, widest: int = WIDEST, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stretch, self._widest = stretch, widest
        self.rows = RowsModel(header, self)
        self._order = QSortFilterProxyModel(self)
        self._order.setSourceModel(self.rows)
        self._order.setSortRole(Qt.ItemDataRole.UserRole)
        self.setModel(self._order)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setHighlightSections(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.selectionModel().currentRowChanged.connect(self._moved)
        self._fit()

    def set_rows(self, rows: Sequence[Sequence[Any]], header: Sequence[str] | None = None) -> None:
        """In the order given, until the person sorts them."""
        self.setSortingEnabled(False)
        self._order.sort(-1)
        self.rows.set_rows(rows, header)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self._fit()

    def choose(self, row: int) -> None:
        """Choose the row of that place in `set_rows`."""
        index = self._order.mapFromSource(self.rows.index(row, 0))
        self.setCurrentIndex(index)
        self.scrollTo(index)

    def _moved(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid():
            self.chosen.emit(self._order.mapToSource(index).row())

    def _fit(self) -> None:
        head = self.horizontalHeader()
        for column in range(self.rows.columnCount()):
            mode = QHeaderView.ResizeMode.Stretch if column == self._stretch else QHeaderView.ResizeMode.Interactive
            head.setSectionResizeMode(column, mode)
            if column != self._stretch:
                self.resizeColumnToContents(column)
                self.setColumnWidth(column, min(self.columnWidth(column), theme.scaled(self._widest)))
