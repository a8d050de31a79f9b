"""Of what a map is made: the vocabulary of a run, every occurrence of words in its text, or a file of vectors."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QWidget

from core.i18n import tr
from core.vector_source import FILE, OCCURRENCES, VOCABULARY, VectorSource
from gui import theme
from gui.forms.kept_field import keep
from gui.session import Session
from gui.settings import Settings
from gui.widgets.labels import button

FOLDER = "embeddings/folder"
COLLECTING = "embeddings/collecting"  # in the session's past: whose occurrences are to be collected, as `_data` writes it, until they are


class SourceBar(QWidget):
    """chosen(VectorSource): the person wants to see this."""

    chosen = Signal(object)

    def __init__(self, session: Session, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._settings = session, settings
        self._file = ""
        self._combo = QComboBox(accessibleName=tr("What is mapped"))
        self._combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._combo.setMinimumContentsLength(16)
        self._combo.activated.connect(self._pick)
        self._words = QLineEdit(placeholderText=tr("words, with commas between them"), accessibleName=tr("Words to collect"))
        self._words.returnPressed.connect(self._collect)
        self._go = button(tr("Collect"), self._collect)
        self._open = button(tr("Vector file..."), self.ask_file, icon="folder")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.S)
        layout.addWidget(self._combo, 3)
        layout.addWidget(self._words, 2)
        layout.addWidget(self._go)
        layout.addWidget(self._open, 0, Qt.AlignmentFlag.AlignRight)
        keep(session.past, "embeddings/words", self._words)
        self._collecting = session.past.get(COLLECTING, "")
        session.benchChanged.connect(self.fill)
        session.wordChanged.connect(self._follow_word)
        self.fill()

    def fill(self) -> None:
        """The runs on the bench, and the file that was opened last."""
        before, title, kind = self._combo.currentData(), self._combo.currentText(), self._current()[0]
        self._combo.clear()
        for item in self._session.bench:
            self._combo.addItem(tr("Vocabulary · {name}", name=item.run.name), _data(VOCABULARY, item.path))
            self._combo.addItem(tr("Occurrences · {name}", name=item.run.name), _data(OCCURRENCES, item.path))
        if self._file:
            self._combo.addItem(Path(self._file).name, _data(FILE, self._file))
        if kind in (VOCABULARY, OCCURRENCES) and self._combo.findData(before) < 0:
            self._combo.addItem(title, before)  # its run has left the bench, its map has not
        self._combo.setEnabled(self._combo.count() > 0)
        self._combo.setCurrentIndex(self._combo.findData(before))
        self._show_words()

    def show_source(self, source: VectorSource) -> None:
        """Show what is seen, without asking for it."""
        if source.kind == FILE:
            self._file = source.path
            self.fill()
        shown = _data(source.kind, source.path)
        if (place := self._combo.findData(self._collecting)) < 0:
            place = self._combo.findData(shown)
            self._session.past[COLLECTING] = ""
        self._collecting = ""  # it was only made anew once
        self._combo.setCurrentIndex(place)
        if source.kind == OCCURRENCES:
            self._words.setText(", ".join(source.words))
        self._show_words()

    def first(self) -> VectorSource | None:
        """The vocabulary of the first run on the bench."""
        return next((VectorSource(kind=VOCABULARY, path=str(item.path)) for item in self._session.bench), None)

    def ask_file(self) -> None:
        kinds = tr("Word vectors") + " (*.txt *.vec *.bin *.tsv *.npy *.npz);;" + tr("All files") + " (*)"
        path, _ = QFileDialog.getOpenFileName(self, tr("Open word vectors"), self._settings.get(FOLDER), kinds)
        if path:
            self._settings.set(FOLDER, str(Path(path).parent))
            self.open_file(path)

    def open_file(self, path: str) -> None:
        source = VectorSource(kind=FILE, path=path)
        self.show_source(source)
        self.chosen.emit(source)

    def _pick(self, _index: int) -> None:
        self._show_words()
        kind, path = self._current()
        self._session.past[COLLECTING] = _data(kind, path) if kind == OCCURRENCES else ""
        if kind == OCCURRENCES:
            self._words.setFocus()
        else:
            self.chosen.emit(VectorSource(kind=kind, path=path))

    def _collect(self) -> None:
        words = tuple(dict.fromkeys(part.strip() for part in self._words.text().replace("，", ",").replace("、", ",").split(",") if part.strip()))
        kind, path = self._current()
        if not kind or not words:
            self._words.setFocus()
            return
        item = self._session.on_bench(Path(path))
        layer = self._session.layer_of(item.run) if item is not None else -1
        self.chosen.emit(VectorSource(kind=OCCURRENCES, path=path, words=words, layer=layer))

    def _current(self) -> tuple[str, str]:
        """Kind and path of what the box shows; empty where it shows nothing."""
        kind, _, path = (self._combo.currentData() or "").partition(" ")
        return kind, path

    def _show_words(self) -> None:
        wanted = self._current()[0] == OCCURRENCES
        self._words.setVisible(wanted)
        self._go.setVisible(wanted)
        if wanted and not self._words.text():
            self._words.setText(self._session.word)

    def _follow_word(self) -> None:
        if not self._words.isVisible():
            self._words.setText(self._session.word)


def _data(kind: str, path: object) -> str:
    """As one word: a box finds tuples by their identity."""
    return f"{kind} {path}"
