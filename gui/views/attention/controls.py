"""The attention view's controls, beneath the specimens: which words, which heads, and what is left out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QSlider, QToolButton, QWidget

from core.i18n import tr
from gui import theme
from gui.views.attention.state import EFFECTS, LINES, MAP, MOST_THRESHOLD, State
from gui.widgets.labels import label, row
from gui.widgets.segments import Segments

SLIDER_STEPS = 50
MOST_BUTTONS = 16  # heads that get a button of their own in the lines


class AttentionControls(QWidget):
    """changed(dict): what the person has chosen anew, field of State -> value. headChosen(int): the head, counted from 0."""

    changed = Signal(object)
    headChosen = Signal(int)

    def __init__(self, state: State, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._heads = 0
        self._head = 0
        self._units = Segments({"words": tr("by word"), "tokens": tr("by token")}, state.units)
        self._units.chosen.connect(partial(self._choose, "units"))
        self._specials = self._box("specials", {"keep": tr("shown"), "hide": tr("hidden"), "renormalise": tr("hidden, rows sum to 1 again")},
                                   tr("[CLS], [SEP] and [BOS]: once they are hidden, rows sum to less than 1, or are made to sum to 1 again."))
        self._what = self._box("what", {"head": tr("one head"), "heads": tr("mean of the layer's heads"), "layers": tr("mean of the head's layers"),
                                        "all": tr("mean of all heads"), "rollout": tr("rollout up to the layer")},
                               tr("Rollout (Abnar and Zuidema 2020): the layers' mean attention, half kept in place, multiplied layer by layer."))
        self._between = self._box("between", {"": tr("everything"), "AA": "A → A", "AB": "A → B", "BA": "B → A", "BB": "B → B"},
                                  tr("Of two sentences, only what goes from one to the other."))
        self._least = QSlider(Qt.Orientation.Horizontal, maximum=SLIDER_STEPS, accessibleName=tr("Threshold"),
                              toolTip=tr("Weights below this are not drawn."))
        self._least.valueChanged.connect(self._slid)
        self._least_words = label("", "small")
        self._number = QComboBox(accessibleName=tr("Head"))
        self._number.activated.connect(self.headChosen)
        self._by = self._box("by", {"mask": tr("[MASK] in its place"), "remove": tr("taken out")},
                             tr("A run that has no [MASK], such as GPT, always reads the sentence without the word."))
        self._effect = Segments({"words": tr("a word"), "heads": tr("a head")}, state.effect)
        self._effect.chosen.connect(partial(self._choose, "effect"))
        self._measured = Segments({"prediction": tr("Prediction"), "sense": tr("Sense")}, state.measured)
        self._measured.chosen.connect(partial(self._choose, "measured"))
        self._buttons = QWidget()
        self._button_row = QHBoxLayout(self._buttons)
        self._button_row.setContentsMargins(0, 0, 0, 0)
        self._button_row.setSpacing(2)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, theme.S, 0, 0)
        grid.setHorizontalSpacing(theme.S)
        grid.setVerticalSpacing(theme.XS)
        grid.setColumnStretch(1, 1)
        self._parts: dict[str, tuple[QWidget, QWidget]] = {}
        for name, title, part in (
                ("units", tr("Unit"), row(self._units, None)), ("specials", tr("Special"), self._specials), ("what", tr("Shown"), self._what),
                ("head", tr("Head"), self._number), ("heads", tr("Heads"), self._buttons), ("between", tr("Pair"), self._between),
                ("least", tr("From"), row(self._least, self._least_words)), ("effect", tr("Hide"), row(self._effect, None)),
                ("by", tr("How"), self._by), ("measured", tr("Effect on"), row(self._measured, None))):
            head = label(title, "caption")
            place = len(self._parts)
            grid.addWidget(head, place, 0)
            grid.addWidget(part, place, 1)
            self._parts[name] = (head, part)
        self.show_state(state, 0, 0)

    def show_state(self, state: State, heads: int, head: int) -> None:
        """heads: how many the runs have at most. head: the session's. Tells nobody."""
        self._state, self._head = state, head
        if heads != self._heads:
            self._heads = heads
            self._number.clear()
            self._number.addItems([str(number + 1) for number in range(heads)])
            self._make_buttons(heads)
        self._number.setCurrentIndex(min(head, heads - 1))
        chosen = state.heads or (head,)
        for place in range(self._button_row.count()):
            if (widget := self._button_row.itemAt(place).widget()) is not None:
                widget.setChecked(place in chosen)
        for name, box in (("specials", self._specials), ("what", self._what), ("between", self._between), ("by", self._by)):
            box.setCurrentIndex(box.findData(getattr(state, name)))
        for name, segments in (("units", self._units), ("effect", self._effect), ("measured", self._measured)):
            segments.set_value(getattr(state, name))
        self._least.blockSignals(True)
        self._least.setValue(round(state.least / MOST_THRESHOLD * SLIDER_STEPS))
        self._least.blockSignals(False)
        self._least_words.setText(f"{state.least:.2f}")
        mode, effects = state.mode, state.mode == EFFECTS
        wanted = {"units": True, "specials": not effects, "what": mode == MAP, "heads": mode == LINES and 1 < heads <= MOST_BUTTONS,
                  "head": (mode == MAP and state.what in ("head", "layers")) or (effects and state.effect == "words") or
                  (mode == LINES and heads > MOST_BUTTONS),
                  "between": bool(state.pair.strip()) and not effects, "least": mode in (MAP, LINES), "effect": effects,
                  "by": effects and state.effect == "words", "measured": effects and state.effect == "heads"}
        for name, parts in self._parts.items():
            for part in parts:
                part.setVisible(wanted[name])

    def _box(self, name: str, choices: dict[str, str], tip: str) -> QComboBox:
        made = QComboBox(toolTip=tip)
        for value, words in choices.items():
            made.addItem(words, value)
        made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        made.setMinimumContentsLength(8)
        made.activated.connect(partial(self._picked, name, made))
        return made

    def _make_buttons(self, heads: int) -> None:
        while (item := self._button_row.takeAt(0)) is not None:
            if item.widget() is not None:
                item.widget().hide()
                item.widget().deleteLater()
        if heads > MOST_BUTTONS:
            return
        for number in range(heads):
            made = QToolButton(text=str(number + 1), checkable=True, toolTip=tr("Head {head}", head=number + 1))
            made.setCursor(Qt.CursorShape.PointingHandCursor)
            colour = theme.sense_colour(number).name()
            made.setStyleSheet(f"QToolButton {{ padding: 2px; min-width: 18px; border: 1px solid {colour}; border-bottom: 4px solid {colour}; }}"
                               f"QToolButton:checked {{ background: {colour}; color: {theme.current().surface}; }}")
            made.clicked.connect(partial(self._toggled, number))
            self._button_row.addWidget(made)
        self._button_row.addStretch(1)

    def _toggled(self, number: int) -> None:
        """One head at least stays."""
        chosen = set(self._state.heads or (self._head,)) ^ {number}
        self._button_row.itemAt(number).widget().setChecked(number in (chosen or {number}))
        self._tell(heads=tuple(sorted(chosen or {number})))

    def _picked(self, name: str, box: QComboBox, _place: int) -> None:
        self._tell(**{name: box.currentData()})

    def _choose(self, name: str, value: str) -> None:
        self._tell(**{name: value})

    def _slid(self, value: int) -> None:
        self._tell(least=value / SLIDER_STEPS * MOST_THRESHOLD)

    def _tell(self, **changes: Any) -> None:
        if any(getattr(self._state, name) != value for name, value in changes.items()):
            self._state = replace(self._state, **changes)
            self.changed.emit(changes)
