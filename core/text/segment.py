"""Where words and sentences begin and end. Everything is told as positions in the text, so that offsets are never lost.

The work is done on whole chunks of text (many documents joined by BREAK) with numpy, since a call for each sentence would
cost more than the cutting itself. Chinese words come from rjieba; other words are runs of letters and digits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

BREAK = "\x00"  # stands between two documents of a chunk; `clean` sees to it that no document holds one
CHUNK_CHARACTERS = 1 << 19  # a chunk is about this long
IS_BREAK, HAN, WORD, SPACE, OTHER = range(5)  # the kinds of characters
CODE_POINTS = 0x110000
_SURROGATE = re.compile("[\ud800-\udfff]")

_ABBREVIATIONS = re.compile(
    r"(mrs?|ms|dr|prof|st|mt|[sj]r|vs|etc|e\.g|i\.e|cf|al|inc|ltd|corp|co|nos?|vol|pp?|eds?|figs?|gen|col|capt|lt|sgt|rev|hon|gov"
    r"|sen|rep|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|dept|est|approx|u\.s|u\.k|[ap]\.m)", re.IGNORECASE)
_LAST_WORD = re.compile(r"([A-Za-z.]+)$")
_NO_SPACE_BEFORE = frozenset(".,!?;:)]}%…’”»'")
_NO_SPACE_AFTER = frozenset("([{$#“‘«")


@lru_cache(maxsize=1)
def kinds() -> np.ndarray:
    """uint8 (0x110000,): the kind of every code point."""
    table = np.full(CODE_POINTS, OTHER, np.uint8)
    for first, last in ((0, 0x3400), (0xA000, 0xAC00), (0xD7A4, 0x20000)):
        for point in range(first, last):
            table[point] = _kind(chr(point))
    table[0xAC00:0xD7A4] = WORD
    for first, last in ((0x3400, 0xA000), (0xF900, 0xFB00), (0x20000, 0x32000)):
        table[first:last] = HAN
    table[0x3007] = HAN  # 〇
    table[0] = IS_BREAK
    return table


def _kind(character: str) -> int:
    category = unicodedata.category(character)
    # Signs that nobody can see, and the sign for what could not be decoded, count as space.
    unseen = category in ("Zs", "Zl", "Zp", "Cc", "Cf", "Cs")
    if unseen or character == "\ufffd" or "\ufe00" <= character <= "\ufe0f":
        return SPACE
    if "\u3040" <= character <= "\u30ff":
        return OTHER  # kana: rjieba knows no Japanese
    return WORD if category[0] in "LM" or category in ("Nd", "Nl") else OTHER


@lru_cache(maxsize=1)
def chinese() -> np.ndarray:
    """bool (0x110000,): Chinese characters and the punctuation that goes with them; no space is written next to these."""
    table = kinds() == HAN
    for first, last in ((0x2E80, 0x3400), (0xFE30, 0xFE50), (0xFF00, 0xFFEF)):
        table[first:last] = True
    table[0] = True  # a document's edge swallows space too
    return table


@lru_cache(maxsize=1)
def _small() -> np.ndarray:
    """uint32 (0x110000,): every code point as a small letter, where that is one character."""
    table = np.arange(CODE_POINTS, dtype=np.uint32)
    for point in range(0x20000):
        low = chr(point).lower()
        if len(low) == 1:
            table[point] = ord(low)
    return table


def clean(text: str) -> str:
    """The text, of the same length, without BREAK and half surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = _SURROGATE.sub(" ", text)
    return text.replace(BREAK, " ")


def points(text: str) -> np.ndarray:
    """uint32 (characters,)"""
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)


def lower(text: str) -> str:
    """Small letters, character by character, so that every position stays where it is (str.lower makes two of İ)."""
    low = text.lower() if text.isascii() else ""
    return low or _small()[points(text)].tobytes().decode("utf-32-le")


def small_points(codes: np.ndarray) -> np.ndarray:
    return _small()[codes]


def word_boundaries(text: str, watched: Iterable[str] = (), ignore_case: bool = True, guess: bool = True) -> np.ndarray:
    """uint8 (characters,): 1 where a word, a punctuation mark or a space begins.

    watched: words that are cut out of longer ones and joined where they would be cut; those in Latin letters count only as
    whole words. Where two of them overlap, the one further left wins, then the longer one. guess: Chinese words that are not in rjieba's
    dictionary are guessed from their characters; else each of these is a word.
    """
    codes = points(text)
    kind = kinds()[codes]
    if not len(kind):
        return np.zeros(0, np.uint8)
    kind = _join(kind, codes, WORD)
    begins = np.ones(len(kind), np.uint8)
    begins[1:] = (kind[1:] != kind[:-1]) | (kind[1:] == OTHER) | (kind[1:] == SPACE)
    han = kind == HAN
    if han.any():
        import rjieba

        alone = np.where(han, codes, np.uint32(10)).astype(np.uint32).tobytes().decode("utf-32-le")
        lengths = np.fromiter(map(len, rjieba.cut(alone, guess)), np.int64)
        inner = np.zeros(len(kind), np.uint8)
        inner[np.cumsum(lengths)[:-1]] = 1
        begins[han] |= inner[han]
    pattern = watched_pattern(tuple(watched), ignore_case)
    if pattern is not None:
        for match in pattern.finditer(text):
            start, end = match.span()
            begins[start] = 1
            begins[start + 1:end] = 0
            if end < len(begins):
                begins[end] = 1
    return begins


def _join(kind: np.ndarray, codes: np.ndarray, word: int) -> np.ndarray:
    """An apostrophe between letters (don't) and a point or comma between digits (3.14) belong to the word around them."""
    inside = np.zeros(len(kind), bool)
    if len(kind) > 2:
        around = (kind[:-2] == word) & (kind[2:] == word)
        middle, before, after = codes[1:-1], codes[:-2], codes[2:]
        digits = (before >= 48) & (before <= 57) & (after >= 48) & (after <= 57)
        apostrophe = (middle == ord("'")) | (middle == ord("’"))
        point = (middle == ord(".")) | (middle == ord(","))
        inside[1:-1] = around & (apostrophe | (point & digits))
    return np.where(inside, np.uint8(word), kind)


@lru_cache(maxsize=64)
def watched_pattern(watched: tuple[str, ...], ignore_case: bool) -> re.Pattern[str] | None:
    """Finds any of these words, of two that begin together the longer one; None where there are none."""
    longest_first = sorted({word for word in watched if word.strip()}, key=lambda word: (-len(word), word))
    if not longest_first:
        return None
    return re.compile("|".join(word_pattern(word) for word in longest_first), re.IGNORECASE if ignore_case else 0)


def word_pattern(word: str, letters: str = "") -> str:
    """A regular expression that finds `word` in text: as a whole word if it is written in letters, anywhere in Chinese. letters: are letters too."""
    kind = kinds()[points(clean(word))]
    # A Chinese character is a letter to `re` too, but not a part of the Latin word beside it.
    latin = rf"A-Za-z0-9À-ɏЀ-ӿ{letters}"
    before = rf"(?<![{latin}])(?<![{latin}]['’])" if kind[0] == WORD else ""
    after = rf"(?![{latin}])" if kind[-1] == WORD else ""
    return before + re.escape(word) + after


def words(text: str, watched: Iterable[str] = ()) -> list[tuple[int, int]]:
    """(start, end) of every word and punctuation mark of the text, spaces left out."""
    text = clean(text)
    starts, ends = word_spans(text, watched)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def word_spans(text: str, watched: Iterable[str] = (), ignore_case: bool = True, guess: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """starts, ends: int64 (words,) of a clean text, spaces and breaks left out."""
    starts = np.flatnonzero(word_boundaries(text, watched, ignore_case, guess))
    ends = np.append(starts[1:], len(text))
    kind = kinds()[points(text)][starts]
    keep = (kind != SPACE) & (kind != IS_BREAK)
    return starts[keep], ends[keep]


def running_text(words: Sequence[str]) -> str:
    """Words as running text: a space between two that are not Chinese, except beside punctuation that clings."""
    text = ""
    for word in words:
        if not word:
            continue
        latin = text and not (chinese()[ord(text[-1])] or chinese()[ord(word[0])])
        space = latin and word[0] not in _NO_SPACE_BEFORE and text[-1] not in _NO_SPACE_AFTER
        text += f" {word}" if space else word
    return text


def sentence_ends(text: str) -> np.ndarray:
    """int64 (sentences,): where each sentence ends, rising; the last is len(text). Spaces after an end go to the next sentence.

    A sentence ends after 。！？…； and the quotes that close after them, at a newline, at a BREAK, and after . ! ? in English
    unless the point belongs to an abbreviation, an initial or a number.
    """
    ends = []
    for match in _ENDS.finditer(text):
        if match[0].startswith(".") and not _full_stop(text, match):
            continue
        ends.append(match.end())
    if not ends or ends[-1] != len(text):
        ends.append(len(text))
    return np.array(ends, np.int64)


_ENDS = re.compile(
    r"[\x00\r\n]+"
    r"|[。！？…；｡]+[。！？…；｡!?.]*[”’」』）〕】》\"')\]]*"
    r"|[.!?][。！？…；｡!?.]*[”’」』）〕】》\"')\]]*(?=[\s\x00]|[^\x00-\u2fff]|$)"
)


def _full_stop(text: str, match: re.Match[str]) -> bool:
    """Whether the point(s) at `match` end a sentence, rather than an abbreviation or an initial."""
    if not match[0].startswith(".") or match[0][1:2] in ("!", "?"):
        return True
    last = _LAST_WORD.search(text, max(0, match.start() - 12), match.start())
    following = text[match.end():match.end() + 2].strip()
    if following and following.islower() and following.isascii():
        return False
    if not last:
        return True
    word = last[1]
    return not (_ABBREVIATIONS.fullmatch(word) or (len(word) == 1 and word.isupper() and word != "I"))


def sentences(text: str) -> list[tuple[int, int]]:
    """(start, end) of every sentence of one text, without the white space around them."""
    text = clean(text)
    found, start = [], 0
    for end in sentence_ends(text).tolist():
        piece = text[start:end]
        if piece.strip():
            found.append((start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))))
        start = end
    return found
