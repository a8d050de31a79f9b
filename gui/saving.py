"""Where something is saved: the file that a person chooses, and how it may be named."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget


def ask_path(parent: QWidget, title: str, suggested: str, kinds: str) -> str:
    """The file that the person chooses, with the ending that `kinds` names, or an empty text.

    Where the ending was left out and a file of the whole name is there, that one is asked for: nothing is overwritten unseen.
    """
    ending = re.search(r"\*([.\w]+)", kinds)[1]
    while chosen := QFileDialog.getSaveFileName(parent, title, suggested, kinds)[0]:
        if Path(chosen).suffix.lower() == Path(f"a{ending}").suffix:
            return chosen
        suggested = chosen + ending
        if not Path(suggested).exists():
            return suggested
    return ""


def file_name(name: str) -> str:
    """Without what a file's name must not hold."""
    return "".join("_" if character in '<>:"/\\|?*' or ord(character) < 32 else character for character in name).strip()[:80] or "picture"
