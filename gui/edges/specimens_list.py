"""The specimens as a list in groups, one for each sense: its model, and how a row is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QTextDocument, QTextOption
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from core.i18n import tr
from gui import theme
from gui.widgets.sense_text import marked
from gui.widgets.symbols import symbol_path

if TYPE_CHECKING:
    from core.text.specimens import Specimen

INDEX_ROLE = Qt.ItemDataRole.UserRole  # of a specimen in the session; -1 for a heading
LEFT = 14  # where the text begins, right of the ring of a hard one
SCROLL_BAR = 12


@dataclass(frozen=True, kw_only=True)
class Row:
    """A heading (index -1) or a specimen. sense: its place in the session's senses."""

    index: int
    sense: int
    text: str
    span: tuple[int, int] = (0, 0)
    hard: bool = False


class SpecimenModel(QAbstractListModel):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []

    def set_rows(self, rows: list[Row]) -> None:
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def row(self, index: QModelIndex) -> Row:
        return self._rows[index.row()]

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        found = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return found.text
        if role == INDEX_ROLE:
            return found.index
        if role == Qt.ItemDataRole.ToolTipRole and found.hard:
            return tr("Hard: words of another sense stand nearby")
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        if not index.isValid() or self._rows[index.row()].index < 0:
            return Qt.ItemFlag.ItemIsEnabled if index.isValid() else Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def place_of(self, specimen: int) -> QModelIndex:
        """The row of a specimen of the session; an invalid index if the filter hides it."""
        place = next((number for number, found in enumerate(self._rows) if specimen >= 0 and found.index == specimen), -1)
        return self.index(place) if place >= 0 else QModelIndex()


def rows_of(specimens: tuple[Specimen, ...], senses: tuple[str, ...], titles: list[str], search: str,
            only_hard: bool) -> list[Row]:
    """titles: the senses as people read them. search: text that must occur, in any case."""
    rows: list[Row] = []
    for number, (sense, title) in enumerate(zip(senses, titles, strict=True)):
        chosen = [index for index, item in enumerate(specimens) if item.sense == sense and search.lower() in item.text.lower()
                  and (item.hard or not only_hard)]
        if chosen:
            rows.append(Row(index=-1, sense=number, text=f"{title}  {len(chosen)}"))
            rows += [Row(index=index, sense=number, text=specimens[index].text, span=tuple(specimens[index].span),
                         hard=specimens[index].hard) for index in chosen]
    return rows


class SpecimenDelegate(QStyledItemDelegate):
    """A sentence with its word in the colour of its sense; a ring marks a hard one."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        look, found = theme.current(), index.model().row(index)
        colour = theme.sense_colour(found.sense)
        box = QRectF(option.rect).adjusted(2, 1, -2, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if found.index < 0:
            painter.setBrush(colour)
            draw_symbol(painter, found.sense, QRectF(box.left() + 4, box.center().y() - 6, 12, 12))
            painter.setPen(QColor(look.text))
            painter.setFont(theme.font("body", bold=True))
            painter.drawText(box.adjusted(LEFT + 10, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, found.text)
            painter.restore()
            return
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(look.accent_soft))
            painter.drawRoundedRect(box, 6, 6)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(look.hover))
            painter.drawRoundedRect(box, 6, 6)
        if found.hard:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(look.text_soft), 1.6))
            painter.drawEllipse(QRectF(box.left() + 5, box.top() + 11, 9, 9))
        document = _document(found, colour, self._text_width(option))
        painter.translate(box.left() + LEFT + 4, box.top() + 3)
        document.drawContents(painter)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        found = index.model().row(index)
        if found.index < 0:
            return QSize(100, theme.px("body") + 20)
        document = _document(found, theme.sense_colour(found.sense), self._text_width(option))
        return QSize(100, round(document.size().height()) + 8)

    def _text_width(self, option: QStyleOptionViewItem) -> float:
        """The same whether a scroll bar is there or not, so that the heights stay right when one appears."""
        whole = option.widget.width() - SCROLL_BAR if option.widget is not None else option.rect.width()
        return max(whole - LEFT - 20, 60)


def _document(found: Row, colour: QColor, width: float) -> QTextDocument:
    made = QTextDocument()
    made.setDocumentMargin(1)
    made.setDefaultFont(theme.font())
    wrap = QTextOption()
    wrap.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    made.setDefaultTextOption(wrap)
    made.setHtml(f'<span style="color:{theme.current().text}">{marked(found.text, *found.span, colour.name())}</span>')
    made.setTextWidth(width)
    return made


def draw_symbol(painter: QPainter, sense: int, box: QRectF) -> None:
    """The sense's symbol, the same as in the scatter plots, with the painter's pen and brush."""
    path = symbol_path(theme.sense_symbol(sense))
    painter.save()
    painter.translate(box.center())
    painter.scale(box.width(), box.height())
    painter.drawPath(path)
    painter.restore()
