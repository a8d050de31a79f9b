"""Two columns of the same words, joined by lines: what each word at the left takes from those at the right, one colour a head."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.widgets.clicks import is_click
from gui.widgets.plots import HoverCard, with_alpha

MOST_LINES = 500  # at once, the strongest; more would take longer to draw than a typed letter may, and hide each other
SHADES = 20  # of a colour, and as many widths
LEAST = 0.01  # weights below this are never drawn
COLUMN_SHARE = 0.3  # of the width, for the words at each side
MOST_ROW = 40  # pixels
CARD_LINES = 6  # the strongest of a word, on its card
STROKE = 16  # pixels of a head's colour in the legend
BAR = 46  # pixels: the strip beside the right words that shows how much each head gives them


class HeadLines(QWidget):
    """picked(unit): a word at the left was clicked; -1 when it was clicked again. As high as its words need: put it into a scroll area."""

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._weights: dict[int, np.ndarray] = {}
        self._colours: dict[int, QColor] = {}
        self._labels: list[str] = []
        self._soft = np.zeros(0, dtype=bool)
        self._lines: list[tuple[int, int, int, float]] = []
        self._dropped = 0
        self._least = LEAST
        self._under: tuple[str, int] = ("", -1)
        self._picked = -1
        self._names = (("", ""), ("", ""))
        self._titles: dict[int, str] = {}
        self._card = HoverCard(self)

    def set_names(self, left: tuple[str, str], right: tuple[str, str]) -> None:
        """Above the two columns; of each a longer and a shorter name, for narrow pictures."""
        self._names = (left, right)

    def set_lines(self, weights: Mapping[int, np.ndarray], colours: Mapping[int, QColor], labels: Sequence[str], *, soft: Sequence[bool] = (),
                  least: float = 0.0, titles: Mapping[int, str] | None = None) -> None:
        """weights: head -> (n, n) from the left to the right, NaN where there is no line. colours: of each head. least: thinner lines are not
        drawn. titles: of the heads, for the legend."""
        self._titles = dict(titles or {})
        self._card.hide()
        self._weights = {head: np.nan_to_num(np.asarray(one, dtype=np.float32)) for head, one in weights.items()}
        self._colours, self._labels, self._least = dict(colours), list(labels), max(least, LEAST)
        self._soft = np.asarray(soft, dtype=bool) if len(soft) else np.zeros(len(labels), dtype=bool)
        self._lines, self._dropped = self._strongest()
        self._under = ("", -1)
        if self._picked >= len(self._labels):
            self._picked = -1
        self.updateGeometry()
        self.setMinimumHeight(self.sizeHint().height())
        self.update()

    @property
    def dropped(self) -> int:
        """How many lines above the threshold there was no room for."""
        return self._dropped

    @property
    def lines(self) -> list[tuple[int, int, int, float]]:
        """(head, left word, right word, weight) of what is drawn while the pointer is elsewhere, the strongest last."""
        return self._lines

    def pick(self, unit: int) -> None:
        """Show only the lines of that word at the left; -1: of all. Sends no signal."""
        self._picked = unit if unit < len(self._labels) else -1
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, len(self._labels) * self._least_row() + self._top() + theme.XS)

    def minimumSizeHint(self) -> QSize:
        return QSize(110, self.sizeHint().height())

    def place_of(self, unit: int, *, right: bool = False) -> QPointF:
        """The middle of a word, in pixels."""
        column = self._column()
        return QPointF(self.width() - column / 2 if right else column / 2, self._top() + (unit + 0.5) * self._row())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        unit = int((at.y() - self._top()) // self._row())
        side = "left" if at.x() <= self._column() else "right" if at.x() >= self.width() - self._column() else ""
        under = (side, unit) if side and 0 <= unit < len(self._labels) else ("", -1)
        self.setCursor(Qt.CursorShape.PointingHandCursor if under[0] == "left" else Qt.CursorShape.ArrowCursor)
        if under != self._under:
            self._under = under
            self.update()
        if under[0]:
            self._card.show_at(at.x(), at.y(), self.card(*under))
        else:
            self._card.hide()

    def card(self, side: str, unit: int) -> str:
        """Rich text: the strongest weights that a word at the left gives, or that one at the right gets."""
        found = sorted(self._of(side, unit), key=lambda line: -line[3])
        word = html.escape(self._labels[unit])
        lines = [f"<b>{word} →</b>" if side == "left" else f"<b>→ {word}</b>"]
        for head, start, end, weight in found[:CARD_LINES]:
            other = html.escape(self._labels[end if side == "left" else start])
            lines.append(f'<span style="color:{self._colours[head].name()}">●</span> {other}&nbsp;&nbsp;<b>{weight:.3f}</b>')
        return "<br>".join([*lines, "..."] if len(found) > CARD_LINES else lines)

    def leaveEvent(self, _event: object) -> None:
        self._card.hide()
        self._under = ("", -1)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.mouseMoveEvent(event)
        if is_click(self, event) and self._under[0] == "left":
            self._picked = -1 if self._picked == self._under[1] else self._under[1]
            self.picked.emit(self._picked)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._labels:
            return
        side, unit = self._under if self._under[0] else ("left", self._picked) if self._picked >= 0 else ("", -1)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_lines(painter, self._of(side, unit) if side else self._lines, event.rect(), BAR if side == "left" else 0)
        self._paint_words(painter, side, unit)
        self._paint_head(painter)
        if side == "left":
            self._paint_bars(painter, unit)
        painter.end()

    def _paint_lines(self, painter: QPainter, lines: Sequence[tuple[int, int, int, float]], seen: QRect, room: int) -> None:
        """room: at the right, for the bars. Lines of a head that look the same are drawn at once."""
        row, column = self._row(), self._column()
        left, right = column + theme.XS, self.width() - column - room - theme.XS
        above = self._top()
        first, last = (seen.top() - above) / row - 1, (seen.bottom() - above) / row
        alike: dict[tuple[int, int], list[QLineF]] = {}
        for head, start, end, weight in lines:
            if max(start, end) >= first and min(start, end) <= last:
                line = QLineF(left, above + (start + 0.5) * row, right, above + (end + 0.5) * row)
                alike.setdefault((round(SHADES * min(weight, 1.0)), head), []).append(line)
        for (shade, head), drawn in sorted(alike.items(), key=lambda item: item[0]):  # the strongest on top
            share = shade / SHADES
            painter.setPen(QPen(with_alpha(self._colours[head], 0.12 + 0.83 * share), 0.8 + 2.7 * share))
            painter.drawLines(drawn)

    def _paint_words(self, painter: QPainter, side: str, unit: int) -> None:
        look, font, column, row = theme.current(), theme.font("body"), self._column(), self._row()
        metrics = QFontMetrics(font)
        painter.setFont(font)
        for number, text in enumerate(self._labels):
            top = self._top() + number * row
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(column - 2 * theme.XS))
            for right in (False, True):
                box = QRectF(self.width() - column if right else 0, top, column, row)
                if number == unit and side == ("right" if right else "left"):
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(QColor(look.accent_soft))
                    painter.drawRoundedRect(box.adjusted(0, 1, 0, -1), 4, 4)
                painter.setPen(QColor(look.text_faint if self._soft[number] else look.text))
                align = Qt.AlignmentFlag.AlignLeft if right else Qt.AlignmentFlag.AlignRight
                painter.drawText(box.adjusted(theme.XS, 0, -theme.XS, 0), align | Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_bars(self, painter: QPainter, unit: int) -> None:
        """Beside each word at the right: what it gets of that word from each head, and the number where there is one head."""
        row, left = self._row(), self.width() - self._column() - BAR
        heads = sorted(self._weights)
        painter.setFont(theme.font("small"))
        for number in range(len(self._labels)):
            top, high = self._top() + number * row + 3, (row - 6) / max(len(heads), 1)
            for place, head in enumerate(heads):
                share = float(self._weights[head][unit, number])
                painter.fillRect(QRectF(left, top + place * high, BAR * min(share, 1.0), max(high - 0.5, 1)), with_alpha(self._colours[head], 0.85))
            if len(heads) == 1 and (share := float(self._weights[heads[0]][unit, number])) >= self._least:
                painter.setPen(QColor(theme.current().text))
                painter.drawText(QRectF(left, top - 3, BAR - 2, row), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{share:.2f}")

    def _paint_head(self, painter: QPainter) -> None:
        """The heads' colours, and the names of the columns."""
        look = theme.current()
        painter.setFont(theme.font("small"))
        high = painter.fontMetrics().height()
        rows = self._legend()
        for number, heads in enumerate(rows):
            left, top = 0.0, theme.XS + number * high
            for head, wide in heads:
                painter.setPen(QPen(self._colours[head], 3))
                painter.drawLine(QPointF(left, top + high / 2), QPointF(left + STROKE, top + high / 2))
                painter.setPen(QColor(look.text_soft))
                painter.drawText(QRectF(left + STROKE + theme.XS, top, wide, high), Qt.AlignmentFlag.AlignLeft, self._titles[head])
                left += wide
        painter.setPen(QColor(look.text_faint))
        top, half = theme.XS + len(rows) * high, self.width() / 2 - 2
        fits = all(painter.fontMetrics().horizontalAdvance(long) <= half for long, _ in self._names)
        for place, (long, short) in enumerate(self._names):
            words = long if fits else short
            box = QRectF(place * (self.width() - half), top, half, high)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight if place else Qt.AlignmentFlag.AlignLeft, words)

    def _legend(self) -> list[list[tuple[int, float]]]:
        """Rows of (head, its width)."""
        metrics = QFontMetrics(theme.font("small"))
        rows: list[list[tuple[int, float]]] = []
        used = 0.0
        for head in sorted(self._weights):
            if self._titles.get(head):
                wide = STROKE + 3 * theme.XS + metrics.horizontalAdvance(self._titles[head])
                if not rows or used + wide > self.width():
                    rows.append([])
                    used = 0.0
                rows[-1].append((head, wide))
                used += wide
        return rows

    def _top(self) -> int:
        """Where the words begin."""
        lines = len(self._legend()) + any(self._names[0])
        return theme.XS + lines * QFontMetrics(theme.font("small")).height() + (theme.XS if lines else 0)

    def _strongest(self) -> tuple[list[tuple[int, int, int, float]], int]:
        found = []
        for head, weights in self._weights.items():
            starts, ends = np.nonzero(weights >= self._least)
            found.append(np.stack([np.full(len(starts), head), starts, ends, weights[starts, ends]], axis=1))
        rows = np.concatenate(found) if found else np.zeros((0, 4))
        order = np.argsort(rows[:, 3], kind="stable")[-MOST_LINES:]  # the strongest are drawn last, on top
        return [(int(head), int(start), int(end), float(weight)) for head, start, end, weight in rows[order]], max(len(rows) - MOST_LINES, 0)

    def _of(self, side: str, unit: int) -> list[tuple[int, int, int, float]]:
        made = []
        for head, weights in self._weights.items():
            shares = weights[unit] if side == "left" else weights[:, unit]
            made += [(head, unit, other, share) if side == "left" else (head, other, unit, share)
                     for other, share in enumerate(shares.tolist()) if share >= self._least]
        return made

    def _column(self) -> float:
        """The width of the words at one side."""
        metrics = QFontMetrics(theme.font("body"))
        longest = max((metrics.horizontalAdvance(text) for text in self._labels), default=0) + 2 * theme.XS + 2
        return min(longest, COLUMN_SHARE * self.width())

    def _row(self) -> int:
        """Its height; a short sentence takes the room that there is."""
        room = (self.height() - self._top() - theme.XS) // max(len(self._labels), 1)
        return max(self._least_row(), min(room, MOST_ROW))

    def _least_row(self) -> int:
        return QFontMetrics(theme.font("body")).height() + 3
