"""Text that was written token by token: each is shaded by how sure the writer was, and tells what else it could have been."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.shares import percent
from gui import theme
from gui.widgets.plots import HoverCard
from gui.widgets.probability_bars import SPACE
from gui.widgets.tokens import Tokens

SHOWN_ALTERNATIVES = 8


class WrittenText(QWidget):
    """hovered(index or -1): the token under the pointer."""

    hovered = Signal(int)

    def __init__(self, colour: str) -> None:
        super().__init__()
        self._colour = QColor(colour)
        self._tokens: list[str] = []
        self._shares: list[float] = []
        self._alternatives: list[list[tuple[str, float]]] = []
        self._row = Tokens()
        self._row.hovered.connect(self._show_card)
        self._row.clicked.connect(self._show_card)
        self.card = HoverCard(self._row)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._at = -1
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The arrows walk from token to token, Escape puts the card away."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(event.key(), 0)
        if step and self._tokens:
            self._show_card(min(max(self._at + step, 0), len(self._tokens) - 1))
        elif event.key() == Qt.Key.Key_Escape and self._at >= 0:
            self._show_card(-1)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)
        self._show_card(-1)

    def clear(self) -> None:
        self._at = -1
        self._tokens, self._shares, self._alternatives = [], [], []
        self.card.hide()
        self._show()

    def add(self, *answers: Mapping[str, Any]) -> None:
        """answers: of core.analysis.predict_window, each with `token`, `probability` and `alternatives`."""
        for answer in answers:
            self._tokens.append(SPACE if answer["token"] == " " else answer["token"])
            self._shares.append(float(answer["probability"]))
            self._alternatives.append(list(answer["alternatives"]))
        self._show()

    @property
    def tokens(self) -> list[str]:
        return list(self._tokens)

    def _show(self) -> None:
        self._row.set_tokens(self._tokens, [shade(self._colour, share) for share in self._shares])
        self.setAccessibleName(" ".join(self._tokens))

    def _show_card(self, index: int) -> None:
        self._at = index
        self._row.select(index)
        self.hovered.emit(index)
        if index < 0 or index >= len(self._tokens):
            self.card.hide()
            return
        box = self._row.box(index)
        self.card.show_at(box.left(), box.bottom(), self.card_text(index))

    def card_text(self, index: int) -> str:
        """Rich text: the likeliest tokens at that place with their probabilities, the one that was taken in bold."""
        taken, lines = self._tokens[index], []
        pairs = [(SPACE if token == " " else token, share) for token, share in self._alternatives[index][:SHOWN_ALTERNATIVES]]
        if all(token != taken for token, _ in pairs):
            pairs.append((taken, self._shares[index]))
        for token, share in pairs:
            words = f"{html.escape(token)}&nbsp;&nbsp;{html.escape(percent(share))}"
            lines.append(f'<b style="color:{theme.current().accent}">{words}</b>' if token == taken else words)
        return "<br>".join(lines)


def shade(colour: QColor, share: float) -> str:
    """#aarrggbb: the surer, the stronger."""
    made = QColor(colour)
    made.setAlphaF(0.08 + 0.5 * min(max(share, 0.0), 1.0))
    return made.name(QColor.NameFormat.HexArgb)
