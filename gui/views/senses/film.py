"""The film of the senses: the training of all runs on the bench played again at once, and how far they were apart at each step."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QMenu, QStackedLayout, QToolButton, QVBoxLayout, QWidget

from core.i18n import tr
from core.pictures import film
from gui import picture, saving, theme
from gui import specimen_store as store
from gui.projections import PCA, titles
from gui.run_panels import RunPanels
from gui.session import BenchRun
from gui.views.senses.answers import Question, question
from gui.views.senses.film_export import FilmExport
from gui.views.senses.legend import PictureChoices
from gui.views.senses.reel import ReelPanel, card_of
from gui.views.senses.state import Redraw, Shared, aside_words, axes, heading, is_joined, layer_title, line_name, why_empty
from gui.views.senses.strip import SensesStrip
from gui.widgets.folding import FoldingSegments
from gui.widgets.labels import button, label
from gui.widgets.line_chart import Line, LineChart
from gui.widgets.panes import Panes

FRAME_MS = 100
BOARD, MESSAGE = 0, 1


class FilmPage(QWidget):
    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self._session, self._services = session, services = shared.session, shared.services
        self._answers, self._choices = shared.answers, shared.choices
        self._reels: dict[Path, film.Reel] = {}
        self._courses: dict[Path, dict[int, float | None]] = {}  # the figures of all steps, also of those whose pictures are still to come
        self._drawn: object = None
        self._time = 0.0
        self._own_step = False  # the step is being changed by the film itself
        self.controls = PictureChoices(shared.choices, self)
        self.controls.hide()
        self._play = button(tr("Play"), self.toggle_play, kind="primary", icon="play")
        self._projections = FoldingSegments(titles(), shared.choices.projection)
        self._projections.chosen.connect(self._choose_projection)
        self._export = FilmExport(services, self)
        self._export.told.connect(self._tell)
        self._export.finished.connect(self._exported)
        self._status = label("", "small")
        self._save = self._make_save()
        self._strip = SensesStrip()
        self._strip.show_line(False)
        self._row = QHBoxLayout()
        self._row.setSpacing(theme.S)
        self._run_panels = RunPanels(self._row, self._make_panel)
        self._panels = self._run_panels.panels
        self._chart = LineChart()
        self._chart.setFixedHeight(theme.scaled(170))
        self._chart.moved.connect(self._look_at)
        panes = Panes(QBoxLayout.Direction.TopToBottom)
        self._board = panes.content
        still = picture.PictureButton(self._board, "film", messages=services.messages, settings=services.settings, rows=self._rows)
        panes.box.addWidget(self._strip)
        panes.box.addLayout(self._row, 1)
        panes.box.addWidget(self._chart)
        self._message = label("", "large", wrap=True)
        self._stack = QStackedLayout()
        self._stack.addWidget(panes)
        self._stack.addWidget(self._message)
        top = QHBoxLayout()
        top.setSpacing(theme.S)
        for part in (self._play, self._projections):
            top.addWidget(part)
        top.addWidget(self._status, 1)
        for part in (self._save, still):
            top.addWidget(part)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.S)
        whole.addLayout(top)
        whole.addLayout(self._stack, 1)
        self._timer = QTimer(self, interval=FRAME_MS)
        self._timer.timeout.connect(self._advance)
        self._redraw = Redraw(self, self._draw, shared.answers)
        for signal in (session.benchChanged, session.specimensChanged, session.layerChanged, shared.choices.changed, services.processes.changed):
            signal.connect(self._redraw.soon)
        session.stepChanged.connect(self._follow_step)

    def _make_save(self) -> QToolButton:
        made = QToolButton(toolTip=tr("Save the film"), accessibleName=tr("Save the film"))
        made.setIcon(theme.icon("save"))
        made.setProperty("kind", "small")
        made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(made)
        for suffix, words in ((".gif", "GIF"), (".webp", "WebP"), (".png", tr("PNG files, one a frame")), (".svg", tr("SVG that moves"))):
            menu.addAction(words, partial(self.save, suffix))
        made.setMenu(menu)
        return made

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._follow_step()
        self._redraw.soon()

    def hideEvent(self, event: object) -> None:
        self._stop()

    @property
    def panels(self) -> dict[Path, ReelPanel]:
        return self._panels

    @property
    def film(self) -> film.Film | None:
        """What is shown; None where there is nothing yet."""
        if not self._reels:
            return None
        session, look = self._session, theme.current()
        senses = [(store.sense_title(session.word, sense), theme.sense_colour(number).name(), theme.sense_symbol(number))
                  for number, sense in enumerate(session.senses)]
        return film.Film(title=session.word, reels=list(self._reels.values()), senses=senses, categories=self._categories(),
                         surface=look.surface, text=look.text, soft=look.text_soft, border=look.border)

    # playing

    def toggle_play(self) -> None:
        """From here; from the beginning, if it stands at the end."""
        if self._timer.isActive():
            self._stop()
        elif (shown := self.film) is not None:
            times = shown.times()
            if self._time >= times[-1]:
                self._look_at(float(times[0]))
            self._play.setText(tr("Pause"))
            self._play.setIcon(theme.icon("pause", theme.current().on_accent))
            self._timer.start()

    def _stop(self) -> None:
        self._timer.stop()
        self._play.setText(tr("Play"))
        self._play.setIcon(theme.icon("play", theme.current().on_accent))

    def _advance(self) -> None:
        if (shown := self.film) is None:  # another projection or layer is on its way
            return
        times = shown.times()
        after = times[times > self._time + 1e-6]
        self._look_at(float(after[0]) if len(after) else float(times[-1]))
        if self._time >= times[-1]:
            self._stop()

    def _look_at(self, time: float) -> None:
        shown = self.film
        if shown is None:
            return
        self._show_at(time)
        self._own_step = True
        self._session.step = None if time >= shown.times()[-1] else int(time)
        self._own_step = False

    def _show_at(self, time: float) -> None:
        self._time = time
        self._chart.set_cursor(time)
        for panel in self._panels.values():
            panel.show_at(time)

    def _follow_step(self) -> None:
        """Somebody else has moved the step."""
        if self._own_step or not self.isVisible() or self._export.busy or (shown := self.film) is None:
            return
        times = shown.times()
        self._show_at(float(times[-1]) if self._session.step is None else min(max(float(self._session.step), times[0]), times[-1]))

    # drawing

    def _choose_projection(self, name: str) -> None:
        self._choices.projection = name

    def _draw(self) -> None:
        if self._export.busy:
            return  # the frames are those of what was there when it began
        session = self._session
        self._answers.about(session.specimens)
        words, _ = why_empty(session)
        if words:
            self._stop()
            self._reels, self._drawn = {}, None
            self._message.setText(words)
            self._stack.setCurrentIndex(MESSAGE)
            return
        self._stack.setCurrentIndex(BOARD)
        self._projections.set_value(self._choices.projection)
        self.controls.set_joined(any(is_joined(item.run) for item in session.bench))
        if self._run_panels.show(session.bench):
            self._drawn = None
        titles = [store.sense_title(session.word, sense) for sense in session.senses]
        self._strip.show_senses(session.word, titles, [sum(item.sense == sense for item in session.specimens) for sense in session.senses],
                                sum(item.hard for item in session.specimens))
        asked: list[Question] = []
        frames: list[tuple[int, Question]] = []
        made: dict[Path, film.Reel] = {}
        for item in session.bench:
            reel = self._reel(item, asked, frames)
            if reel is not None:
                made[item.path] = reel
        missing = sum(self._answers.get(one) is None for _, one in frames)
        self._redraw.ask(asked, [one for _, one in sorted(frames, key=lambda pair: pair[0])])
        self._tell(tr("{done} of {total} pictures are laid out", done=len(frames) - missing, total=len(frames)) if missing else "")
        self._take(made)

    def _reel(self, item: BenchRun, asked: list[Question], frames: list[tuple[int, Question]]) -> film.Reel | None:
        """Of what is known; what is not is added to the questions."""
        run, panel = item.run, self._panels[item.path]
        layer, direction, projection = self._session.layer_of(run), self._choices.direction_of(run), self._choices.projection
        aside = self._choices.state.aside
        stamp = repr((run.probe_steps(), run.checkpoint_steps()))
        replay = question("replay", run=str(run.path), layer=layer, basis_step=None, direction=direction, aside=aside, stamp=stamp)
        course = question("course", run=str(run.path), layer=layer, direction=direction, aside=aside, stamp=stamp)
        asked += [replay, course]
        found, figures = self._answers.get(replay), self._answers.get(course)
        if found is None:
            panel.say(tr("Looking at the vectors..."))
            return None
        if "error" in found or not found["steps"]:
            nothing = tr("There is no probe and no checkpoint of these sentences.")
            panel.say(f"{found['error']} {found['hint']}".strip() if "error" in found else nothing)
            return None
        steps, xy, groups = found["steps"], found["xy"], found["groups"]
        panel.setToolTip(f"{line_name(run, direction)}, {layer_title(run, layer, direction)}")
        panel.scatter.set_axes(*axes(run, layer, projection if (groups > 0).any() else "", aside=aside))  # one point has no directions
        if projection != PCA:
            layouts = [question("layout", run=str(run.path), layer=layer, step=one, projection=projection, direction=direction, aside=aside,
                                basis_step=found["basis_step"], stamp=(found["source"], steps[-1])) for one in steps]
            frames += [(_turn_of(place), one) for place, one in enumerate(layouts)]
            laid = [self._answers.get(one) for one in layouts]
            good = [place for place, one in enumerate(laid) if one is not None and "error" not in one]
            if not good:
                panel.say(next((one["error"] for one in laid if one), tr("Laying out the points...")))
                return None
            steps, xy, groups = [steps[place] for place in good], np.stack([laid[place]["xy"] for place in good]), groups[good]
        measured = figures is not None and "error" not in figures
        auc = dict(zip(figures["steps"], figures["auc"], strict=True)) if measured else {}
        self._courses[item.path] = auc
        return film.Reel(title=line_name(run, direction) + aside_words(aside), colour=theme.current().runs[item.colour], steps=steps, xy=xy,
                         auc=[auc.get(step) for step in steps], groups=groups)

    def _take(self, made: dict[Path, film.Reel]) -> None:
        look = (self._categories(), tuple((path, reel.title, tuple(reel.steps), id(reel.xy), tuple(reel.auc)) for path, reel in made.items()))
        if look == self._drawn:
            return
        self._drawn, self._reels = look, made
        hard = [item.hard for item in self._session.specimens]
        titles = [store.sense_title(self._session.word, sense) for sense in self._session.senses]
        for path, reel in made.items():
            self._panels[path].show_reel(reel, self._categories(), hard, partial(card_of, self._session, titles))
        lines = [Line(name=reel.title, colour=reel.colour, x=list(self._courses[path]), y=list(self._courses[path].values()), dotted=False)
                 for path, reel in made.items()]
        self._chart.set_lines(lines, x_title=tr("Step"), y_title="AUC", level=(0.5, tr("chance {value:g}", value=0.5)))
        if made and self._session.step is None:
            self._show_at(float(self.film.times()[-1]))
        elif made:
            self._follow_step()

    def _make_panel(self, item: BenchRun) -> ReelPanel:
        return ReelPanel(theme.current().runs[item.colour], heading(item, self._session.bench))

    def _categories(self) -> list[int]:
        senses = {sense: number for number, sense in enumerate(self._session.senses)}
        return [senses[item.sense] for item in self._session.specimens]

    # what leaves

    def save(self, suffix: str, _checked: bool = False) -> None:
        """Ask where, and write the film there."""
        shown = self.film
        if self._export.busy:
            self._services.messages.say(tr("The frames of a film are still being drawn."), action=tr("Stop"), on_action=self._export.stop)
            return
        if shown is None:
            self._services.messages.say(tr("There is no film yet."))
            return
        self._stop()
        folder = self._services.settings.get("picture/folder") or str(Path.home())
        suggested = str(Path(folder) / f"{saving.file_name(self._session.word)}{suffix}")
        chosen = saving.ask_path(self.window(), tr("Save the film"), suggested, f"{suffix[1:].upper()} (*{suffix})")
        if not chosen:
            return
        path = Path(chosen)
        self._services.settings.set("picture/folder", str(path.parent))
        if suffix == ".svg":
            with self._services.messages.guard():
                film.write_svg(shown, path)
                self._services.messages.say(tr("Saved as {path}.", path=path))
            return
        self._export.start(path, self._board, shown.times().tolist(), self._show_at)

    def _tell(self, words: str) -> None:
        self._status.setText(words)

    def _exported(self) -> None:
        self._tell("")
        self._redraw.soon()
        self._follow_step()

    def _rows(self) -> tuple[list[str], list[list[Any]]]:
        return ["run", "step", "auc"], [[reel.title, step, value] for reel in self._reels.values()
                                        for step, value in zip(reel.steps, reel.auc, strict=True)]


def _turn_of(place: int) -> int:
    """When a step's picture is laid out: first every 32nd of all runs, then every 16th, and so on, so that a coarse film is soon there."""
    return -((place & -place).bit_length()) if place else -99
