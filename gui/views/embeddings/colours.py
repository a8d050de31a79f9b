"""The colours of a map's points: by a column of what is known of them, or by cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from core.i18n import tr
from core.pictures import palette
from gui import theme
from gui.widgets.axes import short
from gui.widgets.labels import label, tell
from gui.widgets.point_legend import Legend

KMEANS, HDBSCAN, COUNT = "kmeans", "hdbscan", "count"
FIRST_SHADE = 70  # of the ramp: fainter ones are lost on the surface
MOST_LEGEND = 9


class ColourControls(QWidget):
    """changed(): another column, or another number of clusters."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._combo = QComboBox(accessibleName=tr("Colour"))
        self._combo.activated.connect(self._tell)
        self._clusters = QSpinBox(minimum=2, maximum=8, value=8)
        self._clusters.valueChanged.connect(self._tell)
        self._many = label(tr("Clusters"), "soft")
        self._said = label("", "small", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addWidget(self._combo)
        line = QHBoxLayout()
        line.addWidget(self._many)
        line.addWidget(self._clusters)
        line.addStretch(1)
        column.addLayout(line)
        column.addWidget(self._said)
        self.set_columns((), countable=False)

    @property
    def colour(self) -> str:
        return self._combo.currentData() or ""

    @property
    def clusters(self) -> int:
        return self._clusters.value()

    def set_columns(self, names: Any, *, countable: bool, keep: str = "", clusters: int = 8) -> None:
        """names: of the columns. countable: whether a text can be counted. keep: the one that stays chosen where it is there."""
        self._combo.clear()
        self._combo.addItem(tr("One colour"), "")
        for name in names:
            self._combo.addItem(column_title(name), name)
        if countable:
            self._combo.addItem(tr("Frequency in the text"), COUNT)
        self._combo.addItem(tr("Clusters: k-means"), KMEANS)
        self._combo.addItem(tr("Clusters: HDBSCAN"), HDBSCAN)
        self._combo.setCurrentIndex(max(self._combo.findData(keep), 0))
        self._clusters.blockSignals(True)
        self._clusters.setValue(clusters)
        self._clusters.blockSignals(False)
        self._show_clusters()

    def say(self, words: str, error: bool = False) -> None:
        tell(self._said, words, error)

    def _tell(self, *_: object) -> None:
        self._show_clusters()
        self.say("")
        self.changed.emit()

    def _show_clusters(self) -> None:
        for widget in (self._clusters, self._many):
            widget.setVisible(self.colour == KMEANS)


def column_title(name: str) -> str:
    """What a column is called; those of a file have their own names."""
    return {"rank": tr("Rank by frequency"), "row": tr("Place in the list"), "script": tr("Writing"),
            "length": tr("Length of the vector"), "word": tr("Word"), "place": tr("Place in the sentence"),
            "sentence": tr("Length of the sentence"), COUNT: tr("Frequency in the text"), KMEANS: tr("Cluster"),
            HDBSCAN: tr("Cluster")}.get(name, name)


def value_title(name: str, value: str) -> str:
    if name != "script":
        return value
    return {"han": tr("Chinese characters"), "latin": tr("Latin letters"), "digits": tr("digits"), "signs": tr("signs"), "mixed": tr("mixed"),
            "other": tr("other letters")}.get(value, value)


def by_values(name: str, values: np.ndarray | list[str]) -> Mapping[str, Any]:
    """{"colours": (n,) indices, "rgb", "symbols", "legend"} for numbers (n,), or names: the eight most frequent get a colour."""
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        return _by_numbers(name, values)
    counted = Counter(values)
    names = [value for value, _ in counted.most_common(len(theme.current().senses))]
    place = {value: number for number, value in enumerate(names)}
    rest = len(counted) > len(names)
    colours = np.array([place.get(value, len(names)) for value in values], np.int32)
    titles = [f"{value_title(name, value) or '–'}  {counted[value]:,}" for value in names]
    if rest:
        titles.append(tr("others") + f"  {int((colours == len(names)).sum()):,}")
    return _categories(column_title(name), colours, titles, len(names), rest)


def by_clusters(name: str, labels: np.ndarray, sizes: list[int]) -> Mapping[str, Any]:
    """labels: (n,) integers, the greatest cluster 0, -1 for none."""
    shown = min(len(sizes), len(theme.current().senses))
    colours = np.where((labels >= 0) & (labels < shown), labels, shown).astype(np.int32)
    titles = [f"{number + 1}  {size:,}" for number, size in enumerate(sizes[:shown])]
    rest = int((colours == shown).sum())
    if rest:
        titles.append((tr("in none") if len(sizes) <= shown else tr("others")) + f"  {rest:,}")
    return _categories(column_title(name), colours, titles, shown, bool(rest))


def _categories(title: str, colours: np.ndarray, titles: list[str], shown: int, rest: bool) -> Mapping[str, Any]:
    rgb = np.array([_rgb(theme.sense_colour(number)) for number in range(shown)] + [_rgb(QColor(theme.current().border_strong))], np.uint8)
    symbols = [theme.sense_symbol(number) for number in range(shown)] + ["o"]
    legend = Legend(title=title, names=titles[:MOST_LEGEND], rgb=rgb, symbols=symbols)
    return {"colours": colours, "rgb": rgb, "symbols": symbols, "legend": legend}


def _by_numbers(name: str, values: np.ndarray) -> Mapping[str, Any]:
    """By the place of each among all, so that a few great ones do not leave the others one colour."""
    good = np.isfinite(values)
    ramp = palette.ramp(theme.current().dark)[FIRST_SHADE:]
    if name in ("rank", "row"):
        ramp = ramp[::-1]  # the first ones are the strong ones
    place = np.zeros(len(values))
    if good.any():
        _, back, many = np.unique(values[good], return_inverse=True, return_counts=True)
        before = np.cumsum(many) - many  # how many are smaller
        place[good] = (before / max(before[-1], 1))[back]
    rgb = np.vstack([ramp, [_rgb(QColor(theme.current().border_strong))]])
    colours = np.where(good, np.rint(place * (len(ramp) - 1)), len(ramp)).astype(np.int32)
    low, high = (short(float(part)) for part in (values[good].min(), values[good].max())) if good.any() else ("", "")
    return {"colours": colours, "rgb": rgb, "symbols": ("o",), "legend": Legend(title=column_title(name), rgb=ramp, low=low, high=high)}


def _rgb(colour: QColor) -> tuple[int, int, int]:
    return colour.red(), colour.green(), colour.blue()
