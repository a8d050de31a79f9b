"""Labelled examples for whoever has no file: the sentences of the word that is looked at, as tags of its senses."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton

from core.i18n import tr
from core.registry import load
from core.runs import home
from gui.session import Session
from gui.views import Services

SENSE_TASK = "tagging"  # that they are examples of


class SenseExamples(QPushButton):
    """written(path, path): the files to learn from and to measure on are there. Hidden while no word is looked at."""

    written = Signal(str, str)

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__(toolTip=tr("Half of them to learn from, half to measure on: is the word tagged with the sense that it has there?"))
        self._session, self._services = session, services
        self.clicked.connect(self._write)
        session.wordChanged.connect(self._show_word)
        session.specimensChanged.connect(self._show_word)
        self._show_word()

    def _show_word(self) -> None:
        self.setText(tr("Use the labelled sentences of “{word}”", word=self._session.word))
        self.setVisible(bool(self._session.specimens))

    def _write(self) -> None:
        with self._services.messages.guard():
            train, dev = load("core.tasks.sense_tags:write")(self._session.specimens, home() / "examples")
            self.written.emit(str(train), str(dev))
