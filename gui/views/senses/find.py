"""Find specimens: all sentences of a text that hold the word, grouped by its vectors without a label, to be named and taken over."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QComboBox, QFileDialog, QHBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from core.errors import UserError
from core.i18n import sentences, tr
from gui import specimen_store as store
from gui import theme
from gui.jobs import DONE, FAILED
from gui.session import BenchRun
from gui.views.senses.choices import MOST_GROUPS
from gui.views.senses.group import SHOWN, GroupCard
from gui.views.senses.legend import DirectionChoice
from gui.views.senses.state import AGGLOMERATIVE, KMEANS, Redraw, Shared, is_joined, layer_title, line_name
from gui.widgets.labels import button, label, row

GROUPS, MESSAGE = 0, 1
FIND = "senses find"  # the job
PAST = "senses/find"  # in the session's past: the word, what was found, and what was entered in each card
NARROW = 480  # pixels: below it what is asked for takes three lines
OWN, FILES = "own", "files"


class FindPage(QWidget):
    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self._session, self._services = shared.session, shared.services
        session = self._session
        self._choices = shared.choices
        self._files: tuple[str, ...] = ()
        self._found: dict[str, Any] | None = None
        self._word = ""
        self._cards: list[GroupCard] = []
        self.controls = DirectionChoice(shared.choices, self)
        self.controls.hide()
        self._make_choices()
        shared.choices.restored.connect(self._take_choices)
        self._take_choices()
        self._find = button(tr("Find"), self.find, kind="primary")
        self._status = label("", "soft", wrap=True)
        self._take = button("", self.accept, kind="primary", icon="check")
        self._message = label("", "large", wrap=True)
        board = QWidget()
        self._row = QHBoxLayout()
        self._row.setSpacing(theme.S)
        column = QVBoxLayout(board)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addLayout(self._row, 1)
        last = row(self._status, self._take)
        last.layout().setStretch(0, 1)
        column.addWidget(last)
        self._stack = QStackedLayout()
        self._stack.addWidget(board)
        self._stack.addWidget(self._message)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.S)
        self._asked = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._asked.setSpacing(theme.S)
        for part in (row(self._run, self._where), self._method, row(self._count, self._find)):
            self._asked.addWidget(part)
        whole.addLayout(self._asked)
        whole.addLayout(self._stack, 1)
        self._redraw = Redraw(self, self._draw, shared.answers)
        for signal in (session.benchChanged, session.wordChanged, session.layerChanged, shared.choices.changed):
            signal.connect(self._redraw.soon)
        session.specimensChanged.connect(self._agree)
        self._services.jobs.changed.connect(self._job_changed)
        self._show_past()
        if (job := self._services.jobs.of(FIND)) is not None:  # begun before this page was made anew
            self._word = job.about
            self._job_changed(FIND)

    def _make_choices(self) -> None:
        """Of which run, where to look, and how to group what is found."""
        self._run = QComboBox(accessibleName=tr("Run"))
        self._count = QComboBox(accessibleName=tr("How many groups"))
        self._count.addItem(tr("groups: auto"), 0)
        self._count.setToolTip(tr("The number of groups with the greatest silhouette, of 2 to 6."))
        for number in range(2, MOST_GROUPS + 1):
            self._count.addItem(tr("{number} groups", number=number), number)
        self._method = QComboBox(accessibleName=tr("How to group"))
        self._method.addItem("k-means", KMEANS)
        self._method.addItem(tr("agglomeration"), AGGLOMERATIVE)
        self._where = QComboBox(accessibleName=tr("Where to look"))
        self._where.addItem(tr("in the run's text"), OWN)
        self._where.addItem(tr("in files..."), FILES)
        self._where.activated.connect(self._ask_files)
        for choice in (self._count, self._method):
            choice.activated.connect(self._choose)
        for choice in (self._run, self._where, self._method, self._count):
            choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            choice.setMinimumContentsLength(3)  # they shrink so far where there is no room for all words
            choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        narrow = self.width() < theme.scaled(NARROW)
        self._asked.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._redraw.soon()

    @property
    def cards(self) -> list[GroupCard]:
        return self._cards

    # what is there

    def _draw(self) -> None:
        session = self._session
        chosen = self._run.currentData()
        self._run.clear()
        for item in session.bench:
            self._run.addItem(line_name(item.run, self._choices.direction), str(item.path))
            title = layer_title(item.run, session.layer_of(item.run), self._choices.direction_of(item.run))
            self._run.setItemData(self._run.count() - 1, title, Qt.ItemDataRole.ToolTipRole)
        reading = [place for place, item in enumerate(session.bench) if getattr(item.run.config.model, "num_layers", 0)]
        self._run.setCurrentIndex(max(self._run.findData(chosen), 0) if chosen else reading[-1] if reading else 0)
        self.controls.setVisible(self.isVisible() and any(is_joined(item.run) for item in session.bench))
        self._find.setEnabled(bool(session.bench and session.word))
        if self._word != session.word or not session.bench:
            self._services.jobs.cancel(FIND)  # what it finds would be of another word
            self._found = None
            self._show_groups(None)
            self._say(tr("All sentences of the run's text that hold “{word}” are put into groups by its vectors, without looking at a "
                         "label. You name the groups, and take over what is good.", word=session.word) if session.bench and session.word else
                      tr("Put a run on the bench, and choose a word at the right."))

    def _choose(self, _place: int) -> None:
        self._choices.set(groups=self._count.currentData(), grouping=self._method.currentData())

    def _take_choices(self) -> None:
        """As they are remembered."""
        self._count.setCurrentIndex(self._count.findData(self._choices.state.groups))
        self._method.setCurrentIndex(self._method.findData(self._choices.state.grouping))

    def _say(self, words: str) -> None:
        self._message.setText(words)
        self._stack.setCurrentIndex(MESSAGE)

    def _ask_files(self, _place: int) -> None:
        if self._where.currentData() != FILES:
            return
        names, _ = QFileDialog.getOpenFileNames(self, tr("Files to look in"), "", tr("Text (*.txt *.jsonl *.csv *.tsv);;All files (*)"))
        if names:
            self._files = tuple(names)
            self._where.setItemText(1, tr("in {name}", name=Path(names[0]).name) if len(names) == 1 else tr("in {count} files", count=len(names)))
        elif not self._files:
            self._where.setCurrentIndex(0)

    # looking

    def find(self) -> None:
        """Look for the word, or stop looking."""
        if self.searching:
            self._services.jobs.cancel(FIND)
            return
        item = self._session.on_bench(Path(self._run.currentData() or ""))
        if item is None:
            return
        self._word, self._found = self._session.word, None
        self._show_groups(None)
        self._say(tr("Reading the text..."))
        self._services.jobs.start(FIND, "core.analysis.find:find", self._question(item), about=self._word)

    @property
    def searching(self) -> bool:
        job = self._services.jobs.of(FIND)
        return job is not None and job.running

    def _question(self, item: BenchRun) -> dict[str, Any]:
        return {"run": str(item.path), "word": self._session.word, "specimens": self._session.specimens,
                "files": self._files if self._where.currentData() == FILES else (), "layer": self._session.layer_of(item.run),
                "count": self._count.currentData(), "method": self._method.currentData(), "direction": self._choices.direction_of(item.run)}

    def _told(self, stage: str, done: int, count: int) -> None:
        self._say({"read": tr("{done:,} documents read, {count:,} sentences found", done=done, count=count),
                   "encode": tr("{done:,} of {count:,} sentences looked at by the model", done=done, count=count),
                   "group": tr("Grouping {count:,} sentences...", count=count)}[stage])

    def _job_changed(self, kind: str) -> None:
        job = self._services.jobs.of(FIND)
        if kind != FIND or job is None:
            return
        self._find.setText(tr("Stop") if job.running else tr("Find"))
        if job.running:
            self._told(*job.progress or ("read", 0, 0))
            return
        self._services.jobs.forget(FIND)
        if job.state == DONE:
            self._show(job.result)
        elif job.state == FAILED:
            self._refuse(*job.problem)
        else:
            self._say(tr("Stopped."))

    def _refuse(self, message: str, hint: str) -> None:
        self._say(sentences(message, hint))

    def _show(self, found: dict[str, Any]) -> None:
        if self._word != self._session.word:
            self._word = ""  # whoever comes back to that word may search again
            return
        if not len(found["texts"]):
            self._say(tr("Stopped."))
            return
        self._found = found
        self._show_groups(found)
        self._stack.setCurrentIndex(GROUPS)
        self._tell(found["ari"])

    def _show_groups(self, found: dict[str, Any] | None) -> None:
        for card in self._cards:
            self._row.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards = []
        names: list[str] = []
        for number in range(int(found["groups"].max()) + 1 if found else 0):
            mine = np.flatnonzero(found["groups"] == number)
            nearest = mine[np.argsort(-found["near"][mine], kind="stable")]
            names.append(self._name(number, [found["labels"][place] for place in mine.tolist()], found["words"][number], names))
            card = GroupCard(number, names[-1], found["words"][number], [found["texts"][place] for place in nearest[:SHOWN].tolist()], len(mine))
            card.changed.connect(self._count_chosen)
            self._cards.append(card)
            self._row.addWidget(card, 1)
        self._count_chosen()

    def _show_past(self) -> None:
        """What was found and entered before the page was made anew in another language or theme."""
        word, found, entered = self._session.past.get(PAST, ("", None, ()))
        if found is None or word != self._session.word:
            return
        self._word, self._found = word, found
        self._show_groups(found)
        for card, values in zip(self._cards, entered, strict=True):
            card.restore(*values)
        self._stack.setCurrentIndex(GROUPS)
        self._tell(found["ari"])

    def _name(self, number: int, labels: list[str], words: list[str], taken: list[str]) -> str:
        """The sense that most of its labelled sentences have; else its first key word; else its number."""
        known = Counter(name for name in labels if name and name not in taken).most_common(1)
        free = next((word for word in words if word not in taken), "")
        return known[0][0] if known else free or tr("sense {number}", number=number + 1)

    def _count_chosen(self) -> None:
        self._session.past[PAST] = self._word, self._found, [card.entered() for card in self._cards]
        count = sum(len(card.chosen) for card in self._cards)
        self._take.setText(tr("Take {count} sentences as specimens", count=count))
        self._take.setEnabled(count > 0)

    def _tell(self, ari: float | None) -> None:
        if (found := self._found) is None:
            return  # another word is looked at meanwhile
        found["ari"] = ari
        labelled = sum(map(bool, found["labels"])) + len(found["specimens"])
        words = [tr("{count:,} sentences.", count=len(found["texts"]))]
        if found["silhouettes"]:
            words.append(tr("Silhouette: {scores}.", scores=", ".join(f"{count}: {score:.2f}" for count, score in found["silhouettes"].items())))
        words.append(tr("ARI {ari:.2f} with the labels of the {count} specimens.", ari=ari, count=labelled) if ari is not None else
                     tr("There are no labels of two senses yet."))
        if found["left_out"]:
            words.append(tr("{count} sentences are left out: the model does not know the word there.", count=found["left_out"]))
        self._status.setText(" ".join(words))

    # taking over

    def accept(self) -> None:
        """What is ticked becomes specimens, beside those that are there."""
        session, word = self._session, self._word
        if session.word != word:
            return
        before = list(session.specimens)
        there = {" ".join(item.text.split()) for item in before}
        made = []
        for card in self._cards:
            sense = " ".join(card.name.text().split())
            if card.chosen and not sense:
                self._services.messages.say(tr("A group has no name."), tr("Name the sense that it stands for."), kind="error")
                card.name.setFocus()
                return
            made += [store.make(word=word, sense=sense, text=text, hard=False) for text in card.chosen if text not in there]
        if not made:
            self._services.messages.say(tr("All of these sentences are specimens already."))
            return

        def undo() -> None:  # whatever else has been changed since then stays
            with self._services.messages.guard():
                now = session.specimens if session.word == word else store.specimens_of(word)
                self._keep(word, [item for item in now if item not in made])

        if self._keep(word, [*before, *made]):
            self._services.messages.say(tr("{count} sentences are specimens of “{word}” now.", count=len(made), word=word), action=tr("Undo"),
                                        on_action=undo)

    def _keep(self, word: str, specimens: list) -> bool:
        try:
            store.save(word, specimens, self._session.specimens if self._session.word == word else None)
        except (OSError, UserError) as error:
            self._services.messages.say(tr("The specimens cannot be saved: {reason}.", reason=error), kind="error")
            return False
        if self._session.word == word:
            self._session.specimens = specimens
        return True

    def _agree(self) -> None:
        """The labels have changed: how well do the groups agree with them now?"""
        if self._found is None or self._session.word != self._word:
            self._redraw.soon()
            return
        marks = {" ".join(item.text.split()): item.sense for item in self._session.specimens}
        self._found["labels"] = [marks.get(text, "") for text in self._found["texts"]]
        self._found["specimens"] = [(text, number) for text, number in self._found["specimens"] if text in marks]
        groups = [*self._found["groups"].tolist(), *(number for _, number in self._found["specimens"])]
        labels = [*self._found["labels"], *(marks[text] for text, _ in self._found["specimens"])]
        self._services.engine.call("core.analysis.find:agreement", {"groups": groups, "labels": labels}, on_done=partial(self._agreed, self._found),
                                   on_error=self._refuse, key="senses find", owner=self)

    def _agreed(self, about: dict[str, Any], ari: float | None) -> None:
        if about is self._found:  # else a newer search has found other groups
            self._tell(ari)
