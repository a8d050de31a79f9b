"""What a run's process has written, to read and to copy."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QVBoxLayout, QWidget

from core.i18n import sentences, tr
from core.runs import Run
from core.summaries import Summary
from gui import theme
from gui.run_process import log_tail
from gui.widgets.labels import button, label, row


class LogDialog(QDialog):
    def __init__(self, parent: QWidget, run: Run, summary: Summary) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Log of {name}", name=run.name))
        self.setMinimumSize(720, 420)
        parts = [log_tail(run)]
        if summary.failure is not None:
            parts.append(summary.failure.traceback)
        self._text = QPlainTextEdit("\n\n".join(part for part in parts if part) or tr("The log is empty."), readOnly=True,
                                    lineWrapMode=QPlainTextEdit.LineWrapMode.NoWrap, accessibleName=tr("Log"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.L, theme.L, theme.L)
        layout.setSpacing(theme.M)
        if summary.failure is not None:
            layout.addWidget(label(sentences(summary.failure.message, summary.failure.hint), "large", wrap=True))
        layout.addWidget(label(str(run.path / "worker.log"), "caption", wrap=True))
        layout.addWidget(self._text, 1)
        close = button(tr("Close"), self.accept, kind="primary")
        layout.addWidget(row(button(tr("Copy the text"), self._copy), None, close))
        close.setDefault(True)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text.toPlainText())
