"""Which layers a task draws on: the learnt weights of every run on the bench that mixes its layers, while they are learnt."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from core import registry
from core.events import CheckpointSaved, ProbeSaved
from core.i18n import tr
from core.registry import family
from core.runs import Run
from gui import theme
from gui.picture import PictureButton
from gui.run_panels import RunPanels
from gui.second_stage import layer_titles, task_of
from gui.session import BenchRun, Session
from gui.views import BENCH, STEP, Services
from gui.views.layer_mix.panel import LayerMixPanel
from gui.views.layer_mix.story import MixStory, mixes_layers
from gui.widgets.empty import Empty
from gui.widgets.labels import label, row
from gui.widgets.panes import Panes

HEADROOM = 1.06  # of the curves above the greatest value
DRAW_MS = 150  # new weights are drawn at most so often


class LayerMixView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset({BENCH, STEP})

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        self._stories: dict[Path, MixStory] = {}
        self._asked: tuple = ()
        panes = Panes()  # four runs in a small window with large words scroll
        self._run_panels = RunPanels(panes.box, self._make_panel)
        self._panels = self._run_panels.panels
        save = PictureButton(panes.content, name="layer-weights", rows=self._rows, messages=services.messages, settings=services.settings)
        words = tr("s: how much a task takes of each layer (they sum to 1); γ scales the whole. Dashed: an even mix. Beneath each layer: "
                   "how well it tells the senses of the word apart. The ELMo paper says: lower layers for form, higher ones for meaning.")
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.L, theme.M, theme.L, theme.M)
        column.setSpacing(theme.S)
        column.addWidget(row(label(tr("Layer weights"), "title"), None, save))
        column.addWidget(label(words, "soft", wrap=True))
        column.addWidget(panes, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(page)
        self._stack.addWidget(Empty("layer_mix", tr("Finetune an ELMo run to see which of its layers a task draws on."), tr("Go to Train"),
                                    self._go_to_train))
        self._timer = QTimer(self, interval=DRAW_MS, singleShot=True)
        self._timer.timeout.connect(self._draw)
        session.benchChanged.connect(self._bench_changed)
        session.stepChanged.connect(self._soon)
        session.specimensChanged.connect(self._soon)
        services.processes.changed.connect(self._soon)
        services.watcher.eventsArrived.connect(self._events)
        self._bench_changed()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._soon()

    @property
    def panels(self) -> dict[Path, LayerMixPanel]:
        return self._panels

    def _go_to_train(self) -> None:
        self._finetune(None)

    def _finetune(self, run: Run | None, _checked: bool = False) -> None:
        self._session.pretrained = run
        self._services.navigate("train")

    def _soon(self, *_: object) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def _bench_changed(self) -> None:
        bench = self._session.bench
        self._stack.setCurrentIndex(0 if bench else 1)
        if self._run_panels.show(bench):
            self._asked = ()  # new panels know nothing of the senses yet
            self._stories = {path: story for path, story in self._stories.items() if path in self._panels}
            for item in bench:
                if item.path not in self._stories:
                    self._stories[item.path] = MixStory()
                    self._stories[item.path].feed(self._services.watcher.history(str(item.path)))
        self._soon()

    def _make_panel(self, item: BenchRun) -> LayerMixPanel:
        run, title = item.run, family(item.run.config.family).title
        task = task_of(run)
        about = f"{title} · {tr(registry.task(task).title)}" if task else tr("{family}, pretrained", family=title)
        panel = LayerMixPanel(run.name, about, theme.current().runs[item.colour], layer_titles(run))
        panel.action.clicked.connect(partial(self._finetune, run))
        return panel

    def _events(self, path: str, events: list) -> None:
        story = self._stories.get(Path(path))
        if story is None:
            return
        saved = any(isinstance(event, ProbeSaved | CheckpointSaved) for event in events)
        if story.feed(events) or saved:
            self._soon()

    # drawing

    def _draw(self) -> None:
        if not self.isVisible():
            return
        session = self._session
        wanted = []
        greatest = [float(np.nanmax(series.values, initial=0.0)) for story in self._stories.values() for mix in story.mixes.values()
                    for series in mix.weights]
        for item in session.bench:
            panel, story = self._panels[item.path], self._stories[item.path]
            if story.mixes:
                panel.show_story(story, session.step, self._services.processes.alive(item.run))
                panel.curves.set_y_range(0.0, HEADROOM * max(greatest))
                wanted.append(item)
            else:
                panel.say(*_why_empty(item.run, self._services.processes.alive(item.run)))
        self._ask(wanted)

    def _ask(self, items: list[BenchRun]) -> None:
        """How far the senses are apart in the layers, once for each state of the probes."""
        word, specimens = self._session.word, self._session.specimens
        states = tuple((item.path, tuple(item.run.probe_steps()), tuple(item.run.checkpoint_steps())) for item in items)
        key = (word, specimens, states) if specimens else ()
        if not items or key == self._asked:
            return
        self._asked = key
        if not specimens:
            for panel in self._panels.values():
                panel.show_separability(None, "")
            self._soon()
            return
        for item in items:
            keywords = {"run": str(item.path), "specimens": specimens, "pretrained": item.run.config.task.pretrained}
            self._services.engine.call("core.analysis.separability:of_layers", keywords, on_done=partial(self._separated, item.path, key),
                                       on_error=partial(self._not_separated, item.path, key), key=f"layer_mix/{item.path}", owner=self)

    def _separated(self, path: Path, asked: tuple, found: dict[str, Any]) -> None:
        if path in self._panels and asked == self._asked:  # else the word has changed meanwhile
            self._panels[path].show_separability(found, asked[0])
            self._soon()

    def _not_separated(self, path: Path, asked: tuple, message: str, hint: str) -> None:
        self._separated(path, asked, {"error": message, "hint": hint})

    def _rows(self) -> tuple[list[str], list[list[object]]]:
        """For the csv: every weight at every step."""
        rows: list[list[object]] = []
        for item in self._session.bench:
            for place, mix in self._stories[item.path].mixes.items():
                for at, step in enumerate(mix.steps.values):
                    rows += [[item.run.name, place, int(step), layer, series.values[at], mix.gamma.values[at]]
                             for layer, series in enumerate(mix.weights)]
        return ["run", "place", "step", "layer", "weight", "gamma"], rows


def _why_empty(run: Run, alive: bool) -> tuple[str, str]:
    """Why a run shows no weights, and what to press."""
    if run.config.task is None:
        return tr("This is a pretrained run: no task has weighed its layers yet."), tr("Finetune it")
    if not mixes_layers(run):
        return tr("This run does not mix its layers. Finetune with the option “Mix of layers” on to compare it."), ""
    return (tr("Waiting for its first step.") if alive else tr("It has not learnt a step yet.")), ""
