"""Where words stand in a text, every time, and the vector that a model gives each of them there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from core.analysis.encode import Loaded, word_vectors
from core.analysis.occurrences import Occurrence
from core.config import TextConfig
from core.errors import UserError
from core.i18n import tr
from core.runs import Run
from core.text import builtin, readers, segment

BLOCK = 256  # sentences that are encoded between two looks at `cancelled`

OnProgress = Callable[[str, int, int], object]


def require_text(run: Run) -> None:
    """UserError for a run whose text is not known."""
    if run.without_text:
        raise UserError(tr("{name} was trained elsewhere: its text is not known.", name=run.name), tr("Look in files, or choose another run."),
                        where="run")


def find_first(config: TextConfig, words: Sequence[str], most: int, on_progress: OnProgress,
               cancelled: Callable[[], bool]) -> tuple[list[Occurrence], int]:
    """The first `most` occurrences of the words in the text of a run, in the order of the text, the same sentence as often as it stands there;
    and how many there are: kept, those of a long text need several times its memory.

    Where one of the words stands within another the longer one counts. UserError where none occurs.
    """
    longest_first = sorted(dict.fromkeys(word.strip() for word in words if word.strip()), key=len, reverse=True)
    if not longest_first:
        raise UserError(tr("No word was given."), tr("Write the words, with commas between them."), where="words")
    pattern = re.compile("|".join(f"(?P<w{number}>{segment.word_pattern(word)})" for number, word in enumerate(longest_first)), re.IGNORECASE)
    found: list[Occurrence] = []
    total = 0
    for document in _documents(config, on_progress):
        _refuse_if(cancelled())
        if pattern.search(document) is None:
            continue
        begin = 0
        for end in segment.sentence_ends(document).tolist():
            sentence = document[begin:end]
            begin, lead = end, len(sentence) - len(sentence.lstrip())
            text = sentence.strip()
            for match in pattern.finditer(sentence):
                total += 1
                if total <= most:
                    found.append(Occurrence(word=longest_first[int(match.lastgroup[1:])], text=text,
                                            span=(match.start() - lead, match.end() - lead)))
    if not found:
        raise UserError(tr("The words {words} do not occur in the text of this run.", words=", ".join(longest_first)),
                        tr("Choose words that are in it."), where="words")
    return found, total


def vectors(loaded: Loaded, found: Sequence[Occurrence], layer: int, on_progress: OnProgress, cancelled: Callable[[], bool]) -> np.ndarray:
    """(occurrences, size) float32 in a layer; rows of NaN where the model does not know the word or where it lies beyond what
    the model can read. UserError where the model knows none."""
    made: np.ndarray | None = None
    for begin in range(0, len(found), BLOCK):
        _refuse_if(cancelled())
        on_progress(tr("reading the sentences"), begin, len(found))
        try:
            states = word_vectors(loaded.encoder, loaded.family, loaded.tokenizer, found[begin : begin + BLOCK])
        except UserError:
            continue  # none of this block is known
        if made is None:
            made = np.full((len(found), states.shape[-1]), np.nan, np.float32)
        made[begin : begin + BLOCK] = states[layer if layer < 0 else min(layer, len(states) - 1)]
    if made is None:
        names = ", ".join(dict.fromkeys(item.word for item in found))
        raise UserError(tr("The model does not know the word {word}: it is not in its vocabulary.", word=names),
                        tr("Train on text that holds it, or watch it when training, so that it gets a token."), where="words")
    return made


def _refuse_if(stopped: bool) -> None:
    if stopped:
        raise UserError(tr("Stopped."), "")


def _documents(config: TextConfig, on_progress: OnProgress) -> Iterator[str]:
    if not config.files:
        yield from builtin.documents(config.corpus)
        return
    paths = readers.find_files(config)
    total, before = sum(path.stat().st_size for path in paths), 0
    for path in paths:
        def on_bytes(place: int, before: int = before) -> None:
            on_progress(tr("looking through the text"), before + place, total)

        yield from readers.read_file(path, config, on_bytes)
        before += path.stat().st_size
