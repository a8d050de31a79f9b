"""A config dataclass becomes a form; what is wrong stands at its field.

The labels, help, bounds and choices are those of the dataclass's fields (core.config.option). The dataclass itself checks
the values: the form constructs it and shows the UserError at the field that its `where` names.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any, get_type_hints

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QLabel, QToolButton, QVBoxLayout, QWidget

from core.config import parse
from core.errors import UserError
from core.i18n import tr
from gui import theme
from gui.forms.editors import Editor, make_editor, show_value
from gui.forms.option_titles import error_in_titles, in_titles, option_title
from gui.widgets.labels import icon_button
from gui.widgets.panes import NO_BOUND

RESET_SIZE = 28


class Form(QWidget):
    """kind: a dataclass. hide: fields that something else edits; they keep the values last given by `set_values`.

    label_width: of the options' names, in pixels.
    compact: the help only shows when the pointer rests on a field, else it stands beneath. changed: a value was edited.
    checked(bool): after each edit, whether the dataclass accepts the values.
    """

    changed = Signal()
    checked = Signal(bool)

    def __init__(self, kind: type, *, hide: tuple[str, ...] = (), compact: bool = False, label_width: int = 190,
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = kind
        self._hints = get_type_hints(kind)
        self._rows: dict[str, _Row] = {}
        self._kept: dict[str, Any] = {}
        self._reference: dict[str, Any] = {}
        self._problem = QLabel(wordWrap=True, visible=False)
        self._problem.setProperty("role", "error")
        self._folded = QWidget(visible=False)
        plain, folded = _column(self), _column(self._folded)
        for item in dataclasses.fields(kind):
            if item.name in hide or item.metadata.get("hidden"):
                self._kept[item.name] = item.default
                continue
            row = _Row(item, make_editor(item, self._hints[item.name]), compact, label_width)
            row.editor.changed.connect(self._edited)
            row.reset.clicked.connect(partial(self._take_back, item.name))
            self._rows[item.name] = row
            (folded if item.metadata.get("advanced") else plain).addWidget(row)
        self._more = QToolButton(checkable=True, toolButtonStyle=Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._more.setText(tr("More options ({count})", count=folded.count()))
        self._more.setVisible(folded.count() > 0)
        self._more.toggled.connect(self._unfold)
        self._unfold(False)
        plain.addWidget(self._more)
        plain.addWidget(self._folded)
        plain.addWidget(self._problem)

    def names(self) -> tuple[str, ...]:
        return tuple(self._rows)

    def set_reference(self, values: dict[str, Any]) -> None:
        """From now on a field that differs from these values (a preset's) is marked, with a button that takes the change back."""
        self._reference = dict(values)
        self._mark()

    def differences(self) -> tuple[str, ...]:
        """The fields that differ from the reference."""
        found = self.values()
        return tuple(name for name in self._rows if name in self._reference and found[name] != self._reference[name])

    def values(self) -> dict[str, Any]:
        """Every field's value; text that cannot be read as the field's type stays text."""
        found = dict(self._kept)
        for name, row in self._rows.items():
            try:
                found[name] = parse(name, row.editor.value(), self._hints[name])
            except UserError:
                found[name] = row.editor.value()
        return found

    def set_values(self, values: dict[str, Any]) -> None:
        """Fill the fields named in `values`; the others stay. Sends no `changed`."""
        for name, value in values.items():
            if name in self._rows:
                editor = self._rows[name].editor
                editor.blockSignals(True)
                editor.set_value(value)
                editor.blockSignals(False)
            elif name in self._kept:
                self._kept[name] = value
        self._mark()
        self.check()

    def set_config(self, config: Any) -> None:
        """Fill in an object of the form's dataclass."""
        self.set_values({item.name: getattr(config, item.name) for item in dataclasses.fields(config)})

    def config(self) -> Any | None:
        """An object of the dataclass, or None where the values are refused; then the reason stands at its field."""
        self.clear_errors()
        try:
            raw = {name: parse(name, row.editor.value(), self._hints[name]) for name, row in self._rows.items()}
            return self._kind(**self._kept, **raw)
        except UserError as error:
            self.show_error(error)
            return None

    def check(self) -> bool:
        good = self.config() is not None
        self.checked.emit(good)
        return good

    def show_error(self, error: UserError) -> bool:
        """Show it at the field that it names (dotted or not), else beneath the form. Returns whether it named one of ours."""
        row = self._rows.get(error.where.rpartition(".")[2])
        if row is None:
            self._problem.setText(error_in_titles(error))
            self._problem.setVisible(True)
            return False
        row.show_error(error_in_titles(error))
        if self._folded.isAncestorOf(row):
            self._more.setChecked(True)
        return True

    def clear_errors(self) -> None:
        self._problem.setVisible(False)
        for row in self._rows.values():
            row.show_error("")

    def error_at(self, name: str) -> str:
        """The message that stands at a field; empty if none does."""
        return self._rows[name].error_text()

    def editor(self, name: str) -> Editor:
        return self._rows[name].editor

    def set_row_visible(self, name: str, visible: bool) -> None:
        self._rows[name].setVisible(visible)

    def fit(self, width: int) -> int:
        """The names stand above their fields where that many pixels do not hold both. Returns how many it needs then."""
        beside, above = (max(row.needs(stacked) for row in self._rows.values()) for stacked in (False, True))
        for row in self._rows.values():
            row.stack(beside > width)
        return above if beside > width else beside

    def _mark(self) -> None:
        differ = self.differences()
        for name, row in self._rows.items():
            row.mark_changed(name in differ, self._reference.get(name))

    def _take_back(self, name: str, _checked: bool = False) -> None:
        self.set_values({name: self._reference[name]})
        self.changed.emit()

    def _edited(self) -> None:
        self._mark()
        self.check()
        self.changed.emit()

    def _unfold(self, unfolded: bool) -> None:
        self._folded.setVisible(unfolded)
        self._more.setIcon(theme.icon("arrow-down" if unfolded else "arrow-right", size=12))


class _Row(QFrame):
    """One option: its name at the left of its editor, or above it, beneath them its help and what is wrong."""

    def __init__(self, item: dataclasses.Field, editor: Editor, compact: bool, label_width: int) -> None:
        super().__init__()
        self.editor = editor
        words = item.metadata.get("help", "")
        words = in_titles(tr(words)) if words else ""
        name = QLabel(text=option_title(item.name), wordWrap=True)
        self._width = theme.scaled(label_width)
        name.setBuddy(editor)
        editor.name(name.text(), words)
        self._title, self._line = name, QBoxLayout(QBoxLayout.Direction.LeftToRight)
        line = self._line
        line.addWidget(name, 0, Qt.AlignmentFlag.AlignTop if compact else Qt.AlignmentFlag.AlignVCenter)
        line.addWidget(editor, 1)
        self.reset = icon_button("undo", "", size=16)
        self.reset.setFixedSize(RESET_SIZE, RESET_SIZE)
        keep = self.reset.sizePolicy()
        keep.setRetainSizeWhenHidden(True)  # or a wide editor would grow and shrink
        self.reset.setSizePolicy(keep)
        self.reset.hide()
        editor.layout().insertWidget(1, self.reset)  # right beside the value that it takes back
        self._name = item.name
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(line)
        self._error = QLabel(wordWrap=True, visible=False)
        self._error.setProperty("role", "error")
        self._help = QLabel(text=words, wordWrap=True, visible=False)
        self._help.setProperty("role", "caption")
        if compact:
            self.setToolTip(words)
        layout.addWidget(self._help)
        layout.addWidget(self._error)
        self._help.setVisible(bool(words) and not compact)
        self._stacked: bool | None = None
        self.stack(False)

    def needs(self, stacked: bool) -> int:
        """Pixels across, with the name above the editor or beside it."""
        return self.editor.minimumSizeHint().width() + (0 if stacked else self._width + theme.M)

    def stack(self, stacked: bool) -> None:
        if stacked == self._stacked:
            return
        self._stacked = stacked
        self._title.setMinimumWidth(0 if stacked else self._width)
        self._title.setMaximumWidth(NO_BOUND if stacked else self._width)
        self._line.setDirection(QBoxLayout.Direction.TopToBottom if stacked else QBoxLayout.Direction.LeftToRight)
        self._line.setSpacing(2 if stacked else theme.M)
        for part in (self._help, self._error):
            part.setContentsMargins(0 if stacked else self._width + theme.M, 0, 0, 0)

    def mark_changed(self, changed: bool, before: Any) -> None:
        """changed: it differs from the preset, whose value is `before`."""
        self.reset.setVisible(changed)
        if changed:
            self.reset.setToolTip(tr("Changed from the preset; back to {value}", value=show_value(self._name, before)))
            self.reset.setAccessibleName(self.reset.toolTip())

    def show_error(self, text: str) -> None:
        if text != self._error.text():
            self._error.setText(text)
            self._error.setVisible(bool(text))
            self.editor.mark_wrong(bool(text))

    def error_text(self) -> str:
        return self._error.text()


def _column(widget: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(theme.M)
    return layout
