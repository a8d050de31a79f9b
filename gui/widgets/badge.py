"""How far a picture can be believed, on the picture itself."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from core.i18n import tr
from gui import theme

GOOD, FAIR = 0.9, 0.75  # of the trustworthiness


def badge_words(quality: dict[str, Any]) -> str:
    """One line of a dict of core.projection.quality.Quality."""
    words = tr("trustworthiness {trust:.2f} · {recall:.0%} of the {k} nearest kept", trust=quality["trustworthiness"], recall=quality["recall"],
               k=quality["neighbours"])
    if quality["asked"] == quality["points"]:
        return words
    return words + " · " + tr("{asked:,} of {points:,} points asked", asked=quality["asked"], points=quality["points"])


class Badge(QLabel):
    """Hidden until there is something to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, textFormat=Qt.TextFormat.PlainText, objectName="badge")
        self.setToolTip(tr("Trustworthiness: 1 where whatever is near in the picture is near in the vectors too; about 0.5 by chance.\n"
                           "Kept neighbours: how many of a point's nearest in the vectors are still among its nearest in the picture.\n"
                           "Both compare with all points in the full space."))
        self.hide()

    def show_quality(self, quality: dict[str, Any] | None) -> None:
        """None: there is no picture, or it is being measured."""
        if not quality:
            self.hide()
            return
        look, trust = theme.current(), quality["trustworthiness"]
        colour = look.good if trust >= GOOD else look.text_soft if trust >= FAIR else look.warning
        self.setStyleSheet(f"#badge {{ background: {look.raised}; color: {colour}; border: 1px solid {look.border_strong}; border-radius: 9px; "
                           f"padding: 2px 9px; font-size: {theme.px('small')}px; }}")
        self.setText(badge_words(quality))
        self.show()

    def fit(self, width: int) -> None:
        """One line, or more where that has no room in so many pixels."""
        self.setWordWrap(False)
        if self.sizeHint().width() <= width:
            self.adjustSize()
        else:
            self.setWordWrap(True)
            self.resize(width, self.heightForWidth(width))
