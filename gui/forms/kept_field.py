"""A field whose contents outlive the widget: the window is made anew in another language, theme or size."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox

Field = QLineEdit | QSpinBox | QDoubleSpinBox | QAbstractSlider | QAbstractButton | QComboBox


def keep(past: dict[str, Any], name: str, field: Field) -> None:
    """Show in it what was entered there before, and remember what will be. past: of the session. name: "runs/search"."""
    if isinstance(field, QLineEdit):
        show, changed = field.setText, field.textChanged
    elif isinstance(field, QAbstractButton):
        show, changed = field.setChecked, field.toggled
    elif isinstance(field, QComboBox):
        show, changed = field.setCurrentIndex, field.currentIndexChanged
    else:
        show, changed = field.setValue, field.valueChanged
    if name in past:
        show(past[name])
    changed.connect(partial(past.__setitem__, name))
