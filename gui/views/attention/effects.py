"""What really changes when a word is hidden or a head is switched off, beside where the head looks."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from core.i18n import sentences, tr
from gui import theme
from gui.run_panels import seen_at
from gui.views.attention.state import State
from gui.widgets.head_grid import HeadGrid
from gui.widgets.labels import label
from gui.widgets.word_bars import Column, WordBars


class EffectsPage(QWidget):
    """unitChosen(place among all units); headChosen(layer, head). Set the attention first, then the effects when they come."""

    unitChosen = Signal(int)
    headChosen = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._answer: dict[str, Any] | None = None
        self._state = State()
        self._target = -1
        self._found: dict[str, Any] | None = None
        self.title: Callable[[str], str] = str  # a sense as people call it
        self.senses: Sequence[str] = ()  # the place gives the colour
        self.bars = WordBars()
        self.bars.setAccessibleName(tr("Attention and effect of each word"))
        self.bars.clicked.connect(self._clicked)
        scroll = QScrollArea(widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.bars)
        self.heads = HeadGrid()
        self.heads.set_axes(tr("layers"), tr("heads"))
        self.heads.setAccessibleName(tr("Effect of each head"))
        self.heads.clicked.connect(self.headChosen)
        self.caption = label("", "small", wrap=True)
        self._stack = QStackedLayout()
        self._stack.addWidget(scroll)
        self._stack.addWidget(self.heads)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._stack, 1)
        column.addWidget(self.caption)

    def set_attention(self, answer: dict[str, Any], state: State) -> None:
        """answer: with weights and with its special tokens."""
        same = self._answer is not None and answer["labels"] == self._answer["labels"]
        self._answer, self._state = answer, state
        if not same:
            self._found = None
        self._draw()

    def set_effects(self, target: int, found: dict[str, Any] | None) -> None:
        """target: the word that is looked at, -1 for none. found: of core.analysis.effects; {"done": share} or None while it is made."""
        self._target, self._found = target, found
        self._draw()

    def rows(self) -> tuple[list[str], list[list[object]]]:
        """What is to be seen, for a file."""
        if self._state.effect == "heads":
            values = self._values()
            cells = np.ndenumerate(values) if values is not None else ()
            return ["layer", "head", f"change of {self._state.measured}"], [[layer + 1, head + 1, float(value)] for (layer, head), value in cells]
        steps = [self._answer["step"], (self._found or {}).get("step", "")]
        return (["word", *(column.title for column in self.bars.columns), "step of the attention", "step of the effects"],
                [[word, *(float(column.values[number]) if not column.missing else "" for column in self.bars.columns), *steps]
                 for number, word in enumerate(self._answer["labels"])])

    def _draw(self) -> None:
        answer = self._answer
        if answer is None:
            return
        self._stack.setCurrentIndex(1 if self._state.effect == "heads" else 0)
        ready = self._found is not None and "prediction" in self._found
        if self._state.effect == "heads":
            values = self._values()
            self.heads.set_values(values if values is not None else np.full((answer["layers"], answer["heads"]), np.nan), self._head_card)
            self.heads.select(answer["layer"], answer["head"])
        else:
            nothing = np.full(len(answer["labels"]), np.nan)
            weights = answer["weights"][self._target] if 0 <= self._target < len(answer["labels"]) else nothing
            columns = [Column(title=tr("attention"), values=weights)]
            for name, title, number in (("prediction", tr("prediction, bits"), "{:+.1f}"),
                                        ("sense", tr("sense score"), "{:+.2f}")):
                part = self._found[name] if ready else {}
                both = [part.get(key) for key in ("sense", "other")]  # none without a score; others, where the labels have just changed
                colours = tuple(theme.sense_colour(self.senses.index(sense)) for sense in both) if set(both) <= set(self.senses) else None
                columns.append(Column(title=title, values=part.get("words", nothing), signed=True, number=number, missing=part.get("why", ""),
                                      colours=colours))
            self.bars.set_words(answer["labels"], columns, soft=answer["special"], marked=self._target)
        self.caption.setText(self._caption(ready))

    def _caption(self, ready: bool) -> str:
        if self._target < 0:
            return tr("Click on a word: what do the others, and the heads, do for it?")
        if self._found is not None and "error" in self._found:
            return f"{self._found['error']} {self._found['hint']}".strip()
        if not ready:
            done = (self._found or {}).get("done", 0.0)
            return tr("Reading the sentence again without each word and each head... {share:.0%}", share=done)
        parts = [tr("Words are hidden by [MASK].") if self._found["how"] == "mask" else tr("Words are taken out.")] if self._state.effect == "words" \
            else [tr("Each head is switched off: what it puts out becomes 0.")]
        if self._found["ahead"] and self._state.effect == "words":
            parts.append(tr("It reads from left to right: what follows the word cannot change it."))
        parts.append(tr("Above 0, it helped. Attention alone is no explanation."))
        if self._state.effect == "heads" and self._values() is None:
            return self._found[self._state.measured].get("why", "")
        if "sense" in self._found["sense"]:
            sense = self._found["sense"]
            parts.append(tr("Sense: {sense} rather than {other}, {score:+.2f}.", sense=self.title(sense["sense"]), other=self.title(sense["other"]),
                            score=sense["base"]))
        return sentences(*parts, seen_at(self._found["step"], self._answer["step"]))

    def _values(self) -> np.ndarray | None:
        """(layers, heads) of what is shown, None where it is not there."""
        part = (self._found or {}).get(self._state.measured, {})
        return part.get("heads")

    def _head_card(self, layer: int, head: int) -> str:
        values = self._values()
        words = html.escape(tr("Layer {layer}, head {head}", layer=layer + 1, head=head + 1))
        return words if values is None else f"{words}<br>{values[layer, head]:+.3f}"

    def _clicked(self, word: int) -> None:
        if self._answer is not None and not self._answer["special"][word]:
            self.unitChosen.emit(int(self._answer["places"][word]))
