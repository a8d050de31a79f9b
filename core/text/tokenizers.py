"""Text to token ids and back. Four kinds: characters, words, byte-pair encoding (byte level) and WordPiece.

Every token keeps the character offsets of its place in the original text, whatever was done to it on the way. The seven
special tokens have the same ids everywhere. A vocabulary is ordered by frequency and then by the token itself, so that the
same text gives the same ids on every machine.

Sources: Sennrich et al. 2016 (BPE), Radford et al. 2019 (bytes as its alphabet), Schuster and Nakajima 2012 (WordPiece);
the last two are trained and run by Hugging Face's `tokenizers`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tokenizers import Regex, models, normalizers, pre_tokenizers, trainers
from tokenizers import Tokenizer as Inner

from core.config import TextConfig
from core.errors import UserError
from core.i18n import tr
from core.text import segment
from core.text.inner import inner_from
from core.whole import whole_file

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[BOS]", "[EOS]")
PAD, UNK, CLS, SEP, MASK, BOS, EOS = range(7)
FORMAT = 1  # of the tokenizer's file
CHUNK_CHARACTERS = 1 << 19  # texts are worked on in chunks of about this size
MOST_WORDS_COUNTED = 2_000_000  # beyond this many different words, those seen once so far are forgotten
BYTES = 256
_SPECIAL = re.compile("|".join(map(re.escape, SPECIALS)))
_CHINESE_RUN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_PLACE = 0xF0000  # a special token stands in the text as one private character, this plus its id
_NO_SPACE_BEFORE = frozenset(".,!?;:)]}%…’”»'")
_NO_SPACE_AFTER = frozenset("([{$#“‘«")


@dataclass(frozen=True)
class Encoding:
    """ids of a text and, for each, (start, end) in characters of the original text."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class Tokenizer(Protocol):
    """What every tokenizer can do. `watched`: words that are always cut out of longer ones."""

    kind: str
    vocab_size: int
    lowercase: bool
    watched: tuple[str, ...]

    def encode(self, text: str, specials: bool = False) -> Encoding:
        """The text's tokens, none added. With specials, "[MASK]" and its like in the text become those tokens."""

    def encode_batch(self, texts: Sequence[str]) -> list[Encoding]: ...

    def arrays(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ids, starts, ends: int64 (tokens,) of a clean text that may be many documents joined by segment.BREAK."""

    def decode(self, ids: Iterable[int]) -> str:
        """Readable text: no marks of bytes or of pieces of words; bytes that make no whole character are left out."""

    def token(self, id: int) -> str:
        """The token as people read it."""

    def id(self, token: str) -> int | None:
        """The id of a token as people write it; None if it is not in the vocabulary."""

    def save(self, path: Path) -> None: ...


class TableTokenizer:
    """Characters or words, each looked up in a list. kind: "char" or "word".

    char: every character that is not white space is a token; white space between two characters that are not Chinese is one
    token " ", elsewhere nothing. word: the words of core.text.segment; each punctuation mark is a token.
    """

    def __init__(self, kind: str, tokens: Sequence[str], *, lowercase: bool, watched: Sequence[str] = ()) -> None:
        self.kind, self.lowercase, self.watched = kind, lowercase, tuple(watched)
        self._tokens = list(tokens)
        self._ids = {token: index for index, token in enumerate(tokens)}
        self._table: np.ndarray | None = None

    @property
    def vocab_size(self) -> int:
        return len(self._tokens)

    def encode(self, text: str, specials: bool = False) -> Encoding:
        text = segment.clean(text)
        if not specials or not _SPECIAL.search(text):
            return _encoding(*self.arrays(text))
        short, first, last = _stand_in(text)
        ids, starts, ends = self.arrays(short)
        place = segment.points(short)[starts].astype(np.int64) - _PLACE
        ids = np.where((place >= 0) & (place < len(SPECIALS)), place, ids)
        return _encoding(ids, first[starts], last[ends - 1])

    def encode_batch(self, texts: Sequence[str]) -> list[Encoding]:
        return _split_batch(self, [segment.clean(text) for text in texts])

    def arrays(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if self.kind == "char":
            codes, starts, ends = _characters(text)
            return self._lookup()[codes].astype(np.int64), starts, ends
        starts, ends = segment.word_spans(text, self.watched, self.lowercase)
        text = segment.lower(text) if self.lowercase else text
        get = self._ids.get
        ids = [get(text[a:b], UNK) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        return np.array(ids, np.int64), starts, ends

    def _lookup(self) -> np.ndarray:
        """int32 (0x110000,): the id of every code point; made when first needed (4 MB)."""
        if self._table is None:
            table = np.full(0x110000, UNK, np.int32)
            for token, index in self._ids.items():
                if len(token) == 1:
                    table[ord(token)] = index
            self._table = table[segment.small_points(np.arange(0x110000))] if self.lowercase else table
        return self._table

    def decode(self, ids: Iterable[int]) -> str:
        tokens = [self.token(index) for index in ids]
        return "".join(tokens) if self.kind == "char" else _join_words(tokens)

    def token(self, id: int) -> str:
        return self._tokens[id]

    def id(self, token: str) -> int | None:
        if token in self._ids or not self.lowercase:
            return self._ids.get(token)
        return self._ids.get(segment.lower(segment.clean(token)))

    def save(self, path: Path) -> None:
        _write(path, {"format": FORMAT, "kind": self.kind, "lowercase": self.lowercase, "watched": list(self.watched),
                      "tokens": self._tokens})


class SubwordTokenizer:
    """BPE over bytes or WordPiece, run by Hugging Face's library. kind: "bpe" or "wordpiece"."""

    def __init__(self, kind: str, inner: Any, *, lowercase: bool, watched: Sequence[str] = ()) -> None:
        self.kind, self.lowercase, self.watched = kind, lowercase, tuple(watched)
        self._inner = inner
        inner.encode_special_tokens = True  # "[MASK]" in a person's text is text; `encode` looks for it where it is wanted
        raw = {index: token for token, index in inner.get_vocab().items()}
        self._raw = [raw[index] for index in range(len(raw))]
        self._shown = [self._readable(token) if index >= len(SPECIALS) else token for index, token in enumerate(self._raw)]
        self._ids: dict[str, int] = {}
        for index, (shown, token) in enumerate(zip(self._shown, self._raw, strict=True)):
            if shown not in self._ids or (not token.startswith("##") and self._raw[self._ids[shown]].startswith("##")):
                self._ids[shown] = index

    @property
    def vocab_size(self) -> int:
        return len(self._raw)

    def _readable(self, token: str) -> str:
        if self.kind == "wordpiece":
            return token.removeprefix("##")
        data = _bytes_of(token)
        try:
            return data.decode().replace("\ufffd", "")
        except UnicodeDecodeError:  # a part of a character: its bytes are all there is to show
            return f"<{data.hex(' ').upper()}>"

    def encode(self, text: str, specials: bool = False) -> Encoding:
        text = segment.clean(text)
        if not specials or not _SPECIAL.search(text):
            return self.encode_batch([text])[0]
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        place = 0
        for match in [*_SPECIAL.finditer(text), None]:
            piece = text[place:match.start() if match else len(text)]
            # The space before a special token belongs to no word.
            part = self.encode_batch([piece.rstrip() if match else piece])[0]
            ids += part.ids
            offsets += [(place + start, place + end) for start, end in part.offsets]
            if match:
                ids.append(SPECIALS.index(match[0]))
                offsets.append(match.span())
                place = match.end()
        return Encoding(ids, offsets)

    def encode_batch(self, texts: Sequence[str]) -> list[Encoding]:
        made = self._inner.encode_batch([segment.clean(text) for text in texts], add_special_tokens=False)
        return [Encoding(one.ids, one.offsets) for one in made]

    def arrays(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ids: list[int] = []
        lengths, base, places = [], 0, []
        spans: list[tuple[int, int]] = []
        texts = text.split(segment.BREAK)
        for document, made in zip(texts, self._inner.encode_batch(texts, add_special_tokens=False), strict=True):
            ids += made.ids
            spans += made.offsets
            lengths.append(len(made.ids))
            places.append(base)
            base += len(document) + 1
        moved = np.array(spans, np.int64).reshape(-1, 2) + np.repeat(np.array(places, np.int64), lengths)[:, None]
        return np.array(ids, np.int64), moved[:, 0], moved[:, 1]

    def decode(self, ids: Iterable[int]) -> str:
        if self.kind == "wordpiece":
            words: list[str] = []
            for index in ids:
                token = self._raw[index]
                if token.startswith("##") and words and index >= len(SPECIALS):
                    words[-1] += token[2:]
                else:
                    words.append(token.removeprefix("##"))
            return _join_words(words)
        data = b"".join(self._raw[index].encode() if index < len(SPECIALS) else _bytes_of(self._raw[index]) for index in ids)
        return data.decode(errors="ignore").replace("\ufffd", "")

    def token(self, id: int) -> str:
        return self._shown[id]

    def raw(self, id: int) -> str:
        """As the vocabulary has it, with the marks of bytes and of pieces of words."""
        return self._raw[id]

    def id(self, token: str) -> int | None:
        if token in self._ids or not self.lowercase:
            return self._ids.get(token)
        return self._ids.get(token.lower())

    def save(self, path: Path) -> None:
        _write(path, {"format": FORMAT, "kind": self.kind, "lowercase": self.lowercase, "watched": list(self.watched),
                      "tokenizer": json.loads(self._inner.to_str())})


# training

def train_char(config: TextConfig, texts: Iterable[str]) -> TableTokenizer:
    """The most frequent characters of the texts. Memory stays flat however long the texts are."""
    counts = np.zeros(0x110000, np.int64)
    for chunk in chunks(texts):
        codes, _, _ = _characters(chunk)
        counts += np.bincount(segment.small_points(codes) if config.lowercase else codes, minlength=len(counts))
    counted = {chr(code): int(counts[code]) for code in np.flatnonzero(counts)}
    return _from_counts("char", config, counted)


def train_word(config: TextConfig, texts: Iterable[str]) -> TableTokenizer:
    """The most frequent words of the texts; a watched word that occurs at all is always among them."""
    counted: Counter[str] = Counter()
    for chunk in chunks(texts):
        starts, ends = segment.word_spans(chunk, config.watched, config.lowercase)
        chunk = segment.lower(chunk) if config.lowercase else chunk
        counted.update([chunk[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)])
        if len(counted) > MOST_WORDS_COUNTED:
            counted = Counter({word: count for word, count in counted.items() if count > 1})
    return _from_counts("word", config, counted)


def _from_counts(kind: str, config: TextConfig, counted: dict[str, int]) -> TableTokenizer:
    room = config.vocab_size - len(SPECIALS)
    watched = {segment.lower(word) if config.lowercase else word for word in config.watched}
    wanted = {word for word in watched if counted.get(word)}
    kept = [token for token, count in counted.items() if (count >= config.min_count or token in wanted) and token not in SPECIALS]
    kept.sort(key=lambda token: (token not in wanted, -counted[token], token))
    kept = kept[:max(room, 0)]
    if not kept:
        raise UserError(tr("No token occurs {count} times in the text.", count=config.min_count),
                        tr("Give it more text, or a smaller min_count."), where="min_count")
    kept.sort(key=lambda token: (-counted[token], token))
    return TableTokenizer(kind, [*SPECIALS, *kept], lowercase=config.lowercase, watched=config.watched)


def train_bpe(config: TextConfig, texts: Iterable[str]) -> SubwordTokenizer:
    """Byte-pair encoding over bytes: any text can be written with it, so nothing is ever [UNK]."""
    if config.vocab_size < BYTES + len(SPECIALS):
        raise UserError(
            tr("vocab_size is {size}, too small for byte-pair encoding.", size=config.vocab_size),
            tr("It must be at least {least}: one token for each byte and the special ones.", least=BYTES + len(SPECIALS)),
            where="vocab_size")
    inner = Inner(models.BPE())
    if config.lowercase:
        inner.normalizer = normalizers.Lowercase()
    by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    alone = _alone(config.watched)
    inner.pre_tokenizer = (pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(alone), "isolated"), by_bytes])
                           if alone else by_bytes)
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size, min_frequency=config.min_count, special_tokens=list(SPECIALS), show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), max_token_length=32)
    inner.train_from_iterator(_documents(texts), trainer)
    return SubwordTokenizer("bpe", inner, lowercase=config.lowercase, watched=config.watched)


def train_wordpiece(config: TextConfig, texts: Iterable[str]) -> SubwordTokenizer:
    """WordPiece as BERT has it: every Chinese character stands alone, other words are cut into pieces.

    The texts are held in memory: the alphabet is counted here first, since the library orders it by chance, and with it the
    ids and the choice between equally frequent pieces.
    """
    held = list(_documents(texts))
    normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=False,
                                            lowercase=config.lowercase)
    splitter = pre_tokenizers.BertPreTokenizer()
    counted: Counter[str] = Counter()
    others: set[str] = set()
    for text in held:
        counted.update(text.lower() if config.lowercase else text)
        others.update(_CHINESE_RUN.sub(" ", text).split())
    inside = {c for other in others for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(other)) for c in word[1:]}
    room = config.vocab_size - len(SPECIALS)
    letters = [c for c in counted if counted[c] >= config.min_count and segment.kinds()[ord(c)] != segment.SPACE]
    letters.sort(key=lambda c: (-counted[c], c))
    if not letters:
        raise UserError(tr("No token occurs {count} times in the text.", count=config.min_count),
                        tr("Give it more text, or a smaller min_count."), where="min_count")
    # An eighth is kept free for longer pieces: where there are many characters, the rare ones must make way.
    budget, alphabet, going_on = room - room // 8, [], []
    for letter in letters:
        budget -= 1 + (letter in inside)
        if budget >= 0:
            alphabet.append(letter)
            going_on += [f"##{letter}"] if letter in inside else []
    inner = Inner(models.WordPiece(unk_token="[UNK]"))
    inner.normalizer, inner.pre_tokenizer = normalizer, splitter
    inner.train_from_iterator(held, trainers.WordPieceTrainer(
        vocab_size=config.vocab_size, min_frequency=config.min_count, special_tokens=[*SPECIALS, *going_on], show_progress=False,
        initial_alphabet=alphabet, limit_alphabet=len(alphabet), continuing_subword_prefix="##"))
    made = Inner(models.WordPiece(inner.get_vocab(), unk_token="[UNK]", max_input_chars_per_word=100))
    made.normalizer, made.pre_tokenizer = normalizer, splitter  # all but the special tokens, which would be cut out of any text
    return SubwordTokenizer("wordpiece", made, lowercase=config.lowercase, watched=config.watched)


def load_tokenizer(path: Path) -> Tokenizer:
    """Read what `save` wrote. UserError if the file is missing, damaged, or of a newer version."""
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
        if raw["format"] > FORMAT:
            raise UserError(tr("The tokenizer {path} was written by a newer version.", path=path),
                            tr("Open it with a newer version of Lexiscope."))
        common = {"lowercase": bool(raw["lowercase"]), "watched": tuple(map(str, raw["watched"]))}
        if raw["kind"] in ("char", "word"):
            tokens = raw["tokens"]
            if tuple(tokens[:len(SPECIALS)]) != SPECIALS or len(set(tokens)) != len(tokens) \
                    or not all(isinstance(token, str) and token for token in tokens):
                raise ValueError("tokens")
            return TableTokenizer(raw["kind"], tokens, **common)
        if raw["kind"] not in ("bpe", "wordpiece"):
            raise ValueError("kind")
        return SubwordTokenizer(raw["kind"], _inner(raw["tokenizer"], common["watched"]), **common)
    except UserError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(tr("{path} is not a tokenizer, or it is damaged.", path=path),
                        tr("Restore the file, or prepare the text again.")) from error


def _inner(raw: Any, watched: Sequence[str]) -> Any:
    inner = inner_from(raw, [pattern] if (pattern := _alone(watched)) else [])
    vocabulary = inner.get_vocab()
    in_a_row = sorted(vocabulary.values()) == list(range(len(vocabulary)))
    if not in_a_row or [vocabulary.get(token) for token in SPECIALS] != list(range(len(SPECIALS))):
        raise ValueError("vocabulary")
    return inner


def _alone(watched: Sequence[str]) -> str:
    """The regular expression of the watched words that byte-pair encoding must not join to others; "" if there is none."""
    return "|".join(segment.word_pattern(word) for word in sorted(watched, key=lambda word: (-len(word), word))
                    if segment.chinese()[segment.points(word)].any())  # other words stand between spaces anyway


# helpers

def chunks(texts: Iterable[str]) -> Iterator[str]:
    """The texts, clean and joined by segment.BREAK, in chunks of about CHUNK_CHARACTERS."""
    held: list[str] = []
    size = 0
    for text in texts:
        held.append(segment.clean(text))
        size += len(text) + 1
        if size >= CHUNK_CHARACTERS:
            yield segment.BREAK.join(held)
            held, size = [], 0
    if held:
        yield segment.BREAK.join(held)


def _documents(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield segment.clean(text).replace("\ufffd", " ")


def _characters(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """codes, starts, ends (tokens,) of the characters that count as tokens; a gap between two that are not Chinese is a ' '."""
    codes = segment.points(text)
    kind = segment.kinds()[codes]
    seen = np.flatnonzero(kind != segment.SPACE)
    chinese = segment.chinese()[codes[seen]]
    gaps = np.flatnonzero((seen[1:] - seen[:-1] > 1) & ~chinese[1:] & ~chinese[:-1])
    keep = kind != segment.SPACE
    keep &= kind != segment.IS_BREAK
    keep[seen[gaps] + 1] = True
    starts = np.flatnonzero(keep)
    ends = starts + 1
    at = np.searchsorted(starts, seen[gaps] + 1)
    ends[at] = seen[gaps + 1]
    kept = codes[starts]
    kept[at] = ord(" ")
    return kept, starts, ends


def _stand_in(text: str) -> tuple[str, np.ndarray, np.ndarray]:
    """The text with every special token as one private character; first, last (characters,): where each came from."""
    pieces, first, last = [], [], []
    place = 0
    for match in [*_SPECIAL.finditer(text), None]:
        end = match.start() if match else len(text)
        pieces.append(text[place:end])
        first += range(place, end)
        last += range(place + 1, end + 1)
        if match:
            pieces.append(chr(_PLACE + SPECIALS.index(match[0])))
            first.append(match.start())
            last.append(match.end())
            place = match.end()
    return "".join(pieces), np.array(first, np.int64), np.array(last, np.int64)


def _split_batch(tokenizer: TableTokenizer, texts: Sequence[str]) -> list[Encoding]:
    """Encode all texts as one chunk and cut the result apart."""
    ids, starts, ends = tokenizer.arrays(segment.BREAK.join(texts))
    made, base = [], 0
    bases = []
    for text in texts:
        bases.append(base)
        base += len(text) + 1
    cuts = np.searchsorted(starts, bases)
    for index, low in enumerate(cuts.tolist()):
        high = int(cuts[index + 1]) if index + 1 < len(cuts) else len(starts)
        made.append(_encoding(ids[low:high], starts[low:high] - bases[index], ends[low:high] - bases[index]))
    return made


def _encoding(ids: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Encoding:
    return Encoding(ids.tolist(), list(zip(starts.tolist(), ends.tolist(), strict=True)))


def _join_words(words: Sequence[str]) -> str:
    """Words as running text: a space between two that are not Chinese, except beside punctuation that clings."""
    text = ""
    for word in words:
        if not word:
            continue
        latin = text and not (segment.chinese()[ord(text[-1])] or segment.chinese()[ord(word[0])])
        space = latin and word[0] not in _NO_SPACE_BEFORE and text[-1] not in _NO_SPACE_AFTER
        text += f" {word}" if space else word
    return text


def _byte_signs() -> dict[str, int]:
    """The sign that byte-level BPE writes for each byte (Radford et al. 2019): the printable ones stand for themselves."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(BYTES) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(BYTES + index): byte for index, byte in enumerate(others)}


_BYTE_OF = _byte_signs()


def _bytes_of(token: str) -> bytes:
    """A token that is not made of such signs, as some models from elsewhere have them, stands for itself."""
    try:
        return bytes(_BYTE_OF[sign] for sign in token)
    except KeyError:
        return token.encode(errors="ignore")


def _write(path: Path, raw: dict[str, Any]) -> None:
    """As a whole or not at all. UserError if the disk refuses."""
    with whole_file(path) as part:
        part.write_text(json.dumps(raw, ensure_ascii=False), encoding="utf-8")
