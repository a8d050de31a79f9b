"""BERT against the reference implementation, and the statistics of its batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from core import config as configs
from core.errors import UserError
from core.families.bert.config import BertConfig, BertObjective
from core.families.bert.huggingface import bert_from_transformers
from core.families.bert.model import Bert
from core.families.bert.pretrain import IGNORED, NOT_NEXT, BertForPretraining, BertPretraining, mask_tokens, places_to_guess
from core.text.tokenizers import CLS, MASK, PAD, SEP
from tests.helpers.tiny_corpus import FIRST, counting_documents, make_corpus, make_split, random_documents

VOCAB = 100
SIZES = {"model.num_layers": 2, "model.num_heads": 2, "model.hidden_size": 16, "model.max_seq_len": 32, "train.seq_len": 24,
         "train.batch_size": 8}


def pretraining(corpus: Any, **options: Any) -> BertPretraining:
    torch.manual_seed(0)
    return BertPretraining(configs.build("bert", "quick", {**SIZES, **options}), corpus)


@pytest.fixture(scope="module")
def reference() -> tuple[Any, BertForPretraining]:
    """transformers' network with random weights, larger than usual so that every part shows, and ours with the same."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(1)
    theirs = transformers.BertForPreTraining(transformers.BertConfig(
        vocab_size=VOCAB, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=48,
        max_position_embeddings=20, attn_implementation="eager")).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    config = BertConfig(num_layers=3, num_heads=4, hidden_size=32, intermediate_size=48, max_seq_len=20)
    ours = BertForPretraining(config, VOCAB).eval()
    ours.load_state_dict(bert_from_transformers(theirs.state_dict()))
    return theirs, ours


def padded_input() -> dict[str, torch.Tensor]:
    ids = torch.randint(1, VOCAB, (3, 13), generator=torch.Generator().manual_seed(2))
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    mask[2, 4:] = 0
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": (torch.arange(13) > 6).long().expand(3, -1)}


@torch.no_grad()
@pytest.mark.parametrize("names", [("input_ids",), ("input_ids", "token_type_ids"),
                                   ("input_ids", "attention_mask", "token_type_ids")])
def test_outputs_equal_those_of_transformers(reference: tuple[Any, BertForPretraining], names: tuple[str, ...]) -> None:
    theirs, ours = reference
    inputs = {name: padded_input()[name] for name in names}
    expected = theirs.bert(**inputs, output_hidden_states=True, output_attentions=True)
    heads = theirs(**inputs)
    fused = ours.encoder(**inputs, output_hidden_states=True)
    explicit = ours.encoder(**inputs, output_hidden_states=True, output_attentions=True)
    for got in (fused, explicit):
        torch.testing.assert_close(got.last_hidden_state, expected.last_hidden_state, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(got.pooler_output, expected.pooler_output, atol=1e-5, rtol=1e-5)
        assert len(got.hidden_states) == len(expected.hidden_states) == 4
        for mine, other in zip(got.hidden_states, expected.hidden_states, strict=True):
            torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-5)
    assert fused.attentions is None
    for mine, other in zip(explicit.attentions, expected.attentions, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-5)
    logits = ours.token_logits(explicit.last_hidden_state)
    torch.testing.assert_close(logits, heads.prediction_logits, atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(ours.next_sentence(explicit.pooler_output), heads.seq_relationship_logits, atol=1e-5, rtol=1e-5)


def test_loss_and_gradients_equal_those_of_transformers(reference: tuple[Any, BertForPretraining]) -> None:
    theirs, ours = reference
    inputs = padded_input()
    labels = torch.full_like(inputs["input_ids"], IGNORED)
    labels[:, 1:4] = torch.tensor([7, 8, 99])
    next_sentence = torch.tensor([0, 1, 1])
    expected = theirs(**inputs, labels=labels, next_sentence_label=next_sentence).loss
    learner = pretraining(make_corpus(make_split(random_documents(5))))
    got = learner.loss(ours, {**inputs, "labels": labels, "next_sentence_label": next_sentence, "normalizer": torch.tensor(9.0),
                              "next_sentence_normalizer": torch.tensor(3.0)})
    torch.testing.assert_close(got.value, expected, atol=1e-5, rtol=1e-5)
    theirs.zero_grad()
    ours.zero_grad()
    expected.backward()
    got.value.backward()
    gradients = bert_from_transformers({name: tensor.grad for name, tensor in theirs.named_parameters()})
    assert torch.equal(theirs.get_input_embeddings().weight, theirs.cls.predictions.decoder.weight)
    for name, tensor in ours.named_parameters():
        wanted = gradients[name]
        torch.testing.assert_close(tensor.grad, wanted, atol=2e-5, rtol=1e-3, msg=lambda text, name=name: f"{name}: {text}")


@torch.no_grad()
def test_where_only_some_places_are_wanted_they_are_as_if_all_were(reference: tuple[Any, BertForPretraining]) -> None:
    _, ours = reference
    inputs = padded_input()
    everywhere = ours.encoder(**inputs)
    places = torch.tensor([[0, 5, 3], [0, 8, 1], [0, 0, 2]])
    for output_attentions in (False, True):
        wanted = ours.encoder(**inputs, places=places, output_attentions=output_attentions)
        expected = torch.stack([row[chosen] for row, chosen in zip(everywhere.last_hidden_state, places, strict=True)])
        torch.testing.assert_close(wanted.last_hidden_state, expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(wanted.pooler_output, everywhere.pooler_output, atol=1e-5, rtol=1e-5)


def test_the_places_to_guess_are_the_first_token_and_all_labels() -> None:
    labels = torch.tensor([[-100, 7, -100, 9, -100], [-100, -100, -100, 4, -100], [-100, 3, 4, -100, 8]])
    places = places_to_guess(labels)
    assert places.shape == (3, 4) and (places[:, 0] == 0).all()
    for row, chosen in zip(labels, places, strict=True):
        kept = row[chosen]
        assert kept[kept != IGNORED].tolist() == row[row != IGNORED].tolist()


def test_a_plain_bert_model_maps_to_the_encoder(reference: tuple[Any, BertForPretraining]) -> None:
    theirs, ours = reference
    mapped = bert_from_transformers(theirs.bert.state_dict())
    assert set(mapped) == {name for name in ours.state_dict() if name.startswith("encoder.")}


def test_fifteen_percent_are_masked_and_of_these_80_10_10() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(FIRST, 30_000, (400, 64))
    source = np.arange(400 * 64).reshape(400, 64)
    ids[:, 0], ids[:, -1], source[:, 0], source[:, -1] = CLS, SEP, -1, -1
    masked, labels = mask_tokens(ids, source, np.ones(ids.size, np.uint8), BertObjective(), 30_000, rng)
    chosen = labels != IGNORED
    assert chosen.sum() / (400 * 62) == pytest.approx(0.15, abs=0.002)
    assert set(chosen.sum(1)) == {9, 10}  # 9.3 on average, in every row
    assert (labels[chosen] == ids[chosen]).all()
    assert (masked[~chosen] == ids[~chosen]).all()
    assert not chosen[:, [0, -1]].any()
    kinds = [(masked == MASK)[chosen].mean(), ((masked != MASK) & (masked != ids))[chosen].mean(), (masked == ids)[chosen].mean()]
    assert kinds == pytest.approx([0.8, 0.1, 0.1], abs=0.025)
    assert chosen[:, 1:-1].mean(0).std() < 0.03  # no place is preferred


def test_random_tokens_of_the_text_come_as_often_as_the_text_has_them() -> None:
    rng = np.random.default_rng(0)
    ids = np.where(rng.random((300, 64)) < 0.25, FIRST, rng.integers(FIRST + 1, 30_000, (300, 64)))  # one token is a quarter of the text
    source = np.arange(ids.size).reshape(ids.shape)
    ids[:, 0], source[:, 0] = CLS, -1
    shares = {}
    for whence in ("vocabulary", "text"):
        objective = BertObjective(mask_percent=40, mask_token_percent=0, random_token_percent=100, random_tokens=whence)
        masked, labels = mask_tokens(ids, source, np.ones(ids.size, np.uint8), objective, 30_000, rng)
        chosen = labels != IGNORED
        assert (labels[chosen] == ids[chosen]).all() and (masked[~chosen] == ids[~chosen]).all()
        shares[whence] = (masked[chosen] == FIRST).mean()
        assert CLS not in masked[chosen]
    assert shares["vocabulary"] < 0.01 and shares["text"] == pytest.approx(0.25, abs=0.02)


def test_whole_words_are_masked_together() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 5, 8000)
    starts = np.zeros(lengths.sum(), np.uint8)
    starts[np.cumsum(lengths) - lengths] = 1
    ids = rng.integers(FIRST, VOCAB, (300, 50))
    source = np.arange(300 * 50).reshape(300, 50)
    _, labels = mask_tokens(ids, source, starts, BertObjective(whole_word=True), VOCAB, rng)
    chosen = labels != IGNORED
    words = np.cumsum(starts[:ids.size]).reshape(300, 50)
    for row in range(300):
        for word in set(words[row][chosen[row]]):
            assert chosen[row][words[row] == word].all()
    assert chosen.mean() == pytest.approx(0.15, abs=0.005)


@pytest.mark.parametrize("next_sentence", [False, True])
def test_special_tokens_are_never_masked(next_sentence: bool) -> None:
    learner = pretraining(make_corpus(make_split(random_documents(40))), **{"objective.next_sentence": next_sentence})
    for index in range(20):
        batch = learner.batch("train", index)
        labels = batch["labels"]
        assert (labels[labels != IGNORED] >= FIRST).all()
        assert (batch["input_ids"][:, 0] == CLS).all()
        assert batch["normalizer"] == (labels != IGNORED).sum() > 0


def test_packed_rows_are_full_and_cover_the_text_once_an_epoch() -> None:
    learner = pretraining(make_corpus(make_split(counting_documents(8)), vocab_size=500), **{"objective.mask_percent": 1})
    rows, seen = learner.tokens_per_epoch // 24, []
    for index in range(-(-rows // 8)):
        batch = learner.batch("train", index)
        assert batch["input_ids"].shape == (8, 24)
        assert "attention_mask" not in batch
        text = torch.where(batch["labels"] != IGNORED, batch["labels"], batch["input_ids"])
        seen.append(text[:, 1:-1])
    tokens = torch.cat(seen)[:rows].numpy()
    tokens = tokens[tokens >= FIRST]
    assert set(tokens) == set(range(FIRST, FIRST + 400))
    assert len(tokens) < 400 + 22  # the ring's last row may read a little twice


def test_next_sentences_follow_in_half_of_the_rows() -> None:
    """Tokens count through the text, so a row shows whether B goes on where A ends and from which document it is."""
    sentences, length = 5, 10
    corpus = make_corpus(make_split(counting_documents(30, sentences=sentences, length=length)), vocab_size=2000)
    learner = pretraining(corpus, **{"objective.next_sentence": True, "train.batch_size": 64, "objective.mask_percent": 1})
    labels, begins = [], []
    for index in range(20):
        batch = learner.batch("train", index)
        ids = torch.where(batch["labels"] != IGNORED, batch["labels"], batch["input_ids"]).numpy()
        types, label = batch["token_type_ids"].numpy(), batch["next_sentence_label"].numpy()
        mask = batch["attention_mask"].numpy() if "attention_mask" in batch else np.ones_like(ids)
        labels.extend(label)
        for row in range(len(ids)):
            assert (ids[row] == SEP).sum() == 2
            first, last = np.flatnonzero(ids[row] == SEP)
            assert mask[row].sum() == last + 1
            assert (ids[row, last + 1:] == PAD).all()
            assert (types[row] == ((np.arange(len(ids[row])) > first) & (np.arange(len(ids[row])) <= last))).all()
            a, b = ids[row, 1:first], ids[row, first + 1:last]
            assert (np.diff(a) == 1).all()
            assert (np.diff(b) == 1).all()
            assert (b[0] == a[-1] + 1) == (label[row] != NOT_NEXT)
            same_document = (a[0] - FIRST) // (sentences * length) == (b[0] - FIRST) // (sentences * length)
            assert same_document == (label[row] != NOT_NEXT)
            begins.append((b[0] - FIRST) % length == 0)
    assert np.mean(labels) == pytest.approx(0.5, abs=0.05)
    assert np.mean(begins) > 0.9  # B begins with a sentence


@pytest.mark.parametrize("next_sentence", [False, True])
def test_batches_are_pure_functions(next_sentence: bool) -> None:
    corpus, options = make_corpus(make_split(random_documents(40))), {"objective.next_sentence": next_sentence}
    one, other = pretraining(corpus, **options), pretraining(corpus, **options)
    late = one.batch("train", 70)
    [other.batch("train", index) for index in range(3)]
    again = other.batch("train", 70)
    assert late.keys() == again.keys()
    assert all(torch.equal(late[name], again[name]) for name in late)
    assert not torch.equal(one.batch("train", 71)["input_ids"], late["input_ids"])
    different = pretraining(corpus, **options, **{"train.seed": 1}).batch("train", 70)["input_ids"]
    assert different.shape != late["input_ids"].shape or not torch.equal(different, late["input_ids"])
    assert torch.equal(one.batch("valid", 2)["labels"], other.batch("valid", 2)["labels"])


@pytest.mark.parametrize("next_sentence", [False, True])
def test_micro_batches_add_up(next_sentence: bool) -> None:
    learner = pretraining(make_corpus(make_split(random_documents(40))), **{"objective.next_sentence": next_sentence})
    batch = learner.batch("train", 0)
    whole = learner.loss(learner.network, batch)
    whole.value.backward()
    gradients = {name: tensor.grad.clone() for name, tensor in learner.network.named_parameters() if tensor.grad is not None}
    learner.network.zero_grad()
    parts = []
    for rows in (slice(0, 3), slice(3, 8)):
        parts.append(learner.loss(learner.network, {name: item[rows] if item.dim() else item for name, item in batch.items()}))
        parts[-1].value.backward()
    torch.testing.assert_close(parts[0].value + parts[1].value, whole.value, atol=1e-5, rtol=1e-5)
    for name, (total, count) in whole.sums.items():
        assert sum(float(part.sums[name][0]) for part in parts) == pytest.approx(float(total), rel=1e-5)
        assert sum(part.sums[name][1] for part in parts) == count
    assert float(whole.sums["loss"][0]) / whole.sums["loss"][1] == pytest.approx(whole.value.item(), rel=1e-6)
    for name, tensor in learner.network.named_parameters():
        if tensor.requires_grad:
            torch.testing.assert_close(tensor.grad, gradients[name], atol=1e-6, rtol=1e-4)
    frozen = {name for name, tensor in learner.network.named_parameters() if not tensor.requires_grad}
    assert any(name.startswith("encoder.pooler") for name in frozen) != next_sentence


@pytest.mark.parametrize("documents", [[[[9]]], [[[9, 10]]], [[[9, 10, 11], [12]]], [[[9]], [[10]], [[11]]],
                                       [[[9]], [[]], [[8, 7, 9]]]])
@pytest.mark.parametrize("next_sentence", [False, True])
def test_the_tiniest_texts_can_be_learnt(documents: list[list[list[int]]], next_sentence: bool) -> None:
    learner = pretraining(make_corpus(make_split(documents)), **{"objective.next_sentence": next_sentence})
    for split in ("train", "valid"):
        batch = learner.batch(split, 3)
        assert (batch["labels"] != IGNORED).any(1).all()
        assert torch.isfinite(learner.loss(learner.network, batch).value)


def test_no_text_is_an_error_for_people() -> None:
    with pytest.raises(UserError, match="no text to learn from"):
        pretraining(make_corpus(make_split([[]])))
    learner = pretraining(make_corpus(make_split([[[9, 10]]]), make_split([[]])))
    with pytest.raises(UserError, match="validation"):
        learner.batch("valid", 0)


def test_it_learns_to_look_at_the_neighbours() -> None:
    documents = [[[FIRST + number % 10] * 60] for number in range(30)]
    learner = pretraining(make_corpus(make_split(documents), vocab_size=FIRST + 10), **{"objective.mask_percent": 15})
    optimizer = torch.optim.AdamW(learner.network.parameters(), lr=5e-3)
    losses = []
    for step in range(150):
        loss = learner.loss(learner.network, learner.batch("train", step)).value
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[:5]) > 2.0
    assert np.mean(losses[-10:]) < 1.0


def test_position_embeddings_begin_so_that_distance_can_be_read() -> None:
    positions = Bert(BertConfig(num_layers=1, num_heads=2, hidden_size=32, max_seq_len=64), 20).position_embedding.weight.detach()
    products = positions @ positions.t()  # (64, 64)
    for distance in (0, 1, 5, 30):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along.mean().expand_as(along), rtol=1e-4, atol=1e-6)  # whatever the place, only the distance counts
    assert products[10, 10] > products[10, 11] > products[10, 14]
