"""Engines for tests of views: one that answers in this process, soon but not at once, and one that never answers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from core import registry
from core.errors import UserError
from gui.engine import Call


class SilentEngine(QObject):
    """calls: what was asked, the newest last."""

    busyChanged = Signal(bool)
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.calls: list[Call] = []
        self._owned: dict[int, list[Call]] = {}

    def call(self, place: str, keywords: dict[str, Any], *, on_done: Callable[[Any], None], on_error: Callable[[str, str], None],
             on_progress: Callable[..., None] | None = None, key: str = "", owner: QObject | None = None) -> Call:
        for old in self.calls:
            if key and old.key == key:
                old.wanted = False
        made = Call(len(self.calls), place, keywords, on_done, on_error, on_progress, key)
        self.calls.append(made)
        if owner is not None:
            if id(owner) not in self._owned:
                owner.destroyed.connect(partial(self._forget, id(owner)))
            self._owned.setdefault(id(owner), []).append(made)
        return made

    def asked(self, place: str) -> list[dict[str, Any]]:
        """The arguments of the calls of that function, "module:function" or its end."""
        return [call.keywords for call in self.calls if call.place.endswith(place)]

    def cancel(self, call: Call | None) -> None:
        if call is not None:
            call.wanted = False

    def close(self) -> None:
        for call in self.calls:
            call.wanted = False

    def _forget(self, name: int, *_: object) -> None:
        for call in self._owned.pop(name, []):
            call.wanted = False


class DirectEngine(SilentEngine):
    def call(self, *arguments: Any, **keywords: Any) -> Call:
        made = super().call(*arguments, **keywords)
        QTimer.singleShot(0, self, lambda: self._answer(made))
        return made

    def _answer(self, call: Call) -> None:
        if not call.wanted:
            return
        function = registry.load(call.place)
        known = inspect.signature(function).parameters
        given = dict(call.keywords)
        if "on_progress" in known:
            given["on_progress"] = call.on_progress or (lambda *_: None)
        if "cancelled" in known:
            given["cancelled"] = lambda: not call.wanted
        try:
            answer = function(**given)
        except UserError as error:
            call.wanted = False
            call.on_error(error.message, error.hint)
            return
        if call.wanted:
            call.wanted = False
            call.on_done(answer)
