"""The figures of one run in the view of the senses: as bars, as a table, and the badge of its picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from core.i18n import tr
from gui import theme
from gui.widgets.labels import label
from gui.widgets.measure_chart import Bar, words

SMALLEST = 11  # pixels of its letters


class FiguresTable(QWidget):
    """AUC, silhouette and ARI of all sentences, of the hard ones, and of the two controls."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.XS)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(0, 1)
        heads = (("AUC", tr("The share of pairs in which two sentences of the same sense are nearer than two of different senses; "
                            "one half is chance.")),
                 (tr("Silh."), tr("Silhouette: how much nearer a sentence is to its own sense than to the other; 0 is none, 1 the most.")),
                 ("ARI", tr("Adjusted Rand index: how well groups that are found without the labels agree with the senses; 0 is chance.")))
        self._heads: list[QLabel] = []
        for column, (text, tip) in enumerate(heads, start=1):
            head = label(text, "caption")
            head.setToolTip(tip)
            grid.addWidget(head, 0, column, Qt.AlignmentFlag.AlignRight)
            self._heads.append(head)
        self._cells: dict[str, list[Any]] = {}
        self._names: dict[str, QLabel] = {}
        rows = (("all", tr("all"), ""), ("hard", tr("hard"), tr("The hard sentences alone: words of another sense stand nearby.")),
                ("bag", tr("bag"), tr("The bag of context: the mean vector of the other words of the sentence.")),
                ("shuffled", tr("shuffled"), tr("The same vectors with their labels shuffled; this must be chance.")))
        for place, (key, text, tip) in enumerate(rows, start=1):
            name = label(text, "small")
            name.setToolTip(tip)
            self._names[key] = name
            grid.addWidget(name, place, 0)
            self._cells[key] = [label("", "small") for _ in heads]
            for column, cell in enumerate(self._cells[key], start=1):
                grid.addWidget(cell, place, column, Qt.AlignmentFlag.AlignRight)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Smaller letters rather than cut figures."""
        super().resizeEvent(event)
        size = theme.px("small")
        while size > SMALLEST and self._needed(size) > self.width():
            size -= 1
        style = f"QLabel {{ font-size: {size}px; }}" if size < theme.px("small") else ""
        if style != self.styleSheet():
            self.setStyleSheet(style)

    def _needed(self, size: int) -> int:
        """How wide it is in letters of that size."""
        font = theme.font("small")
        font.setPixelSize(size)
        wide = QFontMetrics(font).horizontalAdvance
        return max(wide(name.text()) for name in self._names.values()) + sum(max(wide(head.text()), wide("-0.00")) + theme.XS for head in self._heads)

    def clear(self) -> None:
        for cells in self._cells.values():
            for cell in cells:
                cell.setText("")

    def show_figures(self, figures: dict[str, Any], bag: dict[str, Any] | None) -> None:
        found = {"all": figures["all"], "hard": figures["hard"], "bag": bag["all"] if bag else {}, "shuffled": figures["shuffled"]}
        for cell in (self._names["hard"], *self._cells["hard"]):
            cell.setVisible(figures["hard"]["specimens"] > 0)
        for key, measures in found.items():
            for cell, name in zip(self._cells[key], ("auc", "silhouette", "ari"), strict=True):
                value = measures.get(name)
                cell.setText("–" if value is None else f"{value + 0.0:.2f}".replace("-0.00", "0.00"))


def bars(figures: dict[str, Any], bag: dict[str, Any] | None) -> list[Bar]:
    """Of all sentences, of the hard ones alone, and of all with the word's place set aside."""
    made = []
    aside = tr("Every vector less the mean of those whose word stands first, last or between, as it does: the place is no sense, but it may "
               "hide one.")
    for key, title, note in (("all", tr("All {count}", count=figures["all"]["specimens"]), ""),
                             ("hard", tr("Hard {count}", count=figures["hard"]["specimens"]), ""), ("place_aside", tr("Place aside"), aside)):
        measures = figures[key]
        if key == "hard" and not measures["specimens"]:
            continue
        made.append(Bar(title=title, value=measures["centroid_accuracy"], interval=measures["interval"],
                        control=bag[key]["centroid_accuracy"] if bag else None,
                        band=figures["shuffled"]["interval"] if key == "all" else None, missing=tr("too few"), note=note))
    return [replace(bar, said=_said(bar)) for bar in made]


def _said(bar: Bar) -> str:
    """All that is drawn of it, as numbers."""
    lines = [f"{bar.title}: {words(bar)}"]
    if bar.note:
        lines.append(bar.note)
    if bar.control is not None:
        lines.append(f"{tr('bag')}: {bar.control:.0%}")
    if bar.band is not None:
        lines.append(f"{tr('shuffled')}: {bar.band[0]:.0%}–{bar.band[1]:.0%}")
    return "\n".join(lines)


def badge_words(quality: dict[str, Any] | None) -> tuple[str, str]:
    """What stands under a picture, and what it means."""
    if quality is None:
        return "", ""
    chance = quality["neighbours"] / max(quality["points"] - 1, 1)
    return (tr("trust {trust:.2f} · kept {recall:.0%}", trust=quality["trustworthiness"], recall=quality["recall"]),
            tr("Trustworthiness {trust:.2f}: 1 where whoever is near in the picture is near in the full space. Of the {count} nearest neighbours "
               "in the full space {recall:.0%} are among the nearest here; by chance it would be {chance:.0%}.",
               trust=quality["trustworthiness"], count=quality["neighbours"], recall=quality["recall"], chance=chance))
