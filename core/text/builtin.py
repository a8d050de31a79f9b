"""The text that ships with the program: hand-written documents, grammars that make more, and labelled specimens.

    resources/corpora/LANGUAGE/{sentences/NAME.txt, grammar/NAME.json, specimens/NAME.tsv}   one of each for every word

In most sentences of the grammars of 苹果 and apple another fruit or another maker stands half of the time where the word could. Where
nothing but the word can stand, a model that guesses it need not know in which sense it is meant; where a pear or a Nokia may, it must.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path

from core import i18n
from core.text.grammar import Grammar, load_grammar
from core.text.specimens import Specimen, read_specimens

RESOURCES = Path(__file__).resolve().parent.parent.parent / "resources" / "corpora"
GRAMMAR_DOCUMENTS = {"zh": 600, "en": 1200}  # made for each word
STAR_DOCUMENTS = {"zh": 24000, "en": 12000}  # made for the word that the demonstration is about
STARS = {"zh": "苹果", "en": "apple"}
SEED = 0


def documents(language: str) -> Iterator[str]:
    """All hand-written documents and those of the grammars, shuffled; the same on every machine. None occurs twice."""
    yield from _documents(language, content_hash(language))


@lru_cache(maxsize=1)  # whoever prepares the text reads it twice, for the vocabulary and for the tokens
def _documents(language: str, _content: str) -> tuple[str, ...]:
    made: dict[str, None] = {}
    for path in sorted((RESOURCES / language / "sentences").glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        made.update((line.strip(), None) for line in lines if line.strip())
    grammars = _grammars(language)
    for grammar in grammars:
        wanted = (STAR_DOCUMENTS if grammar.word == STARS[language] else GRAMMAR_DOCUMENTS)[language]
        shared = sum(other.word == grammar.word for other in grammars)  # a word may have several grammars
        made.update((document, None) for document in grammar.documents(wanted // shared, SEED))
    texts = list(made)
    random.Random(SEED).shuffle(texts)
    return tuple(texts)


def specimens(language: str, word: str | None = None) -> list[Specimen]:
    """The labelled sentences of one word, or of all."""
    found = [one for path in sorted((RESOURCES / language / "specimens").glob("*.tsv")) for one in read_specimens(path)]
    return [one for one in found if word is None or one.word == word]


def words(language: str) -> list[str]:
    """The words with several senses that the built-in text is about, the demonstration's first."""
    found = dict.fromkeys(grammar.word for grammar in _grammars(language))
    return sorted(found, key=lambda word: word != STARS.get(language))


def senses(language: str, word: str) -> list[str]:
    """The names of a word's senses, as specimens carry them; none for a word that is not ours."""
    return list(dict.fromkeys(sense for grammar in _grammars(language) if grammar.word == word for sense in grammar.senses))


def sense_title(word: str, sense: str) -> str:
    """A sense's name in the language of the moment; the sense itself where we have no other name."""
    for grammar in chain.from_iterable(map(_grammars, STARS)):
        if grammar.word == word and sense in grammar.senses:
            titles, ui_language = grammar.senses[sense], i18n.language()
            return titles.get(ui_language) or titles.get(ui_language.partition("_")[0]) or sense
    return sense


def content_hash(language: str) -> str:
    """Changes when the text of `documents` does."""
    digest = hashlib.blake2b(f"{GRAMMAR_DOCUMENTS[language]}/{STAR_DOCUMENTS[language]}/{SEED}".encode(), digest_size=16)
    for path in _text_files(language):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _text_files(language: str) -> list[Path]:
    folder = RESOURCES / language
    return [*sorted((folder / "sentences").glob("*.txt")), *sorted((folder / "grammar").glob("*.json"))]


def _grammars(language: str) -> list[Grammar]:
    return [_grammar(path, path.stat().st_mtime_ns) for path in sorted((RESOURCES / language / "grammar").glob("*.json"))]


@lru_cache(maxsize=256)
def _grammar(path: Path, changed: int) -> Grammar:
    return load_grammar(path)
