"""Probes: what the model makes of the watched word, saved every so often, so that its senses can be watched coming apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from core import events
from core.analysis.encode import attention_of, frame, word_vectors
from core.errors import UserError
from core.i18n import tr
from core.registry import family
from core.runs import Run
from core.text import builtin
from core.text.specimens import Specimen, read_specimens, write_specimens
from core.text.tokenizers import Tokenizer
from core.whole import put_in_place


def specimens_to_watch(run: Run) -> list[Specimen]:
    """The run's own copy of its specimens; made from the file of its settings, or the built-in ones, the first time."""
    if run.specimens_path.exists():
        return read_specimens(run.specimens_path)
    watch, text = run.config.watch, run.config.text
    if watch.specimens:
        found = read_specimens(Path(watch.specimens))
        found = [item for item in found if not watch.word or item.word == watch.word]
        if not found:
            raise UserError(tr("{path} has no sentence for '{word}'.", path=watch.specimens, word=watch.word),
                            tr("Add some, or watch another word."), where="word")
    elif watch.word:
        found = [item for language in ("zh", "en") for item in builtin.specimens(language, watch.word)]
    else:
        # without a wish, the stars of the built-in text
        found = [] if text.files else builtin.specimens(text.corpus, builtin.STARS[text.corpus])
    if found:
        write_specimens(run.specimens_path, found)
    return found


def prober(run: Run, network: Callable[[], nn.Module], tokenizer: Tokenizer, specimens: list[Specimen]) -> Callable[[int], events.Event | None]:
    """A function that saves the probe of a step and returns its event; None where there is nothing to watch, or where the text does not
    hold the word of the built-in sentences."""
    made = family(run.config.family)
    sentence = run.config.watch.sentence or (specimens[0].text if specimens else "")
    frames = [frame(made, tokenizer, specimen.text) for specimen in specimens]  # cut once: it takes longer than word2vec's vectors

    def probe(step: int) -> events.Event | None:
        if not specimens:
            return None
        model = network().encoder
        training = model.training
        model.eval()
        with torch.no_grad():
            try:
                vectors = word_vectors(model, made, tokenizer, specimens, frames=frames)
            except UserError as error:  # it is watched already: only another text can give it a token
                if not run.config.watch.specimens:  # the built-in sentences come by themselves: a text without the word is no fault of it
                    model.train(training)
                    return None
                hint = tr("The text that is learnt from does not hold it, or too seldom (min_count is {count}): add text that does, or watch "
                          "another word.", count=run.config.text.min_count)
                raise UserError(error.message, hint, where="word") from error
            arrays: dict[str, np.ndarray] = {"vectors": vectors.astype(np.float16), "step": np.array(step)}
            if "attentions" in made.capabilities:
                arrays["attention"], tokens = attention_of(model, made, tokenizer, sentence)
                arrays["tokens"] = np.array(tokens)
        model.train(training)
        path = run.probe_path(step)
        temporary = path.with_name(f".{path.name}.tmp.npz")
        try:
            np.savez(temporary, **arrays)
            put_in_place(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        return events.ProbeSaved(step=step, path=path.relative_to(run.path).as_posix())

    return probe
