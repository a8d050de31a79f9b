"""The boxes that one types into to see what the models say, and how text is written on."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QPlainTextEdit, QSpinBox, QVBoxLayout, QWidget

from core import i18n
from core.i18n import tr
from gui import theme
from gui.forms.kept_field import keep
from gui.settings import Settings
from gui.views.predict.modes import FILL, GAP, WRITE, Field, fields, mode_hints
from gui.widgets.flow import Flow
from gui.widgets.labels import Card, button, label, row

FRAME = 18  # of a text box, beside its lines: padding and border of the style sheet, and the document's margin
KEPT = "predict/{mode}/{name}"  # in the settings, whatever the language: what a person has typed stays


class PredictInputs(Card):
    """changed: something was typed. writeWanted, stopWanted: the buttons of the mode in which text is written on. past: of the session."""

    changed = Signal()
    writeWanted = Signal()
    stopWanted = Signal()

    def __init__(self, settings: Settings, past: dict[str, Any]) -> None:
        super().__init__()
        self._settings = settings
        self._mode, self._language = "", i18n.language()
        self._boxes: dict[str, QPlainTextEdit] = {}
        self.column.setSpacing(theme.S)
        self._hint = label("", "soft", wrap=True)
        self._gap = button(" " + tr("Insert a gap"), self._insert_gap, kind="flat", icon="plus", tip=tr("Put [MASK] where the cursor stands"))
        head = QHBoxLayout()
        head.addWidget(self._hint, 1)
        head.addWidget(self._gap)
        self.column.addLayout(head)
        self._row = QHBoxLayout()
        self._row.setSpacing(theme.M)
        self.column.addLayout(self._row)
        self._temperature = QDoubleSpinBox(minimum=0.0, maximum=5.0, singleStep=0.1, decimals=1, value=0.8,
                                           toolTip=tr("0: always the likeliest token; higher: bolder"))
        self._top_k = QSpinBox(minimum=0, maximum=1000, value=0, toolTip=tr("Draw from so many likeliest tokens; 0: from all"))
        self._length = QSpinBox(minimum=1, maximum=1000, value=60, toolTip=tr("The most tokens that are written"))
        self._seed = QSpinBox(minimum=0, maximum=999_999, value=0, toolTip=tr("The same seed writes the same text"))
        for name, box in (("temperature", self._temperature), ("top_k", self._top_k), ("length", self._length), ("seed", self._seed)):
            keep(past, f"predict/{name}", box)
        self._write = button(" " + tr("Write"), self.writeWanted.emit, kind="primary", icon="play")
        self._stop = button(" " + tr("Stop"), self.stopWanted.emit, icon="stop")
        parts: list[QWidget] = []
        for words, box in ((tr("Temperature"), self._temperature), (tr("Top k"), self._top_k), (tr("Length"), self._length),
                           (tr("Seed"), self._seed)):
            box.setAccessibleName(words)
            box.setFixedWidth(theme.scaled(82))
            box.lineEdit().setTextMargins(theme.S, 0, 0, 0)
            parts.append(row(label(words, "small"), box))
        self._how = Flow(theme.M, theme.S)
        self._how.set_parts([*parts, row(self._stop, self._write)])
        self.column.addWidget(self._how)
        self._can_write = False
        self.set_writing(False)

    @property
    def mode(self) -> str:
        return self._mode

    def set_language(self, language: str) -> None:
        """The language of the examples, one of i18n.LANGUAGES; what a person has typed stays."""
        before, self._language = self._language, language
        if self._mode and before != language:
            for old, new in zip(fields(self._mode, before), fields(self._mode, language), strict=True):
                if (box := self._boxes[new.name]).toPlainText() == old.begin:
                    with QSignalBlocker(box):  # nobody has typed it
                        box.setPlainText(new.begin)

    def set_mode(self, mode: str) -> None:
        """Show the boxes of that mode, with what was typed there last."""
        if mode == self._mode:
            return
        self._mode = mode
        focused = self.isAncestorOf(self.window().focusWidget())
        while (item := self._row.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        self._boxes = {}
        self._hint.setText(mode_hints()[mode])
        given = fields(mode, self._language)
        for field in given:
            self._row.addWidget(self._box(field), 1 + (field.lines > 1))
        for before, box in pairwise((self._gap, *self._boxes.values())):  # they are younger than what stands below them
            self.setTabOrder(before, box)
        self._how.setVisible(mode == WRITE)
        self._gap.setVisible(mode == FILL)
        if focused:
            next(iter(self._boxes.values())).setFocus()

    def values(self) -> dict[str, str]:
        return {name: box.toPlainText() for name, box in self._boxes.items()}

    def set_value(self, name: str, text: str) -> None:
        self._boxes[name].setPlainText(text)

    def box(self, name: str) -> QPlainTextEdit:
        return self._boxes[name]

    def how(self) -> dict[str, float | int]:
        """How text is written on."""
        return {"temperature": self._temperature.value(), "top_k": self._top_k.value(), "tokens": self._length.value(), "seed": self._seed.value()}

    def set_writing(self, writing: bool) -> None:
        wanted, idle = (self._stop, self._write) if writing else (self._write, self._stop)
        wanted.setEnabled(writing or self._can_write)
        if self.window().focusWidget() is idle:
            wanted.setFocus()  # or Qt moves the keyboard to whatever comes next
        idle.setEnabled(False)

    def set_can_write(self, can: bool) -> None:
        """Is there a run that can go on with a text?"""
        self._can_write = can
        self._write.setEnabled(can and not self._stop.isEnabled())

    @property
    def write_button(self) -> QWidget:
        return self._write

    def _box(self, field: Field) -> QWidget:
        box = QPlainTextEdit(self._settings.get(self._key(field.name), field.begin), tabChangesFocus=True)
        box.setAccessibleName(field.title)
        box.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        lines = max(item.lines for item in fields(self._mode, self._language))
        box.setFixedHeight(lines * QFontMetrics(theme.font()).lineSpacing() + FRAME)
        box.textChanged.connect(self._typed)
        self._boxes[field.name] = box
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(label(field.title, "small"))
        column.addWidget(box)
        return made

    def _key(self, name: str) -> str:
        return KEPT.format(mode=self._mode, name=name)

    def _typed(self) -> None:
        for name, box in self._boxes.items():
            self._settings.set(self._key(name), box.toPlainText())
        self.changed.emit()

    def _insert_gap(self) -> None:
        box = next(iter(self._boxes.values()))
        box.insertPlainText(GAP)
        box.setFocus()
