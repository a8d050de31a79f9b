"""What a click is on widgets that are no buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget


def is_click(widget: QWidget, released: QMouseEvent) -> bool:
    """Whether the left button was let go over the widget: who moves away from it before has thought better of it."""
    return released.button() == Qt.MouseButton.LeftButton and widget.rect().contains(released.position().toPoint())
