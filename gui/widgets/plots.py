"""pyqtgraph in our look. Imported only by the widgets that plot: it takes a third of a second."""

from __future__ import annotations

import sys

_hook = sys.excepthook
import pyqtgraph  # noqa: E402 (it replaces the hook for unexpected errors when it is imported; ours is put back)

sys.excepthook = _hook
pyqtgraph.setConfigOptions(antialias=True)

from PySide6.QtCore import QEvent, QPointF, Qt  # noqa: E402
from PySide6.QtGui import QColor  # noqa: E402
from PySide6.QtWidgets import QLabel, QWidget  # noqa: E402

from gui import theme  # noqa: E402


def bare_plot() -> tuple[pyqtgraph.GraphicsView, pyqtgraph.ViewBox]:
    """A plane without axes, that the person cannot move: thirty times quicker to make than a plot."""
    view, box = pyqtgraph.GraphicsView(background=theme.current().surface), pyqtgraph.ViewBox(enableMenu=False, enableMouse=False)
    view.setFrameShape(view.Shape.NoFrame)
    view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    view.setCentralItem(box)
    return view, box


def plot_widget(axis_items: dict) -> pyqtgraph.PlotWidget:
    """A plot on the theme's surface, without menus and without the button in its corner. axis_items: "left" and "bottom"."""
    look = theme.current()
    made = pyqtgraph.PlotWidget(axisItems=axis_items, background=look.surface, enableMenu=False)
    made.setFrameShape(made.Shape.NoFrame)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no key does anything in it
    made.hideButtons()
    menu = made.getPlotItem().ctrlMenu  # made even if it is never shown, and parentless: it would outlive the plot
    menu.setParent(made, menu.windowFlags())
    for name in ("left", "bottom"):
        axis = made.getAxis(name)
        axis.setPen(pyqtgraph.mkPen(look.border_strong))
        axis.setTextPen(pyqtgraph.mkPen(look.text_soft))
        axis.setTickFont(theme.font("small"))
        axis.setStyle(tickLength=-4)
    return made


class HoverCard(QLabel):
    """A small card of rich text that follows the pointer over its owner. It hangs on the window, so that a narrow owner does not cut it."""

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self._owner = owner
        owner.installEventFilter(self)
        owner.destroyed.connect(self.deleteLater)
        look = theme.current()
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setObjectName("hoverCard")
        border = f"border: 1px solid {look.border_strong}; border-radius: {theme.RADIUS}px"
        self.setStyleSheet(f"#hoverCard {{ background: {look.raised}; {border}; padding: 8px 10px; color: {look.text}; }}")
        self.hide()

    def show_at(self, x: float, y: float, text: str) -> None:
        """x, y: the pointer, in pixels of the owner."""
        room = self._owner.window()
        if self.parentWidget() is not room:
            self.setParent(room)
        at = self._owner.mapTo(room, QPointF(x, y))
        if text != self.text():
            self.setWordWrap(False)
            self.setText(text)
            self.setFixedSize(self.sizeHint())
            if self.width() > 360:
                self.setWordWrap(True)
                self.setFixedWidth(360)  # before the height is asked for: until then the text is not laid out anew
                self.setFixedHeight(max(self.heightForWidth(360), 20))
        left = at.x() + 16 if at.x() + 16 + self.width() <= room.width() else at.x() - 16 - self.width()
        top = at.y() + 12 if at.y() + 12 + self.height() <= room.height() else at.y() - 12 - self.height()
        self.move(round(max(left, 2)), round(max(top, 2)))
        self.show()
        self.raise_()

    def eventFilter(self, _owner: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Hide:
            self.hide()
        return False


def with_alpha(colour: str | QColor, alpha: float) -> QColor:
    made = QColor(colour)
    made.setAlphaF(alpha)
    return made
