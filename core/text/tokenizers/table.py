"""A tokenizer whose tokens stand in a list, each looked up as a whole: characters or words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from core.config import TextConfig
from core.text import segment
from core.text.tokenizers import A_SPECIAL, SPECIALS, Encoding, too_rare, write

_PLACE = 0xF0000  # a special token stands in the text as one private character, this plus its id


class Cutter(Protocol):
    """How a text is cut; made with (ids: token -> id, lowercase, watched)."""

    def arrays(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See Tokenizer.arrays."""

    def join(self, tokens: Sequence[str]) -> str:
        """The tokens as running text."""


class TableTokenizer:
    """kind: the name in the registry. tokens: the special ones first. make_cutter: how texts of that kind are cut."""

    def __init__(self, kind: str, tokens: Sequence[str], make_cutter: Callable[[Mapping[str, int], bool, tuple[str, ...]], Cutter], *,
                 lowercase: bool, watched: Sequence[str] = ()) -> None:
        self.kind, self.lowercase, self.watched = kind, lowercase, tuple(watched)
        self._tokens = list(tokens)
        self._ids = {token: index for index, token in enumerate(tokens)}
        self._cutter = make_cutter(self._ids, lowercase, self.watched)

    @property
    def vocab_size(self) -> int:
        return len(self._tokens)

    def encode(self, text: str, specials: bool = False) -> Encoding:
        text = segment.clean(text)
        if not specials or not A_SPECIAL.search(text):
            return _encoding(*self.arrays(text))
        short, first, last = _stand_in(text)
        ids, starts, ends = self.arrays(short)
        place = segment.points(short)[starts].astype(np.int64) - _PLACE
        ids = np.where((place >= 0) & (place < len(SPECIALS)), place, ids)
        return _encoding(ids, first[starts], last[ends - 1])

    def arrays(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self._cutter.arrays(text)

    def decode(self, ids: Iterable[int]) -> str:
        return self._cutter.join([self.token(index) for index in ids])

    def token(self, id: int) -> str:
        return self._tokens[id]

    def id(self, token: str) -> int | None:
        if token in self._ids or not self.lowercase:
            return self._ids.get(token)
        return self._ids.get(segment.lower(segment.clean(token)))

    def save(self, path: Path) -> None:
        write(self, path, tokens=self._tokens)


def saved_tokens(raw: dict[str, Any]) -> list[str]:
    """Those that `save` wrote. ValueError where they are damaged."""
    tokens = raw["tokens"]
    if tuple(tokens[:len(SPECIALS)]) != SPECIALS or len(set(tokens)) != len(tokens) \
            or not all(isinstance(token, str) and token for token in tokens):
        raise ValueError("tokens")
    return tokens


def most_frequent(config: TextConfig, counted: Mapping[str, int]) -> list[str]:
    """The special tokens and the most frequent of the counted ones, ordered by frequency and then by the token itself.

    A watched word that occurs at all is always among them. UserError where none is frequent enough.
    """
    watched = {segment.lower(word) if config.lowercase else word for word in config.watched}
    wanted = {word for word in watched if counted.get(word)}
    kept = [token for token, count in counted.items() if (count >= config.min_count or token in wanted) and token not in SPECIALS]
    kept.sort(key=lambda token: (token not in wanted, -counted[token], token))
    kept = kept[:max(config.vocab_size - len(SPECIALS), 0)]
    if not kept:
        raise too_rare(config)
    kept.sort(key=lambda token: (-counted[token], token))
    return [*SPECIALS, *kept]


def chunks(texts: Iterable[str]) -> Iterator[str]:
    """The texts, clean and joined by segment.BREAK, in chunks of about segment.CHUNK_CHARACTERS."""
    held: list[str] = []
    size = 0
    for text in texts:
        held.append(segment.clean(text))
        size += len(text) + 1
        if size >= segment.CHUNK_CHARACTERS:
            yield segment.BREAK.join(held)
            held, size = [], 0
    if held:
        yield segment.BREAK.join(held)


def _stand_in(text: str) -> tuple[str, np.ndarray, np.ndarray]:
    """The text with every special token as one private character; first, last (characters,): where each came from."""
    pieces, first, last = [], [], []
    place = 0
    for match in [*A_SPECIAL.finditer(text), None]:
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


def _encoding(ids: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Encoding:
    return Encoding(ids.tolist(), list(zip(starts.tolist(), ends.tolist(), strict=True)))
