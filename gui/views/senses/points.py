"""The sentences of a word as points: a picture and its figures for every run on the bench, at any step of its training."""

from __future__ import annotations

import html
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from core.errors import UserError
from core.events import CheckpointSaved, ProbeSaved, RunStarted
from core.i18n import tr
from core.registry import family
from core.runs import Run
from gui import specimen_store as store
from gui import theme
from gui.picture import PictureButton
from gui.projections import PCA, TSNE, UMAP, titles
from gui.run_panels import RunPanels
from gui.run_queue import queue_of
from gui.session import NONE_SELECTED, BenchRun
from gui.views.senses.answers import Question, question
from gui.views.senses.legend import SensesLegend
from gui.views.senses.live import Live
from gui.views.senses.panel import SensesPanel
from gui.views.senses.reel import card_of
from gui.views.senses.state import Redraw, Shared, axes, is_joined, layer_title, why_empty
from gui.views.senses.strip import SensesStrip
from gui.widgets.empty import Empty
from gui.widgets.folding import FoldingSegments
from gui.widgets.panes import Panes
from gui.widgets.sense_text import marked

AHEAD = 200  # steps of a run whose figures are computed before anybody asks


class PointsPage(QWidget):
    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self._session, self._services = session, services = shared.session, shared.services
        self._answers, self._choices = shared.answers, shared.choices
        self._replays: dict[tuple, dict[str, Any]] = {}  # the last known of a run, a layer, a direction and `aside`, until the next is there
        self._drawn: tuple = ()  # the specimens of the last drawing
        self._pictures: dict[Path, tuple] = {}  # layer, projection, place set aside and direction of what is drawn
        self.controls = SensesLegend(shared.choices, self)
        self.controls.hide()
        self._projections = FoldingSegments(titles(), shared.choices.projection, tips={
            PCA: tr("The two directions in which the vectors spread most: one plane for all steps."),
            TSNE: tr("Keeps neighbours together; distances between groups mean little."),
            UMAP: tr("Keeps neighbours together; distances between groups mean little.")})
        self._projections.chosen.connect(self._choose_projection)
        self._board = QWidget()
        self._panes = Panes()
        self._run_panels = RunPanels(self._panes.box, self._make_panel)
        self._panels = self._run_panels.panels
        picture = PictureButton(self._picture, "senses", messages=services.messages, settings=services.settings, rows=self._rows)
        self._strip = SensesStrip(self._projections, picture)
        self._live = Live(shared, self._strip)
        self._live.placed.connect(self._show_live)
        self._empty: QWidget | None = None
        self._why_empty = ""
        column = QVBoxLayout(self._board)  # with what the colours stand for: it leaves with the picture
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        column.addWidget(self._strip)
        column.addWidget(self._panes, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._board)
        self._timer = Redraw(self, self._draw, shared.answers)
        for signal in (session.benchChanged, session.specimensChanged, session.wordChanged, session.layerChanged, session.stepChanged,
                       services.processes.changed, shared.choices.changed):
            signal.connect(self._timer.soon)
        session.selectionChanged.connect(self._show_selection)
        services.watcher.eventsArrived.connect(self._events)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._timer.soon()

    @property
    def panels(self) -> dict[Path, SensesPanel]:
        return self._panels

    # what happens

    def _choose_projection(self, name: str) -> None:
        self._choices.projection = name

    def _events(self, path: str, events: list) -> None:
        if self._session.on_bench(Path(path)) is None:
            return
        if any(isinstance(event, RunStarted) and event.step for event in events) and self._services.watcher.is_caught_up(path):
            self._answers.forget(path)  # it went on from an earlier step: what came after that is written anew
        if any(isinstance(event, ProbeSaved | CheckpointSaved | RunStarted) for event in events):
            self._timer.soon()

    def _clicked(self, specimen: int) -> None:
        self._session.selected = specimen

    def _look_at(self, path: Path, word: str) -> None:
        """The word that the run watches, with the run's own sentences where we have none."""
        with self._services.messages.guard():
            self._session.look_at(word, store.specimens_of(word, [Run.open(path)]))

    def _go_to_train(self) -> None:
        self._services.navigate("train")

    # drawing

    def _draw(self) -> None:
        if not self.isVisible():
            return
        session = self._session
        if session.specimens != self._drawn:
            self._drawn = session.specimens
            self._replays.clear()
        self._answers.about(session.specimens)
        words, train = why_empty(session)
        if words:
            self._show_empty(words, train)
            return
        self._stack.setCurrentIndex(0)
        self._run_panels.show(session.bench)
        titles = [store.sense_title(session.word, sense) for sense in session.senses]
        counts = [sum(item.sense == sense for item in session.specimens) for sense in session.senses]
        self._strip.show_senses(session.word, titles, counts, sum(item.hard for item in session.specimens))
        self._projections.set_value(self._choices.projection)
        self._show_selection()
        replays: list[Question] = []
        figures: list[Question] = []
        controls: list[Question] = []
        later: list[Question] = []
        sources: list[dict[str, Any]] = []
        for item in session.bench:
            wanted = self._draw_panel(item, titles)
            replays += wanted["replay"]
            figures += wanted["figures"]
            controls += wanted["bag"]
            later += wanted["later"]
            sources += wanted["source"]
        names = tuple(dict.fromkeys(control["source"] for control in sources))
        self.controls.set_sources(names, own=len(names) > 1 and all(control["own"] for control in sources))
        self.controls.pictures.set_joined(any(is_joined(item.run) for item in session.bench))
        self._align()
        self._timer.ask([*replays, *figures], controls, () if self._strip.is_typing else later)
        self._live.follow({item.path: self._basis(item) for item in session.bench})

    def _draw_panel(self, item: BenchRun, titles: list[str]) -> dict[str, Any]:
        """Draw what is known, and return what is not."""
        session, run, panel = self._session, item.run, self._panels[item.path]
        layer, direction, projection = session.layer_of(run), self._choices.direction_of(item.run), self._choices.projection
        aside = self._choices.state.aside
        title = layer_title(run, layer, direction)
        wanted: dict[str, Any] = {"replay": [], "figures": [], "bag": [], "later": [], "source": []}
        probes, checkpoints = run.probe_steps(), run.checkpoint_steps()
        before = self._replays.get((item.path, layer, direction, aside))
        basis = None if session.step is None or before is None else before["basis_step"]
        asked = question("replay", run=str(run.path), layer=layer, basis_step=basis, direction=direction, aside=aside,
                         stamp=repr((probes, checkpoints)))
        wanted["replay"].append(asked)
        found = self._answers.get(asked)
        if found is not None and found.get("steps"):
            self._replays[item.path, layer, direction, aside] = found
        elif found is None:
            found = before
        panel.set_head(run.name, title, "")
        if found is None or not found.get("steps"):
            self._say(panel, run, found, bool(probes), bool(checkpoints))
            return wanted
        step = session.step_of(found["steps"])
        panel.step, newest = step, step == found["steps"][-1]
        panel.set_head(run.name, title, tr("step {step:,}", step=step) + (" ●" if newest and self._alive(run) else ""))
        place = found["steps"].index(step)
        layouts = [question("layout", run=str(run.path), layer=layer, step=one, projection=projection, direction=direction, aside=aside,
                            basis_step=found["basis_step"], stamp=(found["source"], found["steps"][-1])) for one in found["steps"]]
        laid = self._answers.get(layouts[place])
        known = laid is not None and "error" not in laid
        picture = (layer, projection, int(aside), direction)
        panel.scatter.set_axes(*axes(run, layer, projection if found["groups"][place].any() else "", aside=aside,
                                     share=found["share"] if step == found["basis_step"] else ()))
        if projection == PCA:
            self._show_points(panel, run, titles, found["xy"][place], found["groups"][place], found["half"], picture)
        elif known:
            self._show_points(panel, run, titles, laid["xy"], laid["groups"], laid["half"], picture)
        elif laid is not None:
            panel.say(f"{laid['error']} {laid['hint']}".strip())
        elif not panel.is_drawn or self._pictures[run.path] != picture:  # only another step's may stay until this one's is there
            panel.say(tr("Laying out the points..."))
        panel.show_badge(laid.get("quality") if known else None)
        figures = [question("figures", run=str(run.path), layer=layer, step=one, direction=direction, stamp=found["source"])
                   for one in found["steps"]]
        wanted["replay"].append(layouts[place])
        bag = question("bag", run=str(run.path), others=self._others(), stamp=self._checkpoint_stamp(run))
        wanted["figures"].append(figures[place])
        wanted["bag"].append(bag)
        nearest = sorted(range(len(figures)), key=lambda other: abs(other - place))
        wanted["later"] += [figures[other] for other in nearest[:AHEAD]]
        if projection != PCA:
            wanted["later"] += [layouts[other] for other in nearest[:AHEAD]]
        control = self._answers.get(bag)
        if control and "source" in control:
            wanted["source"].append(control)
        panel.show_figures(self._answers.get(figures[place]), control, notes(run, found))
        return wanted

    def _basis(self, item: BenchRun) -> int | None:
        """The step whose plane its picture has."""
        seen = item.path, self._session.layer_of(item.run), self._choices.direction_of(item.run), self._choices.state.aside
        return self._replays[seen]["basis_step"] if seen in self._replays else None

    def _show_points(self, panel: SensesPanel, run: Run, titles: list[str], xy: np.ndarray, groups: np.ndarray, half: tuple,
                     picture: tuple) -> None:
        session = self._session
        self._pictures[run.path] = picture
        senses = {sense: number for number, sense in enumerate(session.senses)}
        panel.show_points(xy, groups, half, [senses[one.sense] for one in session.specimens], [one.hard for one in session.specimens],
                          partial(self._card, run.name, titles))

    def _show_live(self, found: dict[Path, dict[str, Any]]) -> None:
        for path, panel in self._panels.items():
            panel.show_live(found.get(path), self._session.senses)

    def _picture(self) -> QWidget:
        """With what the colours stand for, but for panels that are out of sight."""
        return self._board if self._panes.is_whole else self._panes.content

    def _rows(self) -> tuple[list[str], list[list[object]]]:
        """The numbers of the pictures that are drawn."""
        made = []
        for item in self._session.bench:
            panel = self._panels[item.path]
            if panel.is_drawn and len(panel.xy) == len(self._session.specimens):
                drawn = [item.run.name, *self._pictures[item.path][:3]]
                made += [[*drawn, number, one.word, one.sense, int(one.hard), one.text, *panel.xy[number].tolist()]
                         for number, one in enumerate(self._session.specimens)]
        return ["run", "layer", "projection", "place_aside", "number", "word", "sense", "hard", "text", "x", "y"], made

    def _say(self, panel: SensesPanel, run: Run, found: dict[str, Any] | None, probes: bool, checkpoints: bool) -> None:
        """Why there is no picture."""
        own = next((one.word for one in store.of_run(run) if one.word != self._session.word), "")
        offer = tr("Look at “{word}”", word=own) if own else ""
        if found is not None and "error" in found:
            panel.say(f"{found['error']} {found['hint']}".strip(), offer, own)
        elif not probes and not checkpoints:
            panel.say(tr("Waiting for its first probe or checkpoint.") if self._alive(run)
                      else tr("It waits for its turn: another run is being trained.") if queue_of(self._services.processes).holds(run)
                      else tr("It has not been trained yet: there is no probe."))
        elif found is None:
            panel.say(tr("Looking at the vectors..."))
        else:
            panel.say(tr("This run watches “{word}”. Other sentences can be shown once it has saved a checkpoint.", word=own), offer, own)

    def _make_panel(self, item: BenchRun) -> SensesPanel:
        panel = SensesPanel(theme.current().runs[item.colour], family(item.run.config.family).title)
        panel.resized.connect(self._align)
        panel.clicked.connect(self._clicked)
        panel.wanted.connect(partial(self._look_at, item.path))
        return panel

    def _align(self) -> None:
        """The charts of all panels at the same height."""
        height = max((panel.verdict_height() for panel in self._panels.values()), default=0)
        for panel in self._panels.values():
            panel.verdict.setMinimumHeight(height)

    def _show_selection(self) -> None:
        session = self._session
        for panel in self._panels.values():
            panel.select(session.selected)
        chosen = session.specimen
        if chosen is None or session.selected == NONE_SELECTED:
            self._strip.show_sentence(None)
            return
        number = session.senses.index(chosen.sense)
        self._strip.show_sentence(_sentence(chosen, number), number, store.sense_title(session.word, chosen.sense), chosen.hard,
                                  chosen.text)

    def _card(self, name: str, titles: list[str], members: np.ndarray) -> str:
        """Rich text for a point."""
        said = card_of(self._session, titles, members)
        return f'{said}<br><span style="color:{theme.current().text_faint}">{html.escape(name)}</span>'

    def _show_empty(self, words: str, train: bool) -> None:
        if self._why_empty != words or self._empty is None:
            self._why_empty = words
            if self._empty is not None:
                self._stack.removeWidget(self._empty)
                self._empty.deleteLater()
            self._empty = Empty("senses", words, tr("Train one") if train else "", self._go_to_train if train else None)
            self._stack.addWidget(self._empty)
        self._stack.setCurrentWidget(self._empty)

    # small questions

    def _alive(self, run: Run) -> bool:
        return self._services.processes.alive(run)

    def _others(self) -> tuple[str, ...]:
        """The runs on the bench that have static vectors of their own: the best that a bag of context can be made of."""
        return tuple(str(item.path) for item in self._session.bench
                     if "static_vectors" in family(item.run.config.family).capabilities)

    def _checkpoint_stamp(self, run: Run) -> str:
        paths = [Path(path) for path in self._others()] or [run.path]
        return repr([item.run.checkpoint_steps()[-1:] for item in self._session.bench if item.path in (*paths, run.path)])


def _sentence(specimen: Any, number: int) -> str:
    try:
        span = specimen.span
    except UserError:
        span = (0, 0)
    return marked(specimen.text, *span, theme.sense_colour(number).name())


def notes(run: Run, found: dict[str, Any]) -> list[str]:
    """What is to be said of where the vectors come from."""
    made = []
    if found["source"] == "checkpoints":
        made.append(tr("Seen at its saved checkpoints: its probes do not hold these sentences.") if run.config.train.probes else
                    tr("Seen at its saved checkpoints: it was trained without probes."))
    if found["missing"]:
        made.append(tr("{count} sentences are shown once it has saved a checkpoint.", count=found["missing"]))
    return made
