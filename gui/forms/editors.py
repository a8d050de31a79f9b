"""One editor for each type that an option can have."""

from __future__ import annotations

import dataclasses
from typing import Any, get_origin

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QSpinBox, QWidget

from core.i18n import tr
from gui import theme
from gui.forms.option_titles import choice_title
from gui.widgets.labels import restyle
from gui.widgets.switch import Switch

INT_MAX = 2**31 - 1
EDITOR_WIDTH = 220


class Editor(QWidget):
    """Holds the widget for one value. value() may be text that is not yet a number: the dataclass decides."""

    changed = Signal()

    def __init__(self, inner: QWidget, read: Any, write: Any, *, wide: bool = False) -> None:
        super().__init__()
        self.inner, self._read, self._write = inner, read, write
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(inner, 1 if wide else 0)
        if not wide:
            layout.addStretch(1)
        self.setFocusProxy(inner)
        inner.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        inner.installEventFilter(self)

    def name(self, title: str, about: str) -> None:
        """What a screen reader says: it reads the widget that has the keyboard."""
        for part in (self, self.inner):
            part.setAccessibleName(title)
            part.setAccessibleDescription(about)

    def value(self) -> Any:
        return self._read()

    def set_value(self, value: Any) -> None:
        self._write(value)

    def mark_wrong(self, wrong: bool) -> None:
        restyle(self.inner, "state", "error" if wrong else "")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The wheel scrolls the page, and changes a value only while the person is at it."""
        if event.type() == QEvent.Type.Wheel and not self.inner.hasFocus():
            event.ignore()
            return True
        return False


def make_editor(item: dataclasses.Field, hint: Any) -> Editor:
    """The editor for a field of that type, holding the field's default."""
    if hint is bool:
        made = _switch()
    elif item.metadata.get("choices"):
        made = _choice(item)
    elif hint is int:
        made = _whole_number(item)
    elif hint is float:
        made = _line(show_number)
    elif get_origin(hint) is tuple:
        made = _line(", ".join, read=split_items, wide=True)
    else:
        made = _line(str, wide=True)
    if item.default is not dataclasses.MISSING:
        made.blockSignals(True)
        made.set_value(item.default)
        made.blockSignals(False)
    return made


def show_number(value: float | str) -> str:
    """As short as it can be without losing anything: 0.001, 2e-05, 15."""
    if isinstance(value, str):
        return value
    short = f"{value:.6g}"
    return short if float(short) == value else repr(float(value))


def show_value(name: str, value: Any) -> str:
    """The value of an option as a person reads it."""
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    if isinstance(value, tuple):
        return ", ".join(value) or tr("none")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return show_number(value)
    return choice_title(name, value) or tr("none")


def split_items(text: str) -> tuple[str, ...]:
    """Items between commas, also Chinese ones."""
    return tuple(part.strip() for part in text.replace("，", ",").replace("、", ",").split(",") if part.strip())


def _switch() -> Editor:
    inner = Switch()
    made = Editor(inner, inner.isChecked, inner.setChecked)
    inner.toggled.connect(made.changed)
    return made


def _choice(item: dataclasses.Field) -> Editor:
    inner = QComboBox(minimumWidth=theme.scaled(EDITOR_WIDTH))
    for value in item.metadata["choices"]:
        inner.addItem(choice_title(item.name, value), value)
    made = Editor(inner, inner.currentData, lambda value: inner.setCurrentIndex(inner.findData(value)))
    inner.currentIndexChanged.connect(made.changed)
    return made


def _whole_number(item: dataclasses.Field) -> Editor:
    """The upper bound is the dataclass's to enforce, with words; the box only keeps what an int of Qt can hold."""
    low = item.metadata.get("min")
    inner = QSpinBox(minimum=0 if low is not None and low >= 0 else -INT_MAX, maximum=INT_MAX, accelerated=True)
    inner.setFixedWidth(theme.scaled(EDITOR_WIDTH))
    inner.lineEdit().setTextMargins(theme.S, 0, 0, 0)  # the style sheet's padding does not reach it
    made = Editor(inner, inner.value, inner.setValue)
    inner.valueChanged.connect(made.changed)
    return made


def _line(show: Any, *, read: Any = str.strip, wide: bool = False) -> Editor:
    inner = QLineEdit()
    if not wide:
        inner.setFixedWidth(theme.scaled(EDITOR_WIDTH))
    made = Editor(inner, lambda: read(inner.text()), lambda value: inner.setText(show(value)), wide=wide)
    inner.textChanged.connect(made.changed)
    return made
