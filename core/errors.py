"""The one kind of error that is meant for a person's eyes."""

from __future__ import annotations

import errno

DISK_FULL = errno.ENOSPC  # also the exit code of a run's process that had no room left to write down why it ended


class UserError(Exception):
    """Something that the person at the keyboard can mend.

    message: one sentence that says what is wrong. hint: one sentence that says what to do.
    where: the name of the option or field at fault, so that a form can show the message in its place.
    """

    def __init__(self, message: str, hint: str = "", *, where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
