"""Against two defects of PySide 6.12; tests/gui/qt/test_repair.py shows them.

A signal given as a keyword to a constructor, as `activated` to QShortcut, leaves a Connection that is never freed: connect it afterwards.

Under Python 3.11 it ends the program: it returns None, True and False without taking a reference to them, as one may from Python 3.12 on,
where they are not counted. Python 3.11 counts: each `signal.emit()`, or `widget.parent()` that is None, takes a reference away that is not
its own, and after some thousand of them the interpreter stops with "bool_dealloc: deallocating True or False". Tried with PySide6 6.12.0
and Python 3.11.7.
"""

from __future__ import annotations

import ctypes
import sys

PLENTY = 1 << 40  # at a million calls a second, enough for twelve days


def hold_constants() -> None:
    """Give None, True and the like more references than can be taken away. Needed once; harmless when repeated."""
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython":
        return
    for constant in (None, True, False, NotImplemented, Ellipsis):
        if sys.getrefcount(constant) < PLENTY:
            ctypes.c_ssize_t.from_address(id(constant)).value += PLENTY  # the count is the first field of every object
