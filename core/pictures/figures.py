"""Figures for files, drawn without a window: the command line's counterpart of the pictures in the views.

Text stays text in SVG and PDF. matplotlib is loaded only when a figure is made, and pyplot, which keeps global state, never is.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError
from core.i18n import tr
from core.pictures import palette
from core.whole import whole_file

if TYPE_CHECKING:
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

SUFFIXES = (".svg", ".pdf", ".png")
PNG_DPI = 200
MARKERS = ("o", "s", "^", "d", "*", "p", "h", "v")  # sense i has marker i, as in the window
CHINESE_FONTS = ("Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans SC", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "SimHei",
                 "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Arial Unicode MS")
FALLBACK_FONT = "DejaVu Sans"  # comes with matplotlib
_FIRST_CHINESE = "\u2e80"


def suffix_of(path: Path) -> str:
    """The kind of file, ".svg", ".pdf" or ".png". UserError for another."""
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(tr("A figure cannot be saved as '{name}'.", name=Path(path).name), tr("Let its name end in .svg, .pdf or .png."), where="out")
    return suffix


@contextmanager
def figure(width: float = 8.0, height: float = 4.5) -> Iterator[Figure]:
    """A matplotlib Figure of width x height inches in the program's colours and fonts; draw it and `save` it inside the block."""
    import matplotlib
    from matplotlib.figure import Figure

    look = palette.of(dark=False)
    found = chinese_font()
    settings = {
        "font.family": [FALLBACK_FONT, *([found] if found else []), "sans-serif"], "font.size": 11, "svg.fonttype": "none", "pdf.fonttype": 42,
        "figure.facecolor": look.surface, "axes.facecolor": look.surface, "savefig.facecolor": look.surface, "text.color": look.text,
        "axes.labelcolor": look.text, "axes.edgecolor": look.border, "axes.titlecolor": look.text, "xtick.color": look.text_soft,
        "ytick.color": look.text_soft, "grid.color": look.border, "axes.spines.top": False, "axes.spines.right": False,
        "legend.frameon": False, "axes.unicode_minus": False, "axes.prop_cycle": matplotlib.cycler(color=look.senses),
        "text.parse_math": False,  # a $ in a name or a word is a $
    }
    with matplotlib.rc_context(settings):
        yield Figure(figsize=(width, height), layout="constrained")


def save(drawn: Figure, path: Path) -> str:
    """Write it as its suffix says, wholly or not at all. Returns a sentence where its text cannot be shown as it should be, else ""."""
    from matplotlib.text import Text

    path, suffix = Path(path), suffix_of(path)
    dated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix, {})  # the same figure gives the same file
    chinese = any(character >= _FIRST_CHINESE for text in drawn.findobj(Text) for character in text.get_text())
    boxes = chinese and not chinese_font() and suffix != ".svg"
    with whole_file(path, "out") as part, warnings.catch_warnings():
        if chinese:  # said once, below
            warnings.filterwarnings("ignore", "Glyph .* missing")
        drawn.savefig(part, format=suffix[1:], dpi=PNG_DPI, metadata=dated)
    if boxes:
        return tr("No font with Chinese characters was found: they are shown as boxes. Install one, such as fonts-noto-cjk, or save as .svg.")
    return ""


def ramp() -> ListedColormap:
    """From nothing to the strongest, as in the window's heat maps."""
    from matplotlib.colors import ListedColormap

    return ListedColormap(palette.ramp(dark=False) / 255)


@lru_cache(maxsize=1)
def chinese_font() -> str:
    """The name of a font of this machine that has Chinese characters; empty where there is none."""
    from matplotlib import font_manager

    known = {entry.name for entry in font_manager.fontManager.ttflist}
    return next((name for name in CHINESE_FONTS if name in known), "")
