"""Which words decide: planted cues come first, what cannot be seen changes nothing, and the typed sentence stands where it should."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from core import runs as runs_module
from core.analysis import compass, layouts, live, occlusion, sentences, sides
from core.analysis import vectors as vectors_of
from core.errors import UserError
from core.runs import Run
from core.text.specimens import Specimen
from core.text.tokenizers import MASK
from core.train import worker
from tests.helpers import cues
from tests.helpers.runs import make_run

SPECIMENS = cues.specimens()
LAYER = 2


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Models that have learned what the cues decide; made once, for they take seconds."""
    patch = pytest.MonkeyPatch()
    patch.setattr(worker, "_listen", lambda: lambda: False)
    patch.setenv(runs_module.HOME_VARIABLE, str(tmp_path_factory.mktemp("home")))
    # at the rate of 0.01 one GPT in four does not learn it, which one hangs on how sums are rounded
    made = {"gpt": cues.trained(tmp_path_factory.mktemp("gpt"), "gpt", steps=300, learning_rate=0.004),
            "elmo": cues.trained(tmp_path_factory.mktemp("elmo"), "elmo", steps=200)}
    made["bert"] = cues.trained(tmp_path_factory.mktemp("bert"), "bert", steps=4)  # how, not what
    made["word2vec"] = cues.trained(tmp_path_factory.mktemp("word2vec"), "word2vec", steps=0, epochs=1.0)
    patch.undo()
    return made


@pytest.mark.parametrize("family", ["gpt", "elmo"])
def test_the_planted_cue_comes_first(trained: dict[str, Run], family: str) -> None:
    rng, first = random.Random(7), 0
    for number in range(40):
        sense = ["fruit", "company"][number % 2]
        text, cue = cues.sentence(rng, sense, end=False)
        found = occlusion.occlusion_of_run(str(trained[family].path), SPECIMENS, text, "apple", LAYER)
        start, end = max(zip(found["changes"], found["words"], strict=True))[1]
        first += text[start:end] == cue
        assert found["how"] == occlusion.BY_REMOVAL and len(found["words"]) == 4
    assert first >= 36


def test_the_sense_score_is_that_of_numpy(trained: dict[str, Run]) -> None:
    run, text = trained["elmo"], "now sweet one here apple"
    found = occlusion.occlusion_of_run(str(run.path), SPECIMENS, text, "apple", LAYER)
    assert found["sense"] == "fruit" and not found["known"]
    step = vectors_of.newest_checkpoint(run)
    known = vectors_of.encoded(run, step, SPECIMENS)[LAYER].astype(np.float64)
    loaded = vectors_of.loaded_of(run, step)
    placed = sentences.placed(loaded, text, "apple")
    vector = sentences.states(loaded, [placed.frame.ids], [placed.places])[LAYER, 0] - known.mean(axis=0)
    unit = (known - known.mean(axis=0)) / np.linalg.norm(known - known.mean(axis=0), axis=1, keepdims=True)
    cosine = {}
    for sense in ("fruit", "company"):
        centroid = unit[[one.sense == sense for one in SPECIMENS]].mean(axis=0)
        cosine[sense] = vector @ centroid / np.linalg.norm(vector) / np.linalg.norm(centroid)
    assert found["score"] == pytest.approx(cosine["fruit"] - cosine["company"], abs=1e-6)
    assert dict(found["cosines"]) == pytest.approx(cosine, abs=1e-6)


def test_a_specimen_does_not_vote_for_itself() -> None:
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(6, 8)), ["a", "a", "a", "b", "b", "b"]
    without = vectors[1:3] - vectors[1:].mean(axis=0)
    centroid = (without / np.linalg.norm(without, axis=1, keepdims=True)).sum(axis=0)
    mine = vectors[0] - vectors[1:].mean(axis=0)
    wanted = mine @ centroid / np.linalg.norm(mine) / np.linalg.norm(centroid)
    found = compass.Compass(vectors, labels)
    assert found.cosines(vectors[0], "a")[0, 0] == pytest.approx(wanted)
    assert found.cosines(vectors[0])[0, 0] > wanted


def test_a_family_that_fills_gaps_sees_the_mask(trained: dict[str, Run]) -> None:
    loaded = vectors_of.loaded_of(trained["bert"], vectors_of.newest_checkpoint(trained["bert"]))
    text = "now sweet apple here"
    placed = sentences.placed(loaded, text, "apple")
    rows = occlusion.hidden(loaded, placed, occlusion.words_around(text, placed.span))
    assert occlusion.how(loaded) == occlusion.BY_MASK and len(rows) == 3
    for row, place in zip(rows, (1, 2, 4), strict=True):
        ids, places = row
        assert [at for at, token in enumerate(ids) if token == MASK] == [place] and places == [3] and len(ids) == len(placed.frame.ids)


def test_the_words_around_are_no_punctuation_and_not_the_word_itself() -> None:
    text = "我吃，苹果！ok 苹果"
    assert [text[a:b] for a, b in occlusion.words_around(text, (3, 5))] == ["我", "吃", "ok", "苹果"]


def test_what_a_model_cannot_see_changes_nothing(trained: dict[str, Run]) -> None:
    after = occlusion.occlusion_of_run(str(trained["gpt"].path), SPECIMENS, "one apple sweet juicy", "apple", LAYER)
    assert after["changes"][1:] == pytest.approx([0, 0], abs=1e-5) and abs(after["changes"][0]) > 1e-3
    static = occlusion.occlusion_of_run(str(trained["word2vec"].path), SPECIMENS, "sweet apple now", "apple", 0)
    assert static["same"] and static["changes"] == [0, 0] and static["score"] == 0


def test_each_direction_of_elmo_knows_its_side_and_gpt_what_stands_before(trained: dict[str, Run]) -> None:
    texts = ("one sweet apple", "apple sweet one")
    forward, backward = sides.sides_of_run(str(trained["elmo"].path), SPECIMENS, texts, "apple", LAYER)["readers"]
    assert (forward["direction"], backward["direction"]) == ("forward", "backward")
    assert forward["texts"][0]["before"] > 0.01 and forward["texts"][0]["after"] is None and forward["texts"][1]["after"] < sides.SAME
    assert backward["texts"][0]["before"] < sides.SAME and backward["texts"][1]["after"] > 0.01
    assert max(forward["texts"][0]["cosines"], key=lambda pair: pair[1])[0] == "fruit"
    gpt, = sides.sides_of_run(str(trained["gpt"].path), SPECIMENS, texts, "apple", LAYER)["readers"]
    assert gpt["texts"][0]["before"] > 0.01 and gpt["texts"][1]["after"] < sides.SAME
    bert, = sides.sides_of_run(str(trained["bert"].path), SPECIMENS, texts, "apple", LAYER)["readers"]
    assert bert["texts"][0]["before"] > sides.SAME and bert["texts"][1]["after"] > sides.SAME


def test_a_word_keeps_the_space_before_it_when_the_side_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_listen", lambda: lambda: False)
    run = cues.trained(tmp_path, "elmo", steps=2, **{"text.tokenizer": "bpe"})
    found = sides.sides_of_run(str(run.path), SPECIMENS, ["one sweet apple now"], "apple", LAYER)["readers"]
    forward, backward = (reader["texts"][0] for reader in found)
    assert backward["before"] < sides.SAME < forward["before"] and forward["after"] < sides.SAME < backward["after"]


@pytest.mark.parametrize("aside", [False, True])
def test_a_typed_specimen_stands_where_it_is_drawn(trained: dict[str, Run], aside: bool) -> None:
    run = trained["elmo"]
    step = run.checkpoint_steps()[-1]
    drawn = layouts.layout(str(run.path), SPECIMENS, LAYER, step, "pca", aside=aside)["xy"]
    waiting, = live.places([{"run": str(run.path), "layer": LAYER}], SPECIMENS, "one two", "apple")
    assert waiting == {"waiting": True}
    for number in (0, 5):
        found, = live.places([{"run": str(run.path), "layer": LAYER, "step": step, "aside": aside}], SPECIMENS, SPECIMENS[number].text, "apple")
        assert found["xy"] == pytest.approx(drawn[number], abs=0.02) and found["step"] == step  # probes are kept in half precision
    for direction in ("forward", "backward"):
        found, = live.places([{"run": str(run.path), "layer": LAYER, "direction": direction}], SPECIMENS, "a juicy apple", "apple")
        assert np.isfinite(found["xy"]).all() and [sense for sense, _ in found["cosines"]] == ["fruit", "company"]


def test_a_direction_is_its_half(trained: dict[str, Run]) -> None:
    run = trained["elmo"]
    step, source = run.probe_steps()[-1], vectors_of.source_of(run, SPECIMENS)
    whole, forward, backward = (vectors_of.layer_of(run, source, SPECIMENS, step, LAYER, direction) for direction in ("both", "forward", "backward"))
    assert np.array_equal(np.concatenate([forward, backward], axis=1), whole) and forward.shape == backward.shape
    gpt = trained["gpt"]
    assert vectors_of.layer_of(gpt, vectors_of.source_of(gpt, SPECIMENS), SPECIMENS, gpt.probe_steps()[-1], LAYER, "forward").shape[1] == 16


def test_what_is_wrong_is_said_where_it_is(trained: dict[str, Run], tmp_path: Path) -> None:
    path = str(trained["gpt"].path)

    def refusal(text: str, specimens: list[Specimen] = SPECIMENS, word: str = "apple", run: str = path) -> UserError:
        with pytest.raises(UserError) as caught:
            occlusion.occlusion_of_run(run, specimens, text, word, LAYER)
        return caught.value

    assert "does not stand in the sentence" in refusal("a pear").message and refusal("a pear").where == "text"
    assert "100,000 characters" in refusal("apple" + " x" * 49_997 + "y").message
    assert "does not know the word" in refusal("a zebra", word="zebra").message
    assert "token" in refusal("one " * 300 + "apple").message
    assert "one specimen only" in refusal("an apple", SPECIMENS[:3]).message
    assert "same sense" in refusal("an apple", SPECIMENS[::2]).message
    assert "no checkpoint" in refusal("an apple", run=str(make_run(tmp_path, "gpt").path)).message
    found = live.places([{"run": path, "layer": LAYER}], SPECIMENS, "one " * 300 + "apple", "apple")
    assert "reads" in found[0]["error"]
