"""A sentence with one word marked in its colour."""

from __future__ import annotations

import html


def marked(text: str, start: int, end: int, colour: str) -> str:
    """The sentence as rich text, text[start:end] bold in `colour` (#rrggbb). An empty span marks nothing."""
    word = f'<b style="color:{colour}">{html.escape(text[start:end])}</b>' if end > start else ""
    return html.escape(text[:start]) + word + html.escape(text[max(start, end):])
