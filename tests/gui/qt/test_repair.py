from __future__ import annotations

import gc
import re
import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QMetaObject, QObject
from PySide6.QtGui import QAction

import gui

PROGRAM = """
from gui.qt.repair import hold_constants
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


def connections() -> int:
    return sum(isinstance(thing, QMetaObject.Connection) for thing in gc.get_objects())


def test_a_signal_given_to_a_constructor_leaves_a_connection(qapp):
    parent = QObject()
    before = connections()
    QAction("", parent).triggered.connect(parent.objectName)
    assert connections() == before
    QAction("", parent, triggered=parent.objectName)
    assert connections() == before + 1, "PySide has mended it: the next test is no longer needed"


def test_no_signal_is_given_to_a_constructor():
    given = re.compile(r"\bQ[A-Z]\w+\(.*\b(activated|triggered|toggled|clicked|pressed|released|timeout|finished|accepted|rejected|\w+Changed)=")
    found = [f"{path.name}: {line.strip()}" for path in Path(gui.__file__).parent.rglob("*.py")
             for line in path.read_text(encoding="utf-8").splitlines() if given.search(line)]
    assert not found
