"""A picture of a view leaves it: copied, as PNG, as SVG or PDF with text as text, and the numbers behind it as csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QPoint, QSize, QSizeF
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPageLayout, QPageSize, QPainter, QPaintEvent, QPdfWriter, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsView, QMenu, QToolButton, QWidget

from core.errors import UserError
from core.i18n import tr
from core.whole import whole_file
from gui import saving, theme
from gui.messages import Messages
from gui.settings import Settings

Rows = tuple[Sequence[str], Iterable[Sequence[object]]]  # the names of the columns, and the rows
SCALES = (1, 2, 3, 4)  # of a PNG
SCREEN_DPI = 96
PARTS = QWidget.RenderFlag.DrawChildren | QWidget.RenderFlag.DrawWindowBackground


class PictureButton(QToolButton):
    """A small button whose menu copies or saves the picture.

    picture: the widget, or a function that gives it (None: there is nothing to save now). name: what a file of it is called.
    rows: gives the numbers behind it. messages: where is said that it was saved, or why it was not.
    """

    def __init__(self, picture: QWidget | Callable[[], QWidget | None], name: str | Callable[[], str], *, messages: Messages,
                 settings: Settings, rows: Callable[[], Rows] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture, self._name, self._rows = picture, name, rows
        self._messages, self._settings = messages, settings
        self.unseen = False  # while the picture that it stands in is drawn for a file
        self.setProperty("kind", "small")
        self.setToolTip(tr("Copy or save this picture"))
        self.setAccessibleName(self.toolTip())
        self.setIcon(theme.icon("export"))
        self.setIconSize(QSize(18, 18))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.addAction(tr("Copy"), self.copy)
        menu.addSeparator()
        for scale in SCALES:
            menu.addAction(tr("Save as PNG, {scale}x", scale=scale), partial(self.save, ".png", scale))
        menu.addAction(tr("Save as SVG"), partial(self.save, ".svg"))
        menu.addAction(tr("Save as PDF"), partial(self.save, ".pdf"))
        if rows is not None:
            menu.addSeparator()
            menu.addAction(tr("Save its data as csv"), self.save_rows)
        self.setMenu(menu)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.unseen:
            super().paintEvent(event)

    def copy(self) -> None:
        """As an image; the clipboard keeps it when the view is gone."""
        if (widget := self._widget()) is not None:
            QGuiApplication.clipboard().setImage(image_of(widget, 2))
            self._messages.say(tr("The picture is on the clipboard."))

    def save(self, suffix: str, scale: int = 1) -> None:
        if (widget := self._widget()) is not None:
            self._write(suffix, partial(_save_picture, widget, scale))

    def save_rows(self) -> None:
        header, rows = self._rows()
        self._write(".csv", partial(_save_rows, header, rows))

    def _widget(self) -> QWidget | None:
        found = self._picture if isinstance(self._picture, QWidget) else self._picture()
        if found is None:
            self._messages.say(tr("There is no picture yet."))
        return found

    def _write(self, suffix: str, write: Callable[[Path], None]) -> None:
        name = self._name if isinstance(self._name, str) else self._name()
        folder = self._settings.get("picture/folder") or str(Path.home())
        suggested = Path(folder) / f"{saving.file_name(name)}{suffix}"
        chosen = saving.ask_path(self.window(), tr("Save the picture"), str(suggested), f"{suffix[1:].upper()} (*{suffix})")
        if not chosen:
            return
        path = Path(chosen)
        with self._messages.guard():
            write(path)
            self._settings.set("picture/folder", str(path.parent))
            self._messages.say(tr("Saved as {path}.", path=path))


def image_of(widget: QWidget, scale: int = 1) -> QImage:
    """The widget as it is shown, `scale` times as dense: drawn anew, not enlarged."""
    image = QImage(widget.size() * scale, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(scale)
    image.fill(QColor(theme.current().surface))
    painter = QPainter(image)
    _draw(widget, painter)
    painter.end()
    return image


def save_picture(widget: QWidget, path: Path, scale: int = 1) -> None:
    """Write it as the path's suffix says: .png, .svg or .pdf. UserError where that cannot be."""
    made = {".png": partial(_png, scale=scale), ".svg": _svg, ".pdf": _pdf}.get(Path(path).suffix.lower())
    if made is None:
        raise UserError(tr("A figure cannot be saved as '{name}'.", name=Path(path).name), tr("Let its name end in .svg, .pdf or .png."), where="out")
    _store(Path(path), made(widget))


def save_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A csv that spreadsheets open with Chinese in it as well: UTF-8 with its mark at the beginning. What is not a number is left empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([["" if value != value else value for value in row] for row in rows])
    _store(Path(path), text.getvalue().encode("utf-8-sig"))


def _save_rows(header: Sequence[str], rows: Iterable[Sequence[object]], path: Path) -> None:
    save_rows(path, header, rows)


def _save_picture(widget: QWidget, scale: int, path: Path) -> None:
    save_picture(widget, path, scale)


def _draw(widget: QWidget, painter: QPainter) -> None:
    """Without the buttons that save it. pyqtgraph draws points from a cache of pixels unless it is told that this is for a file."""
    buttons = widget.findChildren(PictureButton)
    for button in buttons:
        button.unseen = True
    plotted = [item for view in widget.findChildren(QGraphicsView) for item in view.items() if hasattr(item, "setExportMode")]
    for item in plotted:
        item.setExportMode(True, {"resolutionScale": 1.0, "antialias": True})
    widget.render(painter, QPoint(), QRegion(), PARTS)
    for item in plotted:
        item.setExportMode(False)
    for button in buttons:
        button.unseen = False


def _png(widget: QWidget, scale: int) -> bytes:
    data, buffer = _buffer()
    image_of(widget, scale).save(buffer, "PNG")
    return data.data()


def _svg(widget: QWidget) -> bytes:
    data, buffer = _buffer()
    made = QSvgGenerator()
    made.setOutputDevice(buffer)
    made.setSize(widget.size())
    made.setViewBox(widget.rect())
    made.setResolution(widget.logicalDpiX() or SCREEN_DPI)
    made.setTitle(widget.accessibleName())
    painter = QPainter(made)
    painter.fillRect(widget.rect(), QColor(theme.current().surface))
    _draw(widget, painter)
    painter.end()
    return data.data()


def _pdf(widget: QWidget) -> bytes:
    data, buffer = _buffer()
    made = QPdfWriter(buffer)
    made.setResolution(widget.logicalDpiX() or SCREEN_DPI)
    size = QSizeF(widget.size()) * 72 / made.resolution()
    made.setPageSize(QPageSize(size, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch))
    made.setPageMargins(QMarginsF(), QPageLayout.Unit.Point)
    made.setTitle(widget.accessibleName())
    painter = QPainter(made)
    painter.fillRect(widget.rect(), QColor(theme.current().surface))
    _draw(widget, painter)
    painter.end()
    return data.data()


def _buffer() -> tuple[QByteArray, QBuffer]:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    return data, buffer


def _store(path: Path, content: bytes) -> None:
    """The whole file or none; what was there before stays if it cannot be written."""
    with whole_file(path) as part:
        part.write_bytes(content)
