"""The measures of the senses against brute force, and what must hold whatever the model has learned."""

from __future__ import annotations

from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score, roc_auc_score, silhouette_score

from core import config
from core.analysis import encode, film, layouts, senses, window
from core.analysis import vectors as vectors_of
from core.errors import UserError
from core.families.gpt.model import Gpt
from core.registry import family
from core.runs import Run
from core.text.specimens import Specimen, write_specimens
from core.text.tokenizers import SPECIALS, char
from tests.helpers.saved import saved_run

FRUIT = ["苹果甜", "我吃苹果", "苹果树下", "红红的苹果"]
COMPANY = ["苹果发布", "我买苹果手机", "苹果股价", "新的苹果系统"]


def clouds(n: int = 40, size: int = 16, apart: float = 1.0, seed: int = 0, k: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.array([f"sense {index % k}" for index in range(n)])
    centres = rng.normal(size=(k, size))
    return rng.normal(size=(n, size)) + apart * centres[np.arange(n) % k], labels


def specimens(hard: int = 2) -> list[Specimen]:
    return [Specimen(word="苹果", sense=sense, text=text, hard=index < hard) for sense, texts in (("fruit", FRUIT), ("company", COMPANY))
            for index, text in enumerate(texts)]


def brute_unit(vectors: np.ndarray) -> np.ndarray:
    centred = vectors - vectors.mean(axis=0)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def brute_accuracy(vectors: np.ndarray, labels: np.ndarray) -> float:
    shares = []
    for sense in np.unique(labels):
        hits = []
        for index in np.flatnonzero(labels == sense):
            best = {}
            rest = [place for place in range(len(vectors)) if place != index]
            unit = vectors - vectors[rest].mean(axis=0)
            unit /= np.linalg.norm(unit, axis=1, keepdims=True)
            for other in np.unique(labels):
                centroid = unit[[place for place in rest if labels[place] == other]].mean(axis=0)
                best[other] = unit[index] @ centroid / np.linalg.norm(centroid)
            hits.append(max(best, key=best.get) == sense)
        shares.append(np.mean(hits))
    return float(np.mean(shares))


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("apart", [0.0, 0.4, 3.0])
def test_measures_agree_with_brute_force(apart: float, k: int) -> None:
    vectors, labels = clouds(n=36, apart=apart, seed=3, k=k)
    found = senses.measure(vectors, labels)
    unit = brute_unit(vectors)
    pairs = list(combinations(range(len(unit)), 2))
    assert found.auc == pytest.approx(roc_auc_score([labels[a] == labels[b] for a, b in pairs], [unit[a] @ unit[b] for a, b in pairs]), abs=1e-5)
    assert found.centroid_accuracy == pytest.approx(brute_accuracy(vectors, labels))
    assert found.silhouette == pytest.approx(silhouette_score(unit, labels, metric="cosine"))
    assert found.interval[0] <= found.centroid_accuracy <= found.interval[1]
    assert found.specimens == 36
    if apart == 3.0:
        assert found.ari == pytest.approx(1.0) and found.centroid_accuracy == 1.0 and found.interval == (1.0, 1.0)


def test_ari_is_that_of_kmeans_with_as_many_groups_as_senses() -> None:
    from sklearn.cluster import KMeans  # slow to load

    vectors, labels = clouds(apart=0.8, seed=5)
    groups = KMeans(2, n_init=10, random_state=0).fit_predict(brute_unit(vectors))
    assert senses.measure(vectors, labels).ari == pytest.approx(adjusted_rand_score(labels, groups))


def test_equal_vectors_are_chance_exactly() -> None:
    labels = np.array(["a"] * 7 + ["b"] * 5)
    for value in (0.0, 0.1, 1000.1):
        vectors = np.full((12, 32), value, dtype=np.float32) * np.linspace(-1, 1, 32, dtype=np.float32)
        found = senses.measure(vectors, labels)
        assert (found.auc, found.centroid_accuracy, found.interval, found.silhouette, found.ari) == (0.5, 0.5, (0.5, 0.5), 0.0, 0.0)


def test_equal_vectors_of_two_senses_count_as_chance_among_others_too() -> None:
    """Half of the specimens have one vector, as the words at the beginning have in a GPT; the others are told apart perfectly."""
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b"] * 20)
    vectors = rng.normal(size=(40, 8), scale=0.1) + 3 * np.where(labels == "a", 1, -1)[:, None] * np.eye(8)[0]
    vectors[:20] = np.eye(8)[1] * 4
    for noise in (0.0, 4 * 2**-11):  # as float16 rounds it
        shaken = vectors + np.where(np.arange(40) < 20, noise, 0)[:, None] * rng.uniform(-0.5, 0.5, (40, 8))
        hits = senses.centroid_hits(shaken, labels)
        assert hits[:20].mean() == 0.5 and hits[20:].mean() == 1.0
        assert senses.measure(shaken, labels).centroid_accuracy == 0.75


def test_three_equal_senses_are_one_third() -> None:
    found = senses.measure(np.ones((9, 4)), np.array(list("abcabcabc")))
    assert found.auc == 0.5 and found.centroid_accuracy == pytest.approx(1 / 3)


def test_figures_do_not_change_with_a_shift_or_the_order_or_the_names() -> None:
    vectors, labels = clouds(apart=0.7, seed=9)
    order = np.random.default_rng(0).permutation(len(labels))
    plain = senses.measure(vectors, labels)
    for other in (senses.measure(vectors + 3, labels), senses.measure(vectors[order], labels[order]), senses.measure(5 * vectors, labels)):
        assert (other.auc, other.centroid_accuracy) == pytest.approx((plain.auc, plain.centroid_accuracy))


def test_shuffled_labels_are_near_chance() -> None:
    vectors, labels = clouds(n=80, apart=3.0)
    found = senses.shuffled_control(vectors, labels)
    assert found.auc == pytest.approx(0.5, abs=0.01)
    assert found.centroid_accuracy == pytest.approx(0.5, abs=0.06)
    assert found.interval[0] < 0.5 < found.interval[1]


def test_the_intervals_of_shuffled_labels_hold_95_of_100_other_shuffles() -> None:
    vectors, labels = clouds(n=80, apart=3.0)
    unit, rng = senses.normalised(vectors), np.random.default_rng(7)
    others = [rng.permutation(labels) for _ in range(200)]
    accuracies = np.array([senses.balanced(senses.centroid_hits(unit, other), other) for other in others])
    aucs = np.array([senses.measure(vectors, other).auc for other in others])
    of_auc, of_accuracy = senses.shuffled_bands(unit, labels)
    for values, (low, high) in ((accuracies, senses.shuffled_control(vectors, labels).interval), (accuracies, of_accuracy), (aucs, of_auc)):
        assert 0.88 <= ((values >= low) & (values <= high)).mean() <= 0.995


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b"] * 40)
    inside = 0
    for seed in range(60):
        hits = (rng.random(80) < 0.8).astype(float)
        low, high = senses.bootstrap(hits, labels, seed)
        inside += low <= 0.8 <= high
    assert 51 <= inside <= 60


def test_rows_with_nan_are_left_out() -> None:
    vectors, labels = clouds(apart=1.0)
    holed = vectors.copy()
    holed[[0, 5]] = np.nan
    keep = np.ones(len(labels), bool)
    keep[[0, 5]] = False
    assert asdict(senses.measure(holed, labels)) == asdict(senses.measure(vectors[keep], labels[keep]))
    assert senses.shuffled_control(holed, labels).specimens == len(labels) - 2


def test_the_hard_ones_alone_are_measured_against_the_centroids_of_all() -> None:
    vectors, labels = clouds(apart=2.0, n=40)
    hard = np.zeros(40, bool)
    hard[:6] = True
    vectors[:6] = vectors[[1, 0, 3, 2, 5, 4]]  # the hard ones lie where the other sense does
    found = senses.measure(vectors, labels, hard)
    assert found.specimens == 6 and found.centroid_accuracy == 0.0
    assert senses.measure(vectors, labels).centroid_accuracy > 0.8
    one_sense = senses.measure(vectors, labels, labels == "sense 0")
    assert one_sense.auc is None and one_sense.specimens == 20
    nobody = senses.measure(vectors, labels, np.zeros(40, bool))
    assert nobody.centroid_accuracy is None and nobody.specimens == 0


def test_what_cannot_be_measured_is_said() -> None:
    vectors, _ = clouds(n=6)
    with pytest.raises(UserError, match="same sense"):
        senses.measure(vectors, np.array(["a"] * 6))
    with pytest.raises(UserError, match="one specimen"):
        senses.measure(vectors, np.array(["a"] * 5 + ["b"]))
    with pytest.raises(UserError, match="0 of 6 sentences"):
        senses.measure(np.full((6, 3), np.nan), np.array(list("aabbab")))
    with pytest.raises(UserError, match="3 of 6 sentences"):
        senses.measure(np.where(np.arange(6)[:, None] < 3, vectors, np.nan), np.array(list("aabbbb")))


# the models

@pytest.fixture
def gpt() -> tuple[Gpt, object, object]:
    """A small random GPT, its family and its tokenizer."""
    torch.manual_seed(0)
    tokenizer = char.train(config.TextConfig(min_count=1), FRUIT + COMPANY)
    made = config.build("gpt", options={"num_layers": 2, "num_heads": 2, "hidden_size": 16, "max_seq_len": 64, "seq_len": 32})
    return Gpt(made.model, tokenizer.vocab_size).eval(), family("gpt"), tokenizer


def test_gpt_gives_a_word_at_the_beginning_one_vector_whatever_follows(gpt: tuple) -> None:
    model, made, tokenizer = gpt
    vectors = encode.word_vectors(model, made, tokenizer, specimens())  # (layers, specimens, size)
    first = [index for index, item in enumerate(specimens()) if item.text.startswith("苹果")]
    assert len(first) == 4
    for layer in vectors:
        assert np.allclose(layer[first], layer[first[0]], atol=1e-6)
    assert not np.allclose(vectors[-1][first[0]], vectors[-1][1], atol=1e-3)
    places = window.groups(vectors[-1])
    assert len(set(places[first].tolist())) == 1 and (places == places[first[0]]).sum() == 4


def test_layer_0_knows_the_place_and_nothing_of_the_sentence(gpt: tuple) -> None:
    model, made, tokenizer = gpt
    sentences = [Specimen(word="苹果", sense=sense, text=text) for sense, text in
                 (("fruit", "我吃苹果"), ("company", "新的苹果系统"), ("fruit", "树下苹果"), ("company", "我买苹果手机"))]
    layer = encode.word_vectors(model, made, tokenizer, sentences)[0]
    assert np.allclose(layer, layer[0], atol=1e-6)  # all at the third character
    assert senses.measure(layer, np.array([item.sense for item in sentences])).auc == 0.5


def test_the_vector_is_the_mean_over_the_words_characters(gpt: tuple) -> None:
    model, made, tokenizer = gpt
    one = [Specimen(word="苹果", sense="fruit", text="我吃苹果")]
    ids = torch.tensor([[tokenizer.id("[BOS]"), *tokenizer.encode("我吃苹果").ids]])
    states = model(ids, output_hidden_states=True).hidden_states
    wanted = torch.stack(states)[:, 0, 3:5].mean(dim=1)  # (layers, size); the beginning stands before
    assert np.allclose(encode.word_vectors(model, made, tokenizer, one)[:, 0], wanted.detach().numpy(), atol=1e-6)


def test_batching_and_padding_change_nothing(gpt: tuple) -> None:
    model, made, tokenizer = gpt
    together = encode.word_vectors(model, made, tokenizer, specimens())
    alone = np.concatenate([encode.word_vectors(model, made, tokenizer, [item]) for item in specimens()], axis=1)
    assert np.allclose(together, alone, atol=1e-5)


def test_a_word_that_is_not_known_or_out_of_reach_has_no_vector(gpt: tuple) -> None:
    model, made, tokenizer = gpt
    far = Specimen(word="苹果", sense="fruit", text="我" * 70 + "苹果")
    strange = Specimen(word="茘枝", sense="fruit", text="我吃茘枝")
    vectors = encode.word_vectors(model, made, tokenizer, [*specimens(), far, strange])
    assert np.isnan(vectors[:, -2:]).all() and np.isfinite(vectors[:, :-2]).all()
    with pytest.raises(UserError, match="does not know"):
        encode.word_vectors(model, made, tokenizer, [strange])
    with pytest.raises(UserError, match="behind the 64 tokens"):
        encode.word_vectors(model, made, tokenizer, [far])


def test_the_bag_of_context_is_the_mean_of_the_other_words() -> None:
    tokenizer = char.train(config.TextConfig(min_count=1), FRUIT + COMPANY)
    table = np.random.default_rng(0).normal(size=(tokenizer.vocab_size, 8)).astype(np.float32)
    found = senses.bag_of_context(tokenizer, table, [Specimen(word="苹果", sense="fruit", text="我，吃苹果。"),
                                                     Specimen(word="苹果", sense="fruit", text="苹果")])
    assert np.allclose(found[0], (table[tokenizer.id("我")] + table[tokenizer.id("吃")]) / 2)
    assert np.isnan(found[1]).all()


def test_a_report_without_a_bag_of_context_has_all_else(tmp_path: Path) -> None:
    """The vectors that the bag is of know none of the other words."""
    loaded = encode.load(saved_run(tmp_path))
    texts = ["苹果XX", "Y苹果", "苹果ZZZ", "WW苹果"]
    found = senses.report(loaded, [Specimen(word="苹果", sense="ab"[index // 2], text=text) for index, text in enumerate(texts)])
    assert found.bag_of_context.all == senses.UNMEASURED
    assert all(layer.all.auc is not None for layer in found.layers) and found.to_json()["controls"]["bag_of_context"]["auc"] is None


def test_the_shuffled_control_is_of_the_layer_that_is_called_best(tmp_path: Path) -> None:
    loaded = encode.load(saved_run(tmp_path))
    specimens = [Specimen(word="苹果", sense="ab"[index // 4], text=text)
                 for index, text in enumerate(["苹果XX", "Y苹果", "苹果ZZZ", "WW苹果", "V苹果", "苹果U", "TT苹果", "苹果S"])]
    labels = np.array([one.sense for one in specimens])
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(3, 8, 6))
    vectors[0, labels == "a"] += 9  # the embedding layer tells the senses apart best of all
    found = senses.report(loaded, specimens, vectors=vectors)
    assert found.layers[0].all.centroid_accuracy == 1 and found.best.layer > 0
    assert found.shuffled == senses.shuffled_control(vectors[found.best.layer], labels)


def test_a_place_that_is_louder_than_the_sense_is_set_aside() -> None:
    rng = np.random.default_rng(2)
    labels, places = np.array(["a", "b"] * 30), np.repeat(["first", "middle", "last"], 20)
    sense, loud = rng.normal(size=(2, 16)), 8 * rng.normal(size=(3, 16))
    vectors = rng.normal(size=(60, 16)) + np.where(labels == "a", 1, 0)[:, None] * sense[0] + np.repeat(loud, 20, axis=0)
    found = senses.measured(vectors, labels, np.zeros(60, bool), places)
    assert found["all"].centroid_accuracy < found["place_aside"].centroid_accuracy - 0.1
    noise = rng.normal(size=(60, 16)) + np.repeat(loud, 20, axis=0)
    assert senses.measured(noise, labels, np.zeros(60, bool), places)["place_aside"].centroid_accuracy == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("each", [2, 3, 18])
@pytest.mark.parametrize("aside", [False, True])
def test_noise_is_at_chance_however_few_the_sentences(each: int, aside: bool) -> None:
    """Long vectors and few of them: whoever is judged must not have pushed the others away from the mean, or from that of their place."""
    rng = np.random.default_rng(0)
    labels, places = np.array(["a", "b"] * each), np.resize(np.repeat(["first", "middle", "last"], max(1, 2 * each // 3)), 2 * each)
    found = [senses.measure(rng.normal(size=(2 * each, 512)), labels, places=places if aside else None).centroid_accuracy for _ in range(120 // each)]
    assert np.mean(found) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(240))  # four standard errors of as many guesses


def test_many_labellings_at_once_are_each_as_alone() -> None:
    vectors, labels = clouds(n=30, size=48, apart=0.5, k=3)
    orders = np.stack([labels, np.random.default_rng(1).permutation(labels)])
    together = senses.centroid_hits(vectors, orders)
    assert np.array_equal(together, np.stack([senses.centroid_hits(vectors, order) for order in orders])) and (together[0] != together[1]).any()


def test_setting_the_place_aside_invents_nothing() -> None:
    """One vector for all, or for all of a place, leaves zeros: no rounding error becomes a sense. What is unknown stays so."""
    labels, places = np.array(["a", "b"] * 12), np.repeat(["first", "middle"], 12)
    one = np.tile(np.float32(0.1) * np.arange(1, 9, dtype=np.float32), (24, 1))
    assert senses.measured(one, labels, labels == "a", places)["place_aside"].auc == 0.5
    two = one + np.where(places == "first", 1.0, 0.0)[:, None]
    assert not senses.place_aside(two, places).any()
    two[3] = np.nan
    made = senses.place_aside(two, places)
    assert np.isnan(made[3]).all() and not made[[row for row in range(24) if row != 3]].any()
    vectors = np.random.default_rng(0).normal(size=(24, 8))
    made = senses.place_aside(vectors, np.array(["last"] * 2 + ["middle"] * 22))  # the mean of two is of them, not of their place
    assert np.allclose(made[:2], vectors[:2] - vectors.mean(axis=0)) and np.allclose(made[2:].mean(axis=0), 0)


def test_where_a_word_stands_in_its_sentence() -> None:
    def place(text: str, word: str = "苹果") -> str:
        return Specimen(word=word, sense="a", text=text).place

    texts = {"苹果熟了。": "first", "“苹果熟了。": "first", "我吃苹果！": "last", "我吃苹果吗？": "middle", "苹果": "first"}
    assert [place(text) for text in texts] == list(texts.values())
    assert place("An apple.", "apple") == "last" and place("The apple fell.", "apple") == "middle"


# what the window asks

@pytest.fixture
def probed(tmp_path: Path) -> Run:
    """A run with probes of three steps and no checkpoint: the senses come apart along one direction in the last layer."""
    run = Run.create(config.build("bert", options={"num_layers": 2, "num_heads": 2, "hidden_size": 16}, name="probed"), tmp_path / "run")
    write_specimens(run.specimens_path, specimens())
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(8, 16))
    for number, step in enumerate((0, 10, 20)):
        apart = number * 4.0 * np.array([[-1.0] if item.sense == "fruit" else [1.0] for item in specimens()]) * np.eye(16)[0]
        layers = np.stack([np.ones((8, 16)), noise, noise + apart + 100 * step])
        np.savez(run.probe_path(step), vectors=layers.astype(np.float16 if number else np.float32), step=np.array(step))
    return run


def ask_replay(run: Run, **keywords: object) -> dict:
    return window.replay(**{"run": str(run.path), "specimens": specimens(), "layer": 2, **keywords})


def test_the_shares_of_the_variance_are_those_along_the_axes_that_are_drawn(probed: Run) -> None:
    for layer in (1, 2):  # the plane of the lower one is turned on to the other's
        found = ask_replay(probed, layer=layer)
        source = vectors_of.source_of(probed, specimens())
        whole = vectors_of.layer_of(probed, source, specimens(), found["basis_step"], layer).astype(float)
        along = np.square(found["xy"][-1]).sum(axis=0) / np.square(whole - whole.mean(axis=0)).sum()
        assert np.allclose(found["share"], along, rtol=1e-3)



def test_all_steps_are_seen_in_one_basis(probed: Run) -> None:
    found = ask_replay(probed)
    assert found["steps"] == [0, 10, 20] and found["source"] == "probes" and found["basis_step"] == 20
    xy = found["xy"]
    assert xy.shape == (3, 8, 2) and np.abs(xy).max() == pytest.approx(max(found["half"]), rel=1e-3)
    assert np.allclose(xy.mean(axis=1), 0, atol=1e-2)  # each step is centred: a drift of all is no movement
    assert (xy[2, :4, 0] < 0).all() and (xy[2, 4:, 0] > 0).all()  # the first sense at the left
    gaps = [step[4:, 0].mean() - step[:4, 0].mean() for step in xy]
    assert gaps[1] - gaps[0] == pytest.approx(8, abs=0.5) and gaps[2] - gaps[1] == pytest.approx(8, abs=0.5)


def test_a_picture_with_the_place_set_aside_is_spread_by_the_sense(tmp_path: Path) -> None:
    run = Run.create(config.build("bert", options={"num_layers": 1, "num_heads": 2, "hidden_size": 16}, name="placed"), tmp_path / "run")
    placed = [Specimen(word="苹果", sense=sense, text=text.format(sense, number)) for sense in ("fruit", "company")
              for text in ("苹果 {} {}", "{} {} 苹果") for number in range(6)]
    write_specimens(run.specimens_path, placed)
    sense = np.repeat([-1.0, 1.0], 12)[:, None] * np.eye(16)[0]
    first = np.tile(np.repeat([5.0, -5.0], 6), 2)[:, None] * np.eye(16)[1]
    vectors = sense + first + 0.1 * np.random.default_rng(0).normal(size=(24, 16))
    np.savez(run.probe_path(10), vectors=np.stack([vectors, vectors]).astype(np.float32), step=np.array(10))
    for aside, by in ((False, first.sum(axis=1)), (True, sense.sum(axis=1))):
        found = window.replay(str(run.path), placed, 1, aside=aside)
        assert abs(np.corrcoef(found["xy"][0, :, 0], by)[0, 1]) > 0.95
        assert np.allclose(layouts.layout(str(run.path), placed, 1, 10, "pca", aside=aside)["xy"], found["xy"][0])
        assert (film.course(str(run.path), placed, 1, aside=aside)["auc"][0] > 0.99) is aside
    shown = window.figures(str(run.path), placed, 1, 10)
    assert shown["place_aside"]["centroid_accuracy"] == 1.0 and shown["place_aside"]["auc"] > shown["all"]["auc"]


def test_who_reads_from_one_side_does_not_know_the_other_end(tmp_path: Path) -> None:
    texts = [Specimen(word="苹果", sense="a", text=text) for text in ("苹果熟了", "我吃苹果", "我的苹果熟了")]
    runs = {name: Run.create(config.build(name, "quick", name=name), tmp_path / name) for name in ("gpt", "elmo", "bert")}
    whole = ["first", "last", "middle"]
    assert vectors_of.places_of(runs["bert"], texts).tolist() == vectors_of.places_of(runs["elmo"], texts).tolist() == whole
    assert vectors_of.places_of(runs["gpt"], texts).tolist() == ["first", "middle", "middle"]
    assert vectors_of.places_of(runs["elmo"], texts, "forward").tolist() == ["first", "middle", "middle"]
    assert vectors_of.places_of(runs["elmo"], texts, "backward").tolist() == ["middle", "last", "middle"]


def test_a_new_probe_leaves_a_basis_that_is_held(probed: Run) -> None:
    held = ask_replay(probed, basis_step=10)
    np.savez(probed.probe_path(30), vectors=np.random.default_rng(9).normal(size=(3, 8, 16)).astype(np.float16), step=np.array(30))
    after = ask_replay(probed, basis_step=10)
    assert after["steps"] == [0, 10, 20, 30] and np.array_equal(held["xy"], after["xy"][:3])
    assert ask_replay(probed)["basis_step"] == 30


def test_one_vector_is_one_point(probed: Run) -> None:
    found = ask_replay(probed, layer=0)
    assert (found["groups"] == 0).all() and np.allclose(found["xy"], 0)
    figures = window.figures(str(probed.path), specimens(), 0, 20)
    assert figures["same"] and figures["all"]["auc"] == 0.5 and figures["all"]["centroid_accuracy"] == 0.5


def test_figures_are_those_of_the_layer_and_name_the_best(probed: Run) -> None:
    figures = window.figures(str(probed.path), specimens(), 2, 20)
    assert figures["all"]["centroid_accuracy"] == 1.0 and figures["best"] == {"layer": 2, "centroid_accuracy": 1.0, "interval": (1.0, 1.0)}
    assert figures["hard"]["specimens"] == 4 and figures["senses"] == 2 and figures["place"] == 0.5 and not figures["same"]
    with np.load(probed.probe_path(20)) as probe:
        plain = senses.measure(probe["vectors"][2].astype(np.float32), np.array([item.sense for item in specimens()]))
    assert figures["all"] == asdict(plain)


def test_relabelled_and_deleted_sentences_need_no_model(probed: Run) -> None:
    changed = [Specimen(word="苹果", sense="fruit", text=item.text) for item in specimens()[:5]] + specimens()[6:]
    found = ask_replay(probed, specimens=changed)
    whole = ask_replay(probed)
    assert found["source"] == "probes" and found["missing"] == 0 and found["xy"].shape == (3, 7, 2)
    assert window.figures(str(probed.path), changed, 2, 20)["all"]["centroid_accuracy"] < 1.0
    assert whole["xy"].shape == (3, 8, 2)


def test_a_sentence_that_the_probes_lack_waits_for_a_checkpoint(probed: Run) -> None:
    more = [*specimens(), Specimen(word="苹果", sense="fruit", text="一个苹果")]
    found = ask_replay(probed, specimens=more)
    assert found["missing"] == 1 and np.isnan(found["xy"][:, -1]).all() and (found["groups"][:, -1] == -1).all()
    assert window.figures(str(probed.path), more, 2, 20)["left_out"] == 1
    assert ask_replay(probed, specimens=more[-1:])["steps"] == []  # none of them
    assert window.bag(str(probed.path), [], specimens()) == {}


def test_a_damaged_probe_is_passed_over(probed: Run) -> None:
    probed.probe_path(20).write_bytes(b"PK\x03\x04 not a probe")
    assert ask_replay(probed)["steps"] == [0, 10]
    with pytest.raises(UserError, match="step 20"):
        window.figures(str(probed.path), specimens(), 2, 20)


def test_answers_come_one_by_one_and_stop_when_cancelled(probed: Run) -> None:
    heard: list[tuple[int, dict]] = []
    questions = [("replay", {"run": str(probed.path), "layer": 2}), ("figures", {"run": str(probed.path), "layer": 2, "step": 999}),
                 ("figures", {"run": str(probed.path), "layer": 1, "step": 20})]
    done = window.answer(questions, specimens(), lambda: len(heard) == 2, lambda *found: heard.append(found))
    assert done == 2 and [place for place, _ in heard] == [0, 1]
    assert heard[0][1]["steps"] == [0, 10, 20] and "step 999" in heard[1][1]["error"]


def test_the_first_picture_needs_no_torch(probed: Run) -> None:
    import subprocess
    import sys

    code = ("import sys; from core.analysis import window; from core.text.specimens import read_specimens; from pathlib import Path; "
            f"run = Path({str(probed.path)!r}); window.replay(str(run), read_specimens(run / 'specimens.tsv'), 2); "
            "sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)")
    root = Path(__file__).resolve().parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_how_many_of_the_words_around_are_unknown(tmp_path: Path) -> None:
    tokenizer = char.char_tokenizer([*SPECIALS, "苹", "果", "甜", "很"], lowercase=False)
    given = [Specimen(word="苹果", sense="a", text="苹果很甜。"), Specimen(word="苹果", sense="b", text="买苹果手机")]
    assert senses.unknown_share(tokenizer, given) == 3 / 5 and senses.unknown_share(tokenizer, given[:1]) == 0
    assert senses.unknown_share(tokenizer, []) == 0
    tokenizer.save(tmp_path / "tokenizer.json")
    told = [window._unknown(str(tmp_path / "tokenizer.json"), (0, 0), tuple(some)) for some in (given, given[:1])]
    (tmp_path / "damaged.json").write_text("{")
    assert window._unknown(str(tmp_path / "damaged.json"), (0, 0), tuple(given)) == 0
    assert told == [3 / 5, 0.0] and window._unknown(str(tmp_path / "none.json"), (0, 0), tuple(given)) == 0
