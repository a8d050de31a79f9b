"""The look: two palettes of the same tokens, distances, text sizes, the colours of runs and senses, and icons in any colour.

The rest of the window asks `current()`. A change of theme, like one of language, makes the views anew, so nothing needs to
listen for it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QPainter, QPalette, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

RESOURCES = Path(__file__).resolve().parent.parent / "resources"
XS, S, M, L = 4, 8, 12, 16  # distances in pixels
RADIUS = 8
FONTS = ("Inter", "Segoe UI", "SF Pro Text", "Ubuntu Sans", "Ubuntu", "Cantarell", "Open Sans", "Roboto", "Noto Sans",
         "DejaVu Sans", "PingFang SC", "Microsoft YaHei UI", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei")
SIZES = {"small": 13, "body": 15, "large": 17, "title": 22, "hero": 30}  # pixels at zoom 1
LINE = 20  # pixels inside a field or a button at least
SYMBOLS = ("o", "s", "t1", "d", "star", "p", "h", "t")  # pyqtgraph's names; sense i has colour i and symbol i


@dataclass(frozen=True, kw_only=True)
class Theme:
    """Colours as #rrggbb. runs: the four of the bench. senses: of the categories of points; the two sets share no colour."""

    name: str
    dark: bool
    window: str
    surface: str
    raised: str
    hover: str
    border: str
    border_strong: str
    text: str
    text_soft: str
    text_faint: str
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    danger: str
    danger_soft: str
    warning: str
    good: str
    mark: str
    runs: tuple[str, str, str, str]
    senses: tuple[str, ...]


LIGHT = Theme(
    name="light", dark=False, window="#f5f5f2", surface="#ffffff", raised="#eeeeea", hover="#e7e7e2", border="#deded8",
    border_strong="#c2c2bb", text="#1a1c20", text_soft="#50555f", text_faint="#696e78", accent="#2d5bd7", accent_hover="#244cba",
    accent_soft="#e3eafc", on_accent="#ffffff", danger="#b3261e", danger_soft="#fbe6e4", warning="#8a5a00", good="#1b7a3d",
    mark="#ffe9a8", runs=("#4b22d6", "#8a0f3c", "#2a9aa6", "#b07f1f"),
    senses=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b6b6b", "#a08f00"),
)
DARK = Theme(
    name="dark", dark=True, window="#15171b", surface="#1d2025", raised="#272b31", hover="#2f343b", border="#343941",
    border_strong="#4d545f", text="#edeff2", text_soft="#b4bac4", text_faint="#8d949f", accent="#7ea6ff", accent_hover="#9abaff",
    accent_soft="#26324d", on_accent="#0d1526", danger="#ff8a80", danger_soft="#43221f", warning="#f0b95a", good="#6fd08c",
    mark="#5c4a12", runs=("#a866fa", "#f5487a", "#8cecf6", "#f7d24b"),
    senses=("#3da5e8", "#ff8a3d", "#22c997", "#e79fc6", "#ffc94d", "#8fd3ff", "#b9b9b9", "#e6dc5a"),
)
THEMES = {"light": LIGHT, "dark": DARK}

_current: Theme = LIGHT
_zoom = 1.0


def current() -> Theme:
    return _current


def px(size: str) -> int:
    """Pixels of a text size: one of SIZES, at the zoom of the moment."""
    return round(SIZES[size] * _zoom)


def scaled(pixels: int) -> int:
    """A width that has to hold text, at the zoom of the moment."""
    return round(pixels * max(_zoom, 1.0))


def font(size: str = "body", *, bold: bool = False) -> QFont:
    made = QFont()
    made.setFamilies(list(FONTS))
    made.setPixelSize(px(size))
    made.setWeight(QFont.Weight.Bold if bold else QFont.Weight.Normal)
    return made


def run_colour(index: int) -> QColor:
    """Of a run on the bench, by BenchRun.colour."""
    return QColor(_current.runs[index % len(_current.runs)])


def sense_colour(index: int) -> QColor:
    """Of a category, by its place in Session.senses; -1 (none) is grey."""
    return QColor(_current.senses[index % len(_current.senses)] if index >= 0 else _current.text_faint)


def sense_symbol(index: int) -> str:
    return SYMBOLS[index % len(SYMBOLS)] if index >= 0 else "o"


def apply(app: QApplication, name: str, zoom: float = 1.0) -> None:
    """Give the whole program the theme "light", "dark" or "system", and the size of its text."""
    global _current, _zoom
    hints = app.styleHints()
    if name == "system":
        hints.unsetColorScheme()
        name = "dark" if hints.colorScheme() == Qt.ColorScheme.Dark else "light"
    else:
        hints.setColorScheme(Qt.ColorScheme.Dark if name == "dark" else Qt.ColorScheme.Light)
    _current, _zoom = THEMES[name], zoom
    icon.cache_clear()
    QPixmapCache.clear()  # of the icons as they were
    app.setFont(font())
    app.setPalette(_palette(_current))
    app.setStyleSheet(stylesheet())


def forget_dead() -> None:
    """Qt keeps the styles of fields in spin boxes and of lists in combo boxes after their death, until a style sheet is set.

    That is done when the event loop turns: a widget that says it is destroyed still has all its parts, and Qt would style each anew.
    """
    if (app := QGuiApplication.instance()) is not None:
        QTimer.singleShot(0, app, _set_again)


def _set_again() -> None:
    app = QGuiApplication.instance()
    app.setStyleSheet(app.styleSheet())


def stylesheet() -> str:
    """resources/styles/lexiscope.qss with the tokens filled in."""
    tokens = {key: value for key, value in asdict(_current).items() if isinstance(value, str)}
    sizes = {f"size_{name}": f"{px(name)}px" for name in SIZES}
    sizes["line"] = f"{max(LINE, round(1.2 * px('body')))}px"  # or a crowded layout cuts the letters
    sizes["veil"] = f"#d0{_current.surface[1:]}"  # words over a picture
    images = (RESOURCES / "icons").as_posix()
    text = (RESOURCES / "styles" / "lexiscope.qss").read_text(encoding="utf-8")
    return Template(text).substitute(tokens, **sizes, icons=images)


@lru_cache(maxsize=256)
def icon(name: str, colour: str = "", size: int = 24) -> QIcon:
    """resources/icons/NAME.svg drawn in `colour` (a token's value; empty: the soft text colour); greyed where disabled."""
    made = QIcon()
    made.addPixmap(_draw(name, colour or _current.text_soft, size))
    made.addPixmap(_draw(name, _current.border_strong, size), QIcon.Mode.Disabled)
    return made


def _draw(name: str, colour: str, size: int) -> QPixmap:
    path = RESOURCES / "icons" / f"{name}.svg"
    svg = path.read_text(encoding="utf-8") if path.exists() else (RESOURCES / "icons" / "view.svg").read_text(encoding="utf-8")
    ratio = 3  # sharp on dense screens as well
    pixmap = QPixmap(size * ratio, size * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    drawing = QSvgRenderer(QByteArray(svg.replace("currentColor", colour).encode()))
    drawing.render(painter, QRectF(0, 0, size * ratio, size * ratio))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _palette(theme: Theme) -> QPalette:
    """For what the style sheet does not reach: item views, tool tips, text selections."""
    made = QPalette()
    parts = QPalette.ColorRole
    for role, colour in {
        parts.Window: theme.window, parts.WindowText: theme.text, parts.Base: theme.surface, parts.AlternateBase: theme.raised,
        parts.Text: theme.text, parts.Button: theme.raised, parts.ButtonText: theme.text, parts.PlaceholderText: theme.text_faint,
        parts.Highlight: theme.accent, parts.HighlightedText: theme.on_accent, parts.ToolTipBase: theme.raised,
        parts.ToolTipText: theme.text, parts.Link: theme.accent,
    }.items():
        made.setColor(role, QColor(colour))
    made.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text, QColor(theme.text_faint))
    made.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText, QColor(theme.text_faint))
    return made
