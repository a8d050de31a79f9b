"""Text to token ids and back: what every tokenizer gives, whatever its kind.

Each kind is a file of this folder with a `Kind`, and a line in core.registry.TOKENIZERS. Characters and words are looked up in a table
(table.py); byte-pair encoding and WordPiece are run by Hugging Face's `tokenizers` (subword.py).

Every token keeps the character offsets of its place in the original text, whatever was done to it on the way. The seven
special tokens have the same ids everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from core.config import TextConfig
from core.errors import UserError
from core.i18n import tr
from core.registry import TOKENIZERS, load
from core.whole import whole_file

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[BOS]", "[EOS]")
PAD, UNK, CLS, SEP, MASK, BOS, EOS = range(7)
A_SPECIAL = re.compile("|".join(map(re.escape, SPECIALS)))
FORMAT = 1  # of the tokenizer's file
_KIND = re.compile(r'\{"format": \d+, "kind": "(\w{1,40})"')  # with what `write` begins such a file


@dataclass(frozen=True)
class Encoding:
    """ids of a text and, for each, (start, end) in characters of the original text."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class Tokenizer(Protocol):
    """What every tokenizer can do. kind: its name in the registry. `watched`: words that are always cut out of longer ones."""

    kind: str
    vocab_size: int
    lowercase: bool
    watched: tuple[str, ...]

    def encode(self, text: str, specials: bool = False) -> Encoding:
        """The text's tokens, none added. With specials, "[MASK]" and its like in the text become those tokens."""

    def arrays(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ids, starts, ends: int64 (tokens,) of a clean text that may be many documents joined by segment.BREAK."""

    def decode(self, ids: Iterable[int]) -> str:
        """Readable text: no marks of bytes or of pieces of words; bytes that make no whole character are left out."""

    def token(self, id: int) -> str:
        """The token as people read it."""

    def id(self, token: str) -> int | None:
        """The id of a token as people write it; None if it is not in the vocabulary."""

    def save(self, path: Path) -> None:
        """Write what `load_tokenizer` reads, as a whole or not at all; see `write`. UserError if the disk refuses."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a kind of tokenizer declares about itself.

    train: learns a vocabulary of at most config.vocab_size tokens. The same texts give the same ids on every machine. UserError where
    the texts or the options allow none.
    load: (what its `save` wrote, lowercase, watched) -> the tokenizer. ValueError, KeyError, TypeError or AttributeError where the file
    is damaged.
    sample: of a large corpus a part is enough for it to learn from.
    """

    train: Callable[[TextConfig, Iterable[str]], Tokenizer]
    load: Callable[[dict[str, Any], bool, tuple[str, ...]], Tokenizer]
    sample: bool = False


def load_tokenizer(path: Path) -> Tokenizer:
    """Read what `save` wrote. UserError if the file is missing, damaged, or of a newer version."""
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
        if raw["format"] > FORMAT:
            raise UserError(tr("The tokenizer {path} was written by a newer version.", path=path),
                            tr("Open it with a newer version of Lexiscope."))
        kind: Kind = load(TOKENIZERS[raw["kind"]])
        return kind.load(raw, bool(raw["lowercase"]), tuple(map(str, raw["watched"])))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(tr("{path} is not a tokenizer, or it is damaged.", path=path),
                        tr("Restore the file, or prepare the text again.")) from error


def kind_in(path: Path) -> str:
    """The kind of the tokenizer that is saved there, of which only the beginning is read; "" where there is none that says it."""
    try:
        with Path(path).open("rb") as file:
            found = _KIND.match(file.read(80).decode("utf-8", "replace"))
    except OSError:
        return ""
    return found[1] if found else ""


def write(made: Tokenizer, path: Path, **own: Any) -> None:
    """The file of a tokenizer: what all have, and what this kind's `load` needs beside it. As a whole or not at all."""
    raw = {"format": FORMAT, "kind": made.kind, "lowercase": made.lowercase, "watched": list(made.watched), **own}
    with whole_file(path) as part:
        part.write_text(json.dumps(raw, ensure_ascii=False), encoding="utf-8")


def too_rare(config: TextConfig) -> UserError:
    """No token of the text occurs min_count times."""
    return UserError(tr("No token occurs {count} times in the text.", count=config.min_count),
                     tr("Give it more text, or a smaller min_count."), where="min_count")
