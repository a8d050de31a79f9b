"""A run that has come to its end is given a later one."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QDialog, QDoubleSpinBox, QFormLayout, QSpinBox, QVBoxLayout, QWidget

from core.i18n import tr
from core.runs import Run
from gui import theme
from gui.widgets.labels import button, label, row

FACTOR = 2  # what is proposed
MOST = 10**9


class TrainOnDialog(QDialog):
    """A field for each limit that the run has; the first that is reached ends it. After exec() returned true, `limits` is what was chosen, as
    Run.change takes it."""

    def __init__(self, parent: QWidget, run: Run) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Train on"))
        self.setMinimumWidth(theme.scaled(380))
        train, self._fields = run.config.train, {}
        form = QFormLayout(horizontalSpacing=theme.L, verticalSpacing=theme.M)
        for name, words in (("minutes", tr("until it has trained for, in minutes")), ("epochs", tr("until it has read the text, times")),
                            ("steps", tr("until step"))):
            if limit := getattr(train, name):
                field = QSpinBox() if name == "steps" else QDoubleSpinBox(decimals=2)
                field.setRange(limit, MOST)
                field.setValue(FACTOR * limit)
                field.setAccessibleName(words)
                form.addRow(words, field)
                self._fields[name] = field
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.L, theme.L, theme.L)
        layout.setSpacing(theme.M)
        layout.addWidget(label(run.name, "title", wrap=True))
        layout.addLayout(form)
        if train.schedule != "constant":
            words = tr("The learning rate follows its course over the whole new length: it does not go on where it ended.")
            layout.addWidget(label(words, "small", wrap=True))
        if run.lacks_moments:
            layout.addWidget(label(tr("Its checkpoint came without the state of the optimizer, which begins anew."), "small", wrap=True))
        good = button(tr("Train on"), self.accept, kind="primary")
        layout.addWidget(row(None, button(tr("Cancel"), self.reject), good))
        good.setDefault(True)

    @property
    def limits(self) -> dict[str, Any]:
        return {f"train.{name}": field.value() for name, field in self._fields.items()}
