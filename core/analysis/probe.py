"""A linear probe: can a property be read off a layer's vectors by a straight cut (Alain and Bengio 2016), and is that worth anything?

For each layer a logistic regression on standardised vectors, cross-validated. Beside it stands the control task of Hewitt and Liang
2019 ("Designing and Interpreting Probes with Control Tasks"): every word type gets a label at random, drawn as often as the real ones
occur, the same wherever it stands. What a probe reaches there it has learned by heart. selectivity = accuracy - control accuracy.

Where the examples hold one word only (the senses of 苹果), the control has no types to tell apart: each sentence gets its label at
random then.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis import vectors as vectors_of
from core.analysis.vectors import BOTH
from core.errors import UserError
from core.i18n import tr
from core.runs import Run
from core.text.specimens import Specimen, find_word, table_rows

FOLDS = 5
CONTROLS = 3  # drawings of the control's labels; their mean is shown
FEWEST = 2  # examples of a label
MOST = 5000  # examples that are probed
FEW_WORDS = 20  # of which a probe can learn a random label each
LABELS = ("label", "sense", "tag", "pos", "category")  # names of the column, the first that is there
BY_TYPE, BY_SENTENCE = "type", "sentence"


@dataclass(frozen=True, kw_only=True)
class Example:
    """A word in its sentence, and the label that the probe shall find."""

    word: str
    text: str
    label: str
    span: tuple[int, int]


def read_labelled(path: Path) -> list[Example]:
    """A tsv with the columns word, text and label (or sense, tag, pos, category). UserError names the line at fault."""
    path = Path(path)
    rows = table_rows(path)
    header = [name.strip().lower() for name in next(rows, [])]
    column = next((name for name in LABELS if name in header), "")
    missing = [name for name in ("word", "text") if name not in header] + ([] if column else ["label"])
    if missing:
        raise UserError(tr("{path} has no column {names}.", path=path.name, names=", ".join(missing)),
                        tr("The first line must name the columns: word, text and label, with tabs between."), where="path")
    made = []
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=False)}
        word, text, label = (cells.get(name, "") for name in ("word", "text", column))
        if not word or not text or not label:
            raise UserError(tr("{path}, line {number}: word, text or label is empty.", path=path.name, number=number),
                            tr("Fill it in, or remove the line."), where="path")
        span = find_word(text, word)
        if span is None:
            raise UserError(tr("{path}, line {number}: the word '{word}' is not in its sentence.", path=path.name, number=number, word=word),
                            tr("Correct the sentence or the word."), where="path")
        made.append(Example(word=word, text=text, label=label, span=span))
    if not made:
        raise UserError(tr("{path} has no examples.", path=path.name), tr("Add labelled sentences, one a line."), where="path")
    return made


def control_labels(words: Sequence[str], labels: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    """A label at random for every word type, drawn as often as the real ones occur; for every sentence where there is one type only."""
    rng = np.random.default_rng(seed)
    types = sorted(set(words))
    if len(types) == 1:
        return rng.permutation(labels), BY_SENTENCE
    drawn = dict(zip(types, rng.choice(labels, len(types)), strict=True))
    return np.array([drawn[word] for word in words]), BY_TYPE


def folds_of(labels: np.ndarray) -> int:
    """Into how many parts the examples are cut: FOLDS, or as many as the rarest label has examples."""
    return int(np.clip(np.unique(labels, return_counts=True)[1].min(), 2, FOLDS))


def accuracy(vectors: np.ndarray, labels: np.ndarray, seed: int = 0, folds: int = 0) -> float:
    """Cross-validated, of (n, size) and (n); 1.0 where there is one label only. A label with one example is never both learned and tested;
    where a fold has a single label to learn from, that is its answer to everything. folds: 0 is folds_of(labels).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(np.unique(labels)) < 2:
        return 1.0
    folds = folds or folds_of(labels)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, C=0.1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rare labels of the control, and a last iteration that was not needed
        scores = []
        for learned, tested in StratifiedKFold(folds, shuffle=True, random_state=seed).split(vectors, labels):
            only = len(np.unique(labels[learned])) < 2
            said = labels[learned[0]] if only else model.fit(vectors[learned], labels[learned]).predict(vectors[tested])
            scores.append(np.mean(labels[tested] == said))
    return float(np.mean(scores))


def probe(vectors: np.ndarray, labels: Sequence[str], words: Sequence[str], on_layer: Callable[[int], None] = lambda layer: None) -> dict[str, Any]:
    """vectors (layers, n, size), labels (n), words (n). Rows with NaN are left out.

    {"layers": [{"accuracy", "control", "selectivity"}], "majority": the share of the most frequent label, "labels": {label: how many},
    "types": how many words, "few": whether they are so few that the control is easy, "examples", "left_out", "control_by": BY_TYPE or
    BY_SENTENCE}. UserError where there is nothing to tell apart.
    """
    known = np.isfinite(vectors).all(axis=(0, 2))
    marks, mine = np.array(labels)[known], [word for word, good in zip(words, known, strict=True) if good]
    names, counts = np.unique(marks, return_counts=True)
    rare = set(names[counts < FEWEST].tolist())
    kept = np.array([mark not in rare for mark in marks], dtype=bool)
    if len(names) - len(rare) < 2:
        raise UserError(tr("A probe needs two labels with at least {fewest} examples each.", fewest=FEWEST), tr("Label more sentences."))
    marks, mine = marks[kept], [word for word, good in zip(mine, kept, strict=True) if good]
    controls = [control_labels(mine, marks, seed) for seed in range(CONTROLS)]
    folds = folds_of(marks)  # the control's too: where chance gives it a rarer label, it would learn from fewer examples than the probe
    made = []
    for number, layer in enumerate(vectors[:, known][:, kept]):
        on_layer(number)
        layer = layer.astype(np.float64)
        found = accuracy(layer, marks, folds=folds)
        control = float(np.mean([accuracy(layer, drawn, folds=folds) for drawn, _ in controls]))
        made.append({"accuracy": found, "control": control, "selectivity": found - control})
    names, counts = np.unique(marks, return_counts=True)
    types = len(set(mine))
    return {"layers": made, "majority": float(counts.max() / counts.sum()), "labels": dict(zip(names.tolist(), counts.tolist(), strict=True)),
            "types": types, "few": 1 < types < FEW_WORDS, "examples": len(marks), "left_out": int(len(known) - len(marks)),
            "control_by": controls[0][1]}


def probe_of_run(run: str, specimens: Sequence[Specimen], path: str = "", direction: str = BOTH, cancelled: Callable[[], bool] = lambda: False,
                 ) -> dict[str, Any]:
    """`probe` by the newest checkpoint ("step") on the labelled words of a file; without one, on the senses of the specimens."""
    from core.analysis.encode import word_vectors

    opened = Run.open(Path(run))
    examples = _examples(path, vectors_of.stamp(Path(path))) if path else [
        Example(word=item.word, text=item.text, label=item.sense, span=item.span) for item in specimens]
    if len(examples) > MOST:
        raise UserError(tr("There are {count:,} examples; a probe takes {most:,} at most.", count=len(examples), most=MOST),
                        tr("Give a smaller file."), where="path")
    step = vectors_of.newest_checkpoint(opened)
    loaded = vectors_of.loaded_of(opened, step)
    vectors = vectors_of.half_of(opened, word_vectors(loaded.encoder, loaded.family, loaded.tokenizer, examples), direction)
    return {**probe(vectors, [item.label for item in examples], [item.word for item in examples]), "step": step}


@lru_cache(maxsize=4)
def _examples(path: str, _changed: tuple[int, int]) -> list[Example]:
    return read_labelled(Path(path))
