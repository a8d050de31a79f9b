"""Why the chosen run has failed, and what can be done."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.views.runs.runs_list import RunRow
from gui.widgets.labels import button, label, row


class Failure(QFrame):
    """Why the chosen run failed, and what to do."""

    def __init__(self, on_log: Callable[[], object], on_copy: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        look = theme.current()
        self.setObjectName("failure")
        self.setStyleSheet(f"#failure {{ background: {look.danger_soft}; border: 1px solid {look.danger}; border-radius: 8px; }}")
        self._message = label("", "heading", wrap=True)
        self._hint = label("", "", wrap=True)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self._message)
        column.addWidget(self._hint)
        words = QWidget()
        words.setLayout(column)
        column.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.S, theme.M, theme.S)
        line = row(words, button(tr("Show its log"), on_log), button(tr("Train a copy..."), on_copy))
        line.layout().setStretch(0, 1)
        layout.addWidget(line)
        self.hide()

    def show_run(self, item: RunRow | None) -> None:
        failure = item.summary.failure if item is not None else None
        killed = item is not None and item.summary.status.state == "killed"
        if failure is not None:
            self._message.setText(failure.message)
            self._hint.setText(failure.hint)
        elif killed:
            self._message.setText(tr("Its process ended without a word, perhaps because the computer was switched off or the memory ran out."))
            self._hint.setText(tr("Go on with it: it begins at its last checkpoint.") if item.run.checkpoint_steps()
                               else tr("Go on with it: it has saved no checkpoint yet, so it begins anew."))
        self._hint.setVisible(bool(self._hint.text()))
        self.setVisible(failure is not None or killed)
