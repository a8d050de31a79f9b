"""A text in which stretches are marked and named, as tags of a tagger or as the answer to a question."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from gui import theme
from gui.widgets.plots import with_alpha


class TaggedText(QLabel):
    """set_text(text, [(start, end, name)], colours by name): stretches may not overlap; those that do are left out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setFont(theme.font("large"))
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def set_text(self, text: str, spans: Sequence[tuple[int, int, str]], colours: dict[str, str]) -> None:
        self.setText(tagged(text, spans, colours))
        self.setAccessibleName(text + "".join(f"; {text[start:end]}: {name}" for start, end, name in spans))


def tagged(text: str, spans: Sequence[tuple[int, int, str]], colours: dict[str, str]) -> str:
    """Rich text; each stretch on its colour, its name small behind it."""
    pieces, done = [], 0
    surface = QColor(theme.current().surface)
    for start, end, name in sorted(spans):
        if start < done or end <= start:
            continue
        colour = colours.get(name, theme.current().accent)
        back = _over(with_alpha(colour, 0.30), surface).name()
        note = f'<span style="font-size:{theme.px("small")}px; color:{theme.current().text_soft}">&nbsp;{html.escape(name)}</span>' if name else ""
        pieces.append(_plain(text[done:start]))
        pieces.append(f'<span style="background-color:{back}"><b>&nbsp;{_plain(text[start:end])}</b>{note}&nbsp;</span>')
        done = end
    pieces.append(_plain(text[done:]))
    return "".join(pieces)


def _plain(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def _over(top: QColor, ground: QColor) -> QColor:
    """What a half-transparent colour looks like on the ground."""
    a = top.alphaF()
    return QColor(*(round(a * x + (1 - a) * y) for x, y in zip(top.getRgb()[:3], ground.getRgb()[:3], strict=True)))
