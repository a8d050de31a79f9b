"""The options of a finetune as two forms, with those hidden that the family or the task has no use for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.config import RunConfig, TrainConfig
from core.errors import UserError
from core.i18n import tr
from core.registry import family, task
from core.tasks.config import TaskConfig
from core.tasks.labels import NOMINAL, NUMBER
from core.tasks.task import NUMBER_METRIC, Task
from gui import theme
from gui.forms.editors import show_value
from gui.forms.form import Form
from gui.forms.option_titles import option_title
from gui.second_stage import metric_title
from gui.widgets.labels import label
from gui.widgets.section import Section

TASK, COLUMN = "finetune/task", "finetune/columns/{task}/{option}"  # in the settings
FILE = "finetune/file/{task}/{name}"
COLUMNS = ("column_text", "column_text_b", "column_label")  # chosen beside the preview
SUMMARY = {"task": ("labels", "unfreeze", "from_scratch"), "train": ("steps", "epochs", "batch_size", "learning_rate")}
OF_TASK: dict[str, Callable[[Task], bool]] = {
    "crf": lambda made: made.units, "stride": lambda made: made.name == "span", "max_answer": lambda made: made.name == "span",
    "order": lambda made: made.orders, "label_kind": lambda made: {NOMINAL, NUMBER} <= set(made.heads), "pooling": lambda made: not made.windows,
    "class_weights": lambda made: NOMINAL in made.heads, "label_smoothing": lambda made: NOMINAL in made.heads or "choices" in made.asked}
OF_CAPABILITY = {"lm_weight": "generate", "mix": "hidden_states"}
OF_MIX = ("mix_place", "mix_layer_norm", "mix_l2")


class FinetuneOptions(QWidget):
    """changed: a value was edited. The columns and files stand elsewhere: `values` are without them. hide: options that something else settles."""

    changed = Signal()

    def __init__(self, hide: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._family, self._task = "", ""
        self.forms = {"task": Form(TaskConfig, hide=(*COLUMNS, *hide)), "train": Form(TrainConfig, hide=hide)}
        titles = {"task": tr("How it learns the task"), "train": tr("Training")}
        self._sections = {name: Section(titles[name]) for name in self.forms}
        self._decides = label("", "caption", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.M)
        for name, form in self.forms.items():
            form.changed.connect(self._edited)
            layout.addWidget(self._sections[name])  # while it is empty, see TrainView
            if name == "train":
                self._sections[name].column.addWidget(self._decides)
            self._sections[name].column.addWidget(form)

    def show_defaults(self, config: RunConfig) -> None:
        """The values that such a finetune begins with; what the person has changed stays changed."""
        self._family, self._task = config.family, config.task.task
        for name, form in self.forms.items():
            changed = {option: form.values()[option] for option in form.differences()}
            plain = {item.name: getattr(getattr(config, name), item.name) for item in dataclasses.fields(getattr(config, name))}
            form.set_reference(plain)
            form.set_values({**plain, **changed})
        self._arrange()

    def show_config(self, config: RunConfig) -> None:
        """The values of settings that were made before."""
        for name, form in self.forms.items():
            form.set_config(getattr(config, name))
        self._arrange()

    def changes(self) -> dict[str, dict[str, Any]]:
        """Of each part option -> value, those that the person has changed; `restore` takes them."""
        return {name: {option: form.values()[option] for option in form.differences()} for name, form in self.forms.items()}

    def restore(self, config: RunConfig, changes: dict[str, dict[str, Any]]) -> None:
        """`show_defaults`, with what was changed before."""
        self.show_defaults(config)
        for name, values in changes.items():
            self.forms[name].set_values(values)
        self.show_defaults(config)  # which options are shown depends on what was entered

    def options(self) -> dict[str, Any] | None:
        """Dotted option -> value, those that differ from the defaults; None where a field is refused, the reason stands there.

        Of the ends of a run all are named where one differs: one that is named takes the others away.
        """
        found: dict[str, Any] = {}
        for name, form in self.forms.items():
            if form.config() is None:
                self._sections[name].unfold()
                return None
            values, differ = form.values(), set(form.differences())
            if differ & {"steps", "epochs", "minutes"}:
                differ |= {"steps", "epochs", "minutes"}
            found |= {f"{name}.{option}": values[option] for option in differ if not (name == "task" and option in COLUMNS)}
        return found

    def show_error(self, error: UserError) -> bool:
        """At its field, if we have it."""
        option = error.where.rpartition(".")[2]
        for name, form in self.forms.items():
            if option in form.names():
                form.show_error(error)
                self._sections[name].unfold()
                return True
        return False

    def _edited(self) -> None:
        self._arrange()
        self.changed.emit()

    def _arrange(self) -> None:
        """Hide what changes nothing here, and say in the folded sections what is set."""
        form = self.forms["task"]
        values = form.values()
        made = family(self._family) if self._family else None
        capable = {option: made is not None and wanted in made.capabilities for option, wanted in OF_CAPABILITY.items()}
        mixed = values["mix"] == "on" or (values["mix"] == "auto" and made is not None and made.form.scalar_mix)
        for option in form.names():
            useful = capable.get(option, True) and (option not in OF_TASK or not self._task or OF_TASK[option](task(self._task)))
            if option in OF_MIX:
                useful = mixed and "mix" in form.names() and capable["mix"]
            if option == "lstm_size":
                useful = values["network"] != "none"
            form.set_row_visible(option, useful)
        if self._task:
            self._decides.setText(tr("Which checkpoint is the best, and when it stops early, is decided by the task's figure on the examples to "
                                     "measure on ({metric}); of equal ones the smaller loss is better.", metric=_metrics(self._task)))
        train = self.forms["train"]
        train.set_row_visible("muon_learning_rate", train.values()["optimizer"] == "muon")
        for name, section in self._sections.items():
            values = self.forms[name].values()
            shown = [f"{option_title(option)} {_shown(option, values[option])}" for option in SUMMARY[name] if option in self.forms[name].names()]
            differ = len(self.forms[name].differences())
            section.set_summary(" · ".join(shown), tr("{count} changed", count=differ) if differ else "")


def _metrics(name: str) -> str:
    metric = metric_title(task(name).metric)
    either = OF_TASK["label_kind"](task(name))
    return tr("{metric}, of numbers {other}", metric=metric, other=metric_title(NUMBER_METRIC)) if either else metric


def _shown(option: str, value: Any) -> str:
    return tr("all") if option == "labels" and value == 0 else show_value(option, value)
