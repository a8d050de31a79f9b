"""Views that do nothing, so that the window can be tested without the real ones."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from core.i18n import tr
from gui.session import Session
from gui.views import Services


class PlainView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        QVBoxLayout(self).addWidget(QLabel(tr("Start")))


class BenchView(PlainView):
    needs: ClassVar[frozenset[str]] = frozenset({"bench"})


class FullView(PlainView):
    needs: ClassVar[frozenset[str]] = frozenset({"bench", "specimens", "layer", "step"})

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__(session, services)
        self.controls = QLabel("controls of the view", self)


class BrokenView:
    def __init__(self, session: Session, services: Services) -> None:
        raise RuntimeError("a view that cannot be made")
