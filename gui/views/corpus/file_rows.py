"""The files of a text, each in one row: what it is, how it is read, and what is wrong with it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QToolButton, QVBoxLayout

from core.i18n import sentences, tr
from core.sizes import size_words
from gui import theme
from gui.widgets.clicks import is_click
from gui.widgets.elided import Elided
from gui.widgets.labels import icon_button, label, restyle

if TYPE_CHECKING:
    from core.analysis.text_window import FileLook

SURE = 0.95  # from this confidence on an encoding needs no second look
COLUMNS_SHOWN = 24  # characters on the button


class FileRow(QFrame):
    """selected(path); removed(the path of the settings that brought it in); columnsChosen(names)."""

    selected = Signal(str)
    removed = Signal(str)
    columnsChosen = Signal(list)

    def __init__(self, look: FileLook, *, folder: str = "") -> None:
        super().__init__()
        self.look = look
        self.setProperty("role", "choice")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(look.path)
        name = Elided(Path(look.path).name, "heading")
        facts = [look.kind, size_words(look.size)]
        if look.encoding:
            facts.append(tr("{encoding}, {sure}", encoding=look.encoding, sure=sure_words(look.confidence, look.how)))
        words = Elided("  ·  ".join(facts), "small")
        words.setToolTip(words.text())
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(name)
        left.addWidget(words)
        line = QHBoxLayout()
        line.setSpacing(theme.S)
        line.addLayout(left, 1)
        if look.columns:
            line.addWidget(self._column_button())
        tip = tr("Remove the folder {path}", path=folder) if folder else tr("Remove")
        line.addWidget(icon_button("close", tip, self._remove, size=14))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.M, 6, theme.S, 6)
        layout.setSpacing(2)
        layout.addLayout(line)
        if look.problem:
            layout.addWidget(label(f"{look.problem} {look.hint}".strip(), "error", wrap=True))

    def _column_button(self) -> QToolButton:
        """Which columns hold the text; several may."""
        chosen = [name for name in self.look.columns if name in self.look.column.split(", ")]
        words = ", ".join(chosen) or tr("Choose a column")
        made = QToolButton(popupMode=QToolButton.ToolButtonPopupMode.InstantPopup, toolTip=tr("The columns that hold the text"))
        made.setText(f"{words[:COLUMNS_SHOWN]}{'…' if len(words) > COLUMNS_SHOWN else ''}  ▾")
        made.setAccessibleName(tr("The columns that hold the text"))
        made.setObjectName("columns")
        menu = QMenu(made)
        for name in self.look.columns:
            action = menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(name in chosen)
            action.triggered.connect(partial(self._toggle, name, chosen))
        made.setMenu(menu)
        return made

    def _toggle(self, name: str, chosen: list[str]) -> None:
        """Add a column to those that are read, or take it away."""
        self.columnsChosen.emit([other for other in self.look.columns if (other in chosen) != (other == name)])

    def _remove(self) -> None:
        self.removed.emit(self.look.given)

    def set_chosen(self, chosen: bool) -> None:
        restyle(self, "chosen", "true" if chosen else "false")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if is_click(self, event):
            self.selected.emit(self.look.path)


class MissingRow(QFrame):
    """A path of the settings that brings in no file."""

    removed = Signal(str)

    def __init__(self, path: str, message: str, hint: str) -> None:
        super().__init__()
        self._path = path
        self.setProperty("role", "choice")
        self.setToolTip(path)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.M, 6, theme.S, 6)
        layout.addWidget(label(sentences(message, hint), "error", wrap=True), 1)
        layout.addWidget(icon_button("close", tr("Remove"), self._remove, size=14))

    def _remove(self) -> None:
        self.removed.emit(self._path)


def sure_words(confidence: float, how: str) -> str:
    """How sure the encoding is, and why."""
    return how if confidence >= SURE else tr("{percent:.0%} sure ({how})", percent=confidence, how=how)
