"""One study: its learning curves as far as they have come, a table of the means, and the buttons that stop it and let it go on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from core import study_process
from core.errors import UserError
from core.i18n import sentences, tr
from core.registry import task
from core.study import METHODS, RESULTS, method_titles, read_study
from gui import theme
from gui.forms.editors import show_value
from gui.forms.option_titles import option_title
from gui.picture import PictureButton
from gui.second_stage import metric_title
from gui.views import Services
from gui.widgets.band_curves import BandCurve, BandCurves
from gui.widgets.elided import Elided
from gui.widgets.labels import Card, button, label
from gui.widgets.panes import Panes
from gui.widgets.rows_table import RowsTable

LOOK_MS = 500
ENDS = ("steps", "epochs", "minutes")  # 0: not that one
PROGRESS = re.compile(r"\d+/\d+  ")  # how a line begins that says at what it is, see core.train.study
TABLE_HEIGHT, LEAST_CHART = 190, 240


class StudyPage(QWidget):
    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._folder: Path | None = None
        self._seen: tuple = ()
        self._found: dict[str, Any] | None = None
        self._title = Elided("", "heading")
        self._words = label("", "small")
        self._bar = QProgressBar(maximum=1000, textVisible=False)
        self.stop_button = button(" " + tr("Stop"), self._stop, icon="stop")
        self.go_button = button(" " + tr("Continue"), self._go, icon="play")
        self._problem = label("", "error", wrap=True)
        self._options = label("", "caption", wrap=True)
        self._warning = label("", "warning", wrap=True)
        self.chart = BandCurves(tr("Labelled examples"), "")
        self._verdict = label("", "large", wrap=True)
        self.table = RowsTable([""])
        self.table.setFixedHeight(theme.scaled(TABLE_HEIGHT))
        self._picture = Card()
        self._picture.column.addWidget(self._verdict)
        self._picture.column.addWidget(self._warning)
        self._picture.column.addWidget(self._options)
        self._picture.column.addWidget(self.chart, 1)
        self.save = PictureButton(self._picture, name=self._name, rows=self._rows, messages=services.messages, settings=services.settings)
        head = QHBoxLayout()
        head.setSpacing(theme.S)
        head.addWidget(self._title, 1)
        for part in (self._words, self.go_button, self.stop_button, self.save):
            head.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.S)
        layout.addLayout(head)
        layout.addWidget(self._bar)
        layout.addWidget(self._problem)
        self.chart.setMinimumHeight(theme.scaled(LEAST_CHART))
        panes = Panes(QBoxLayout.Direction.TopToBottom)  # long words in large letters scroll
        panes.box.addWidget(self._picture, 1)
        panes.box.addWidget(self.table)
        layout.addWidget(panes, 1)
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)

    @property
    def folder(self) -> Path | None:
        return self._folder

    def show_study(self, folder: Path) -> None:
        self._folder, self._seen, self._found = folder, (), None
        self.chart.set_curves([], [])
        self.table.set_rows([], [""])
        self._verdict.setText("")
        self._tell("", "")
        self.look()
        self._timer.start()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        if self._folder is not None:
            self._timer.start()

    # what has come out

    def look(self) -> None:
        """Read what is new."""
        if self._folder is None:
            return
        alive = study_process.pid(self._folder) is not None
        results = self._folder / RESULTS
        state = (alive, results.stat().st_size if results.exists() else -1, (self._folder / "plan.json").exists())
        if state == self._seen:
            return
        self._seen = state
        try:
            self._found = read_study(self._folder)
        except UserError:
            self._found = None  # it has not read its files yet, or never could
        self._draw(alive)

    def _draw(self, alive: bool) -> None:
        found = self._found
        done, total = (found["done"], found["total"]) if found else (0, 0)
        finished = bool(total) and done >= total
        self.stop_button.setVisible(alive)
        self.go_button.setVisible(not alive and not finished)
        self._bar.setVisible(alive or (bool(total) and not finished))
        self._bar.setRange(0, 1000 if total else 0)
        self._bar.setValue(round(1000 * done / total) if total else 0)
        failed = not alive and not finished and not study_process.was_stopped(self._folder)
        self._problem.setText(_reason(study_process.log_tail(self._folder)) if failed else "")
        self._problem.setVisible(bool(self._problem.text()))
        if found is None:
            self._words.setText(tr("reading the files") if alive else tr("not under way"))
            self._title.setText(self._folder.name)
            return
        state = tr("finished") if finished else tr("{done} of {total}", done=done, total=total) if alive else \
            tr("failed at {done} of {total}", done=done, total=total) if failed else tr("stopped at {done} of {total}", done=done, total=total)
        self._words.setText(state)
        self._title.setText(f"{Path(found['pretrained']).name}  ·  {tr(task(found['task']).title)}  ·  "
                            + (tr("{count} seeds", count=len(found["seeds"])) if len(found["seeds"]) > 1 else tr("1 seed")))
        self.chart.set_y_title(metric_title(found["metric"]))
        self.chart.set_curves(curves_of(found), found["counts"])
        self.table.set_rows(*_table(found))
        self._verdict.setText(verdict(found))
        words = [options_in_words(found.get("options", {}))]
        if len(found["seeds"]) > 1:
            words.append(tr("{count} seeds, mean ± standard deviation", count=len(found["seeds"])))
        self._tell("   ".join(words), sentences(*found.get("warnings", ())))

    def _tell(self, options: str, warning: str) -> None:
        for part, words in ((self._options, options), (self._warning, warning)):
            part.setText(words)
            part.setVisible(bool(words))

    def _stop(self) -> None:
        study_process.stop(self._folder)
        self.look()

    def _go(self) -> None:
        with self._services.messages.guard():
            study_process.start(self._folder)
            self._seen = ()
        self.look()

    # what leaves

    def _name(self) -> str:
        return self._folder.name if self._folder is not None else "worth"

    def _rows(self) -> tuple[list[str], list[list[object]]]:
        header = ["method", "labels", "mean", "spread", "values"]
        curves = self._found["curves"] if self._found else {}
        return header, [[method, one["labels"], one["mean"], one["spread"], " ".join(f"{value:.4f}" for value in one["values"])]
                        for method, points in curves.items() for one in points]


def method_colours() -> dict[str, str]:
    look = theme.current()
    return {"pretrained": look.accent, "scratch": look.senses[1], "tfidf": look.senses[2], "majority": look.text_faint}


def curves_of(found: dict[str, Any]) -> list[BandCurve]:
    titles, colours, made = method_titles(), method_colours(), []
    for method in METHODS:
        points = found["curves"].get(method, [])
        dots = [(one["labels"], value) for one in points for value in one["values"] if len(one["values"]) > 1]
        made.append(BandCurve(name=titles[method], colour=colours[method], x=[one["labels"] for one in points], mean=[one["mean"] for one in points],
                              spread=[one["spread"] for one in points], dots=dots, dashed=method == "majority"))
    return [curve for curve in made if len(curve.x)]


def options_in_words(options: Mapping[str, Any]) -> str:
    """With which options it was compared, the files and columns aside."""
    named = {key.partition(".")[2] or key: value for key, value in options.items()}
    shown = [f"{option_title(name)} {show_value(name, value)}" for name, value in named.items()
             if not name.startswith(("train_file", "dev_file", "column_")) and not (name in ENDS and float(value) == 0)]
    return tr("Both networks learn with: {options}", options=", ".join(shown)) if shown else tr("Both networks learn with the usual options.")


def verdict(found: dict[str, Any]) -> str:
    """What can be said of the smallest count at which both ways have been measured, and how the plain method does there."""
    curves = {method: {one["labels"]: one for one in found["curves"].get(method, [])} for method in ("pretrained", "scratch", "tfidf")}
    both = sorted(set(curves["pretrained"]) & set(curves["scratch"]))
    words = [_of_two(found, curves, both[0])] if both else []
    if both and (plain := curves["tfidf"].get(both[0])):
        words.append(tr("Counting n-grams reaches {value}.", value=f"{plain['mean']:.3f}"))
    return sentences(*words)


def _of_two(found: dict[str, Any], curves: dict[str, dict[int, Any]], count: int) -> str:
    """No more than the spreads allow."""
    pretrained, scratch = curves["pretrained"][count], curves["scratch"][count]
    gain, spread = pretrained["mean"] - scratch["mean"], pretrained["spread"] + scratch["spread"]
    few = min(len(pretrained["values"]), len(scratch["values"])) < 2
    words = {"count": count, "metric": metric_title(found["metric"]), "one": f"{pretrained['mean']:.3f}", "other": f"{scratch['mean']:.3f}"}
    if few:
        return tr("With {count:,} labelled examples: {metric} {one} pretrained, {other} from scratch (one seed so far).", **words)
    if gain > spread:
        return tr("With {count:,} labelled examples pretraining is worth it: {metric} {one} against {other}.", **words)
    if -gain > spread:
        return tr("With {count:,} labelled examples pretraining does harm: {metric} {one} against {other}.", **words)
    return tr("With {count:,} labelled examples no difference beyond the spread: {metric} {one} against {other}.", **words)


def _table(found: dict[str, Any]) -> tuple[list[list[Any]], list[str]]:
    """A row a method, a column a count: mean ± spread."""
    rows = []
    for method, title in method_titles().items():
        points = {one["labels"]: one for one in found["curves"].get(method, [])}
        if points:
            rows.append([title, *(_cell(points.get(count)) for count in found["counts"])])
    return rows, ["", *(f"{count:,}" for count in found["counts"])]


def _cell(point: dict[str, Any] | None) -> str:
    if point is None:
        return "–"
    return f"{point['mean']:.3f} ± {point['spread']:.3f}" if len(point["values"]) > 1 else f"{point['mean']:.3f}"


def _reason(log: str) -> str:
    """The last words of a process that has failed; none where it was cut off at its work."""
    lines = [line for line in log.splitlines() if line.strip()]
    at_work = max((number for number, line in enumerate(lines, 1) if PROGRESS.match(line)), default=0)
    return " ".join(lines[at_work:][-2:])
