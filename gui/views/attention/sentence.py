"""The line in which the sentence is typed, and a second one for pairs."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from core.i18n import tr
from gui import theme
from gui.widgets.labels import icon_button

MOST_CHARACTERS = 1_000_000  # of a line; the model itself says where it stops reading


class SentenceBar(QWidget):
    """changed(text, pair): at every keystroke; pair is empty while the second line is hidden. replayWanted: for the probes' own sentence."""

    changed = Signal(str, str)
    replayWanted = Signal()

    def __init__(self, text: str, pair: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLineEdit(text, placeholderText=tr("Type a sentence"), maxLength=MOST_CHARACTERS, accessibleName=tr("Sentence"))
        self.pair = QLineEdit(pair, placeholderText=tr("The second sentence"), maxLength=MOST_CHARACTERS,
                              accessibleName=tr("The second sentence"), clearButtonEnabled=True)
        self.second = icon_button("plus", tr("A second sentence, to look from one to the other"), checkable=True)
        self.second.setChecked(bool(pair))
        self.pair.setVisible(bool(pair))
        self.replay = icon_button("refresh", tr("The sentence that the runs' probes hold: it can be replayed over all steps"), self.replayWanted)
        self.text.textChanged.connect(self._tell)
        self.pair.textChanged.connect(self._tell)
        self.second.toggled.connect(self._toggled)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.S)
        for part, grow in ((self.text, 3), (self.pair, 2), (self.second, 0), (self.replay, 0)):
            layout.addWidget(part, grow)

    def set_sentences(self, text: str, pair: str = "") -> None:
        """Tells of it once, if anything changes."""
        before = self._sentences()
        for part in (self.text, self.pair, self.second):
            part.blockSignals(True)
        self.text.setText(text)
        if pair:
            self.pair.setText(pair)
        self.second.setChecked(bool(pair))
        self.pair.setVisible(bool(pair))
        for part in (self.text, self.pair, self.second):
            part.blockSignals(False)
        if self._sentences() != before:
            self._tell()

    def _sentences(self) -> tuple[str, str]:
        return self.text.text(), self.pair.text() if self.second.isChecked() else ""

    def _tell(self, *_: object) -> None:
        self.changed.emit(*self._sentences())

    def _toggled(self, wanted: bool) -> None:
        self.pair.setVisible(wanted)
        if wanted:
            self.pair.setFocus()
        self._tell()
