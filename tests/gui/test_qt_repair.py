from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from gui.qt_repair import hold_constants
{repair}
from PySide6.QtCore import QObject, Signal
class Sender(QObject):
    said = Signal()
sender = Sender()
for _ in range(50_000):
    sender.said.emit()
    sender.parent()
print("alive")
"""


def test_many_signals_do_not_end_the_program():
    program = PROGRAM.format(repair="hold_constants(); hold_constants()")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "alive", done.stderr
