"""Whether files are as they were written: their SHA-256 against a manifest. Imports no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path

from core.errors import UserError, system_words
from core.i18n import tr

MANIFEST = "manifest.json"
_HASH_BLOCK = 1 << 20


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def intact(folder: Path, names: Collection[str]) -> bool:
    """Whether the folder's manifest names exactly these files, all are there, and each has the hash that it names.

    UserError where the system does not let them be read, as while another program holds them: nothing is known of them then.
    """
    try:
        hashes = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sha256"]
        return set(hashes) == set(names) and all(sha256(folder / name) == digest for name, digest in hashes.items())
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
    except OSError as error:
        raise unreadable(folder, error) from error


def unreadable(folder: Path, error: OSError) -> UserError:
    """What to tell a person where the system does not let a checkpoint be read."""
    return UserError(tr("{path} cannot be read: {reason}.", path=folder, reason=system_words(error)),
                     tr("Try again. If it stays so, move that folder away: then the checkpoint before it is taken."))
