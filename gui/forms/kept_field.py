"""A field whose contents outlive the widget: the window is made anew in another language, theme or size."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtWidgets import QDoubleSpinBox, QLineEdit, QSpinBox


def keep(past: dict[str, Any], name: str, field: QLineEdit | QSpinBox | QDoubleSpinBox) -> None:
    """Show in it what was entered there before, and remember what will be. past: of the session. name: "runs/search"."""
    text = isinstance(field, QLineEdit)
    if name in past:
        (field.setText if text else field.setValue)(past[name])
    (field.textChanged if text else field.valueChanged).connect(partial(past.__setitem__, name))
