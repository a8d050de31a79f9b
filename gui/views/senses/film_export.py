"""A film leaves the window: its frames are drawn one after another while one can look on, and a job puts them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from core.i18n import tr
from core.pictures.film import files_in_words
from core.sizes import size_words
from gui.jobs import DONE, FAILED, Job
from gui.picture import image_of
from gui.widgets.panes import NO_BOUND

if TYPE_CHECKING:
    from gui.messages import Messages
    from gui.views import Services


class FilmExport(QObject):
    """told(words): how far it is. finished: all frames are drawn and a job writes them, or it is given up or refused; the messages say the rest."""

    told = Signal(str)
    finished = Signal()

    def __init__(self, services: Services, parent: QObject) -> None:
        super().__init__(parent)
        self._services = services
        self._folders: list[TemporaryDirectory] = []  # that of the frames that are being drawn
        self._files: list[str] = []
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._next)
        self.destroyed.connect(partial(_lost, self._folders, services.messages))

    @property
    def busy(self) -> bool:
        return bool(self._folders)

    def start(self, path: Path, widget: QWidget, times: Sequence[float], show: Callable[[float], None], scale: int = 1) -> None:
        """show(time): draws that moment into the widget, which need not be seen."""
        self._folders.append(TemporaryDirectory(prefix="lexiscope-film-", ignore_cleanup_errors=True))  # removed at the program's end at the latest
        self._path, self._widget, self._show, self._scale = path, widget, show, scale
        self._times, self._files = list(times), []
        widget.setFixedSize(widget.size())  # or the frames of a window that changes would be of several sizes
        self._services.jobs.hold(f"film {path}", partial(self._folders.__contains__, self._folders[0]))
        self._timer.start()

    def stop(self) -> None:
        """Give it up."""
        if self.busy:
            self._end()

    def _next(self) -> None:
        """One frame, so that the window stays alive."""
        self._show(self._times[len(self._files)])
        folder = self._folders[0].name
        file = Path(folder) / f"{len(self._files):05}.png"
        if not image_of(self._widget, self._scale).save(str(file)):
            self._services.messages.say(tr("The frames cannot be written to {path}.", path=folder), tr("Free some space."), kind="error")
            self._end()
            return
        self._files.append(str(file))
        self.told.emit(tr("frame {done} of {total}", done=len(self._files), total=len(self._times)))
        if len(self._files) == len(self._times):
            self._services.messages.say(tr("Writing {name}...", name=self._path.name))
            self._services.jobs.start(f"film {self._path}", "core.pictures.film:assemble", {"frames": self._files, "path": str(self._path)},
                                      on_end=partial(_written, self._services, self._folders.pop(), self._path, len(self._files)))
            self._end()

    def _end(self) -> None:
        self._timer.stop()
        self._widget.setMinimumSize(0, 0)
        self._widget.setMaximumSize(NO_BOUND, NO_BOUND)
        _remove(self._folders)
        self._folders.clear()
        self.finished.emit()


def _written(services: Services, folder: TemporaryDirectory, path: Path, frames: int, job: Job) -> None:
    folder.cleanup()
    if job.state == FAILED:
        services.messages.say(*job.problem, kind="error")
    elif job.state == DONE:
        services.messages.say(tr("The film is saved as {path} ({size}).", path=files_in_words(path, frames), size=size_words(job.result)))


def _lost(folders: list[TemporaryDirectory], messages: Messages, *_: object) -> None:
    """The view has gone before all frames were drawn: another theme or language, or the window closes."""
    if folders and shiboken6.isValid(messages):  # (later: not while the window dies)
        words = tr("The film is not written: another theme or language came before its frames were drawn."), tr("Save it again.")
        QTimer.singleShot(0, messages, partial(messages.say, *words, kind="warning"))
    _remove(folders)
    folders.clear()


def _remove(folders: list[TemporaryDirectory]) -> None:
    for folder in folders:
        folder.cleanup()
