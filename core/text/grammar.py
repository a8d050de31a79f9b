"""Context-free grammars, kept as data, that make the bulk of the built-in training text.

A grammar is a JSON file: {"word", "senses", "rules": {symbol: [alternative, ...]}}. An alternative is text in which
`{symbol}` stands for any alternative of that symbol. There is no recursion, so every document is finite and whether a
grammar can produce a given sentence is decidable by simple matching.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.errors import UserError

_SLOT = re.compile(r"\{([^{}]+)\}")
ROOT = "document"


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """word: the word in question. senses: sense -> {language: name to show}. rules: symbol -> its alternatives."""

    word: str
    senses: dict[str, dict[str, str]]
    rules: dict[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        if ROOT not in self.rules:
            raise UserError(f"The grammar of {self.word} has no symbol '{ROOT}'.", "Add it: everything starts there.")
        self._refuse_recursion(ROOT, ())

    def _refuse_recursion(self, symbol: str, above: tuple[str, ...]) -> None:
        if symbol in above:
            raise UserError(
                f"The grammar of {self.word} is recursive: {' > '.join((*above, symbol))}.",
                "Write the repetition out.",
            )
        if not self.rules.get(symbol):
            raise UserError(
                f"The grammar of {self.word} uses {{{symbol}}} but has no such rule.", "Define it or mend the name."
            )
        below = {name for alternative in self.rules[symbol] for name in _SLOT.findall(alternative)}
        for name in below:
            self._refuse_recursion(name, (*above, symbol))

    def expand(self, rng: random.Random, symbol: str = ROOT) -> str:
        """One random derivation of `symbol`, every alternative equally likely."""
        alternative = rng.choice(self.rules[symbol])
        return _SLOT.sub(lambda slot: self.expand(rng, slot[1]), alternative)

    def documents(self, count: int, seed: int) -> list[str]:
        """Up to `count` different documents; the same for the same seed on every machine."""
        rng = random.Random(f"{self.word}/{seed}")
        made: dict[str, None] = {}
        for _ in range(4 * count):
            if len(made) == count:
                break
            made[self.expand(rng)] = None
        return list(made)

    def size(self, symbol: str = ROOT) -> int:
        """How many derivations `symbol` has (an upper bound on the different texts)."""
        total = 0
        for alternative in self.rules[symbol]:
            ways = 1
            for name in _SLOT.findall(alternative):
                ways *= self.size(name)
            total += ways
        return total

    def can_produce(self, sentence: str) -> bool:
        """Whether some document of this grammar contains `sentence` as one or more whole sentences.

        Every symbol that is used directly in a document is tried, since those are the sentences.
        """
        sentence = sentence.strip()
        tops = {name for alternative in self.rules[ROOT] for name in _SLOT.findall(alternative)} | {ROOT}
        return any(len(sentence) in self._ends(symbol, sentence, 0) for symbol in tops)

    def _ends(self, symbol: str, text: str, start: int) -> frozenset[int]:
        """Every offset at which a derivation of `symbol` that begins at `start` of `text` can end."""
        return _ends(self, symbol, text, start)

    def __hash__(self) -> int:
        return id(self)


@lru_cache(maxsize=200_000)
def _ends(grammar: Grammar, symbol: str, text: str, start: int) -> frozenset[int]:
    found: set[int] = set()
    for alternative in grammar.rules[symbol]:
        places = {start}
        # split() with one capturing group alternates literal text and slot names
        for index, piece in enumerate(_SLOT.split(alternative)):
            if index % 2:
                places = {end for place in places for end in _ends(grammar, piece, text, place)}
            else:
                places = {place + len(piece) for place in places if text.startswith(piece, place)}
            if not places:
                break
        found |= places
    return frozenset(found)


def load_grammar(path: Path) -> Grammar:
    """Read one grammar. UserError if the file is not a grammar or breaks the rules above."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return Grammar(
            word=raw["word"],
            senses=raw["senses"],
            rules={symbol: tuple(alternatives) for symbol, alternatives in raw["rules"].items()},
        )
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise UserError(f"{path.name} is not a grammar: {error}.", "Compare it with another file of its folder.") from error
