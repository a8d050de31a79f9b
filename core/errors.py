"""The one kind of error that is meant for a person's eyes."""

from __future__ import annotations

import errno

from core.i18n import sentences, tr

DISK_FULL = errno.ENOSPC  # also the exit code of a run's process that had no room left to write down why it ended

SHARING_VIOLATION = 32  # Windows' number for it; as an errno it would be a lack of permission


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
        return sentences(self.message, self.hint)


def system_words(error: OSError) -> str:
    """Why the system refused, in the person's language; what is rare stays in the system's own words."""
    if getattr(error, "winerror", None) == SHARING_VIOLATION:
        return tr("another program has it open")
    words = {errno.EISDIR: tr("it is a folder"), errno.ENOTDIR: tr("it lies in something that is no folder"),
             errno.ENOENT: tr("there is nothing of that name"), errno.EEXIST: tr("there is one already"),
             errno.EACCES: tr("no permission"), errno.EROFS: tr("the disk can only be read"), DISK_FULL: tr("the disk is full"),
             errno.ENAMETOOLONG: tr("the name is too long")}
    return words.get(error.errno) or error.strerror or str(error)


def refused_by_system(error: OSError) -> UserError:
    """What is said of a file where nothing more is known than what the system says."""
    parts = [str(part) for part in (error.filename, system_words(error)) if part]
    return UserError(tr("The system refuses: {reason}.", reason=": ".join(parts)),
                     tr("Check the name, the permissions, and whether the disk is full."))
