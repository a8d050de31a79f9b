"""The chosen runs' curves: one quantity at a time, of all of them, growing while they are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from core.events import EvalEnd, Event, RunStarted, StepEnd
from core.i18n import tr
from core.runs import Run
from core.sizes import MIB
from gui import theme
from gui.losses import is_mixed, name_in_legend
from gui.second_stage import metric_title
from gui.views import Services
from gui.widgets.curve import Curves
from gui.widgets.labels import label, row
from gui.widgets.series import Growing

AXES = ("steps", "tokens", "time")
FIXED = ("loss", "perplexity", "learning_rate", "grad_norm", "tokens_per_s", "memory", "gpu_memory")  # in this order, whatever else there is
UNSMOOTHED = ("learning_rate", "memory", "gpu_memory")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A run whose curves are drawn. colour: #rrggbb."""

    run: Run
    colour: str
    dashed: bool = False


@dataclass(eq=False)
class Series:
    """A run's numbers: `train` by quantity at every StepEnd, `valid` at every EvalEnd. Each has steps, tokens and time beside it."""

    train_x: dict[str, Growing] = field(default_factory=lambda: {axis: Growing() for axis in AXES})
    train: dict[str, Growing] = field(default_factory=dict)
    valid_x: dict[str, Growing] = field(default_factory=lambda: {axis: Growing() for axis in AXES})
    valid: dict[str, Growing] = field(default_factory=dict)

    def feed(self, events: Sequence[Event]) -> None:
        steps = [event for event in events if isinstance(event, StepEnd)]
        before = len(self.train_x["steps"].values)
        for axis, name in (("steps", "step"), ("tokens", "tokens"), ("time", "elapsed")):
            self.train_x[axis].extend([getattr(event, name) for event in steps])
        for name in ("loss", "learning_rate", "tokens_per_s"):
            _extend(self.train, name, before, [getattr(event, name) for event in steps])
        # 0 says that there is none: word2vec's steps have no gradient of the whole, and a CPU no memory of its own
        _extend(self.train, "grad_norm", before, [event.grad_norm or np.nan for event in steps])
        for name in ("memory", "gpu_memory"):
            _extend(self.train, name, before, [getattr(event, name) / MIB or np.nan for event in steps])
        for name in dict.fromkeys([*self.train, *(name for event in steps for name in event.metrics)]):
            if name not in FIXED:
                _extend(self.train, name, before, [event.metrics.get(name, np.nan) for event in steps])
        checks = [event for event in events if isinstance(event, EvalEnd)]
        before = len(self.valid_x["steps"].values)
        at = np.array([event.step for event in checks], dtype=float)
        self.valid_x["steps"].extend(at)
        for axis in ("tokens", "time"):
            known = self.train_x["steps"].values
            self.valid_x[axis].extend(np.interp(at, known, self.train_x[axis].values) if len(known) else np.zeros(len(at)))
        for name in dict.fromkeys([*self.valid, *(name for event in checks for name in event.metrics)]):
            _extend(self.valid, name, before, [event.metrics.get(name, np.nan) for event in checks])


def _extend(columns: dict[str, Growing], name: str, before: int, values: list[float]) -> None:
    """Add to a column; one that comes up late is empty until then."""
    if name not in columns:
        columns[name] = Growing()
        columns[name].extend([np.nan] * before)
    columns[name].extend(values)


def _told(column: Growing) -> bool:
    """Whether it holds a number, or may yet."""
    return not len(column.values) or bool(np.isfinite(column.values).any())


def quantity_title(name: str) -> str:
    known = {"loss": tr("Loss (nats)"), "perplexity": tr("Perplexity"), "learning_rate": tr("Learning rate"),
             "grad_norm": tr("Gradient norm, before clipping"), "tokens_per_s": tr("Tokens per second"), "memory": tr("Memory (MB)"),
             "gpu_memory": tr("GPU memory (MB)"), "mlm_accuracy": tr("Accuracy of the masked words"),
             "nsp_accuracy": tr("Accuracy of the next sentence"), "mlm_loss": tr("Loss of the masked words"),
             "nsp_loss": tr("Loss of the next sentence"), "lm_loss": tr("Loss of the language model"), "forward_loss": tr("Loss forward"),
             "backward_loss": tr("Loss backward")}
    title = known.get(name) or metric_title(name)
    return title if title != name else name.replace("_", " ").capitalize()


class RunCurves(QWidget):
    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._watcher, self._settings = services.watcher, services.settings
        self._shown: dict[str, Shown] = {}
        self._series: dict[str, Series] = {}
        self._quantity = self._settings.get("runs/quantity", "loss")
        self._chooser = QComboBox(accessibleName=tr("Quantity"))
        self._chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._chooser.activated.connect(self._chosen)
        self._hint = label("", "caption")
        self._room = 0
        self.curves = Curves({"steps": tr("Steps"), "tokens": tr("Tokens"), "time": tr("Time")})
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.head = row(self._hint, self._chooser)  # the view puts it beside the tabs
        self._nothing = label(tr("Choose runs in the table to see their curves."), "soft", wrap=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self._nothing, 1)
        column.addWidget(self.curves, 1)
        self.curves.hide()
        self._watcher.eventsArrived.connect(self._events)
        self.destroyed.connect(_Unwatcher(self._watcher, self._series))
        self._fill_chooser()

    def fit(self, room: int) -> None:
        """room: for the head, beside the tabs, whose names come before the words of the chart."""
        self._room = room
        self._hint.setVisible(self._hint.sizeHint().width() + self._chooser.sizeHint().width() + theme.S <= room)

    @property
    def quantity(self) -> str:
        return self._quantity

    @property
    def shown(self) -> tuple[Shown, ...]:
        return tuple(self._shown.values())

    def show_runs(self, wanted: Sequence[Shown]) -> None:
        """Draw these, and follow them while they are shown."""
        if list(wanted) == list(self._shown.values()):
            return
        paths = {str(item.run.path): item for item in wanted}
        new = [path for path in paths if path not in self._series]
        for path in new:
            self._watcher.watch(path)  # what it reads and tells at once is in the history too
        for path in set(self._series) - set(paths):
            self._watcher.unwatch(path)
            del self._series[path]
        for path in new:
            self._series[path] = Series()
            self._series[path].feed(self._watcher.history(path))
        self._shown = paths
        self._redraw()

    def _events(self, path: str, events: list) -> None:
        series = self._series.get(path)
        if series is None:
            return
        if any(isinstance(event, RunStarted) for event in events):
            self._series[path] = series = Series()  # it went on from an earlier step, or anew: what it wrote after that is void
            series.feed(self._watcher.history(path))
            self._redraw()
            return
        before = len(series.train_x["steps"].values), len(series.valid_x["steps"].values)
        names = set(series.train) | set(series.valid)
        series.feed(events)
        if names != set(series.train) | set(series.valid):
            self._redraw()
            return
        self._append(path, *before)

    def _append(self, path: str, train_from: int = 0, valid_from: int = 0) -> None:
        series = self._series[path]
        known = self.curves.keys()
        for key, columns, xs, start in ((f"{path}/train", series.train, series.train_x, train_from),
                                        (f"{path}/valid", series.valid, series.valid_x, valid_from)):
            if key in known and self._quantity in columns:
                self.curves.append(key, {axis: xs[axis].values[start:].copy() for axis in AXES}, columns[self._quantity].values[start:].copy())

    def _redraw(self) -> None:
        self._nothing.setVisible(not self._shown)
        self.curves.setVisible(bool(self._shown))  # axes without a curve would say something of no run
        self._fill_chooser()
        self.curves.clear()
        both = False
        others = self._quantity == "loss" and is_mixed([item.run for item in self._shown.values()])
        for path, item in self._shown.items():
            series = self._series[path]
            name = name_in_legend(item.run) if others else item.run.name
            trained = self._quantity in series.train and _told(series.train[self._quantity])
            if trained:
                self.curves.add(f"{path}/train", name, item.colour, dashed=item.dashed, smooth=self._quantity not in UNSMOOTHED)
            if self._quantity in series.valid:
                both = both or trained
                called = tr("{name}, validation", name=name) if trained else name
                self.curves.add(f"{path}/valid", called, item.colour, dashed=item.dashed, points=True, smooth=False, legend=not trained)
            self._append(path)
        self._hint.setText(tr("lines: training; lines with dots: validation") if both else "")
        self.fit(self._room)

    def _fill_chooser(self) -> None:
        names = {name for series in self._series.values() for columns in (series.train, series.valid)
                 for name, column in columns.items() if _told(column)}
        ordered = [name for name in FIXED[:2] if name in names or name == "loss"] + sorted(names - set(FIXED)) \
            + [name for name in FIXED[2:] if name in names]
        if self._quantity not in ordered:
            ordered.append(self._quantity)
        if ordered != [self._chooser.itemData(place) for place in range(self._chooser.count())]:
            self._chooser.clear()
            for name in ordered:
                self._chooser.addItem(quantity_title(name), name)
        self._chooser.setCurrentIndex(ordered.index(self._quantity))

    def _chosen(self, place: int) -> None:
        self.choose(self._chooser.itemData(place))

    def choose(self, quantity: str) -> None:
        self._quantity = quantity
        self._settings.set("runs/quantity", quantity)
        self._redraw()


class _Unwatcher:
    """Lets go of the runs when the widget dies; holds no widget."""

    def __init__(self, watcher: object, series: dict[str, Series]) -> None:
        self._watcher, self._series = watcher, series

    def __call__(self, *_: object) -> None:
        if shiboken6.isValid(self._watcher):
            for path in self._series:
                self._watcher.unwatch(path)
        self._series.clear()

