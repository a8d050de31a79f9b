from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# A widget that holds itself is garbage only to the collector; its timer says so, and may crash, if it dies in another thread.
DIES_WHILE_A_THREAD_WORKS = """
import threading, time, weakref
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from gui import app
program = app.make_app(["lexiscope"])
class Panel(QWidget):
    def __init__(self):
        super().__init__()
        self.itself = self
        QVBoxLayout(self).addWidget(QLabel("a word"))
        self.timer = QTimer(interval=1)
        self.timer.start()
alive = [weakref.ref(Panel()) for _ in range(50)]
thread = threading.Thread(target=lambda: [[number] for number in range(300_000)])
thread.start()
thread.join()
end = time.monotonic() + 20
while any(panel() for panel in alive) and time.monotonic() < end:
    program.processEvents()
print("left", sum(panel() is not None for panel in alive))
"""


def test_no_widget_dies_in_a_thread_that_is_not_its_own():
    done = subprocess.run([sys.executable, "-c", DIES_WHILE_A_THREAD_WORKS], cwd=Path(__file__).parents[2], capture_output=True, text=True,
                          timeout=120, check=False)
    assert (done.stdout.strip(), done.returncode) == ("left 0", 0), done.stderr
    assert "another thread" not in done.stderr
