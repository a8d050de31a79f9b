"""The runs as a table: the model, the order, and how a row is drawn."""

from __future__ import annotations

import math
from pathlib import Path

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from core.i18n import tr
from core.registry import family
from core.sizes import size_words
from gui import theme
from gui.losses import loss_title
from gui.session import Session
from gui.sources import source_of
from gui.views.runs.runs_list import RunRow
from gui.widgets.axes import clock

CHIP, NAME, FAMILY, TEXT, STATUS, STEP, LOSS, VALID, TIME, SIZE = range(10)
SORT_ROLE, ROW_ROLE, COLOUR_ROLE = (Qt.ItemDataRole.UserRole + number for number in range(3))
STATE_WIDTH, STATE_MARGIN = 120, 8  # at least, so that the columns do not move with every percent; at the left and right
Index = QModelIndex | QPersistentModelIndex


class RunsModel(QAbstractTableModel):
    """Newest first. renamed(path, name): a name was typed over; the model does not change it itself."""

    renamed = Signal(object, str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._rows: list[RunRow] = []
        session.benchChanged.connect(self._bench_changed)

    def put(self, row: RunRow) -> None:
        """A new row, or a known one as it is now."""
        place = self.place_of(row.path)
        if place >= 0:
            renamed = row.run.name != self._rows[place].run.name
            self._rows[place] = row
            self._tell(place, place, renamed=renamed)
            return
        place = next((number for number, old in enumerate(self._rows) if old.created < row.created), len(self._rows))
        self.beginInsertRows(QModelIndex(), place, place)
        self._rows.insert(place, row)
        self.endInsertRows()

    def take(self, path: Path) -> None:
        place = self.place_of(path)
        if place >= 0:
            self.beginRemoveRows(QModelIndex(), place, place)
            del self._rows[place]
            self.endRemoveRows()

    def place_of(self, path: Path) -> int:
        return next((number for number, row in enumerate(self._rows) if row.path == path), -1)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else SIZE + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section <= SIZE:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return ("", tr("Name"), tr("Family"), tr("Text"), tr("Status"), tr("Step"), tr("Loss"), tr("Validation"), tr("Time"),
                    tr("Size"))[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignRight if section >= STEP else Qt.AlignmentFlag.AlignLeft)
        if role == Qt.ItemDataRole.ToolTipRole:
            return {CHIP: tr("On the bench"), LOSS: tr("The last loss in training"), VALID: tr("The last loss in validation"),
                    TIME: tr("Time of training"), SIZE: tr("On the disk")}.get(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or not 0 <= index.row() < len(self._rows):
            return None
        row, column = self._rows[index.row()], index.column()
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return words(row, column)
        if role == Qt.ItemDataRole.EditRole:
            return row.run.name if column == NAME else words(row, column)
        if role == SORT_ROLE:
            return _sort_key(row, column, self._session.on_bench(row.path) is not None)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignRight if column >= STEP else Qt.AlignmentFlag.AlignLeft)
        if role == Qt.ItemDataRole.ToolTipRole:
            if column == CHIP:
                return tr("Take off the bench") if self._session.on_bench(row.path) else tr("Put on the bench")
            if column in (LOSS, VALID) and words(row, column):
                return f"{words(row, column)}\n{loss_title([row.run])}"
            if column == NAME:  # in a narrow window some columns have no room
                told = ((self.headerData(other, Qt.Orientation.Horizontal), words(row, other)) for other in range(FAMILY, SIZE + 1))
                return "\n".join([row.run.name, *(f"{title}: {said}" for title, said in told if said)])
            return source_of(row.run, whole=True) if column == TEXT else words(row, column)
        if role == COLOUR_ROLE and column == CHIP:
            there = self._session.on_bench(row.path)
            return theme.run_colour(there.colour) if there else None
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not index.isValid() or index.column() != NAME:
            return False
        row = self._rows[index.row()]
        if str(value).strip() != row.run.name:
            self.renamed.emit(row.path, str(value))
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.isValid() and index.column() == NAME else flags

    def _bench_changed(self) -> None:
        if self._rows:
            self._tell(0, len(self._rows) - 1)

    def _tell(self, first: int, last: int, *, renamed: bool = False) -> None:
        """These rows have changed. Not the names that are the same: the view would put them over what is being typed."""
        for left, right in [(CHIP, SIZE)] if renamed else [(CHIP, CHIP), (FAMILY, SIZE)]:
            self.dataChanged.emit(self.index(first, left), self.index(last, right))


class RunsOrder(QSortFilterProxyModel):
    """Sorted by a column, and only the runs in whose name, family or text the words occur."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wanted: list[str] = []
        self.setSortRole(SORT_ROLE)
        self.setDynamicSortFilter(True)

    def search(self, text: str) -> None:
        self.beginFilterChange()
        self._wanted = text.lower().split()
        self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        found = self.sourceModel().index(row, 0, parent).data(ROW_ROLE)
        text = " ".join((found.run.name, found.run.config.family, source_of(found.run))).lower()
        return all(word in text for word in self._wanted)


def words(row: RunRow, column: int) -> str:
    """What stands in a cell."""
    summary = row.summary
    if column == NAME:
        return row.run.name
    if column == FAMILY:
        return family(row.run.config.family).title
    if column == TEXT:
        return source_of(row.run)
    if column == STATUS:
        return state_words(row)
    if column == STEP:
        return f"{summary.status.step:,}" if summary.status.step else ""
    if column in (LOSS, VALID):
        value = summary.loss if column == LOSS else summary.valid_loss
        return "" if value is None else f"{value:.3f}" if math.isfinite(value) else tr("not finite")
    if column == TIME:
        return clock(summary.elapsed) if summary.elapsed else ""
    if column == SIZE:
        return size_words(row.size)
    return ""


def state_words(row: RunRow) -> str:
    summary, state = row.summary, row.summary.status.state
    if row.waits:
        return tr("waits for its turn")
    if state == "preparing" and summary.stage:
        return summary.stage
    if state == "running" and summary.seconds_left is not None and math.isfinite(summary.seconds_left):
        return tr("{percent:.0%}, {left} left", percent=summary.status.progress, left=clock(summary.seconds_left))
    if state in ("failed", "stopped"):  # shorter than the status has it: the column is narrow
        return tr("failed") if state == "failed" else tr("stopped")
    return tr("interrupted") if state == "killed" else summary.status.text


def _sort_key(row: RunRow, column: int, on_bench: bool) -> object:
    summary = row.summary
    numbers = {CHIP: float(not on_bench), STEP: summary.status.step, LOSS: summary.loss, VALID: summary.valid_loss,
               TIME: summary.elapsed, SIZE: row.size, STATUS: -summary.status.progress if not summary.status.alive else -2.0}
    if column in numbers:
        value = numbers[column]
        return float(value) if value is not None and math.isfinite(value) else math.inf
    return words(row, column).lower()


class ChipDelegate(QStyledItemDelegate):
    """The circle that says whether a run is on the bench: filled in its colour, or hollow. Clicking it sends `toggled`."""

    toggled = Signal(QModelIndex)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        look, colour = theme.current(), index.data(COLOUR_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(0, 0, 14, 14)
        box.moveCenter(QRectF(option.rect).center())
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.setPen(QPen(colour or QColor(look.accent if hovered else look.border_strong), 2))
        painter.setBrush(colour if colour else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(box)
        painter.restore()

    def editorEvent(self, event: QEvent, model: object, option: QStyleOptionViewItem, index: Index) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent) \
                and event.button() == Qt.MouseButton.LeftButton:
            self.toggled.emit(index)
            return True
        return False


class NameDelegate(QStyledItemDelegate):
    """The field for another name: what has been typed stays, whatever the run is called elsewhere meanwhile."""

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if not (isinstance(editor, QLineEdit) and editor.isModified()):  # else it is taken over, or leaving the field would undo it
            super().setEditorData(editor, index)


class StatusDelegate(QStyledItemDelegate):
    """The state in words, in its colour, and how far the run has come as a bar beneath, while it has not ended."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: RunRow = index.data(ROW_ROLE)
        text = index.data()
        option.text = ""
        self.initStyleOption(option, index)
        option.text = ""
        widget = option.widget
        widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, widget)
        look, status = theme.current(), row.summary.status
        colour = {"failed": look.danger, "killed": look.warning, "finished": look.good, "running": look.accent,
                  "preparing": look.accent}.get(status.state, look.text_soft)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(STATE_MARGIN, 3, -STATE_MARGIN, -3)
        bar = (status.state not in ("finished", "new") and 0 < status.progress < 1) or status.state in ("running", "preparing")
        painter.setPen(QColor(colour))
        painter.setFont(option.font)
        room = box.adjusted(0, 0, 0, -8) if bar else box
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                         option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, int(room.width())))
        if bar:
            groove = QRectF(box.left(), box.bottom() - 6, box.width(), 5)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(look.border))
            painter.drawRoundedRect(groove, 2.5, 2.5)
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(QRectF(groove.left(), groove.top(), max(groove.width() * status.progress, 5), 5), 2.5, 2.5)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        words = option.fontMetrics.horizontalAdvance(index.data()) + 2 * STATE_MARGIN + 1
        return QSize(max(words, theme.scaled(STATE_WIDTH)), 40)
