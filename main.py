"""Lexiscope: `python main.py` opens the window; `python main.py --help` lists what it does without one."""

from __future__ import annotations

import os
import sys


def main(arguments: list[str]) -> int:
    # Threads that wait for each other by spinning are ten times slower as soon as anything else wants a core (a window, say).
    # Must stand before torch is loaded, and passes on to the processes that we start.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if arguments:
        from core.cli import main as run_verb

        return run_verb(arguments)
    from gui.app import main as open_window

    return open_window()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
