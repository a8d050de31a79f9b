"""The labelled sentences of a word as examples for tagging: the second stage for whoever has no labelled file. The tag of the word is its sense."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from core.errors import UserError
from core.i18n import tr
from core.tasks.tagging import OUTSIDE, WIDE
from core.text.specimens import Specimen
from core.whole import replacing

_UNIT = re.compile(rf"{WIDE.pattern}|(?:(?!{WIDE.pattern})\w)+|\S")


def write(specimens: Sequence[Specimen], folder: Path) -> tuple[Path, Path]:
    """Two files in `folder`: to learn from and to measure on, half of each sense's sentences, of the hard ones too. The same sentences give the
    same files. UserError where there are not two senses with two sentences each."""
    senses: defaultdict[str, list[Specimen]] = defaultdict(list)
    for one in sorted(specimens, key=lambda one: (one.sense, one.hard, _digest(one.text))):
        senses[one.sense].append(one)
    halves: tuple[list[Specimen], list[Specimen]] = ([], [])
    for number, group in enumerate(senses.values()):  # an odd one goes to either half in turn
        for half, start in zip(halves, (number % 2, 1 - number % 2), strict=True):
            half += group[start::2]
    if any(len({one.sense for one in half}) < 2 for half in halves):
        raise UserError(tr("There are too few labelled sentences to learn from some and to measure on others."),
                        tr("Write at least two sentences for each of two senses."))
    texts = [_conll(half) for half in halves]
    name, folder = re.sub(r"\W+", "_", specimens[0].word)[:40], folder / _digest("".join(texts))
    paths = [folder / f"{name}.conll", folder / f"{name}-dev.conll"]  # a run is named after the first
    for path, text in zip(paths, texts, strict=True):
        with replacing(path) as file:
            file.write(text.encode())
    return paths[0], paths[1]


def _conll(specimens: Sequence[Specimen]) -> str:
    """A unit and its tag a line, a blank line between sentences. A unit: a Chinese character, a run of letters and digits, or a mark."""
    sentences = []
    for one in specimens:
        start, end = one.span
        kind = re.sub(r"\s+", "_", one.sense)
        inside = [(unit[0], start <= unit.start() < end, unit.start() <= start) for unit in _UNIT.finditer(one.text)]
        sentences.append("".join(f"{text}\t{('B-' if first else 'I-') + kind if of_word else OUTSIDE}\n" for text, of_word, first in inside))
    return "\n".join(sentences)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
