"""The strip above the pictures: what the colours and symbols stand for, and the sentence that is selected or being typed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.widgets.elided import Elided
from gui.widgets.flow import Flow
from gui.widgets.folding import FoldingSegments
from gui.widgets.labels import button, icon_button, label, row
from gui.widgets.symbols import symbol_path

LINES = 2  # that a sentence may take
LONGEST = 2000  # characters of a typed one


class SenseMark(QWidget):
    """A sense's symbol in its colour; ringed as a hard one."""

    def __init__(self, sense: int, *, ring: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sense, self._ring = sense, ring
        self.setFixedSize(22, 22)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._ring:
            painter.setPen(QPen(QColor(theme.current().text_soft), 1.5))
            painter.drawEllipse(QRectF(1.5, 1.5, 19, 19))
        painter.translate(11, 11)
        painter.scale(12, 12)
        painter.fillPath(symbol_path(theme.sense_symbol(self._sense)), theme.sense_colour(self._sense))
        painter.end()


class SensesStrip(QWidget):
    """typed(text): the sentence that is being typed has changed. reading(bool): typing has begun or ended."""

    typed = Signal(str)
    reading = Signal(bool)

    def __init__(self, *right: QWidget, parent: QWidget | None = None) -> None:
        """right: widgets at the end of the first line."""
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._legend = Flow(theme.L, theme.XS)
        self._right = right
        self._senses: tuple = ()
        self._sentence = QLabel(textFormat=Qt.TextFormat.RichText, wordWrap=True)
        self._sentence.setProperty("role", "large")
        self._sentence.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._sentence.setAccessibleName(tr("The selected sentence"))
        self.edit = QLineEdit(placeholderText=tr("Type a sentence with the word"), clearButtonEnabled=True, maxLength=LONGEST)
        self.edit.setFont(theme.font("large"))
        self.edit.textChanged.connect(self.typed)
        self.type_button = button(tr("Type a sentence"), self._begin, icon="edit", tip=tr("Type a sentence, and see its point glide"))
        self.type_button.setAccessibleName(tr("Type a sentence"))
        self.play = icon_button("play", tr("Let the words come one by one"))
        self._close = icon_button("close", tr("Back to the selected sentence"), self.end)
        self._top = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._top.setSpacing(theme.S)
        self._top.addWidget(self._legend, 1, Qt.AlignmentFlag.AlignVCenter)
        if right:
            self._top.addWidget(row(None, *right))
        self._seen, self._typing = QWidget(), QWidget()
        for part, widgets in ((self._seen, (self._sentence, self.type_button)), (self._typing, (self.edit, self.play, self._close))):
            line = QHBoxLayout(part)
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(theme.S)
            for widget in widgets:
                line.addWidget(widget, 1 if widget in (self._sentence, self.edit) else 0)
        self._below = QWidget()
        self._lines = QStackedLayout(self._below)
        self._lines.addWidget(self._seen)
        self._lines.addWidget(self._typing)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        column.addLayout(self._top)
        column.addWidget(self._below)
        self._sentence.ensurePolished()
        self._sentence.setFixedHeight(LINES * self._sentence.fontMetrics().lineSpacing() + 2)
        self.show_sentence(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

        wide = self.fontMetrics().horizontalAdvance(tr("Click on a point to read its sentence.")) + self.type_button.fontMetrics(
            ).horizontalAdvance(tr("Type a sentence")) < self.width()
        self.type_button.setText(tr("Type a sentence") if wide else "")

    def _fold(self) -> None:
        """Where the senses' names have no room, what stands at the right folds first, then it goes beneath them; then they take more lines."""
        legend = self._legend.sizeHint().width()
        whole, folded = (sum(widget.sizeHint().width() if unfolded else widget.minimumSizeHint().width() for widget in self._right)
                         + theme.S * len(self._right) for unfolded in (True, False))
        below = legend + folded > self.width()
        room = self.width() if below else self.width() - legend
        self._top.setDirection(QBoxLayout.Direction.TopToBottom if below else QBoxLayout.Direction.LeftToRight)
        self._top.setStretchFactor(self._legend, 0 if below else 1)
        for widget in self._right:
            if isinstance(widget, FoldingSegments):
                widget.setMaximumWidth(widget.minimumSizeHint().width() if whole > room else widget.sizeHint().width())

    def show_line(self, there: bool) -> None:
        """Whether a sentence has its place here, beneath the senses."""
        self._below.setVisible(there)

    @property
    def is_typing(self) -> bool:
        return self._lines.currentWidget() is self._typing

    def begin(self, text: str, *, focus: bool = True) -> None:
        """Let the person type, from that sentence on."""
        self._lines.setCurrentWidget(self._typing)
        self.edit.setText(text)
        if focus:
            self.edit.setFocus()
        self.reading.emit(True)
        self.typed.emit(self.edit.text())

    def end(self) -> None:
        self._lines.setCurrentWidget(self._seen)
        self.reading.emit(False)

    def _begin(self) -> None:
        self.begin(self._plain)

    def show_senses(self, word: str, titles: Sequence[str], counts: Sequence[int], hard: int) -> None:
        """The word, then each sense's symbol, name and number of sentences."""
        wanted = (word, tuple(titles), tuple(counts), hard)
        if wanted == self._senses:
            return
        self._senses = wanted
        parts = [Elided(word, "title")]
        parts += [row(SenseMark(number), Elided(f"{name}  {count}", "large"), spacing=theme.XS)
                  for number, (name, count) in enumerate(zip(titles, counts, strict=True))]
        if hard:
            parts.append(row(SenseMark(-1, ring=True), label(tr("hard  {count}", count=hard), "soft"), spacing=theme.XS))
        self._legend.set_parts(parts)
        self._fold()

    def show_sentence(self, text: str | None, sense: int = -1, title: str = "", hard: bool = False,
                      plain: str = "") -> None:
        """text: rich text, the word marked; None: nothing is selected. plain: the same without marks, where typing begins."""
        self._plain = plain
        look = theme.current()
        if text is None:
            self._sentence.setText(f'<span style="color:{look.text_faint}">{tr("Click on a point to read its sentence.")}</span>')
            return
        words = f"{title} · {tr('hard')}" if hard else title
        self._sentence.setText(f'{text} &nbsp;<span style="color:{theme.sense_colour(sense).name()}">{words}</span>')
