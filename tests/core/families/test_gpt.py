"""GPT against the reference implementation; causality; the cache; how it writes; its batches; the vocabulary's loss."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from core import config as configs
from core.errors import UserError
from core.families import linear
from core.families import vocabulary_loss as module
from core.families.gelu import gelu_tanh
from core.families.generation import generate, next_token_probabilities
from core.families.gpt.config import GptConfig
from core.families.gpt.huggingface import gpt_from_transformers
from core.families.gpt.model import Cache, Gpt
from core.families.gpt.pretrain import IGNORED, GptForPretraining, GptPretraining
from core.families.linear import Linear, onednn_is_faster
from core.families.vocabulary_loss import vocabulary_loss
from core.text.tokenizers import BOS, EOS
from tests.helpers.tiny_corpus import FIRST, counting_documents, make_corpus, make_split, random_documents

VOCAB = 100
SIZES = {"model.num_layers": 2, "model.num_heads": 2, "model.hidden_size": 16, "model.max_seq_len": 32, "train.seq_len": 24,
         "train.batch_size": 8}


def pretraining(corpus: Any, **options: Any) -> GptPretraining:
    torch.manual_seed(0)
    return GptPretraining(configs.build("gpt", "quick", {**SIZES, **options}), corpus)


@pytest.fixture(scope="module")
def reference() -> tuple[Any, GptForPretraining]:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(1)
    theirs = transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=VOCAB, n_embd=32, n_layer=3, n_head=4, n_inner=48, n_positions=20, bos_token_id=BOS, eos_token_id=EOS,
        attn_implementation="eager")).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    config = GptConfig(num_layers=3, num_heads=4, hidden_size=32, intermediate_size=48, max_seq_len=20)
    ours = GptForPretraining(config, VOCAB).eval()
    ours.load_state_dict(gpt_from_transformers(theirs.state_dict()))
    return theirs, ours


@pytest.fixture
def model(reference: tuple[Any, GptForPretraining]) -> Gpt:
    return reference[1].encoder


def tokens(rows: int, length: int, seed: int = 2) -> torch.Tensor:
    return torch.randint(FIRST, VOCAB, (rows, length), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
@pytest.mark.parametrize("padded", [False, True])
def test_outputs_equal_those_of_transformers(reference: tuple[Any, GptForPretraining], padded: bool) -> None:
    theirs, ours = reference
    inputs = {"input_ids": tokens(3, 13)}
    if padded:
        inputs["attention_mask"] = (torch.arange(13) < torch.tensor([[13], [9], [4]])).long()
    expected = theirs(**inputs, output_hidden_states=True, output_attentions=True)
    fused = ours.encoder(**inputs, output_hidden_states=True)
    explicit = ours.encoder(**inputs, output_hidden_states=True, output_attentions=True)
    for got in (fused, explicit):
        assert len(got.hidden_states) == len(expected.hidden_states) == 4
        for mine, other in zip(got.hidden_states, expected.hidden_states, strict=True):
            torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-5)
        assert torch.equal(got.last_hidden_state, got.hidden_states[-1])
        torch.testing.assert_close(ours.token_logits(got.last_hidden_state), expected.logits, atol=1e-5, rtol=1e-5)
    for mine, other in zip(explicit.attentions, expected.attentions, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-5)


def test_loss_and_gradients_equal_those_of_transformers(reference: tuple[Any, GptForPretraining]) -> None:
    theirs, ours = reference
    ids = tokens(3, 13)
    expected = theirs(ids, labels=ids).loss  # the shift is theirs
    learner = pretraining(make_corpus(make_split(random_documents(5))))
    got = learner.loss(ours, {"input_ids": ids[:, :-1], "labels": ids[:, 1:], "normalizer": torch.tensor(36.0)})
    torch.testing.assert_close(got.value, expected, atol=1e-5, rtol=1e-5)
    theirs.zero_grad()
    ours.zero_grad()
    expected.backward()
    got.value.backward()
    gradients = gpt_from_transformers({name: tensor.grad for name, tensor in theirs.named_parameters()})
    for name, tensor in ours.named_parameters():
        wanted = gradients[name]
        torch.testing.assert_close(tensor.grad, wanted, atol=2e-5, rtol=1e-3, msg=lambda text, name=name: f"{name}: {text}")


@torch.no_grad()
@pytest.mark.parametrize("output_attentions", [False, True])
def test_the_future_changes_nothing(model: Gpt, output_attentions: bool) -> None:
    ids = tokens(2, 16)
    changed = ids.clone()
    changed[:, 9:] = tokens(2, 7, seed=5)
    one, other = (model(item, output_hidden_states=True, output_attentions=output_attentions) for item in (ids, changed))
    for mine, theirs in zip(one.hidden_states, other.hidden_states, strict=True):
        assert torch.equal(mine[:, :9], theirs[:, :9])
        assert not torch.allclose(mine[:, 9:], theirs[:, 9:])
    if output_attentions:
        for weights in one.attentions:
            assert (weights.triu(1) == 0).all()
            torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 16))


@torch.no_grad()
@pytest.mark.parametrize("pieces", [[1] * 12, [5, 1, 4, 2], [12]])
def test_the_cache_gives_what_a_full_pass_gives(model: Gpt, pieces: list[int]) -> None:
    ids = tokens(2, 12)
    expected = model(ids, output_hidden_states=True)
    for output_attentions in (False, True):
        cache, got = Cache(3), []
        for piece in ids.split(pieces, dim=1):
            got.append(model(piece, cache=cache, output_attentions=output_attentions).last_hidden_state)
        assert len(cache) == 12
        torch.testing.assert_close(torch.cat(got, dim=1), expected.last_hidden_state, atol=1e-5, rtol=1e-5)


def numpy_probabilities(logits: np.ndarray, temperature: float, top_k: int, top_p: float) -> np.ndarray:
    """The plain version: one token after the other, likeliest first."""
    weights = np.exp((logits - logits.max()) / temperature)
    order = np.argsort(-weights, kind="stable")[:top_k or None]
    total, mass, result = weights[order].sum(), 0.0, np.zeros_like(weights)
    for token in order:
        result[token] = weights[token]
        mass += weights[token] / total
        if mass >= top_p:
            break
    return result / result.sum()


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("top_k", [0, 1, 5, 1000])
@pytest.mark.parametrize("top_p", [1.0, 0.9, 0.4, 1e-6])
def test_top_k_and_top_p(temperature: float, top_k: int, top_p: float) -> None:
    logits = np.random.default_rng(0).normal(0, 2, 50)
    got = next_token_probabilities(torch.tensor(logits), temperature=temperature, top_k=top_k, top_p=top_p)
    np.testing.assert_allclose(got, numpy_probabilities(logits, temperature, top_k, top_p), atol=1e-6)


def write(model: Gpt, **options: Any) -> list[int]:
    options = {"max_new_tokens": 15, "generator": torch.Generator().manual_seed(options.pop("seed", 3)), **options}
    return [written.token for written in generate(model, tokens(1, 4), **options)]


def test_the_same_seed_writes_the_same_text(model: Gpt) -> None:
    assert write(model, seed=3) == write(model, seed=3)
    assert len({tuple(write(model, seed=seed)) for seed in range(5)}) > 1


@torch.no_grad()
def test_greedy_text_is_that_of_full_passes(reference: tuple[Any, GptForPretraining]) -> None:
    ours = reference[1]
    ids = tokens(1, 4)
    for written in generate(ours.encoder, ids, max_new_tokens=15, temperature=0.0):
        logits = ours.token_logits(ours.encoder(ids).last_hidden_state)[0, -1]
        assert written.token == int(logits.argmax()) == written.alternatives[0][0]
        assert written.probability == pytest.approx(float(logits.softmax(0).max()), abs=1e-5)
        ids = torch.cat([ids, torch.tensor([[written.token]])], dim=1)


def test_a_temperature_of_all_but_nothing_writes_what_none_does(model: Gpt) -> None:
    assert write(model, temperature=1e-40) == write(model, temperature=0.0)


def test_generation_stops_bans_and_runs_past_the_context(model: Gpt) -> None:
    text = write(model)
    assert write(model, stop_id=text[5]) == text[:text.index(text[5])]
    banned = tuple(range(FIRST)) + tuple(set(text))
    assert not set(write(model, banned_ids=banned)) & set(banned)
    assert len(write(model, max_new_tokens=70)) == 70  # max_seq_len is 20
    long = [written.token for written in generate(model, tokens(1, 45), max_new_tokens=3, temperature=0.0)]
    assert len(long) == 3
    for written in generate(model, tokens(1, 4), max_new_tokens=5, top_k=3, generator=torch.Generator().manual_seed(0)):
        assert len(written.alternatives) == 3
        assert sum(probability for _, probability in written.alternatives) == pytest.approx(1.0, abs=1e-5)
        assert written.token in dict(written.alternatives)


def test_batches_are_packed_and_cover_the_text_once_an_epoch() -> None:
    learner = pretraining(make_corpus(make_split(counting_documents(8)), vocab_size=500))
    length = 8 * (50 + 2)
    ring = [token for start in range(0, 400, 50) for token in (BOS, *range(FIRST + start, FIRST + start + 50), EOS)]
    following = set(zip(ring, ring[1:] + ring[:1], strict=True))
    counts = np.zeros(FIRST + 400, int)
    rows = learner.tokens_per_epoch // 24
    assert rows == -(-length // 24)
    seen = 0
    for index in range(-(-rows // 8)):
        batch = learner.batch("train", index)
        ids, labels = batch["input_ids"].numpy(), batch["labels"].numpy()
        assert ids.shape == (8, 24)
        for x, y in zip(ids[:rows - seen].ravel(), labels[:rows - seen].ravel(), strict=True):
            assert (y == IGNORED and x == EOS) or (x, y) in following
            counts[x] += 1
        seen += 8
        assert batch["normalizer"] == (labels != IGNORED).sum()
        assert not (labels == BOS).any()
    assert (counts[FIRST:] >= 1).all()
    assert counts[FIRST:].sum() <= 400 + 24


def test_epochs_are_cut_elsewhere_and_validation_stays() -> None:
    learner = pretraining(make_corpus(make_split(random_documents(60)), make_split(random_documents(8, seed=1))))
    rows = learner.tokens_per_epoch // 24
    one, other = (learner._windows._orders["train"].of_batch(index) for index in (0, rows))
    assert set(one[1]) != set(other[1])
    valid = learner._windows._orders["valid"]
    assert (valid.of_batch(0)[1] == 0).all()
    for name in ("input_ids", "labels"):
        assert torch.equal(learner.batch("valid", 0)[name], learner.batch("valid", valid.rows)[name])


def test_batches_are_pure_functions() -> None:
    corpus = make_corpus(make_split(random_documents(40)))
    one, other = pretraining(corpus), pretraining(corpus)
    late = one.batch("train", 70)
    [other.batch("train", index) for index in range(3)]
    again = other.batch("train", 70)
    assert all(torch.equal(late[name], again[name]) for name in late)
    assert not torch.equal(pretraining(corpus, **{"train.seed": 1}).batch("train", 70)["input_ids"], late["input_ids"])


def test_micro_batches_add_up() -> None:
    learner = pretraining(make_corpus(make_split(random_documents(40))))
    batch = learner.batch("train", 0)
    whole = learner.loss(learner.network, batch)
    parts = [learner.loss(learner.network, {name: item[rows] if item.dim() else item for name, item in batch.items()})
             for rows in (slice(0, 3), slice(3, 8))]
    torch.testing.assert_close(parts[0].value + parts[1].value, whole.value, atol=1e-5, rtol=1e-5)
    for name, (total, count) in whole.sums.items():
        assert sum(float(part.sums[name][0]) for part in parts) == pytest.approx(float(total), rel=1e-5)
        assert sum(part.sums[name][1] for part in parts) == count


@pytest.mark.parametrize("documents", [[[[9]]], [[[9, 10]]], [[[9]], [[]], [[8, 7, 9]]]])
def test_the_tiniest_texts_can_be_learnt(documents: list[list[list[int]]]) -> None:
    learner = pretraining(make_corpus(make_split(documents)))
    for split in ("train", "valid"):
        assert torch.isfinite(learner.loss(learner.network, learner.batch(split, 3)).value)


def test_no_text_is_an_error_for_people() -> None:
    with pytest.raises(UserError, match="no text to learn from"):
        pretraining(make_corpus(make_split([[]])))


def test_residual_projections_start_smaller() -> None:
    torch.manual_seed(0)
    network = Gpt(GptConfig(num_layers=8, num_heads=4, hidden_size=128, max_seq_len=64), VOCAB)
    assert network.layers[3].feed_forward.down.weight.std().item() == pytest.approx(0.02 / 4, rel=0.05)
    assert network.layers[3].attention.output.weight.std().item() == pytest.approx(0.02 / 4, rel=0.05)
    assert network.layers[3].attention.qkv.weight.std().item() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("chunk", [1, 40 * 70, 1 << 19])
def test_vocabulary_loss_equals_linear_and_cross_entropy(biased: bool, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CPU_CHUNK", "ONEDNN_CHUNK"):
        monkeypatch.setattr(module, name, chunk)
    monkeypatch.setattr(module, "SMALLEST_CHUNK", 3)
    generator = torch.Generator().manual_seed(0)
    leaves = [torch.randn(shape, generator=generator).requires_grad_() for shape in ((50, 8), (70, 8), (70,))]
    hidden, weight, bias = leaves
    labels = torch.randint(0, 70, (50,), generator=generator)
    logits = F.linear(hidden, weight, bias if biased else None)
    (F.cross_entropy(logits, labels, reduction="sum") / 7).backward()
    expected = [leaf.grad for leaf in leaves if leaf.grad is not None]
    for leaf in leaves:
        leaf.grad = None
    nll, correct = vocabulary_loss(hidden, weight, bias if biased else None, labels)
    torch.testing.assert_close(nll, F.cross_entropy(logits, labels, reduction="sum"))
    assert correct == (logits.argmax(1) == labels).sum()
    (nll / 7).backward()
    for got, wanted in zip([leaf.grad for leaf in leaves if leaf.grad is not None], expected, strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(vocabulary_loss(hidden, weight, bias if biased else None, labels)[0], nll)


def test_gelu_equals_torchs_with_its_gradient() -> None:
    x = torch.cat([torch.linspace(-40, 40, 4001), torch.tensor([0.0, 1e-30, -1e-30, 1e4, -1e4])]).requires_grad_()
    results = []
    for function in (gelu_tanh, partial(F.gelu, approximate="tanh")):
        x.grad = None
        y = function(x)
        y.backward(torch.cos(x.detach()))
        results.append((y.detach(), x.grad.clone()))
    assert not torch.equal(results[0][0], results[1][0])  # rounded differently: it is our own way that was tested
    for ours, torchs in zip(*results, strict=True):
        torch.testing.assert_close(ours, torchs, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize(("tokens_", "wide"), [((3, 5), 24), ((40,), 4), ((2, 1, 7), 12)])
def test_linear_equals_torchs(tokens_: tuple[int, ...], wide: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whichever library this machine multiplies; and, where there is a choice, by the other one."""
    ours, theirs = Linear(12, wide), torch.nn.Linear(12, wide)
    theirs.load_state_dict(ours.state_dict())
    for faster in {onednn_is_faster(), False}:
        monkeypatch.setattr(linear, "onednn_is_faster", lambda faster=faster: faster)
        inputs = [torch.linspace(-1, 1, 12 * int(np.prod(tokens_))).reshape(*tokens_, 12).requires_grad_() for _ in range(2)]
        ours.zero_grad()
        theirs.zero_grad()
        outputs = [ours(inputs[0]), theirs(inputs[1])]
        torch.testing.assert_close(*outputs, atol=1e-5, rtol=1e-5)
        for output in outputs:
            (output ** 2).sum().backward()
        for mine, other in ((inputs[0], inputs[1]), (ours.weight, theirs.weight), (ours.bias, theirs.bias)):
            torch.testing.assert_close(mine.grad, other.grad, atol=1e-4, rtol=1e-4)
        with torch.no_grad():
            assert torch.equal(ours(inputs[0]), theirs(inputs[0]))


def test_vocabulary_loss_at_the_edges() -> None:
    """A label whose probability rounds to 0 costs its finite nats; no label at all costs nothing; bf16 stays near."""
    hidden, weight = torch.tensor([[500.0]]), torch.tensor([[1.0], [0.0]], requires_grad=True)
    assert vocabulary_loss(hidden, weight, None, torch.tensor([1]))[0].item() == pytest.approx(500.0)
    nll, correct = vocabulary_loss(torch.zeros(0, 1), weight, None, torch.zeros(0, dtype=torch.long))
    nll.backward()
    assert (nll.item(), correct.item(), weight.grad.abs().sum().item()) == (0, 0, 0)
    hidden, weight = torch.randn(20, 8, requires_grad=True), torch.randn(70, 8, requires_grad=True)
    labels = torch.randint(0, 70, (20,))
    exact, _ = vocabulary_loss(hidden, weight, None, labels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded, _ = vocabulary_loss(hidden, weight, None, labels)
    rounded.backward()
    assert rounded.item() == pytest.approx(exact.item(), rel=0.02)
    assert hidden.grad.dtype == weight.grad.dtype == torch.float32
