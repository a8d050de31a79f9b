"""The tools above a map: to move or to choose, back and forth, to isolate, and to save."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QToolButton, QWidget

from core.i18n import tr
from gui import theme
from gui.map_state import SUFFIX
from gui.picture import PictureButton, ask_path
from gui.selection import Selection
from gui.views import Services
from gui.widgets.labels import icon_button
from gui.widgets.point_map import BOX, LASSO, MOVE, PointMap
from gui.widgets.segments import Segments


class ToolBar(QWidget):
    """labelled(): the labels were switched. saved(Path), opened(Path): a whole map."""

    labelled = Signal()
    saved = Signal(object)
    opened = Signal(object)

    def __init__(self, map_: PointMap, labels: bool, selection: Selection, services: Services, *, rows: Callable[[], Any],
                 name: Callable[[], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._map, self._selection = map_, selection
        self.tool = Segments({MOVE: tr("Move"), BOX: tr("Box"), LASSO: tr("Lasso")}, MOVE, tips={
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
        more = QToolButton(toolTip=tr("Save or open this map"), accessibleName=tr("Save or open this map"))
        more.setProperty("kind", "small")
        more.setIcon(theme.icon("save"))
        more.setIconSize(QSize(18, 18))
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(more)
        menu.addAction(tr("Save the map..."), self._ask_save)
        menu.addAction(tr("Open a map..."), self._ask_open)
        more.setMenu(menu)
        self.picture = PictureButton(map_, name, messages=services.messages, settings=services.settings, rows=rows)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.XS)
        layout.addWidget(self.tool)
        layout.addSpacing(theme.S)
        for widget in (self.undo, self.redo, self.isolate, self.show_all):
            layout.addWidget(widget)
        layout.addStretch(1)
        for widget in (self.labels, self.fit, more, self.picture):
            layout.addWidget(widget)
        self.tool.chosen.connect(self._choose)
        self.labels.toggled.connect(self._label)
        selection.changed.connect(self._refresh)
        for keys, act in ((QKeySequence.StandardKey.Undo, selection.undo), (QKeySequence.StandardKey.Redo, selection.redo)):
            QShortcut(keys, map_, act, context=Qt.ShortcutContext.WidgetShortcut)
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

    def _ask_save(self) -> None:
        path = ask_path(self, tr("Save the map..."), f"map{SUFFIX}", tr("Maps") + f" (*{SUFFIX})")
        if path:
            self.saved.emit(Path(path))

    def _ask_open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Open a map..."), "", tr("Maps") + f" (*{SUFFIX} *.json)")
        if path:
            self.opened.emit(Path(path))
