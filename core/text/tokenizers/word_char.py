"""Words as in word.py, but a Chinese word that is not in the vocabulary is read as its characters. So none need be guessed: words are those of
rjieba's dictionary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from core.config import TextConfig
from core.text import segment
from core.text.tokenizers import SPECIALS, UNK, Kind
from core.text.tokenizers.table import TableTokenizer, most_frequent, saved_tokens
from core.text.tokenizers.word import Words, counted_words, cut

CHARACTERS = 0.5  # the greatest share of the vocabulary that they may have


def word_char_tokenizer(tokens: Sequence[str], *, lowercase: bool, watched: Sequence[str] = ()) -> TableTokenizer:
    return TableTokenizer("word_char", tokens, _WordsAndCharacters, lowercase=lowercase, watched=watched)


class _WordsAndCharacters(Words):
    def arrays(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        words, starts, ends = cut(text, self._lowercase, self._watched, guess=False)
        parts_of = {word: [word] if word in self._ids else _parts(word) for word in set(words)}
        parts = [parts_of[word] for word in words]
        numbers = np.fromiter(map(len, parts), np.int64, len(parts))  # (words) of tokens
        first = np.repeat(np.cumsum(numbers) - numbers, numbers)  # (tokens) the number of its word's first token
        begins = np.repeat(starts, numbers) + np.arange(len(first)) - first
        get = self._ids.get
        return (np.array([get(token, UNK) for part in parts for token in part], np.int64), begins,
                np.where(np.repeat(numbers, numbers) > 1, begins + 1, np.repeat(ends, numbers)))


def _parts(word: str) -> str | list[str]:
    """What an unknown word is read as: the characters of a Chinese one, one after another, another as a whole."""
    return word if (segment.kinds()[segment.points(word)] == segment.HAN).all() else [word]


def train(config: TextConfig, texts: Iterable[str]) -> TableTokenizer:
    """The most frequent words, and the most frequent characters of the Chinese words that are not among them."""
    words = counted_words(config, texts, guess=False)
    ranked = sorted((word for word in words if words[word] >= config.min_count), key=lambda word: (-words[word], word))
    room = config.vocab_size - len(SPECIALS)
    half = int(CHARACTERS * room)
    wanted = {segment.lower(word) if config.lowercase else word for word in config.watched} & words.keys()
    frequent = set(ranked[:room - half])
    rare = sorted((-count, token) for token, count in _read(words, frequent).items() if token not in frequent and _is_character(token))
    characters = [token for count, token in rare[:half] if -count >= config.min_count]
    kept = set(list(dict.fromkeys([*sorted(wanted), *characters, *ranked]))[:room])
    # Counted as they are read: a character that no word needs is not kept
    read = {token: count for token, count in _read(words, kept).items() if token in kept}
    return word_char_tokenizer(most_frequent(config, read), lowercase=config.lowercase, watched=config.watched)


def _read(words: Mapping[str, int], known: Collection[str]) -> Counter[str]:
    """How often each token is read in a text of these words. known: words that are tokens."""
    read: Counter[str] = Counter()
    for word, count in words.items():
        for token in [word] if word in known else _parts(word):
            read[token] += count
    return read


def _is_character(token: str) -> bool:
    return len(token) == 1 and segment.kinds()[ord(token)] == segment.HAN


def load(raw: dict[str, Any], lowercase: bool, watched: tuple[str, ...]) -> TableTokenizer:
    return word_char_tokenizer(saved_tokens(raw), lowercase=lowercase, watched=watched)


KIND = Kind(train=train, load=load)
