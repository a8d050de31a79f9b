"""What each layer of a run makes of a word: how far its senses are apart, and how much of that any two words share.

self_similarity    the mean cosine of two vectors of the word in different sentences (Ethayarajh 2019, "How Contextual are Contextualized
                   Word Representations?", section 3.2); 1 where the word has one vector.
anisotropy         the mean cosine of two words drawn at random from different sentences (section 3.3): where it is large, all vectors
                   point the same way, and a large self-similarity says little.
adjusted           self_similarity - anisotropy.

Vectors are not centred here; those of the measures of senses (core.analysis.senses) are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis import senses
from core.analysis import vectors as vectors_of
from core.analysis.occurrences import Occurrence, at_random
from core.analysis.vectors import BOTH
from core.config import TextConfig
from core.errors import UserError
from core.i18n import tr
from core.runs import Run
from core.text import segment
from core.text.specimens import Specimen

RANDOM_WORDS = 1000
OF_TEXT, OF_SENTENCES = "text", "sentences"  # where the random words come from


def mean_cosine(vectors: np.ndarray) -> float | None:
    """Of all pairs of different rows of (n, size): the sum of the unit vectors, squared, less each with itself. None for fewer than two."""
    vectors = vectors[np.isfinite(vectors).all(axis=1)].astype(np.float64)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors[length[:, 0] > 0] / length[length[:, 0] > 0]
    if len(unit) < 2:
        return None
    whole = unit.sum(axis=0)
    return float((whole @ whole - len(unit)) / (len(unit) * (len(unit) - 1)))


def curves_of_run(run: str, specimens: Sequence[Specimen], step: int, direction: str = BOTH) -> dict[str, Any]:
    """{"step", "senses", "left_out", "layers": [{"auc", "centroid_accuracy", "interval", "self_similarity", "shuffled_auc": (low, high),
    "shuffled_accuracy": (low, high)}]}: of every layer, the embedding layer first. UserError where nothing can be measured."""
    opened = Run.open(Path(run))
    vectors = vectors_of.all_layers(opened, vectors_of.source_of(opened, specimens), specimens, step, direction)
    if vectors is None:
        raise UserError(tr("The vectors of step {step} cannot be read.", step=step), tr("Look at another step."))
    known = np.isfinite(vectors).all(axis=(0, 2))
    labels = np.array([item.sense for item in specimens])
    senses.require_senses(labels, known)
    labels = labels[known]
    made = []
    for layer in vectors[:, known].astype(np.float32):
        hits = senses.centroid_hits(layer, labels)
        shuffled_auc, shuffled_accuracy = senses.shuffled_bands(layer, labels)
        made.append({"auc": senses.auc(senses.normalised(layer), labels), "centroid_accuracy": senses.balanced(hits, labels),
                     "interval": senses.bootstrap(hits, labels), "self_similarity": mean_cosine(layer),
                     "shuffled_auc": shuffled_auc, "shuffled_accuracy": shuffled_accuracy})
    return {"step": step, "senses": len(np.unique(labels)), "left_out": int((~known).sum()), "layers": made}


def anisotropy_of_run(run: str, specimens: Sequence[Specimen], direction: str = BOTH) -> dict[str, Any]:
    """By the newest checkpoint: {"step", "words": how many were drawn, "source": OF_TEXT, or OF_SENTENCES where the run's text is not
    known or cannot be read any more, "layers": [{"anisotropy", "self_similarity", "adjusted"}]}. UserError where there is no checkpoint."""
    opened = Run.open(Path(run))
    step = vectors_of.newest_checkpoint(opened)
    stamp = vectors_of.stamp(opened.checkpoint_path(step) / "manifest.json")
    whole, source = _random_vectors(str(opened.path), step, stamp, tuple(item.text for item in specimens))
    words = vectors_of.half_of(opened, whole, direction)
    mine = vectors_of.half_of(opened, vectors_of.encoded(opened, step, specimens), direction)
    made = []
    for random_layer, layer in zip(words, mine, strict=True):
        base, similar = mean_cosine(random_layer), mean_cosine(layer)
        made.append({"anisotropy": base, "self_similarity": similar,
                     "adjusted": None if base is None or similar is None else similar - base})
    return {"step": step, "words": int(np.isfinite(words).all(axis=(0, 2)).sum()), "source": source, "layers": made}


@lru_cache(maxsize=8)
def _random_vectors(path: str, step: int, _changed: tuple[int, int], texts: tuple[str, ...]) -> tuple[np.ndarray, str]:
    """(layers, words, size), and where the words come from. texts: taken where the run's own text is gone."""
    from core.analysis.encode import word_vectors

    opened = Run.open(Path(path))
    loaded = vectors_of.loaded_of(opened, step)
    text = opened.config.text
    found, source = () if opened.without_text else _random_words(text), OF_TEXT
    if len(found) < 2:
        found, source = _all_words(texts), OF_SENTENCES
    return word_vectors(loaded.encoder, loaded.family, loaded.tokenizer, found), source


@lru_cache(maxsize=4)
def _random_words(config: TextConfig) -> tuple[Occurrence, ...]:
    try:
        return tuple(at_random(config, RANDOM_WORDS))
    except UserError:
        return ()  # the files have gone since


def _all_words(texts: Sequence[str]) -> tuple[Occurrence, ...]:
    return tuple(Occurrence(word=text[start:end], text=text, span=(start, end)) for text in texts
                 for start, end in segment.words(text) if any(map(str.isalnum, text[start:end])))[:RANDOM_WORDS]
