"""The colours of pictures, for the window and the command line alike: those of runs and senses, and ramps for maps.

The senses' colours are those of Okabe and Ito (2008), which people with any kind of colour blindness can tell apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

STEPS = 256  # of a ramp


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours as #rrggbb. runs: the four of the bench. senses: of the categories of points."""

    surface: str
    text: str
    text_soft: str
    border: str
    accent: str
    runs: tuple[str, ...]
    senses: tuple[str, ...]


LIGHT = Palette(
    surface="#ffffff", text="#1a1c20", text_soft="#50555f", border="#deded8", accent="#2d5bd7",
    runs=("#4b22d6", "#8a0f3c", "#2a9aa6", "#b07f1f"),
    senses=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b6b6b", "#a08f00"))
DARK = Palette(
    surface="#1d2025", text="#edeff2", text_soft="#b4bac4", border="#343941", accent="#7ea6ff",
    runs=("#a866fa", "#f5487a", "#8cecf6", "#f7d24b"),
    senses=("#3da5e8", "#ff8a3d", "#22c997", "#e79fc6", "#ffc94d", "#8fd3ff", "#b9b9b9", "#e6dc5a"))


def of(dark: bool) -> Palette:
    return DARK if dark else LIGHT


@lru_cache(maxsize=2)
def ramp(dark: bool) -> np.ndarray:
    """(256, 3) uint8: from the surface, for nothing, to the strongest; its lightness changes one way only."""
    if dark:
        return _between(["#1d2025", "#1f4a73", "#2f8fb0", "#8fd6b0", "#fdf6b5"])
    return _between(["#ffffff", "#cfe3f3", "#6fb1d8", "#1f6fae", "#0b2a5b"])


@lru_cache(maxsize=2)
def diverging(dark: bool) -> np.ndarray:
    """(256, 3) uint8: less is blue, more is orange, the surface stands for no change."""
    if dark:
        return _between(["#8fd3ff", "#2f7fb8", "#1d2025", "#b8602a", "#ffb27a"])
    return _between(["#0b4f86", "#6fb1d8", "#ffffff", "#f0a36b", "#a34400"])


def _between(colours: Sequence[str]) -> np.ndarray:
    stops = np.array([[int(colour[start:start + 2], 16) for start in (1, 3, 5)] for colour in colours], dtype=float)
    at = np.linspace(0, len(colours) - 1, STEPS)
    return np.stack([np.interp(at, np.arange(len(colours)), stops[:, channel]) for channel in range(3)], axis=1).round().astype(np.uint8)
