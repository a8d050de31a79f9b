"""How far the vectors of one word come apart by its senses, always on the full vectors, always beside two controls.

For the vectors (n, size) of n specimens of one word in one layer: they are centred on their mean and scaled to length 1.

auc                P(cosine of a pair of the same sense > cosine of a pair of different senses), ties count half; chance is 0.5.
centroid_accuracy  leave one out: is a specimen's own sense's centroid the nearest, where mean and centroids are made without it and its
                   equals? The mean of the senses' accuracies, so that chance is 1 / senses; ties count as guessing among the tied.
interval           the 95% interval of centroid_accuracy, by bootstrap over the specimens of each sense.
silhouette         Rousseeuw 1987, with the cosine distance.
ari                the adjusted Rand index (Hubert and Arabie 1985) of k-means with k = senses against the labels.

Controls: the same measures with the labels shuffled (which must sit at chance), and of the bag of context: the mean static
vector of the other words of the sentence. A model that does not beat the bag has shown that the senses' neighbours differ,
not that it reads.

Place set aside: the same measures of the vectors less the mean vector of their place in the sentence (first word, last word, or between,
as far as the model can see it). The place is no sense, but it may be louder: an LSTM that has read nothing yet gives a word a vector of
its own. Where these measures are much the greater, the senses are there, and the place hides them. Where place and sense go together among
the specimens, the means take away what the place gave away, and some of the sense with it.

"Hard alone" keeps the centroids of all specimens and counts the hard ones; the pairs of auc are those among the hard ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import UserError
from core.i18n import tr
from core.runs import Run
from core.text.specimens import Specimen

if TYPE_CHECKING:
    from core.analysis.encode import Loaded

BOOTSTRAPS = 1000
SHUFFLES = 100
FEWEST_SHUFFLES = 20  # of a thousand specimens and more: each takes as long as their number squared
ROUNDING = 1e-6  # cosines nearer than this are the same number, computed in another order
EQUAL = 1e-4  # 1 - cosine of two vectors that are one; probes keep 11 bits of each number
FEWEST = 2  # specimens of a sense: leaving one out must leave a centroid
FEWEST_OF_PLACE = 5  # specimens whose mean says something of their place, not of them


@dataclass(frozen=True, kw_only=True)
class Measures:
    """See the head of this module. interval: (low, high). specimens: how many were measured. None: not defined for these."""

    auc: float | None
    centroid_accuracy: float | None
    interval: tuple[float, float] | None
    silhouette: float | None
    ari: float | None
    specimens: int


UNMEASURED = Measures(auc=None, centroid_accuracy=None, interval=None, silhouette=None, ari=None, specimens=0)


@dataclass(frozen=True, kw_only=True)
class Layer:
    layer: int
    all: Measures
    hard: Measures
    place_aside: Measures  # of all, see above


@dataclass(frozen=True, kw_only=True)
class SenseReport:
    """Of one run and one word. left_out: specimens whose word the model does not know. bag_source: whose static vectors the bag is of."""

    word: str
    run: str
    family: str
    step: int
    senses: tuple[str, ...]
    layers: tuple[Layer, ...]
    shuffled: Measures
    bag_of_context: Layer
    bag_source: str
    left_out: int

    @property
    def best(self) -> Layer:
        return self.layers[best_layer([layer.all.centroid_accuracy or 0.0 for layer in self.layers])]

    def to_json(self) -> dict[str, Any]:
        """As the command line gives it. Each layer's measures stand beside `layer`; those of the hard specimens under `hard`, those with
        the place set aside under `place_aside`."""
        bag = self.bag_of_context

        def measures(item: Layer) -> dict[str, Any]:
            return {**asdict(item.all), "hard": asdict(item.hard), "place_aside": asdict(item.place_aside)}

        return {"word": self.word, "run": self.run, "family": self.family, "step": self.step, "senses": list(self.senses),
                "left_out": self.left_out,
                "layers": [{"layer": item.layer, **measures(item)} for item in self.layers],
                "controls": {"shuffled": asdict(self.shuffled), "bag_of_context": {**measures(bag), "source": self.bag_source}}}


def normalised(vectors: np.ndarray) -> np.ndarray:
    """Centred on the mean and scaled to length 1; a vector that equals the mean stays 0. (n, size) float64"""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    scale = np.linalg.norm(vectors, axis=1).max(initial=0.0)
    return np.divide(centred, length, out=np.zeros_like(centred), where=length > ROUNDING * scale)


def place_aside(vectors: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Each vector less the mean of those whose word has the same place in its sentence. vectors (n, size), places (n) -> (n, size) float64.

    What equals its place's mean is exactly 0: of one vector for all nothing is left but rounding. A row with NaN stays, and counts in
    no mean.
    """
    made = np.empty(vectors.shape)
    for place in np.unique(places):
        mine = places == place
        made[mine] = set_off(vectors[mine], place_mean(vectors, places, place), vectors)
    return made


def set_off(vectors: np.ndarray, mean: np.ndarray, among: np.ndarray) -> np.ndarray:
    """vectors (n, size) less the mean, float64; exactly 0 where that is no more than rounding, judged by the lengths of `among` (m, size)."""
    made = vectors.astype(np.float64) - mean
    made[np.linalg.norm(made, axis=1) <= ROUNDING * np.nanmax(np.linalg.norm(among, axis=1), initial=0.0)] = 0.0
    return made


def place_mean(vectors: np.ndarray, places: np.ndarray, place: str) -> np.ndarray:
    """The mean of the vectors of a place, (size,) float64; of all vectors where fewer than FEWEST_OF_PLACE have it. Rows with NaN do not count."""
    known = np.isfinite(vectors).all(axis=1)
    chosen = vectors[_counted(known, places == place)].astype(np.float64)
    return chosen.mean(axis=0) if len(chosen) else np.zeros(vectors.shape[1])


def _counted(known: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Which vectors make the mean of a place: the known ones there, or all known ones where these are too few. (n) booleans each"""
    mine = known & there
    return mine if mine.sum() >= FEWEST_OF_PLACE else known


def auc(unit: np.ndarray, labels: np.ndarray) -> float | None:
    """P(same-sense cosine > different-sense cosine) over all pairs of rows, ties half; None without both kinds of pairs."""
    return _auc_of_pairs(*_pairs(unit), labels)


def _pairs(unit: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The cosine of every pair, in units of ROUNDING, and the pair's two rows; each (pairs)."""
    rows, columns = np.triu_indices(len(unit), k=1)
    return np.round((unit @ unit.T)[rows, columns] / ROUNDING), rows, columns


def _auc_of_pairs(cosine: np.ndarray, rows: np.ndarray, columns: np.ndarray, labels: np.ndarray) -> float | None:
    same = labels[rows] == labels[columns]
    positive, negative = cosine[same], np.sort(cosine[~same])
    if not len(positive) or not len(negative):
        return None
    below = np.searchsorted(negative, positive, side="left")
    ties = np.searchsorted(negative, positive, side="right") - below
    return float((below + 0.5 * ties).sum() / (len(positive) * len(negative)))


def centroid_hits(vectors: np.ndarray, labels: np.ndarray, places: np.ndarray | None = None) -> np.ndarray:
    """For every specimen 1 if its own sense's centroid is the nearest by cosine, 1/k among k tied ones, else 0.

    vectors (n, size); labels (n), or (orders, n) for several labellings of the same vectors; places (n): set these aside. As labels.

    Whoever is judged is left out of the centroids and of the mean (of its place), and so are those that have the same vector: a GPT's
    words at the beginning of a sentence all do, and of two equal vectors with different senses each would otherwise vote for the
    other's, below chance. Left in the mean, it would push all others away from itself, and the other senses, of one more, the furthest: of
    pure noise, three specimens of each of two senses would be judged right in 6 of 10 cases.
    """
    labels = np.asarray(labels)
    senses, own = np.unique(labels, return_inverse=True)
    own = own.reshape(-1, len(vectors))  # (orders, n)
    members = (own[:, None, :] == np.arange(len(senses))[:, None]).reshape(-1, len(vectors)).astype(float)  # (orders x senses, n)
    kinds, where = np.unique(np.zeros(len(vectors)) if places is None else places, return_inverse=True)
    least = ROUNDING * np.linalg.norm(vectors, axis=1).max(initial=0.0)
    equal = _equals(normalised(vectors))
    points = _fewer_numbers(vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64))
    squares = np.einsum("ij,ij->i", points, points)
    similarity = np.zeros((len(points), len(members)))
    for row in range(len(points)):
        keep = ~equal[row]
        shares = np.stack([_counted(keep, where == kind) for kind in range(len(kinds))]).astype(float)  # (places, n)
        means = shares @ points / np.maximum(shares.sum(axis=1, keepdims=True), 1)
        lengths = np.sqrt(np.maximum(squares + np.einsum("ij,ij->i", means[where] - 2 * points, means[where]), 0))  # of each from its place's mean
        scale = np.divide(1, lengths, out=np.zeros(len(points)), where=lengths > least)
        parts = members * np.where(keep, scale, 0)  # of each specimen in each centroid
        centroids = parts @ points - parts @ np.eye(len(kinds))[where] @ means  # (orders x senses, size)
        mine = (points[row] - means[where[row]]) * scale[row]
        similarity[row] = centroids @ mine / np.maximum(np.linalg.norm(centroids, axis=-1), ROUNDING)
    similarity = np.round(similarity / ROUNDING).reshape(-1, len(own), len(senses))
    nearest = similarity == similarity.max(axis=-1, keepdims=True)
    hits = np.take_along_axis(nearest, own.T[..., None], axis=-1)[..., 0] / nearest.sum(axis=-1)
    return hits.T.reshape(labels.shape)


def _fewer_numbers(vectors: np.ndarray) -> np.ndarray:
    """n vectors of more than n numbers lie in n dimensions: there, with the same lengths and angles. (n, size) -> (n, min(n, size))"""
    return np.linalg.qr(vectors.T, mode="r").T if vectors.shape[1] > len(vectors) else vectors


def _equals(unit: np.ndarray) -> np.ndarray:
    """Which rows are one vector; each is its own equal. (n, n) booleans"""
    equal = unit @ unit.T > 1 - EQUAL
    np.fill_diagonal(equal, True)
    return equal


def best_layer(accuracies: Sequence[float]) -> int:
    """The layer with the greatest centroid accuracy, of those that have read the context: not the embedding layer, if there are more."""
    first = min(1, len(accuracies) - 1)
    return first + int(np.argmax(accuracies[first:]))


def unit_of(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1; a row of zeros stays one."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)


def balanced(hits: np.ndarray, labels: np.ndarray) -> float:
    """The mean of the senses' mean hits."""
    return float(np.mean([hits[labels == sense].mean() for sense in np.unique(labels)]))


def bootstrap(hits: np.ndarray, labels: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """The 95% interval of `balanced`, specimens drawn again within each sense."""
    rng = np.random.default_rng(seed)
    means = [hits[labels == sense][rng.integers(0, n, (BOOTSTRAPS, n))].mean(axis=1)
             for sense in np.unique(labels) for n in [int((labels == sense).sum())]]
    low, high = np.percentile(np.mean(means, axis=0), [2.5, 97.5])
    return float(low), float(high)


def measure(vectors: np.ndarray, labels: np.ndarray, chosen: np.ndarray | None = None, places: np.ndarray | None = None) -> Measures:
    """The measures of vectors (n, size) with labels (n); chosen (n) booleans: count these alone (the hard ones), see above. places (n):
    set these aside.

    Rows with NaN are left out. UserError with fewer than two senses, or a sense of fewer than FEWEST specimens.
    """
    from sklearn.cluster import KMeans  # sklearn takes seconds to load
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    known = np.isfinite(vectors).all(axis=1)
    require_senses(labels, known)
    vectors, labels = vectors[known], labels[known]
    chosen = np.ones(len(labels), bool) if chosen is None else chosen[known]
    places = None if places is None else places[known]
    unit = normalised(vectors if places is None else place_aside(vectors, places))
    hits, mine = centroid_hits(vectors, labels, places)[chosen], labels[chosen]
    senses = np.unique(mine)
    if len(senses) < 2:
        return replace(UNMEASURED, specimens=int(chosen.sum()))
    apart = len(np.unique(np.round(unit[chosen], 6), axis=0)) >= len(senses)  # k-means needs as many different points
    groups = KMeans(len(senses), n_init=10, random_state=0).fit_predict(unit[chosen]) if apart else np.zeros(len(mine))
    scored = apart and len(mine) > len(senses)
    return Measures(auc=auc(unit[chosen], mine), centroid_accuracy=balanced(hits, mine), interval=bootstrap(hits, mine),
                    silhouette=float(silhouette_score(unit[chosen], mine, metric="cosine")) if scored else 0.0,
                    ari=float(adjusted_rand_score(mine, groups)), specimens=len(mine))


def measured(vectors: np.ndarray, labels: np.ndarray, hard: np.ndarray, places: np.ndarray) -> dict[str, Measures]:
    """The measures that always stand together: "all", "hard" (the hard specimens alone) and "place_aside" (see above)."""
    return {"all": measure(vectors, labels), "hard": measure(vectors, labels, hard),
            "place_aside": measure(vectors, labels, places=places)}


def shuffled_control(vectors: np.ndarray, labels: np.ndarray, seed: int = 0) -> Measures:
    """The means over random permutations of the labels, up to SHUFFLES; interval: the middle 95% of centroid_accuracy."""
    known = np.isfinite(vectors).all(axis=1)
    areas, accuracies = _shuffled(vectors[known], labels[known], seed)
    low, high = np.percentile(accuracies, [2.5, 97.5])
    return Measures(auc=float(np.mean(areas)), centroid_accuracy=float(np.mean(accuracies)), interval=(float(low), float(high)),
                    silhouette=None, ari=None, specimens=int(known.sum()))


def shuffled_bands(vectors: np.ndarray, labels: np.ndarray, seed: int = 0) -> tuple[tuple[float, float], tuple[float, float]]:
    """The middle 95% of auc and of centroid_accuracy over random permutations of the labels, up to SHUFFLES."""
    (low, high), (lower, higher) = (np.percentile(values, [2.5, 97.5]).tolist() for values in _shuffled(vectors, labels, seed))
    return (low, high), (lower, higher)


def _shuffled(vectors: np.ndarray, labels: np.ndarray, seed: int) -> tuple[list[float], list[float]]:
    """auc and centroid_accuracy of each random permutation of the labels."""
    rng = np.random.default_rng(seed)
    count = int(np.clip(FEWEST_SHUFFLES * 1000 // len(labels), FEWEST_SHUFFLES, SHUFFLES))
    orders = np.stack([rng.permutation(labels) for _ in range(count)])
    pairs = _pairs(normalised(vectors))
    return ([_auc_of_pairs(*pairs, order) for order in orders],
            [balanced(hits, order) for hits, order in zip(centroid_hits(vectors, orders), orders, strict=True)])


def require_senses(labels: Sequence[str] | np.ndarray, known: np.ndarray | None = None) -> None:
    """UserError unless there are two senses, of FEWEST specimens each. known (n) booleans: these alone can be measured."""
    names, counts = np.unique(np.asarray(labels), return_counts=True)
    if len(names) < 2:
        raise UserError(tr("All specimens have the same sense, so nothing can come apart."), tr("Label at least two senses."))
    if counts.min() < FEWEST:
        raise UserError(tr("The sense '{sense}' has one specimen only.", sense=names[counts.argmin()]),
                        tr("Give every sense at least {count}.", count=FEWEST))
    if known is not None:
        left, counts = np.unique(np.asarray(labels)[known], return_counts=True)
        if len(left) < 2 or counts.min() < FEWEST:
            raise UserError(tr("Of {known} of {all} sentences there are vectors: too few of each sense.", known=int(known.sum()), all=len(known)),
                            tr("Train on text that holds their words, or label other sentences."))


MUCH_UNKNOWN = 0.2  # of the words around; beyond that it must be said beside the figures


def bag_of_context(tokenizer: Any, table: np.ndarray, specimens: Sequence[Specimen]) -> np.ndarray:
    """The mean static vector of the words around the word, (specimens, size); NaN where no other word is known.

    table: (vocab_size, size), of `tokenizer`.
    """
    result = np.full((len(specimens), table.shape[1]), np.nan, dtype=np.float32)
    unknown = tokenizer.id("[UNK]")
    for row, specimen in enumerate(specimens):
        others = [token for token in _around(tokenizer, specimen) if token != unknown]
        if others:
            result[row] = table[others].mean(axis=0)
    return result


def unknown_share(tokenizer: Any, specimens: Sequence[Specimen]) -> float:
    """How many of the tokens around the word are [UNK], from 0 to 1. A model that cannot read the sentences is not to blame for what it says."""
    around = [token for specimen in specimens for token in _around(tokenizer, specimen)]
    return around.count(tokenizer.id("[UNK]")) / max(len(around), 1)


def _around(tokenizer: Any, specimen: Specimen) -> list[int]:
    """The tokens of a sentence but for the word and for marks."""
    start, end = specimen.span
    encoded = tokenizer.encode(specimen.text)
    return [token for token, (a, b) in zip(encoded.ids, encoded.offsets, strict=True)
            if not (a < end and b > start) and any(map(str.isalnum, specimen.text[a:b]))]


def report(loaded: Loaded, specimens: Sequence[Specimen], bag: Loaded | None = None, vectors: np.ndarray | None = None) -> SenseReport:
    """The measures of one run on the specimens of one word.

    bag: the run whose static vectors make the bag of context, best a word2vec run; else the run's own. vectors: (layers,
    specimens, size) where they are known already (a probe), else they are computed.
    """
    from core.analysis.encode import static_vectors, word_vectors  # the measures alone need no torch
    from core.analysis.vectors import places_of

    require_senses([specimen.sense for specimen in specimens])
    if vectors is None:
        vectors = word_vectors(loaded.encoder, loaded.family, loaded.tokenizer, specimens)
    known = np.isfinite(vectors).all(axis=(0, 2))
    labels = np.array([specimen.sense for specimen in specimens])
    hard = np.array([specimen.hard for specimen in specimens])
    places = places_of(loaded.run, specimens)
    layers = tuple(Layer(layer=index, **measured(layer, labels, hard, places)) for index, layer in enumerate(vectors))
    source = bag or loaded
    context = bag_of_context(source.tokenizer, static_vectors(source), specimens)
    try:
        bags = measured(context, labels, hard, np.array([specimen.place for specimen in specimens]))
    except UserError:  # its vectors know too few of the other words
        bags = dict.fromkeys(("all", "hard", "place_aside"), UNMEASURED)
    best = best_layer([layer.all.centroid_accuracy or 0.0 for layer in layers])
    return SenseReport(
        word=specimens[0].word, run=loaded.run.name, family=loaded.family.name, step=loaded.step, senses=tuple(np.unique(labels).tolist()),
        layers=layers, shuffled=shuffled_control(vectors[best], labels),
        bag_of_context=Layer(layer=0, **bags), bag_source=source.run.name,
        left_out=int((~known).sum()))


def compare(runs: Sequence[Run], specimens: Sequence[Specimen],
            on_left_out: Callable[[str, Run, UserError], None] = lambda word, run, why: None) -> list[SenseReport]:
    """A report of every run for every word of the specimens. Where a word2vec run is among them, its vectors make the bag for all.

    on_left_out(word, run, why) for each that cannot be measured: the run knows the word too seldom, or it has one sense.
    """
    from core.analysis.encode import load

    loaded = [load(run) for run in runs]
    bag = next((item for item in loaded if "static_vectors" in item.family.capabilities), None)
    by_word: dict[str, list[Specimen]] = {}
    for specimen in specimens:
        by_word.setdefault(specimen.word, []).append(specimen)
    made = []
    for word, group in by_word.items():
        for item in loaded:
            try:
                made.append(report(item, group, bag))
            except UserError as error:
                on_left_out(word, item.run, error)
    return made
