"""The runs on the bench: chips in their colours at the top of the window, and a list to add others."""

from __future__ import annotations

from functools import partial
from itertools import islice

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from core.errors import UserError
from core.i18n import tr
from core.registry import family
from core.runs import Run, readable_runs, run_folders
from gui import theme
from gui.session import BENCH_SIZE, BenchRun, Session
from gui.sources import source_of
from gui.views import Services
from gui.widgets.chips import Chip
from gui.widgets.labels import label

LISTED = 25  # runs in the menu; older ones are found in the view of the runs


class BenchBar(QWidget):
    def __init__(self, session: Session, services: Services) -> None:
        super().__init__(objectName="topBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session, self._services = session, services
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.S, theme.L, theme.S)
        layout.setSpacing(theme.S)
        layout.addWidget(label(tr("Bench"), "caption"))
        self._chips = QHBoxLayout()
        self._chips.setSpacing(theme.S)
        layout.addLayout(self._chips)
        self._hint = label(tr("No runs on the bench yet"), "soft")
        layout.addWidget(self._hint)
        self._menu = QMenu(self, toolTipsVisible=True)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._add = QToolButton(popupMode=QToolButton.ToolButtonPopupMode.InstantPopup, toolTip=tr("Put a run on the bench"))
        self._add.setAccessibleName(tr("Put a run on the bench"))
        self._add.setIcon(theme.icon("plus", theme.current().accent))
        self._add.setIconSize(QSize(18, 18))
        self._add.setMenu(self._menu)
        layout.addWidget(self._add)
        layout.addStretch(1)
        session.benchChanged.connect(self._draw)
        self._draw()

    def _draw(self) -> None:
        while (item := self._chips.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        for item in self._session.bench:
            close_tip = tr("Take {name} off the bench", name=item.run.name)
            chip = Chip(item.run.name, theme.current().runs[item.colour], close_tip=close_tip, tip=f"{item.run.name}\n{describe(item.run)}")
            chip.closed.connect(partial(self._session.remove_run, item.path))
            self._chips.addWidget(chip)
        before = self._add.previousInFocusChain()
        for part in (*(chip.cross for chip in self.chips()), self._add):  # the chips are younger than what stands behind them
            self.setTabOrder(before, part)
            before = part
        self._hint.setVisible(not self._session.bench)
        self._add.setEnabled(len(self._session.bench) < BENCH_SIZE)

    def chips(self) -> list[Chip]:
        return [self._chips.itemAt(index).widget() for index in range(self._chips.count())]

    def _fill_menu(self) -> None:
        self._menu.clear()
        found = [path for path in run_folders() if not self._session.on_bench(path)]  # of hundreds only those that are shown are read
        shown = list(islice(readable_runs(found), LISTED))
        for run in shown:
            action = self._menu.addAction(f"{run.name}    {family(run.config.family).title}")
            action.setToolTip(describe(run))
            action.triggered.connect(partial(self._put, run))
        if not shown:
            self._menu.addAction(tr("There are no other runs")).setEnabled(False)
        self._menu.addSeparator()
        self._menu.addAction(tr("Train a new one...")).triggered.connect(partial(self._services.navigate, "train"))
        if len(found) > LISTED:
            more = self._menu.addAction(tr("All {count} runs...", count=len(found)))
            more.triggered.connect(partial(self._services.navigate, "runs"))

    def _put(self, run: Run, _checked: bool = False) -> BenchRun | None:
        try:
            return self._session.add_run(run)
        except UserError as error:
            self._services.messages.error(error)
            return None


def describe(run: Run) -> str:
    """A run in one line: its family and what it learns from."""
    title, source = family(run.config.family).title, source_of(run)
    if run.config.task is not None or run.without_text:
        return tr("{family}, {source}", family=title, source=source)
    return tr("{family}, preset {preset}, on {source}", family=title, preset=run.config.preset, source=source)
