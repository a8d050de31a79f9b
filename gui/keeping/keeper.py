"""What a view shows, kept: steps that are taken back and forth, and a file that opens it again. One mechanism for all views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from core.errors import UserError
from core.i18n import tr
from core.runs import Run
from gui import theme
from gui.keeping import place as places
from gui.keeping import view_file
from gui.keeping.steps import Steps
from gui.keeping.view_file import SUFFIX, Kept
from gui.saving import ask_path
from gui.session import BenchRun, Session
from gui.widgets.labels import icon_button

if TYPE_CHECKING:
    from gui.views import Services

Keys = QKeySequence.StandardKey


@dataclass(frozen=True, kw_only=True)
class Look:
    """state: the view's own; place: where in the session it looks."""

    state: Any
    place: places.Place


class FileButton(QToolButton):
    """Its menu saves a view, and opens it again with the runs that were on the bench.

    name: of the view in VIEWS. raw(): what is to be stored of the view, None where there is nothing yet. parse(what was stored): ValueError,
    KeyError or TypeError where it is damaged. show(what parse gave): called when the session looks where it did. opening(): another look comes.
    """

    opening = Signal()

    def __init__(self, view: QWidget, name: str, session: Session, services: Services, *, raw: Callable[[], dict[str, Any] | None],
                 parse: Callable[[dict[str, Any]], Any], show: Callable[[Any], None]) -> None:
        super().__init__(view)
        self._name, self._session, self._messages = name, session, services.messages
        self._raw, self._parse, self._show_again = raw, parse, show
        self.setProperty("kind", "small")
        self.setToolTip(tr("Save this view, or open a saved one"))
        self.setAccessibleName(self.toolTip())
        self.setIcon(theme.icon("save"))
        self.setIconSize(QSize(18, 18))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        for words, keys, function in ((tr("Save this view..."), Keys.Save, self._ask_save), (tr("Open a view..."), Keys.Open, self._ask_open)):
            action = menu.addAction(words, function)
            _give(view, action, keys)
        self.setMenu(menu)

    def save(self, path: Path) -> None:
        state = self._raw()
        if state is None:
            self._messages.say(tr("There is no picture yet."))
            return
        bench = tuple((str(item.path), item.run.name, item.colour) for item in self._session.bench)
        with self._messages.guard():
            view_file.save(path, Kept(view=self._name, place=places.place_of(self._session), bench=bench, state=state))
            self._messages.say(tr("Saved as {path}.", path=path))

    def open(self, path: Path) -> None:
        """Nothing changes where the file is refused. Runs that are gone are named; the others come back onto the bench in their colours."""
        with self._messages.guard():
            kept = view_file.read(path, self._name, self._parse)
            found, gone = _runs(kept.bench)
            if kept.bench and not found:
                raise UserError(tr("The runs of this view are not there any more: {names}.", names=", ".join(gone)),
                                tr("Bring their folders back to where they were."))
            self.opening.emit()
            if found:
                self._session.set_bench(found)
            places.go_to(self._session, kept.place)
            self._show_again(kept.state)
            if gone:
                self._messages.say(tr("The runs of this view are not there any more: {names}.", names=", ".join(gone)), kind="warning")

    def _ask_save(self) -> None:
        chosen = ask_path(self.window(), tr("Save this view"), f"{self._name}{SUFFIX}", f"*{SUFFIX}")
        if chosen:
            self.save(Path(chosen if chosen.endswith(".json") else chosen + SUFFIX))

    def _ask_open(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self.window(), tr("Open a view"), "", f"*{SUFFIX};;*.json")
        if chosen:
            self.open(Path(chosen))


class Keeper(QObject):
    """Buttons for a view's corner: `undo`, `redo`, `file`. Call `soon` after every change; what comes at once is one step.

    state(): what the view shows, a frozen dataclass with raw(), for a file, and still(): itself without what flows, such as a sentence that
    is being typed: what differs in that alone, or in the session's step, is one step. restore(state): show that again.
    """

    def __init__(self, view: QWidget, name: str, session: Session, services: Services, *, state: Callable[[], Any],
                 parse: Callable[[dict[str, Any]], Any], restore: Callable[[Any], None]) -> None:
        super().__init__(view)
        self._view, self._name, self._session, self._messages = view, name, session, services.messages
        self._state, self._restore = state, restore
        self._steps: Steps[Look] | None = session.past.get(name)  # None until the view was seen
        self._restoring = False
        self.undo = icon_button("undo", tr("Undo"), self.back)
        self.redo = icon_button("redo", tr("Redo"), self.forth)
        for made, keys in ((self.undo, Keys.Undo), (self.redo, Keys.Redo)):
            action = QAction(made.toolTip(), self)
            action.triggered.connect(made.click)
            _give(view, action, keys)
        self.file = FileButton(view, name, session, services, raw=lambda: state().raw(), parse=parse, show=self._show_state)
        self._timer = QTimer(self, interval=0, singleShot=True)
        self._timer.timeout.connect(self.keep)
        self.file.opening.connect(self._catch_up)
        for signal in (session.wordChanged, session.specimensChanged, session.selectionChanged, session.layerChanged, session.headChanged,
                       session.stepChanged):
            signal.connect(self.soon)
        self._refresh()

    def soon(self, *_: object) -> None:
        """What is looked at then can be come back to."""
        if self._view.isVisible() and not self._restoring:
            self._timer.start()

    def keep(self) -> None:
        """The same at once."""
        self._timer.stop()
        look = Look(state=self._state(), place=places.place_of(self._session))
        steps = self._steps
        if steps is None or not steps.now.place.word:  # before the first word there was nothing to come back to
            self._steps = self._session.past[self._name] = Steps(look)
        elif look != steps.now:
            flows = _still(look) == _still(steps.now)
            goes_on = flows and steps.before is not None and _still(steps.before) == _still(steps.now)
            (steps.change if goes_on else steps.take)(look)
        self._refresh()

    def back(self) -> None:
        self._go(Steps.undo)

    def forth(self) -> None:
        self._go(Steps.redo)

    def _go(self, way: Callable[[Steps[Look]], bool]) -> None:
        self._catch_up()
        if self._steps is not None and way(self._steps):
            with self._messages.guard():
                self._restoring = True
                try:
                    places.go_to(self._session, self._steps.now.place)
                    self._restore(self._steps.now.state)
                finally:
                    self._restoring = False
        self._refresh()

    def _catch_up(self) -> None:
        if self._timer.isActive():
            self.keep()

    def _show_state(self, state: Any) -> None:
        self._restore(state)
        self.soon()

    def _refresh(self) -> None:
        self.undo.setEnabled(self._steps is not None and self._steps.can_undo)
        self.redo.setEnabled(self._steps is not None and self._steps.can_redo)


def _still(look: Look) -> tuple:
    place = look.place
    return look.state.still(), place.word, place.sentence, place.layer, place.head


def _runs(bench: tuple[tuple[str, str, int], ...]) -> tuple[list[BenchRun], list[str]]:
    """What can be opened of a saved bench, and the names of the others."""
    found, gone = [], []
    for path, name, colour in bench:
        try:
            found.append(BenchRun(run=Run.open(Path(path)), colour=colour))
        except UserError:
            gone.append(name)
    return found, gone


def _give(view: QWidget, action: QAction, keys: QKeySequence.StandardKey) -> None:
    """A key for the window while the view is shown, whatever has the focus; a line that is being edited takes it first."""
    action.setShortcut(keys)
    action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
    view.addAction(action)
