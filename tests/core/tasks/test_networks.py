"""ScalarMix against numpy, the CRF against all paths, a BiLSTM that does not see the padding, and a mix that finds the right layer."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.registry import family
from core.tasks import data, span, tagging
from core.tasks.batches import FrozenReadings, collate
from core.tasks.crf import LinearChainCrf
from core.tasks.heads import cross_entropy
from core.tasks.labels import NOMINAL, Labels
from core.tasks.layout import Layout
from core.tasks.networks import BiLstm
from core.tasks.scalar_mix import VARIANCE_FLOOR, ScalarMix
from core.text.tokenizers import PAD, SPECIALS
from core.text.tokenizers.char import char_tokenizer


def test_smoothing_spreads_its_share_of_a_label_over_all() -> None:
    logits, labels = torch.tensor([[2.0, 0.0, -1.0], [0.5, 1.0, 3.0]]), torch.tensor([0, 1])
    logs = logits.log_softmax(dim=-1)
    wanted = -(0.7 * logs[[0, 1], labels] + 0.3 * logs.mean(dim=-1)).sum()
    value, sums = cross_entropy(logits, labels, None, 0.3)
    assert value.item() == pytest.approx(wanted.item(), rel=1e-6) and sums["accuracy"] == (1, 2.0)


@pytest.mark.parametrize("layer_norm", [False, True])
def test_scalar_mix_is_the_papers_equation(layer_norm: bool) -> None:
    rng = np.random.default_rng(0)
    layers = rng.normal(size=(3, 2, 5, 4)).astype(np.float32)  # (layers, batch, tokens, size)
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    mix = ScalarMix(3, layer_norm=layer_norm)
    with torch.no_grad():
        mix.scalar_parameters.copy_(torch.tensor([0.3, -1.0, 0.7]))
        mix.gamma.copy_(torch.tensor(1.7))
    found = mix([torch.from_numpy(layer) for layer in layers], torch.from_numpy(mask)).detach().numpy()
    w = np.exp([0.3, -1.0, 0.7])
    s = w / w.sum()
    wanted = np.zeros((2, 5, 4))
    for j in range(3):
        for row in range(2):
            h = layers[j, row]
            if layer_norm:
                real = h[mask[row] == 1]
                h = (h - real.mean()) / np.sqrt(real.var() + VARIANCE_FLOOR)
            wanted[row] += s[j] * h
    np.testing.assert_allclose(found, 1.7 * wanted, rtol=1e-5, atol=1e-5)
    assert mix.weights().sum().item() == pytest.approx(1.0)
    assert mix.penalty().item() == pytest.approx(0.3**2 + 1.0 + 0.7**2)


@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_a_task_whose_label_sits_in_one_layer_drives_that_layers_weight_up(k: int) -> None:
    torch.manual_seed(0)
    labels = torch.randint(0, 2, (256,))
    layers = [torch.randn(256, 6, 8) for _ in range(4)]
    layers[k][..., 0] += 2.0 * (2 * labels[:, None] - 1)
    mask = torch.ones(256, 6)
    mix, linear = ScalarMix(4), torch.nn.Linear(8, 2)
    optimizer = torch.optim.Adam([*mix.parameters(), *linear.parameters()], lr=0.05)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(linear(mix(layers, mask).mean(1)), labels) + 0.001 * mix.penalty()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    weights = mix.weights()
    assert int(weights.argmax()) == k and weights[k].item() > 0.4


@pytest.mark.parametrize("seed", range(4))  # what stands in the padding may come to the same tag by chance
def test_the_crf_counts_every_path(seed: int) -> None:
    torch.manual_seed(seed)
    crf = LinearChainCrf(3)
    for parameter in crf.parameters():
        torch.nn.init.normal_(parameter)
    scores = torch.randn(2, 4, 3)
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    for row, length in enumerate((4, 2)):
        values = {}
        for path in itertools.product(range(3), repeat=length):
            value = crf.start[path[0]] + crf.end[path[-1]] + sum(scores[row, t, tag] for t, tag in enumerate(path))
            values[path] = float(value + sum(crf.transition[a, b] for a, b in itertools.pairwise(path)))
        total = np.logaddexp.reduce(list(values.values()))
        best = max(values, key=values.__getitem__)
        for path in list(values)[:5]:
            tags = torch.zeros(2, 4, dtype=torch.long)
            tags[row, :length] = torch.tensor(path)
            assert float(crf.nll(scores, tags, mask)[row]) == pytest.approx(total - values[path], abs=1e-4)
        assert crf.best(scores, mask)[row, :length].tolist() == list(best)


def test_the_backward_lstm_begins_at_the_last_real_token() -> None:
    torch.manual_seed(0)
    lstm = BiLstm(4, 3)
    x = torch.randn(1, 3, 4)
    alone = lstm(x, torch.ones(1, 3, dtype=torch.long))
    padded = lstm(torch.cat([x, torch.randn(1, 2, 4)], dim=1), torch.tensor([[1, 1, 1, 0, 0]]))
    torch.testing.assert_close(padded[:, :3], alone)


def _example(texts: list[str], label: object, units: list[list[int]] | None = None) -> object:
    return data._example({"line": 1, "texts": texts, "label": label, "choices": [], "units": units or []})


def _layout(limit: int) -> Layout:
    return Layout(family("bert"), char_tokenizer([*SPECIALS, *"甲乙丙丁谁?"], lowercase=True), limit=limit, stride=0)


def test_a_batch_is_read_where_there_are_tokens_and_answered_where_the_passage_is() -> None:
    """[CLS] 谁 ? [SEP] 甲 乙 丙 [SEP], [CLS] 谁 ? [SEP] 丁 [SEP]; and a question whose passage needs one row."""
    examples = [_example(["甲乙丙丁", "谁?"], [["丁", 3]]), _example(["甲", "谁?"], [])]
    features = [span.features(_layout(8), number, example)[0] for number, example in enumerate(examples)]
    batch = collate(span.TASK, features, examples, Labels())
    assert batch["attention_mask"].tolist() == [[[1] * 8, [1] * 6 + [0] * 2], [[1] * 6 + [0] * 2, [1] + [0] * 7]]
    assert batch["answer_mask"].tolist() == [[[1, 0, 0, 0, 1, 1, 1, 0], [0, 0, 0, 0, 1, 0, 0, 0]], [[1, 0, 0, 0, 1, 0, 0, 0], [0] * 8]]
    assert batch["token_type_ids"].tolist() == [[[0] * 4 + [1] * 4, [0] * 4 + [1] * 2 + [0] * 2], [[0] * 4 + [1] * 2 + [0] * 2, [0] * 8]]
    assert (batch["input_ids"][batch["attention_mask"] == 0] == PAD).all() and batch["labels"].tolist() == [[1, 4, 4], [0, 0, 0]]


def test_units_and_their_labels_are_padded_with_what_is_ignored() -> None:
    examples = [_example(["甲乙"], ["B-X", "O"], [[0, 1], [1, 2]]), _example(["丙"], ["O"], [[0, 1]])]
    features = [tagging.features(_layout(8), number, example)[0] for number, example in enumerate(examples)]
    batch = collate(tagging.TASK, features, examples, Labels(kind=NOMINAL, names=("O", "B-X")))
    assert (batch["units"].tolist(), batch["labels"].tolist()) == ([[1, 2], [1, -1]], [[1, 0], [0, -100]])


def test_what_a_frozen_model_has_read_stands_at_its_part_and_its_row() -> None:
    class Reads(torch.nn.Linear):  # a network has parameters
        def encode(self, ids: torch.Tensor, _mask: torch.Tensor, _segments: torch.Tensor) -> SimpleNamespace:
            return SimpleNamespace(states=[ids[..., None].float(), -ids[..., None].float()], pooler_output=ids.sum(dim=1, keepdim=True).float())

    examples = [_example(["甲乙丙丁", "谁?"], [["丁", 3]]), _example(["乙", "谁?"], [])]
    features = [span.features(_layout(8), number, example)[0] for number, example in enumerate(examples)]
    batch = collate(span.TASK, features, examples, Labels())
    readings = FrozenReadings(Reads(1, 1), features)
    for _ in range(2):  # read, then remembered
        readings.add(batch, [0, 1])
        real = batch["attention_mask"].clone()
        real[1, 1] = 0  # a part that is not there
        assert batch["states"].tolist() == torch.stack([batch["input_ids"] * real, -batch["input_ids"] * real], dim=-1)[..., None].tolist()
        assert batch["pooler_output"][..., 0].tolist() == (batch["input_ids"] * real).sum(dim=-1).tolist()
