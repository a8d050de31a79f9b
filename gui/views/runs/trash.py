"""The deleted runs: brought back, or removed for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QDialog, QScrollArea, QVBoxLayout, QWidget

from core.errors import UserError, system_words
from core.i18n import tr
from core.runs import Run, runs_home
from core.sizes import size_words
from core.summaries import size_of
from core.trash import Trashed, restore, trashed
from gui import theme
from gui.views import Services
from gui.widgets.elided import Elided
from gui.widgets.labels import button, label, row


class TrashDialog(QDialog):
    """brought(run) is called when a run is back."""

    def __init__(self, parent: QWidget, services: Services, brought: Callable[[Run], None]) -> None:
        super().__init__(parent)
        self._services, self._brought = services, brought
        self.setWindowTitle(tr("Deleted runs"))
        self.setMinimumSize(520, 320)
        self._said = label("", wrap=True)
        self._area = QScrollArea(widgetResizable=True, frameShape=QScrollArea.Shape.NoFrame)
        self._empty = button(tr("Delete for good"), self._ask, kind="danger")
        self._sure = button(tr("Yes, delete them for good"), self._remove, kind="danger")
        self._close = button(tr("Close"), self.accept, kind="primary")
        self._close.setDefault(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.L, theme.L, theme.L)
        layout.setSpacing(theme.M)
        layout.addWidget(self._said)
        layout.addWidget(self._area, 1)
        layout.addWidget(row(self._empty, self._sure, None, self._close))
        self._show()

    def _show(self) -> None:
        found = trashed()
        size = sum(size_of(one.place) for one in found)
        self._said.setText(tr("{count} deleted runs take {size} of the disk.", count=len(found), size=size_words(size)) if len(found) > 1 else
                           tr("1 deleted run takes {size} of the disk.", size=size_words(size)) if found else tr("There are no deleted runs."))
        rows = QWidget()
        column = QVBoxLayout(rows)
        column.setContentsMargins(0, 0, 0, 0)
        for one in found:
            when = datetime.fromtimestamp(one.deleted).strftime("%Y-%m-%d %H:%M")
            folder = one.place.parent.parent
            words = tr("deleted {when}", when=when) if folder == runs_home() else tr("deleted {when} from {folder}", when=when, folder=folder)
            column.addWidget(row(label(one.name), Elided(words, "caption"),
                                 button(tr("Bring it back"), partial(self._bring_back, one))))
        column.addStretch()
        if (old := self._area.takeWidget()) is not None:
            old.deleteLater()  # not at once: the button that was pressed is in there
        self._area.setWidget(rows)
        self._empty.setVisible(bool(found))
        self._sure.hide()

    def _bring_back(self, one: Trashed) -> None:
        with self._services.messages.guard():
            self._brought(bring_back(one.place))
        self._show()

    def _ask(self) -> None:
        self._empty.hide()
        self._sure.show()
        self._close.setFocus()

    def _remove(self) -> None:
        """Some gigabytes take their time: the analysis process does it."""
        self._sure.setEnabled(False)
        self._services.engine.call("core.trash:empty_trash", {}, on_done=self._removed, on_error=self._refused, owner=self)

    def _removed(self, _: object) -> None:
        self._sure.setEnabled(True)
        self._show()

    def _refused(self, message: str, hint: str) -> None:
        self._services.messages.say(message, hint, kind="error")
        self._removed(None)


def bring_back(place: Path) -> Run:
    """Out of the trash, to where it was if that is free. UserError where the system refuses."""
    try:
        return restore(place)
    except OSError as error:
        raise UserError(tr("The run cannot be brought back: {reason}.", reason=system_words(error)), str(place)) from error
