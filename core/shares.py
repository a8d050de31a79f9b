"""A share as a person reads it."""

from __future__ import annotations


def percent(value: float, digits: int = 1) -> str:
    """ "93.1%", "<0.1%", ">99.9%"; "0%" and "100%" are none and all, and nothing else."""
    if value != value:
        return "–"
    least = 10.0 ** -(digits + 2)  # that can be written
    if 0 < value < least / 2:
        return f"<{least:.{digits}%}"
    if 1 - least / 2 <= value < 1:
        return f">{1 - least:.{digits}%}"
    return f"{value:.0%}" if value in (0, 1) else f"{value:.{digits}%}"
