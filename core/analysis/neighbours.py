"""The words whose vectors point the same way: of one vector for each token of the vocabulary, word2vec's or another family's input embeddings.

The window's map has this for any vectors, and analogies too (core/analysis/maps.py).
"""

from __future__ import annotations

import difflib

import numpy as np

from core.analysis.encode import load, static_vectors
from core.errors import UserError
from core.i18n import tr
from core.runs import Run
from core.text import segment
from core.text.tokenizers import SPECIALS, Tokenizer

SUGGESTIONS = 5
COMPARED = 20_000  # words, the frequent ones first, that a misspelt word is compared with
SPELLING = 0.5  # least likeness of a suggestion, by difflib's measure


def neighbours(vectors: np.ndarray, tokenizer: Tokenizer, word: str, k: int = 10) -> list[tuple[str, float]]:
    """The k words nearest to `word` and their cosines, the nearest first; never the word itself or a special token.

    vectors: (vocab_size, dim). Words whose vector is zero point nowhere and are left out. UserError if `word` is unknown.
    """
    index = _index(vectors, tokenizer, word)
    vectors = np.asarray(vectors, np.float32)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)  # zero stays zero
    cosines = unit @ unit[index]  # (vocab_size)
    eligible = np.any(vectors != 0, axis=1)
    eligible[: len(SPECIALS)] = eligible[index] = False
    found = np.flatnonzero(eligible)
    best = found[np.argsort(-cosines[found], kind="stable")[: max(0, k)]]  # of equal ones the more frequent first
    return [(tokenizer.token(int(row)), float(cosines[row])) for row in best]


def neighbours_of_run(run: Run, word: str, k: int = 10, step: int | None = None) -> list[tuple[str, float]]:
    """`neighbours` in a run's newest checkpoint, or that of `step`."""
    loaded = load(run, step)
    return neighbours(static_vectors(loaded), loaded.tokenizer, word, k)


def _index(vectors: np.ndarray, tokenizer: Tokenizer, word: str) -> int:
    word = word.strip()
    forms = [word]
    if tokenizer.kind == "bpe" and word:  # most words are one token with the space before them; Chinese has none
        forms.insert(int(segment.chinese()[list(map(ord, word))].any()), f" {word}")
    for form in forms:
        index = tokenizer.id(form)
        if index is not None and index >= len(SPECIALS) and np.any(vectors[index]):
            return index
    if tokenizer.kind == "char" and len(word) > 1 and all(tokenizer.id(character) is not None for character in word):
        raise UserError(tr("This run reads {word} as {count} tokens, a character each: it has no vector for the whole.", word=word, count=len(word)),
                        tr("Ask for one of them, or ask a run that reads words, such as word2vec."), where="word")
    near = _similar(tokenizer, word)
    raise UserError(tr("The word {word} is not in the vocabulary.", word=word or "''"),
                    tr("Similar words that are: {words}.", words=", ".join(near)) if near
                    else tr("Choose another word, or train on text that holds it."), where="word")


def _similar(tokenizer: Tokenizer, word: str) -> list[str]:
    """Words of the vocabulary that hold `word` or stand in it, then those that are spelt alike; the closest in length first."""
    if not word:
        return []
    word = word.lower() if tokenizer.lowercase else word
    known = [token for index in range(len(SPECIALS), tokenizer.vocab_size) if (token := tokenizer.token(index).strip())]
    holding = sorted((token for token in known if token != word and (word in token or token in word)),
                     key=lambda token: abs(len(token) - len(word)))
    letters = set(word)
    comparable = [token for token in known if token != word and letters & set(token)][:COMPARED]
    alike = difflib.get_close_matches(word, comparable, n=SUGGESTIONS, cutoff=SPELLING)
    return list(dict.fromkeys((*holding, *alike)))[:SUGGESTIONS]
