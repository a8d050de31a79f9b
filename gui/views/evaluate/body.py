"""What came of measuring a finetuned run: figures, the confusion matrix or the scatter, the table of classes, and the examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from core.i18n import tr
from core.shares import percent
from gui import theme
from gui.forms.checkpoint_choice import step_in_words
from gui.second_stage import metric_title
from gui.widgets.confusion_matrix import ConfusionMatrix
from gui.widgets.labels import Card, button, label, row
from gui.widgets.rows_table import RowsTable
from gui.widgets.segments import Segments
from gui.widgets.value_scatter import ValueScatter

WORST, WRONG, ALL = "worst", "wrong", "all"
MOST_WORST = 100
CLASS_WIDTH, EXAMPLE_WIDTH = 82, 104
TEXT = 4  # the column of the examples that takes what is left
BESIDE = 900  # pixels of width at zoom 1 from which chart and examples stand side by side
LEAST = {"chart": 190, "classes": 150, "examples": 170}  # pixels of height at zoom 1: where the window has fewer, the body scrolls


class EvaluationBody(QWidget):
    """show_result(answer of core.analysis.evaluate:evaluate)."""

    def __init__(self, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._result: Mapping[str, Any] = {}
        self._shown: list[int] = []  # the places of the examples that stand in the table
        self._figures = QHBoxLayout()
        self._figures.setSpacing(theme.L * 2)
        self._note = label("", "caption", wrap=True)
        self.matrix = ConfusionMatrix()
        self.matrix.clicked.connect(self._cell_clicked)
        self.scatter = ValueScatter(colour, tr("right answer"), tr("its answer"))
        self.scatter.clicked.connect(self._point_clicked)
        self._chart = QStackedWidget()
        self._chart.addWidget(self.matrix)
        self._chart.addWidget(self.scatter)
        self.classes = RowsTable([tr("Label"), tr("precision"), tr("recall"), "F1", tr("count")], stretch=0, widest=CLASS_WIDTH)
        self.examples = RowsTable([tr("Line"), tr("right answer"), tr("its answer"), tr("how sure"), tr("Text")], stretch=TEXT, widest=EXAMPLE_WIDTH)
        self.examples.chosen.connect(self._example_chosen)
        self._pages = Segments({WORST: tr("Worst mistakes"), WRONG: tr("All mistakes"), ALL: tr("All")})
        self._pages.chosen.connect(self._page_chosen)
        self._cell = button("", self._forget_cell, kind="flat", icon="close")
        self._cell.hide()
        self._detail = label("", wrap=True)
        self._detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._left = Card()
        self._left.column.addWidget(self._chart, 3)
        self._left.column.addWidget(self.classes, 2)
        right = Card()
        right.column.addWidget(row(self._pages, None))
        right.column.addWidget(row(self._cell, None))
        right.column.addWidget(self.examples, 1)
        right.column.addWidget(self._detail)
        for name, part in (("chart", self._chart), ("classes", self.classes), ("examples", self.examples)):
            part.setMinimumHeight(theme.scaled(LEAST[name]))
        self.split = split = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False)
        split.addWidget(self._left)
        split.addWidget(right)
        split.setStretchFactor(0, 4)
        split.setStretchFactor(1, 5)
        split.setSizes([480, 600])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.S)
        layout.addLayout(self._figures)
        layout.addWidget(self._note)
        layout.addWidget(split, 1)

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """All examples of the result."""
        return self._result["rows"]

    @property
    def shown(self) -> list[int]:
        return list(self._shown)

    def heightForWidth(self, width: int) -> int:
        """As high as there is room, but not so low that words are cut."""
        return self.layout().minimumHeightForWidth(width)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The examples stand beneath where two tables side by side would be cut."""
        super().resizeEvent(event)
        self.split.setOrientation(Qt.Orientation.Horizontal if self.width() >= theme.scaled(BESIDE) else Qt.Orientation.Vertical)

    def show_result(self, result: Mapping[str, Any]) -> None:
        self._result = result
        self._show_figures()
        names, counts = list(result["labels"]), result["confusion"]
        numbers = is_number(result)
        self._chart.setVisible(bool(counts) or numbers)
        self._chart.setCurrentWidget(self.scatter if numbers else self.matrix)
        if counts:
            self.matrix.set_matrix(counts, names)
        if numbers:
            self.scatter.set_values(_values(result, "gold"), _values(result, "predicted"))
        classes = [[one["label"], *(float(one[name]) for name in ("precision", "recall", "f1")), int(one["support"])]
                   for one in result["per_class"]]
        self.classes.setVisible(bool(classes))
        self.classes.set_rows(classes)
        self._left.setVisible(bool(counts) or numbers or bool(classes))
        for name, words in ((WORST, tr("Farthest off") if numbers else tr("Worst mistakes")), (WRONG, tr("All mistakes"))):
            self._pages.set_words(name, words)
        self._pages.button(WRONG).setVisible(not numbers)
        self._forget_cell()

    def _show_figures(self) -> None:
        while (item := self._figures.takeAt(0)) is not None:
            if item.widget() is not None:
                item.widget().hide()
                item.widget().deleteLater()
        result = self._result
        order = sorted(result["metrics"], key=lambda name: (name != result["metric"], name == "loss"))
        for name in order:
            made = QWidget()
            column = QVBoxLayout(made)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(0)
            column.addWidget(label(f"{result['metrics'][name]:.3f}", "hero" if name == result["metric"] else "title"))
            column.addWidget(label(metric_title(name), "small"))
            if name in result["intervals"]:
                column.addWidget(label("{:.3f}–{:.3f}".format(*result["intervals"][name]), "caption"))
            self._figures.addWidget(made, 0, Qt.AlignmentFlag.AlignBottom)
        self._figures.addStretch(1)
        words = [tr("{count:,} examples", count=result["examples"]), step_in_words(result["step"], result.get("best"))]
        if result["intervals"]:
            words += [tr("beneath the figures: 95% bootstrap interval over the examples"),
                      tr("always the most frequent label: {share}", share=percent(result["majority"])) if result["labels"] else
                      tr("always the place that is right most often: {share}", share=percent(result["majority"]))]
        words += [f"{one['count']:,} × {one['rule']}" for one in result.get("problem_counts", ())]
        self._note.setText("   ".join(words))

    # the examples

    def _page_chosen(self, _name: str) -> None:
        self._forget_cell()

    def _cell_clicked(self, gold: int, predicted: int) -> None:
        if gold < 0:
            self._forget_cell()
            return
        names = self._result["labels"]
        words = tr("{right} taken for {said}", right=names[gold], said=names[predicted]) if gold != predicted else \
            tr("{right}, recognised", right=names[gold])
        self._cell.setText(f" {words}")
        self._cell.show()
        self._show_examples((names[gold], names[predicted]))

    def _forget_cell(self) -> None:
        self._cell.hide()
        self.matrix.choose(-1, -1)
        self._show_examples()

    def _point_clicked(self, place: int) -> None:
        self._pages.set_value(ALL)
        self._show_examples()
        self.examples.choose(self._shown.index(place))

    def _show_examples(self, cell: tuple[str, str] | None = None) -> None:
        rows, numbers = self._result["rows"], is_number(self._result)
        self._shown = chosen_rows(self._result, self._pages.value, cell)
        header = [tr("Line"), tr("right answer"), tr("its answer"), tr("difference") if numbers else tr("how sure"), tr("Text")]
        self.examples.set_rows([[int(rows[place]["line"]), _words(rows[place]["gold"]), _words(rows[place]["predicted"]),
                                 _off(rows[place]) if numbers else _sure(rows[place]), _words(rows[place]["text"])]
                                for place in self._shown], header)
        self._detail.setText("" if self._shown else tr("There is none."))
        self._detail.setVisible(not self._shown)

    def _example_chosen(self, row: int) -> None:
        one = self._result["rows"][self._shown[row]]
        words = [_words(one["text"])]
        if one.get("detail"):
            words.append(_words(one["detail"]))
        words.append(tr("right: {gold}   said: {predicted}", gold=_words(one["gold"]), predicted=_words(one["predicted"])))
        self._detail.setText("\n".join(words))
        self._detail.show()


def is_number(result: Mapping[str, Any]) -> bool:
    """Whether the answers are numbers, so that there is nothing that is simply wrong."""
    return "spearman" in result["metrics"]


def chosen_rows(result: Mapping[str, Any], page: str, cell: tuple[str, str] | None) -> list[int]:
    """The places of the examples to show: of a cell, or of a page, the worst first."""
    rows = result["rows"]
    if cell is not None:
        return [place for place, one in enumerate(rows) if (one["gold"], one["predicted"]) == cell]
    if page == ALL:
        return list(range(len(rows)))
    if is_number(result):
        off = np.abs(_values(result, "gold") - _values(result, "predicted"))
        return np.argsort(-off, kind="stable")[:MOST_WORST].tolist()
    wrong = [place for place, one in enumerate(rows) if not one["right"]]
    if page == WORST:
        wrong = sorted(wrong, key=lambda place: -(rows[place]["confidence"] or 0.0))[:MOST_WORST]
    return wrong


def _values(result: Mapping[str, Any], name: str) -> np.ndarray:
    return np.array([float(one[name]) for one in result["rows"]])


def _off(one: Mapping[str, Any]) -> float:
    return float(one["predicted"]) - float(one["gold"])


def _sure(one: Mapping[str, Any]) -> float | str:
    return float(one["confidence"]) if one["confidence"] is not None else ""


def _words(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return " | ".join(map(_words, value)) if isinstance(value, list | tuple) else str(value) or "–"
