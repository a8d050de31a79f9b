"""word2vec: its updates beside plain numpy, its draws beside their formulas, and what it learns from a small text."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numba
import numpy as np
import pytest
import torch

from core import config as configs
from core.errors import UserError
from core.families.word2vec import kernels
from core.families.word2vec.pretrain import Word2VecLearner
from core.text.corpus import Corpus, Split
from core.text.tokenizers import SPECIALS, UNK
from core.text.tokenizers.word import word_tokenizer

TOPICS = (("cat", "kitten", ["purrs", "miaows", "sleeps", "scratches", "milk", "fur", "whiskers"]),
          ("car", "auto", ["drives", "brakes", "wheel", "engine", "fuel", "road", "garage"]))


def make_split(documents: list[list[int]]) -> Split:
    tokens = np.array([token for document in documents for token in document], np.uint16)
    ends = np.cumsum([0, *map(len, documents)])
    return Split(tokens=tokens, sentences=ends, documents=np.arange(len(ends)), word_starts=np.ones(len(tokens), np.uint8))


def make_corpus(texts: list[str], valid: list[str] | None = None) -> Corpus:
    words = sorted({word for text in texts for word in text.split()})
    tokenizer = word_tokenizer([*SPECIALS, *words], lowercase=True)
    cut = [[[tokenizer.id(word) for word in text.split()] for text in part] for part in (texts, valid or texts[:10])]
    return Corpus(train=make_split(cut[0]), valid=make_split(cut[1]), tokenizer=tokenizer, path=Path())


def topics(count: int = 400) -> Corpus:
    """Sentences in which cat and kitten, car and auto stand in for one another."""
    rng = np.random.default_rng(0)
    texts = []
    for _ in range(count):
        *names, around = TOPICS[rng.integers(2)]
        left, right = rng.choice(around, 3), rng.choice(around, 3)
        texts.append(" ".join([*left, names[rng.integers(2)], *right]))
    return make_corpus(texts)


def make_learner(corpus: Corpus, **options: Any) -> Word2VecLearner:
    given = {"train.threads": 1, "model.dim": 20, "objective.sample": 0.0, "train.learning_rate": 0.1, **options}
    return Word2VecLearner(configs.build("word2vec", "quick", given), corpus, None)


def train(learner: Word2VecLearner, first: int, last: int, total: int) -> list[float]:
    return [learner.step(step, step / total).loss for step in range(first, last)]


# the updates

RATE = 1e-3  # so small that what is of second order in it does not show

def loss_of(v: np.ndarray, context: np.ndarray, outputs: list[int]) -> float:
    """Mikolov et al. 2013b, equation 4, with a minus before it."""
    signs = np.array([1.0, *[-1.0] * (len(outputs) - 1)])
    return float(np.log1p(np.exp(-signs * (context[outputs] @ v))).sum())


def numeric_gradient(function: Any, x: np.ndarray) -> np.ndarray:
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-5
        gradient[place] = (function(x + step) - function(x - step)) / 2e-5
    return gradient


def apply_update(kind: str, words: list[int], outputs: list[int], rate: float) -> SimpleNamespace:
    """One update, of the words but the last, which is the centre; tables before and after, and the loss it reports."""
    rng = np.random.default_rng(1)
    before = [(rng.normal(size=(12, 20)) / 2).astype(np.float32) for _ in range(2)]
    vectors, context = (table.copy() for table in before)
    losses = np.zeros(2)
    arguments = (vectors, context, np.array(words, np.int32), 0, len(words), len(words) - 1, np.array(outputs), len(outputs),
                 np.float32(rate), np.empty(len(outputs), np.float32), np.empty(20, np.float32), losses, True)
    if kind == "skip_gram":
        kernels.skip_gram_update(*arguments)
    else:
        kernels.cbow_update(*arguments, np.empty((1, 20), np.float32))
    return SimpleNamespace(before=[table.astype(np.float64) for table in before], after=[vectors, context], losses=losses)


# an even and an odd number of outputs, since they are taken by twos; and one that is drawn twice
@pytest.mark.parametrize("outputs", [[5, 3, 7, 9], [5, 3, 7], [5, 3, 3, 9], [5]])
def test_one_skip_gram_pair_steps_down_the_gradient(outputs: list[int]) -> None:
    rate, word = RATE, 2
    made = apply_update("skip_gram", [word, 5], outputs, rate)
    vectors, context = made.before

    # by hand: dL/dv = (s(v.c0) - 1) c0 + sum of s(v.ck) ck; dL/dc = (s(v.c) - label) v
    errors = 1 / (1 + np.exp(-context[outputs] @ vectors[word]))
    errors[0] -= 1
    by_hand_v, by_hand_c = errors @ context[outputs], np.zeros_like(context)
    np.add.at(by_hand_c, outputs, errors[:, None] * vectors[word])
    np.testing.assert_allclose(numeric_gradient(lambda v: loss_of(v, context, outputs), vectors[word]), by_hand_v, atol=1e-7)
    np.testing.assert_allclose(numeric_gradient(lambda c: loss_of(vectors[word], c, outputs), context), by_hand_c, atol=1e-7)

    expected = vectors.copy()
    expected[word] -= rate * by_hand_v
    np.testing.assert_allclose(made.after[0], expected, atol=1e-6)
    np.testing.assert_allclose(made.after[1], context - rate * by_hand_c, atol=1e-6)
    assert made.losses == pytest.approx([loss_of(vectors[word], context, outputs), 1], rel=1e-5)


def test_one_cbow_prediction_steps_down_the_gradient_of_the_mean() -> None:
    rate, words, outputs = RATE, [2, 4, 2, 5], [5, 3, 7, 9]
    made = apply_update("cbow", words, outputs, rate)
    vectors, context = made.before
    mean = vectors[words[:-1]].mean(0)
    for_mean = numeric_gradient(lambda v: loss_of(v, context, outputs), mean)
    for_context = numeric_gradient(lambda c: loss_of(mean, c, outputs), context)
    for_vectors = numeric_gradient(lambda v: loss_of(v[words[:-1]].mean(0), context, outputs), vectors)

    moved = vectors.copy()
    np.add.at(moved, words[:-1], -rate * for_mean)
    np.testing.assert_allclose(made.after[0], moved, atol=1e-6)
    np.testing.assert_allclose(made.after[1], context - rate * for_context, atol=1e-6)
    # the true gradient times the number of words
    np.testing.assert_allclose(moved - vectors, -rate * 3 * for_vectors, atol=1e-7)
    assert made.losses == pytest.approx([loss_of(mean, context, outputs), 1], rel=1e-5)


def test_the_words_of_a_window_learn_one_after_another() -> None:
    rate, words, outputs = 0.1, [2, 4, 5], [5, 3]
    made = apply_update("skip_gram", words, outputs, rate)
    vectors, context = (table.copy() for table in made.before)
    for word in words[:-1]:
        errors = 1 / (1 + np.exp(-context[outputs] @ vectors[word]))
        errors[0] -= 1
        change = errors @ context[outputs]
        context[outputs] -= rate * errors[:, None] * vectors[word]
        vectors[word] -= rate * change
    np.testing.assert_allclose(made.after[0], vectors, atol=1e-4)
    np.testing.assert_allclose(made.after[1], context, atol=1e-4)


def test_a_rate_of_zero_measures_and_changes_nothing() -> None:
    for kind in ("skip_gram", "cbow"):
        made = apply_update(kind, [2, 4, 5], [5, 3], 0.0)
        for before, after in zip(made.before, made.after, strict=True):
            np.testing.assert_array_equal(before.astype(np.float32), after)
        assert made.losses[1] == (2 if kind == "skip_gram" else 1)


def test_the_fast_sigmoid_is_close() -> None:
    x = np.linspace(-12, 12, 501, dtype=np.float32)
    made = np.array([kernels.sigmoid(value) for value in x])
    assert np.abs(made - 1 / (1 + np.exp(-x.astype(np.float64)))).max() < 2e-4


# what is drawn

def test_negatives_follow_the_unigram_distribution_to_the_power() -> None:
    counts = np.array([0, 0, 1000, 400, 90, 13, 2, 1, 0, 77])
    weights = np.where(counts > 0, counts**0.75, 0.0)
    threshold, other = kernels.alias_table(weights)
    chance = threshold.astype(np.float64) / 2**32
    implied = chance + np.bincount(other, weights=1 - chance, minlength=len(counts))
    np.testing.assert_allclose(implied / len(counts), weights / weights.sum(), atol=1e-8)
    assert not implied[counts == 0].any()

    outputs, state, target = np.zeros(2001, np.int64), np.uint64(7), 3
    drawn: list[int] = []
    for _ in range(20):
        state, count = kernels.draw_negatives(np.uint64(state), target, 2000, threshold, other, outputs)
        assert outputs[0] == target
        drawn += outputs[1:count].tolist()
    assert target not in drawn
    expected = np.where(np.arange(len(counts)) == target, 0, weights)
    np.testing.assert_allclose(np.bincount(drawn, minlength=len(counts)) / len(drawn), expected / expected.sum(), atol=0.01)


def test_subsampling_keeps_words_by_the_formula() -> None:
    counts, sample = np.array([0, 5000, 100, 4000, 1]), 1e-2
    share = counts[1:] / counts.sum()
    expected = np.minimum(np.sqrt(sample / share) + sample / share, 1)
    keep = kernels.keep_thresholds(counts, sample)
    np.testing.assert_allclose(keep / 2**32, [0, *expected], atol=1e-9)
    assert kernels.keep_thresholds(counts, 0.0).tolist() == [0, *[2**32] * 4]

    tokens = np.tile(np.arange(5, dtype=np.int32), 20_000)
    words = np.empty_like(tokens)
    _, count = kernels.kept_words(np.uint64(3), tokens, 0, len(tokens), keep, words)
    np.testing.assert_allclose(np.bincount(words[:count], minlength=5) / 20_000, [0, *expected], atol=0.015)


def test_windows_are_of_every_size_alike() -> None:
    sizes = [kernels.below(np.uint64(kernels.mix(np.uint64(number))), 5) for number in range(20_000)]
    np.testing.assert_allclose(np.bincount(sizes) / len(sizes), np.full(5, 0.2), atol=0.015)

    # a word in the middle of a long document has 2 * (1 + ... + 5) / 5 = 6 neighbours on the average
    learner = make_learner(make_corpus([" ".join(np.random.default_rng(0).choice(list("abcdefgh"), 20_000))]))
    _, pairs = learner._losses(learner._train, np.array([0]), 0, learner._keep)
    assert pairs / 20_000 == pytest.approx(6, rel=0.01)


def test_special_tokens_are_left_out_before_the_windows_are_laid() -> None:
    corpus = make_corpus(["a b", "a b"])
    a, b = corpus.train.tokens[:2].tolist()
    spread = dataclasses.replace(corpus, train=make_split([[a, *[UNK] * 20, b], [a, b]]))
    learner = make_learner(spread)
    assert learner._losses(learner._train, np.array([0]), 0, learner._keep)[1] == 2
    train(learner, 0, 2, 2)
    assert not learner.network().encoder.vectors[: len(SPECIALS)].any()
    assert not learner.network().encoder.context[: len(SPECIALS)].any()


# the learner

@pytest.mark.parametrize("objective", ["skip_gram", "cbow"])
def test_the_loss_falls_and_synonyms_come_near(objective: str) -> None:
    corpus = topics()
    learner = make_learner(corpus, **{"objective.objective": objective})
    before, total = learner.evaluate()["loss"], 6 * int(learner.steps_per_epoch)
    losses = train(learner, 0, total, total)
    assert losses[-1] < losses[0] - 0.2
    assert learner.evaluate()["loss"] < before - 0.5

    vectors = learner.network().encoder.vectors.numpy()
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    cat, kitten, car, auto = (unit[corpus.tokenizer.id(word)] for word in ("cat", "kitten", "car", "auto"))
    assert min(cat @ kitten, car @ auto) > max(cat @ car, cat @ auto, kitten @ car, kitten @ auto) + 0.3


@pytest.mark.parametrize("objective", ["skip_gram", "cbow"])
def test_one_thread_repeats_itself_and_goes_on_from_a_state_bit_for_bit(objective: str) -> None:
    options = {"objective.objective": objective, "objective.sample": 0.05}
    whole, other, resumed = (make_learner(topics(), **options) for _ in range(3))
    losses = train(whole, 0, 8, 8)
    assert losses[:4] == train(other, 0, 4, 8)
    state = other.state()
    assert set(state.model) == {"encoder.vectors", "encoder.context"}
    other.evaluate()
    train(other, 4, 6, 8)  # does not reach what was saved
    resumed.load_state(state)
    assert losses[4:] == train(resumed, 4, 8, 8)
    for name, tensor in whole.state().model.items():
        assert tensor.is_contiguous()
        np.testing.assert_array_equal(tensor.numpy(), resumed.state().model[name].numpy())
    assert whole.evaluate() == resumed.evaluate()


def test_another_seed_gives_another_run() -> None:
    first, second = (make_learner(topics(), **{"train.seed": seed}) for seed in (0, 1))
    assert train(first, 0, 2, 2) != train(second, 0, 2, 2)


def test_two_threads_draw_what_one_draws() -> None:
    one, two = (make_learner(topics(), **{"train.threads": threads}) for threads in (1, 2))
    step = np.arange(len(one._train.lengths))
    assert one._losses(one._train, step, 0, one._keep) == pytest.approx(two._losses(two._train, step, 0, two._keep))
    total = 6 * int(two.steps_per_epoch)
    assert train(two, 0, total, total)[-1] == pytest.approx(train(one, 0, total, total)[-1], abs=0.3)


def test_an_epoch_reads_every_document_once_in_an_order_of_its_own() -> None:
    learner = make_learner(topics(2000))
    steps = int(learner.steps_per_epoch)
    assert steps > 1
    orders = [[document for number in range(steps) for document in learner._documents_of(epoch, number)] for epoch in (0, 1)]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(2000))
    assert orders[0] != orders[1]
    tokens = [learner.step(step, 0.0).tokens for step in range(steps)]
    assert sum(tokens) == learner.tokens_per_epoch == 2000 * 7
    assert max(tokens) < 2 * min(tokens)


def test_the_learning_rate_falls_linearly() -> None:
    learner = make_learner(topics())
    rates = [learner.step(0, progress).learning_rate for progress in (0.0, 0.25, 1.0)]
    assert rates == pytest.approx([0.1, 0.075, 0.1 * 1e-4])


def test_the_network_shares_memory_with_what_is_trained() -> None:
    learner = make_learner(topics())
    encoder = learner.network().encoder
    before = encoder.vectors.clone()
    learner.step(0, 0.0)
    assert not before.equal(encoder.vectors)
    assert learner.parameters == sum(parameter.numel() for parameter in learner.network().parameters())


def test_the_model_gives_a_word_the_same_vector_everywhere() -> None:
    learner = make_learner(topics())
    output = learner.network().encoder(torch.tensor([[8, 9, 10], [10, 11, 8]]), output_hidden_states=True)
    assert output.last_hidden_state.shape == (2, 3, 20)
    assert len(output.hidden_states) == 1 and output.hidden_states[0] is output.last_hidden_state
    assert output.last_hidden_state[0, 2].equal(output.last_hidden_state[1, 0])


@pytest.mark.parametrize(("texts", "where"), [([], "files"), (["word"], "min_count"), (["word word word"], "min_count"),
                                              (["a", "b", "c"], "documents")])
def test_a_text_without_neighbours_is_refused(texts: list[str], where: str) -> None:
    with pytest.raises(UserError) as caught:
        make_learner(make_corpus(texts, valid=texts))
    assert caught.value.where == where and caught.value.hint


def test_a_validation_text_without_neighbours_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        make_learner(make_corpus(["a b c", "b c d"], valid=["a"]))
    assert caught.value.where == "valid_percent"


def test_a_learning_rate_that_bursts_the_vectors_is_told() -> None:
    learner = make_learner(topics(), **{"train.learning_rate": 1e14})
    with pytest.raises(UserError) as caught:
        train(learner, 0, 20, 20)
    assert caught.value.where == "learning_rate"


def test_presets_build_and_options_are_checked() -> None:
    for preset in ("quick", "quick_cbow", "small", "base"):
        config = configs.build("word2vec", preset)
        assert config.text.tokenizer == "word"
        assert config.train.learning_rate == (0.05 if config.objective.objective == "cbow" else 0.025)
    with pytest.raises(UserError) as caught:
        configs.build("word2vec", "quick", {"objective.objective": "skipgram"})
    assert caught.value.where == "objective" and "skip_gram" in caught.value.hint


def test_compiled_code_is_kept_in_the_home_unless_the_person_has_named_a_folder_or_nothing_can_be_written(
        own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    assert kernels._use_cache_folder() and str(own_home / "cache" / "numba") == numba.config.CACHE_DIR
    monkeypatch.setattr(numba.config, "CACHE_DIR", "mine")
    assert kernels._use_cache_folder() and numba.config.CACHE_DIR == "mine"
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(kernels.os, "access", lambda *_: False)
    assert not kernels._use_cache_folder() and not numba.config.CACHE_DIR
