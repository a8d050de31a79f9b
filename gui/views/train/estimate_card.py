"""What a run will cost, before it is started; and what that is based on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout

from core.estimate import Estimate, device_of, estimate
from core.i18n import sentences, tr
from core.registry import family
from core.sizes import memory_words
from gui import theme
from gui.widgets.axes import short
from gui.widgets.labels import Card, label

if TYPE_CHECKING:
    from core.analysis.text_window import Ground
    from core.config import RunConfig
    from core.estimate import TextSize

TIGHT = 0.85  # of the memory: beyond it there is a warning


class EstimateCard(Card):
    def __init__(self) -> None:
        super().__init__(tr("What it will cost, about"))
        self._ground: Ground | None = None
        self._text: TextSize | None = None
        self._config: RunConfig | None = None
        self._made: Estimate | None = None
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.M)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        self._values = {}
        rows = (("parameters", tr("Parameters")), ("memory", tr("Memory")), ("speed", tr("Speed")), ("time", tr("Time")),
                ("reads", tr("Reads the text")), ("place", tr("Computes on")))
        for index, (name, words) in enumerate(rows):
            value = label("…")
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setWordWrap(name == "place")
            grid.addWidget(label(words, "soft"), index, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, index, 1)
            self._values[name] = value
        self.column.addLayout(grid)
        self._warning = label("", "warning", wrap=True)
        self._warning.hide()
        self.column.addWidget(self._warning)
        self._basis = label("", "caption", wrap=True)
        self.column.addWidget(self._basis)

    def set_ground(self, ground: Ground) -> None:
        self._ground = ground
        self._draw()

    def set_text(self, text: TextSize | None) -> None:
        """None: not known yet."""
        self._text = text
        self._draw()

    def set_config(self, config: RunConfig | None) -> None:
        """None: the settings are not accepted."""
        self._config = config
        self._draw()

    @property
    def estimate(self) -> Estimate | None:
        return self._made

    def _draw(self) -> None:
        self._made = None
        if self._config is not None and self._ground is not None and self._text is not None:
            self._made = estimate(self._config, self._text, self._ground.machine, self._ground.samples)
        made = self._made
        if made is None:
            for value in self._values.values():
                value.setText("…")
            self._warning.hide()
            known = self._config is None or family(self._config.family).cost
            self._basis.setText("" if known else tr("{family} does not say what its runs cost.", family=family(self._config.family).title))
            return
        machine = self._ground.machine
        kind = device_of(self._config, machine)
        self._values["parameters"].setText(short(made.parameters))
        self._values["memory"].setText(memory_words(made.memory))
        parts = {"weights": made.weights, "gradients": made.gradients, "optimizer": made.optimizer, "activations": made.activations,
                 "process": made.process}
        self._values["memory"].setToolTip(
            tr("Weights {weights}, gradients {gradients}, optimizer {optimizer}, activations {activations}, program {process}",
               **{name: memory_words(size) for name, size in parts.items()}))
        self._values["speed"].setText(tr("{count} tokens/s", count=short(made.tokens_per_s)))
        self._values["time"].setText(duration_words(made.seconds))
        self._values["reads"].setText(tr("{count} times", count=f"{made.epochs:.2g}" if made.epochs < 100 else short(made.epochs)))
        self._values["reads"].setToolTip(tr("{steps} steps, {tokens} tokens", steps=short(made.steps), tokens=short(made.tokens)))
        cores = self._config.train.threads or machine.cores
        processor = tr("1 CPU core") if cores == 1 else tr("{count} CPU cores", count=cores)
        self._values["place"].setText(machine.gpu if kind != "cpu" and machine.gpu else processor)
        self._warn(made, kind)
        speed = (tr("The speed is that of {count} earlier runs of this family here.", count=made.samples) if made.samples > 1
                 else tr("The speed is that of an earlier run of this family here.") if made.samples
                 else tr("The speed is a guess until a first run has been trained on this GPU.") if made.on_gpu
                 else tr("The speed comes from a table; after the first run of this family it is that of your machine."))
        text = "" if self._text.exact else tr("The size of the text is reckoned from its files.")
        train = self._config.train  # a limit in minutes holds for all that a run does, one in steps or epochs for learning alone
        aside = "" if train.minutes and made.seconds >= 60 * train.minutes else tr("Validations, probes and checkpoints come on top.")
        self._basis.setText(sentences(speed, aside, text))

    def _warn(self, made: Estimate, kind: str) -> None:
        machine = self._ground.machine
        on_card = kind == "cuda" and machine.gpu_memory
        needed, there = (made.model_memory, machine.gpu_memory) if on_card else (made.memory, machine.memory)
        words = ""
        if there and needed > TIGHT * there:
            words = tr("This machine has {there}. A smaller micro-batch needs less.", there=memory_words(there))
        self._warning.setText(words)
        self._warning.setVisible(bool(words))


def duration_words(seconds: float) -> str:
    """As exact as an estimate deserves: 40 s, 3 min, 2 h, 5 days."""
    if seconds < 90:
        return tr("{count:.0f} s", count=seconds)
    if seconds < 90 * 60:
        return tr("{count:.0f} min", count=seconds / 60)
    if seconds < 48 * 3600:
        return tr("{count:.1f} h", count=seconds / 3600)
    days = seconds / 86400
    return tr("{count:,.0f} days", count=days) if days < 1000 else tr("{count:,.0f} years", count=days / 365)
