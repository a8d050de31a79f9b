"""Opening what comes from elsewhere: by the Import button, or dropped on the window. It becomes a run, and stands on the bench."""

from __future__ import annotations

from collections import deque
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QProgressBar, QProgressDialog, QPushButton, QWidget

from core.errors import UserError
from core.i18n import tr
from core.runs import Run
from gui.jobs import DONE, FAILED
from gui.session import Session
from gui.views import Services
from gui.widgets.labels import button

KIND = "import"  # of its jobs
SHOWN_AFTER_MS = 400  # what is quicker needs no dialog
STEPS = 1000
WIDTH = 420


class Importer(QObject):
    """Opens one thing after the other. Belongs to the window, so it goes on while views come and go.

    imported(path): of the run that was made.
    """

    imported = Signal(str)

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__(services.messages)
        self._session, self._services = session, services
        self._waiting: deque[str] = deque()
        self._busy = False
        self._dialog: QProgressDialog | None = None
        self._later = QTimer(self, interval=SHOWN_AFTER_MS, singleShot=True)
        self._later.timeout.connect(self._show_dialog)
        self._share, self._words, self._name = 0.0, "", ""
        services.jobs.changed.connect(self._changed)

    @property
    def busy(self) -> bool:
        return self._busy

    def open(self, path: str | Path) -> None:
        """Import it; what is wrong with it is said as a message."""
        self._waiting.append(str(path))
        self._next()

    def cancel(self) -> None:
        self._waiting.clear()
        self._services.jobs.cancel(KIND)

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        path = self._waiting.popleft()
        self._share, self._words, self._name = 0.0, "", Path(path).name
        self._later.start()
        self._busy = True
        self._services.jobs.start(KIND, "core.exchange.imports:for_window", {"path": path})

    def _changed(self, kind: str) -> None:
        job = self._services.jobs.of(kind) if kind == KIND and self._busy else None
        if job is None:
            return
        if job.running:
            if job.progress:
                self._progress(*job.progress)
        elif job.state == DONE:
            self._done(job.result)
        elif job.state == FAILED:
            self._refused(*job.problem)
        else:
            self._end()

    def _done(self, made: dict[str, Any]) -> None:
        self._end()
        with self._services.messages.guard():
            run = Run.open(Path(made["run"]))
            notes = " ".join(made["notes"])
            try:
                self._session.add_run(run)
                self._services.messages.say(tr("{name} is on the bench.", name=run.name), notes)
            except UserError as full:
                self._services.messages.say(tr("{name} was imported; you find it among the runs.", name=run.name), full.message, kind="warning")
            self.imported.emit(str(run.path))
        self._next()

    def _refused(self, message: str, hint: str) -> None:
        self._end()
        self._services.messages.say(message, hint, kind="error")
        self._next()

    # progress

    def _progress(self, share: float, words: str) -> None:
        self._share, self._words = share, words
        if self._dialog is not None:
            self._dialog.setLabelText(self._text())
            self._dialog.setValue(round(STEPS * min(share, 0.999)))

    def _text(self) -> str:
        return "\n".join(part for part in (tr("Importing {name}", name=self._name), self._words) if part)

    def _show_dialog(self) -> None:
        dialog = QProgressDialog(self._text(), tr("Cancel"), 0, STEPS, self.parent().parent())
        dialog.setWindowTitle(tr("Import"))
        dialog.setBar(QProgressBar(dialog, textVisible=False))
        dialog.setRange(0, STEPS)
        dialog.setMinimumDuration(0)
        dialog.setAutoClose(False)
        dialog.setAutoReset(False)
        dialog.setMinimumWidth(WIDTH)
        dialog.canceled.connect(self.cancel)
        self._dialog = dialog
        dialog.setValue(round(STEPS * self._share))
        dialog.show()

    def _end(self) -> None:
        self._busy = False
        self._later.stop()
        if self._dialog is not None:
            dialog, self._dialog = self._dialog, None
            dialog.canceled.disconnect(self.cancel)
            dialog.hide()
            dialog.deleteLater()


def importer_of(session: Session, services: Services) -> Importer:
    """The window's one importer, made when it is first wanted."""
    return services.messages.findChild(Importer) or Importer(session, services)


def import_button(parent: QWidget, session: Session, services: Services, kind: str = "") -> QPushButton:
    """A button with a choice, since a model is a folder and a packed run is a file."""
    made = button(tr("Import..."), kind=kind)
    made.setToolTip(tr("Models of Hugging Face, packed runs, word vectors, ONNX; or drop them anywhere on the window"))
    menu = QMenu(made)
    menu.addAction(tr("A folder: a model of Hugging Face..."), partial(_choose_folder, parent, session, services))
    menu.addAction(tr("A file: a packed run, word vectors..."), partial(_choose_file, parent, session, services))
    made.setMenu(menu)
    return made


def ask_folder(parent: QWidget) -> str:
    return QFileDialog.getExistingDirectory(parent, tr("Import"))


def ask_file(parent: QWidget) -> str:
    kinds = [tr("All that can be opened") + " (*.lexi *.safetensors *.vec *.txt *.bin *.tsv *.npy *.npz *.onnx)", tr("All files") + " (*)"]
    return QFileDialog.getOpenFileName(parent, tr("Import"), "", ";;".join(kinds))[0]


def _choose_folder(parent: QWidget, session: Session, services: Services) -> None:
    if path := ask_folder(parent):
        importer_of(session, services).open(path)


def _choose_file(parent: QWidget, session: Session, services: Services) -> None:
    if path := ask_file(parent):
        importer_of(session, services).open(path)


def dropped(data: QMimeData) -> list[str]:
    """The files and folders of this computer in what is being dragged."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()] if data.hasUrls() else []
