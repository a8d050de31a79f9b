"""Proposed senses: all sentences of a text that hold a word, put into groups by the word's vectors, without a label.

The vectors of one layer are centred on their mean and scaled to length 1, as for the measures, and grouped by k-means or by
agglomeration (average linkage, cosine). Without a number of groups it is the one with the greatest mean silhouette (cosine) of 2 to 6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis import senses
from core.analysis import vectors as vectors_of
from core.analysis.occurrences import Occurrence, of_word
from core.analysis.vectors import BOTH
from core.errors import UserError
from core.i18n import tr
from core.runs import Run
from core.text import segment
from core.text.specimens import Specimen

KMEANS, AGGLOMERATIVE = "kmeans", "agglomerative"
MOST_GROUPS = 6  # that are tried
SCORED = 1000  # sentences of which the silhouette is measured where there are more
MOST_AGGLOMERATED = 4000  # it needs every pair
KEY_WORDS = 6  # that tell a group
FEWEST = 4  # sentences


def group(unit: np.ndarray, count: int = 0, method: str = KMEANS) -> tuple[np.ndarray, dict[int, float]]:
    """unit (n, size), of length 1 -> the group of each row, the largest group first, and the silhouette of each number of groups tried.

    count: how many groups, 0 to choose. UserError where there are too few different vectors.
    """
    from sklearn.cluster import AgglomerativeClustering, KMeans
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits

    different = len(np.unique(np.round(unit, 5), axis=0))
    if different < max(count, 2):
        raise UserError(tr("The word has the same vector in all of these sentences, so there is nothing to group.") if different < 2 else
                        tr("There are only {different} different vectors, fewer than the {count} groups.", different=different, count=count),
                        tr("Choose another run or another layer."))
    if method == AGGLOMERATIVE and len(unit) > MOST_AGGLOMERATED:
        raise UserError(tr("Agglomeration compares every pair: {count:,} sentences are too many for it.", count=len(unit)),
                        tr("Take k-means, which is made for {most:,} and more.", most=MOST_AGGLOMERATED))
    numbers = [count] if count else range(2, max(min(MOST_GROUPS, different - 1, len(unit) - 1), 2) + 1)
    tried: dict[int, np.ndarray] = {}
    scores: dict[int, float] = {}
    sample = np.random.default_rng(0).permutation(len(unit))[:SCORED]
    with threadpool_limits(1):  # beside a run that trains, threads that wait for each other take ten times as long
        for number in numbers:
            if method == KMEANS:
                tried[number] = KMeans(number, n_init=3, random_state=0).fit_predict(unit)
            else:
                tried[number] = AgglomerativeClustering(number, metric="precomputed", linkage="average").fit_predict(1 - unit @ unit.T)
            if number < len(unit):
                scored = np.union1d(sample, np.unique(tried[number], return_index=True)[1])  # of each group one at least, however small it is
                scores[number] = float(silhouette_score(unit[scored], tried[number][scored], metric="cosine"))
    found = tried[max(scores, key=scores.__getitem__) if scores else numbers[0]]
    order = [number for number, _ in Counter(found.tolist()).most_common()]
    return np.array([order.index(number) for number in found.tolist()]), scores


def key_words(occurrences: Sequence[Occurrence], groups: np.ndarray) -> list[list[str]]:
    """For each group the words whose share of its sentences exceeds most that of the others' (difference of shares)."""
    held = [_telling(item) for item in occurrences]
    made = []
    for number in range(int(groups.max()) + 1):
        mine = np.flatnonzero(groups == number)
        inside = Counter(word for row in mine.tolist() for word in held[row])
        outside = Counter(word for row in np.flatnonzero(groups != number).tolist() for word in held[row])
        rest = max(len(occurrences) - len(mine), 1)
        ranked = sorted(inside, key=lambda word: (outside[word] / rest - inside[word] / len(mine), word))
        made.append([word for word in ranked[:KEY_WORDS] if inside[word] > 1])
    return made


def _telling(item: Occurrence) -> set[str]:
    """The other words of a sentence, without those from which nobody can tell a sense: one Chinese character, or three letters."""
    found = set()
    for start, end in segment.words(item.text, (item.word,)):
        word = item.text[start:end].lower()
        if word != item.word.lower() and any(map(str.isalnum, word)) and len(word) > (1 if "\u3400" <= word[0] <= "\ufaff" else 3):
            found.add(word)
    return found


def agreement(groups: Sequence[int], labels: Sequence[str]) -> float | None:
    """The adjusted Rand index of the groups with labels, where there are ("" for none); None for fewer than two labelled ones."""
    from sklearn.metrics import adjusted_rand_score

    chosen = [place for place, label in enumerate(labels) if label]
    if len(chosen) < 2 or len({labels[place] for place in chosen}) < 2:
        return None
    return float(adjusted_rand_score([labels[place] for place in chosen], [groups[place] for place in chosen]))


def find(run: str, word: str, specimens: Sequence[Specimen], files: Sequence[str] = (), layer: int = -1, count: int = 0, method: str = KMEANS,
         direction: str = BOTH, cancelled: Callable[[], bool] = lambda: False, on_progress: Callable[[str, int, int], None] = lambda *_: None,
         ) -> dict[str, Any]:
    """Proposed senses of a word in the run's text (or `files`), by its newest checkpoint.

    on_progress("read", documents, sentences), then ("encode", done, sentences) and ("group", 0, sentences).
    {"texts": [...], "groups": (n) integers, "near": (n) cosines with the own group's centroid, "labels": [sense of a specimen with the same
    text, or ""], "specimens": [(text, group)] of the specimens that the text does not hold: each in the group whose centroid is nearest,
    "words": [[key words of each group]], "silhouettes": {groups: mean silhouette}, "ari": of all labelled ones, "step", "layer",
    "left_out": sentences in which the model does not know the word}. UserError where too few sentences hold the word, or where the run's text is
    not known.
    """
    from core.analysis.corpus_words import require_text

    opened = Run.open(Path(run))
    step = vectors_of.newest_checkpoint(opened)
    if not files:
        require_text(opened)
    found = of_word(opened.config.text, word, files, cancelled, lambda documents, number: on_progress("read", documents, number))
    if len(found) < FEWEST:
        raise UserError(tr("“{word}” stands in {count} sentences of the text: too few to group.", word=word, count=len(found)),
                        tr("Look for it in other files, or choose another word."))
    vectors = _vectors(opened, step, found, layer, direction, cancelled, on_progress)
    known = np.isfinite(vectors).all(axis=1)
    if known.sum() < FEWEST:
        raise UserError(tr("The model does not know the word {word}: it is not in its vocabulary.", word=word),
                        tr("Train on text that holds it, or watch it when training, so that it gets a token."), where="word")
    kept = [item for item, good in zip(found, known.tolist(), strict=True) if good]
    on_progress("group", 0, len(kept))
    unit = senses.normalised(vectors[known])
    groups, scores = group(unit, count, method)
    centroids = np.stack([unit[groups == number].mean(axis=0) for number in range(int(groups.max()) + 1)])
    centroids /= np.maximum(np.linalg.norm(centroids, axis=1, keepdims=True), 1e-12)
    near = np.einsum("ij,ij->i", unit, centroids[groups])
    marks = {" ".join(item.text.split()): item.sense for item in specimens if item.word.lower() == word.lower()}
    labels = [marks.get(item.text, "") for item in kept]
    others = _others(opened, step, [item for item in specimens if item.word.lower() == word.lower()], {item.text for item in kept}, layer,
                     direction, vectors[known].mean(axis=0, dtype=np.float64), centroids)
    ari = agreement([*groups.tolist(), *(number for _, number in others)], [*labels, *(marks[text] for text, _ in others)])
    return {"texts": [item.text for item in kept], "groups": groups, "near": near.astype(np.float32), "labels": labels, "specimens": others,
            "words": key_words(kept, groups), "silhouettes": scores, "ari": ari, "step": step, "layer": layer, "left_out": int((~known).sum())}


def _others(run: Run, step: int, specimens: Sequence[Specimen], there: set[str], layer: int, direction: str, mean: np.ndarray,
            centroids: np.ndarray) -> list[tuple[str, int]]:
    """The specimens that are not among the sentences, each with the nearest group."""
    left = [item for item in specimens if " ".join(item.text.split()) not in there]
    if not left:
        return []
    states = vectors_of.half_of(run, vectors_of.encoded(run, step, left), direction)
    vectors = states[min(layer, len(states) - 1) if layer >= 0 else len(states) - 1].astype(np.float64)
    known = np.isfinite(vectors).all(axis=1)
    cosines = np.where(known[:, None], vectors - mean, 0.0) @ centroids.T
    return [(" ".join(item.text.split()), int(cosines[place].argmax())) for place, item in enumerate(left) if known[place]]


def _vectors(run: Run, step: int, found: Sequence[Occurrence], layer: int, direction: str, cancelled: Callable[[], bool],
             on_progress: Callable[[str, int, int], None]) -> np.ndarray:
    """(n, size) float32 of one layer, in pieces, so that it can be stopped."""
    from core.analysis.encode import word_vectors

    loaded = vectors_of.loaded_of(run, step)
    made = []
    for begin in range(0, len(found), 512):
        on_progress("encode", begin, len(found))
        if cancelled():
            break
        piece = found[begin : begin + 512]
        try:
            states = word_vectors(loaded.encoder, loaded.family, loaded.tokenizer, piece)
        except UserError:
            made.append(None)  # none of these is known
            continue
        made.append(vectors_of.half_of(run, states[min(layer, len(states) - 1) if layer >= 0 else len(states) - 1], direction))
    size = next((piece.shape[1] for piece in made if piece is not None), 1)
    sizes = [len(found[begin : begin + 512]) for begin in range(0, len(found), 512)][: len(made)]
    rows = [np.full((count, size), np.nan, np.float32) if piece is None else piece for piece, count in zip(made, sizes, strict=True)]
    whole = np.concatenate(rows) if rows else np.zeros((0, size), np.float32)
    return np.concatenate([whole, np.full((len(found) - len(whole), size), np.nan, np.float32)])
