"""The words of Qt's own dialogs and menus, in the language of the window."""

from __future__ import annotations

from PySide6.QtCore import QLibraryInfo, QTranslator
from PySide6.QtWidgets import QApplication

# Qt has renamed some words of its file dialog since its catalogues were translated; the old ones still stand there.
OF_FILES = ("QFileDialog", "QAbstractFileIconProvider")
BEFORE = {"&Look in:": "Look in:", "Files of &type:": "Files of type:"}


class _Words(QTranslator):
    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        found = super().translate(context, source, disambiguation, n)
        if not found and context in OF_FILES:
            found = super().translate(OF_FILES[0], BEFORE.get(source, source), disambiguation, n)
        return found or None  # an empty word would be shown as it is


def speak(app: QApplication, language: str) -> None:
    """From now on; what is open keeps its words. Without a catalogue, as for English, Qt speaks English."""
    for old in app.findChildren(QTranslator):
        app.removeTranslator(old)
        old.deleteLater()
    made = _Words(app)
    if made.load(f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(made)
