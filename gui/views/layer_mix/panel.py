"""The layer weights of one run: as bars at a step, as curves over all steps, with gamma, and what each layer knows of the senses."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.views.layer_mix.story import INPUT, OUTPUT, MixStory
from gui.widgets.chips import Dot
from gui.widgets.curve import Curves
from gui.widgets.elided import Elided
from gui.widgets.labels import Card, button, label, rule
from gui.widgets.layer_bars import LayerBar, LayerBars, layer_colours
from gui.widgets.sparkline import Sparkline

LEAST_WIDTH = 180
CURVES_HEIGHT = 190


class LayerMixPanel(Card):
    """about: family and task, at the right of the name. action: the button that stands under a sentence without weights."""

    def __init__(self, name: str, about: str, colour: str, layers: list[str]) -> None:
        super().__init__()
        self._layers = layers
        self._drawn: dict[str, tuple[int, int]] = {}  # mix -> how many of its steps are in the curves, and the story's cuts at that time
        self._separability: dict[str, Any] | None = None
        self.setMinimumWidth(theme.scaled(LEAST_WIDTH))
        self._step = label("", "caption")
        head = QHBoxLayout()
        head.setSpacing(theme.S)
        head.addWidget(Dot(colour))
        head.addWidget(Elided(name, "heading"), 1)
        head.addWidget(self._step)
        self._about = Elided(about, "caption")
        self._about.setToolTip(about)
        self._gamma = label("", "large")
        self.gamma = {place: Sparkline() for place in (INPUT, OUTPUT)}
        self._about_word = Elided("", "caption")
        self._titles = {INPUT: label(tr("At the input"), "small"), OUTPUT: label(tr("At the output"), "small")}
        self.bars = {place: LayerBars() for place in (INPUT, OUTPUT)}
        self.note = label("", "caption", wrap=True)
        self.curves = Curves({"steps": tr("Steps")}, tr("Weight"), controls=False)
        self.curves.set_smoothing(0.0)
        self.curves.setFixedHeight(CURVES_HEIGHT)
        empty = QWidget()
        said = QVBoxLayout(empty)
        said.setContentsMargins(0, 0, 0, 0)
        self.message = label("", "soft", wrap=True)
        self.action = button("", kind="primary")
        said.addWidget(self.message)
        said.addWidget(self.action, 0, Qt.AlignmentFlag.AlignLeft)
        said.addStretch(1)
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(self._whole())
        self.column.addLayout(head)
        self.column.addWidget(self._about)
        self.column.addWidget(self._stack, 1)

    def _whole(self) -> QWidget:
        """The weights as they are, and how they came about."""
        upper = QWidget()
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, theme.S, 0)
        column.setSpacing(theme.XS)
        first = QHBoxLayout()
        first.setSpacing(theme.S)
        first.addWidget(self._gamma)
        for line in self.gamma.values():
            first.addWidget(line)
        first.addStretch(1)
        column.addLayout(first)
        for place in (INPUT, OUTPUT):
            column.addWidget(self._titles[place])
            column.addWidget(self.bars[place])
        column.addWidget(self._about_word)
        column.addWidget(self.note)
        column.addStretch(1)
        scroll = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(upper)
        whole = QWidget()
        inside = QVBoxLayout(whole)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(theme.S)
        inside.addWidget(scroll, 1)
        inside.addWidget(rule())
        inside.addWidget(self.curves)
        return whole

    def say(self, words: str, action: str = "") -> None:
        self.message.setText(words)
        self.action.setText(action)
        self.action.setVisible(bool(action))
        self._step.setText("")
        self._stack.setCurrentIndex(0)

    def show_separability(self, found: dict[str, Any] | None, word: str) -> None:
        """found: the answer of core.analysis.separability:of_layers; None: there is none."""
        self._separability = found
        self._about_word.setText(tr("thin: senses of “{word}”", word=word) if found is not None and "layers" in found else "")
        words = ""
        if found is not None and "error" in found:
            words = f"{found['error']} {found['hint']}".strip()
        elif found is not None and not found["own"]:
            words = tr("Senses of “{word}” in the layers of {name}, which it was made from.", word=word, name=found["name"])
        self.note.setText(words)
        self.note.setVisible(bool(words))

    def show_story(self, story: MixStory, step: int | None, alive: bool) -> None:
        """Bars at `step` (None: the newest), curves up to the newest."""
        self._stack.setCurrentIndex(1)
        both = len(story.mixes) > 1
        gammas, shown = [], 0
        for place, bars in self.bars.items():
            mix = story.mixes.get(place)
            there = mix is not None and len(mix.steps.values) > 0
            bars.setVisible(there)
            self.gamma[place].setVisible(there)
            self._titles[place].setVisible(there and both)
            if not there:
                continue
            at = mix.at(step)
            shown = int(mix.steps.values[at])
            self.gamma[place].set_values(mix.gamma.values)
            gammas.append(f"{mix.gamma.values[at]:.3f}")
            bars.set_bars([self._bar(number, weight) for number, weight in enumerate(mix.weights_at(at))], 1 / len(mix.weights), self._chance())
            self._draw_curves(place, mix, both, story.cuts)
        self._gamma.setText("γ = " + "  |  ".join(gammas))
        newest = step is None or all(mix.at(step) == len(mix.steps.values) - 1 for mix in story.mixes.values())
        self._step.setText(tr("step {step:,}", step=shown) + (" ●" if alive and newest else ""))

    def _chance(self) -> float:
        found = self._separability or {}
        return 1 / found["senses"] if "senses" in found else 0.5

    def _bar(self, number: int, weight: float) -> LayerBar:
        title = self._layers[number] if number < len(self._layers) else str(number)
        found = self._separability
        if found is None or "layers" not in found or number >= len(found["layers"]):
            return LayerBar(title=title, weight=weight)
        one = found["layers"][number]
        note = tr("senses {accuracy:.0%}   auc {auc:.2f}", accuracy=one["centroid_accuracy"], auc=one["auc"])
        return LayerBar(title=title, weight=weight, share=one["centroid_accuracy"], interval=one["interval"], note=note)

    def _draw_curves(self, place: str, mix: Any, both: bool, cuts: int) -> None:
        """Add what is new; begin anew where the run has gone back to an earlier step."""
        keys = [f"{place}/{number}" for number in range(len(mix.weights))]
        steps = mix.steps.values
        done, of = self._drawn.get(place, (None, cuts))
        if done is None:
            for key, title, colour in zip(keys, self._layers, layer_colours(len(keys)), strict=False):
                self.curves.add(key, title, colour, dashed=place == OUTPUT, smooth=False, legend=False)
            done = 0
        elif of != cuts:
            for key in keys:
                self.curves.reset(key)
            done = 0
        if done < len(steps):
            for key, series in zip(keys, mix.weights, strict=True):
                if key in self.curves.keys():  # noqa: SIM118 (its own method)
                    self.curves.append(key, {"steps": steps[done:]}, series.values[done:])
        self._drawn[place] = len(steps), cuts
