"""A linear probe of every layer of every run, for the senses or for any labelled column, beside its control task."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QBoxLayout, QFileDialog, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.picture import PictureButton
from gui.specimen_store import sense_title
from gui.views.senses.answers import Question, question
from gui.views.senses.legend import DirectionChoice
from gui.views.senses.state import Redraw, Shared, checkpoints_of, is_joined, line_name, why_empty
from gui.widgets.folding import FoldingSegments
from gui.widgets.labels import button, label, row
from gui.widgets.line_chart import Line
from gui.widgets.noted_chart import NotedChart

SENSES, FILE = "senses", "file"


class ProbePage(QWidget):
    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self._session, self._services = session, services = shared.session, shared.services
        self._answers, self._choices = shared.answers, shared.choices
        self._path = ""
        self._rows_drawn: list[list[object]] = []
        self.controls = DirectionChoice(shared.choices, self)
        self.controls.hide()
        self._what = FoldingSegments({SENSES: tr("Senses"), FILE: tr("A file")}, SENSES, tips={
            SENSES: tr("The senses of the specimens at the right."), FILE: tr("A tsv file with the columns word, text and label.")})
        self._what.chosen.connect(self._choose)
        self._file = button("", self._ask_file, icon="folder")
        self._file.hide()
        self._board = NotedChart()
        picture = PictureButton(self._board.picture, "probe", messages=services.messages, settings=services.settings, rows=self._rows)
        shared.choices.restored.connect(self._take_labels)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.S)
        self._title = label(tr("Read off the vectors:"))
        self._choice = row(None, self._what, self._file, picture)
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._head.setSpacing(theme.S)
        self._head.addWidget(self._title)
        self._head.addWidget(self._choice, 1)
        whole.addLayout(self._head)
        whole.addWidget(self._board, 1)
        self._redraw = Redraw(self, self._draw, shared.answers)
        for signal in (session.benchChanged, session.specimensChanged, shared.choices.changed, services.processes.changed):
            signal.connect(self._redraw.soon)
        self._take_labels()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._redraw.soon()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """The title stands in a line of its own where there is no room for it beside the choice."""
        wanted = self._title.sizeHint().width() + self._choice.sizeHint().width() + theme.S
        self._head.setDirection(QBoxLayout.Direction.TopToBottom if wanted > self.width() else QBoxLayout.Direction.LeftToRight)

    def _choose(self, name: str) -> None:
        if name == FILE and not self._path:
            self._ask_file()
        self._keep()

    def _keep(self) -> None:
        self._file.setVisible(self._what.value == FILE)
        self._arrange()
        self._choices.set(labels=self._path if self._what.value == FILE else "")
        self._redraw.soon()

    def _take_labels(self) -> None:
        """As they are remembered."""
        if path := self._choices.state.labels:
            self.open_file(Path(path))
        else:
            self._what.set_value(SENSES)
            self._keep()

    def _ask_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, tr("Open labelled words"), "", tr("Labelled words (*.tsv);;All files (*)"))
        if name:
            self.open_file(Path(name))
        elif not self._path:
            self._what.set_value(SENSES)

    def open_file(self, path: Path) -> None:
        """Probe for the labels of that file."""
        self._path = str(path)
        self._what.set_value(FILE)
        self._file.setText(path.name)
        self._keep()

    def _draw(self) -> None:
        session = self._session
        self._answers.about(session.specimens)
        words, _ = why_empty(session)
        if words:
            self._say(words)
            return
        self.controls.setVisible(self.isVisible() and any(is_joined(item.run) for item in session.bench))
        path = self._path if self._what.value == FILE else ""
        asked: list[Question] = []
        lines: list[Line] = []
        notes: list[str] = []
        self._rows_drawn = []
        facts = None
        for item in session.bench:
            wanted = question("probe", run=str(item.path), path=path, direction=self._choices.direction_of(item.run), stamp=(checkpoints_of([item]),
                              _changed(path)))
            asked.append(wanted)
            answer = self._answers.get(wanted)
            if answer is None:
                continue
            if "error" in answer:
                notes.append(f"{item.run.name}: {answer['error']} {answer['hint']}".strip())
                continue
            facts = answer
            title = line_name(item.run, self._choices.direction)
            colour, places = theme.current().runs[item.colour], range(len(answer["layers"]))
            lines.append(Line(name=title, colour=colour, x=places, y=[layer["accuracy"] for layer in answer["layers"]]))
            lines.append(Line(name="", said=tr("{name}, control", name=title), colour=colour, x=places, dashed=True,
                              y=[layer["control"] for layer in answer["layers"]]))
            best = max(answer["layers"], key=lambda layer: layer["selectivity"])
            notes.append(tr("{name}: at best {accuracy:.0%}, control {control:.0%}, selectivity {selectivity:.0%} (layer {layer}).", name=title,
                            accuracy=best["accuracy"], control=best["control"], selectivity=best["selectivity"],
                            layer=answer["layers"].index(best)))
            self._rows_drawn += [[item.run.name, place, layer["accuracy"], layer["control"], layer["selectivity"]]
                                 for place, layer in enumerate(answer["layers"])]
        self._redraw.ask(asked)
        if facts is None:
            self._say(" ".join(notes) if len(notes) == len(asked) else tr("Probing..."))
            return
        self._show(lines, notes, facts)

    def _show(self, lines: list[Line], notes: list[str], facts: dict) -> None:
        deepest = max(len(line.x) for line in lines)
        grey = theme.current().text_soft
        legend = Line(name=tr("dashed: control task, random labels"), colour=grey, x=(), y=(), dashed=True)
        self._board.chart.set_lines([*lines, legend], x_title=tr("Layer"), y_title=tr("accuracy, cross-validated"), percent=True,
                              names={0.0: tr("embeddings"), **{float(x): str(x) for x in range(1, deepest)}},
                              level=(facts["majority"], tr("always the most frequent label {share:.0%}", share=facts["majority"])))
        title = str if self._what.value == FILE else partial(sense_title, self._session.word)
        labels = ", ".join(f"{title(name)} {count}" for name, count in list(facts["labels"].items())[:8])
        control = tr("The control gives each of the {count} words one random label wherever it stands.", count=facts["types"]) \
            if facts["control_by"] == "type" else tr("With one word only, the control gives each sentence a random label.")
        notes += [tr("{count} examples: {labels}.", count=facts["examples"], labels=labels), control]
        if facts["few"]:
            notes.append(tr("With so few words the control is easy: each can be learned by heart."))
        if facts["left_out"]:
            notes.append(tr("{count} examples are left out: the model does not know the word, or the label is too rare.", count=facts["left_out"]))
        self._board.show_chart(" ".join(notes))

    def _say(self, words: str) -> None:
        self._board.say(words)

    def _rows(self) -> tuple[list[str], list[list[object]]]:
        return ["run", "layer", "accuracy", "control", "selectivity"], self._rows_drawn


def _changed(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns if path else 0
    except OSError:
        return 0
