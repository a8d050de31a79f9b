"""How a process ended, in words."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from core.errors import DISK_FULL
from core.i18n import tr


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """code: the exit status; negative: ended by that signal. text: half a sentence for a person."""

    code: int
    text: str

    @property
    def good(self) -> bool:
        return self.code == 0

    @classmethod
    def of(cls, code: int) -> Outcome:
        return cls(code=code, text=_words(code))


def _words(code: int) -> str:
    if code == 0:
        return tr("finished")
    if code == DISK_FULL:
        return tr("stopped, for the disk is full")
    if code in (-getattr(signal, "SIGKILL", 9), 137):
        return tr("killed, most likely because the memory ran out")
    if code in (-getattr(signal, "SIGTERM", 15), 143, -getattr(signal, "SIGINT", 2)):
        return tr("stopped from outside")
    if code in (-getattr(signal, "SIGSEGV", 11), 139, 0xC0000005, -1073741819):
        return tr("crashed in a library (segmentation fault)")
    if code < 0:
        try:
            return tr("ended by {signal}", signal=signal.Signals(-code).name)
        except ValueError:
            return tr("ended by signal {number}", number=-code)
    return tr("ended with error {code}", code=code)
