"""Lexiscope: `python main.py` opens the window; `python main.py --help` lists what it does without one."""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> int:
    if arguments:
        from core.cli import main as run_verb

        return run_verb(arguments)
    from gui.app import main as open_window

    return open_window()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
