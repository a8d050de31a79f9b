"""In which options the chosen runs differ."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from core import config as configs
from core.config import RunConfig
from core.errors import UserError
from core.i18n import tr
from core.registry import family
from core.runs import ORIGIN, Run
from core.tasks.config import build_finetune
from gui.forms.option_titles import choice_title, option_title
from gui.views.runs.curves import Shown
from gui.widgets.labels import label

MISSING = "–"
OF_TOKENIZER = frozenset({"text.tokenizer", "text.vocab_size", "text.lowercase", "text.watched"})


def options_of(config: RunConfig) -> dict[str, Any]:
    """Dotted option -> value; the family and the preset come first."""
    made: dict[str, Any] = {"family": family(config.family).title, "preset": config.preset}
    for section in (*configs.SECTIONS, *(("task",) if config.task is not None else ())):
        part = getattr(config, section)
        made |= {f"{section}.{item.name}": getattr(part, item.name) for item in dataclasses.fields(part)}
    if config.text.files:  # the built-in text is not read
        del made["text.corpus"]
    return made


def known_of(run: Run) -> dict[str, Any]:
    """Its options; of a model from elsewhere the model's and the tokenizer's alone, since how it was trained, and on what, is not known."""
    made = options_of(run.config)
    if not run.imported:
        return made
    try:
        told = json.loads((run.path / ORIGIN).read_text(encoding="utf-8")).get("known")  # of an ONNX file not even all of the model's
    except (OSError, ValueError, AttributeError, RecursionError):
        told = None
    of_model = told if isinstance(told, list) else [name for name in made if name.startswith("model.")]
    return {name: value for name, value in made.items() if name == "family" or name in OF_TOKENIZER or name in of_model}


def plain_of(config: RunConfig) -> RunConfig:
    """What the settings are measured by: their preset, or how a finetune of that run on that task begins. UserError where it is gone."""
    if config.task is None or not config.task.pretrained:
        return configs.build(config.family, config.preset)
    return build_finetune(Path(config.task.pretrained), config.task.task)


def differences(parts: Sequence[dict[str, Any]]) -> list[tuple[str, list[Any]]]:
    """The options that are not the same everywhere, and their values, MISSING where there is no such option. Of one alone all of them."""
    names = dict.fromkeys(name for part in parts for name in part)
    found = [(name, [part.get(name, MISSING) for part in parts]) for name in names]
    return [(name, values) for name, values in found if len(values) == 1 or any(value != values[0] for value in values)]


class SettingsDiff(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[Shown, ...] = ()
        self._words = label("", "soft", wrap=True)
        self._table = QTableWidget(editTriggers=QAbstractItemView.EditTrigger.NoEditTriggers, accessibleName=tr("Settings that differ"))
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self._table.verticalHeader().hide()
        self._table.setShowGrid(False)
        self._table.setTabKeyNavigation(False)
        self._table.setAlternatingRowColors(True)
        self._table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # a file's name stands at the end of its path
        self._table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self._table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._words)
        column.addWidget(self._table, 1)

    @property
    def table(self) -> QTableWidget:
        return self._table

    def show_runs(self, shown: Sequence[Shown]) -> None:
        """Several runs among each other; one alone against its preset, or all that is known of it where it came from elsewhere."""
        if tuple(shown) == self._shown:
            return
        self._shown = tuple(shown)
        names = [item.run.name for item in shown]
        colours = [item.colour for item in shown]
        parts = [known_of(item.run) for item in shown]
        if len(shown) == 1 and not shown[0].run.imported:
            config = shown[0].run.config
            try:
                parts.insert(0, options_of(plain_of(config)))
            except UserError:
                parts.insert(0, parts[0])  # a preset of another version
            names.insert(0, tr("Preset {name}", name=config.preset))
            colours.insert(0, "")
        rows = differences(parts) if parts else []
        self._words.setText("" if rows else tr("Choose runs in the table to compare their settings.") if not shown else
                            tr("All its settings are those of its preset.") if len(shown) == 1 else tr("Their settings are all the same."))
        self._words.setVisible(not rows)
        self._table.setVisible(bool(rows))
        self._table.setColumnCount(len(names) + 1)
        self._table.setHorizontalHeaderLabels([tr("Option"), *names])
        for place, colour in enumerate(colours, start=1):
            self._table.horizontalHeaderItem(place).setIcon(dot(colour) if colour else QIcon())  # Qt keeps that of the runs before
        self._table.setRowCount(len(rows))
        for place, (name, values) in enumerate(rows):
            title = QTableWidgetItem(title_of(name))
            title.setToolTip(name)
            self._table.setItem(place, 0, title)
            for column, value in enumerate(values, start=1):
                cell = QTableWidgetItem(value_words(name, value))
                cell.setToolTip(value_words(name, value))
                self._table.setItem(place, column, cell)


def title_of(name: str) -> str:
    return {"family": tr("Family"), "preset": tr("Preset")}.get(name) or option_title(name.rpartition(".")[2])


def value_words(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if isinstance(value, tuple):
        return ", ".join(part.replace("\\", "/").rpartition("/")[2] for part in value) or MISSING
    if isinstance(value, str):
        return choice_title(name.rpartition(".")[2], value) or MISSING
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def dot(colour: str) -> QIcon:
    pixmap = QPixmap(36, 36)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(4, 4, 28, 28)
    painter.end()
    pixmap.setDevicePixelRatio(3)
    return QIcon(pixmap)
