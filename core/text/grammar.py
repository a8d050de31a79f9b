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
from functools import cached_property
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

    @cached_property
    def pieces(self) -> dict[str, tuple[tuple[str, tuple[tuple[str, str], ...]], ...]]:
        """symbol -> its alternatives, each cut at its slots: the text before the first, then each slot's symbol with the text after it."""
        cut = {symbol: [_SLOT.split(alternative) for alternative in alternatives] for symbol, alternatives in self.rules.items()}
        return {symbol: tuple((parts[0], tuple(zip(parts[1::2], parts[2::2]))) for parts in found) for symbol, found in cut.items()}

    def expand(self, rng: random.Random, symbol: str = ROOT) -> str:
        """One random derivation of `symbol`, every alternative equally likely."""
        text, slots = rng.choice(self.pieces[symbol])
        for name, after in slots:
            text += self.expand(rng, name) + after
        return text

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
        text = sentence.strip()
        tops = {name for _, slots in self.pieces[ROOT] for name, _ in slots} | {ROOT}
        known: dict[tuple[str, int], set[int]] = {}

        def ends(symbol: str, start: int) -> set[int]:
            """Every offset at which a derivation of `symbol` that begins at `start` of the text can end."""
            found = known.get((symbol, start))
            if found is None:
                found = known[symbol, start] = set()
                for before, slots in self.pieces[symbol]:
                    if not text.startswith(before, start):
                        continue
                    places = {start + len(before)}
                    for name, after in slots:
                        places = {end + len(after) for place in places for end in ends(name, place) if text.startswith(after, end)}
                        if not places:
                            break
                    found |= places
            return found

        return any(len(text) in ends(symbol, 0) for symbol in tops)


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
