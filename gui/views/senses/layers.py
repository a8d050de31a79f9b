"""A curve over the layers for every run on the bench: how far the senses are apart in each, beside the two controls."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.i18n import tr
from core.registry import family
from gui import theme
from gui.picture import PictureButton
from gui.session import BenchRun
from gui.views.senses.answers import Question, question
from gui.views.senses.legend import DirectionChoice
from gui.views.senses.state import ADJUSTED, ANISOTROPY, AUC, RIGHT, SIMILAR, Redraw, Shared, checkpoints_of, is_joined, line_name, why_empty
from gui.widgets.folding import FoldingSegments
from gui.widgets.labels import row
from gui.widgets.line_chart import Band, Line
from gui.widgets.noted_chart import NotedChart

OF_SENSES = (AUC, RIGHT)  # the other measures know no labels


class LayersPage(QWidget):
    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self._session, self._services = session, services = shared.session, shared.services
        self._answers, self._choices = shared.answers, shared.choices
        self._rows_drawn: list[list[object]] = []
        self.controls = DirectionChoice(shared.choices, self)
        self.controls.hide()
        self._measures = FoldingSegments({AUC: "AUC", RIGHT: tr("accuracy"), SIMILAR: tr("self-similarity"), ANISOTROPY: tr("anisotropy"),
                                   ADJUSTED: tr("adjusted")}, shared.choices.state.measure, tips={
            AUC: tr("The share of pairs in which two sentences of the same sense are nearer than two of different senses; one half is chance."),
            RIGHT: tr("The share of sentences that are nearest to the group of their own sense."),
            SIMILAR: tr("The mean cosine of the word with itself in two sentences; 1 where it has one vector."),
            ANISOTROPY: tr("The mean cosine of two words drawn at random: how much all vectors point the same way."),
            ADJUSTED: tr("Self-similarity less anisotropy (Ethayarajh 2019).")})
        self._measures.chosen.connect(self._choose)
        self._board = NotedChart()
        picture = PictureButton(self._board.picture, "layers", messages=services.messages, settings=services.settings, rows=self._rows)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.S)
        whole.addWidget(row(self._measures, None, picture))
        whole.addWidget(self._board, 1)
        self._redraw = Redraw(self, self._draw, shared.answers)
        for signal in (session.benchChanged, session.specimensChanged, session.stepChanged, shared.choices.changed, services.processes.changed):
            signal.connect(self._redraw.soon)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._redraw.soon()

    def _choose(self, name: str) -> None:
        self._choices.set(measure=name)

    def _draw(self) -> None:
        session, measure = self._session, self._choices.state.measure
        self._measures.set_value(measure)
        self._answers.about(session.specimens)
        words, _ = why_empty(session)
        if words:
            self._say(words)
            return
        self.controls.setVisible(self.isVisible() and any(is_joined(item.run) for item in session.bench))
        asked: list[Question] = []
        lines: list[Line] = []
        found: list[dict[str, Any]] = []
        notes: list[str] = []
        for item in session.bench:
            wanted = self._question(item, measure)
            if wanted is None:
                notes.append(tr("{name}: no probe and no checkpoint yet.", name=item.run.name))
                continue
            asked.append(wanted)
            answer = self._answers.get(wanted)
            if answer is None:
                continue
            if "error" in answer:
                notes.append(f"{item.run.name}: {answer['error']} {answer['hint']}".strip())
                continue
            found.append(answer)
            values = [layer[measure] for layer in answer["layers"]]
            name = line_name(item.run, self._choices.direction)
            lines.append(Line(name=name, colour=theme.current().runs[item.colour], x=range(len(values)), y=values,
                              interval=[layer["interval"] for layer in answer["layers"]] if measure == RIGHT else ()))
        bags = [self._bag(item) for item in session.bench] if measure in OF_SENSES else []
        self._redraw.ask(asked, bags)
        if not lines:
            self._say(" ".join(notes) or tr("Measuring..."))
            return
        self._show(measure, lines, found, [self._answers.get(bag) for bag in bags], notes)

    def _show(self, measure: str, lines: list[Line], answers: list[dict[str, Any]], bags: list[dict[str, Any] | None], notes: list[str]) -> None:
        deepest = max(len(line.x) for line in lines)
        bands, level = [], None
        if measure in OF_SENSES:
            chance = 0.5 if measure == AUC else 1 / max(answer["senses"] for answer in answers)
            level = (chance, tr("chance {value:g}", value=chance) if measure == AUC else tr("chance {share:.0%}", share=chance))
            key = "shuffled_auc" if measure == AUC else "shuffled_accuracy"
            low = [min(answer["layers"][x][key][0] for answer in answers if x < len(answer["layers"])) for x in range(deepest)]
            high = [max(answer["layers"][x][key][1] for answer in answers if x < len(answer["layers"])) for x in range(deepest)]
            bands.append(Band(name=tr("shuffled labels"), x=range(deepest), low=low, high=high))
            known = [(bag["source"], bag["all"]) for bag in bags if bag and "source" in bag]
            for place, (source, measures) in enumerate(known):
                if (source, measures) in known[:place]:  # runs share one; two of one name do not
                    continue
                value = measures[measure]
                ends = measures["interval"] if measure == RIGHT and measures["interval"] else (value, value)
                room = 0.0 if ends[1] > ends[0] else 0.004  # a line, where there is no interval
                bands.append(Band(name=tr("bag of context, {name}", name=source), x=range(deepest), low=[ends[0] - room] * deepest,
                                  high=[ends[1] + room] * deepest, hatched=True))
            notes.append(tr("The bag of context is the mean vector of the other words: a layer above it reads more than who stands nearby."))
        else:
            notes.append(self._about(measure, answers))
        names = {0.0: tr("embeddings"), **{float(x): str(x) for x in range(1, deepest)}}
        self._board.chart.set_lines(lines, bands=bands, x_title=tr("Layer"), y_title=self._measures.button(measure).text(), names=names, level=level,
                              percent=measure == RIGHT)
        self._board.show_chart(" ".join(notes))
        self._rows_drawn = [[line.name, measure, x, y] for line in lines for x, y in zip(line.x, line.y, strict=True)]
        self._rows_drawn += [[band.name, measure, x, low, high] for band in bands for x, low, high in zip(band.x, band.low, band.high, strict=True)]

    def _about(self, measure: str, answers: list[dict[str, Any]]) -> str:
        """What the measures without labels stand on."""
        if measure == SIMILAR:
            return tr("1 means one vector in every sentence. It says little where all vectors point the same way: see adjusted.")
        count = min(answer["words"] for answer in answers)
        source = tr("the specimens' sentences, since the run's text cannot be read any more") if any(
            answer["source"] == "sentences" for answer in answers) else tr("different documents of the run's own text")
        return tr("Two words are drawn at random from {source}: {count:,} words. At the newest checkpoint.", source=source, count=count)

    def _question(self, item: BenchRun, measure: str) -> Question | None:
        run, direction = item.run, self._choices.direction_of(item.run)
        probes, checkpoints = run.probe_steps(), run.checkpoint_steps()
        if measure in (ANISOTROPY, ADJUSTED):
            return question("anisotropy", run=str(run.path), direction=direction, stamp=checkpoints_of([item])) if checkpoints else None
        step = self._session.step_of(probes or checkpoints)
        if step is None:
            return None
        return question("layers", run=str(run.path), step=step, direction=direction, stamp=repr((probes[-1:], checkpoints[-1:])))

    def _bag(self, item: BenchRun) -> Question:
        others = tuple(str(one.path) for one in self._session.bench if "static_vectors" in family(one.run.config.family).capabilities)
        return question("bag", run=str(item.path), others=others, stamp=checkpoints_of(self._session.bench))

    def _say(self, words: str) -> None:
        self._rows_drawn = []
        self._board.say(words)

    def _rows(self) -> tuple[list[str], list[list[object]]]:
        return ["line", "measure", "layer", "value", "high"], self._rows_drawn
