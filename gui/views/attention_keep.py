"""What was looked at in the attention view: steps to take back and forth, and a file that opens it again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from core.errors import UserError
from core.i18n import tr
from gui.messages import Messages
from gui.views.attention_state import State, loads
from gui.widgets.labels import icon_button

FORMAT = "lexiscope attention 1"
SUFFIX = ".attention.json"
STEPS = 100  # that can be taken back
MOST_BYTES = 8_000_000


@dataclass(frozen=True, kw_only=True)
class Look:
    """state, and the session's layer, head and step."""

    state: State
    layer: int
    head: int
    step: int | None


class History:
    """Looks, one after the other. What differs in the sentence alone, as it is typed, is one step."""

    def __init__(self) -> None:
        self._looks: list[Look] = []
        self._at = -1

    def keep(self, look: Look) -> None:
        here = self._looks[self._at] if self._looks else None
        if look == here:
            return
        typed = here is not None and _without_text(look) == _without_text(here)
        del self._looks[self._at + 1:]
        if typed and self._at > 0 and _without_text(self._looks[self._at - 1]) == _without_text(here):
            self._looks[self._at] = look
        else:
            self._looks = [*self._looks, look][-STEPS:]
        self._at = len(self._looks) - 1

    def back(self) -> Look | None:
        """None where there is nothing before."""
        if self._at <= 0:
            return None
        self._at -= 1
        return self._looks[self._at]

    def forth(self) -> Look | None:
        if self._at + 1 >= len(self._looks):
            return None
        self._at += 1
        return self._looks[self._at]


class Keeper(QObject):
    """The button "more" of a view and the steps that it takes back.

    look() gives what is looked at now; restore(look) shows it again, and may call `keep` meanwhile.
    """

    def __init__(self, view: QWidget, look: Callable[[], Look], restore: Callable[[Look], None], messages: Messages) -> None:
        super().__init__(view)
        self._view, self._look, self._show, self._messages = view, look, restore, messages
        self._history = History()
        self._restoring = False
        self.button = icon_button("more", tr("More"))
        menu = QMenu(self.button)
        keys = QKeySequence.StandardKey
        for words, key, function in ((tr("Undo"), keys.Undo, self.back), (tr("Redo"), keys.Redo, self.forth),
                                     (tr("Save this view..."), keys.Save, self.save), (tr("Open a view..."), keys.Open, self.open)):
            action = menu.addAction(words, function)
            action.setShortcut(key)
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            view.addAction(action)
        self.button.setMenu(menu)
        self.button.setPopupMode(self.button.ToolButtonPopupMode.InstantPopup)

    def keep(self) -> None:
        """What is looked at now can be come back to."""
        if not self._restoring:
            self._history.keep(self._look())

    def back(self) -> None:
        self._restore(self._history.back())

    def forth(self) -> None:
        self._restore(self._history.forth())

    def save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self._view, tr("Save this view"), f"attention{SUFFIX}", f"*{SUFFIX}")
        if chosen:
            with self._messages.guard():
                save(self._look(), Path(chosen if chosen.endswith(SUFFIX) else chosen + SUFFIX))

    def open(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self._view, tr("Open a view"), "", f"*{SUFFIX}")
        if chosen:
            with self._messages.guard():
                self._restore(load(Path(chosen)))
                self.keep()

    def _restore(self, look: Look | None) -> None:
        if look is not None:
            self._restoring = True
            self._show(look)
            self._restoring = False


def save(look: Look, path: Path) -> None:
    """Wholly or not at all. UserError where it cannot be written."""
    stored = {"format": FORMAT, "state": json.loads(look.state.dumps()), "layer": look.layer, "head": look.head, "step": look.step}
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(json.dumps(stored, ensure_ascii=False, indent=1), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UserError(tr("{path} cannot be written: {reason}.", path=path, reason=error.strerror or error),
                        tr("Free some space, or choose another place.")) from error


def load(path: Path) -> Look:
    """UserError where the file is no saved look."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["format"] != FORMAT:
            raise ValueError
        layer, head, step = int(stored["layer"]), int(stored["head"]), stored["step"]
        return Look(state=loads(json.dumps(stored["state"])), layer=layer, head=head, step=None if step is None else int(step))
    except OSError as error:
        raise UserError(tr("{path} cannot be read: {reason}.", path=path, reason=error.strerror or error), tr("Choose another file.")) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(tr("{name} is no saved view of attention.", name=path.name), tr("Choose a file that was saved here.")) from error


def _without_text(look: Look) -> tuple:
    return (*(value for name, value in vars(look.state).items() if name not in ("text", "pair")), look.layer, look.head, look.step)
