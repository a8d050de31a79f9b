"""Everything that the program says to the person outside of a view.

An expected error is a sentence and what to do: a card that stands over the view and goes by itself. An unexpected one is a
dialog with its traceback to copy.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

import shiboken6
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from core.errors import UserError
from core.i18n import sentences, tr
from gui import theme
from gui.widgets.labels import button, icon_button, label, row

STAY_MS = {"info": 5000, "warning": 9000, "error": 12000}
SHOWN_AT_ONCE = 3
WIDTH = 440
BORDERS = 6  # of the style sheet, which layouts do not count


class Messages(QObject):
    """Shows its cards at the lower edge of `window`."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._toasts: list[Toast] = []
        self._dialog: UnexpectedDialog | None = None
        window.installEventFilter(self)

    def say(self, message: str, hint: str = "", *, kind: str = "info", action: str = "",
            on_action: Callable[[], object] | None = None) -> None:
        """kind: info, warning or error. action: the text of a button that calls on_action (undo, try again).

        What stands there already is not said twice, unless it can be acted upon: each has its own undo.
        """
        if on_action is None and any(old.text == (message, hint) for old in self._toasts):
            return
        toast = Toast(self._window, message, hint, kind, action, on_action)
        toast.leaving = self._leave
        self._toasts.append(toast)
        while len(self._toasts) > SHOWN_AT_ONCE:
            self._leave(self._toasts[0])
        toast.show()
        self._place()

    def error(self, error: UserError) -> None:
        self.say(error.message, error.hint, kind="error")

    @contextmanager
    def guard(self) -> Iterator[None]:
        """What the person can mend is said, and the rest of the block is skipped; other errors pass."""
        try:
            yield
        except UserError as error:
            self.error(error)

    def unexpected(self, message: str, trace: str) -> None:
        """An error that nobody foresaw. While its dialog is open, further ones are added to it."""
        if self._dialog is not None:
            self._dialog.add(trace)
            return
        self._dialog = UnexpectedDialog(self._window, message, trace)
        self._dialog.finished.connect(self._dialog_gone)
        self._dialog.show()

    def install_hook(self) -> None:
        """From now on errors that nothing has caught come here. To be called last: pyqtgraph sets a hook of its own."""
        sys.excepthook = self._hook

    def clear(self) -> None:
        for toast in list(self._toasts):
            self._leave(toast)

    @property
    def texts(self) -> list[tuple[str, str]]:
        """The messages and hints that stand there now."""
        return [toast.text for toast in self._toasts]

    def _hook(self, kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._window.close()
        elif isinstance(value, UserError):
            self.error(value)
        else:
            text = "".join(traceback.format_exception(kind, value, trace))
            self.unexpected(tr("Something went wrong that should not have: {reason}.", reason=f"{kind.__name__}: {value}"), text)
            with suppress(OSError, ValueError, AttributeError):  # there may be no terminal
                sys.stderr.write(text)

    def _dialog_gone(self) -> None:
        dialog, self._dialog = self._dialog, None
        dialog.deleteLater()

    def _leave(self, toast: Toast) -> None:
        if toast in self._toasts:
            self._toasts.remove(toast)
            toast.give_focus_back()
            toast.hide()
            toast.deleteLater()
            self._place()

    def _place(self) -> None:
        bottom = self._window.height() - 72
        for toast in reversed(self._toasts):
            toast.setFixedWidth(WIDTH)
            toast.setFixedHeight(toast.layout().heightForWidth(WIDTH) + BORDERS)
            toast.move((self._window.width() - WIDTH) // 2, bottom - toast.height())
            toast.raise_()
            bottom -= toast.height() + theme.S

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False


class Toast(QFrame):
    """One message. It goes when its time is over, unless the pointer rests on it."""

    def __init__(self, window: QWidget, message: str, hint: str, kind: str, action: str,
                 on_action: Callable[[], object] | None) -> None:
        super().__init__(window, objectName="toast")
        self.setProperty("kind", kind)
        self.setAccessibleName(sentences(message, hint))
        self.text = (message, hint)
        self.leaving: Callable[[Toast], None] = _nothing
        self._on_action = on_action
        self._before = window.focusWidget()  # the keyboard goes back there from the card
        column = QVBoxLayout()
        column.setSpacing(theme.XS)
        column.addWidget(label(message, "heading", wrap=True))
        if hint:
            column.addWidget(label(hint, "soft", wrap=True))
        if action:
            deed = button(action, self._act)
            deed.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard where it is
            column.addWidget(row(deed, None))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.M, theme.S, theme.M)
        layout.addLayout(column, 1)
        layout.addWidget(icon_button("close", tr("Close"), self._go, size=14), 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self, singleShot=True, interval=STAY_MS[kind])
        self._timer.timeout.connect(self._go)
        self._timer.start()

    def enterEvent(self, event: object) -> None:
        self._timer.stop()

    def leaveEvent(self, event: object) -> None:
        self._timer.start()

    def give_focus_back(self) -> None:
        """Or Qt moves it to whatever comes next: the cross of a chip."""
        if self.isAncestorOf(self.window().focusWidget()):
            there = self._before is not None and shiboken6.isValid(self._before) and self._before.isVisible() and self._before.isEnabled()
            (self._before if there else self.window()).setFocus()

    def _go(self) -> None:
        self.leaving(self)

    def _act(self) -> None:
        self._go()
        if self._on_action is not None:
            self._on_action()


class UnexpectedDialog(QDialog):
    def __init__(self, window: QWidget, message: str, trace: str) -> None:
        super().__init__(window)
        self.setWindowTitle(tr("An unexpected error"))
        self.setMinimumSize(640, 360)
        self._trace = QPlainTextEdit(trace, readOnly=True, lineWrapMode=QPlainTextEdit.LineWrapMode.NoWrap)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.L, theme.L, theme.L)
        layout.setSpacing(theme.M)
        layout.addWidget(label(message, "large", wrap=True))
        layout.addWidget(label(tr("Your runs are safe: they train in processes of their own. "
                                  "Send us the text below, so that we can mend it."), "soft", wrap=True))
        layout.addWidget(self._trace, 1)
        close = button(tr("Go on"), self.accept, kind="primary")
        layout.addWidget(row(button(tr("Copy the text"), self._copy), None, close))
        close.setDefault(True)

    def add(self, trace: str) -> None:
        self._trace.appendPlainText(f"\n{trace}")

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._trace.toPlainText())


def _nothing(_toast: Toast) -> None:
    pass
