"""The tasks to choose from: what each is called and what it is, in a sentence."""

from __future__ import annotations

from core.i18n import tr
from core.registry import TASKS, task
from gui.widgets.choice_cards import ChoiceCard, ChoiceCards

COLUMNS, WIDE = 3, 760


def task_cards(value: str) -> ChoiceCards:
    """One card for each task; `value` is chosen."""
    return ChoiceCards([ChoiceCard(name, tr(task(name).title), tr(task(name).about), "heading") for name in TASKS], value,
                       columns=COLUMNS, wide=WIDE)
