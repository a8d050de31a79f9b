"""The linear probe beside its control task, the curves over the layers, and proposed senses."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from core import config, runs
from core.analysis import embeddings, find, layers, occurrences, probe, senses
from core.config import TextConfig
from core.errors import UserError
from core.exchange.vectors import exports as vector_exports
from core.runs import Run
from core.text.specimens import Specimen, read_specimens
from core.train import worker
from core.vector_source import OCCURRENCES, VOCABULARY, VectorSource
from tests.helpers.runs import make_run
from tests.helpers.saved import saved_run


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(worker, "_listen", lambda: lambda: False)
    run = make_run(tmp_path, "bert", steps=4)
    assert worker.work(run.path) == 0
    return run


def of(run: Run) -> list[Specimen]:
    return read_specimens(run.specimens_path)


# the probe

def test_what_the_vectors_hold_is_found_and_what_is_learned_by_heart_is_told_apart() -> None:
    rng = np.random.default_rng(0)
    words = [f"word {number}" for number in range(40) for _ in range(5)]
    labels = np.array([["noun", "verb"][number % 2] for number in range(40) for _ in range(5)])
    noise = rng.normal(size=(200, 10))
    holds = noise + 3 * (labels == "noun")[:, None] * np.eye(10)[0]
    by_heart = np.repeat(rng.normal(size=(40, 60)), 5, axis=0) * 3 + rng.normal(size=(200, 60)) * 0.1  # knows the word and nothing else
    found = probe.probe(np.stack([np.pad(noise, ((0, 0), (0, 50))), np.pad(holds, ((0, 0), (0, 50))), by_heart]), labels, words)
    chance, knows, heart = found["layers"]
    assert chance["accuracy"] < 0.65 and knows["accuracy"] > 0.9 and knows["control"] < 0.7 and knows["selectivity"] > 0.25
    assert heart["accuracy"] > 0.9 and heart["control"] > 0.9 and abs(heart["selectivity"]) < 0.1
    assert found["control_by"] == probe.BY_TYPE and found["types"] == 40 and found["majority"] == 0.5
    assert found["labels"] == {"noun": 100, "verb": 100}


def test_a_probe_is_asked_about_what_it_has_not_seen_and_every_number_counts_alike() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat(["a", "b"], 20)
    assert probe.accuracy(rng.normal(size=(40, 200)), labels) < 0.8  # it could learn these by heart
    small = np.stack([(labels == "a") * 1e-3, rng.normal(size=40) * 1e3], axis=1)
    assert probe.accuracy(small, labels) == 1.0


def test_the_control_is_the_mean_of_several_drawings_and_the_majority_that_of_the_labels() -> None:
    rng = np.random.default_rng(2)
    labels = np.array(["a"] * 30 + ["b"] * 10)
    words = [f"w{number % 8}" for number in range(40)]
    vectors = rng.normal(size=(1, 40, 6))
    found = probe.probe(vectors, labels, words)
    drawn = [probe.accuracy(vectors[0], probe.control_labels(words, labels, seed)[0]) for seed in range(probe.CONTROLS)]
    assert len(set(drawn)) > 1 and found["layers"][0]["control"] == pytest.approx(np.mean(drawn))
    assert found["majority"] == 0.75


def test_the_control_learns_from_as_many_examples_as_the_probe_though_chance_makes_a_label_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    words = [f"w{number}" for number in range(30) for _ in range(3)]
    labels = np.array(["a", "b"] * 45)
    by_heart = np.repeat(rng.normal(size=(30, 60)), 3, axis=0)
    drawn = np.repeat(rng.choice(["a", "b"], 30), 3)
    drawn[0] = "once"
    monkeypatch.setattr(probe, "control_labels", lambda words, labels, seed: (drawn, probe.BY_TYPE))
    assert probe.probe(by_heart[None], labels, words)["layers"][0]["control"] > 0.9


def test_a_label_that_one_example_has_is_no_hole_in_the_figures() -> None:
    rng = np.random.default_rng(0)
    labels = np.array(["a"] * 9 + ["b"])
    assert probe.accuracy(rng.normal(size=(10, 4)), labels) == pytest.approx(0.9)  # of two folds one learns from "a" alone
    words = ["x"] * 20 + ["y"]  # in the control "y" may be all that has its label
    layer, = probe.probe(rng.normal(size=(1, 21, 8)), [*["a", "b"] * 10, "a"], words)["layers"]
    assert np.isfinite(list(layer.values())).all()


def test_the_control_gives_each_word_one_label_as_often_as_the_real_ones() -> None:
    words = [f"w{number % 50}" for number in range(500)]
    labels = np.array(["a"] * 400 + ["b"] * 100)
    drawn, by = probe.control_labels(words, labels, seed=1)
    assert by == probe.BY_TYPE and all(len({drawn[place] for place in range(500) if words[place] == word}) == 1 for word in set(words))
    shares = [np.mean(probe.control_labels(words, labels, seed)[0] == "a") for seed in range(40)]
    assert np.mean(shares) == pytest.approx(0.8, abs=0.03)
    shuffled, by = probe.control_labels(["x"] * 500, labels, seed=1)
    assert by == probe.BY_SENTENCE and sorted(shuffled) == sorted(labels) and not np.array_equal(shuffled, labels)


def test_rows_without_a_vector_and_labels_with_one_example_are_left_out() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(1, 22, 4))
    vectors[0, 3] = np.nan
    found = probe.probe(vectors, ["a"] * 10 + ["b"] * 11 + ["rare"], [str(number % 4) for number in range(22)])
    assert found["left_out"] == 2 and found["labels"] == {"a": 9, "b": 11}
    with pytest.raises(UserError, match="two labels"):
        probe.probe(vectors, ["a"] * 21 + ["b"], ["x"] * 22)


def test_a_labelled_file_is_read_or_its_fault_named(tmp_path: Path) -> None:
    path = tmp_path / "pos.tsv"

    def read(text: str) -> list[probe.Example]:
        path.write_text(text, encoding="utf-8")
        return probe.read_labelled(path)

    assert [item.label for item in read("word\ttext\tPOS\n苹果\t我吃苹果\tnoun\n吃\t我吃苹果\tverb\n")] == ["noun", "verb"]
    for text, words in (("a\tb\n", "no column word, text, label"), ("word\ttext\tlabel\n苹果\t我吃梨\tnoun\n", "line 2: the word '苹果' is not"),
                        ("word\ttext\tlabel\n苹果\t我吃苹果\t\n", "line 2: word, text or label is empty"), ("word\ttext\tlabel\n", "no examples")):
        with pytest.raises(UserError, match=words):
            read(text)
    csv.field_size_limit(1 << 17)  # as a process begins
    head, long = "word\ttext\tlabel", "果" * 140_000
    for text in (f"{head}\n吃\t我吃\r苹果\tverb\n", f"{head}\r吃\t我吃苹果\tverb\r", f"{head}\n吃\t我吃{long}\tverb\n"):
        path.write_bytes(text.encode())
        with pytest.raises(UserError, match=r"pos.tsv is not a table with tabs"):
            probe.read_labelled(path)


def test_a_run_is_probed_on_its_senses_and_on_a_file(trained: Run, tmp_path: Path) -> None:
    found = probe.probe_of_run(str(trained.path), of(trained))
    assert len(found["layers"]) == 3 and found["control_by"] == probe.BY_SENTENCE and found["examples"] == 12 and found["step"] == 4
    path = tmp_path / "pos.tsv"
    rows = [f"{word}\t{item.text}\t{tag}" for item in of(trained) for word, tag in (("苹果", "noun"), (item.text[:2], "name"))]
    path.write_text("\n".join(["word\ttext\tlabel", *rows]), encoding="utf-8")
    found = probe.probe_of_run(str(trained.path), of(trained), str(path))
    assert found["types"] > 2 and found["control_by"] == probe.BY_TYPE and all(0 <= item["accuracy"] <= 1 for item in found["layers"])


# the curves over the layers

def test_self_similarity_and_anisotropy_are_those_of_numpy(trained: Run) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(9, 5)) + 1
    brute = np.mean([a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in combinations(vectors, 2)])
    assert layers.mean_cosine(vectors) == pytest.approx(brute)
    assert layers.mean_cosine(np.ones((4, 3))) == pytest.approx(1) and layers.mean_cosine(np.ones((1, 3))) is None
    with_gap = np.concatenate([vectors, np.full((1, 5), np.nan)])
    assert layers.mean_cosine(with_gap) == pytest.approx(brute)
    found = layers.anisotropy_of_run(str(trained.path), of(trained))
    assert found["source"] == layers.OF_TEXT and found["words"] > 200 and len(found["layers"]) == 3
    for item in found["layers"]:
        assert item["adjusted"] == pytest.approx(item["self_similarity"] - item["anisotropy"]) and -1 <= item["anisotropy"] <= 1


def test_without_its_text_the_random_words_come_from_the_sentences(trained: Run) -> None:
    Path(trained.config.text.files[0]).unlink()
    found = layers.anisotropy_of_run(str(trained.path), of(trained))
    assert found["source"] == layers.OF_SENTENCES and found["words"] > 10


def test_the_built_in_text_is_not_said_to_be_that_of_a_run_from_elsewhere(trained: Run) -> None:
    text = replace(trained.config.text, files=())
    runs.write_atomically(trained.path / "config.json", json.dumps(config.to_dict(replace(trained.config, text=text))))
    (trained.path / runs.ORIGIN).write_text("{}")
    assert layers.anisotropy_of_run(str(trained.path), of(trained))["source"] == layers.OF_SENTENCES
    with pytest.raises(UserError, match="its text is not known"):
        find.find(str(trained.path), "苹果", of(trained))
    with pytest.raises(UserError, match="its text is not known"):
        vector_exports.occurrences(Run.open(trained.path), trained.path / "out.npz", {"word": "苹果"}, lambda share, words: None)
    for read in (embeddings.open_source, embeddings.counts):
        words = ("苹果",) if read is embeddings.open_source else ()
        with pytest.raises(UserError, match="its text is not known"):
            read(VectorSource(kind=OCCURRENCES if words else VOCABULARY, path=str(trained.path), words=words))
    assert not embeddings.open_source(VectorSource(kind=VOCABULARY, path=str(trained.path)))["countable"]
    assert find.find(str(trained.path), "苹果", of(trained), files=trained.config.text.files, count=2)["texts"]


def test_every_layer_has_its_figures_and_its_bands(trained: Run) -> None:
    found = layers.curves_of_run(str(trained.path), of(trained), trained.probe_steps()[-1])
    assert len(found["layers"]) == 3 and found["senses"] == 2
    for item in found["layers"]:
        assert item["shuffled_auc"][0] <= 0.5 <= item["shuffled_auc"][1] and item["interval"][0] <= item["centroid_accuracy"] <= item["interval"][1]
    with pytest.raises(UserError, match="same sense"):
        layers.curves_of_run(str(trained.path), [item for item in of(trained) if item.sense == "fruit"], trained.probe_steps()[-1])


def test_the_figures_of_a_layer_are_of_what_has_a_vector_centred_for_the_senses_alone(tmp_path: Path) -> None:
    run = saved_run(tmp_path, probes=(4,))
    vectors = (np.random.default_rng(0).normal(size=(3, 12, 16)) + 4).astype(np.float16)  # far from 0, or to centre them would change nothing
    vectors[:, 5] = np.nan
    np.savez(run.probe_path(4), vectors=vectors, step=np.array(4))
    found = layers.curves_of_run(str(run.path), of(run), 4)
    known = [place for place in range(12) if place != 5]
    labels = np.array([of(run)[place].sense for place in known])
    assert found["left_out"] == 1
    for item, layer in zip(found["layers"], vectors.astype(np.float32)[:, known], strict=True):
        wanted = senses.measure(layer, labels)
        assert (item["auc"], item["centroid_accuracy"]) == pytest.approx((wanted.auc, wanted.centroid_accuracy))
        assert item["self_similarity"] == pytest.approx(layers.mean_cosine(layer)) and item["self_similarity"] > 0.8


# proposed senses

def test_groups_that_are_there_are_found_with_their_number(trained: Run) -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [30, 20, 10])
    unit = np.eye(8)[truth] + rng.normal(size=(60, 8)) * 0.1
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    for method in (find.KMEANS, find.AGGLOMERATIVE):
        groups, scores = find.group(unit, 0, method)
        assert adjusted_rand_score(truth, groups) == 1 and max(scores, key=scores.get) == 3 and list(np.bincount(groups)) == [30, 20, 10]
        assert find.group(unit, 2, method)[0].max() == 1
    with pytest.raises(UserError, match="same vector"):
        find.group(np.zeros((9, 4)))
    with pytest.raises(UserError, match="fewer than the 4 groups"):
        find.group(np.eye(3), 4)
    assert find.agreement([0, 0, 1, 1], ["a", "a", "b", ""]) == 1 and find.agreement([0, 1], ["", ""]) is None


def test_a_sentence_that_is_a_group_of_its_own_is_scored_among_thousands() -> None:
    rng = np.random.default_rng(0)
    unit = rng.normal(size=(2500, 16)) * 0.1 + np.eye(16)[0]
    unit[7] = -np.eye(16)[0]
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    groups, scores = find.group(unit, 2, find.AGGLOMERATIVE)
    assert list(np.bincount(groups)) == [2499, 1] and groups[7] == 1 and scores[2] > 0.9


def test_all_sentences_of_the_text_are_found_once_and_grouped(trained: Run) -> None:
    told = []
    found = find.find(str(trained.path), "苹果", of(trained), count=2, on_progress=lambda *values: told.append(values))
    text = Path(trained.config.text.files[0]).read_text(encoding="utf-8")
    wanted = {sentence for sentence in text.replace("。", "。\n").split() if "苹果" in sentence}
    assert set(found["texts"]) == wanted and len(found["texts"]) == len(wanted)
    assert set(found["groups"].tolist()) == {0, 1} and {stage for stage, _, _ in told} == {"read", "encode", "group"}
    assert found["ari"] is not None and sum(map(bool, found["labels"])) == len({item.text for item in of(trained)} & wanted)
    assert {text for text, _ in found["specimens"]} == {item.text for item in of(trained)} - wanted
    assert found["near"].shape == (len(wanted),) and len(found["words"]) == 2
    with pytest.raises(UserError, match="stands in 0 sentences"):
        find.find(str(trained.path), "香蕉", of(trained))
    other = Path(trained.path).parent / "other.txt"
    other.write_text("\n".join(f"{who}苹果{what}" for who in ("妈妈", "老师", "医生") for what in ("很甜", "系统")), encoding="utf-8")
    assert len(find.find(str(trained.path), "苹果", of(trained), files=(str(other),), count=2)["texts"]) == 6


def test_a_long_sentence_is_cut_around_the_word_and_random_words_stand_where_they_say(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("很" * 300 + "苹果" + "好" * 300 + "\n一个苹果\n一个苹果\n", encoding="utf-8")
    found = occurrences.of_word(TextConfig(files=(str(path),)), "苹果")
    assert [len(item.text) for item in found] == [112, 4] and all(item.text[slice(*item.span)] == "苹果" for item in found)
    drawn = occurrences.at_random(config.build("bert").text, 50)
    assert len(drawn) > 40 and all(item.text[slice(*item.span)] == item.word for item in drawn)
