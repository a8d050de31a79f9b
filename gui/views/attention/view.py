"""Where the attention heads of all runs on the bench look, over a sentence that can be typed: GPT's triangle beside BERT's square."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from core.events import CheckpointSaved, ProbeSaved
from core.families.family import RANDOM
from core.i18n import sentences, tr
from core.registry import family
from core.text.specimens import find_word
from gui import specimen_store as store
from gui import theme
from gui.engine import Call
from gui.keeping.keeper import Keeper
from gui.picture import PictureButton
from gui.run_panels import RunPanels
from gui.session import BenchRun, Session
from gui.views import BENCH, LAYER, SPECIMENS, STEP, Services
from gui.views.attention.controls import AttentionControls
from gui.views.attention.notes import notes
from gui.views.attention.panel import AttentionPanel, Unit
from gui.views.attention.sentence import SentenceBar
from gui.views.attention.state import EFFECTS, GRID, LINES, MAP, PARTS, TABLE, State, loads, parsed
from gui.widgets.empty import Empty
from gui.widgets.folding import FoldingSegments
from gui.widgets.labels import row
from gui.widgets.panes import Panes, share_width

STATE = "attention/state"  # in the settings
CALL = "attention"  # one question at a time: a newer sentence takes the place of whatever is being computed
EFFECTS_MS = 250  # after the last keystroke


class AttentionView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset({BENCH, SPECIMENS, LAYER, STEP})

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        self._state = loads(services.settings.get(STATE))
        self._query: Unit | None = None  # the word that is looked at
        self._key: Unit | None = None
        self._look: Call | None = None  # the newest question of where the heads look
        self.keeper = Keeper(self, "attention", session, services, state=lambda: self._state, parse=parsed, restore=self._restore)
        self.controls = AttentionControls(self._state, self)
        self.controls.hide()
        self.controls.changed.connect(self._changed)
        self.controls.headChosen.connect(self._head_chosen)
        self._build()
        self._timer = QTimer(self, interval=0, singleShot=True)  # several changes at once are asked once
        self._timer.timeout.connect(self._ask)
        self._effects_timer = QTimer(self, interval=EFFECTS_MS, singleShot=True)
        self._effects_timer.timeout.connect(self._ask_effects)
        for signal in (session.benchChanged, session.layerChanged, session.headChanged, session.stepChanged, services.processes.changed):
            signal.connect(self._soon)
        session.specimensChanged.connect(self._specimens_changed)
        session.selectionChanged.connect(self._selection_changed)
        services.watcher.eventsArrived.connect(self._events)

    def _build(self) -> None:
        self.sentence = SentenceBar(self._state.text, self._state.pair)
        self.sentence.changed.connect(self._typed)
        self.sentence.replayWanted.connect(self._own_sentence)
        self.modes = FoldingSegments({GRID: tr("All heads"), MAP: tr("One map"), LINES: tr("Lines"), TABLE: tr("Table"), EFFECTS: tr("Effects")},
                                     self._state.mode)
        self.modes.chosen.connect(self._mode_chosen)
        self._panes = Panes()  # four runs in a small window with large words scroll
        self._run_panels = RunPanels(self._panes.box, self._make_panel)
        self._panels = self._run_panels.panels
        whole = PictureButton(self._whole, self._name, messages=self._services.messages, settings=self._services.settings, rows=self._rows)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        column.setSpacing(theme.S)
        column.addWidget(self.sentence)
        column.addWidget(row(self.modes, None, self.keeper.undo, self.keeper.redo, self.keeper.file, whole, spacing=theme.XS))
        column.addWidget(self._panes, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(page)
        self._stack.addWidget(Empty("attention", tr("Put a run on the bench to see where its attention heads look, or train one."), tr("Train one"),
                                    self._go_to_train))

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._take_a_sentence()
        self._soon()
        self.keeper.soon()

    @property
    def panels(self) -> dict[Path, AttentionPanel]:
        return self._panels

    @property
    def state(self) -> State:
        return self._state

    # what happens

    def _soon(self, *_: object) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def _set(self, state: State) -> None:
        self._state = state
        self._services.settings.set(STATE, state.dumps())
        self.keeper.soon()

    def _restore(self, state: State) -> None:
        self.modes.set_value(state.mode)
        self._set(state)
        self.sentence.set_sentences(state.text, state.pair)
        self._soon()

    def _changed(self, changes: dict[str, Any]) -> None:
        """Something was chosen in the controls; how it is drawn needs no new question."""
        self._set(replace(self._state, **changes))
        if changes.keys() <= {"least", "measured"}:
            self.controls.show_state(self._state, self._heads(), self._session.head)
            self._draw_all()
            self._mark()
        else:
            self._soon()

    def _mode_chosen(self, mode: str) -> None:
        self._set(replace(self._state, mode=mode))
        self._soon()

    def _head_chosen(self, head: int) -> None:
        self._session.head = head

    def _head_clicked(self, layer: int, head: int) -> None:
        """In a picture: the layer is of attention, whose first follows the embeddings."""
        self._session.layer, self._session.head = layer + 1, head
        if self._state.heads:
            self._set(replace(self._state, heads=()))
        self._soon()

    def _typed(self, text: str, pair: str) -> None:
        self._query = self._key = None
        self._set(replace(self._state, text=text, pair=pair))
        self._soon()

    def _own_sentence(self) -> None:
        for item in self._session.bench:
            own = item.run.config.watch.sentence or next((one.text for one in store.of_run(item.run)), "")
            if own and _has_attention(item):
                self.sentence.set_sentences(own)
                return

    def _take_a_sentence(self) -> None:
        """Something to look at before anybody has typed."""
        if not self._state.text and self._session.specimens:
            chosen = self._session.specimen or self._session.specimens[0]
            self.sentence.set_sentences(chosen.text)

    def _specimens_changed(self) -> None:
        self._take_a_sentence()
        if self._state.mode == EFFECTS:
            self._soon()

    def _selection_changed(self) -> None:
        if self._session.specimen is not None:
            self.sentence.text.setText(self._session.specimen.text)

    def _unit_chosen(self, path: Path, place: int) -> None:
        self._query, self._key = self._panels[path].unit_at(place) if place >= 0 else None, None
        self._mark()
        if self._state.mode == EFFECTS:
            self._effects_timer.start()

    def _pair_chosen(self, path: Path, query: int, key: int) -> None:
        """A cell of a map: the vectors behind it are shown; pressed again, they go."""
        panel = self._panels[path]
        chosen = panel.unit_at(query), panel.unit_at(key)
        again = chosen == (self._query, self._key)
        self._query, self._key = (None, None) if again else chosen
        self._mark()
        self._ask_vectors()

    def _events(self, path: str, events: list) -> None:
        if self._session.on_bench(Path(path)) is not None and any(isinstance(event, ProbeSaved | CheckpointSaved) for event in events):
            self._soon()

    def _go_to_train(self) -> None:
        self._services.navigate("train")

    # asking

    def _ask(self) -> None:
        if not self.isVisible():
            return
        session, state = self._session, self._state
        self._stack.setCurrentIndex(0 if session.bench else 1)
        if self._run_panels.show(session.bench):
            share_width({self._panels[item.path]: _has_attention(item) for item in session.bench})
        self.controls.show_state(state, self._heads(), session.head)
        asked: list[Path] = []
        questions: list[dict[str, Any]] = []
        for item in session.bench:
            panel = self._panels[item.path]
            panel.set_head(item.run.name, "")
            if not _has_attention(item):
                panel.say(tr("{family} has no attention: only transformers, such as GPT and BERT, look from word to word like this.",
                             family=family(item.run.config.family).title))
            elif not state.text.strip():
                panel.say(tr("There is no sentence yet. Type one above, or choose one at the right."))
            else:
                if panel.answer is None:
                    panel.say(tr("Reading the sentence..."))
                asked.append(item.path)
                questions.append(state.question(str(item.path), session.step, max(session.layer_of(item.run), 1) - 1, session.head_of(item.run)))
        if questions:
            self._look = self._services.engine.call("core.analysis.attention_window:look", {"questions": questions}, key=CALL, owner=self,
                                                    on_progress=partial(self._arrived, asked, state), on_done=self._all_arrived,
                                                    on_error=partial(self._refused, asked))

    def _arrived(self, asked: list[Path], state: State, place: int, answer: dict[str, Any]) -> None:
        item = self._session.on_bench(asked[place])
        if item is None or item.path not in self._panels or state.text != self._state.text:  # the sentence may have been wiped since
            return
        if "error" in answer:
            self._panels[item.path].say(f"{answer['error']} {answer['hint']}".strip())
        else:  # how it is drawn may have changed since it was asked for
            self._show(item, answer, replace(state, least=self._state.least, measured=self._state.measured))

    def _all_arrived(self, _count: int) -> None:
        if self._state.mode == EFFECTS:
            if self._query is None:
                self._query = self._word()
            self._effects_timer.start()
        self._mark()
        self._ask_vectors()

    def _refused(self, asked: list[Path], message: str, hint: str) -> None:
        """The engine has failed: what stands there is of another sentence."""
        for path in asked:
            if path in self._panels:
                self._panels[path].say(sentences(message, hint))

    def _ask_vectors(self) -> None:
        state = self._state
        for item in self._session.bench:
            panel = self._panels.get(item.path)
            if panel is None or panel.answer is None:
                continue
            query, key = panel.row_of(self._query), panel.row_of(self._key)
            if state.mode != MAP or state.what != "head" or query < 0 or key < 0:
                panel.show_vectors(None)
                continue
            answer = panel.answer
            keywords = {"run": str(item.path), "text": state.text, "pair": state.pair, "step": self._session.step, "units": state.units,
                        "layer": answer["layer"], "head": answer["head"], "query": int(answer["places"][query]), "key": int(answer["places"][key])}
            self._services.engine.call("core.analysis.attention_window:query_and_key", keywords, key=f"{CALL}/{item.path}", owner=self,
                                       on_done=partial(self._show_vectors, panel, (self._query, self._key)),
                                       on_error=partial(self._no_vectors, panel))

    def _show_vectors(self, panel: AttentionPanel, chosen: tuple[Unit | None, Unit | None], found: dict[str, Any]) -> None:
        if panel in self._panels.values() and chosen == (self._query, self._key):
            panel.show_vectors(found)

    def _no_vectors(self, panel: AttentionPanel, _message: str, _hint: str) -> None:
        if panel in self._panels.values():
            panel.show_vectors(None)

    def _ask_effects(self) -> None:
        """What the other words and the heads do for the word that is looked at, for every run."""
        if not self.isVisible() or self._state.mode != EFFECTS:
            return
        if self._look is not None and self._look.wanted:
            return  # they would take its place; once it is there they are asked for
        asked, questions = [], []
        for item in self._session.bench:
            panel = self._panels.get(item.path)
            if panel is None or panel.answer is None:
                continue
            panel.effects.title, panel.effects.senses = partial(store.sense_title, self._session.word), self._session.senses
            place = panel.row_of(self._query)
            panel.effects.set_effects(place, None)
            if place >= 0:
                asked.append(panel)
                questions.append({"run": str(item.path), "text": self._state.text, "pair": self._state.pair, "step": self._session.step,
                                  "units": self._state.units, "target": int(panel.answer["places"][place]), "by": self._state.by,
                                  "layer": max(self._session.layer_of(item.run), 0), "heads": self._state.effect == "heads"})
        if questions:
            keywords = {"questions": questions, "specimens": self._session.specimens}
            self._services.engine.call("core.analysis.effects:look", keywords, key=CALL, owner=self,
                                       on_progress=partial(self._effects_arrived, asked), on_done=_nothing,
                                       on_error=partial(self._no_effects, asked))

    def _effects_arrived(self, asked: list[AttentionPanel], place: int, found: dict[str, Any]) -> None:
        panel = asked[place]
        if panel in self._panels.values():
            panel.effects.set_effects(panel.row_of(self._query), found)

    def _heads(self) -> int:
        """The most that a run on the bench has."""
        return max((getattr(item.run.config.model, "num_heads", 0) for item in self._session.bench), default=0)

    def _no_effects(self, asked: list[AttentionPanel], message: str, hint: str) -> None:
        for place in range(len(asked)):
            self._effects_arrived(asked, place, {"error": message, "hint": hint})

    def _word(self) -> Unit | None:
        """Where the session's word stands in the sentence."""
        found = find_word(self._state.text, self._session.word) if self._session.word else None
        return (0, *found) if found else None

    # drawing

    def _draw_all(self) -> None:
        for item in self._session.bench:
            panel = self._panels.get(item.path)
            if panel is not None and panel.answer is not None and panel.answer.keys() >= set(PARTS[self._state.mode]):  # else it is on the way
                self._show(item, panel.answer, self._state)

    def _mark(self) -> None:
        for panel in self._panels.values():
            panel.select(self._query, self._key)

    def _make_panel(self, item: BenchRun) -> AttentionPanel:
        panel = AttentionPanel(theme.current().runs[item.colour], family(item.run.config.family).title)
        panel.headChosen.connect(self._head_clicked)
        panel.unitChosen.connect(partial(self._unit_chosen, item.path))
        panel.pairChosen.connect(partial(self._pair_chosen, item.path))
        panel.add_tool(PictureButton(panel.picture, partial(self._panel_name, item), messages=self._services.messages,
                                     settings=self._services.settings, rows=panel.rows))
        return panel

    def _show(self, item: BenchRun, answer: dict[str, Any], state: State) -> None:
        replayed = None if self._session.step is None else self._session.step_of(item.run.probe_steps())
        panel = self._panels[item.path]
        panel.set_head(item.run.name, tr("step {step:,}", step=answer["step"]))
        begun = item.run.config.task is None  # a finetune's step 0 is another run's end
        set_beforehand = begun and getattr(item.run.config.objective, "first_attention", RANDOM) != RANDOM
        panel.show_answer(answer, state, state.heads or (answer["head"],),
                          notes(answer, state, replayed=replayed, set_beforehand=set_beforehand,
                                without_probes=not item.run.config.train.probes))

    # what leaves

    def _whole(self) -> QWidget | None:
        return self._panes.content if any(panel.answer is not None for panel in self._panels.values()) else None

    def _name(self) -> str:
        return f"attention {self._state.text[:30]}"

    def _panel_name(self, item: BenchRun) -> str:
        return f"attention {item.run.name} {self._state.text[:30]}"

    def _rows(self) -> tuple[list[str], list[list[object]]]:
        header: list[str] = []
        rows: list[list[object]] = []
        for item in self._session.bench:
            panel = self._panels.get(item.path)
            if panel is not None and panel.answer is not None:
                names, found = panel.rows()
                header = names if len(names) > len(header) else header
                rows += [[item.run.name, *one] for one in found]
        return ["run", *header], rows


def _has_attention(item: BenchRun) -> bool:
    return "attentions" in family(item.run.config.family).capabilities


def _nothing(_count: int) -> None:
    """Everything has come by progress."""
