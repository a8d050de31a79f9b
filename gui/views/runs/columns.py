"""The table of the runs as it is looked at: how wide its columns are, and which of them give way."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QSortFilterProxyModel, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from core.i18n import tr
from gui import theme
from gui.views.runs.table import CHIP, FAMILY, LOSS, NAME, SIZE, STATUS, STEP, TEXT, TIME, VALID, ChipDelegate, NameDelegate, StatusDelegate

WIDTHS = {CHIP: 34, NAME: 120, TEXT: 142}  # the others are as wide as what they hold
GIVE_WAY = (SIZE, STEP, TIME, LOSS, TEXT)  # the columns that are hidden where there is no room for all, the first one first
ROW_HEIGHT = 40


class RunsTable(QTableView):
    """The name takes what the others leave. Where that is less than WIDTHS says, columns give way: nothing is scrolled sideways.

    toggled(index): the chip of that row was pressed.
    """

    toggled = Signal(QModelIndex)

    def __init__(self, order: QSortFilterProxyModel) -> None:
        super().__init__(selectionBehavior=QAbstractItemView.SelectionBehavior.SelectRows, mouseTracking=True, accessibleName=tr("Runs"),
                         selectionMode=QAbstractItemView.SelectionMode.ExtendedSelection, sortingEnabled=True, wordWrap=False,
                         verticalScrollMode=QAbstractItemView.ScrollMode.ScrollPerPixel, showGrid=False, tabKeyNavigation=False,
                         horizontalScrollMode=QAbstractItemView.ScrollMode.ScrollPerPixel,
                         editTriggers=QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self._widths: dict[int, int] = {}  # of every column when it was seen last; of those that fit what they hold, that of their title
        self._soon = QTimer(self, interval=0, singleShot=True)  # the header must not lose a column while it sizes them
        self._soon.timeout.connect(self._fit)
        self.setModel(order)
        header = self.horizontalHeader()
        header.setSortIndicatorClearable(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.sectionResized.connect(self._fit_soon)
        for column, width in WIDTHS.items():
            self.setColumnWidth(column, theme.scaled(width))
        header.setResizeContentsPrecision(0)  # by the rows in sight
        for column in (FAMILY, STATUS, STEP, LOSS, VALID, TIME, SIZE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        chips = ChipDelegate(self)
        chips.toggled.connect(self.toggled)
        self.setItemDelegateForColumn(CHIP, chips)
        self.setItemDelegateForColumn(NAME, NameDelegate(self))
        self.setItemDelegateForColumn(STATUS, StatusDelegate(self))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit_soon(self, *_: int) -> None:
        self._soon.start()

    def _fit(self) -> None:
        header = self.horizontalHeader()
        shown = [column for column in range(header.count()) if header.sectionSize(column)]
        self._widths |= {column: header.sectionSize(column) if column in WIDTHS else header.sectionSizeHint(column) for column in shown}
        wanted = self._widths | {NAME: theme.scaled(WIDTHS[NAME])}
        wanted = {column: wide if column in WIDTHS else max(wide, self.sizeHintForColumn(column)) for column, wide in wanted.items()}
        over = sum(wanted.values()) - self.viewport().width()
        for column in GIVE_WAY:
            self.setColumnHidden(column, over > 0)
            over -= wanted.get(column, 0)
