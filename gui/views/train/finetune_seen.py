"""The labelled examples before a finetune begins: columns, counts, what is wrong and skipped, and how the model will see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.widgets.labels import Card, label, row, rule
from gui.widgets.segments import Segments
from gui.widgets.tokens import Tokens

MODEL, PROBLEMS, LABELS = "model", "problems", "labels"
ROLES = {"text": "column_text", "text_a": "column_text", "text_b": "column_text_b", "label": "column_label"}  # role -> option
SHOWN_TOKENS = 160
SHOWN_PROBLEMS = 100
SHOWN_LABELS = 60
SPACE, UNKNOWN = "␣", "[UNK]"
HEIGHT = 262
COMBO_LETTERS = 6  # of a column's name, at least


class FinetuneSeen(Card):
    """columnChosen(option, column): the person has named another column; empty: recognise it again."""

    columnChosen = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._found: Mapping[str, Any] | None = None
        self._pages = Segments({MODEL: tr("As the model sees it"), PROBLEMS: tr("Problems"), LABELS: tr("Labels")})
        self._pages.chosen.connect(self._turn)
        self._columns = QHBoxLayout()
        self._columns.setSpacing(theme.S)
        self._combos: dict[str, QComboBox] = {}
        self._words = label("", "soft", wrap=True)
        self.error = label("", "error", wrap=True)
        self.warning = label("", "warning", wrap=True)
        self._scroll = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFixedHeight(theme.scaled(HEIGHT))
        self.column.addWidget(row(self._pages, None))
        self.column.addLayout(self._columns)
        self.column.addWidget(self._words)
        self.column.addWidget(self.error)
        self.column.addWidget(self.warning)
        self.column.addWidget(self._scroll)
        self.clear(tr("Choose files to see how the model reads them."))

    def clear(self, words: str) -> None:
        self._found = None
        self._words.setText(words)
        self._words.show()
        self.error.hide()
        self.warning.hide()
        self._scroll.hide()
        self._show_columns({}, [], {})
        self._pages.set_words(PROBLEMS, tr("Problems"))
        self._pages.set_words(LABELS, tr("Labels"))

    def wait(self) -> None:
        """Until the answer is there; what is shown of other files or options stays so long."""
        if self._found is None:
            self.clear(tr("Reading the examples..."))

    def show_found(self, found: Mapping[str, Any], chosen: Mapping[str, str]) -> None:
        """found: the answer of core.tasks.inspect:inspect. chosen: option -> the column that the person has named."""
        self._found = found
        self.error.setText(f"{found['error']} {found['hint']}".strip())
        self.error.setVisible(bool(found["error"]))
        self.warning.setText("\n".join(found.get("warnings", ())))
        self.warning.setVisible(bool(self.warning.text()))
        self._words.setText(counts_in_words(found))
        self._words.setVisible(bool(self._words.text()))
        self._show_columns(found.get("columns", {}).get("train", {}), found.get("available", []), chosen)
        count = sum(one["count"] for one in found.get("problem_counts", ()))
        self._pages.set_words(PROBLEMS, tr("Problems ({count:,})", count=count) if count else tr("Problems"))
        names = found.get("labels", ())
        self._pages.set_words(LABELS, tr("Labels ({count:,})", count=len(names)) if names else tr("Labels"))
        self._turn(self._pages.value)

    def show_page(self, name: str) -> None:
        self._pages.set_value(name)
        self._turn(name)

    def combo(self, option: str) -> QComboBox:
        return self._combos[option]

    # the columns

    def _show_columns(self, columns: Mapping[str, str], available: Sequence[str], chosen: Mapping[str, str]) -> None:
        while (item := self._columns.takeAt(0)) is not None:
            if item.widget() is not None:
                item.widget().hide()
                item.widget().deleteLater()
        self._combos = {}
        for role, title in role_titles().items():
            option = ROLES[role]
            if (role not in columns and not chosen.get(option)) or option in self._combos or len(available) < 2:
                continue
            combo = QComboBox(accessibleName=title, sizeAdjustPolicy=QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon,
                              minimumContentsLength=COMBO_LETTERS)
            combo.addItem(tr("{column} (auto)", column=columns[role]) if not chosen.get(option) and role in columns else tr("Recognise it"), "")
            for name in available:
                combo.addItem(name, name)
            combo.setCurrentIndex(max(combo.findData(chosen.get(option, "")), 0))
            combo.activated.connect(partial(self._column_picked, option))
            self._combos[option] = combo
            self._columns.addWidget(label(title, "small"))
            self._columns.addWidget(combo, 1)
        if len(self._combos) < len(ROLES) - 1:
            self._columns.addStretch(1)

    def _column_picked(self, option: str, _index: int) -> None:
        self.columnChosen.emit(option, self._combos[option].currentData())

    # the pages

    def _turn(self, name: str) -> None:
        if self._found is None:
            return
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, theme.M, 0)
        column.setSpacing(theme.S)
        column.setAlignment(Qt.AlignmentFlag.AlignTop)
        {MODEL: self._draw_examples, PROBLEMS: self._draw_problems, LABELS: self._draw_labels}[name](column, self._found)
        self._scroll.setWidget(body)  # the one before dies with its widgets
        self._scroll.setVisible(column.count() > 0)

    def _draw_examples(self, column: QVBoxLayout, found: Mapping[str, Any]) -> None:
        look, parts = theme.current(), [part for example in found.get("examples", ()) for part in example["parts"]]
        words = [tr("blue: the second text")] if any(any(part["segments"]) for part in parts) else []
        words += [tr("red: what the model does not know")] if any(UNKNOWN in part["tokens"] for part in parts) else []
        words += [tr("beneath: the label of each")] if any(any(part["labels"]) for part in parts) else []
        if words:
            column.addWidget(label("   ".join(words), "caption"))
        for number, example in enumerate(found.get("examples", ())):
            if number:
                column.addWidget(rule())
            words = tr("Line {line}", line=example["line"])
            column.addWidget(label(f"{words}  →  {example['label']}" if example["label"] else words, "small", wrap=True))
            for part in example["parts"]:
                made = Tokens()
                made.setFont(theme.font("body"))
                shown = slice(0, SHOWN_TOKENS)
                colours = [look.danger_soft if token == UNKNOWN else look.hover if special else look.accent_soft if segment else ""
                           for token, segment, special in zip(part["tokens"], part["segments"], part["special"], strict=True)]
                made.set_tokens([SPACE if token == " " else token for token in part["tokens"][shown]], colours[shown], part["labels"][shown])
                column.addWidget(made)
                if len(part["tokens"]) > SHOWN_TOKENS:
                    column.addWidget(label(tr("and {count} more tokens", count=len(part["tokens"]) - SHOWN_TOKENS), "caption"))

    def _draw_problems(self, column: QVBoxLayout, found: Mapping[str, Any]) -> None:
        if not found.get("problem_counts"):
            column.addWidget(label(tr("Nothing is wrong with these files."), "soft"))
            return
        for one in found["problem_counts"]:
            words = tr("{file}, {count:,} times: {rule}", file=file_title(one["file"]), count=one["count"], rule=one["rule"])
            column.addWidget(label(words, wrap=True))
        column.addWidget(rule())
        for one in found["problems"][:SHOWN_PROBLEMS]:
            words = tr("{file}, line {line}: {text}", file=file_title(one["file"]), line=one["line"], text=one["text"])
            column.addWidget(label(words, "small", wrap=True))

    def _draw_labels(self, column: QVBoxLayout, found: Mapping[str, Any]) -> None:
        counts = sorted(found.get("label_counts", {}).items(), key=lambda pair: -pair[1])
        if not counts:
            column.addWidget(label(tr("There are no names of labels here."), "soft", wrap=True))
            return
        made = Tokens()
        made.setFont(theme.font("body"))
        made.set_tokens([f"{name}  {count:,}" for name, count in counts[:SHOWN_LABELS]])
        column.addWidget(made)


def role_titles() -> dict[str, str]:
    return {"text": tr("Text"), "text_a": tr("First text"), "text_b": tr("Second text"), "label": tr("Label")}


def file_title(name: str) -> str:
    return tr("Learn from") if name == "train" else tr("Measure on")


def _cut_words(found: Mapping[str, Any], file: str) -> str:
    cut, looked_at = found["cut"][file], found["cut_of"][file]
    return tr("{cut:,} of the first {count:,}", cut=cut, count=looked_at) if looked_at < found["available_counts"][file] else f"{cut:,}"


def counts_in_words(found: Mapping[str, Any]) -> str:
    """How many examples there are, what is skipped and what is cut."""
    counts, skipped, cut = (found.get(name) or {} for name in ("counts", "skipped", "cut"))
    if not counts:
        return ""
    words = [tr("{train:,} examples to learn from, {dev:,} to measure on.", train=counts.get("train", 0), dev=counts.get("dev", 0))]
    if any(skipped.values()):
        words.append(tr("Skipped: {train:,} and {dev:,}.", train=skipped.get("train", 0), dev=skipped.get("dev", 0)))
    if any(cut.values()):
        words.append(tr("Too long and cut: {train} and {dev}.", train=_cut_words(found, "train"), dev=_cut_words(found, "dev")))
    return " ".join(words)
