"""The right side: the word, its labelled sentences, and beneath them the view's own controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QInputDialog,
    QLineEdit,
    QListView,
    QMenu,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core.errors import UserError
from core.i18n import tr
from core.runs import Run
from gui import saving, theme
from gui import specimen_store as store
from gui.edges.specimen_dialog import SpecimenDialog
from gui.edges.specimens_list import INDEX_ROLE, SpecimenDelegate, SpecimenModel, rows_of
from gui.forms.kept_field import keep
from gui.session import NONE_SELECTED, Session
from gui.views import Services
from gui.widgets.labels import icon_button, label, row

if TYPE_CHECKING:
    from core.text.specimens import Specimen

WIDTH, SHARE = 300, 0.36  # pixels at the normal size of text; of the window's width at most, where the text is larger


class SpecimensDock(QWidget):
    def __init__(self, session: Session, services: Services) -> None:
        super().__init__(objectName="side")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session, self._services = session, services
        self._words = QComboBox(accessibleName=tr("Word"))
        self._words.activated.connect(self._word_chosen)
        self._search = QLineEdit(placeholderText=tr("Filter"), clearButtonEnabled=True)
        self._search.textChanged.connect(self._fill)
        keep(session.past, "specimens/search", self._search)
        self._hard = icon_button("ring", tr("Only the hard ones: words of another sense stand nearby"), self._fill,
                                 checkable=True)
        keep(session.past, "specimens/hard", self._hard)
        self._model = SpecimenModel(self)
        self._list = QListView(selectionMode=QAbstractItemView.SelectionMode.SingleSelection, mouseTracking=True,
                               verticalScrollMode=QAbstractItemView.ScrollMode.ScrollPerPixel, accessibleName=tr("Specimens"))
        self._list.setModel(self._model)
        self._list.setItemDelegate(SpecimenDelegate(self._list))
        self._list.setResizeMode(QListView.ResizeMode.Adjust)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._list.customContextMenuRequested.connect(self._context_menu)
        self._list.doubleClicked.connect(self._edit)
        for key, act in ((Qt.Key.Key_Return, self._edit), (Qt.Key.Key_Enter, self._edit), (QKeySequence.StandardKey.Delete, self._delete)):
            QShortcut(QKeySequence(key), self._list, context=Qt.ShortcutContext.WidgetShortcut).activated.connect(act)
        self._list.selectionModel().currentChanged.connect(self._picked)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._names_menu, self._senses_menu = QMenu(tr("Rename a sense"), self._menu), QMenu(tr("Delete a sense"), self._menu)
        more = icon_button("more", tr("More"))
        more.setMenu(self._menu)
        more.setPopupMode(more.ToolButtonPopupMode.InstantPopup)
        self._edit_button = icon_button("edit", tr("Edit"), self._edit)
        self._delete_button = icon_button("trash", tr("Delete"), self._delete)
        self._add_button = icon_button("plus", tr("Add a specimen"), self._add)
        self._count = label("", "caption", wrap=True)
        self._count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._count.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(theme.M, theme.M, theme.M, theme.M)
        self._column.setSpacing(theme.S)
        self._column.addWidget(row(label(tr("Specimens"), "heading"), None, more))
        self._column.addWidget(self._words)
        self._column.addWidget(row(self._search, self._hard))
        self._column.addWidget(self._list, 1)
        self._column.addWidget(row(self._add_button, self._edit_button, self._delete_button, self._count, spacing=theme.XS))
        self._controls: QWidget | None = None
        # what was there when it could not be saved: the file may still hold what was deleted then
        self._unsaved: list[Specimen] = session.past.setdefault("specimens/unsaved", [])
        session.wordChanged.connect(self._show_words)
        session.wordsChanged.connect(self._show_words)
        session.benchChanged.connect(self._show_words)
        session.specimensChanged.connect(self._fill)
        session.selectionChanged.connect(self._show_selection)

    def showEvent(self, event: object) -> None:
        """Filled only when it is seen: the built-in words must not delay the first frame."""
        super().showEvent(event)
        self._show_words()
        self._fill()

    def fit(self, window: int) -> None:
        """Leave the view its room in a window of that width."""
        self.setFixedWidth(min(theme.scaled(WIDTH), max(WIDTH, round(SHARE * window))))

    def set_controls(self, controls: QWidget | None) -> None:
        """The view's own controls; the view owns them and gets them back hidden."""
        if self._controls is not None:
            self._controls.hide()
            self._column.removeWidget(self._controls)
        self._controls = controls
        if controls is not None:
            self._column.addWidget(controls)
            controls.show()

    # drawing

    def _show_words(self) -> None:
        if not self.isVisible():
            return
        found = store.words(self._runs(), self._services.messages.error)
        if self._session.word and self._session.word not in found:
            found.insert(0, self._session.word)
        self._words.clear()
        self._words.addItems(found)
        self._words.setCurrentText(self._session.word)

    def _fill(self) -> None:
        if not self.isVisible():
            return
        session = self._session
        titles = [store.sense_title(session.word, sense) for sense in session.senses]
        search, only_hard = self._search.text().strip(), self._hard.isChecked()
        self._model.set_rows(rows_of(session.specimens, session.senses, titles, search, only_hard))
        hard = sum(item.hard for item in session.specimens)
        self._count.setText(tr("{count} sentences, {hard} hard", count=len(session.specimens), hard=hard))
        self._show_selection()

    def _show_selection(self) -> None:
        place = self._model.place_of(self._session.selected)
        chooser = self._list.selectionModel()
        chooser.blockSignals(True)
        chooser.setCurrentIndex(place, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        chooser.blockSignals(False)
        if place.isValid():
            self._list.scrollTo(place)
        self._list.viewport().update()
        for part in (self._edit_button, self._delete_button):
            part.setEnabled(self._session.selected != NONE_SELECTED)

    # what the person does

    def _word_chosen(self, _place: int) -> None:
        self.choose(self._words.currentText())

    def choose(self, word: str) -> None:
        """Look at that word and its specimens."""
        found = self._try(store.specimens_of, word, self._runs())
        if found is not None:
            self._session.look_at(word, found)

    def _runs(self) -> list[Run]:
        return [item.run for item in self._session.bench]

    def _picked(self, current: QModelIndex, _before: QModelIndex) -> None:
        index = current.data(INDEX_ROLE)
        if index is not None and index >= 0:
            self._session.selected = index

    def _add(self) -> None:
        dialog = SpecimenDialog(self, self._session.word, self._session.senses, None)
        if dialog.exec():
            self._change([*self._session.specimens, dialog.specimen], len(self._session.specimens))
            if not self._model.place_of(self._session.selected).isValid():  # the filter hides what has just been written
                self._hard.setChecked(False)
                self._search.clear()
                self._fill()
        dialog.deleteLater()

    def _edit(self) -> None:
        index, old = self._session.selected, self._session.specimen
        if old is None:
            return
        dialog = SpecimenDialog(self, self._session.word, self._session.senses, old)
        if dialog.exec():
            self._put(index, dialog.specimen)
        dialog.deleteLater()

    def _delete(self) -> None:
        old = self._session.specimen
        if old is not None:
            self._remove([self._session.selected], tr("The sentence is deleted."), old.text)

    def _rename_sense(self, sense: str, _checked: bool = False) -> None:
        """Under a name that another sense has, the two become one."""
        word, old = self._session.word, store.sense_title(self._session.word, sense)
        typed, good = QInputDialog.getText(self, tr("Rename a sense"), tr("What “{sense}” shall be called:", sense=old), text=old)
        typed = " ".join(typed.split())  # as the file keeps it
        wanted = next((other for other in self._session.senses if typed in (other, store.sense_title(word, other))), typed)
        if not good or wanted in ("", sense):
            return
        before = self._session.specimens
        renamed = {item: replace(item, sense=wanted) for item in before if item.sense == sense}

        def undo() -> None:  # whatever has been changed since then stays, and of two that became equal the one that had been so
            now, old_of = self._specimens_of(word), {new: item for item, new in renamed.items()}
            if now is not None:
                extra = {new: now.count(new) - before.count(new) for new in old_of}
                for place, item in enumerate(now):
                    if extra.get(item, 0) > 0:
                        extra[item] -= 1
                        now[place] = old_of[item]
                self._exchange(word, now, wanted, sense)

        self._exchange(word, [renamed.get(item, item) for item in before], sense, wanted)
        self._services.messages.say(tr("“{old}” is called “{new}” now.", old=old, new=store.sense_title(word, wanted)),
                                    action=tr("Undo"), on_action=undo)

    def _exchange(self, word: str, specimens: list[Specimen], old: str, new: str) -> None:
        """These in the place of those that there are: some are of the sense `new` instead of `old`."""
        selected = NONE_SELECTED
        if self._session.word == word:
            self._session.hand_on(old, new)
            selected = self._session.selected
        self._keep(word, specimens, selected)

    def _delete_sense(self, sense: str, _checked: bool = False) -> None:
        """With all its sentences, also those that the filter hides."""
        places = [place for place, item in enumerate(self._session.specimens) if item.sense == sense]
        self._remove(places, tr("The sense “{sense}” is deleted, with its sentences.", sense=store.sense_title(self._session.word, sense)))

    def _remove(self, places: list[int], said: str, hint: str = "") -> None:
        """places: of the sentences, growing."""
        word, before, selected = self._session.word, self._session.specimens, self._session.selected

        def undo() -> None:  # whatever has been changed since then stays; the built-in sentences may have brought some back
            now = self._specimens_of(word)
            missing = [place for place in places if now is not None and now.count(before[place]) < before.count(before[place])]
            for place in missing:
                now.insert(place, before[place])
            if missing:
                self._keep(word, now, min(missing[0], len(now) - 1))

        left = sorted(set(range(len(before))) - set(places))
        self._change([before[place] for place in left], left.index(selected) if selected in left else NONE_SELECTED)
        self._services.messages.say(said, hint, action=tr("Undo"), on_action=undo)

    def _relabel(self, sense: str) -> None:
        self._put(self._session.selected, replace(self._session.specimen, sense=sense))

    def _mark_hard(self, hard: bool) -> None:
        self._put(self._session.selected, replace(self._session.specimen, hard=hard))

    def _put(self, index: int, specimen: Specimen) -> None:
        """In the place of the one that stands at index."""
        word, before = self._session.word, self._session.specimens
        old = before[index]
        if specimen == old:
            return

        def undo() -> None:  # whatever has been changed since then stays
            now = self._specimens_of(word)
            if now is not None and specimen not in now:
                self._services.messages.say(tr("This sentence has been changed again or deleted since."), specimen.text, kind="warning")
            elif now is not None:
                place = now.index(specimen)
                self._keep(word, [*now[:place], old, *now[place + 1:]], place)

        self._change([*before[:index], specimen, *before[index + 1:]], index)
        self._services.messages.say(tr("The sentence is changed."), old.text, action=tr("Undo"), on_action=undo)

    def _change(self, specimens: list[Specimen], selected: int) -> None:
        self._keep(self._session.word, specimens, selected)

    def _keep(self, word: str, specimens: list[Specimen], selected: int = NONE_SELECTED) -> bool:
        """Keep the person's version on the disk, and show it if the word is looked at. Returns whether it is on the disk."""
        here = self._session.word == word
        try:
            store.save(word, specimens, [*self._session.specimens, *self._unsaved] if here else None)
            saved = True
            self._unsaved.clear()
        except (OSError, UserError) as error:
            self._services.messages.say(tr("The specimens cannot be saved: {reason}.", reason=error), kind="error")
            saved = False
            self._unsaved += self._session.specimens if here else []
        if here:
            self._session.specimens = specimens
            self._session.selected = selected
        return saved

    def _specimens_of(self, word: str) -> list[Specimen] | None:
        """As they are now, whatever word is looked at; None, after a message, where the file is damaged."""
        return list(self._session.specimens) if self._session.word == word else self._try(store.specimens_of, word, self._runs())

    def _context_menu(self, place: QPoint) -> None:
        at = self._list.indexAt(place)
        if not at.isValid():
            return
        menu = QMenu(self)
        if at.data(INDEX_ROLE) < 0:
            sense = self._session.senses[self._model.row(at).sense]
            actions = {menu.addAction(tr("Rename this sense...")): lambda: self._rename_sense(sense),
                       menu.addAction(tr("Delete this sense with its sentences")): lambda: self._delete_sense(sense)}
        else:
            self._session.selected = at.data(INDEX_ROLE)
            actions = self._actions(menu)
        picked = menu.exec(self._list.viewport().mapToGlobal(place))
        menu.deleteLater()
        if picked is not None:
            actions[picked]()

    def _actions(self, menu: QMenu) -> dict[QAction, Callable[[], None]]:
        """What can be done with the chosen sentence."""
        chosen = self._session.specimen
        actions = {menu.addAction(tr("Edit")): self._edit}
        for sense in self._session.senses:
            if sense != chosen.sense:
                words = tr("It means: {sense}", sense=store.sense_title(self._session.word, sense))
                actions[menu.addAction(words)] = lambda wanted=sense: self._relabel(wanted)
        actions[menu.addAction(tr("Not hard") if chosen.hard else tr("Hard"))] = lambda: self._mark_hard(not chosen.hard)
        menu.addSeparator()
        actions[menu.addAction(tr("Delete"))] = self._delete
        return actions

    def _fill_menu(self) -> None:
        self._menu.clear()
        self._menu.addAction(tr("Another word...")).triggered.connect(self._another_word)
        self._menu.addAction(tr("Open a file of specimens...")).triggered.connect(self._open)
        self._menu.addAction(tr("Save as...")).triggered.connect(self._save_as)
        for menu, act in ((self._names_menu, self._rename_sense), (self._senses_menu, self._delete_sense)):
            menu.clear()
            for sense in self._session.senses:
                menu.addAction(store.sense_title(self._session.word, sense)).triggered.connect(partial(act, sense))
            self._menu.addMenu(menu).setEnabled(bool(self._session.senses))
        reset = self._menu.addAction(tr("Back to the built-in sentences"))
        reset.triggered.connect(self._reset)
        reset.setEnabled(store.is_changed(self._session.word) and bool(store.builtin_specimens(self._session.word)))

    def _another_word(self) -> None:
        word, good = QInputDialog.getText(self, tr("Another word"), tr("The word whose senses you want to see:"))
        if good and word.strip():
            self.choose(word.strip())

    def _open(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, tr("Open a file of specimens"), "", tr("Specimens (*.tsv);;All files (*)"))
        if name:
            self.open_file(Path(name))

    def open_file(self, path: Path) -> None:
        """Take over the specimens of a file, for each word in it, and look at the first."""
        found = self._try(store.read, path)
        if not found:
            return
        words = list(dict.fromkeys(item.word for item in found))
        own = [word for word in words if store.is_changed(word)]
        before = {word: self._specimens_of(word) or [] for word in words}
        looked_at = self._session.word

        def undo() -> None:  # the dock may be another one meanwhile, in another look or language
            for word, old in before.items():
                self._take_back(word, old, found, own=word in own)
            if self._session.word in before:
                self.choose(looked_at)
            self._session.wordsChanged.emit()

        saved = [self._keep(word, [item for item in found if item.word == word]) for word in words]
        self.choose(words[0])
        self._session.wordsChanged.emit()
        if not all(saved):
            return
        self._services.messages.say(tr("{count} sentences are specimens of “{word}” now.", count=len(found), word=", ".join(words)),
                                    action=tr("Undo"), on_action=undo)

    def _take_back(self, word: str, before: list[Specimen], after: list[Specimen], *, own: bool) -> None:
        """Those of before again in place of those of after; what is in neither was written since and stays. own: before was the person's own."""
        written = [item for item in self._specimens_of(word) or [] if item not in before and item not in after]
        if own or written:
            self._keep(word, [*before, *written])
        else:
            store.reset(word)

    def _save_as(self) -> None:
        proposed = f"{saving.file_name(self._session.word)}.tsv"
        if name := saving.ask_path(self, tr("Save the specimens"), proposed, tr("Specimens (*.tsv)")):
            with self._services.messages.guard():
                store.write(Path(name), list(self._session.specimens))

    def _reset(self) -> None:
        word, own = self._session.word, list(self._session.specimens)

        def undo() -> None:  # the dock may be another one meanwhile, in another look or language
            self._take_back(word, own, builtin, own=True)
            self._session.wordsChanged.emit()

        store.reset(word)
        self.choose(word)
        builtin = store.builtin_specimens(word)
        self._services.messages.say(tr("The built-in sentences of “{word}” are back.", word=word), action=tr("Undo"), on_action=undo)

    def _try(self, function: object, *arguments: object) -> object:
        try:
            return function(*arguments)
        except UserError as error:
            self._services.messages.error(error)
            return None
