"""Our tokenizers as the JSON of Hugging Face's `tokenizers`, so that this package alone gives the same ids elsewhere.

Byte-pair encoding and WordPiece are run by that package anyway. Characters and words are told to it as rules: what counts as
white space, as Chinese, as a letter is written out as ranges of code points, so that it depends on no version of Unicode.
What cannot be told is how rjieba cuts Chinese into words: such a tokenizer expects a space between two Chinese words, and between the
characters of one that is read as its characters.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.errors import UserError
from core.families.family import Family
from core.i18n import tr
from core.text import segment
from core.text.tokenizers import SPECIALS, Tokenizer
from core.text.tokenizers.subword import SubwordTokenizer
from core.text.tokenizers.wordpiece import GOES_ON

_PLACE = 0xF0000  # a special token is one private character while the text is cut, this plus its id
_DOTTED_I = "\u0130"  # the only letter whose small form is two characters: it stays as it is
_DOTTED_I_PLACE = "\U000F0100"
_DECODERS = {
    "bpe": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    "wordpiece": {"type": "WordPiece", "prefix": GOES_ON, "cleanup": False},
}
_BYTE_ZERO = {"type": "Replace", "pattern": {"String": segment.BREAK}, "content": " "}


@dataclass(frozen=True, kw_only=True)
class Portable:
    """json: for tokenizers.Tokenizer.from_str. reads: "text", or "words" where it expects Chinese ones separated by spaces.

    note: one sentence on where its ids may differ from ours, "" where they never do. cut: what finds these words beside rjieba, for
    Python's re: "han", the inside of a [...], and "watched", a pattern; "characters": whether words that are not in the vocabulary are read
    as their characters, see core.text.tokenizers.word_char. Empty where it reads text.
    """

    json: str
    reads: str
    note: str
    cut: dict[str, str | bool] = field(default_factory=dict)


def portable(tokenizer: Tokenizer, family: Family | None = None) -> Portable:
    """The tokenizer for elsewhere: the ids of `tokenizer.encode(text, specials=True)`.

    family: its special tokens are put around a text, as core.analysis.encode.frame does; None: nothing is put around it.
    UserError for a kind that is not known here.
    """
    reads, note, cut = "text", "", {}
    if tokenizer.kind in _DECODERS:
        made = _subword(tokenizer)
    elif tokenizer.kind == "char":
        made = _characters(tokenizer)
    elif tokenizer.kind not in ("word", "word_char"):
        raise UserError(tr("Nobody has said yet how a tokenizer of the kind '{kind}' is written for other programs.", kind=tokenizer.kind),
                        tr("Export a run with another tokenizer."))
    else:
        made = _words(tokenizer)
        if _knows_chinese(tokenizer):
            reads, note = "words", tr("Chinese words must be separated by spaces (rjieba finds them).")
            if tokenizer.kind == "word_char":
                note += " " + tr("So must be the characters of those that the vocabulary does not hold.")
            watched = segment.watched_pattern(tokenizer.watched, tokenizer.lowercase)
            cut = {"han": re.sub(r"\\x\{([0-9a-f]+)\}", lambda point: f"\\U{int(point[1], 16):08x}", _ranges(segment.kinds() == segment.HAN)),
                   "watched": ("(?i)" if tokenizer.lowercase else "") + watched.pattern if watched else "",
                   "characters": tokenizer.kind == "word_char"}
        else:
            note = tr("Chinese characters, of which the vocabulary holds none, may give another number of [UNK].")
    made["post_processor"] = _around(family) if family else None
    return Portable(json=json.dumps(made, ensure_ascii=False), reads=reads, note=note, cut=cut)


def _subword(tokenizer: SubwordTokenizer) -> dict[str, Any]:
    inner = tokenizer.to_json()
    normalizer = inner["normalizer"]
    inner["normalizer"] = _sequence("normalizers", [_BYTE_ZERO, *([normalizer] if normalizer else [])])
    inner["added_tokens"] = _added(normalized=False, lstrip=True)  # the space before a special token belongs to no word
    inner["decoder"] = _DECODERS[tokenizer.kind]
    return inner


def _characters(tokenizer: Tokenizer) -> dict[str, Any]:
    """Every character by itself; white space counts only between two characters that are not Chinese."""
    space = _ranges(_is_space())
    chinese = segment.chinese().copy()
    chinese[0] = False
    beside = f"(?<=[{_ranges(chinese)}]) | (?=[{_ranges(chinese)}])"
    rules = [*_stand_ins(), _replace(f"[{space}]+", " "), _replace(rf"\A | \z|{beside}", ""), *_small(tokenizer)]
    return _table(tokenizer, rules, {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": False})


def _words(tokenizer: Tokenizer) -> dict[str, Any]:
    """Runs of letters and digits, with the apostrophes and points inside them; runs of Chinese characters, of which spaces make words; every
    other sign by itself. See core/text/segment.py."""
    kinds = segment.kinds().copy()
    kinds[ord(_DOTTED_I_PLACE)] = segment.WORD
    letter, han, other = (f"[{_ranges(kinds == kind)}]" for kind in (segment.WORD, segment.HAN, segment.OTHER))
    longest_first = sorted({word for word in tokenizer.watched if word.strip()}, key=lambda word: (-len(word), word))
    ignore = "(?i)" if tokenizer.lowercase else ""
    patterns = [segment.word_pattern(word, _DOTTED_I_PLACE) for word in longest_first]
    watched = [f"(?:{ignore}{pattern.replace(_DOTTED_I, _DOTTED_I_PLACE) if tokenizer.lowercase else pattern})" for pattern in patterns]
    inside = rf"{letter}|(?<={letter})['’](?={letter})|(?<=[0-9])[.,](?=[0-9])"
    not_watched = f"(?!{'|'.join(watched)})" if watched else ""
    pattern = "|".join([*watched, f"(?:{not_watched}(?:{inside}))+", f"(?:{not_watched}{han})+", other])
    rules = [*_stand_ins(), _BYTE_ZERO, *_small(tokenizer)]
    return _table(tokenizer, rules, {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Removed", "invert": True})


def _table(tokenizer: Tokenizer, rules: list[dict[str, Any]], cutter: dict[str, Any]) -> dict[str, Any]:
    """A tokenizer that looks every piece up in the vocabulary."""
    tokens = [tokenizer.token(index) for index in range(tokenizer.vocab_size)]
    if tokenizer.lowercase:
        tokens = [token.replace(_DOTTED_I, _DOTTED_I_PLACE) for token in tokens]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": _added(normalized=True, lstrip=False),
        "normalizer": _sequence("normalizers", rules), "pre_tokenizer": cutter,
        "decoder": {"type": "Fuse"} if tokenizer.kind == "char" else None,
        "model": {"type": "WordLevel", "vocab": {token: index for index, token in enumerate(tokens)}, "unk_token": "[UNK]"},
    }


def _stand_ins() -> list[dict[str, Any]]:
    """Each special token as one private character, so that no rule takes it apart; the library then finds it as such."""
    return [{"type": "Replace", "pattern": {"String": token}, "content": chr(_PLACE + index)} for index, token in enumerate(SPECIALS)]


def _small(tokenizer: Tokenizer) -> list[dict[str, Any]]:
    if not tokenizer.lowercase:
        return []
    return [{"type": "Replace", "pattern": {"String": _DOTTED_I}, "content": _DOTTED_I_PLACE}, {"type": "Lowercase"}]


def _added(*, normalized: bool, lstrip: bool) -> list[dict[str, Any]]:
    return [{"id": index, "content": token, "single_word": False, "lstrip": lstrip, "rstrip": False, "normalized": normalized, "special": True}
            for index, token in enumerate(SPECIALS)]


def _around(family: Family) -> dict[str, Any]:
    """[CLS] A [SEP] for one text, [CLS] A [SEP] B [SEP] for two, with the second one's type 1."""
    def special(token: str, type_id: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": token, "type_id": type_id}}

    before, after = ([special(token, 0) for token in tokens] for tokens in (family.prefix, family.suffix))
    first = [*before, {"Sequence": {"id": "A", "type_id": 0}}, *after]
    second = [{"Sequence": {"id": "B", "type_id": 1}}, *(special(token, 1) for token in family.suffix)]
    used = {token: {"id": token, "ids": [SPECIALS.index(token)], "tokens": [token]} for token in (*family.prefix, *family.suffix)}
    return {"type": "TemplateProcessing", "single": first, "pair": [*first, *second], "special_tokens": used}


def _sequence(name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "Sequence", name: items}


def _replace(pattern: str, content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}


def _is_space() -> np.ndarray:
    return (segment.kinds() == segment.SPACE) | (segment.kinds() == segment.IS_BREAK)


def _knows_chinese(tokenizer: Tokenizer) -> bool:
    text = "".join(tokenizer.token(index) for index in range(len(SPECIALS), tokenizer.vocab_size))
    return bool((segment.kinds()[segment.points(text)] == segment.HAN).any())


def _ranges(members: np.ndarray) -> str:
    """The inside of a regular expression's [...] for members: bool (0x110000,). Half surrogates are no characters."""
    members = members.copy()
    members[0xD800:0xE000] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[False], members, [False]]).astype(np.int8)))
    pairs = zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True)
    return "".join(rf"\x{{{first:x}}}" if first == last else rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in pairs)
