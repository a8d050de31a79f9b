"""A tokenizer that Hugging Face's `tokenizers` runs: pieces of words, or of bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer as Inner

from core.text import segment
from core.text.tokenizers import A_SPECIAL, SPECIALS, Encoding, write
from core.text.tokenizers.inner import inner_from


class SubwordTokenizer:
    """kind: the name in the registry. inner: the library's tokenizer, the special tokens the first of its vocabulary.

    readable: a token of that vocabulary, as people read it. join: several of them as running text.
    """

    def __init__(self, kind: str, inner: Inner, readable: Callable[[str], str], join: Callable[[Sequence[str]], str], *,
                 lowercase: bool, watched: Sequence[str] = ()) -> None:
        self.kind, self.lowercase, self.watched = kind, lowercase, tuple(watched)
        self._inner, self._join = inner, join
        inner.encode_special_tokens = True  # "[MASK]" in a person's text is text; `encode` looks for it where it is wanted
        raw = {index: token for token, index in inner.get_vocab().items()}
        self._raw = [raw[index] for index in range(len(raw))]
        self._shown = [readable(token) for token in self._raw]
        self._ids: dict[str, int] = {}
        for index, (shown, token) in enumerate(zip(self._shown, self._raw, strict=True)):
            if shown not in self._ids or shown == token:  # a piece may look like a whole token, which is then meant
                self._ids[shown] = index

    @property
    def vocab_size(self) -> int:
        return len(self._raw)

    def encode(self, text: str, specials: bool = False) -> Encoding:
        text = segment.clean(text)
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        place = 0
        for match in [*(A_SPECIAL.finditer(text) if specials else ()), None]:
            piece = text[place:match.start() if match else len(text)]
            # The space before a special token belongs to no word.
            part = self._inner.encode(piece.rstrip() if match else piece, add_special_tokens=False)
            ids += part.ids
            offsets += [(place + start, place + end) for start, end in part.offsets]
            if match:
                ids.append(SPECIALS.index(match[0]))
                offsets.append(match.span())
                place = match.end()
        return Encoding(ids, offsets)

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
        return self._join([self._raw[index] for index in ids])

    def token(self, id: int) -> str:
        return self._shown[id]

    def id(self, token: str) -> int | None:
        if token in self._ids or not self.lowercase:
            return self._ids.get(token)
        return self._ids.get(token.lower())

    def to_json(self) -> dict[str, Any]:
        """As the library saves it."""
        return json.loads(self._inner.to_str())

    def save(self, path: Path) -> None:
        write(self, path, tokenizer=self.to_json())


def saved_inner(raw: dict[str, Any], patterns: Collection[str] = ()) -> Inner:
    """The one that `save` wrote. patterns: the regular expressions that are let in. ValueError where it is damaged."""
    inner = inner_from(raw["tokenizer"], patterns)
    vocabulary = inner.get_vocab()
    in_a_row = sorted(vocabulary.values()) == list(range(len(vocabulary)))
    if not in_a_row or [vocabulary.get(token) for token in SPECIALS] != list(range(len(SPECIALS))):
        raise ValueError("vocabulary")
    return inner


def clean_texts(texts: Iterable[str]) -> Iterator[str]:
    """As they are trained on: without BREAK, half surrogates, and the sign for what could not be decoded."""
    for text in texts:
        yield segment.clean(text).replace("\ufffd", " ")
