"""What ships: enough words, sentences and specimens, balanced, never in the training text; and the hard ones are hard."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from core import config, runs
from core.analysis import encode, senses
from core.text import builtin, segment
from core.text.grammar import Grammar, load_grammar
from core.text.specimens import PLACES
from core.train import worker

STARS = {"zh": "苹果", "en": "apple"}
BAG_LIMIT = 0.65
WORDS = [(language, word) for language in ("zh", "en") for word in builtin.words(language)]


@cache
def training_text(language: str) -> str:
    return "\n".join(builtin.documents(language)).lower()


@cache
def grammars(language: str) -> list[Grammar]:
    return [load_grammar(path) for path in sorted((builtin.RESOURCES / language / "grammar").glob("*.json"))]


@cache
def hand_written(language: str) -> int:
    files = (builtin.RESOURCES / language / "sentences").glob("*.txt")
    return sum(len(segment.sentences(line)) for path in files for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


def test_words_and_sentences_are_as_many_as_promised() -> None:
    assert len(builtin.words("zh")) >= 20 and len(builtin.words("en")) >= 10
    assert hand_written("zh") + hand_written("en") >= 2000
    for language in ("zh", "en"):
        made = sum(len(segment.sentences(document)) for document in builtin.documents(language))
        assert made >= 20_000, language


@pytest.mark.parametrize(("language", "word"), WORDS)
def test_specimens_are_enough_balanced_and_unseen(language: str, word: str) -> None:
    specimens = builtin.specimens(language, word)
    star = word == STARS["zh"]
    assert len(specimens) >= (100 if star else 30)
    assert sum(item.hard for item in specimens) >= (40 if star else 10)
    assert len({item.text for item in specimens}) == len(specimens)
    counts = Counter(item.sense for item in specimens)
    assert len(counts) >= 2 and len(set(counts.values())) == 1
    hard = Counter(item.sense for item in specimens if item.hard)
    assert len(set(hard.values())) == 1 and set(hard) == set(counts)
    for item in specimens:
        assert item.text.lower() not in training_text(language), item.text
        assert item.text.lower().rstrip("。！？.!?") not in training_text(language), item.text
        assert not any(grammar.can_produce(item.text) for grammar in grammars(language)), item.text
    # Where the word stands must not give its sense away, among the hard ones neither.
    places = Counter((item.sense, item.place) for item in specimens)
    hard_places = Counter((item.sense, item.place) for item in specimens if item.hard)
    for place in PLACES:
        assert len({places[sense, place] for sense in counts}) == 1, (place, places)
        assert len({hard_places[sense, place] for sense in counts}) == 1, (place, hard_places)
        assert min(places[sense, place] for sense in counts) >= 0.1 * min(counts.values()), (place, places)


def test_a_grammar_knows_what_it_can_produce() -> None:
    grammar = next(grammar for grammar in grammars("zh") if grammar.word == "苹果")
    for document in grammar.documents(20, seed=5):
        assert grammar.can_produce(document)
        assert not grammar.can_produce(document + "没有这句话。")


@pytest.fixture(scope="module", params=["zh", "en"])
def word2vec_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> encode.Loaded:
    """Static vectors of the built-in text: what the bag of context is made of."""
    home = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(runs.HOME_VARIABLE, str(home))
        patch.setattr(worker, "_listen", lambda: lambda: False)
        run = runs.Run.create(config.build("word2vec", "quick", {"corpus": request.param, "threads": 1, "probes": 0}), Path(home / "run"))
        assert worker.work(run.path) == 0
    return encode.load(run)


def test_the_bag_of_context_fails_on_the_hard_specimens(word2vec_run: encode.Loaded) -> None:
    language = word2vec_run.config.text.corpus
    found = {}
    for word in builtin.words(language):
        specimens = builtin.specimens(language, word)
        bag = senses.bag_of_context(word2vec_run.tokenizer, encode.static_vectors(word2vec_run), specimens)
        labels = np.array([item.sense for item in specimens])
        measured = senses.measure(bag, labels, np.array([item.hard for item in specimens]))
        found[word] = measured.centroid_accuracy
    assert max(found.values()) < BAG_LIMIT, {word: round(value, 3) for word, value in found.items() if value >= BAG_LIMIT}


def test_word2vec_keeps_one_vector_for_a_word_whatever_the_sentence(word2vec_run: encode.Loaded) -> None:
    language = word2vec_run.config.text.corpus
    measured = senses.report(word2vec_run, builtin.specimens(language, STARS[language]))
    assert [layer.all.auc for layer in measured.layers] == [0.5] * len(measured.layers)
    assert measured.left_out == 0
