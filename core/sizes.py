"""Bytes in words: of files in powers of 1000, as disks count them, of memory in powers of 1024."""

from __future__ import annotations

from core.i18n import tr

MIB, GIB = 2**20, 2**30


def size_words(size: float) -> str:
    """Of files: 12 KB, 3.4 MB."""
    for unit, words in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if size >= unit:
            return f"{size / unit:.{0 if size >= 10 * unit else 1}f} {words}"
    return f"{size:.0f} B"


def memory_words(size: float) -> str:
    """Of memory: 450 MB, 3.2 GB."""
    if size >= GIB:
        return f"{size / GIB:.1f} GB" if size < 100 * GIB else f"{size / GIB:,.0f} GB"
    return f"{size / MIB:.0f} MB" if size >= MIB or not size else tr("below 1 MB")
