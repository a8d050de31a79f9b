"""Words where they stand in a run's text: all occurrences of one word, or words drawn at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from core.config import TextConfig
from core.errors import UserError
from core.i18n import tr
from core.text import builtin, readers, segment
from core.text.specimens import find_word

LONGEST = 120  # characters of a sentence that is kept whole
AROUND = 55  # characters kept at each side of the word in a longer one
TOLD = 500  # documents between two reports


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """A word in its sentence; core.analysis.encode.word_vectors reads these as it reads specimens."""

    word: str
    text: str
    span: tuple[int, int]


def documents(config: TextConfig, files: Sequence[str] = ()) -> Iterator[str]:
    """Of the given files, else of the run's own text. UserError where they cannot be read."""
    if files:
        yield from readers.read_documents(replace(config, files=tuple(files)))
    elif config.files:
        yield from readers.read_documents(config)
    else:
        yield from builtin.documents(config.corpus)


def of_word(config: TextConfig, word: str, files: Sequence[str] = (), cancelled: Callable[[], bool] = lambda: False,
            on_documents: Callable[[int, int], None] = lambda documents, found: None) -> list[Occurrence]:
    """Every different sentence that holds the word, as it comes in the text. A long one is cut to what stands around the word."""
    if not word.strip():
        raise UserError(tr("There is no word to look for."), tr("Choose a word at the right."))
    found: dict[str, Occurrence] = {}
    quick = word.lower()
    for number, document in enumerate(documents(config, files)):
        if number % TOLD == 0:
            on_documents(number, len(found))
            if cancelled():
                break
        if quick not in document.lower():
            continue
        text = segment.clean(document)
        for start, end in segment.sentences(text):
            sentence = " ".join(_cut(text[start:end], word).split())
            span = find_word(sentence, word)
            if span is not None:
                found.setdefault(sentence, Occurrence(word=word, text=sentence, span=span))
    return list(found.values())


def _cut(sentence: str, word: str) -> str:
    span = find_word(sentence, word)
    if span is None or len(sentence) <= LONGEST:
        return sentence
    return sentence[max(span[0] - AROUND, 0) : span[1] + AROUND]


def at_random(config: TextConfig, count: int, seed: int = 0, most: int = 200_000) -> list[Occurrence]:
    """`count` words of different documents, each drawn evenly from its document; the documents are drawn evenly from the first `most`."""
    rng = random.Random(seed)
    kept: list[str] = []
    for number, document in enumerate(documents(config)):
        if number >= most:
            break
        if len(kept) < count:
            kept.append(document)
        elif (place := rng.randrange(number + 1)) < count:
            kept[place] = document
    found = []
    for document in kept:
        text = segment.clean(document[:LONGEST])
        words = [(start, end) for start, end in segment.words(text, config.watched) if any(map(str.isalnum, text[start:end]))]
        if words:
            start, end = rng.choice(words)
            found.append(Occurrence(word=text[start:end], text=text, span=(start, end)))
    return found
