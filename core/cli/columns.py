"""Text for a terminal, where a Chinese character takes the room of two letters."""

from __future__ import annotations

import unicodedata
from itertools import accumulate


def room(text: str) -> int:
    """How many columns it takes."""
    return sum(map(_columns, text))


def left(text: str, columns: int) -> str:
    """Filled with spaces behind it."""
    return text + " " * (columns - room(text))


def right(text: str, columns: int) -> str:
    """Filled with spaces before it."""
    return " " * (columns - room(text)) + text


def cut(text: str, columns: int) -> str:
    """As much of its beginning as has room."""
    return text[: sum(end <= columns for end in accumulate(map(_columns, text)))]


def _columns(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 0 if unicodedata.combining(character) else 1
