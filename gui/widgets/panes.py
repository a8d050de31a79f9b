"""The panels of the runs, and what belongs to them: they scroll where they do not fit."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QBoxLayout, QFrame, QScrollArea, QWidget

from gui import theme

NO_BOUND = 16777215  # QWIDGETSIZE_MAX, which PySide6 does not name
ASIDE = 148  # the width of a panel that has nothing to show: as narrow as its words can be read


class _Content(QWidget):
    """As high as there is room, but not so low that words are cut."""

    def heightForWidth(self, width: int) -> int:
        return self.layout().minimumHeightForWidth(width)


class Panes(QScrollArea):
    """Add to `.box`. `.content` holds all of them, those out of sight too."""

    def __init__(self, direction: QBoxLayout.Direction = QBoxLayout.Direction.LeftToRight, parent: QWidget | None = None) -> None:
        super().__init__(parent, widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self.content = _Content()
        self.box = QBoxLayout(direction, self.content)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.setSpacing(theme.S)
        self.setWidget(self.content)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is out of sight."""
        view = self.viewport()
        return self.content.width() <= view.width() and self.content.height() <= view.height()


def share_width(shows: Mapping[QWidget, bool], aside: int = ASIDE) -> None:
    """Panels side by side: those that only say why they show nothing stand aside, and the others share the room."""
    some = any(shows.values())
    for panel, does in shows.items():
        panel.setMaximumWidth(NO_BOUND if does or not some else theme.scaled(aside))
