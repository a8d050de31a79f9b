"""The lower edge: the layer, the replay of the steps, what runs, and the switches of language and theme."""

from __future__ import annotations

import psutil
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSlider, QToolButton, QWidget

from core.events import ProbeSaved, StepEnd
from core.i18n import tr
from core.sizes import GIB
from gui import theme
from gui.session import LAST_LAYER, Session, layer_count
from gui.views import LAYER, STEP, Services
from gui.widgets.labels import icon_button, label

FRAME_MS = 180  # of the replay
MEMORY_MS = 2000


class LayerSlider(QWidget):
    """Sets session.layer. The rightmost place means the last layer of each run, however deep it is."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._slider = QSlider(Qt.Orientation.Horizontal, pageStep=1, accessibleName=tr("Layer"))
        self._slider.setMinimumWidth(80)
        self._slider.setMaximumWidth(130)
        self._words = label("", "small")
        self._words.setMinimumWidth(self._words.fontMetrics().horizontalAdvance(tr("embeddings")) + theme.S)
        _side_by_side(self, label(tr("Layer"), "caption"), self._slider, self._words)
        self._slider.valueChanged.connect(self._moved)
        session.benchChanged.connect(self._draw)
        session.layerChanged.connect(self._draw)
        self._draw()

    def _draw(self) -> None:
        deepest = max((layer_count(item.run) for item in self._session.bench), default=1) - 1
        layer = deepest if self._session.layer == LAST_LAYER else min(self._session.layer, deepest)
        self._slider.blockSignals(True)
        self._slider.setRange(0, deepest)
        self._slider.setValue(layer)
        self._slider.blockSignals(False)
        self._slider.setEnabled(deepest > 0)
        last = self._session.layer == LAST_LAYER
        self._words.setText(tr("last") if last else tr("embeddings") if layer == 0 else str(layer))

    def _moved(self, value: int) -> None:
        self._session.layer = LAST_LAYER if value == self._slider.maximum() else value


class StepSlider(QWidget):
    """Sets session.step to a step at which a run on the bench has a probe; the rightmost place follows the newest one."""

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        self._steps: list[int] = []
        self._slider = QSlider(Qt.Orientation.Horizontal, pageStep=5, accessibleName=tr("Step"))
        self._slider.setMinimumWidth(80)
        self._words = label("", "small")
        self._words.setMinimumWidth(self._words.fontMetrics().horizontalAdvance("8,888,888") + theme.S)
        self._play = icon_button("play", tr("Replay the training"), self.toggle_play)
        _side_by_side(self, label(tr("Step"), "caption"), self._play, self._slider, self._words, grow=self._slider)
        self._timer = QTimer(self, interval=FRAME_MS)
        self._timer.timeout.connect(self._advance)
        self._slider.valueChanged.connect(self._moved)
        session.benchChanged.connect(self._collect)
        session.stepChanged.connect(self._draw)
        services.watcher.eventsArrived.connect(self._events)
        self._collect()

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def toggle_play(self) -> None:
        """Play from here; from the beginning, if it stands at the end. In a view without steps nothing is played: the key is the window's."""
        if self.playing:
            self._stop()
        elif len(self._steps) > 1 and self.isVisible():
            if self._slider.value() == self._slider.maximum():
                self._session.step = self._steps[0]
            self._timer.start()
            self._play.setIcon(theme.icon("pause"))

    def hideEvent(self, event: object) -> None:
        self._stop()

    def _stop(self) -> None:
        self._timer.stop()
        self._play.setIcon(theme.icon("play"))

    def _advance(self) -> None:
        self._slider.setValue(self._slider.value() + 1)
        if self._slider.value() >= self._slider.maximum():
            self._stop()

    def _events(self, path: str, events: list) -> None:
        if self._session.on_bench(path) and any(isinstance(event, ProbeSaved) for event in events):
            self._collect()

    def _collect(self) -> None:
        self._steps = sorted({step for item in self._session.bench for step in item.run.probe_steps()})
        self._draw()

    def _draw(self) -> None:
        self._slider.blockSignals(True)
        self._slider.setRange(0, max(len(self._steps) - 1, 0))
        at = self._session.step_of(self._steps)
        self._slider.setValue(self._steps.index(at) if at is not None else 0)
        self._slider.blockSignals(False)
        for part in (self._slider, self._play):
            part.setEnabled(len(self._steps) > 1)
        self._words.setText(tr("no probes") if at is None else tr("newest") if self._session.step is None else f"{at:,}")
        without = [item.run.name for item in self._session.bench if not item.run.config.train.probes]
        self.setToolTip(tr("Trained without probes, so that no steps can be replayed: {names}.", names=", ".join(without)) if without else "")

    def _moved(self, index: int) -> None:
        if self._steps:
            self._session.step = None if index == len(self._steps) - 1 else self._steps[index]


class BottomBar(QWidget):
    """languageWanted, themeWanted: the switches at the right were pressed."""

    languageWanted = Signal()
    themeWanted = Signal()

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__(objectName="bottomBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._services = services
        self._gpu: dict[str, int] = {}
        self.layer_slider = LayerSlider(session)
        self.step_slider = StepSlider(session, services)
        self._memory = label("", "small")
        self._runs = QToolButton(toolTip=tr("Runs that are being trained"))
        self._runs.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._runs.clicked.connect(self._show_runs)
        language = QToolButton(text="中 / EN", toolTip=tr("Switch the language"), objectName="language")
        language.clicked.connect(self.languageWanted)
        dark = theme.current().dark
        look = icon_button("sun" if dark else "moon", tr("Light") if dark else tr("Dark"), self.themeWanted)
        look.setObjectName("theme")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.XS, theme.M, theme.XS)
        layout.setSpacing(theme.L)
        layout.addWidget(self.layer_slider)
        layout.addWidget(self.step_slider, 1)
        self._space = QWidget()
        layout.addWidget(self._space, 1)
        layout.addWidget(self._memory)
        layout.addWidget(self._runs)
        layout.addWidget(language)
        layout.addWidget(look)
        self._more = icon_button("view", tr("Window: full screen, the view alone, size of the text"))
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        layout.addWidget(self._more)
        self._timer = QTimer(self, interval=MEMORY_MS)
        self._timer.timeout.connect(self._show_memory)
        self._timer.start()
        services.processes.changed.connect(self._show_running)
        services.watcher.eventsArrived.connect(self._events)
        QShortcut(QKeySequence("Ctrl+Space"), self).activated.connect(self.step_slider.toggle_play)
        self._show_running()
        self._show_memory()

    def set_menu(self, menu: QMenu) -> None:
        """What the last button offers."""
        self._more.setMenu(menu)

    def show_for(self, needs: frozenset[str]) -> None:
        """Only the sliders that the view uses."""
        self.layer_slider.setVisible(LAYER in needs)
        self.step_slider.setVisible(STEP in needs)
        self._space.setVisible(STEP not in needs)

    def _events(self, path: str, events: list) -> None:
        for event in reversed(events):
            if isinstance(event, StepEnd):
                self._gpu[path] = event.gpu_memory
                return

    def _show_memory(self) -> None:
        memory = psutil.virtual_memory()
        words = tr("Memory {used:.1f}/{total:.0f} GB", used=(memory.total - memory.available) / GIB, total=memory.total / GIB)
        gpu = sum(self._gpu.get(str(run.path), 0) for run in self._services.processes.running())
        self._memory.setText(f"{words}   {tr('GPU {used:.1f} GB', used=gpu / GIB)}" if gpu else words)

    def _show_running(self) -> None:
        count = len(self._services.processes.running())
        self._runs.setVisible(count > 0)
        self._runs.setIcon(theme.icon("train", theme.current().accent))
        self._runs.setText(tr("{count} training", count=count))

    def _show_runs(self) -> None:
        self._services.navigate("runs")


def _side_by_side(widget: QWidget, *parts: QWidget, grow: QWidget | None = None) -> None:
    layout = QHBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(theme.S)
    for part in parts:
        layout.addWidget(part, 1 if part is grow else 0)
