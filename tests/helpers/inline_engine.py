"""An engine without a process: it answers in this one, when the event loop has its turn."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from PySide6.QtCore import QObject, QTimer

from core import registry
from core.errors import UserError


class InlineEngine(QObject):
    """Takes the newest call of each key, like the real one. asked: all calls so far, as (place, keywords)."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._calls: list[SimpleNamespace] = []

    def call(self, place: str, keywords: dict[str, Any], *, on_done: Callable, on_error: Callable, on_progress: Callable | None = None,
             key: str = "", owner: QObject | None = None) -> SimpleNamespace:
        for old in self._calls:
            old.wanted = old.wanted and not (key and old.key == key)
        made = SimpleNamespace(place=place, keywords=keywords, done=on_done, error=on_error, progress=on_progress, key=key, wanted=True)
        self.asked.append((place, keywords))
        self._calls.append(made)
        QTimer.singleShot(0, owner or self, self._answer)
        return made

    def _answer(self) -> None:
        if not self._calls:
            return
        call = self._calls.pop(0)
        if not call.wanted:
            return
        function = registry.load(call.place)
        offered = {"cancelled": lambda: not call.wanted, "on_progress": lambda *values: call.progress(*values) if call.wanted else None}
        known = inspect.signature(function).parameters
        try:
            result = function(**call.keywords, **{name: given for name, given in offered.items() if name in known})
        except UserError as error:
            call.error(error.message, error.hint)
            return
        if call.wanted:
            call.done(result)

    def cancel(self, call: SimpleNamespace | None) -> None:
        if call is not None:
            call.wanted = False
