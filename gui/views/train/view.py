"""Training: set up a new run or a finetune, and watch those that learn."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.session import Session
from gui.views import Services
from gui.views.train.live_panel import LivePanel
from gui.views.train.new_run import NewRunPage
from gui.widgets.labels import label, row
from gui.widgets.segments import Segments

if TYPE_CHECKING:
    from gui.views.train.finetune_page import FinetunePage

NEW, FINETUNE, LIVE = "new", "finetune", "live"
PAGE = "train/page"  # in the settings, so that another language or theme shows the same page again


class TrainView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset({"bench"})

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        first = self._first_page()  # before the pages take what another view has handed over
        self._stack = QStackedWidget()
        if first == FINETUNE:
            self._finetune.take()  # before the other page lays its own draft over that of a finetune
        self._new = NewRunPage(session, services)
        self._draft = session.draft  # of a run that is no finetune
        self._live = LivePanel(session, services, self.show_new)
        self._new.started.connect(self._started)
        self._new.taken.connect(self.show_new)
        self._pages = Segments({NEW: tr("Pretrain"), FINETUNE: tr("Finetune"), LIVE: tr("Learning")})
        self._pages.chosen.connect(self._turn)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.M, theme.L, theme.M)
        layout.setSpacing(theme.M)
        layout.addWidget(row(label(tr("Train"), "title"), self._pages, None, spacing=theme.L))
        layout.addWidget(self._stack, 1)  # while it is empty: Qt gives all that is in a widget its style again when it is put somewhere
        for page in (self._new, self._live):
            self._stack.addWidget(page)
        services.processes.changed.connect(self._count)
        session.draftChanged.connect(self._draft_set)
        session.draftHanded.connect(self._handed)
        session.pretrainedChanged.connect(self._pretrained_set)
        session.textChanged.connect(self.show_new)
        self._count()
        self._show(first)
        session.is_handed = False

    @cached_property
    def _finetune(self) -> FinetunePage:
        """Made when it is wanted: it has the most parts, and would make the view open half as fast."""
        from gui.views.train.finetune_page import FinetunePage

        page = FinetunePage(self._session, self._services)
        page.started.connect(self._started)
        self._stack.addWidget(page)
        return page

    def _first_page(self) -> str:
        """What another view has asked for, else what learns, else what was shown last."""
        draft = self._session.draft
        if self._session.pretrained is not None or (draft is not None and draft.task is not None):
            return FINETUNE
        if self._session.is_handed:
            return NEW
        return LIVE if self._services.processes.running() and draft is None else self._services.settings.get(PAGE, NEW)

    def show_new(self) -> None:
        self._show(NEW)

    def show_finetune(self) -> None:
        self._show(FINETUNE)

    def show_live(self) -> None:
        self._show(LIVE)

    def _show(self, page: str) -> None:
        self._pages.set_value(page)
        self._turn(self._pages.value)

    def _turn(self, page: str) -> None:
        self._services.settings.set(PAGE, page)
        self._stack.setCurrentWidget({NEW: self._new, LIVE: self._live}.get(page) or self._finetune)

    def _started(self, _run: object) -> None:
        self.show_live()

    def _pretrained_set(self) -> None:
        if self._session.pretrained is not None:
            self._finetune.take()
            self.show_finetune()

    def _draft_set(self) -> None:
        """Another view hands over the settings of a finetune: they are to be seen."""
        draft = self._session.draft
        if draft is not None and draft.task is not None:  # the other form's draft was not meant
            self._finetune.take()
            self._session.is_handed = False
            self._session.draft = self._draft
            self.show_finetune()
        else:
            self._draft = draft

    def _handed(self) -> None:
        """Also where the form has these settings already: then it has nothing to tell."""
        if self._session.is_handed:
            self._session.is_handed = False
            self.show_new()

    def _count(self) -> None:
        running = len(self._services.processes.running())
        self._pages.set_words(LIVE, tr("Learning ({count})", count=running) if running else tr("Learning"))
