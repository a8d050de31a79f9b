"""What a plain method makes of the same labels: TF-IDF of character n-grams and logistic regression (ridge regression for numbers)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

from core.registry import task
from core.tasks.labels import NUMBER, Labels
from core.tasks.task import Example

NGRAMS = (1, 2)
STRENGTH = 10.0  # inverse of the regularisation


def tfidf(name: str, train: Sequence[Example], dev: Sequence[Example], labels: Labels) -> dict[str, float] | None:
    """The task's measures on `dev`; None for a task that such a method does not apply to, or where `train` has one label only.

    A pair is described by |a - b| and a * b of the TF-IDF vectors of its texts.
    """
    if not task(name).tfidf:
        return None
    vectoriser = TfidfVectorizer(analyzer="char", ngram_range=NGRAMS, sublinear_tf=True)
    vectoriser.fit([text for example in train for text in example.texts])
    x, y = (_features(vectoriser, examples) for examples in (train, dev))
    if labels.kind == NUMBER:
        model = Ridge().fit(x, [float(example.label) for example in train])
        predictions = [{"value": float(value)} for value in model.predict(y)]
    else:
        names = [example.label for example in train]
        if len(set(names)) < 2:
            return None
        model = LogisticRegression(C=STRENGTH, max_iter=1000).fit(x, names)
        predictions = [{"label": str(label)} for label in model.predict(y)]
    return task(name).measure(predictions, dev, labels)


def _features(vectoriser: TfidfVectorizer, examples: Sequence[Example]) -> sparse.csr_matrix:
    columns = [vectoriser.transform([example.texts[place] for example in examples]) for place in range(len(examples[0].texts))]
    if len(columns) == 1:
        return columns[0]
    return sparse.hstack([np.abs(columns[0] - columns[1]), columns[0].multiply(columns[1])]).tocsr()
