"""All runs: what has become of each, what can be done with it, and how those that are chosen compare."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QLineEdit,
    QMenu,
    QSplitter,
    QStackedLayout,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from core import launch, trash
from core.errors import UserError, system_words
from core.i18n import tr
from core.runs import Run, runs_home
from gui import theme
from gui.forms.kept_field import keep
from gui.importing import import_button
from gui.run_queue import queue_of
from gui.session import BENCH_SIZE, BenchRun, Session
from gui.views import BENCH, Services
from gui.views.runs import packing
from gui.views.runs.columns import RunsTable
from gui.views.runs.curves import RunCurves, Shown
from gui.views.runs.failure import Failure
from gui.views.runs.log import LogDialog
from gui.views.runs.runs_list import RunRow, RunsList
from gui.views.runs.settings import SettingsDiff
from gui.views.runs.table import NAME, ROW_ROLE, RunsModel, RunsOrder
from gui.views.runs.train_on import TrainOnDialog
from gui.views.runs.trash import TrashDialog, bring_back
from gui.widgets.empty import Empty
from gui.widgets.labels import button, icon_button, label, row

SEARCH_WIDTH = 130  # at least
COMPARED = 8  # runs at once
ENDED = frozenset({"finished", "stopped", "killed"})


class RunsView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset({BENCH})

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        self.list = RunsList(services.processes, session, self)
        self.model = RunsModel(session, self)
        self.order = RunsOrder(self)
        self.order.setSourceModel(self.model)
        self.table = RunsTable(self.order)
        self.table.toggled.connect(self._toggle)
        self.table.selectionModel().selectionChanged.connect(self._soon)
        self.curves = RunCurves(services)
        for name, control in self.curves.curves.controls.items():
            keep(session.past, f"runs/curves/{name}", control)
        self.settings = SettingsDiff()
        self._failure = Failure(self._show_log, self._copy)
        self._search = QLineEdit(placeholderText=tr("Search"), clearButtonEnabled=True, maximumWidth=260)
        self._search.setMinimumWidth(theme.scaled(SEARCH_WIDTH))
        self._search.textChanged.connect(self.order.search)
        keep(session.past, "runs/search", self._search)
        self._count = label("", "caption")
        self._make_buttons()
        split = QSplitter(Qt.Orientation.Vertical, childrenCollapsible=False)
        split.addWidget(self.table)
        split.addWidget(self._make_lower())
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 3)
        split.setSizes([225, 320])
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        column.setSpacing(theme.S)
        self._deeds = row(self._put, self._pause, self._stop, self._copy_button, self._delete_button, self._more, None)
        self._finding = row(self._count, self._search, import_button(self, session, services), None)
        self._top = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._top.setSpacing(theme.S)
        self._top.addWidget(self._deeds, 1)
        self._top.addWidget(self._finding)
        column.addLayout(self._top)
        column.addWidget(split, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(page)
        nothing = Empty("runs", tr("There are no runs yet. Train one: it takes about a minute."), tr("Train one"), self._train)
        self._deleted = button(tr("Deleted runs..."), self._show_trash, kind="flat")
        nothing.add(self._deleted)
        self._stack.addWidget(nothing)
        self._timer = QTimer(self, interval=0, singleShot=True)
        self._timer.timeout.connect(self._draw)
        self.list.seen.connect(self._seen)
        self.list.gone.connect(self._gone)
        self.list.roundEnded.connect(self._round_ended)
        self.model.renamed.connect(self._rename)
        session.benchChanged.connect(self._soon)
        services.processes.changed.connect(self._processes_changed)
        self._soon()

    def _make_lower(self) -> QWidget:
        """What is to be seen of the chosen runs."""
        below = QTabWidget()
        below.setDocumentMode(True)
        below.tabBar().setDrawBase(False)
        below.addTab(self.curves, tr("Curves"))
        below.addTab(self.settings, tr("Settings that differ"))
        below.setCornerWidget(self.curves.head, Qt.Corner.TopRightCorner)
        below.currentChanged.connect(self._tab_changed)
        self.tabs = below
        lower = QWidget()
        column = QVBoxLayout(lower)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addWidget(self._failure)
        column.addWidget(below, 1)
        return lower

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self.list.start()
        self._soon()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Two lines of buttons, and no words beside the tabs, where there is no room for all."""
        super().resizeEvent(event)
        wanted = self._deeds.minimumSizeHint().width() + self._finding.minimumSizeHint().width() + theme.S + 2 * theme.M
        self._top.setDirection(QBoxLayout.Direction.TopToBottom if wanted > self.width() else QBoxLayout.Direction.LeftToRight)
        self._soon()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)
        self.list.stop()

    def _make_buttons(self) -> None:
        self._put = button(tr("Put on the bench"), self._toggle_chosen)
        self._pause = button(tr("Pause"), self._pause_or_go_on, icon="pause")
        self._stop = button(tr("Stop and save"), self._stop_chosen, icon="stop")
        self._copy_button = icon_button("copy", tr("Train a copy..."), self._copy)
        self._delete_button = icon_button("trash", tr("Delete"), self._delete)
        self._more = icon_button("more", tr("More"))
        self._more.setPopupMode(self._more.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        deeds = (("rename", tr("Rename"), self._edit_name), ("finetune", tr("Finetune it"), self._finetune),
                 ("train_on", tr("Train on..."), self._train_on), ("pack", tr("Pack into one file..."), self._pack),
                 ("checkpoint", tr("Save a checkpoint now"), self._checkpoint), ("folder", tr("Open its folder"), self._open_folder),
                 ("log", tr("Show its log"), self._show_log))
        self._actions = {name: menu.addAction(words, slot) for name, words, slot in deeds}
        menu.addSeparator()
        menu.addAction(tr("Deleted runs..."), self._show_trash)
        self._more.setMenu(menu)
        delete = QAction(tr("Delete"), self)
        delete.setShortcut(QKeySequence(QKeySequence.StandardKey.Delete))
        delete.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        delete.triggered.connect(self._delete)
        self.table.addActions([*self._actions.values(), delete])

    # what there is

    @property
    def chosen(self) -> list[RunRow]:
        """The selected rows, from the top."""
        return [index.data(ROW_ROLE) for index in sorted(self.table.selectionModel().selectedRows(), key=lambda index: index.row())]

    def _soon(self, *_: object) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _seen(self, seen: RunRow) -> None:
        if self._session.on_bench(seen.path) is not None and self._session.on_bench(seen.path).run.config != seen.run.config:
            self._session.refresh_run(seen.run)
        self.model.put(seen)
        self._soon()

    def _gone(self, path: Path) -> None:
        self.model.take(path)
        self._soon()

    def _round_ended(self) -> None:
        self._stack.setCurrentIndex(0 if self.list.rows else 1)
        if not self.list.rows:
            self._deleted.setVisible(trash.has_trash())

    def _processes_changed(self) -> None:
        if self.isVisible():
            for found in list(self.list.rows.values()):
                if found.summary.status.alive or self._services.processes.alive(found.run):
                    self.list.refresh(found.path)

    def _tab_changed(self, _place: int) -> None:
        self.curves.head.setVisible(self.tabs.currentWidget() is self.curves)

    # drawing

    def _draw(self) -> None:
        chosen = self.chosen
        if self.list.rows:
            self._stack.setCurrentIndex(0)
        one = chosen[0] if len(chosen) == 1 else None
        states = {item.summary.status.state for item in chosen}
        on_bench = [item for item in chosen if self._session.on_bench(item.path)]
        self._put.setText(tr("Take off the bench") if chosen and len(on_bench) == len(chosen) else tr("Put on the bench"))
        self._put.setEnabled(bool(chosen) and (len(on_bench) == len(chosen)
                                               or len(self._session.bench) + len(chosen) - len(on_bench) <= BENCH_SIZE))
        pausing = states == {"running"}
        self._pause.setText(tr("Pause") if pausing or not states or not states <= {"paused", "stopped", "killed", "failed", "new"} else tr("Go on"))
        self._pause.setIcon(theme.icon("pause" if self._pause.text() == tr("Pause") else "play", theme.current().text))
        self._pause.setEnabled(bool(chosen) and (pausing or states <= {"paused", "stopped", "killed", "failed", "new"}))
        self._stop.setEnabled(bool(states) and states <= {"running", "paused", "preparing"})
        self._copy_button.setEnabled(one is not None)
        self._delete_button.setEnabled(bool(chosen) and not any(item.summary.status.alive for item in chosen))
        for name, action in self._actions.items():
            action.setEnabled(one is not None and (name != "checkpoint" or states == {"running"})
                              and (name != "finetune" or one.run.config.task is None)
                              and (name != "train_on" or states <= ENDED))
        count = len(self.list.rows)
        self._count.setText(tr("{count} runs", count=count) if count != 1 else tr("1 run"))
        self._failure.show_run(one)
        shown = self._compared(chosen)
        self.curves.show_runs(shown)
        self.curves.fit(self.width() - 2 * theme.M - self.tabs.tabBar().sizeHint().width() - theme.S)
        self.settings.show_runs(shown)

    def _compared(self, chosen: list[RunRow]) -> list[Shown]:
        """The chosen runs; those on the bench where none is chosen. Their colours are those of the bench; others take the free ones."""
        runs = [item.run for item in chosen[:COMPARED]] or [item.run for item in self._session.bench]
        there = {item.path: item.colour for item in self._session.bench}
        free = [colour for index, colour in enumerate(theme.current().runs) if index not in there.values()] or [theme.current().text_soft]
        shown, taken = [], 0
        for run in runs:
            if run.path in there:
                shown.append(Shown(run=run, colour=theme.current().runs[there[run.path]]))
            else:
                shown.append(Shown(run=run, colour=free[taken % len(free)], dashed=taken >= len(free)))
                taken += 1
        return shown

    # what the person does

    def _train(self) -> None:
        self._services.navigate("train")

    def _toggle(self, index: QModelIndex) -> None:
        self._bench(index.data(ROW_ROLE), self._session.on_bench(index.data(ROW_ROLE).path) is None)

    def _toggle_chosen(self) -> None:
        chosen = self.chosen
        put = any(self._session.on_bench(item.path) is None for item in chosen)
        for item in chosen:
            self._bench(item, put)

    def _bench(self, item: RunRow, put: bool) -> None:
        with self._services.messages.guard():
            if put:
                self._session.add_run(item.run)
            else:
                self._session.remove_run(item.path)

    def _pause_or_go_on(self) -> None:
        for item in self.chosen:
            with self._services.messages.guard():
                if item.summary.status.state == "running":
                    self._services.processes.pause(item.run)
                    self._services.messages.say(tr("{name} pauses at its next step.", name=item.run.name))
                else:
                    self._services.processes.resume(item.run)
            self.list.refresh(item.path)

    def _stop_chosen(self) -> None:
        for item in self.chosen:
            with self._services.messages.guard():
                self._services.processes.stop(item.run)
                self._services.messages.say(tr("{name} saves a checkpoint and stops.", name=item.run.name), tr("It can go on later."))

    def _checkpoint(self) -> None:
        for item in self.chosen[:1]:
            with self._services.messages.guard():
                self._services.processes.checkpoint(item.run)
                self._services.messages.say(tr("{name} saves a checkpoint.", name=item.run.name))

    def _copy(self) -> None:
        for item in self.chosen[:1]:
            self._session.hand_over(replace(item.run.config, name=""))
            self._services.navigate("train")

    def _finetune(self) -> None:
        for item in self.chosen[:1]:
            self._session.pretrained = item.run
            self._services.navigate("train")

    def _train_on(self) -> None:
        """Give a run a later end, and let it go on to that."""
        for item in self.chosen[:1]:
            with self._services.messages.guard():
                run = Run.open(item.path)
                launch.require_startable(run)
                dialog = TrainOnDialog(self, run)
                good, limits = dialog.exec(), dialog.limits
                dialog.deleteLater()
                if good:
                    launch.require_startable(run)  # it may have gone on meanwhile
                    run.change(limits)
                    self._session.refresh_run(run)
                    self._services.processes.resume(run)
            self.list.refresh(item.path)

    def _edit_name(self) -> None:
        for index in self.table.selectionModel().selectedRows()[:1]:
            at = index.siblingAtColumn(NAME)
            self.table.selectionModel().setCurrentIndex(at, QItemSelectionModel.SelectionFlag.NoUpdate)
            self.table.edit(at)

    def _rename(self, path: Path, name: str) -> None:
        found = self.list.rows.get(path)
        if found is None:
            return
        with self._services.messages.guard():
            run = Run.open(path)
            try:
                run.rename(name)
            except OSError as error:
                raise UserError(tr("The run cannot be renamed: {reason}.", reason=system_words(error)),
                                tr("Look whether the disk is full or the folder write-protected.")) from error
            self._session.refresh_run(run)
        self.list.refresh(path)

    def _delete(self) -> None:
        """Into the trash, with a way back."""
        bench, places, names = list(self._session.bench), [], []
        for item in self.chosen:
            with self._services.messages.guard():
                on_bench = self._session.on_bench(item.path)
                place = trash.delete(item.run)
                queue_of(self._services.processes).drop(item.path)
                places.append((place, on_bench, bench.index(on_bench) if on_bench is not None else 0))
                names.append(item.run.name)
                self._session.remove_run(item.path)
                self.list.refresh(item.path)
                self._gone(item.path)
        if names:
            words = tr("{name} is deleted.", name=names[0]) if len(names) == 1 else tr("{count} runs are deleted.", count=len(names))
            self._services.messages.say(words, action=tr("Undo"), on_action=partial(undo, self._session, self._services, places))

    def _pack(self) -> None:
        for item in self.chosen[:1]:
            packing.pack(self, item.run, self._services)

    def _open_folder(self) -> None:
        for item in self.chosen[:1]:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(item.path)))

    def _show_log(self) -> None:
        for item in self.chosen[:1]:
            dialog = LogDialog(self, item.run, item.summary)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    def _show_trash(self) -> None:
        dialog = TrashDialog(self, self._services, self._brought)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _brought(self, run: Run) -> None:
        """Back from the trash; one that lay elsewhere goes on the bench: the list is of the runs' home and of those."""
        if run.whole.parent.resolve() == runs_home().resolve():
            self.list.refresh(run.path)
        else:
            self._session.add_run(run)

    def sizeHint(self) -> QSize:
        return QSize(900, 560)


def undo(session: Session, services: Services, places: list[tuple[Path, BenchRun | None, int]]) -> None:
    """Bring deleted runs back, and onto the bench, in their colours and at their places there, those that were on it.

    Lives longer than the view.
    """
    for place, on_bench, at in sorted(places, key=itemgetter(2)):
        with services.messages.guard():
            run = bring_back(place)
            if on_bench is not None:
                session.add_run(run, on_bench.colour, at)
