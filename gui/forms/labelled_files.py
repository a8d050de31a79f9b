"""The files with labelled examples: one to learn from and one to measure on, chosen by a dialog or dropped."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.settings import Settings
from gui.widgets.elided import Elided
from gui.widgets.labels import button, icon_button, label, restyle

TRAIN, DEV = "train", "dev"
FOLDER = "finetune/folder"  # in the settings
NAME_WIDTH = 120


class LabelledFiles(QWidget):
    """changed: another file was chosen, dropped or taken away. kinds: the endings of the files that the task reads."""

    changed = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._kinds: tuple[str, ...] = ()
        self.setAcceptDrops(True)
        self._rows = {TRAIN: _FileRow(tr("Learn from")), DEV: _FileRow(tr("Measure on"))}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.S)
        for name, row in self._rows.items():
            row.wanted.connect(partial(self.choose, name))
            row.dropped.connect(partial(self.set_path, name))
            row.removed.connect(partial(self.set_path, name, ""))
            layout.addWidget(row)

    def set_kinds(self, kinds: tuple[str, ...]) -> None:
        self._kinds = kinds
        words = tr("Choose a file, or drop it here: {kinds}", kinds=", ".join(kind.lstrip(".") for kind in kinds))
        for row in self._rows.values():
            row.set_hint(words)

    def path(self, name: str) -> str:
        return self._rows[name].path

    def set_path(self, name: str, path: str) -> None:
        if path != self._rows[name].path:
            self._rows[name].set_path(path)
            if path:
                self._settings.set(FOLDER, str(Path(path).parent))
            self.changed.emit()

    def show_note(self, name: str, words: str, wrong: bool = False) -> None:
        """How many examples it holds, or what is wrong with it."""
        self._rows[name].show_note(words, wrong)

    def choose(self, name: str) -> None:
        endings = " ".join(f"*.{kind.lstrip('.')}" for kind in self._kinds)
        kinds = tr("Labelled examples") + f" ({endings});;" + tr("All files") + " (*)"
        path, _ = QFileDialog.getOpenFileName(self, tr("Choose a file"), self._settings.get(FOLDER), kinds)
        if path:
            self.set_path(name, path)

    def take(self, paths: list[str]) -> None:
        """Dropped beside the rows: into those that are empty, or anew where there are two."""
        free = list(self._rows) if len(paths) > 1 else [name for name, row in self._rows.items() if not row.path] or [TRAIN]
        for name, path in zip(free, paths, strict=False):
            self.set_path(name, path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.take(dropped_files(event))


class _FileRow(QFrame):
    wanted = Signal()
    removed = Signal()
    dropped = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.path = ""
        self._hint = ""
        self.setProperty("role", "drop")
        self.setAcceptDrops(True)
        self._name = label(name, "heading")
        self._name.setFixedWidth(theme.scaled(NAME_WIDTH))
        self._file = Elided("", "soft")
        self._note = label("", "small")
        self._choose = button(tr("Choose"), self.wanted.emit)
        self._choose.setAccessibleName(f"{name}: {tr('Choose a file')}")
        self._remove = icon_button("close", tr("Remove"), self.removed.emit, size=14)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.M, theme.XS, theme.S, theme.XS)
        layout.setSpacing(theme.S)
        layout.addWidget(self._name)
        layout.addWidget(self._file, 1)
        layout.addWidget(self._note, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self._remove)
        layout.addWidget(self._choose)
        self.set_path("")

    def set_hint(self, words: str) -> None:
        self._hint = words
        self.set_path(self.path)

    def set_path(self, path: str) -> None:
        self.path = path
        self._file.setText(Path(path).name if path else self._hint)
        self._file.setToolTip(path)
        self._remove.setVisible(bool(path))
        self.show_note("", False)

    def show_note(self, words: str, wrong: bool) -> None:
        self._note.setText(words)
        restyle(self._note, "role", "error" if wrong else "small")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_files(event):
            event.acceptProposedAction()
            self._mark(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._mark(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """One file belongs to this row; several are the page's to share out."""
        self._mark(False)
        paths = dropped_files(event)
        if len(paths) > 1:
            event.ignore()
            self.parentWidget().take(paths)
            return
        event.acceptProposedAction()
        self.dropped.emit(paths[0])

    def _mark(self, over: bool) -> None:
        restyle(self, "over", "true" if over else "false")


def dropped_files(event: QDropEvent) -> list[str]:
    return [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile() and Path(url.toLocalFile()).is_file()]
