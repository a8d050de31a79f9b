"""One proposed sense: its key words, a name that can be changed, and its sentences, each of which can be left out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.views.senses.strip import SenseMark
from gui.widgets.labels import label, row
from gui.widgets.switch import Switch

SHOWN = 200  # sentences of a group
TAKEN = 20  # of them are ticked at first: those in the middle of the group


class GroupCard(QFrame):
    """changed: a sentence was ticked, the group was put aside or named."""

    changed = Signal()

    def __init__(self, number: int, name: str, words: Sequence[str], sentences: Sequence[str], count: int, parent: QWidget | None = None) -> None:
        """sentences: the nearest to the middle of the group first, SHOWN at most, of `count`."""
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setMinimumWidth(150)
        self.name = QLineEdit(name, placeholderText=tr("Name of the sense"), accessibleName=tr("Name of the sense"))
        self.name.textChanged.connect(self.changed)
        self._good = Switch()
        self._good.setChecked(True)
        self._good.setAccessibleName(tr("Take this group"))
        self._good.setToolTip(tr("Take this group"))
        self._good.toggled.connect(self.changed)
        self._list = QListWidget(wordWrap=True, accessibleName=tr("Sentences of the group"))
        self._list.setStyleSheet("::item { padding: 6px 0px; }")  # Qt breaks lines as if there were none at the sides: the last letters were cut
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        for place, sentence in enumerate(sentences):
            item = QListWidgetItem(sentence, self._list)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if place < TAKEN else Qt.CheckState.Unchecked)
        self._list.itemChanged.connect(self._ticked)
        keys = label("  ".join(words) or tr("no word stands out"), "", wrap=True)
        many = tr("{count:,} sentences", count=count) if count <= SHOWN else tr("{count:,} sentences, the nearest {shown}", count=count, shown=SHOWN)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        column.setSpacing(theme.XS)
        line = row(SenseMark(number), self.name, self._good)
        column.addWidget(line)
        column.addWidget(keys)
        column.addWidget(label(many, "caption"))
        column.addWidget(self._list, 1)

    @property
    def chosen(self) -> list[str]:
        """The ticked sentences; none where the group was put aside."""
        if not self._good.isChecked():
            return []
        items = (self._list.item(place) for place in range(self._list.count()))
        return [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]

    def entered(self) -> tuple[str, bool, list[bool]]:
        """Its name, whether it is taken, and what is ticked; `restore` takes them."""
        ticks = [self._list.item(place).checkState() == Qt.CheckState.Checked for place in range(self._list.count())]
        return self.name.text(), self._good.isChecked(), ticks

    def restore(self, name: str, good: bool, ticks: Sequence[bool]) -> None:
        self.name.setText(name)
        self._good.setChecked(good)
        for place, on in enumerate(ticks):
            self.tick(place, on)

    def tick(self, place: int, on: bool) -> None:
        self._list.item(place).setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)

    def put_aside(self, aside: bool = True) -> None:
        self._good.setChecked(not aside)

    def _ticked(self, _item: QListWidgetItem) -> None:
        self.changed.emit()
