"""What can be said against a run before it is started: cheap checks, in the window beside the form and on the command line."""

from __future__ import annotations

from pathlib import Path

from core.config import RunConfig
from core.errors import UserError
from core.i18n import tr
from core.text import builtin, readers
from core.text.specimens import read_specimens


def check_inputs(config: RunConfig) -> None:
    """UserError for a file that is missing, unreadable or lacks the column, and for specimens that do not hold the word."""
    if config.text.files:
        for path in readers.find_files(config.text):
            seen = readers.preview(path, config.text, lines=1)
            if seen.problem:
                raise UserError(seen.problem, seen.hint, where="files")
    word, given = config.watch.word, config.watch.specimens
    if given:
        words = {specimen.word for specimen in read_specimens(Path(given))}
        if word and word not in words:
            raise UserError(tr("{path} has no sentence for '{word}'.", path=given, word=word), tr("Add some, or watch another word."), where="word")
        if not word and len(words) > 1:
            raise UserError(tr("{path} has sentences for several words: {words}.", path=given, words=", ".join(sorted(words))),
                            tr("Say which one to watch with --word."), where="word")
    elif word and not any(builtin.specimens(language, word) for language in ("zh", "en")):
        raise UserError(tr("There are no built-in sentences for '{word}'.", word=word),
                        tr("Give a file of labelled sentences with --watch."), where="word")
