"""A tokenizer of Hugging Face's library from JSON that may come from anywhere.

The library runs whatever the JSON asks for; a regular expression alone can keep it busy for years. So only parts are let in that
our own tokenizers, BERT, RoBERTa and GPT-2 are made of, and no regular expression but those that the caller knows.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from tokenizers import Tokenizer as Inner

MOST_PARTS = 64
_LONGEST_TEXT = 64  # characters that a Replace may put in place of one
PARTS = {
    "normalizer": {"BertNormalizer", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "StripAccents", "Strip", "Nmt", "Replace", "Sequence"},
    "pre_tokenizer": {"BertPreTokenizer", "ByteLevel", "Whitespace", "WhitespaceSplit", "Punctuation", "Digits", "Split", "Sequence"},
}


def inner_from(raw: dict[str, Any], patterns: Collection[str] = ()) -> Inner:
    """ValueError, with the reason, for what is damaged or holds other parts. patterns: the regular expressions that are let in.

    Only the model, the normalizer and the pre-tokenizer are taken over: no special tokens, nothing that is put around a text.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("model"), dict):
        raise ValueError("model")
    kept = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "post_processor": None, "decoder": None, "model": raw["model"]}
    for place, known in PARTS.items():
        _check(raw.get(place), place, known, patterns, [0])
        kept[place] = raw.get(place)
    try:
        return Inner.from_str(json.dumps(kept))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the library raises plain Exception; where it panics, not even that
        raise ValueError(str(error)[:200]) from error


def _check(part: Any, place: str, known: set[str], patterns: Collection[str], seen: list[int]) -> None:
    if part is None:
        return
    seen[0] += 1
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or kind not in known or seen[0] > MOST_PARTS:
        raise ValueError(f"{place} {str(kind)[:40]}")
    if kind == "Sequence":
        inner = part.get("normalizers", part.get("pretokenizers"))
        if not isinstance(inner, list):
            raise ValueError(place)
        for item in inner:
            _check(item, place, known, patterns, seen)
    pattern = part.get("pattern")
    if isinstance(pattern, dict) and "Regex" in pattern and (not isinstance(pattern["Regex"], str) or pattern["Regex"] not in patterns):
        raise ValueError(f"{place} Regex")
    if kind == "Replace" and (not isinstance(pattern, dict) or not pattern.get("String", True) or len(str(part.get("content"))) > _LONGEST_TEXT):
        raise ValueError(f"{place} Replace")
