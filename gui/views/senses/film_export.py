"""A film leaves the window: its frames are drawn one after another while one can look on, and the engine puts them together."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from core.i18n import tr
from core.sizes import size_words
from gui.picture import image_of

if TYPE_CHECKING:
    from gui.views import Services


class FilmExport(QObject):
    """told(words): how far it is. finished: it is written, given up or refused, and the messages have said so."""

    told = Signal(str)
    finished = Signal()

    def __init__(self, services: Services, parent: QObject) -> None:
        super().__init__(parent)
        self._services = services
        self._folder: Path | None = None
        self._files: list[str] = []
        self._call: object = None
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._next)
        self.destroyed.connect(partial(_remove, []))

    @property
    def busy(self) -> bool:
        return self._folder is not None

    def start(self, path: Path, widget: QWidget, times: Sequence[float], show: Callable[[float], None], scale: int = 1) -> None:
        """show(time): draws that moment into the widget."""
        self._folder = Path(tempfile.mkdtemp(prefix="lexiscope-film-"))
        self.destroyed.connect(partial(_remove, [self._folder]))
        self._path, self._widget, self._show, self._scale = path, widget, show, scale
        self._times, self._files = list(times), []
        self._timer.start()

    def stop(self) -> None:
        """Give it up."""
        if self.busy:
            self._services.engine.cancel(self._call)
            self._end()

    def _next(self) -> None:
        """One frame, so that the window stays alive."""
        self._show(self._times[len(self._files)])
        file = self._folder / f"{len(self._files):05}.png"
        if not image_of(self._widget, self._scale).save(str(file)):
            self._refuse(tr("The frames cannot be written to {path}.", path=self._folder), tr("Free some space."))
            return
        self._files.append(str(file))
        self.told.emit(tr("frame {done} of {total}", done=len(self._files), total=len(self._times)))
        if len(self._files) == len(self._times):
            self._timer.stop()
            self.told.emit(tr("Writing the file..."))
            self._call = self._services.engine.call("core.pictures.film:assemble", {"frames": self._files, "path": str(self._path)},
                                                    on_done=self._done, on_error=self._refuse, key="film", owner=self)

    def _done(self, size: int) -> None:
        self._services.messages.say(tr("The film is saved as {path} ({size}).", path=self._path, size=size_words(size)))
        self._end()

    def _refuse(self, message: str, hint: str) -> None:
        self._services.messages.say(message, hint, kind="error")
        self._end()

    def _end(self) -> None:
        self._timer.stop()
        _remove([self._folder])
        self._folder, self._call = None, None
        self.finished.emit()


def _remove(folders: list[Path], *_: object) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
