"""ELMo against plain nn.LSTM and the paper's formula; its two directions never see each other's side."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from core import config
from core.errors import UserError
from core.families import vocabulary_loss
from core.families.elmo.config import ElmoConfig
from core.families.elmo.model import CharacterCNN, Elmo
from core.families.elmo.pretrain import ElmoPretraining, LogUniform, sampled_softmax_loss
from core.families.outputs import directions
from core.families.vocabulary_loss import subsampled_loss
from core.text.tokenizers import BOS, EOS
from tests.helpers.tiny_corpus import make_corpus, make_split, random_documents

CPU = torch.device("cpu")
SMALL = {"num_layers": 2, "hidden_size": 12, "dropout": 0.0, "max_seq_len": 32}


@pytest.fixture(params=[0, 20], ids=["plain", "projected"])
def model(request: pytest.FixtureRequest) -> Elmo:
    torch.manual_seed(0)
    return Elmo(ElmoConfig(**SMALL, cell_size=request.param), vocab_size=50).eval()


@torch.no_grad()
def test_layers_are_those_of_plain_lstms_with_the_residual_between_them(model: Elmo) -> None:
    ids = torch.randint(7, 50, (3, 9))
    states = model(ids, output_hidden_states=True).hidden_states
    token = model.embedding(ids)
    size, cell = 12, model.config.cell_size
    expected = [torch.cat([token, token], dim=-1)]
    forward, backward = token, token.flip(1)
    for layer, (ahead, behind) in enumerate(zip(model.forward_layers, model.backward_layers, strict=True)):
        outputs = []
        for lstm, x in ((ahead, forward), (behind, backward)):
            plain = nn.LSTM(size, cell or size, proj_size=size if cell else 0, batch_first=True)
            plain.load_state_dict(lstm.state_dict())
            outputs.append(plain(x)[0] + (x if layer else 0))
        forward, backward = outputs
        expected.append(torch.cat([forward, backward.flip(1)], dim=-1))
    assert len(states) == 3
    for mine, theirs in zip(states, expected, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_one_lstm_step_is_the_papers_formula() -> None:
    model = Elmo(ElmoConfig(**SMALL), vocab_size=50).eval()
    lstm, x = model.forward_layers[0], model.embedding(torch.tensor([[9]]))[0, 0].numpy()
    weight, bias = lstm.weight_ih_l0.numpy(), (lstm.bias_ih_l0 + lstm.bias_hh_l0).numpy()
    i, _f, g, o = np.split(weight @ x + bias, 4)  # the state before is 0, so the forget gate has nothing to forget

    def sigmoid(value: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-value))

    expected = sigmoid(o) * np.tanh(sigmoid(i) * np.tanh(g))
    mine = directions(model(torch.tensor([[9]]), output_hidden_states=True).hidden_states[1])[0][0, 0].numpy()
    np.testing.assert_allclose(mine, expected, atol=1e-6)


@torch.no_grad()
def test_each_direction_is_blind_to_the_other_side(model: Elmo) -> None:
    ids = torch.randint(7, 50, (1, 10))
    other = ids.clone()
    other[0, 6] = 49 if ids[0, 6] != 49 else 48
    for mine, changed in zip(model(ids, output_hidden_states=True).hidden_states, model(other, output_hidden_states=True).hidden_states, strict=True):
        (ahead, behind), (ahead_changed, behind_changed) = directions(mine), directions(changed)
        assert torch.equal(ahead[:, :6], ahead_changed[:, :6])
        assert torch.equal(behind[:, 7:], behind_changed[:, 7:])
        assert not torch.equal(ahead[:, 6], ahead_changed[:, 6]) and not torch.equal(behind[:, 6], behind_changed[:, 6])


@torch.no_grad()
def test_padding_changes_nothing(model: Elmo) -> None:
    short, long = torch.randint(7, 50, (1, 5)), torch.randint(7, 50, (1, 8))
    ids = torch.zeros((2, 8), dtype=torch.long)
    ids[0, :5], ids[1] = short, long
    mask = torch.tensor([[1] * 5 + [0] * 3, [1] * 8])
    together = model(ids, mask).last_hidden_state
    torch.testing.assert_close(together[0, :5], model(short).last_hidden_state[0], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(together[1], model(long).last_hidden_state[0], atol=1e-6, rtol=1e-5)


def test_an_apple_gpu_cannot_project_and_says_so() -> None:
    ids = SimpleNamespace(device=SimpleNamespace(type="mps"))
    with pytest.raises(UserError, match="cell_size is not 0 on an Apple GPU") as refused:
        Elmo(ElmoConfig(**SMALL, cell_size=20), vocab_size=50)(ids)
    assert refused.value.where == "device" and "cpu" in refused.value.hint


@torch.no_grad()
def test_the_character_cnn_makes_a_vector_of_a_words_characters() -> None:
    cnn = CharacterCNN(4, ElmoConfig(max_characters=8, hidden_size=8)).eval()
    cnn.spell(["apple", "apples", "苹果", "apple"])
    vectors = cnn(torch.tensor([[0, 1, 2, 3]]))[0]
    assert vectors.shape == (4, 8)
    assert torch.allclose(vectors[0], vectors[3]) and not torch.allclose(vectors[0], vectors[1])


def pretraining(**options: object) -> ElmoPretraining:
    made = config.build("elmo", "quick", {"hidden_size": 12, "seq_len": 10, "batch_size": 4, "dropout": 0.0, "objective.sample": 0.0, **options})
    return ElmoPretraining(made, make_corpus(make_split(random_documents(40))))


def test_the_loss_is_both_models_log_likelihood_by_the_shared_softmax() -> None:
    torch.manual_seed(0)
    made = pretraining()
    batch = made.batch("train", 3)
    ids = batch["input_ids"]
    ahead, behind = directions(made.network.encoder(ids).last_hidden_state)
    total, count = 0.0, 0
    for row in range(len(ids)):
        for place in range(ids.shape[1]):
            for hidden, target in ((ahead, place + 1), (behind, place - 1)):
                mark = BOS if target > place else EOS  # known, so not guessed
                known = 0 <= target < ids.shape[1] and ids[row, target] != mark
                if known:
                    log_p = torch.log_softmax(made.network.token_logits(hidden[row, place]), dim=-1)
                    total -= log_p[ids[row, target]].item()
                    count += 1
    loss = made.loss(made.network, batch)
    assert int(batch["normalizer"]) == count
    assert loss.value.item() == pytest.approx(total / count, rel=1e-4)
    assert loss.sums["loss"][1] == count


def test_with_vectors_from_the_text_the_softmax_begins_with_them_and_with_each_tokens_share_of_the_labels() -> None:
    documents = [[[10, 10, 11]], [[10, 12, 10, 11]]]
    options = {"model.hidden_size": 8, "train.seq_len": 9, "train.batch_size": 2}
    corpus = make_corpus(make_split(documents), vocab_size=14)
    made = {start: ElmoPretraining(config.build("elmo", "quick", {**options, "objective.first_vectors": start}), corpus)
            for start in ("random", "cooccurrence")}
    assert not made["random"].network.softmax.bias.any()
    network = made["cooccurrence"].network
    assert torch.equal(network.softmax.weight, network.encoder.embedding.weight)
    share = network.softmax.bias.detach().exp()
    # both models together guess every token twice, and the end and the beginning of each document once
    expected = {10: 8, 11: 4, 12: 2, EOS: 2, BOS: 2}
    total = sum(expected.values()) + 14
    assert share.sum().item() == pytest.approx(1, abs=1e-5)
    for token in range(14):
        assert share[token].item() == pytest.approx((expected.get(token, 0) + 1) / total, rel=1e-5)


def test_a_batch_is_a_function_of_seed_and_step_alone() -> None:
    one, two = pretraining(), pretraining()
    one.batch("train", 0)
    assert torch.equal(one.batch("train", 7)["input_ids"], two.batch("train", 7)["input_ids"])
    assert not torch.equal(one.batch("train", 8)["input_ids"], two.batch("train", 7)["input_ids"])


def test_sampled_softmax_comes_near_the_full_one_and_trains_the_same_way() -> None:
    torch.manual_seed(0)
    vocab, size = 400, 8
    weight, bias = torch.randn(vocab, size, requires_grad=True), torch.zeros(vocab, requires_grad=True)
    hidden = torch.randn(64, size)
    labels = torch.randint(0, vocab, (64,))
    full = nn.functional.cross_entropy(hidden @ weight.t() + bias, labels, reduction="sum")
    expected = torch.autograd.grad(full, weight)[0]
    losses, gradients, negatives = [], [], LogUniform(np.random.default_rng(0).random(vocab), 200)
    for seed in range(60):
        loss = sampled_softmax_loss(hidden, weight, bias, labels, *negatives.draw(seed, CPU))
        losses.append(loss.item())
        gradients.append(torch.autograd.grad(loss, weight)[0])
    full = float(full.detach())
    assert 0.7 * full < np.mean(losses) < full, "an estimate from below"
    mean = torch.stack(gradients).mean(0)
    assert nn.functional.cosine_similarity(mean.flatten(), expected.flatten(), dim=0) > 0.9


@pytest.mark.parametrize("rank", [0, 399])
def test_each_sampled_token_counts_for_all_that_were_not_drawn(rank: int) -> None:
    """With equal scores for all tokens, exp(loss) is 1 and, in the mean, P(label is drawn) for each other token, however seldom drawn."""
    vocab, samples = 400, 100
    frequencies = np.random.default_rng(0).random(vocab)
    label, negatives = int(np.argsort(-frequencies)[rank]), LogUniform(frequencies, samples)
    zeros = torch.zeros(1, 4), torch.zeros(vocab, 4), torch.zeros(vocab), torch.tensor([label])
    found = [math.exp(sampled_softmax_loss(*zeros, *negatives.draw(seed, CPU)).item()) for seed in range(400)]
    drawn = 1 - (1 - math.log((rank + 2) / (rank + 1)) / math.log(vocab + 1)) ** samples
    assert np.mean(found) - 1 == pytest.approx(drawn * (vocab - 1), rel=0.05)


def test_negatives_are_drawn_by_how_frequent_the_tokens_are_in_the_text_wherever_they_stand_in_the_vocabulary() -> None:
    counts = {90: 300, 50: 100, 7: 30, 60: 10}
    text = [[[token] * count] for token, count in counts.items()]
    made = ElmoPretraining(config.build("elmo", "quick", {"hidden_size": 12, "seq_len": 10, "batch_size": 4, "sampled_softmax": 20}),
                           make_corpus(make_split(text)))
    drawn, steps = np.zeros(100), 400
    for seed in range(steps):
        tokens, log_expected = made._negatives.draw(seed, CPU)
        drawn[tokens.numpy()] += 1 / steps
    assert list(np.argsort(-log_expected.numpy())[:3]) == [90, 50, 7]
    np.testing.assert_allclose(drawn, log_expected.exp().numpy(), atol=0.1)
    assert log_expected.dtype == torch.float32


def test_sampled_softmax_trains_and_validation_uses_the_full_one() -> None:
    made = pretraining(sampled_softmax=20)
    batch = made.batch("train", 0)
    assert math.isfinite(made.loss(made.network, batch).value.item())
    assert "sample_seed" in batch and "sample_seed" not in made.batch("valid", 0)


def test_of_labels_that_stayed_the_same_softmax_is_learnt_and_told_as_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ONEDNN_CHUNK", "CPU_CHUNK"):
        monkeypatch.setattr(vocabulary_loss, name, 7 * 30)
    monkeypatch.setattr(vocabulary_loss, "SMALLEST_CHUNK", 7)
    rng, labels = np.random.default_rng(0), 500
    torch.manual_seed(0)
    leaves = [torch.randn(shape, requires_grad=True) for shape in ((labels, 6), (30, 6), (30,))]
    label, kept = torch.randint(0, 30, (labels,)), torch.linspace(0.2, 1.0, 30)
    logits = nn.functional.linear(*leaves)
    all_nll, all_correct = nn.functional.cross_entropy(logits, label, reduction="sum").item(), (logits.argmax(1) == label).sum().item()

    def stayed() -> torch.Tensor:
        return torch.from_numpy(rng.random(labels) < kept[label].numpy())

    mine = stayed()
    expected = nn.functional.cross_entropy((logits + kept.log())[mine], label[mine], reduction="sum")
    nll, _ = subsampled_loss(leaves[0][mine], *leaves[1:], label[mine], kept)
    torch.testing.assert_close(nll, expected)
    for got, wanted in zip(torch.autograd.grad(nll, leaves), torch.autograd.grad(expected, leaves), strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-4, rtol=1e-4)
    with torch.no_grad():
        told = torch.stack([subsampled_loss(leaves[0][mine], *leaves[1:], label[mine], kept)[1] for mine in (stayed() for _ in range(300))])
    np.testing.assert_allclose(told.mean(0).numpy(), [all_nll, all_correct, labels], rtol=0.02)


def test_frequent_tokens_are_guessed_less_often_in_training_and_always_in_validation() -> None:
    text, vocab = [[[10] * 90 + [11] * 9 + [12]]], 14
    corpus = make_corpus(make_split(text * 20), make_split(text), vocab_size=vocab)
    options = {"hidden_size": 12, "seq_len": 20, "batch_size": 8}
    all_, some = (ElmoPretraining(config.build("elmo", "quick", {**options, "objective.sample": sample}), corpus) for sample in (0.0, 0.05))
    guessed = np.zeros((2, vocab))
    for made, found in zip((all_, some), guessed, strict=True):
        for step in range(40):
            batch = made.batch("train", step)
            ids = batch["input_ids"]
            tokens = torch.cat([ids[:, 1:][batch["guess_next"]], ids[:, :-1][batch["guess_previous"]]])
            assert batch["normalizer"] == len(tokens)
            found += np.bincount(tokens.numpy(), minlength=vocab)
    share = 0.05 * sum(guessed[0]) / guessed[0][[10, 11, 12]]
    np.testing.assert_allclose((guessed[1] / guessed[0].clip(1))[[10, 11, 12]], np.minimum(np.sqrt(share) + share, 1), rtol=0.05)
    loss = some.loss(some.network, some.batch("train", 0))
    assert loss.value.item() > 0 and loss.sums["loss"][1].item() > len(some.batch("train", 0)["input_ids"])
    assert "subsampled" not in some.batch("valid", 0)
    for name, value in all_.batch("valid", 0).items():
        assert torch.equal(value, some.batch("valid", 0)[name])


def test_a_projection_must_make_smaller() -> None:
    with pytest.raises(UserError, match="cell_size"):
        ElmoConfig(hidden_size=64, cell_size=32)
