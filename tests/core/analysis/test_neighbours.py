"""Nearest words and analogies on vectors whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.neighbours import neighbours, neighbours_of_run
from core.config import TextConfig
from core.errors import UserError
from core.text.tokenizers import SPECIALS, Tokenizer, bpe
from core.text.tokenizers.word import word_tokenizer

WORDS = ["king", "queen", "man", "woman", "apple", "unlearnt", "Apfelbaum"]
# axes: royal, female, fruit
PLACES = [[2, 0, 0], [2, 1, 0], [0.5, 0, 0.1], [0.5, 1, 0.1], [0, 0, 3], [0, 0, 0], [0, 0.1, 1]]


@pytest.fixture
def tokenizer() -> Tokenizer:
    return word_tokenizer([*SPECIALS, *WORDS], lowercase=False)


@pytest.fixture
def vectors() -> np.ndarray:
    return np.array([[1, 1, 1]] * len(SPECIALS) + PLACES, np.float32)


def test_neighbours_are_ordered_by_cosine(vectors: np.ndarray, tokenizer: Tokenizer) -> None:
    found = neighbours(vectors, tokenizer, "king", k=3)
    cosines = {word: place[0] / np.linalg.norm(place) for word, place in zip(WORDS, PLACES, strict=True) if any(place)}
    assert [word for word, _ in found] == ["man", "queen", "woman"]
    assert [cosine for _, cosine in found] == pytest.approx([cosines[word] for word, _ in found])


def test_length_does_not_matter(vectors: np.ndarray, tokenizer: Tokenizer) -> None:
    scaled = vectors * np.arange(1, len(vectors) + 1, dtype=np.float32)[:, None]
    for (word, cosine), (other, same) in zip(neighbours(vectors, tokenizer, "apple"), neighbours(scaled, tokenizer, "apple"), strict=True):
        assert word == other and cosine == pytest.approx(same, abs=1e-6)


def test_neither_the_word_nor_special_tokens_nor_empty_vectors_are_neighbours(vectors: np.ndarray, tokenizer: Tokenizer) -> None:
    found = {word for word, _ in neighbours(vectors, tokenizer, "apple", k=100)}
    assert found == set(WORDS) - {"apple", "unlearnt"}


def test_a_run_is_asked_at_the_step_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Enough(Exception):
        pass

    def load(_run: object, step: int | None) -> None:
        raise Enough(step)

    monkeypatch.setattr("core.analysis.neighbours.load", load)
    for step in (7, None):
        with pytest.raises(Enough, match=str(step)):
            neighbours_of_run(None, "king", 2, step)


@pytest.mark.parametrize(("word", "named"), [("kin", "king"), ("qween", "queen"), ("womans", "woman"), ("Apfel", "Apfelbaum")])
def test_an_unknown_word_names_similar_ones(vectors: np.ndarray, tokenizer: Tokenizer, word: str, named: str) -> None:
    with pytest.raises(UserError) as caught:
        neighbours(vectors, tokenizer, word)
    assert word in caught.value.message and named in caught.value.hint and caught.value.where == "word"


@pytest.mark.parametrize("word", ["", "[UNK]", "unlearnt", "苹果"])
def test_what_has_no_vector_is_refused(vectors: np.ndarray, tokenizer: Tokenizer, word: str) -> None:
    with pytest.raises(UserError) as caught:
        neighbours(vectors, tokenizer, word)
    assert caught.value.hint


def test_case_follows_the_tokenizer(vectors: np.ndarray) -> None:
    tokenizer = word_tokenizer([*SPECIALS, *map(str.lower, WORDS)], lowercase=True)
    assert neighbours(vectors, tokenizer, "King") == neighbours(vectors, tokenizer, "king")


def test_byte_pair_encoding_knows_a_word_by_its_usual_token() -> None:
    texts = ["the garden apple"] * 4 + ["apple in the garden", "苹果很甜", "苹果 很甜", "the 苹果"] * 2
    tokenizer = bpe.train(TextConfig(tokenizer="bpe", min_count=1, vocab_size=400), texts)
    vectors = np.random.default_rng(0).normal(size=(tokenizer.vocab_size, 8)).astype(np.float32)
    assert None not in map(tokenizer.id, (" garden", "apple", " apple", "苹果", " 苹果")) and tokenizer.id("garden") is None
    for word, token in (("garden", " garden"), ("apple", " apple"), ("苹果", "苹果")):
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        (_, cosine), = neighbours(vectors, tokenizer, word, k=1)
        assert cosine == pytest.approx(np.sort(unit[len(SPECIALS):] @ unit[tokenizer.id(token)])[-2], abs=1e-6), word
    with pytest.raises(UserError) as caught:
        neighbours(vectors, tokenizer, "gardens")
    assert "garden" in caught.value.hint and "  " not in caught.value.hint
