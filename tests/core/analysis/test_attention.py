"""Attention weights pooled, measured, rolled out and looked at; what hiding a word or switching a head off really changes."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from transformers import BertConfig as TheirBertConfig
from transformers import BertForPreTraining, GPT2Config, GPT2LMHeadModel

from core.analysis import attention as maths
from core.analysis import attention_window as window
from core.analysis import effects, occlusion, reading
from core.analysis.encode import load
from core.config import TextConfig
from core.errors import UserError
from core.families.bert.config import BertConfig
from core.families.bert.huggingface import bert_from_transformers
from core.families.bert.model import Bert
from core.families.gpt.config import GptConfig
from core.families.gpt.huggingface import gpt_from_transformers
from core.families.gpt.model import Gpt
from core.registry import family
from core.runs import Run
from core.text.specimens import Specimen, read_specimens
from core.text.tokenizers import MASK, bpe
from tests.helpers.saved import saved_run

SENTENCE = "老师买了一个苹果。"  # not the one that the probes hold


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def bert(folder) -> Run:
    return saved_run(folder, "bert", steps=(10, 20), probes=(5, 10, 20, 30))


@pytest.fixture(scope="module")
def gpt(folder) -> Run:
    return saved_run(folder, "gpt")


def random_weights(*shape: int) -> np.ndarray:
    raw = np.random.default_rng(0).random(shape) ** 4
    return (raw / raw.sum(axis=-1, keepdims=True)).astype(np.float32)


def looked(run: Run, text: str = SENTENCE, **options) -> dict:
    return window.attention(str(run.path), text, **options)


# the weights themselves

def test_every_head_of_bert_equals_that_of_transformers() -> None:
    torch.manual_seed(0)
    theirs = BertForPreTraining(TheirBertConfig(vocab_size=60, hidden_size=48, num_hidden_layers=4, num_attention_heads=6, intermediate_size=64,
                                                max_position_embeddings=40, attn_implementation="eager", initializer_range=0.2)).eval()
    ours = Bert(BertConfig(num_layers=4, num_heads=6, hidden_size=48, intermediate_size=64, max_seq_len=40), 60).eval()
    state = bert_from_transformers(theirs.state_dict())
    ours.load_state_dict({key.removeprefix("encoder."): value for key, value in state.items() if key.startswith("encoder.")})
    ids, types = torch.randint(7, 60, (1, 30)), (torch.arange(30) > 14).long()[None]
    with torch.no_grad():
        expected = theirs.bert(ids, token_type_ids=types, output_attentions=True).attentions
        got = ours(ids, token_type_ids=types, output_attentions=True).attentions
    _all_equal(got, expected, layers=4, heads=6)


def test_every_head_of_gpt_equals_that_of_transformers() -> None:
    torch.manual_seed(0)
    theirs = GPT2LMHeadModel(GPT2Config(vocab_size=60, n_embd=48, n_layer=4, n_head=6, n_positions=40, attn_implementation="eager",
                                        initializer_range=0.2)).eval()
    ours = Gpt(GptConfig(num_layers=4, num_heads=6, hidden_size=48, max_seq_len=40), 60).eval()
    state = gpt_from_transformers(theirs.state_dict())
    ours.load_state_dict({key.removeprefix("encoder."): value for key, value in state.items() if key.startswith("encoder.")})
    ids = torch.randint(7, 60, (1, 30))
    with torch.no_grad():
        expected, got = theirs(ids, output_attentions=True).attentions, ours(ids, output_attentions=True).attentions
    _all_equal(got, expected, layers=4, heads=6)
    assert all(torch.equal(layer, layer.tril()) for layer in got)  # the triangle


def _all_equal(got, expected, *, layers: int, heads: int) -> None:
    assert len(got) == len(expected) == layers and got[0].shape[1] == heads
    for mine, other in zip(got, expected, strict=True):
        assert (mine - other).abs().amax(dim=(0, 2, 3)).max() <= 1e-5
        assert mine.std() > 0.01  # not the flat weights of a model that has learnt nothing


# what is made of them

def test_pooled_rows_sum_to_1_and_columns_are_sums() -> None:
    weights, starts = random_weights(2, 3, 6, 6), np.array([0, 1, 3])
    got = maths.pooled(weights, starts)
    assert got.shape == (2, 3, 3, 3)
    np.testing.assert_allclose(got.sum(axis=-1), 1, atol=1e-6)
    parts = [slice(0, 1), slice(1, 3), slice(3, 6)]
    for row, rows in enumerate(parts):
        for column, columns in enumerate(parts):
            np.testing.assert_allclose(got[..., row, column], weights[..., rows, columns].sum(axis=-1).mean(axis=-1), atol=1e-6)


def test_hidden_specials_leave_less_than_1_unless_renormalised() -> None:
    weights, special = random_weights(4, 4), np.array([True, False, False, True])
    assert maths.without(weights, special, maths.KEEP) is weights
    hidden = maths.without(weights, special, maths.HIDE)
    np.testing.assert_array_equal(hidden, weights[1:3, 1:3])
    np.testing.assert_allclose(maths.without(weights, special, maths.RENORMALISE), hidden / hidden.sum(axis=-1, keepdims=True), rtol=1e-6)
    nowhere = np.eye(4, dtype=np.float32)[[0, 0, 0, 0]]  # everything goes to the first token
    assert not maths.without(nowhere, special, maths.RENORMALISE).any()


def test_rollout_equals_the_product_of_the_layers() -> None:
    layers = list(random_weights(3, 2, 5, 5))
    expected = np.eye(5)
    for layer in layers:
        expected = (0.5 * (layer[0] + layer[1]) / 2 + 0.5 * np.eye(5)) @ expected
    got = maths.rollout(layers)
    np.testing.assert_allclose(got, expected, atol=1e-6)
    np.testing.assert_allclose(got.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(maths.chosen(layers, maths.ROLLOUT, 1, 0), maths.rollout(layers[:2]))
    np.testing.assert_allclose(maths.chosen(layers, maths.LAYERS, 0, 1), (layers[0][1] + layers[1][1] + layers[2][1]) / 3, atol=1e-7)


def test_entropy_distance_and_shares_equal_plain_loops() -> None:
    weights, special = random_weights(2, 6, 6), np.array([True, False, False, False, False, True])
    got = maths.measures(weights, special, {"first": special & (np.arange(6) == 0), "sep": np.zeros(6, dtype=bool)})
    for head in range(2):
        rows = [1, 2, 3, 4]
        entropy = np.mean([-sum(p * math.log2(p) for p in weights[head, row].tolist() if p > 0) for row in rows])
        distance = np.mean([sum(weights[head, row, key] * abs(row - key) for key in range(6)) for row in rows])
        assert got["entropy"][head] == pytest.approx(entropy, abs=1e-6)
        assert got["distance"][head] == pytest.approx(distance, abs=1e-6)
        assert got["previous"][head] == pytest.approx(np.mean([weights[head, row, row - 1] for row in (2, 3, 4)]))  # 0 is special
        assert got["next"][head] == pytest.approx(np.mean([weights[head, row, row + 1] for row in (1, 2, 3)]))
        assert got["same"][head] == pytest.approx(np.mean([weights[head, row, row] for row in rows]))
        assert got["first"][head] == pytest.approx(weights[head, 1:5, 0].mean())
        assert math.isnan(got["sep"][head])
    flat = maths.measures(np.full((1, 8, 8), 1 / 8, dtype=np.float32), np.zeros(8, dtype=bool), {})
    assert flat["entropy"][0] == pytest.approx(3)  # bits


def test_thumbnails_keep_a_thin_diagonal() -> None:
    small = maths.thumbnail(np.eye(500, dtype=np.float32)[None], 50)
    assert small.shape == (1, 50, 50) and (small[0].diagonal() == 255).all() and small[0].sum() == 50 * 255


# how a sentence is read

def units_of(run: Run, text: str, pair: str = "", units: str = reading.WORDS) -> reading.Reading:
    loaded = load(run)
    return reading.read(loaded.family, loaded.tokenizer, loaded.config.model.max_seq_len, text, pair, units)


def test_characters_are_pooled_to_words(bert: Run) -> None:
    read = units_of(bert, "妈妈买了一个苹果， the cat.")
    assert list(read.labels) == ["[CLS]", "妈妈", "买", "了", "一个", "苹果", "，", "the", "cat", ".", "[SEP]"]
    assert read.special.tolist() == [True] + [False] * 9 + [True] and list(read.tokens_of(5)) == [7, 8]
    assert len(units_of(bert, "苹果", units=reading.TOKENS).labels) == 4
    assert units_of(bert, "吃龘果").unknown.tolist() == [False, False, True, False, False]
    assert list(units_of(bert, "吃[MASK]。").labels) == ["[CLS]", "吃", "[MASK]", "。", "[SEP]"]


def test_pieces_of_words_and_of_characters_are_pooled_too() -> None:
    config = TextConfig(tokenizer="bpe", vocab_size=300, min_count=1, watched=("苹果",))
    tokenizer = bpe.train(config, ["the cat sat on the mat and ate an apple", "apples are unbelievably sweet", "苹果公司发布了新手机"] * 50)
    read = reading.read(family("gpt"), tokenizer, 128, "The cats ate  unbelievable apples, 苹果公司发布 zebra!")
    assert list(read.labels) == ["[BOS]", "The", "cats", "ate", "unbelievable", "apples", ",", "苹果", "公司", "发布", "zebra", "!"]
    assert sum(len(read.tokens_of(unit)) for unit in range(len(read.labels))) == len(read.ids) > 20


def test_a_pair_is_read_as_two_sentences(bert: Run, gpt: Run) -> None:
    read = units_of(bert, "吃苹果", "看手机")
    assert list(read.labels) == ["[CLS]", "吃", "苹果", "[SEP]", "看", "手机", "[SEP]"] and read.paired
    assert read.sentence.tolist() == [0, 0, 0, 0, 1, 1, 1] and read.types == (0, 0, 0, 0, 0, 1, 1, 1, 1)
    other = units_of(gpt, "吃苹果", "看手机")
    assert other.labels[0] == "[BOS]" and not other.paired and other.sentence.tolist() == [0, 0, 0, 1, 1]


def test_what_the_model_cannot_read_is_cut(bert: Run) -> None:
    read = units_of(bert, "苹果" * 50_000)
    assert len(read.ids) == 128 and read.cut and read.labels[-1] == "[SEP]"
    pair = units_of(bert, "苹果" * 500, "看手机")
    assert len(pair.ids) == 128 and list(pair.labels[-3:]) == ["看", "手机", "[SEP]"]  # the longer one gives way
    with pytest.raises(UserError, match="no sentence yet"):
        units_of(bert, " \n")


# what the window asks

@pytest.mark.parametrize("name", ["bert", "gpt"])
def test_rows_of_what_is_shown_sum_to_1(request, name: str) -> None:
    run = request.getfixturevalue(name)
    for what in (maths.HEAD, maths.HEADS, maths.LAYERS, maths.ALL, maths.ROLLOUT):
        for specials in (maths.KEEP, maths.RENORMALISE):
            answer = looked(run, what=what, specials=specials, layer=1, head=1)
            assert answer["weights"].shape == (len(answer["labels"]),) * 2
            np.testing.assert_allclose(answer["weights"].sum(axis=1), 1, atol=1e-5)
            if name == "gpt":
                assert not np.triu(answer["weights"], 1).any()
    assert "[CLS]" not in looked(run, specials=maths.HIDE)["labels"] and looked(run, specials=maths.HIDE)["weights"].sum(axis=1).max() < 1


def test_the_parts_that_are_asked_for(bert: Run) -> None:
    answer = looked(bert, parts=("grid", "lines", "table"), heads=(1, 7))
    assert "weights" not in answer and list(answer["lines"]) == [1]
    assert answer["grid"].dtype == np.uint8 and answer["grid"].shape[:2] == answer["table"]["entropy"].shape == (2, 2)
    read, loaded = units_of(bert, SENTENCE), load(bert)
    output = loaded.encoder(torch.tensor([read.ids]), output_attentions=True).attentions[0][0].detach().numpy()
    np.testing.assert_allclose(answer["lines"][1], maths.pooled(output, read.unit_starts)[1], atol=1e-3)


def test_only_what_goes_from_one_sentence_to_the_other(bert: Run) -> None:
    everything = looked(bert, "吃苹果", pair="看手机")["weights"]
    got = looked(bert, "吃苹果", pair="看手机", between="AB")
    assert np.isfinite(got["weights"]).sum() == 4 * 3 and np.isfinite(got["weights"][:4, 4:]).all()
    assert got["share"] == pytest.approx(everything[:4, 4:].sum(axis=1).mean(), abs=1e-6)
    shares = [looked(bert, "吃苹果", pair="看手机", between=one)["share"] for one in ("BA", "BB")]
    assert sum(shares) == pytest.approx(1, abs=1e-5) and got["untrained"]  # this run has learnt no next sentence


def test_a_probe_gives_the_steps_that_no_checkpoint_holds(bert: Run) -> None:
    own = window.own_sentence(bert)
    assert own == read_specimens(bert.specimens_path)[0].text
    got = {step: looked(bert, own, step=step) for step in (5, 7, 10, 25, None)}
    assert [(answer["source"], answer["step"]) for answer in got.values()] == [
        ("probe", 5), ("probe", 5), ("checkpoint", 10), ("checkpoint", 20), ("probe", 30)]
    assert not np.allclose(got[5]["weights"], got[None]["weights"], atol=0.01)
    other = looked(bert, "另外一句", step=25)
    assert (other["source"], other["step"]) == ("checkpoint", 20)
    probe = looked(bert, own, step=30)["weights"]
    np.testing.assert_allclose(probe.sum(axis=1), 1, atol=5e-3)  # it keeps 11 bits


def test_runs_that_cannot_be_looked_at_say_why(folder, bert: Run) -> None:
    answers = {}
    elmo = saved_run(folder, "elmo", steps=())
    questions = [{"run": str(elmo.path), "text": SENTENCE}, {"run": str(bert.path), "text": ""}, {"run": str(bert.path), "text": SENTENCE}]
    assert window.look(questions, on_progress=answers.__setitem__, cancelled=lambda: False) == 3
    assert "ELMo has no attention" in answers[0]["error"] and "no sentence" in answers[1]["error"] and "weights" in answers[2]
    assert window.look(questions, on_progress=answers.__setitem__, cancelled=lambda: True) == 0


def test_query_and_key_make_the_weight(bert: Run) -> None:
    read, loaded = units_of(bert, SENTENCE), load(bert)
    unit = read.labels.index("苹果")
    found = [window.query_and_key(str(bert.path), SENTENCE, query=unit, key=key, layer=1, head=1) for key in range(len(read.labels))]
    assert found[unit]["labels"] == ["苹", "苹"] and found[0]["query"].shape == (8,)
    tokens = looked(bert, units=reading.TOKENS, layer=1, head=1)["weights"]
    starts = read.unit_starts
    scores = np.array([item["score"] for item in found])
    ratio = np.exp(scores - scores[0])
    np.testing.assert_allclose(tokens[starts[unit], starts] / tokens[starts[unit], 0], ratio, rtol=1e-3)
    assert found[2]["weight"] == pytest.approx(tokens[starts[unit], starts[2]], abs=1e-5)
    assert loaded.encoder.layers[1].attention.qkv._forward_hooks == {}


# what really changes

@pytest.mark.parametrize("name", ["bert", "gpt"])
def test_a_head_switched_off_puts_out_nothing(request, name: str) -> None:
    """Against the attention of the paper computed by hand with that head's output zeroed."""
    model = load(request.getfixturevalue(name)).encoder
    ids = torch.randint(7, 30, (2, 9))
    module = model.layers[1].attention
    seen = []
    with effects.switched_off(model, [None, (1, 0)]):
        hook = module.register_forward_hook(lambda _module, inputs, output: seen.append((inputs[0], output[0])))
        with torch.no_grad():
            model(ids)
        hook.remove()
    x, got = seen[0]
    query, key, value = (part.view(2, 9, 2, 8).transpose(1, 2) for part in module.qkv(x).split(16, dim=2))
    scores = query @ key.transpose(2, 3) / math.sqrt(8)
    if name == "gpt":
        scores = scores.masked_fill(~torch.ones(9, 9, dtype=torch.bool).tril(), -torch.inf)
    mixed = scores.softmax(dim=-1) @ value  # (batch, heads, tokens, head_size)
    mixed[1, 0] = 0
    joined = torch.cat([mixed[:, 0], mixed[:, 1]], dim=2)
    torch.testing.assert_close(got, F.linear(joined, module.output.weight, module.output.bias), atol=1e-5, rtol=1e-5)
    assert not module.output._forward_pre_hooks


def test_the_effects_equal_a_model_that_reads_the_sentence_again(bert: Run) -> None:
    read, loaded = units_of(bert, SENTENCE), load(bert)
    target, other = read.labels.index("苹果"), read.labels.index("买")
    got = effects.effects(str(bert.path), SENTENCE, target, specimens=read_specimens(bert.specimens_path))
    network = effects._network(str(bert.path), 20, effects.vectors_of.stamp(bert.checkpoint_path(20) / "manifest.json"))

    def bits(hidden: list[int]) -> float:
        gap = list(read.tokens_of(target))
        ids = [MASK if place in hidden or place in gap else token for place, token in enumerate(read.ids)]
        with torch.no_grad():
            logs = network.token_logits(network.encoder(torch.tensor([ids])).last_hidden_state[0, gap]).log_softmax(dim=-1)
        return sum(float(logs[row, read.ids[place]]) for row, place in enumerate(gap)) / math.log(2)

    assert got["prediction"]["base"] == pytest.approx(bits([]), abs=1e-4) and got["how"] == "mask"
    assert got["prediction"]["words"][other] == pytest.approx(bits([]) - bits(list(read.tokens_of(other))), abs=1e-4)
    assert np.isnan(got["prediction"]["words"][[0, target, len(read.labels) - 1]]).all()
    assert got["prediction"]["heads"].shape == got["sense"]["heads"].shape == (2, 2) and got["sense"]["sense"] in ("fruit", "company")
    assert np.abs(got["sense"]["heads"]).max() > 1e-3
    removed = effects.effects(str(bert.path), SENTENCE, target, by="remove", heads=False)
    assert removed["how"] == "remove" and removed["prediction"]["heads"] is None and "labelled" in removed["sense"]["why"]
    assert loaded.step == 20


def test_the_effect_of_a_head_stands_at_its_layer_and_its_head(folder) -> None:
    run = saved_run(folder, num_layers=3, num_heads=4)  # unlike numbers of both
    read = units_of(run, SENTENCE)
    target = read.labels.index("苹果")
    got = effects.effects(str(run.path), SENTENCE, target)["prediction"]
    network = effects._network(str(run.path), 10, effects.vectors_of.stamp(run.checkpoint_path(10) / "manifest.json"))

    def bits(without: tuple[int, int] | None) -> float:
        model, gap = deepcopy(network), list(read.tokens_of(target))
        if without:
            layer, head = without
            model.encoder.layers[layer].attention.output.weight.data[:, 4 * head: 4 * head + 4] = 0  # what it puts out goes nowhere
        ids = torch.tensor([[MASK if place in gap else token for place, token in enumerate(read.ids)]])
        with torch.no_grad():
            logs = model.token_logits(model.encoder(ids).last_hidden_state[0, gap]).log_softmax(dim=-1)
        return sum(float(logs[row, read.ids[place]]) for row, place in enumerate(gap)) / math.log(2)

    wanted = [[bits(None) - bits((layer, head)) for head in range(4)] for layer in range(3)]
    np.testing.assert_allclose(got["heads"], wanted, atol=1e-4)
    assert np.ptp(got["heads"]) > 1e-2


def test_the_sense_of_a_labelled_sentence_is_measured_without_itself(bert: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    specimens = read_specimens(bert.specimens_path)
    monkeypatch.setattr(effects, "TOKENS_AT_ONCE", 40)  # in several batches
    for item in (specimens[0], specimens[-1]):
        target = units_of(bert, item.text).labels.index("苹果")
        got = effects.effects(str(bert.path), item.text, target, layer=1, specimens=specimens)["sense"]
        wanted = occlusion.occlusion_of_run(str(bert.path), specimens, item.text, "苹果", 1)
        assert got["sense"] == item.sense and got["base"] == pytest.approx(wanted["score"], abs=1e-4)
        around = [wanted["changes"][number] for number, (start, end) in enumerate(wanted["words"]) if start < item.text.index("苹果")]
        np.testing.assert_allclose(got["words"][1:target], around, atol=1e-4)


def test_gpt_cannot_be_moved_by_what_follows(gpt: Run) -> None:
    read = units_of(gpt, "妈妈把苹果洗干净。")
    target = read.labels.index("苹果")
    got = effects.effects(str(gpt.path), "妈妈把苹果洗干净。", target, specimens=read_specimens(gpt.specimens_path))
    for kind in ("prediction", "sense"):
        np.testing.assert_allclose(got[kind]["words"][target + 1:], 0, atol=1e-5)
        assert np.abs(got[kind]["words"][1:target]).max() > 1e-3


def test_what_cannot_be_hidden_is_said(bert: Run) -> None:
    with pytest.raises(UserError, match="Choose a word"):
        effects.effects(str(bert.path), SENTENCE, 0)
    other = effects.effects(str(bert.path), SENTENCE, 2, specimens=[Specimen(word="苹果", sense="fruit", text="吃苹果")], heads=False)
    assert "for “苹果” only" in other["sense"]["why"] and np.isfinite(other["prediction"]["base"])
    one = effects.effects(str(bert.path), SENTENCE, 5, specimens=[replace(item, sense="fruit") for item in read_specimens(bert.specimens_path)],
                          heads=False)
    assert "same sense" in one["sense"]["why"]
