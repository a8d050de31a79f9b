"""Was pretraining worth it? The same task with and without it, over growing numbers of labelled examples, beside a plain baseline."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from PySide6.QtWidgets import QComboBox, QStackedWidget, QVBoxLayout, QWidget

from core import study_process
from core.i18n import tr
from gui import theme
from gui.session import Session
from gui.views import BENCH, Services
from gui.views.worth.form import StudyForm
from gui.views.worth.page import StudyPage
from gui.widgets.labels import button, label, row

STUDY = "worth/study"  # in the settings: the folder of the study that is shown, empty for the form
COMBO_WIDTH = 240


class WorthView(QWidget):
    needs: ClassVar[frozenset[str]] = frozenset({BENCH})

    def __init__(self, session: Session, services: Services) -> None:
        super().__init__()
        self._services = services
        self.form = StudyForm(session, services)
        self.form.started.connect(self._start)
        self.page = StudyPage(services)
        self._combo = QComboBox(accessibleName=tr("Earlier comparisons"))
        self._combo.setMinimumWidth(theme.scaled(COMBO_WIDTH))
        self._combo.activated.connect(self._picked)
        self._new = button(" " + tr("New comparison"), self.show_form, icon="plus")
        self._stack = QStackedWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.L, theme.M, theme.L, theme.M)
        layout.setSpacing(theme.M)
        layout.addWidget(row(label(tr("Was pretraining worth it?"), "title"), None, self._combo, self._new))
        layout.addWidget(self._stack, 1)  # while it is empty, see TrainView
        self._stack.addWidget(self.form)
        self._stack.addWidget(self.page)
        shown = services.settings.get(STUDY)
        self._fill()
        if shown and Path(shown) in study_process.list_studies():
            self.show_study(Path(shown))
        else:
            self.show_form()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._fill()

    def show_form(self) -> None:
        self._services.settings.set(STUDY, "")
        self._stack.setCurrentWidget(self.form)
        self._combo.setCurrentIndex(-1)
        self._new.hide()

    def show_study(self, folder: Path) -> None:
        self._services.settings.set(STUDY, str(folder))
        self._combo.setCurrentIndex(self._combo.findData(str(folder)))
        self._stack.setCurrentWidget(self.page)
        self._new.show()
        self.page.show_study(folder)

    def _fill(self) -> None:
        studies = study_process.list_studies()
        self._combo.clear()
        for folder in studies:
            self._combo.addItem(folder.name, str(folder))
        self._combo.setVisible(bool(studies))
        self._combo.setPlaceholderText(tr("Earlier comparisons"))
        shown = self.page.folder if self._stack.currentWidget() is self.page else None
        self._combo.setCurrentIndex(self._combo.findData(str(shown)) if shown is not None else -1)

    def _picked(self, index: int) -> None:
        self.show_study(Path(self._combo.itemData(index)))

    def _start(self, words: list[str], run: str, task: str) -> None:
        with self._services.messages.guard():
            folder = study_process.new_folder(run, task)
            study_process.start(folder, words)
            self._fill()
            self.show_study(folder)
