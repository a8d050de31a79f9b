"""The measures, each against an implementation that is not ours, on 1,000 random cases."""

from __future__ import annotations

import collections
import random
import re
import string

import numpy as np
import pytest
from scipy import stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from core.analysis.evaluate import intervals
from core.tasks import baseline, metrics
from core.tasks.task import Example

CASES = 1000


def test_span_f1_is_seqevals() -> None:
    from seqeval.metrics import classification_report
    from seqeval.metrics.sequence_labeling import get_entities

    rng = random.Random(0)
    tags = ["O", *(f"{mark}-{kind}" for mark in "BIES" for kind in ("PER", "LOC", "X-Y"))]
    for case in range(CASES):
        used = tags if case % 2 else [tag for tag in tags if tag[0] in "OBI"]
        lengths = [rng.randint(1, 12) for _ in range(rng.randint(1, 3))]
        gold, said = ([[rng.choice(used) for _ in range(length)] for length in lengths] for _ in range(2))
        for row in gold:
            assert metrics.tag_spans(row) == get_entities(row)
        micro, types = metrics.span_f1(gold, said)
        theirs = classification_report(gold, said, output_dict=True, zero_division=0)
        assert micro["f1"] == pytest.approx(theirs["micro avg"]["f1-score"]) and micro["precision"] == pytest.approx(theirs["micro avg"]["precision"])
        for row in types:
            of_type = theirs.get(row["label"], dict.fromkeys(("precision", "recall", "f1-score", "support"), 0))
            assert [row[name] for name in ("precision", "recall", "f1", "support")] == pytest.approx(list(of_type.values()))


# the published script of SQuAD 1.1 (Rajpurkar et al. 2016), and what 2.0 adds for questions without an answer

def _normalize(text: str) -> str:
    text = "".join(character for character in text.lower() if character not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def _squad_f1(prediction: str, truth: str) -> float:
    one, other = _normalize(prediction).split(), _normalize(truth).split()
    if not one or not other:
        return float(one == other)
    same = sum((collections.Counter(one) & collections.Counter(other)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(one), same / len(other)
    return 2 * precision * recall / (precision + recall)


def test_answers_are_scored_as_squad_scores_them() -> None:
    rng = random.Random(0)
    words = ["the", "a", "cat", "Cat", "sat", "on", "mat.", "an", "(1906)", "U.S.", "", "  ", "don't", "x-y", "The"]
    for _ in range(CASES):
        prediction = " ".join(rng.choices(words, k=rng.randint(0, 5)))
        answers = [" ".join(rng.choices(words, k=rng.randint(0, 5))) for _ in range(rng.randint(1, 3))]
        assert metrics.exact_match(prediction, answers) == max(float(_normalize(prediction) == _normalize(answer)) for answer in answers)
        assert metrics.answer_f1(prediction, answers) == pytest.approx(max(_squad_f1(prediction, answer) for answer in answers))
    assert metrics.exact_match("", []) == metrics.answer_f1("", []) == 1.0
    assert metrics.exact_match("cat", []) == metrics.answer_f1("cat", []) == 0.0


def test_chinese_answers_are_compared_character_by_character() -> None:
    assert metrics.answer_tokens("《跑跑》 NBA球队，4分钟") == ["跑", "跑", "nba", "球", "队", "4", "分", "钟"]
    assert metrics.exact_match("踢爆。", ["踢爆"]) == 1.0
    assert metrics.answer_f1("将水泡踢爆", ["踢爆"]) == pytest.approx(2 * (2 / 5) * 1 / (2 / 5 + 1))


def test_labels_and_numbers_are_measured_as_elsewhere() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        count = int(rng.integers(2, 40))
        gold, said = (rng.choice(["a", "b", "c", "d"], count).tolist() for _ in range(2))
        labels = sorted({*gold, *said})
        assert metrics.macro_f1(gold, said) == pytest.approx(f1_score(gold, said, average="macro", zero_division=0))
        theirs = precision_recall_fscore_support(gold, said, labels=labels, zero_division=0)
        rows = metrics.per_class(gold, said)
        assert [row["label"] for row in rows] == labels
        assert np.allclose([[row[name] for row in rows] for name in ("precision", "recall", "f1", "support")], theirs)
        assert metrics.confusion(gold, said, labels).tolist() == confusion_matrix(gold, said, labels=labels).tolist()
        x, y = rng.integers(0, 6, count).astype(float), rng.normal(size=count)
        if np.ptp(x):
            assert metrics.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic)
            assert metrics.spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)
    assert metrics.pearson([1, 1], [1, 2]) == 0.0
    assert metrics.pearson([0.1] * 3, [1, 2, 4]) == metrics.pearson([1, 2, 4], [0.1] * 3) == 0.0, "the mean of 0.1 is another number"


def test_a_pair_is_described_alike_in_both_orders_and_otherwise_than_either_text() -> None:
    texts = (("吃苹果", "吃梨"), ("苹果", "苹果"))
    vectoriser = TfidfVectorizer(analyzer="char").fit([text for pair in texts for text in pair])
    as_given, turned = (baseline._features(vectoriser, [Example(line=1, texts=pair[::step], label="") for pair in texts]).toarray()
                        for step in (1, -1))
    assert (as_given == turned).all()
    size = as_given.shape[1] // 2
    assert (as_given[1, :size] == 0).all() and (as_given[1, size:] > 0).any()  # no difference, and all in common
    a, b = (vectoriser.transform([text]).toarray()[0] for text in texts[0])
    assert np.allclose(as_given[0], np.concatenate([abs(a - b), a * b]))


def test_the_intervals_of_a_measured_file_are_those_of_its_examples_drawn_again() -> None:
    rng = np.random.default_rng(0)
    gold = rng.choice(["a", "b", "c"], 60, p=[0.6, 0.3, 0.1])
    said = np.where(rng.random(60) < 0.6, gold, "a")
    drawn = [(gold[row].tolist(), said[row].tolist()) for row in rng.integers(0, 60, (400, 60))]
    found = intervals(gold.tolist(), said.tolist())
    for name, measure in (("accuracy", metrics.accuracy), ("macro_f1", metrics.macro_f1)):
        assert found[name] == pytest.approx(np.percentile([measure(*pair) for pair in drawn], [2.5, 97.5]), abs=0.04)
    assert found == intervals(gold.tolist(), said.tolist()), "seeded"
    assert intervals([1, 1], [1, 1])["accuracy"] == (1, 1)
