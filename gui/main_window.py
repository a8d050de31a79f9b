"""The window: places its edges, makes the views when they are first shown, and asks before it goes."""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QPaintEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from core import i18n, study_process
from core.errors import UserError
from core.i18n import tr
from core.runs import Run
from gui import specimen_store, theme
from gui.edges.bench_bar import BenchBar
from gui.edges.bottom_bar import BottomBar
from gui.edges.navigation import Navigation
from gui.edges.specimens_dock import SpecimensDock
from gui.engine import Engine
from gui.importing import KIND as IMPORT
from gui.importing import dropped, importer_of
from gui.jobs import DONE, FAILED, Jobs
from gui.keeping import place
from gui.messages import Messages
from gui.qt import words as qt_words
from gui.quit_dialog import QuitChoice, ask
from gui.run_process import Processes
from gui.run_queue import queue_of
from gui.run_watcher import RunWatcher
from gui.session import Session
from gui.settings import Settings
from gui.views import BENCH, SPECIMENS, VIEWS, Services, load_view, titles
from gui.widgets.empty import Empty

ZOOM_STEP = 0.1
PLACE = "session/place"  # of the settings
FULL_SCREEN = QKeySequence.StandardKey.FullScreen if sys.platform == "darwin" else "F11"  # elsewhere some desktops know no standard key
SAVE_MS = 500  # after the last change of what is remembered
DESKTOP_MS = 500  # a dialog is open: until the desktop's look is asked for again


class MainWindow(QMainWindow):
    """painted: the first frame is on the screen."""

    painted = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.session = Session(self)
        self.engine, self.aside = Engine(self), Engine(self)
        self.aside.polite = True
        self.jobs = Jobs(Engine, self)
        self.watcher = RunWatcher(self)
        self.processes = Processes(self)
        self.messages = Messages(self)
        self.services = Services(engine=self.engine, aside=self.aside, jobs=self.jobs, watcher=self.watcher, processes=self.processes,
                                 messages=self.messages, settings=settings, navigate=self.show_view)
        self._views: dict[str, QWidget] = {}
        self._name = ""
        self._watched: set[str] = set()
        self._was_painted = False
        self._saving = QTimer(self, interval=SAVE_MS, singleShot=True)  # also on a change: a program that is killed does not close
        self._saving.timeout.connect(self._save_session)
        self._desktop = QTimer(self, interval=DESKTOP_MS, singleShot=True)
        self._desktop.timeout.connect(self._desktop_changed)
        self.setMinimumSize(1024, 640)
        self.setAcceptDrops(True)
        self.resize(1280, 720)
        self._restore_session()
        self._build(settings.view if settings.view in VIEWS else next(iter(VIEWS)))
        if not self.settings.geometry.isEmpty():
            self.restoreGeometry(self.settings.geometry)
        self.destroyed.connect(theme.forget_dead)
        self.session.benchChanged.connect(self._watch)
        self.processes.changed.connect(self._watch)
        self.watcher.eventsArrived.connect(self._follow)
        queue_of(self.processes).failed.connect(self.messages.error)
        for asked in (self.engine, self.aside, self.jobs):
            asked.failed.connect(self.messages.unexpected)
        self.jobs.changed.connect(self._job_changed)
        QApplication.styleHints().colorSchemeChanged.connect(self._desktop_changed)
        QShortcut(QKeySequence.StandardKey.Quit, self).activated.connect(self.close)
        for _, keys, act, _ in (*self._acts(), ("", QKeySequence("Ctrl+="), self._larger, None)):
            QShortcut(keys, self).activated.connect(act)

    def start(self) -> None:
        """What can wait until the first frame is painted: a first word, and the runs that are still being trained."""
        with self.messages.guard():
            word = self.settings.word or next(iter(specimen_store.words()), "")
            place.look_at(self.session, word, self._sentence)
        for changed in (self.session.benchChanged, self.session.wordChanged, self.session.selectionChanged, self.session.layerChanged,
                        self.session.headChanged, self.session.stepChanged):
            changed.connect(self._saving.start)
        self.processes.find()
        self._watch()

    # views

    @property
    def view(self) -> QWidget:
        """The view that is shown."""
        return self._views[self._name]

    def show_view(self, name: str, _checked: bool = False) -> None:
        if name not in self._views:
            self._views[name] = self._make_view(name)
            self._stack.addWidget(self._views[name])
        self._name = name
        view = self.view
        needs = getattr(view, "needs", frozenset())
        self._dock.set_controls(getattr(view, "controls", None))
        self._fold()
        self._bench.setVisible(BENCH in needs)
        self._bottom.show_for(needs)
        self._navigation.show_current(name)
        self._stack.setCurrentWidget(view)
        view.setFocus()
        self.settings.view = name

    def _make_view(self, name: str) -> QWidget:
        try:
            return load_view(name)(self.session, self.services)
        except Exception:
            self.messages.unexpected(tr("This view cannot be shown."), traceback.format_exc())
            return Empty("warning", tr("This view cannot be shown."))

    def _build(self, name: str) -> None:
        """Make all parts in the language and the theme of the moment."""
        qt_words.speak(QApplication.instance(), i18n.language())
        self.setWindowTitle("Lexiscope")
        page = QWidget(objectName="page")
        layout = QVBoxLayout(page)
        self._bench = BenchBar(self.session, self.services)
        layout.addWidget(self._bench)  # before the others are made: the keyboard goes where the eye does
        self._navigation = Navigation(page)
        self._navigation.chosen.connect(self.show_view)
        self._stack = QStackedWidget(objectName="centre")
        self._dock = SpecimensDock(self.session, self.services)
        self._dock.fit(self.width())
        self._bottom = BottomBar(self.session, self.services)
        self._bottom.languageWanted.connect(self.switch_language)
        self._bottom.themeWanted.connect(self.switch_theme)
        self._menu = QMenu(page)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._bottom.set_menu(self._menu)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self._navigation)
        middle.addWidget(self._stack, 1)
        middle.addWidget(self._dock)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(middle, 1)
        layout.addWidget(self._bottom)
        self._views = {}
        self.setCentralWidget(page)
        self.show_view(name)

    def _clear(self) -> None:
        """Take the old parts away. The views are gone at once: to give all of them a style sheet for their last moment takes seconds."""
        self._dock.set_controls(None)
        self.centralWidget().hide()
        for part in (self._stack, self._dock):
            part.deleteLater()
            QCoreApplication.sendPostedEvents(part, QEvent.Type.DeferredDelete)
        self.takeCentralWidget().deleteLater()  # not yet: the button that asked for it is in there

    # language, theme, size

    def switch_language(self) -> None:
        names = list(i18n.LANGUAGES)
        self.set_language(names[(names.index(i18n.language()) + 1) % len(names)])

    def set_language(self, name: str) -> None:
        i18n.set_language(name)
        self.settings.language = name
        self.set_theme(self.settings.theme)  # Qt lets go of dead widgets' styles only when a style sheet is set

    def switch_theme(self) -> None:
        self.set_theme("light" if theme.current().dark else "dark")

    def set_theme(self, name: str) -> None:
        self.settings.theme = name
        self._clear()
        theme.apply(QApplication.instance(), name, self.settings.zoom)
        self._build(self._name)
        gc.collect()  # of the old parts; beside the rest it takes no time that one would see

    def zoom(self, change: float) -> None:
        """Larger or smaller text; 0 is the normal size."""
        self.settings.zoom = self.settings.zoom + change if change else 1.0
        self.set_theme(self.settings.theme)

    def _larger(self) -> None:
        self.zoom(ZOOM_STEP)

    def _smaller(self) -> None:
        self.zoom(-ZOOM_STEP)

    def _normal(self) -> None:
        self.zoom(0.0)

    def fold_sides(self) -> None:
        """Leave the view the room of the specimens and of the views' names, or give it back to them."""
        self.settings.folded = not self.settings.folded
        self._fold()

    def _fold(self) -> None:
        self._navigation.fold(self.settings.folded)
        self._dock.setVisible(SPECIMENS in getattr(self.view, "needs", ()) and not self.settings.folded)

    def full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _acts(self) -> tuple[tuple[str, QKeySequence, Callable[[], None], bool | None], ...]:
        """What a speaker needs: its name, its keys, what it does, and whether it is on."""
        return ((tr("The view alone"), QKeySequence("Ctrl+B"), self.fold_sides, self.settings.folded),
                (tr("Full screen"), QKeySequence(FULL_SCREEN), self.full_screen, self.isFullScreen()),
                (tr("Larger text"), QKeySequence("Ctrl++"), self._larger, None),
                (tr("Smaller text"), QKeySequence("Ctrl+-"), self._smaller, None),
                (tr("Normal text"), QKeySequence("Ctrl+0"), self._normal, None))

    def _fill_menu(self) -> None:
        self._menu.clear()
        for words, keys, act, on in self._acts():
            action = self._menu.addAction(f"{words}\t{keys.toString(QKeySequence.SequenceFormat.NativeText)}")
            action.setCheckable(on is not None)
            action.setChecked(bool(on))
            action.triggered.connect(act)

    def _desktop_changed(self) -> None:
        if self.settings.theme == "system":
            wanted = "dark" if QApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else "light"
            if wanted == theme.current().name:
                return
            if QApplication.activeModalWidget() is not None or QApplication.activePopupWidget() is not None:
                self._desktop.start()  # it would be taken away, and what is typed in it, under the hand of who asked for it
            else:
                self.set_theme("system")

    # what is remembered

    def _restore_session(self) -> None:
        colours = self.settings.colours
        for number, path in enumerate(self.settings.bench):
            try:
                self.session.add_run(Run.open(path), colours[number] if number < len(colours) else None)
            except UserError:
                continue  # it was deleted or moved meanwhile
        before = place.loads(self.settings.get(PLACE))
        self.session.layer, self.session.head, self.session.step = before.layer, before.head, before.step
        self._sentence = before.sentence if before.word == self.settings.word else ""

    def _save_session(self) -> None:
        self.settings.bench = [item.path for item in self.session.bench]
        self.settings.colours = [item.colour for item in self.session.bench]
        self.settings.word = self.session.word
        self.settings.set(PLACE, place.place_of(self.session).dumps())
        if not self.isFullScreen():  # who opens it again finds the window's own buttons
            self.settings.geometry = self.saveGeometry()
        self.settings.sync()

    # runs

    def _watch(self) -> None:
        """Follow the events of what is on the bench and of what is being trained."""
        wanted = {str(item.path) for item in self.session.bench} | {str(run.path) for run in self.processes.running()}
        for path in wanted - self._watched:
            self.watcher.watch(path)
        for path in self._watched - wanted:
            self.watcher.unwatch(path)
        self._watched = wanted
        for item in self.session.bench:
            self.processes.follow(item.run)

    def _follow(self, path: str, _events: list) -> None:
        """Of one that somebody else has started, from the command line or another window, the end must be heard of too."""
        if item := self.session.on_bench(Path(path)):
            self.processes.follow(item.run)

    # long work

    def _job_changed(self, kind: str) -> None:
        """Say that one has ended while its view is not looked at; the view itself says the rest."""
        job = self.jobs.of(kind)
        if kind not in VIEWS or kind == self._name or job is None or job.state not in (DONE, FAILED):
            return
        words = tr("{view}: done.", view=titles()[kind]) if job.state == DONE else f"{titles()[kind]}: {job.problem[0]}"
        self.messages.say(words, kind="info" if job.state == DONE else "error", action=tr("Show"), on_action=partial(self.show_view, kind))

    # events of Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._dock.fit(event.size().width())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self, self.painted.emit)  # after the children have painted themselves too

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A file or folder that no view has a use for: a model, a packed run, word vectors."""
        paths = dropped(event.mimeData())
        event.acceptProposedAction()
        for path in paths:
            importer_of(self.session, self.services).open(path)

    def closeEvent(self, event: QCloseEvent) -> None:
        running, studies = self.processes.running(), study_process.under_way()
        jobs = list(dict.fromkeys(map(_job_title, self.jobs.under_way())))
        choice, queue = QuitChoice.KEEP, queue_of(self.processes)
        queue.hold(True)  # or the next one would begin where one ends meanwhile or is discarded
        if running or studies or jobs:
            choice = ask(self, running, queue.waiting, [folder.name for folder in studies], jobs)
        if choice is QuitChoice.CANCEL:
            queue.hold(False)
            event.ignore()
            return
        try:
            for run in running:
                if choice is QuitChoice.STOP:
                    self.processes.stop(run)
                elif choice is QuitChoice.DISCARD:
                    self.processes.discard(run)
        except UserError as error:  # the window stays: what was wanted has not come to pass
            self.messages.error(error)
            queue.hold(False)
            event.ignore()
            return
        queue.clear()
        for folder in studies if choice is QuitChoice.STOP else ():
            study_process.stop(folder)
        self._saving.stop()
        self._desktop.stop()
        self._save_session()
        for path in self._watched:
            self.watcher.unwatch(path)
        self._watched = set()
        self.processes.close()
        for asked in (self.jobs, self.engine, self.aside):
            asked.close()
        event.accept()


def _job_title(kind: str) -> str:
    """Of a job, in words; some kinds are followed by what they are about."""
    name = kind.partition(" ")[0]
    return {**titles(), IMPORT: tr("Import"), "pack": tr("Pack a run"), "film": tr("Film")}.get(name, name)
