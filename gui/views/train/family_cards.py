"""The families to choose from: what each is called, what it cannot do, and the paper it comes from."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from core.i18n import tr
from core.registry import FAMILIES, family
from gui import theme
from gui.widgets.choice_cards import ChoiceCard, ChoiceCards

COLUMNS, WIDE = 2, 700


def family_cards(value: str) -> ChoiceCards:
    """One card for each family; `value` is chosen."""
    return ChoiceCards([_card(name) for name in FAMILIES], value, columns=COLUMNS, wide=WIDE)


def _card(name: str) -> ChoiceCard:
    made = family(name)
    card = ChoiceCard(name, made.title, tr(made.limit))
    card.column.addWidget(_paper(made.paper))
    return card


def _paper(text: str) -> QLabel:
    """ "Somebody et al. 2018, https://..." as a link."""
    found = re.search(r"https?://[^\s,]+", text)
    words = text[: found.start()].rstrip(" ,") if found else text
    link = f'<a style="color:{theme.current().accent}; text-decoration:none" href="{found[0]}">{words}</a>' if found else words
    made = QLabel(text=link, textFormat=Qt.TextFormat.RichText, openExternalLinks=True, toolTip=text)
    made.setProperty("role", "caption")
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return made
