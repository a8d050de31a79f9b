"""Somebody who clicks at everything: random clicks, keys, words and sizes in the real window, with the real engine and runs that train.

    python -m benchmarks.restless [--minutes 5] [--seed 0] [--times 1] [--json FILE]

Each time is a home of its own with the demo's runs, in a process of its own. Counted: acts, errors that nobody foresaw, whether the process died,
and the longest that one act held the window (acts that opened a dialog are left out: they last until it is closed). Of an error the last
acts before it are printed. Dialogs that ask for a file are answered with one of a few, or none.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import psutil
import shiboken6
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QContextMenuEvent, QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QTabBar,
    QWidget,
)

from core import i18n, runs
from gui import app as program
from gui import messages, theme
from gui.main_window import MainWindow
from gui.settings import Settings
from gui.views import VIEWS

WORDS = ("苹果", "apple", "我爱吃苹果", "a", "", " ", "-1", "0", "3", "1e999", "nan", "🍎", "[MASK]", "苹\u200b果", "x" * 3000, "../..",
         "%s {0} $x$", "\t")
KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Space, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_F11,
        Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageDown)
CHORDS = (Qt.Key.Key_Z, Qt.Key.Key_Y, Qt.Key.Key_A, Qt.Key.Key_C, Qt.Key.Key_V, Qt.Key.Key_X, Qt.Key.Key_B, Qt.Key.Key_F,
          Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_1, Qt.Key.Key_3, Qt.Key.Key_5)
SIZES = ((1280, 720), (1440, 900), (1024, 700), (1920, 1080))
ROOT = Path(__file__).resolve().parents[1]
BEGIN_MS = 4000  # the demo is open
ACT_MS = 15
KEPT_ACTS = 25
TRAINING_AT_ONCE = 1  # further ones are ended: two cores are for the window
LOOK_S = 2.0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--home", help=argparse.SUPPRESS)  # of the process that lives it
    options = parser.parse_args(arguments)
    if options.home:
        os.environ[runs.HOME_VARIABLE] = options.home
        Restless(options.seed).live(60 * options.minutes)
        return 1  # it ends by itself
    found = [one_life(seed, options.minutes) for seed in range(options.seed, options.seed + options.times)]
    print(f"{'seed':>6}{'acts':>9}{'errors':>9}{'died':>7}{'longest ms':>12}  longest act")
    for row in found:
        print(f"{row['seed']:>6}{row['acts']:>9}{row['errors']:>9}{row['died']!s:>7}{row['longest_ms']:>12.0f}  {row['longest']}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return int(any(row["errors"] or row["died"] for row in found))


def one_life(seed: int, minutes: float) -> dict[str, Any]:
    """What became of one window: acts, errors, died, longest_ms, longest (the act that took so long)."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        command = [sys.executable, "-m", "benchmarks.restless", "--home", home, "--seed", str(seed), "--minutes", str(minutes)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True) as process:
            told = process.stdout.read()
        for left in psutil.process_iter(["cmdline"]):
            if home in " ".join(left.info["cmdline"] or ()):
                with suppress(psutil.Error):  # it has just ended by itself
                    left.kill()
    lines = told.splitlines()
    if process.returncode == 0:
        return json.loads(lines[-1])
    print(f"seed {seed}: the process ended with {process.returncode}. Its last acts:", *lines[-KEPT_ACTS:], sep="\n")
    return {"seed": seed, "acts": len(lines), "errors": 0, "died": True, "longest_ms": 0.0, "longest": ""}


class Restless:
    """One life of the window."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._seed, self._acts, self._errors = seed, 0, []
        self._recent: deque[str] = deque(maxlen=KEPT_ACTS)
        self._longest, self._longest_act, self._begun = 0.0, "", 0
        self._looked = 0.0

    def live(self, seconds: float) -> None:
        """Act for that long, then end the process; each act is written to standard output before it is done, at last what became of all."""
        faulthandler.enable()
        os.environ.setdefault(i18n.ENVIRONMENT_VARIABLE, self._random.choice(("en", "zh_CN")))
        self._answer_file_dialogs()
        messages.Messages.unexpected = self._unexpected
        app = program.make_app(["lexiscope"])
        app.setQuitOnLastWindowClosed(False)
        program.warm_up()
        self._open()
        self._window.view._go.click()
        QTimer.singleShot(BEGIN_MS, self._act)
        self._end = time.monotonic() + seconds
        app.exec()

    def _finish(self) -> None:
        found = {"seed": self._seed, "acts": self._acts, "errors": len(self._errors), "died": False, "longest_ms": 1000 * self._longest,
                 "longest": self._longest_act}
        print(json.dumps(found), flush=True)
        os._exit(0)  # a dialog may be open that waits for an answer

    def _open(self) -> None:
        settings = Settings()
        i18n.set_language(settings.language)
        theme.apply(QApplication.instance(), settings.theme, settings.zoom)
        self._window = MainWindow(settings)
        self._window.resize(1280, 720)
        self._window.show()
        self._window.messages.install_hook()
        self._window.start()

    def _unexpected(self, message: str, trace: str) -> None:
        self._errors.append(trace)
        print(f"an error that nobody foresaw (seed {self._seed}), after", *self._recent, trace, sep="\n", file=sys.stderr, flush=True)

    def _answer_file_dialogs(self) -> None:
        folder = Path(os.environ[runs.HOME_VARIABLE]) / "files"
        folder.mkdir(exist_ok=True)
        (folder / "text.txt").write_text("我爱吃苹果。苹果很甜。\n苹果发布了新手机。\n" * 40, encoding="utf-8")
        (folder / "table.tsv").write_text("text\tlabel\n" + "苹果很甜\t水果\n苹果开会\t公司\n" * 30, encoding="utf-8")
        (folder / "broken.tsv").write_bytes(b"\x00\xff\xfe" * 50)
        files = [str(path) for path in sorted(folder.iterdir())]

        def chosen() -> str:
            return self._random.choice(["", *files, str(folder / "nothing.txt")])

        def a_folder(*_: object) -> str:
            return self._random.choice(["", str(folder), *map(str, runs.runs_home().glob("*"))])

        QFileDialog.getOpenFileName = lambda *_: (chosen(), "")
        QFileDialog.getOpenFileNames = lambda *_: ([name for name in {chosen(), chosen()} if name], "")
        QFileDialog.getSaveFileName = lambda *_: (self._random.choice(["", str(folder / f"out{self._random.randrange(3)}.{self._kind()}")]), "")
        QFileDialog.getExistingDirectory = a_folder
        QDesktopServices.openUrl = lambda _url: True

    def _kind(self) -> str:
        return self._random.choice(("png", "svg", "pdf", "csv", "tsv", "json", "lexi", "onnx", "txt", "gif"))

    def _act(self) -> None:
        if time.monotonic() > self._end:
            self._finish()
        QTimer.singleShot(ACT_MS, self._act)  # now: what follows may open a dialog, and in that too something is done
        if time.monotonic() - self._looked > LOOK_S:
            self._look_after()
        inside = QApplication.activePopupWidget() or QApplication.activeModalWidget() or self._window
        kinds = (self._click, self._click, self._click, self._click_anywhere, self._press, self._type, self._choose, self._turn, self._scroll,
                 self._ask_menu)
        act = self._window_act if inside is self._window and self._random.random() < 0.06 else self._random.choice(kinds)
        self._begun += 1
        number, begun = self._begun, time.perf_counter()
        act(inside)
        spent = time.perf_counter() - begun
        if self._recent and number == self._begun and spent > self._longest:  # else a dialog was open, in which others were done
            self._longest, self._longest_act = spent, self._recent[-1]

    def _look_after(self) -> None:
        """A window that was closed is opened again; of the runs that train only a few are left."""
        self._looked = time.monotonic()
        if not shiboken6.isValid(self._window) or not self._window.isVisible():
            self._note("open the window again")
            if shiboken6.isValid(self._window):
                self._window.deleteLater()
            self._open()
        for run in self._window.processes.running()[TRAINING_AT_ONCE:]:
            self._window.processes.discard(run)

    def _note(self, text: str) -> None:
        self._acts += 1
        self._recent.append(text)
        print(text, flush=True)

    def _some(self, inside: QWidget, *kinds: type[QWidget]) -> QWidget | None:
        found = [widget for kind in kinds for widget in inside.findChildren(kind)
                 if widget.isVisible() and widget.isEnabled() and not widget.visibleRegion().isEmpty() and widget.window() is inside.window()]
        return self._random.choice(found) if found else None

    def _name(self, widget: QWidget) -> str:
        said = widget.text() if isinstance(widget, QAbstractButton) else widget.accessibleName() or widget.objectName()
        chain, parent = [], widget
        while parent is not None and len(chain) < 3:
            chain.append(type(parent).__name__)
            parent = parent.parentWidget()
        return f"{' < '.join(chain)} {said or widget.toolTip()!r:.60}"

    def _click(self, inside: QWidget) -> None:
        if isinstance(inside, QMenu):
            actions = [action for action in inside.actions() if action.isEnabled() and action.isVisible() and not action.isSeparator()]
            if actions:
                action = self._random.choice(actions)
                self._note(f"choose from the menu {action.text()!r}")
                QTest.mouseClick(inside, Qt.MouseButton.LeftButton, pos=inside.actionGeometry(action).center())
            return
        if (found := self._some(inside, QAbstractButton, QAbstractButton, QTabBar)) is not None:
            self._note(f"click {self._name(found)}")
            QTest.mouseClick(found, Qt.MouseButton.LeftButton, pos=self._place(found) if isinstance(found, QTabBar) else found.rect().center())

    def _click_anywhere(self, inside: QWidget) -> None:
        place = self._place(inside)
        widget = inside.childAt(place) or inside
        at = widget.mapFrom(inside, place)
        press = self._random.choice((QTest.mouseClick, QTest.mouseClick, QTest.mouseDClick, self._drag))
        modifier = self._random.choice((Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier,
                                        Qt.KeyboardModifier.ControlModifier))
        self._note(f"{getattr(press, '__name__', 'drag')} {self._name(widget)} at {at.x()} {at.y()} {modifier.name}")
        press(widget, Qt.MouseButton.LeftButton, modifier, at)

    def _drag(self, widget: QWidget, mouse: Qt.MouseButton, modifier: Qt.KeyboardModifier, at: QPoint) -> None:
        QTest.mousePress(widget, mouse, modifier, at)
        for _ in range(3):
            if shiboken6.isValid(widget):
                QTest.mouseMove(widget, self._place(widget))
        if shiboken6.isValid(widget):
            QTest.mouseRelease(widget, mouse, modifier, self._place(widget))

    def _place(self, widget: QWidget) -> QPoint:
        return QPoint(self._random.randrange(max(1, widget.width())), self._random.randrange(max(1, widget.height())))

    def _press(self, inside: QWidget) -> None:
        target = QApplication.focusWidget() or inside
        if self._random.random() < 0.5:
            key, modifier = self._random.choice(CHORDS), Qt.KeyboardModifier.ControlModifier
        else:
            key, modifier = self._random.choice(KEYS), Qt.KeyboardModifier.NoModifier
        self._note(f"press {modifier.name} {key.name} in {self._name(target)}")
        QTest.keyClick(target, key, modifier)

    def _type(self, inside: QWidget) -> None:
        if (found := self._some(inside, QLineEdit, QPlainTextEdit)) is not None and not found.isReadOnly():
            word = self._random.choice(WORDS)
            self._note(f"type {word!r:.40} into {self._name(found)}")
            found.setFocus()
            if isinstance(found, QLineEdit):
                found.selectAll()
                found.insert(word)
                found.textEdited.emit(found.text())
                if self._random.random() < 0.5:
                    QTest.keyClick(found, Qt.Key.Key_Return)
            else:
                found.insertPlainText(word)

    def _choose(self, inside: QWidget) -> None:
        found = self._some(inside, QComboBox, QAbstractItemView)
        if isinstance(found, QComboBox) and found.count():
            index = self._random.randrange(found.count())
            self._note(f"choose {index} ({found.itemText(index)!r:.40}) in {self._name(found)}")
            found.setCurrentIndex(index)
            found.activated.emit(index)
        elif isinstance(found, QAbstractItemView):
            self._note(f"click into {self._name(found)}")
            press = self._random.choice((QTest.mouseClick, QTest.mouseDClick))
            press(found.viewport(), Qt.MouseButton.LeftButton, pos=self._place(found.viewport()))

    def _turn(self, inside: QWidget) -> None:
        found = self._some(inside, QAbstractSlider, QAbstractSpinBox)
        if isinstance(found, QAbstractSlider):
            value = self._random.randint(found.minimum(), found.maximum())
            self._note(f"slide {self._name(found)} to {value}")
            found.setValue(value)
        elif found is not None:
            steps = self._random.randint(-5, 5)
            self._note(f"step {self._name(found)} by {steps}")
            found.stepBy(steps)

    def _scroll(self, inside: QWidget) -> None:
        place = self._place(inside)
        widget = inside.childAt(place) or inside
        self._note(f"wheel over {self._name(widget)}")
        QTest.wheelEvent(self._window.windowHandle(), widget.mapTo(widget.window(), widget.rect().center()),
                         QPoint(0, self._random.choice((-480, -120, 120, 480))))

    def _ask_menu(self, inside: QWidget) -> None:
        place = self._place(inside)
        widget = inside.childAt(place) or inside
        self._note(f"right click on {self._name(widget)}")
        at = widget.mapFrom(inside, place)
        QApplication.sendEvent(widget, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, widget.mapToGlobal(at)))

    def _window_act(self, _inside: QWidget) -> None:
        name = self._random.choice(list(VIEWS))
        acts: tuple[tuple[str, Callable[[], object]], ...] = (
            *[(f"show {name}", lambda: self._window.show_view(name))] * 6,
            ("another size", lambda: self._window.resize(*self._random.choice(SIZES))),
            ("another language", self._window.switch_language),
            ("another theme", self._window.switch_theme),
            ("close", self._window.close),
        )
        text, act = self._random.choice(acts)
        self._note(text)
        act()


if __name__ == "__main__":
    sys.exit(main())
