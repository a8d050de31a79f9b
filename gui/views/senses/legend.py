"""What the marks in the view of the senses mean; it stands at the right, beneath the specimens."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from core.i18n import tr
from gui import theme
from gui.views.senses.choices import Choices
from gui.views.senses.state import ARROWS, BACKWARD, BOTH, FORWARD
from gui.widgets.labels import label
from gui.widgets.measure_chart import paint_diamond
from gui.widgets.plots import with_alpha
from gui.widgets.segments import Segments
from gui.widgets.switch import Switch

BAR, WHISKER, DIAMOND, BAND, RING = "bar", "whisker", "diamond", "band", "ring"


class Sample(QWidget):
    """One mark as the chart draws it."""

    def __init__(self, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = kind
        self.setFixedSize(30, 18)

    def paintEvent(self, _event: QPaintEvent) -> None:
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle, box = QPointF(15, 9), QRectF(2, 5, 26, 8)
        if self._kind == WHISKER:
            painter.setPen(QPen(QColor(look.text), 2))
            painter.drawLine(QPointF(4, 9), QPointF(26, 9))
            for x in (4, 26):
                painter.drawLine(QPointF(x, 5), QPointF(x, 13))
        elif self._kind == DIAMOND:
            paint_diamond(painter, middle)
        elif self._kind == RING:
            painter.setPen(QPen(QColor(look.text_soft), 1.5))
            painter.drawEllipse(middle, 8, 8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(look.text_faint))
            painter.drawEllipse(middle, 4, 4)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(with_alpha(look.text_faint, 0.38) if self._kind == BAND else QColor(look.accent))
            painter.drawRect(box)
        painter.end()


class DirectionChoice(QWidget):
    """Which of ELMo's vectors: joined, the forward or the backward one."""

    def __init__(self, choices: Choices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self._segments = Segments(ARROWS, choices.direction, tips={BOTH: tr("the forward and the backward vector, joined"),
                                                                   FORWARD: tr("the forward vector: it has read what stands before"),
                                                                   BACKWARD: tr("the backward vector: it has read what stands after")})
        self._segments.chosen.connect(self._chosen)
        choices.changed.connect(self._show)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(label(tr("ELMo's vectors"), "small"))
        line.addStretch(1)
        line.addWidget(self._segments)

    def _chosen(self, name: str) -> None:
        self._choices.direction = name

    def _show(self) -> None:
        self._segments.set_value(self._choices.direction)


class PlaceAside(QWidget):
    """Whether the pictures have the word's place in the sentence set aside."""

    def __init__(self, choices: Choices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self.switch = Switch()
        words = label(tr("Set the word's place aside"), "small", wrap=True)
        for part in (self.switch, words):
            part.setToolTip(tr("In the pictures every vector is less the mean of those whose word stands first, last or between, as it does. "
                               "The place is no sense, but it often speaks louder."))
        self.switch.setAccessibleName(words.text())
        self.switch.toggled.connect(self._toggled)
        choices.changed.connect(self._show)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(words, 1)
        line.addWidget(self.switch)
        self._show()

    def _toggled(self, on: bool) -> None:
        self._choices.set(aside=on)

    def _show(self) -> None:
        self.switch.setChecked(self._choices.state.aside)


class PictureChoices(QWidget):
    """What can be chosen of the vectors that are drawn: of ELMo's which, and whether their places are set aside."""

    def __init__(self, choices: Choices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.aside = PlaceAside(choices)
        self._direction = DirectionChoice(choices)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        column.addWidget(self._direction)
        column.addWidget(self.aside)
        self.set_joined(False)

    def set_joined(self, there: bool) -> None:
        """Whether a run is there whose vectors are those of two directions."""
        self._direction.setVisible(there)


class SensesLegend(QWidget):
    def __init__(self, choices: Choices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, theme.S, 0, 0)
        grid.setHorizontalSpacing(theme.S)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        texts = {BAR: tr("right: nearest to the group of its own sense"), WHISKER: tr("95% interval"), DIAMOND: "",
                 BAND: tr("with shuffled labels"), RING: tr("hard: words of another sense stand nearby")}
        self._labels = {kind: label(text, "small", wrap=True) for kind, text in texts.items()}
        self._samples: dict[str, QWidget] = {}
        for place, (kind, words) in enumerate(self._labels.items()):
            self._samples[kind] = Sample(kind)
            grid.addWidget(self._samples[kind], place, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
            grid.addWidget(words, place, 1)
        self.pictures = PictureChoices(choices)
        grid.addWidget(self.pictures, len(texts), 0, 1, 2)
        self.set_sources(())

    def set_sources(self, names: tuple[str, ...], *, own: bool = False) -> None:
        """names: of the runs whose static vectors make the bags of context; none: not known yet. own: each run has its own bag."""
        words = self._labels[DIAMOND]
        if not names:
            words.setText(tr("bag of context: the other words' mean vector"))
        elif own:
            words.setText(tr("bag of context: the other words' mean vector, of each run's own token vectors"))
        else:
            words.setText(tr("bag of context: the other words' mean vector, from {name}", name=", ".join(names)))
