"""How a map is laid out, and the button that does it: nothing is laid out that was not asked for."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSpinBox, QVBoxLayout, QWidget

from core.i18n import tr
from core.vector_source import COSINE, EUCLID
from gui import theme
from gui.projections import PCA, TSNE, UMAP, titles
from gui.views.embeddings.state import Layout
from gui.widgets.folding import FoldingSegments
from gui.widgets.labels import button, label, tell


class LayoutControls(QWidget):
    """changed(): another choice. asked(): lay it out. paused(bool), stopped(): of what is under way."""

    changed = Signal()
    asked = Signal()
    paused = Signal(bool)
    stopped = Signal()

    def __init__(self, layout: Layout, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = layout if layout.method in titles() else Layout(dimensions=layout.dimensions, measure=layout.measure)
        self._method = FoldingSegments(titles(), self._layout.method, tips={
            PCA: tr("The directions in which the vectors spread most. Quick, and distances far apart stay true."),
            TSNE: tr("Keeps neighbours together; the distances between groups mean nothing. Each step is shown."),
            UMAP: tr("Like t-SNE, with more of the large shape kept.")})
        self._dimensions = FoldingSegments({"2": tr("2-D"), "3": tr("3-D")}, str(self._layout.dimensions))
        self._measure = FoldingSegments({COSINE: tr("Cosine"), EUCLID: tr("Euclid")}, self._layout.measure, tips={
            COSINE: tr("Vectors are compared by their direction; for the picture they get length 1."),
            EUCLID: tr("Vectors are compared as they are, length and all.")})
        self._count = QSpinBox(minimum=2, maximum=500)
        self._count_name = label("", "soft")
        self._go = button(tr("Lay out"), self.asked.emit, kind="primary")
        self._pause = button(tr("Pause"), self._pause_pressed, icon="pause")
        self._pause.setCheckable(True)
        self._stop = button(tr("Stop"), self.stopped.emit, icon="stop")
        self._bar = QProgressBar(textVisible=False)
        self._text = label("", "small", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addWidget(self._method)
        column.addWidget(self._dimensions)
        column.addWidget(self._measure)
        column.addLayout(_line(self._count_name, self._count))
        column.addLayout(_line(self._go, self._pause, self._stop))
        column.addWidget(self._bar)
        column.addWidget(self._text)
        self._method.chosen.connect(self._choose_method)
        self._dimensions.chosen.connect(self._choose_dimensions)
        self._measure.chosen.connect(self._choose_measure)
        self._count.valueChanged.connect(self._choose_count)
        self._show_count()
        self.set_busy(False)
        self.say("")

    @property
    def layout_wanted(self) -> Layout:
        return self._layout

    def set_layout_wanted(self, wanted: Layout) -> None:
        """Without telling anybody."""
        self._layout = wanted if wanted.method in titles() else replace(wanted, method=PCA, pairs=())
        self._method.set_value(self._layout.method)
        self._dimensions.set_value(str(self._layout.dimensions))
        self._measure.set_value(self._layout.measure)
        self._show_count()

    def set_ready(self, ready: bool, some: int = 0) -> None:
        """Whether there is something to lay out; some: of how many rows alone, 0 for all."""
        self._go.setEnabled(ready)
        self._go.setText(tr("Lay out these {count:,}", count=some) if some else tr("Lay out"))

    def set_busy(self, busy: bool, can_pause: bool = False) -> None:
        self._go.setVisible(not busy)
        self._stop.setVisible(busy)
        self._pause.setVisible(busy and can_pause)
        self._bar.setVisible(busy)
        if not busy:
            self._pause.setChecked(False)
            self._show_held()

    def set_progress(self, done: float) -> None:
        """0 to 1; below 0: it cannot be told."""
        self._bar.setRange(0, 0 if done < 0 else 1000)
        self._bar.setValue(round(max(done, 0) * 1000))

    def say(self, words: str, error: bool = False) -> None:
        tell(self._text, words, error)

    def _pause_pressed(self) -> None:
        self._show_held()
        self.paused.emit(self._pause.isChecked())

    def _show_held(self) -> None:
        held = self._pause.isChecked()
        self._pause.setText(tr("Go on") if held else tr("Pause"))
        self._pause.setIcon(theme.icon("play" if held else "pause", theme.current().text))

    def _choose_method(self, method: str) -> None:
        self._change(method=method)
        self._show_count()

    def _choose_dimensions(self, value: str) -> None:
        self._change(dimensions=int(value))

    def _choose_measure(self, measure: str) -> None:
        self._change(measure=measure)

    def _choose_count(self, value: int) -> None:
        if self._layout.method == TSNE:
            self._change(perplexity=value)
        elif self._layout.method == UMAP:
            self._change(neighbours=value)

    def _change(self, **values: object) -> None:
        self._layout = replace(self._layout, **values)
        self.changed.emit()

    def _show_count(self) -> None:
        method = self._layout.method
        shown = method in (TSNE, UMAP)
        self._count.setVisible(shown)
        self._count_name.setVisible(shown)
        self._count_name.setText(tr("Perplexity") if method == TSNE else tr("Neighbours"))
        self._count.blockSignals(True)
        self._count.setValue(self._layout.perplexity if method == TSNE else self._layout.neighbours)
        self._count.blockSignals(False)


def _line(*widgets: QWidget) -> QHBoxLayout:
    made = QHBoxLayout()
    made.setSpacing(theme.S)
    for widget in widgets:
        made.addWidget(widget)
    made.addStretch(1)
    return made
