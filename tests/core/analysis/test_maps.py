"""What the map shows is so in the full space: neighbours, analogies, axes and clusters against plain numpy; bad vectors are refused in a sentence."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core.analysis import embeddings, maps
from core.analysis.corpus_words import find_first
from core.config import TextConfig
from core.errors import UserError
from core.exchange.vectors import projector
from core.vector_source import VectorSource
from tests.helpers.saved import saved_run

COUNT = 300


@pytest.fixture
def vectors(own_home, tmp_path) -> tuple[VectorSource, np.ndarray]:
    """A file of 300 vectors in three clouds; row 3 is NaN, row 4 zero."""
    random = np.random.default_rng(0)
    x = (random.normal(size=(3, 16))[np.arange(COUNT) % 3] * 6 + random.normal(size=(COUNT, 16))).astype(np.float32)
    x[3], x[4] = np.nan, 0
    np.save(tmp_path / "x.npy", x)
    (tmp_path / "x.txt").write_text("\n".join(f"w{row}" for row in range(COUNT)), encoding="utf-8")
    return VectorSource(kind="file", path=str(tmp_path / "x.npy")), x


def test_it_says_what_the_vectors_are(vectors):
    opened = embeddings.open_source(vectors[0])
    assert (opened["count"], opened["size"], opened["nan"], opened["zero"], opened["same"]) == (COUNT, 16, 1, 1, False)
    assert opened["words"][7] == "w7"
    assert "rank" not in opened["columns"] and opened["columns"]["row"][7] == 8  # nobody knows by what a file is ordered
    assert opened["columns"]["length"][7] == pytest.approx(np.linalg.norm(vectors[1][7]), rel=1e-5)


@pytest.mark.parametrize(("tokenizer", "column"), [("char", "rank"), ("bpe", "row")])
def test_only_characters_and_words_stand_in_the_order_of_their_frequency(tmp_path, tokenizer, column):
    run = saved_run(tmp_path / "run", tokenizer=tokenizer)
    columns = embeddings.open_source(VectorSource(kind="vocabulary", path=str(run.path)))["columns"]
    assert {"rank", "row"} & set(columns) == {column}


@pytest.mark.parametrize("measure", ["cosine", "euclid"])
def test_neighbours_are_those_of_the_full_space(vectors, measure):
    source, x = vectors
    found = maps.neighbours(source, 10, measure, 12)
    if measure == "cosine":
        with np.errstate(invalid="ignore"):
            far = 1 - x @ x[10] / np.linalg.norm(x, axis=1) / np.linalg.norm(x[10])
    else:
        far = np.linalg.norm(x - x[10], axis=1)
    far[10] = np.nan
    order = np.argsort(np.where(np.isnan(far), np.inf, far))[:12]
    assert found["rows"].tolist() == order.tolist()
    assert np.allclose(found["distances"], far[order], atol=1e-5)
    with pytest.raises(UserError):
        maps.neighbours(source, 3, measure)


def test_an_analogy_leaves_its_three_words_out(vectors):
    source, x = vectors
    found = maps.analogy(source, 0, 1, 2, "euclid", 5)
    far = np.linalg.norm(x - (x[1] - x[0] + x[2]), axis=1)
    far[[0, 1, 2, 3]] = np.inf
    assert found["rows"].tolist() == np.argsort(far)[:5].tolist()
    with pytest.raises(UserError):
        maps.analogy(source, 0, 3, 2, "euclid")


def test_an_axis_leads_from_word_to_word(vectors):
    source, x = vectors
    xy = maps.axes(source, [(0, 1), (2, 5)], "euclid")["xy"]
    assert np.allclose(xy[[0, 1], 0], [0, 1], atol=1e-5)
    assert np.allclose(xy[[2, 5], 1], [0, 1], atol=1e-5)
    way = x[1] - x[0]
    assert np.allclose(xy[9, 0], (x[9] - x[0]) @ way / (way @ way), atol=1e-5)
    assert np.isnan(xy[3]).all()
    single = maps.axes(source, [(0, 1)], "euclid")["xy"]
    good = np.isfinite(single).all(axis=1)
    assert single[good, 1].std() > 0
    with pytest.raises(UserError):
        maps.axes(source, [(0, 0)], "cosine")
    with pytest.raises(UserError):
        maps.axes(source, [(0, 3)], "cosine")


@pytest.mark.parametrize("method", ["kmeans", "hdbscan"])
def test_clusters_are_the_clouds(vectors, method):
    from sklearn.metrics import adjusted_rand_score

    source, _ = vectors
    found = maps.clusters(source, method, "euclid", k=3)
    known = np.setdiff1d(np.arange(COUNT), [3, 4])
    assert found["labels"][3] == -1
    assert adjusted_rand_score(known % 3, found["labels"][known]) > 0.95
    assert found["sizes"] == sorted(found["sizes"], reverse=True)
    part = np.arange(0, COUNT, 2)
    of_some = maps.clusters(source, method, "cosine", part, k=3)["labels"]
    assert (of_some[1::2] == -1).all()


def test_a_picture_is_made_once_and_only_when_asked_for(vectors):
    source, _ = vectors
    assert maps.project(source, "pca", 2, "cosine", known_only=True) == {}
    made = maps.project(source, "pca", 2, "cosine")
    again = maps.project(source, "pca", 2, "cosine", known_only=True)
    assert np.array_equal(made["xy"], again["xy"], equal_nan=True)
    assert np.flatnonzero(np.isnan(made["xy"]).any(axis=1)).tolist() == [3, 4]  # a zero vector has no direction
    some = maps.project(source, "pca", 3, "euclid", np.array([0, 5, 8, 9]))["xy"]
    assert np.flatnonzero(np.isfinite(some).all(axis=1)).tolist() == [0, 5, 8, 9]


def test_a_descent_goes_on_from_call_to_call_and_its_picture_is_kept(vectors, monkeypatch):
    """By a clock that passes a second with every look at it: the four seconds of a call are over after five iterations."""
    source, _ = vectors
    clock = count()
    monkeypatch.setattr(maps, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    options, told, calls = {"iterations": 40}, [], 0
    while True:
        found = maps.descend(source, 2, "euclid", options=options, seconds=4, on_progress=lambda number, xy, _: told.append((number, xy is None)))
        calls += 1
        if found["done"]:
            break
    assert [number for number, early in told if not early] == list(range(1, 41))
    assert calls == 8
    kept = maps.project(source, "tsne", 2, "euclid", options=options, known_only=True)["xy"]
    assert np.array_equal(kept, found["xy"], equal_nan=True)
    maps._descents.clear()
    assert maps.descend(source, 2, "euclid", options=options, cancelled=lambda: True) == {}


def test_the_badge_of_a_true_picture_is_better_than_that_of_a_random_one(vectors):
    source, _ = vectors
    picture = maps.project(source, "pca", 2, "euclid")["xy"]
    good = maps.badge(source, "euclid", picture)
    random = np.random.default_rng(1).normal(size=picture.shape).astype(np.float32)
    bad = maps.badge(source, "euclid", random)
    assert good["points"] == COUNT - 1
    assert good["exact"]
    assert good["trustworthiness"] > 0.8
    assert bad["trustworthiness"] < 0.6
    assert bad["recall"] < good["recall"]


@pytest.mark.parametrize(("x", "sentence"), [(np.full((9, 4), np.nan), "No vector"), (np.ones((9, 4)), "the same"), (np.ones((1, 4)), "at least")])
def test_vectors_of_which_no_picture_can_be_made_are_refused(own_home, tmp_path, x, sentence):
    np.save(tmp_path / "x.npy", x.astype(np.float32))
    (tmp_path / "x.txt").write_text("\n".join(f"w{row}" for row in range(len(x))), encoding="utf-8")
    source = VectorSource(kind="file", path=str(tmp_path / "x.npy"))
    with pytest.raises(UserError, match=sentence):
        maps.project(source, "umap", 2, "euclid")
    with pytest.raises(UserError):
        maps.clusters(source, "kmeans", "euclid")


def test_all_occurrences_are_found_with_their_sentences(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("苹果和苹果汁。我吃苹果。\n没有。\nAn Apple, apples and an apple.", encoding="utf-8")
    found, total = find_first(TextConfig(files=(str(text),)), ["苹果", "苹果汁", "apple"], 9, lambda *_: None, lambda: False)
    assert [(item.word, item.text[slice(*item.span)]) for item in found] == [
        ("苹果", "苹果"), ("苹果汁", "苹果汁"), ("苹果", "苹果"), ("apple", "Apple"), ("apple", "apple")]
    assert total == 5 and found[2].text == "我吃苹果。"
    with pytest.raises(UserError):
        find_first(TextConfig(files=(str(text),)), ["香蕉"], 9, lambda *_: None, lambda: False)


def test_beyond_the_most_that_are_kept_occurrences_are_counted(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("苹果和苹果。\n" * 50, encoding="utf-8")
    config = TextConfig(files=(str(text),))
    found, total = find_first(config, ["苹果"], 7, lambda *_: None, lambda: False)
    assert (found, total) == (find_first(config, ["苹果"], 100, lambda *_: None, lambda: False)[0][:7], 100)


@pytest.fixture
def occurrences(own_home, tmp_path) -> tuple[VectorSource, Path]:
    """Of a word in the text of a run, and that text."""
    run = saved_run(tmp_path / "run")
    source = VectorSource(kind="occurrences", path=str(run.path), words=("苹果",))
    Path(run.config.text.files[0]).write_text("我吃苹果。\n店员看苹果的发布会。\n" * 5, encoding="utf-8")
    return source, Path(run.config.text.files[0])


def test_a_map_of_some_occurrences_says_of_how_many(occurrences, monkeypatch):
    monkeypatch.setattr(embeddings, "MOST", 4)
    told = []
    opened = embeddings.open_source(occurrences[0], lambda words, done, total: told.append(words))
    assert (opened["count"], opened["total"]) == (4, 10)
    assert told[-1] == "The text holds 10; the first 4 were taken."


def test_occurrences_are_found_again_and_laid_out_again_once_the_text_has_changed(occurrences):
    source, text = occurrences
    before = embeddings.open_source(source)
    maps.project(source, "pca", 2, "cosine")
    text.write_text("医生买了苹果。\n" + text.read_text(encoding="utf-8"), encoding="utf-8")
    assert maps.project(source, "pca", 2, "cosine", known_only=True) == {}
    opened = embeddings.open_source(source)
    assert (before["count"], opened["count"], opened["total"]) == (10, 11, 11) and opened["texts"][0] == "医生买了苹果。"
    assert len(maps.project(source, "pca", 2, "cosine")["xy"]) == 11


def test_a_folder_of_vectors_that_was_written_over_in_place_is_another(own_home, tmp_path):
    source = VectorSource(kind="file", path=str(tmp_path / "p"))
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    projector.save(tmp_path / "p", list("abcde"), x)
    before = embeddings.open_source(source)["stamp"]
    maps.project(source, "pca", 2, "cosine")
    seen = (tmp_path / "p").stat()
    (tmp_path / "p" / "metadata.tsv").write_text("one\ntwo\nthree\nfour\nfive\n", encoding="utf-8")
    assert (tmp_path / "p").stat().st_mtime_ns == seen.st_mtime_ns  # the folder's own time stays
    opened = embeddings.open_source(source)
    assert opened["words"] == ["one", "two", "three", "four", "five"] and opened["stamp"] != before
    assert maps.project(source, "pca", 2, "cosine", known_only=True) == {}


def test_a_source_survives_its_words(tmp_path):
    source = VectorSource(kind="occurrences", path="run", words=("苹果", "三星"), layer=2)
    assert VectorSource.from_json(source.to_json()) == source
    assert VectorSource.from_json("{") is None
    assert VectorSource.from_json('{"kind": "else", "path": ""}') is None
    with pytest.raises(UserError):
        VectorSource(kind="occurrences", path="run")


def test_counts_are_those_of_the_training_text(tmp_path, own_home):
    from core.text import corpus
    from core.text.tokenizers import SPECIALS
    from tests.helpers.runs import make_run

    run = make_run(tmp_path / "runs", "word2vec")
    made = corpus.prepare(run.config.text, own_home / "cache")
    made.tokenizer.save(run.tokenizer_path)
    counted = embeddings.counts(VectorSource(kind="vocabulary", path=str(run.path)))
    tokens = np.bincount(made.train.tokens, minlength=made.tokenizer.vocab_size)[len(SPECIALS) :]
    assert counted.tolist() == tokens.tolist()
    assert counted[made.tokenizer.id("苹果") - len(SPECIALS)] > 100


@pytest.mark.parametrize(("word", "script"), [
    ("苹果", "han"), ("apple", "latin"), ("don't", "latin"), ("苹果2", "mixed"), ("42", "digits"), ("カメラ", "other"), ("…", "signs"),
    (" ", "signs")])
def test_a_word_is_known_by_its_script(word, script):
    assert embeddings.script(word) == script
