"""The tools above a map: to move or to choose, back and forth, to isolate, and what others put at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.picture import PictureButton
from gui.views import Services
from gui.views.embeddings.selection import Selection
from gui.widgets.folding import FoldingSegments
from gui.widgets.labels import icon_button
from gui.widgets.point_map import BOX, LASSO, MOVE, PointMap


class ToolBar(QWidget):
    """labelled(): the labels were switched."""

    labelled = Signal()

    def __init__(self, map_: PointMap, labels: bool, selection: Selection, services: Services, *, rows: Callable[[], Any],
                 name: Callable[[], str], file: QWidget, parent: QWidget | None = None) -> None:
        """file: the button that saves and opens the view."""
        super().__init__(parent)
        self._map, self._selection = map_, selection
        self.tool = FoldingSegments({MOVE: tr("Move"), BOX: tr("Box"), LASSO: tr("Lasso")}, MOVE, tips={
            MOVE: tr("Drag to move, or to turn in 3-D (with Shift to move); the wheel zooms."),
            BOX: tr("Drag a box around points. Shift adds them, Alt takes them away."),
            LASSO: tr("Draw around points. Shift adds them, Alt takes them away.")})
        self.undo = icon_button("undo", tr("Take the last selection back"), selection.undo)
        self.redo = icon_button("redo", tr("Select it again"), selection.redo)
        self.isolate = icon_button("isolate", tr("Show the selected alone"), selection.isolate)
        self.show_all = icon_button("ring", tr("Show all again"), selection.show_all)
        self.labels = icon_button("labels", tr("Names of the points"), checkable=True)
        self.labels.setChecked(labels)
        self.fit = icon_button("fit", tr("See everything (Home)"), map_.fit)
        self.picture = PictureButton(map_, name, messages=services.messages, settings=services.settings, rows=rows)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.XS)
        layout.addWidget(self.tool)
        layout.addSpacing(theme.S)
        for widget in (self.undo, self.redo, self.isolate, self.show_all):
            layout.addWidget(widget)
        layout.addStretch(1)
        for widget in (self.labels, self.fit, file, self.picture):
            layout.addWidget(widget)
        self.tool.chosen.connect(self._choose)
        self.labels.toggled.connect(self._label)
        selection.changed.connect(self._refresh)
        for keys, act in ((QKeySequence.StandardKey.Undo, selection.undo), (QKeySequence.StandardKey.Redo, selection.redo)):
            QShortcut(keys, self, act)  # wherever the focus is
        self._refresh()

    def _choose(self, tool: str) -> None:
        self._map.tool = tool
        self._map.setFocus()

    def _label(self, shown: bool) -> None:
        self._map.picture.show_labels = shown
        self._map.update()
        self.labelled.emit()

    def _refresh(self) -> None:
        selection = self._selection
        self.undo.setEnabled(selection.can_undo)
        self.redo.setEnabled(selection.can_redo)
        self.isolate.setEnabled(len(selection.chosen) > 0)
        self.show_all.setEnabled(selection.shown is not None)
