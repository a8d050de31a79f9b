"""The form of a new run: family, preset, every option with its help, the estimate, and the button that starts it."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLineEdit, QVBoxLayout, QWidget

from core import config as configs
from core.config import RunConfig, TextConfig
from core.errors import UserError
from core.i18n import sentences, tr
from core.registry import family
from core.runs import Run
from gui import draft as drafts
from gui import specimen_store as store
from gui import theme
from gui.bench_room import say_full
from gui.forms.editors import show_value
from gui.forms.form import Form
from gui.forms.option_titles import choice_title, error_in_titles, option_title
from gui.session import BENCH_SIZE, Session
from gui.views import Services
from gui.views.train.estimate_card import EstimateCard
from gui.views.train.family_cards import family_cards
from gui.views.train.form_frame import FormFrame
from gui.widgets.labels import button, label, row
from gui.widgets.section import Section
from gui.widgets.segments import Segments

if TYPE_CHECKING:
    from core.analysis.text_window import Ground, Problem
    from core.estimate import TextSize

WAIT_MS = 300  # after the last edit, before the text is measured
SIDE_WIDTH = 284
FAMILY, PRESET = "train/family", "train/preset"  # in the settings
UNFOLDED = ("model", "train")


class NewRunPage(QWidget):
    """started(run): its process has been started. taken: another view wants to train with other settings; they stand in the form."""

    started = Signal(object)
    taken = Signal()

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._session, self._services = session, services
        self._forms: dict[str, Form] = {}
        self._sections: dict[str, Section] = {}
        self._mine: RunConfig | None = None  # the draft as this page has set it last
        self._looked_at = session.word
        self._measured: object = None  # the text whose size is known or asked for
        self._sought: object = None  # the text and the word that was asked for in it
        self._lacking: object = None  # a text and a word that it does not hold
        given = session.draft if session.draft is not None and drafts.usable(session.draft) else None
        self._draft = given or drafts.first_draft(session, services.settings.get(FAMILY), services.settings.get(PRESET))
        self._laid = session.text  # the text that was laid over the settings last
        self._cards = family_cards(self._draft.family)
        self._cards.chosen.connect(self._choose_family)
        self._presets = QVBoxLayout()
        self._presets.setSpacing(theme.XS)
        self._parts = QVBoxLayout()
        self._parts.setSpacing(theme.M)
        self._frame = self._made_frame()
        self._scroll = self._frame.scroll
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._frame)
        self._wait = QTimer(self, interval=WAIT_MS, singleShot=True)
        self._wait.timeout.connect(self._measure)
        session.textChanged.connect(self._text_set)
        session.draftChanged.connect(self._draft_set)
        session.wordChanged.connect(self._word_set)
        self._build()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._services.engine.call("core.analysis.text_window:ground", {}, on_done=self._estimate_ground, on_error=self._no_answer,
                                   key="train/ground", owner=self)
        self._measured = self._sought = None
        self._measure()

    # the parts

    def _made_frame(self) -> FormFrame:
        self._name = QLineEdit(placeholderText=tr("A name, if you like"), accessibleName=tr("Name"), text=self._draft.name)
        self._name.textChanged.connect(self._edited)
        self._estimate = EstimateCard()
        self._start = button(" " + tr("Start"), self.start, kind="primary", icon="play")
        self._copy = button(" " + tr("Copy as command"), self.copy_command, icon="copy", tip=tr("The command that starts the same run in a terminal"))
        self._refused = label("", "error", wrap=True)
        self._refused.hide()
        return FormFrame((self._cards, self._presets, self._parts), about=self._estimate, deeds=(self._name, self._start, self._copy),
                         words=(self._refused,), side_width=SIDE_WIDTH)

    def _build(self) -> None:
        """Presets and forms for the draft's family."""
        for layout in (self._presets, self._parts):
            while (item := layout.takeAt(0)) is not None:
                if item.widget() is not None:
                    item.widget().hide()
                    item.widget().deleteLater()
        made = family(self._draft.family)
        self._preset = Segments({name: preset_title(name) for name in made.presets}, self._draft.preset,
                                tips={name: preset_tip(name) for name in made.presets})
        self._preset.chosen.connect(self._choose_preset)
        self._preset_words = label("", "soft", wrap=True)
        self._presets.addWidget(row(label(tr("Preset"), "heading"), self._preset, None, spacing=theme.M))
        self._presets.addWidget(self._preset_words)
        types = configs.section_types(self._draft.family)
        hidden = {"text": drafts.SOURCE, "train": tuple(made.unused)}
        self._forms, self._sections = {}, {}
        for name in ("model", "objective", "train", "text", "watch"):
            form = Form(types[name], hide=hidden.get(name, ()))
            if not form.names():
                self._forms[name] = form  # nothing to choose; it keeps the section's one value
                form.setParent(self)
                form.hide()
                continue
            form.changed.connect(self._watch_edited if name == "watch" else self._edited)
            section = Section(section_titles()[name], unfolded=name in UNFOLDED)
            if name == "text":
                self._source_words = label("", "soft", wrap=True)
                section.column.addWidget(self._source_words)
            if name == "watch":
                self._lacking_words = label("", "warning", wrap=True)
                section.column.addWidget(self._lacking_words)
            section.column.addWidget(form)
            if name == "text":
                section.column.addWidget(row(button(tr("Choose another text"), partial(self._services.navigate, "corpus")), None))
            if name == "watch":
                section.column.addWidget(row(button(tr("Choose a file of labelled sentences"), self._choose_specimens), None))
            self._forms[name], self._sections[name] = form, section
            self._parts.addWidget(section)
        self._fill()

    def _fill(self) -> None:
        """Show the draft in the forms."""
        reference = drafts.preset_values(self._draft)
        for name, form in self._forms.items():
            form.set_config(getattr(self._draft, name))
            if name != "watch":
                form.set_reference(reference[name])
        self._preset_words.setText(preset_tip(self._draft.preset))
        self._name.blockSignals(True)
        self._name.setText(self._draft.name)
        self._name.blockSignals(False)
        self._edited()

    # what the person does

    def _choose_family(self, name: str) -> None:
        preset = self._draft.preset if self._draft.preset in family(name).presets else drafts.PRESET
        self._services.settings.set(FAMILY, name)
        self._take_preset(name, preset)
        self._build()

    def _choose_preset(self, name: str) -> None:
        self._services.settings.set(PRESET, name)
        self._take_preset(self._draft.family, name)
        self._fill()

    def _take_preset(self, family_name: str, preset: str) -> None:
        """The preset's values, on the draft's text and word."""
        mine, chosen = self._draft.text, self._session.text
        is_chosen = chosen is not None and all(getattr(chosen, name) == getattr(mine, name) for name in drafts.SOURCE)  # a copy may read another
        source = drafts.text_options(chosen) if is_chosen else {f"text.{name}": getattr(mine, name) for name in drafts.SOURCE}
        watch = {f"watch.{item.name}": getattr(self._draft.watch, item.name) for item in dataclasses.fields(self._draft.watch)}
        self._draft = configs.build(family_name, preset, {**source, **watch}, name=self._draft.name)

    def _edited(self) -> None:
        self._refused.hide()
        made = self._whole()
        good = made is not None
        self._start.setEnabled(good)
        self._copy.setEnabled(good)
        self._estimate.set_config(made)
        if good:
            self._draft = self._mine = made
            self._session.draft = made
            if made.text != self._measured or self._wanted_word != self._sought:
                self._wait.start()
        self._summarise()

    def _watch_edited(self) -> None:
        """A word that is typed brings the person's own sentences with it, as one that is looked at does."""
        form, before = self._forms["watch"], self._draft.watch.word
        values = form.values()
        word, chosen = values["word"], values["specimens"]
        if word != before and chosen in ("", str(store.own_path(before))):
            form.set_values({"specimens": str(store.own_path(word)) if word and store.is_changed(word) else ""})
        self._edited()

    def _whole(self) -> RunConfig | None:
        """The settings as they stand in the forms; None where one of them is refused, the reason stands at its field."""
        parts = {name: form.config() for name, form in self._forms.items()}
        wrong = next((name for name, part in parts.items() if part is None), "")
        if wrong:
            if wrong in self._sections:
                self._sections[wrong].unfold()
            return None
        try:
            return RunConfig(family=self._draft.family, preset=self._draft.preset, name=self._name.text().strip(), **parts)
        except UserError as error:
            self._refuse(error)
            return None

    def _refuse(self, error: UserError) -> None:
        """Show it at its field if we have it, else beneath the button."""
        option = error.where.rpartition(".")[2]
        found = next((name for name, form in self._forms.items() if option in form.names()), "")
        if found:
            self._forms[found].show_error(error)
            self._sections[found].unfold()
            self._scroll.ensureWidgetVisible(self._forms[found].editor(option), 0, 80)
        self._refused.setText(error_in_titles(error))
        self._refused.show()

    def _summarise(self) -> None:
        """What stands in each part, for when it is folded."""
        train = self._forms["train"]
        if "muon_learning_rate" in train.names():
            train.set_row_visible("muon_learning_rate", train.values()["optimizer"] == "muon")
        lacks = self._lacking == self._wanted_word
        self._lacking_words.setText(tr("The text nowhere holds “{word}”: a run on it learns nothing about that word. Watch another one, or none.",
                                       word=self._draft.watch.word) if lacks else "")
        self._lacking_words.setVisible(lacks)
        for name, section in self._sections.items():
            form = self._forms[name]
            if name == "text":
                words = text_words(self._draft)
                self._source_words.setText(words)
            elif name == "watch":
                words = self._draft.watch.word or tr("nothing is watched")
            else:
                shown = [f"{option_title(option)} {show_value(option, form.values()[option])}" for option in form.names()[:4]]
                words = " · ".join(shown)
            differ = len(form.differences())
            section.set_summary(words, tr("{count} changed", count=differ) if differ else "")

    def _choose_specimens(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Choose a file of labelled sentences"), "", tr("Tables with tabs") + " (*.tsv *.txt)")
        if path:
            self._forms["watch"].set_values({"specimens": path})
            self._edited()

    # what other views do

    def _text_set(self) -> None:
        text = self._session.text
        if text is None:
            return
        self._draft, self._laid = drafts.with_text(self._draft, text, self._laid), text
        watched = drafts.watch_options(self._session.word, text)
        if watched and self._draft.watch.word in ("", *drafts.WORDS.values()):  # nobody has chosen that one for this text
            self._draft = dataclasses.replace(self._draft, watch=dataclasses.replace(
                self._draft.watch, **{key.partition(".")[2]: value for key, value in watched.items()}))
        self._fill()

    def _draft_set(self) -> None:
        """Another view wants to train with these settings."""
        given = self._session.draft
        if given is None or given == self._mine or not drafts.usable(given):
            return
        same = given.family == self._draft.family
        self._draft = self._mine = given
        self._cards.set_value(given.family)
        if same:
            self._preset.set_value(given.preset)
            self._fill()
        else:
            self._build()
        self.taken.emit()

    def _word_set(self) -> None:
        """The word that is looked at is the one to watch, unless the person has typed another."""
        options = drafts.watch_options(self._session.word, self._draft.text)
        if options and self._draft.watch.word in ("", self._looked_at, *drafts.WORDS.values()):
            self._forms["watch"].set_values({key.partition(".")[2]: value for key, value in options.items()})
            self._edited()
        self._looked_at = self._session.word

    # the estimate

    def _measure(self) -> None:
        if not self.isVisible():
            return
        self._seek_word()
        if self._draft.text == self._measured:
            return
        self._measured = self._draft.text
        self._estimate.set_text(None)
        self._services.engine.call("core.analysis.text_window:size_of", {"config": self._measured}, on_done=self._estimate_text,
                                   on_error=self._text_refused, key="train/text", owner=self)

    @property
    def _wanted_word(self) -> tuple[TextConfig, str]:
        return self._draft.text, self._draft.watch.word

    def _seek_word(self) -> None:
        """Another text may not hold the word that is watched."""
        wanted = self._wanted_word
        if wanted == self._sought:
            return
        self._sought = wanted
        if wanted[1]:
            self._services.engine.call("core.analysis.text_window:lacks", {"config": wanted[0], "word": wanted[1]},
                                       on_done=partial(self._word_sought, wanted), on_error=self._word_not_sought, key="train/word", owner=self)

    def _word_sought(self, wanted: tuple[TextConfig, str], lacks: bool) -> None:
        self._lacking = wanted if lacks else None
        self._summarise()
        if lacks and wanted == self._wanted_word:
            self._sections["watch"].unfold()

    def _word_not_sought(self, _message: str, _hint: str) -> None:
        """What is wrong with the text the question for its size tells."""

    def _estimate_ground(self, ground: Ground) -> None:
        self._estimate.set_ground(ground)

    def _estimate_text(self, size: TextSize) -> None:
        self._estimate.set_text(size)

    def _text_refused(self, message: str, hint: str) -> None:
        self._refused.setText(sentences(message, hint))
        self._refused.show()

    def _no_answer(self, message: str, hint: str) -> None:
        self._services.messages.say(message, hint, kind="warning")

    # start

    def copy_command(self) -> None:
        if (made := self._whole()) is not None:
            QGuiApplication.clipboard().setText(configs.typed(configs.as_command(made)))
            self._services.messages.say(tr("The command is on the clipboard."), tr("Run it in the folder of the program."))

    def start(self) -> None:
        """Have the inputs looked at, then start."""
        if (made := self._whole()) is None:
            return
        self._start.setEnabled(False)
        self._services.engine.call("core.analysis.text_window:problem_of", {"config": made}, on_done=partial(self._checked, made),
                                   on_error=self._not_checked, key="train/check", owner=self)

    def _not_checked(self, message: str, hint: str) -> None:
        self._start.setEnabled(True)
        self._services.messages.say(message, hint, kind="error")

    def _checked(self, made: RunConfig, problem: Problem | None) -> None:
        self._start.setEnabled(True)
        if problem is not None:
            self._refuse(UserError(problem.message, problem.hint, where=problem.where))
            return
        with self._services.messages.guard():
            run = Run.create(made)
            self._services.processes.start(run)
            if len(self._session.bench) < BENCH_SIZE:
                self._session.add_run(run)
            else:
                say_full(self._session, self._services, run)
            self.started.emit(run)


def section_titles() -> dict[str, str]:
    return {"model": tr("Model"), "objective": tr("What it learns"), "train": tr("Training"), "text": tr("Text"),
            "watch": tr("The watched word")}


def preset_title(name: str) -> str:
    return {"quick": tr("Quick"), "quick_cbow": tr("Quick, CBOW"), "small": tr("Small"), "base": tr("As in the paper")}.get(name, name)


def preset_tip(name: str) -> str:
    """For whom and where a preset is meant; a new preset of a family needs none."""
    return {"quick": tr("About a minute on a laptop: small, for a first look."),
            "quick_cbow": tr("Word2vec's faster objective, in seconds."),
            "small": tr("Some hours on a laptop, minutes on a GPU."),
            "base": tr("The published size; wants GPUs and days.")}.get(name, "")


def text_words(draft: RunConfig) -> str:
    """Which text, and how it is cut."""
    text = draft.text
    names = [Path(path).name or path for path in text.files]
    source = ", ".join(names) if names else tr("built-in, {language}", language=choice_title("corpus", text.corpus))
    return f"{source} · {choice_title('tokenizer', text.tokenizer)}"
