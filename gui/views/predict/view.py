"""Type and see: what every run on the bench makes of a text, side by side, while one is typing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from core import i18n
from core.events import CheckpointSaved
from core.i18n import sentences, tr
from core.registry import family
from core.runs import Run
from gui import theme
from gui.draft import WORDS
from gui.forms.checkpoint_choice import CheckpointChoice, step_in_words
from gui.run_panels import RunPanels
from gui.second_stage import task_of
from gui.session import BenchRun, Session
from gui.views import BENCH, Services
from gui.views.predict.blocks import blocks_of
from gui.views.predict.inputs import PredictInputs
from gui.views.predict.modes import FILL, LANGUAGE_MODES, NEXT, WRITE, mode_titles
from gui.views.predict.panel import PredictPanel
from gui.widgets.empty import Empty
from gui.widgets.labels import label
from gui.widgets.panes import share_width
from gui.widgets.segments import Segments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gui.engine import Call

ASIDE = 204  # the width of a panel that only says why it gives no answer: the names that the demonstration gives stand whole in its head
WAIT_MS = 250  # after the last key, before the runs are asked
MODE = "predict/mode"  # in the settings
KEY = "predict"
WRITTEN = "predict/written"  # in the session's past: for each run the answers of the last writing


class PredictView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset({BENCH})

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        self._asked: list[Path] = []  # the runs of the question that is under way, in the order of its parts
        self._call: Call | None = None
        self._modes: tuple[str, ...] = ()
        self._written: dict[Path, list[dict[str, Any]]] = session.past.setdefault(WRITTEN, {})
        self._inputs = PredictInputs(services.settings, session.past)
        self._inputs.changed.connect(self._typed)
        self._inputs.writeWanted.connect(self.write)
        self._inputs.stopWanted.connect(self._stop_writing)
        self._head = QHBoxLayout()
        self._head.setSpacing(theme.L)
        self._head.addWidget(label(tr("Predict"), "title"))
        self._segments = Segments(mode_titles())
        self._segments.chosen.connect(self._choose)
        self._head.addWidget(self._segments)
        self._head.addStretch(1)
        self._which = CheckpointChoice(services.settings)
        self._which.chosen.connect(self._ask)
        self._head.addWidget(self._which)
        self._row = QHBoxLayout()
        self._row.setSpacing(theme.S)
        self._run_panels = RunPanels(self._row, self._make_panel)
        self._panels = self._run_panels.panels
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.L, theme.M, theme.L, theme.M)
        column.setSpacing(theme.M)
        column.addLayout(self._head)
        column.addWidget(self._inputs)
        column.addLayout(self._row, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(page)
        self._stack.addWidget(Empty("predict", tr("Put a run on the bench to ask it something, or train one."), tr("Go to Train"),
                                    partial(services.navigate, "train")))
        self._wait = QTimer(self, interval=WAIT_MS, singleShot=True)
        self._wait.timeout.connect(self._ask)
        session.benchChanged.connect(self._bench_changed)
        services.watcher.eventsArrived.connect(self._events)
        self._bench_changed()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._which.show_for([item.run for item in self._session.bench])
        self._ask()

    @property
    def panels(self) -> dict[Path, PredictPanel]:
        return self._panels

    @property
    def mode(self) -> str:
        return self._inputs.mode

    # what can be asked

    def _bench_changed(self) -> None:
        bench = self._session.bench
        self._stack.setCurrentIndex(0 if bench else 1)
        tasks = dict.fromkeys(task for item in bench if (task := task_of(item.run)))
        self._which.show_for([item.run for item in bench])
        plain = any(not task_of(item.run) for item in bench)
        self._modes = (*(LANGUAGE_MODES if plain or not tasks else ()), *tasks)
        for name in mode_titles():
            self._segments.button(name).setVisible(name in self._modes)
        self._inputs.set_language(self._text_language())
        wanted = self.mode or self._services.settings.get(MODE)
        self._take(wanted if wanted in self._modes else self._first_mode())
        if self._run_panels.show(bench):
            for path in self._panels:
                self._show_written(path, self._written.get(path, ()))
        self._inputs.set_can_write(any(not _why_not(item.run, WRITE) for item in bench))
        self._wait.start()

    def _text_language(self) -> str:
        """What the first run has read: a built-in text, or one in the language of the word that it watches; else the window's language."""
        if not self._session.bench:
            return i18n.language()
        run = self._session.bench[0].run
        word = run.config.watch.word or ("" if run.without_text or run.config.text.files else WORDS[run.config.text.corpus])
        return ("en" if word.isascii() else "zh_CN") if word else i18n.language()

    def _first_mode(self) -> str:
        """What the runs are for: a task where one was finetuned, else what most of them can do."""
        tasks = [mode for mode in self._modes if mode not in LANGUAGE_MODES]
        return tasks[0] if tasks else FILL

    def _choose(self, mode: str) -> None:
        self._services.settings.set(MODE, mode)
        self._take(mode)
        self._ask()

    def set_mode(self, mode: str) -> None:
        self._segments.set_value(mode)
        self._choose(mode)

    def _take(self, mode: str) -> None:
        self._stop_writing()
        if mode != self.mode:
            for panel in self._panels.values():
                panel.wait()
        self._segments.set_value(mode)
        self._inputs.set_mode(mode)

    def _make_panel(self, item: BenchRun) -> PredictPanel:
        return PredictPanel(item.run.name, theme.current().runs[item.colour], family(item.run.config.family).title)

    # asking

    def _typed(self) -> None:
        if self.mode != WRITE:
            self._wait.start()

    def _ask(self) -> None:
        """All runs that can answer in this mode at once; the others say why not."""
        if not self.isVisible() or not self._session.bench:
            return
        share_width({self._panels[item.path]: not _why_not(item.run, self.mode) for item in self._session.bench}, ASIDE)
        if self.mode == WRITE:
            for item in self._session.bench:
                panel = self._panels[item.path]
                if why := _why_not(item.run, WRITE):
                    panel.say(why)
                elif panel.written.tokens:
                    panel.show_written()
                elif self._call is None or not self._call.wanted:  # else it is about to write
                    panel.say(tr("Press “Write”."))
            return
        inputs = self._inputs.values()
        questions: list[tuple[str, dict[str, Any]]] = []
        self._asked = []
        for item in self._session.bench:
            if why := _why_not(item.run, self.mode):
                self._panels[item.path].say(why)
                continue
            kind, rest = (self.mode, inputs) if self.mode in LANGUAGE_MODES else ("task", {"inputs": inputs})
            questions.append((kind, {"run": str(item.path), "checkpoint": self._which.of(item.run), **rest}))
            self._asked.append(item.path)
        if questions:
            self._send(questions, partial(self._answered, self.mode, inputs, tuple(self._asked)))

    def write(self) -> None:
        """Let every run that can go on with the text."""
        questions, self._asked = [], []
        for item in self._session.bench:
            if _why_not(item.run, WRITE):
                continue
            questions.append((WRITE, {"run": str(item.path), "checkpoint": self._which.of(item.run), **self._inputs.values(), **self._inputs.how()}))
            self._panels[item.path].begin_writing()
            self._written[item.path] = []
            self._asked.append(item.path)
        if questions:
            self._inputs.set_writing(True)
            self._send(questions, partial(self._wrote, tuple(self._asked)))

    def _send(self, questions: list[tuple[str, dict[str, Any]]], on_progress: Any) -> None:
        self._call = self._services.engine.call("core.analysis.predict_window:answer", {"questions": questions}, on_done=self._done,
                                                on_error=self._refused, on_progress=on_progress, key=KEY, owner=self)

    def _answered(self, mode: str, inputs: dict[str, str], paths: tuple[Path, ...], place: int, answer: dict[str, Any]) -> None:
        panel = self._panels.get(paths[place])
        if panel is None or mode != self.mode:
            return
        if "error" in answer:
            panel.say(f"{answer['error']} {answer['hint']}".strip())
            return
        panel.show_blocks(blocks_of(mode, answer, inputs))
        self._note(paths[place], answer)

    def _wrote(self, paths: tuple[Path, ...], place: int, answer: dict[str, Any]) -> None:
        panel = self._panels.get(paths[place])
        if panel is None or self.mode != WRITE:
            return
        if "error" in answer:
            panel.say(f"{answer['error']} {answer['hint']}".strip())
        else:
            self._written[paths[place]].append(answer)
            self._show_written(paths[place], (answer,))

    def _show_written(self, path: Path, answers: Sequence[dict[str, Any]]) -> None:
        self._panels[path].written.add(*(answer for answer in answers if "token" in answer))
        for answer in answers:
            if "ended" in answer:
                self._panels[path].ended.setText(tr("It ended the text itself.") if answer["ended"] == "stopped" else "")
                self._note(path, answer)

    def _note(self, path: Path, answer: dict[str, Any]) -> None:
        item = self._session.on_bench(path)
        if item is not None and "step" in answer:
            title = family(item.run.config.family).title
            words = f"{title} · " + step_in_words(answer["step"], item.run.best_step())
            self._panels[path].set_note(words + (" · " + tr("{count} tokens cut off", count=answer["cut"]) if answer.get("cut") else ""))

    def _done(self, _count: int) -> None:
        self._inputs.set_writing(False)

    def _refused(self, message: str, hint: str) -> None:
        self._inputs.set_writing(False)
        for path in self._asked:
            if path in self._panels:
                self._panels[path].say(sentences(message, hint))

    def _stop_writing(self) -> None:
        self._services.engine.cancel(self._call)
        self._call = None
        self._inputs.set_writing(False)

    def _events(self, path: str, events: list) -> None:
        """A run that is being trained has saved another checkpoint: it may say something else now."""
        saved = any(isinstance(event, CheckpointSaved) for event in events)
        if saved and self._session.on_bench(Path(path)) is not None:
            self._which.show_for([item.run for item in self._session.bench])
        if saved and self.mode != WRITE and self._session.on_bench(Path(path)) is not None:
            self._wait.start()


def _why_not(run: Run, mode: str) -> str:
    """Why a run cannot be asked in that mode; empty where it can."""
    task, made = task_of(run), family(run.config.family)
    if mode not in LANGUAGE_MODES:
        if task == mode:
            return ""
        return tr("It was finetuned for another task.") if task else tr("It has not been finetuned for a task yet.")
    if task:
        return tr("It was finetuned; ask the run that it came from.")
    if "static_vectors" in made.capabilities:
        return tr("{family} has one vector for each word, whatever the sentence says. It gives no probabilities.", family=made.title)
    if mode == WRITE and "generate" not in made.capabilities:
        return tr("{family} does not write on; GPT does.", family=made.title)
    if mode == NEXT and "fill_mask" in made.capabilities:
        return tr("{family} reads both sides of a word, so there is nothing that it sees as next. Ask it to fill a gap.", family=made.title)
    return ""
