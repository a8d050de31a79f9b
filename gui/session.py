"""What is being looked at: the only state that the views share.

A view draws what the session holds. A click in one view changes the session, and every other view follows its signals.
Each property has one signal, which is sent only when the value has really changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from core.config import RunConfig, TextConfig
from core.errors import UserError
from core.i18n import tr
from core.runs import Run

if TYPE_CHECKING:
    from core.text.specimens import Specimen

BENCH_SIZE = 4
LAST_LAYER = -1
NONE_SELECTED = -1


@dataclass(frozen=True, kw_only=True)
class BenchRun:
    """A run on the bench. colour: 0 to 3, an index into the theme's run colours; it stays while the run stays."""

    run: Run
    colour: int

    @property
    def path(self) -> Path:
        return self.run.path


class Session(QObject):
    """bench: at most four runs. word, specimens: the labelled sentences that hold the word. selected: an index into them or -1.

    layer: an index, the embedding layer is 0, -1 stands for the last; runs differ in depth, so ask `layer_of(run)`.
    head: an attention head's index; ask `head_of(run)`. step: a step of the replay, None for the newest; ask `step_of(run)`.
    wordsChanged: sent when words have got sentences or have none any more.
    text: the text that the next run shall read, None until one was chosen. filesWanted: sent after navigating to "corpus", so that one
    chooses files there; pointsWanted: to "senses", so that one sees the pictures. draft: the settings of the next run, None until
    somebody looked at them; a view that wants to train with other settings calls `hand_over` and navigates to "train". pretrained: the run
    that somebody wants to finetune, in the same way, until the form has taken it. past: what can be taken back in a view, or was entered
    there, by its name; the view that is made anew in another language or theme goes on from there.
    """

    benchChanged = Signal()
    wordChanged = Signal()
    specimensChanged = Signal()
    wordsChanged = Signal()
    selectionChanged = Signal()
    layerChanged = Signal()
    headChanged = Signal()
    stepChanged = Signal()
    textChanged = Signal()
    filesWanted = Signal()
    pointsWanted = Signal()
    draftChanged = Signal()
    draftHanded = Signal()
    pretrainedChanged = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench: tuple[BenchRun, ...] = ()
        self._word = ""
        self._specimens: tuple[Specimen, ...] = ()
        self._seen: dict[str, None] = {}  # the senses of the word so far, those whose last sentence is gone among them
        self._selected = NONE_SELECTED
        self._layer = LAST_LAYER
        self._head = 0
        self._step: int | None = None
        self._text: TextConfig | None = None
        self._draft: RunConfig | None = None
        self.is_handed = False  # until the view that trains has shown it: its draft comes from another view
        self._pretrained: Run | None = None
        self.past: dict[str, Any] = {}

    # the bench

    @property
    def bench(self) -> tuple[BenchRun, ...]:
        return self._bench

    def on_bench(self, path: Path) -> BenchRun | None:
        return next((item for item in self._bench if item.path == Path(path)), None)

    def add_run(self, run: Run, colour: int | None = None, place: int = BENCH_SIZE) -> BenchRun:
        """Put a run on the bench, in that colour if it is free, before what stands at `place`; one that is there already is returned as it is.

        UserError if the bench is full.
        """
        if there := self.on_bench(run.path):
            return there
        if len(self._bench) == BENCH_SIZE:
            raise UserError(tr("The bench holds {count} runs at most.", count=BENCH_SIZE), tr("Take one off first."))
        taken = {item.colour for item in self._bench}
        free = [index for index in range(BENCH_SIZE) if index not in taken]
        made = BenchRun(run=run, colour=colour if colour in free else free[0])
        self._bench = (*self._bench[:place], made, *self._bench[place:])
        self.benchChanged.emit()
        return made

    def set_bench(self, items: Iterable[BenchRun]) -> None:
        """Other runs, in these colours; one that is named twice stands there once, and one with a taken colour gets a free one."""
        before, self._bench = self._bench, ()
        self.blockSignals(True)
        for item in items:
            self.add_run(item.run, item.colour)
        self.blockSignals(False)
        if self._bench != before:
            self.benchChanged.emit()

    def remove_run(self, path: Path) -> None:
        left = tuple(item for item in self._bench if item.path != Path(path))
        if left != self._bench:
            self._bench = left
            self.benchChanged.emit()

    def refresh_run(self, run: Run) -> None:
        """Take over what changed in a run's settings (its name); its place and colour stay."""
        if self.on_bench(run.path):
            self._bench = tuple(BenchRun(run=run, colour=item.colour) if item.path == run.path else item for item in self._bench)
            self.benchChanged.emit()

    # the word and its specimens

    @property
    def word(self) -> str:
        return self._word

    @word.setter
    def word(self, word: str) -> None:
        if word != self._word:
            self._word, self._seen = word, {}
            self._see_senses()
            self.wordChanged.emit()

    @property
    def specimens(self) -> tuple[Specimen, ...]:
        return self._specimens

    @specimens.setter
    def specimens(self, specimens: Iterable[Specimen]) -> None:
        found = tuple(specimens)
        if found != self._specimens:
            self._specimens = found
            self._see_senses()
            before, self._selected = self._selected, NONE_SELECTED  # at once, or whoever hears of them takes another for the chosen one
            self.specimensChanged.emit()
            if before != self._selected:
                self.selectionChanged.emit()

    def look_at(self, word: str, specimens: Iterable[Specimen], selected: int = NONE_SELECTED) -> None:
        """Another word and its sentences at once: specimensChanged comes first, so that who hears wordChanged finds both."""
        before, self._word = self._word, word
        if before != word:
            self._seen = {}
        self.specimens = specimens
        self.selected = selected
        if before != word:
            self.wordChanged.emit()

    @property
    def senses(self) -> tuple[str, ...]:
        """The senses of the specimens, in the order in which they first occurred; the place gives the colour and the symbol, which a
        sense keeps while its sentences are changed."""
        there = {item.sense for item in self._specimens}
        return tuple(sense for sense in self._seen if sense in there)

    def hand_on(self, old: str, new: str) -> None:
        """The sense `new` is about to take the place of `old`, and gets its colour and symbol, unless it has had its own."""
        if new not in self._seen:
            self._seen = dict.fromkeys(new if sense == old else sense for sense in self._seen)

    def _see_senses(self) -> None:
        self._seen.update(dict.fromkeys(item.sense for item in self._specimens))

    @property
    def selected(self) -> int:
        return self._selected

    @selected.setter
    def selected(self, index: int) -> None:
        index = index if 0 <= index < len(self._specimens) else NONE_SELECTED
        if index != self._selected:
            self._selected = index
            self.selectionChanged.emit()

    @property
    def specimen(self) -> Specimen | None:
        return self._specimens[self._selected] if self._selected != NONE_SELECTED else None

    # the next run

    @property
    def text(self) -> TextConfig | None:
        return self._text

    @text.setter
    def text(self, text: TextConfig | None) -> None:
        if text != self._text:
            self._text = text
            self.textChanged.emit()

    @property
    def draft(self) -> RunConfig | None:
        return self._draft

    @draft.setter
    def draft(self, draft: RunConfig | None) -> None:
        if draft != self._draft:
            self._draft = draft
            self.draftChanged.emit()

    def hand_over(self, draft: RunConfig) -> None:
        """Another view wants to train with these settings: told also where they are those of the form."""
        self.is_handed = True
        self.draft = draft
        self.draftHanded.emit()

    @property
    def pretrained(self) -> Run | None:
        return self._pretrained

    @pretrained.setter
    def pretrained(self, run: Run | None) -> None:
        """Told also when the same run is wanted again: the page that finetunes may show something else meanwhile."""
        self._pretrained = run
        self.pretrainedChanged.emit()

    # layer, head, step

    @property
    def layer(self) -> int:
        return self._layer

    @layer.setter
    def layer(self, layer: int) -> None:
        layer = max(layer, LAST_LAYER)
        if layer != self._layer:
            self._layer = layer
            self.layerChanged.emit()

    @property
    def head(self) -> int:
        return self._head

    @head.setter
    def head(self, head: int) -> None:
        head = max(head, 0)
        if head != self._head:
            self._head = head
            self.headChanged.emit()

    @property
    def step(self) -> int | None:
        return self._step

    @step.setter
    def step(self, step: int | None) -> None:
        if step != self._step:
            self._step = step
            self.stepChanged.emit()

    def layer_of(self, run: Run) -> int:
        """The session's layer as an index into that run's layers, the embedding layer being 0."""
        deepest = layer_count(run) - 1
        return deepest if self._layer == LAST_LAYER else min(self._layer, deepest)

    def head_of(self, run: Run) -> int:
        return min(self._head, max(getattr(run.config.model, "num_heads", 1) - 1, 0))

    def step_of(self, steps: Sequence[int]) -> int | None:
        """The one of `steps` (sorted: a run's probes or checkpoints) that the session looks at: the newest not after its step.

        The first one where all lie after it, None where there are none.
        """
        if not steps:
            return None
        return steps[-1] if self._step is None else steps[max(bisect_right(steps, self._step) - 1, 0)]


def layer_count(run: Run) -> int:
    """How many hidden states a run's model gives for a token: its layers and the embedding layer."""
    return getattr(run.config.model, "num_layers", 0) + 1
