"""One labelled sentence, to be written or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QComboBox, QDialog, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from core.errors import UserError
from core.i18n import tr
from gui import specimen_store as store
from gui import theme
from gui.widgets.labels import button, label, row
from gui.widgets.switch import Switch

if TYPE_CHECKING:
    from core.text.specimens import Specimen


class SpecimenDialog(QDialog):
    """After exec() returned true, `specimen` is what was written."""

    def __init__(self, parent: QWidget, word: str, senses: tuple[str, ...], old: Specimen | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Specimen"))
        self.setMinimumWidth(560)
        self._word = word
        self.specimen: Specimen | None = None
        self._text = QLineEdit(old.text if old else "", placeholderText=tr("A sentence with {word}", word=word))
        self._sense = QComboBox(editable=True, insertPolicy=QComboBox.InsertPolicy.NoInsert)  # Enter is for the dialog
        for sense in senses:
            self._sense.addItem(store.sense_title(word, sense), sense)
        if old is not None:
            self._sense.setCurrentIndex(self._sense.findData(old.sense))
        self._hard = Switch()
        self._hard.setChecked(old is not None and old.hard)
        form = QFormLayout(horizontalSpacing=theme.L, verticalSpacing=theme.M)
        form.addRow(tr("Sentence"), self._text)
        form.addRow(tr("Sense"), self._sense)
        form.addRow(tr("Hard"), self._hard)
        self._error = label("", "error", wrap=True)
        good = button(tr("Keep"), self.accept, kind="primary")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.L, theme.L, theme.L)
        layout.setSpacing(theme.M)
        layout.addLayout(form)
        layout.addWidget(self._error)
        layout.addWidget(row(None, button(tr("Cancel"), self.reject), good))
        good.setDefault(True)  # only now: a dialog does not hear of it from a button that is not in it yet

    def accept(self) -> None:
        words = self._sense.currentText().strip()
        place = self._sense.findText(words)
        sense = self._sense.itemData(place) if place >= 0 else words
        try:
            if not sense:
                raise UserError(tr("The sentence needs a sense."), tr("Choose one, or type a new one."))
            made = store.make(word=self._word, sense=sense, text=self._text.text().strip(), hard=self._hard.isChecked())
            if made.span[1] <= made.span[0]:
                raise UserError(tr("'{word}' does not stand in the sentence.", word=self._word),
                                tr("Write a sentence that holds it."))
        except UserError as error:
            self._error.setText(str(error))
            return
        self.specimen = made
        super().accept()
