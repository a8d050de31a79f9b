"""The text: which files are read and how, what the model will see of it, and how much it is."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QProgressBar,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from core.config import TextConfig
from core.i18n import sentences, tr
from gui import draft, theme
from gui.forms.form import Form
from gui.forms.option_titles import choice_title, option_title
from gui.session import Session
from gui.views import Services
from gui.views.corpus.file_rows import FileRow, MissingRow
from gui.views.corpus.pages import ReadPage, SeenPage, StatisticsPage
from gui.widgets.flow import Flow
from gui.widgets.folding import FoldingSegments
from gui.widgets.labels import Card, button, label, restyle, row
from gui.widgets.section import Section

if TYPE_CHECKING:
    from core.analysis.text_window import Look
    from core.text.statistics import Statistics
    from gui.engine import Call

FILES, CHINESE, ENGLISH = "files", "zh", "en"
AUTOMATIC_BYTES = 4_000_000  # a text up to this size is counted without being asked
WAIT_MS = 350  # after the last change, before the engine is asked
LIST_HEIGHT = 300
SCROLL_BAR = 12
LEAST_SAMPLE = 300  # pixels of the width of what is read
LABEL_WIDTH = 130
BESIDE_FORM, BESIDE_SOURCE = 4 * theme.S + theme.M + 2, 2 * theme.L + theme.S + 2  # pixels at their sides: of the cards and the page
NAME = "corpus"  # of this view in VIEWS
EMPTY = "corpus/empty"  # in the session's past while the person's own files are chosen and there are none yet: the text of the session then


class CorpusView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        self._config = session.text or draft.default_text()
        self._bytes = 0
        self._selected = ""
        self._look: Look | None = None
        self._counted_for: TextConfig | None = None
        self._counting: Call | None = None
        self.setAcceptDrops(True)
        self._form = Form(TextConfig, hide=draft.SOURCE, label_width=LABEL_WIDTH)
        self._form.set_config(self._config)
        self._form.changed.connect(self._form_changed)
        self._count_button = button(tr("Count"), self._count, tip=tr("Read the whole text and count"))
        split = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False)
        split.addWidget(self._left())
        split.addWidget(self._right())
        split.setStretchFactor(0, 5)
        split.setStretchFactor(1, 6)
        split.setSizes([450, 630])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.M, theme.L, theme.M)
        layout.setSpacing(theme.M)
        self._go = button(" " + tr("Train on this text"), self._train, kind="primary", icon="train")
        layout.addWidget(row(label(tr("Text"), "title"), None, self._count_button, self._go))
        layout.addWidget(split, 1)
        self._wait = QTimer(self, interval=WAIT_MS, singleShot=True)
        self._wait.timeout.connect(self._ask)
        session.filesWanted.connect(self._to_files)
        self._show_source()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._ask()

    # the left side: what is read

    def _left(self) -> QWidget:
        past, text = self._session.past, self._session.text
        files = self._config.files or (EMPTY in past and past[EMPTY] == text)
        self._source = FoldingSegments({FILES: tr("My files"), CHINESE: tr("Built-in, Chinese"), ENGLISH: tr("Built-in, English")},
                                       FILES if files else self._config.corpus)
        self._source.chosen.connect(self._choose_source)
        card = Card()
        card.column.addWidget(row(self._source, None))
        self._files_part = QWidget()
        part = QVBoxLayout(self._files_part)
        part.setContentsMargins(0, 0, 0, 0)
        part.setSpacing(theme.S)
        add_files = button(" " + tr("Add files"), self._add_files, icon="plus")
        add_folder = button(" " + tr("Add a folder"), self._add_folder, icon="folder")
        part.addWidget(_flow(add_files, add_folder))
        self._drop = QFrame()
        self._drop.setProperty("role", "drop")
        inside = QVBoxLayout(self._drop)
        hint = label(tr("Drop files and folders here: txt, csv, tsv or jsonl."), "soft", wrap=True)
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inside.addWidget(hint)
        self._drop.setMinimumHeight(72)
        part.addWidget(self._drop)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(theme.XS)
        self._rows.setContentsMargins(0, 0, 0, 0)
        holder = QWidget()
        outer = QVBoxLayout(holder)
        outer.setContentsMargins(0, 0, theme.S, 0)
        outer.addLayout(self._rows)
        outer.addStretch(1)
        self._list = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setWidget(holder)
        part.addWidget(self._list)
        self._encoding = self._combo("encoding")
        self._documents = self._combo("documents")
        part.addWidget(_flow(label(option_title("encoding"), "small"), self._encoding))
        part.addWidget(_flow(label(tr("A document of a txt file"), "small"), self._documents))
        card.column.addWidget(self._files_part)
        self._builtin_words = label(tr("Some thousand short scenes, written for this program, about words with two meanings. "
                                       "Small enough to learn from in a minute."), "soft", wrap=True)
        card.column.addWidget(self._builtin_words)
        cut = Section(tr("How it is cut into tokens"), unfolded=True)
        cut.column.addWidget(self._form)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, theme.S, 0)
        column.setSpacing(theme.M)
        column.addWidget(card)
        column.addWidget(cut)
        column.addStretch(1)
        scroll = self._settings = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        scroll.setWidget(page)
        return scroll

    def _fit_settings(self) -> None:
        """As wide as they are, where what is read has room beside them; else folded and stacked, so that nothing of them is cut."""
        room = self.width() - 2 * theme.L - LEAST_SAMPLE - SCROLL_BAR
        form = self._form.fit(room - SCROLL_BAR - BESIDE_FORM) + BESIDE_FORM
        wanted = max(form, self._source.sizeHint().width() + BESIDE_SOURCE) + SCROLL_BAR
        self._settings.setMinimumWidth(max(min(wanted, room), LEAST_SAMPLE))

    def _combo(self, name: str) -> QComboBox:
        made = QComboBox(accessibleName=option_title(name))
        rule = next(item.metadata for item in dataclasses.fields(TextConfig) if item.name == name)
        for value in rule["choices"]:
            made.addItem(choice_title(name, value), value)
        made.setCurrentIndex(made.findData(getattr(self._config, name)))
        made.setToolTip(tr(rule["help"]))
        made.activated.connect(partial(self._combo_chosen, name))
        return made

    # the right side: what comes of it

    def _right(self) -> QWidget:
        self._pages = FoldingSegments({"read": tr("Preview"), "seen": tr("Model's view"), "counts": tr("Counts")})
        self._pages.chosen.connect(self._turn)
        self._stack = QStackedWidget()
        self._read, self._seen, self._counts = ReadPage(), SeenPage(), StatisticsPage()
        for page in (self._read, self._seen, self._counts):
            self._stack.addWidget(page)
        self._cancel = button(tr("Cancel"), self._cancel_count, kind="flat")
        self._bar = QProgressBar(textVisible=False)
        self._bar.setMinimumWidth(90)
        self._stage = label("", "small")
        self._progress = row(self._stage, self._bar, self._cancel)
        self._progress.hide()
        card = Card()
        card.column.addWidget(row(self._pages, None))
        card.column.addWidget(self._progress)
        card.column.addWidget(self._stack, 1)
        card.setMinimumWidth(LEAST_SAMPLE)
        return card

    def _turn(self, name: str) -> None:
        self._stack.setCurrentIndex(["read", "seen", "counts"].index(name))

    # changes

    @property
    def config(self) -> TextConfig | None:
        """The settings as they stand; None while the form refuses them."""
        return self._form.config()

    def _change(self, **values: object) -> None:
        """Another source: the form keeps it, the session hears of it, and the engine looks at it."""
        self._form.set_values(values)
        self._form_changed()

    def _form_changed(self) -> None:
        """What is refused waits until it is mended; the files beside it are read meanwhile."""
        source = {name: value for name, value in self._form.values().items() if name in draft.SOURCE}
        config = self.config or dataclasses.replace(self._config, **source)
        if config != self._config:
            self._config = config
            self._cancel_count()
            self._session.text = config
            self._wait.start()
        self._show_source()

    @property
    def _without_files(self) -> bool:
        """The person's own files are chosen, and there are none yet."""
        return self._source.value == FILES and not self._config.files

    def _show_source(self) -> None:
        files = self._source.value == FILES
        self._files_part.setVisible(files)
        self._builtin_words.setVisible(not files)
        self._drop.setVisible(files and not self._config.files)
        self._list.setVisible(bool(self._config.files))
        self._session.past.pop(EMPTY, None)
        if self._without_files:
            self._session.past[EMPTY] = self._session.text
            self._cancel_count()
            self._read.clear(tr("Add files to see how they are read."))
            self._clear_counts(tr("Add files to see how they are read."))
        self._allow_training()

    def _allow_training(self) -> None:
        """Not where a file cannot be read as it is: what is wrong, and the choice that mends it, stand beside it here."""
        refused = self._look is not None and not self._look.readable
        self._go.setEnabled(self.config is not None and not self._without_files and not refused)
        self._go.setToolTip(tr("Some files cannot be read yet.") if refused else "")

    def _choose_source(self, value: str) -> None:
        """A look at a built-in text takes no files away: they are there again afterwards, also in another language or theme."""
        if value == FILES:
            files, columns = self._session.past.pop(NAME, ((), ()))
            self._change(files=files, columns=columns)
        else:
            before = self._form.values()
            if before["files"]:
                self._session.past[NAME] = before["files"], before["columns"]
            self._change(files=(), columns=(), corpus=value)
        self._wait.start()  # also where nothing has changed: the pages may have been cleared

    def _combo_chosen(self, name: str, _index: int) -> None:
        combo = self._encoding if name == "encoding" else self._documents
        self._change(**{name: combo.currentData()})

    def _to_files(self) -> None:
        if self._source.value != FILES:
            self._source.set_value(FILES)
            self._choose_source(FILES)

    def add_paths(self, paths: list[str]) -> None:
        """Files and folders; those that are there already are not added again."""
        if paths:
            self._to_files()
        new = [path for path in dict.fromkeys(paths) if path not in self._config.files]
        if new:
            self._change(files=(*self._config.files, *new))

    def remove_path(self, path: str, _checked: bool = False) -> None:
        left = tuple(other for other in self._config.files if other != path)
        self._change(files=left, **({} if left else {"columns": ()}))

    def choose_columns(self, look: object, chosen: list[str]) -> None:
        """These columns of one table; a table that has one of them too reads it as well."""
        others = [name for name in self._config.columns if name not in look.columns]
        self._change(columns=(*others, *chosen))

    def _add_files(self) -> None:
        kinds = tr("Texts and tables") + " (*.txt *.text *.md *.csv *.tsv *.jsonl *.ndjson);;" + tr("All files") + " (*)"
        paths, _ = QFileDialog.getOpenFileNames(self, tr("Add files"), self._folder(), kinds)
        self._remember(paths)
        self.add_paths(paths)

    def _add_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, tr("Add a folder"), self._folder())
        self._remember([path] if path else [])
        self.add_paths([path] if path else [])

    def _folder(self) -> str:
        return self._services.settings.get("corpus/folder")

    def _remember(self, paths: list[str]) -> None:
        if paths:
            self._services.settings.set("corpus/folder", str(Path(paths[0]).parent))

    # drag and drop

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._mark_drop(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._mark_drop(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._mark_drop(False)
        event.acceptProposedAction()
        self.add_paths([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])

    def _mark_drop(self, over: bool) -> None:
        restyle(self._drop, "over", "true" if over else "false")

    # questions to the engine

    def _ask(self) -> None:
        self._say_that_it_is_read()
        self._services.engine.call("core.analysis.text_window:look", {"config": self._config},
                                   on_done=partial(self._show_look, self._config), on_error=self._refuse, key="corpus/look", owner=self)

    def _say_that_it_is_read(self) -> None:
        """Where what is shown is not of this text: the analysis process may take some seconds to begin."""
        if not self._without_files and (self._look is None or bool(self._look.files) != bool(self._config.files)):
            self._read.clear(tr("Reading the text..."))
            self._clear_counts(tr("Reading the text..."))

    def _show_look(self, config: TextConfig, look: Look) -> None:
        if config != self._config:
            return  # the settings have changed meanwhile: the next answer is on its way
        self._look, self._bytes = look, look.bytes
        while (item := self._rows.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        folders = {one.given for one in look.files if one.given != one.path}
        for given, message, hint in look.missing:
            made = MissingRow(given, message, hint)
            made.removed.connect(self.remove_path)
            self._rows.addWidget(made)
        for one in look.files:
            made = FileRow(one, folder=one.given if one.given in folders else "")
            made.selected.connect(self._select)
            made.removed.connect(self.remove_path)
            made.columnsChosen.connect(partial(self.choose_columns, one))
            self._rows.addWidget(made)
        if look.more:
            self._rows.addWidget(label(tr("and {count:,} more files", count=look.more), "soft"))
        self._fit_list()
        self._allow_training()
        paths = [one.path for one in look.files]
        self._select(self._selected if self._selected in paths else paths[0] if paths else "")
        if look.readable and (look.files or look.builtin) and look.bytes <= AUTOMATIC_BYTES:
            self._count()
        elif self._counted_for != self._config:
            self._clear_counts(tr("Some files cannot be read yet.") if not look.readable else tr("Press 'Count' to read the whole text."))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        self._fit_settings()
        self._fit_list()

    def _fit_list(self) -> None:
        """As high as its rows, up to a bound."""
        width = max(self._list.width() - SCROLL_BAR - theme.S, 200)
        shown = [self._rows.itemAt(index).widget() for index in range(self._rows.count())]
        heights = [one.heightForWidth(width) if one.hasHeightForWidth() else one.sizeHint().height() for one in shown]
        self._list.setFixedHeight(min(LIST_HEIGHT, sum(heights) + theme.XS * len(heights) + 4))

    def _select(self, path: str) -> None:
        self._selected = path
        for index in range(self._rows.count()):
            shown = self._rows.itemAt(index).widget()
            if isinstance(shown, FileRow):
                shown.set_chosen(shown.look.path == path)
        if self._look is None:
            return
        one = next((one for one in self._look.files if one.path == path), None)
        if one is not None:
            self._read.show_documents(one.documents, f"{one.problem} {one.hint}".strip())
        elif self._look.builtin and not self._without_files:
            self._read.show_documents(self._look.builtin, "")
        else:
            self._read.clear(tr("Add files to see how they are read."))

    def _count(self) -> None:
        if self._counted_for == self._config or self._without_files:
            return
        self._counting = self._services.engine.call(
            "core.analysis.text_window:count", {"config": self._config}, on_done=partial(self._show_counts, self._config),
            on_error=self._refuse_count, on_progress=self._count_progress, key="corpus/count", owner=self)
        self._stage.setText(tr("counting"))
        self._bar.setRange(0, 0)
        self._progress.show()
        self._count_button.setEnabled(False)

    def _count_progress(self, stage: str, done: int, total: int) -> None:
        self._stage.setText(stage)
        self._bar.setRange(0, 1000 if total else 0)
        self._bar.setValue(round(1000 * done / total) if total else 0)

    def _cancel_count(self) -> None:
        self._services.engine.cancel(self._counting)
        self._counting = None
        self._counting_over()

    def _counting_over(self) -> None:
        self._progress.hide()
        self._count_button.setEnabled(True)

    def _show_counts(self, config: TextConfig, found: Statistics) -> None:
        self._counting_over()
        self._counted_for = config
        self._count_button.setEnabled(config != self._config)
        self._seen.show_examples(found)
        self._counts.show_statistics(found)

    def _refuse_count(self, message: str, hint: str) -> None:
        self._counting_over()
        self._clear_counts(sentences(message, hint))

    def _clear_counts(self, words: str) -> None:
        self._counted_for = None
        self._count_button.setEnabled(True)
        self._seen.clear(words)
        self._counts.clear(words)

    def _refuse(self, message: str, hint: str) -> None:
        self._read.clear(sentences(message, hint))
        if self._counted_for != self._config:
            self._clear_counts(sentences(message, hint))

    def _train(self) -> None:
        if (config := self.config) is not None:
            same, self._session.text = self._session.text == config, config
            self._services.navigate("train")
            if same:
                self._session.textChanged.emit()  # the form may read another meanwhile, that of a copied run


def _flow(*parts: QWidget) -> Flow:
    made = Flow(theme.M, theme.XS)
    made.set_parts(parts)
    return made
