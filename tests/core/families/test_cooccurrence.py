"""Token vectors that begin with what stands near what: counted right, alike for tokens with like neighbours, and used where asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core import config
from core.families import cooccurrence
from core.families.transformer import TOKEN_SCALE
from core.registry import family, load
from tests.helpers.tiny_corpus import make_corpus, make_split

VOCAB = 40
FRUIT, PHONE, OTHER = (10, 11), (12, 13), (14, 15)  # each pair stands in the same surroundings
SURROUNDINGS = {FRUIT: (20, 21, 22), PHONE: (23, 24, 25), OTHER: (26, 27, 28)}


def split_of_pairs(seed: int = 0) -> object:
    """Sentences of three tokens: a word between two of its surroundings."""
    rng = np.random.default_rng(seed)
    sentences = []
    for _ in range(600):
        pair = (FRUIT, PHONE, OTHER)[rng.integers(3)]
        near = SURROUNDINGS[pair]
        sentences.append([int(rng.choice(near)), int(rng.choice(pair)), int(rng.choice(near))])
    return make_split([sentences[start : start + 3] for start in range(0, len(sentences), 3)])


def test_counts_are_those_of_a_loop_over_all_pairs() -> None:
    documents = [[[10, 11, 12, 10, 13, 14], [11, 11, 15]], [[12, 10, 11]]]
    counted = cooccurrence._counts(make_split(documents), VOCAB).toarray()
    expected = np.zeros((VOCAB, VOCAB))
    for sentence in (tokens for document in documents for tokens in document):
        for i, one in enumerate(sentence):
            for j, other in enumerate(sentence):
                if 0 < abs(i - j) <= cooccurrence.WINDOW:
                    expected[one, other] += 1 / abs(i - j)
    np.testing.assert_allclose(counted, expected, atol=1e-12)


def test_tokens_with_like_neighbours_begin_alike() -> None:
    vectors = cooccurrence.cooccurrence_vectors(split_of_pairs(), VOCAB, 16)
    cosine = vectors @ vectors.T
    for pair in SURROUNDINGS:
        others = [token for other in SURROUNDINGS if other != pair for token in other]
        assert cosine[pair[0], pair[1]] > 0.8 > 0.3 > cosine[pair[0], others].max(), pair
    used = sorted({token for pair, near in SURROUNDINGS.items() for token in (*pair, *near)})
    assert np.allclose(np.linalg.norm(vectors[used], axis=1), 1, atol=1e-5)
    assert not np.delete(vectors, used, axis=0).any()


def test_the_same_seed_gives_the_same_vectors() -> None:
    one, same, other = (cooccurrence.cooccurrence_vectors(split_of_pairs(), VOCAB, 16, seed) for seed in (3, 3, 4))
    assert one.tobytes() == same.tobytes()
    assert not np.allclose(one, other)


def test_a_text_of_one_token_sentences_has_no_neighbours() -> None:
    assert not cooccurrence.cooccurrence_vectors(make_split([[[10], [11]], [[12]]]), VOCAB, 16).any()


@pytest.mark.parametrize(("name", "place"), [("bert", "token_embedding"), ("gpt", "token_embedding"), ("elmo", "embedding")])
def test_the_quick_presets_begin_so_and_the_others_at_random(name: str, place: str) -> None:
    sizes = {"model.hidden_size": 16, "train.seq_len": 8, "train.batch_size": 2} | ({} if name == "elmo" else {"model.num_heads": 2})
    corpus = make_corpus(split_of_pairs(), vocab_size=VOCAB)
    tables = {}
    for start in ("random", "cooccurrence"):
        torch.manual_seed(0)
        made = load(family(name).pretrain)(config.build(name, "quick", {**sizes, "objective.first_vectors": start}), corpus)
        tables[start] = getattr(made.network.encoder, place).weight.detach().numpy()
    assert config.build(name, "quick").objective.first_vectors == "cooccurrence"
    assert config.build(name, "base").objective.first_vectors == "random"
    changed = (tables["random"] != tables["cooccurrence"]).any(axis=1)
    assert sorted(np.flatnonzero(changed)) == sorted({token for pair, near in SURROUNDINGS.items() for token in (*pair, *near)})
    scale = 16**-0.5 if name == "elmo" else TOKEN_SCALE
    assert np.allclose(np.sqrt((tables["cooccurrence"][changed] ** 2).mean(axis=1)), scale, atol=1e-5)
