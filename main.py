"""Lexiscope: `python main.py` opens the window; `python main.py --help` lists what it does without one."""

from __future__ import annotations

import os
import sys

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")  # one of these says where a window can be opened on Linux


def main(arguments: list[str]) -> int:
    # Must stand before numpy and torch are loaded, and passes on to the processes that we start. Small products on many threads,
    # and threads that wait for each other by spinning for long, are many times slower as soon as anything else wants a core: a window, say.
    # Training takes the threads it wants by itself (core/train/device.py).
    for name, value in (("GOMP_SPINCOUNT", "1000"), ("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1")):
        os.environ.setdefault(name, value)
    if arguments:
        try:
            from core.cli import main as run_verb

            return run_verb(arguments)
        except KeyboardInterrupt:  # while that was still being loaded
            return 130
    if sys.platform == "linux" and not any(map(os.environ.get, SCREENS)):  # Qt would abort
        from core.cli import say_no_screen

        return say_no_screen()
    from gui.app import main as open_window

    return open_window()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
