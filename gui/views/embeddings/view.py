"""A map of vectors: the whole vocabulary of a run, every occurrence of chosen words, or a file; laid out only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from core.i18n import sentences, tr
from core.vector_source import FILE, OCCURRENCES, VectorSource
from gui import theme
from gui.keeping.keeper import FileButton
from gui.projections import PCA, TSNE
from gui.session import Session
from gui.views import BENCH, LAYER, Services
from gui.views.embeddings import state as map_state
from gui.views.embeddings.answers import Answers
from gui.views.embeddings.colours import ColourControls
from gui.views.embeddings.find import FindControls
from gui.views.embeddings.layout import LayoutControls
from gui.views.embeddings.near import NearControls
from gui.views.embeddings.paint import Paint
from gui.views.embeddings.scene import Scene
from gui.views.embeddings.selection import packed, unpacked
from gui.views.embeddings.source import SourceBar
from gui.views.embeddings.state import AXES, Layout, MapState
from gui.views.embeddings.tools import ToolBar
from gui.views.embeddings.ways import WayControls
from gui.views.embeddings.words import Words
from gui.widgets.badge import Badge
from gui.widgets.elided import Elided
from gui.widgets.empty import Empty
from gui.widgets.point_map import PointMap
from gui.widgets.section import Section

PANEL = 300  # pixels of the controls
NAME = "embeddings"  # of this view in VIEWS
KEY = f"{NAME}/state"


class EmbeddingsView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset({BENCH, LAYER})

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        self._asked = False  # whether vectors were asked for since this was made
        self._empty: Empty | None = None
        self._reads = False  # the page says that vectors are being read
        self._laying: Layout | None = None  # what is under way, until its first picture is seen: till then the one before is still there
        state = map_state.loads(services.settings.get(KEY))
        self.map = PointMap()
        self.map.picture.show_labels = state.labels
        self.scene = Scene(state, Answers(services.aside, self), self.map, self._keep, self)
        self.badge = Badge(self.map)
        self.source = SourceBar(session, services.settings)
        self.file = FileButton(self, NAME, session, services, raw=self._raw, parse=map_state.parsed, show=self._show_again)
        self.tools = ToolBar(self.map, state.labels, self.scene.selection, services, rows=self.scene.table, name=self._name, file=self.file)
        self.layout_controls = LayoutControls(state.layout)
        self.find = FindControls(state.query, state.regex, state.grey)
        self.colours, self.near, self.ways = ColourControls(), NearControls(), WayControls()
        self.ways.set_words(state.laid.pairs if state.laid is not None else (), state.analogy)
        self.ways.keep(session.past)
        self._status = Elided("", "small")
        self._place()
        self.paint = Paint(self.scene, self.find, self.colours, self)
        self.words = Words(self.scene, self.near, self.ways, session, services, self)
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._first)
        self._connect()
        self._show_page()

    def _place(self) -> None:
        panel = QWidget()
        column = QVBoxLayout(panel)
        column.setContentsMargins(0, 0, theme.S, 0)
        column.setSpacing(theme.S)
        parts = {"layout": (tr("Layout"), self.layout_controls), "find": (tr("Search"), self.find), "near": (tr("Neighbours"), self.near),
                 "colour": (tr("Colour"), self.colours), "ways": (tr("Axes and analogies"), self.ways)}
        self.sections = {name: Section(title, unfolded=name != "ways") for name, (title, _) in parts.items()}
        for name, (_, widget) in parts.items():
            self.sections[name].column.addWidget(widget)
            column.addWidget(self.sections[name])
        column.addStretch(1)
        self._panel = scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(panel)
        left = QVBoxLayout()
        left.setSpacing(theme.XS)
        left.addWidget(self.tools)
        self._stage = QStackedLayout()
        self._stage.addWidget(self.map)
        left.addLayout(self._stage, 1)
        left.addWidget(self._status)
        below = QHBoxLayout()
        below.setSpacing(theme.S)
        below.addLayout(left, 1)
        below.addWidget(scroll)
        page = QVBoxLayout(self)
        page.setContentsMargins(theme.M, theme.S, theme.M, theme.XS)
        page.setSpacing(theme.S)
        page.addWidget(self.source)
        page.addLayout(below, 1)

    def _connect(self) -> None:
        self.source.chosen.connect(self.open_source)
        self.layout_controls.changed.connect(self._wish)
        self.layout_controls.asked.connect(self.lay_out)
        self.layout_controls.paused.connect(self.scene.answers.hold)
        self.layout_controls.stopped.connect(self._stop)
        self.ways.axes.connect(self._lay_along)
        self.map.chosen.connect(self.scene.selection.choose)
        self.map.seen.connect(self._say_status)
        self.map.set_card(self.scene.card)
        self.scene.selection.changed.connect(self._selected)
        self.tools.labelled.connect(self._keep)
        self._session.benchChanged.connect(self._bench_changed)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._soon.start()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        room = self.contentsRect().width() - self.tools.minimumSizeHint().width() - 2 * theme.M - theme.S
        self._panel.setFixedWidth(min(theme.scaled(PANEL) + 2 * theme.S, max(room, round(0.8 * theme.scaled(PANEL)))))  # the rest scrolls
        self._place_badge()

    # the vectors

    def _first(self) -> None:
        """What was seen last, else the vocabulary of the first run on the bench. Opening them lays nothing out."""
        if self._asked or not self.isVisible():
            return
        source = self.scene.source
        if source is not None and (source.kind == FILE or self._session.on_bench(Path(source.path))):
            self._ask_for(source)
        elif (first := self.source.first()) is not None:
            self.open_source(first)

    def open_source(self, source: VectorSource) -> None:
        """The person wants to see these vectors: what was chosen on others is forgotten."""
        if source != self.scene.source:
            self.scene.state = MapState(source=source, layout=replace(self.layout_controls.layout_wanted, rows=""), grey=self.find.grey)
        self._ask_for(source)

    def _ask_for(self, source: VectorSource) -> None:
        self._asked = True
        self.scene.answers.stop_layout()
        self._laying = None
        self.layout_controls.set_busy(False)
        self.layout_controls.say("")
        self.scene.open(None)
        self.badge.show_quality(None)
        self.source.show_source(source)
        state = self.scene.state
        self.find.set_words((), (), state.query, state.regex, state.grey)  # what is typed from now on is meant for these vectors
        self._show_reading(tr("Reading the vectors..."))
        self.scene.answers.open(source, self._opened, self._refused, self._reading)

    def _reading(self, stage: str, done: int, total: int) -> None:
        self._show_reading(f"{stage} {done / total:.0%}" if total else f"{stage} {done:,}")

    def _stop_reading(self) -> None:
        self.scene.answers.stop_reading()
        self._show_page(tr("Stopped."), action=tr("Read them"), on_click=self._read_again)

    def _read_again(self) -> None:
        self._ask_for(self.scene.state.source)

    def _refused(self, message: str, hint: str) -> None:
        self._show_page(sentences(message, hint))

    def _opened(self, found: dict[str, Any]) -> None:
        scene = self.scene
        scene.open(found)
        state, words = scene.state, found["words"]
        self.map.set_points(np.full((found["count"], 2), np.nan, np.float32))
        self.map.picture.set_words(words)
        self.sections["ways"].setVisible(state.source.kind != OCCURRENCES)
        self.near.clear()
        chosen, shown = unpacked(state.chosen, found["count"]), unpacked(state.shown, found["count"])
        rows = state.source, found["count"]
        before, steps = self._session.past.get(NAME, (None, None))
        scene.selection.restore(np.zeros(0, np.int64) if chosen is None else chosen, shown, steps if before == rows else None)
        self._session.past[NAME] = rows, scene.selection.steps
        self.colours.set_columns(found["columns"], countable=found["countable"], keep=state.colour, clusters=state.clusters)
        self.find.set_words(words, found["texts"], self.find.query, self.find.regex, self.find.grey)
        self.paint.colour()
        if 0 <= state.current < found["count"]:
            self.words.look_at(state.current)
        else:
            self.words.follow()
        self._show_page()
        if state.laid is not None:
            self._lay(state.laid, known_only=True)
        self._keep()

    # the layout

    def lay_out(self) -> None:
        self._lay(replace(self.layout_controls.layout_wanted, rows=packed(self.scene.selection.shown), pairs=()))

    def _lay_along(self) -> None:
        pairs = self.ways.pairs
        missing = [word for pair in pairs for word in pair if self.scene.row(word) < 0]
        if not pairs or missing:
            self.ways.say_axes(tr("“{word}” is not among these words.", word=missing[0]) if missing else tr("Write the two words of an axis."), True)
            return
        self.ways.say_axes("")
        self._lay(replace(self.layout_controls.layout_wanted, method=AXES, dimensions=2, pairs=pairs, rows=""))

    def _lay(self, layout: Layout, known_only: bool = False) -> None:
        scene = self.scene
        pairs = [(scene.row(start), scene.row(end)) for start, end in layout.pairs]
        if scene.opened is None or (layout.method == AXES and (not pairs or min(map(min, pairs)) < 0)):
            return
        scene.answers.stop_layout()
        self.badge.show_quality(None)
        self._place_badge()
        self._laying = layout
        self.layout_controls.say("")
        self.layout_controls.set_busy(True, can_pause=layout.method == TSNE)
        self.layout_controls.set_progress(-1)
        scene.answers.lay_out(scene.source, layout, unpacked(layout.rows, scene.count), pairs, known_only=known_only, on_picture=self._moved,
                              on_done=self._laid, on_error=self._not_laid)

    def _moved(self, xy: np.ndarray | None, done: float, words: str) -> None:
        """A picture on the way."""
        if done >= 0 or xy is None:
            self.layout_controls.set_progress(done)
        self.layout_controls.say(words)
        if xy is not None:
            self._show_points(xy)

    def _laid(self, xy: np.ndarray | None, words: str) -> None:
        self.layout_controls.set_busy(False)
        self.layout_controls.say(words)
        if xy is not None and len(xy) == self.scene.count:
            self._show_points(xy)
            self._measure()
        else:
            self._show_page()

    def _not_laid(self, message: str, hint: str) -> None:
        self.layout_controls.set_busy(False)
        self.layout_controls.say(sentences(message, hint), True)
        self._laying = None
        self._show_page()
        self._measure()

    def _stop(self) -> None:
        self._laying = None
        self.layout_controls.say(self.scene.answers.stop_layout())
        self.layout_controls.set_busy(False)
        self._show_page()
        self._measure()

    def _show_points(self, xy: np.ndarray) -> None:
        if self._laying is not None:
            self.scene.state, self._laying = replace(self.scene.state, laid=self._laying), None
            self._keep()
        laid, before = self.scene.state.laid, self.scene.xy
        along = laid is not None and laid.method == AXES
        keep = before is not None and before.shape == xy.shape and self.scene.answers.descending
        self.scene.xy = xy
        self.badge.show_quality(None)  # that of the picture before may have come meanwhile
        self._place_badge()
        self.map.set_points(xy, equal=not along, keep=keep)
        plane = laid is not None and laid.method == PCA and xy.shape[1] == 2
        names = [f"{start} → {end}" for start, end in laid.pairs] if along else ["PC 1 →", "PC 2 →"] if plane else []
        self.map.picture.set_axes(*[*names, "", ""][:2])
        self._show_page()

    def _measure(self) -> None:
        scene = self.scene
        if scene.xy is not None and scene.xy.shape[1] == 2 and scene.state.laid is not None:
            scene.answers.badge(scene.source, scene.state.laid.measure, scene.xy, partial(self._show_badge, scene.xy))

    def _show_badge(self, xy: np.ndarray, quality: dict[str, Any]) -> None:
        if xy is self.scene.xy:
            self.badge.show_quality(quality)
            self._place_badge()

    def _place_badge(self) -> None:
        self.badge.fit(self.map.width() - 2 * theme.S)
        self.badge.move(theme.S, self.map.height() - self.badge.height() - theme.S)
        self.map.picture.taken = [] if self.badge.isHidden() else [self.badge.geometry().adjusted(-2, -2, 2, 2).toRectF()]
        self.map.update()

    # the page

    def _selected(self) -> None:
        self.paint.show_selection()
        self._say_status()
        self._keep()

    def _show_reading(self, words: str) -> None:
        """It can be stopped; the button stays under the pointer while the words change."""
        if self._reads and self.scene.xy is None:
            self._empty.say(words)
            return
        self._show_page(words, action=tr("Stop"), on_click=self._stop_reading)
        self._reads = True

    def _show_page(self, words: str = "", action: str = "", on_click: Callable[[], None] | None = None) -> None:
        """The map, or why there is none, and what can be done about it."""
        self._reads = False
        scene = self.scene
        self._say_status()
        if scene.xy is not None:
            self._stage.setCurrentIndex(0)
            return
        if not words:
            if scene.opened is not None:
                words = tr("{count:,} vectors of {size} numbers. Choose a layout at the right and press “Lay out”.", count=scene.count,
                           size=scene.opened["size"])
            else:
                words = tr("Choose above what is mapped.") if self._session.bench else \
                    tr("Put a run on the bench to map its vectors, or open a file of word vectors.")
        before = self._empty
        self._empty = Empty("embeddings", words, action, on_click)
        self._stage.addWidget(self._empty)
        self._stage.setCurrentWidget(self._empty)
        if before is not None:
            self._stage.removeWidget(before)
            before.deleteLater()

    def _say_status(self) -> None:
        shown = self.scene.selection.shown
        self.layout_controls.set_ready(self.scene.opened is not None, 0 if shown is None else len(shown))
        self._status.setText(self.scene.status())

    def _bench_changed(self) -> None:
        if self.scene.opened is None:
            self._asked = False
            self._show_page()
            self._soon.start()

    # keeping and saving

    def _wish(self) -> None:
        """Another layout is wanted for the next time; distances are measured so from now on."""
        before = self.scene.state.layout
        self.scene.state = replace(self.scene.state, layout=self.layout_controls.layout_wanted)
        self._keep()
        if before.measure != self.scene.state.layout.measure and self.scene.state.current >= 0:
            self.words.look_at(self.scene.state.current)

    def _keep(self) -> None:
        scene = self.scene
        if scene.opened is not None:
            chosen = scene.selection.chosen
            scene.state = replace(scene.state, labels=self.map.picture.show_labels, chosen=packed(chosen) if len(chosen) else "",
                                  shown=packed(scene.selection.shown))
            self._services.settings.set(KEY, scene.state.dumps())

    def _raw(self) -> dict[str, Any] | None:
        return None if self.scene.source is None else map_state.with_picture(self.scene.state, self.scene.xy)

    def _show_again(self, kept: tuple[MapState, np.ndarray | None]) -> None:
        state, xy = kept
        self.tools.labels.setChecked(state.labels)
        self.scene.state = state
        self.layout_controls.set_layout_wanted(state.layout)
        self.ways.set_words(state.laid.pairs if state.laid is not None else (), state.analogy)
        self.scene.answers.given = None if xy is None else (state.source, state.laid, xy)
        self._ask_for(state.source)

    def _name(self) -> str:
        return "map" if self.scene.source is None else f"map-{Path(self.scene.source.path).stem}"
