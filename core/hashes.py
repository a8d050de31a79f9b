"""Whether files are as they were written: their SHA-256 against a manifest. Imports no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path

MANIFEST = "manifest.json"
_HASH_BLOCK = 1 << 20


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def intact(folder: Path, names: Collection[str]) -> bool:
    """Whether the folder's manifest names exactly these files, all are there, and each has the hash that it names."""
    try:
        hashes = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sha256"]
        return set(hashes) == set(names) and all(sha256(folder / name) == digest for name, digest in hashes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
