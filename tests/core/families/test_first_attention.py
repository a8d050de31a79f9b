"""Attention that begins at near tokens: every head looks where it should, whatever the tokens are, can learn, and only where asked."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core import config
from core.families.bert import pretrain as bert
from core.families.first_attention import begin_with_neighbours, position_room
from core.families.gpt import pretrain as gpt
from core.families.transformer import TOKEN_SCALE
from core.registry import family, load
from tests.helpers.tiny_corpus import make_corpus, make_split, random_documents

VOCAB, TOKENS = 300, 40
SIZES = {"model.num_layers": 3, "train.seq_len": 24, "train.batch_size": 4}
FAMILIES = {"bert": bert.OFFSETS, "gpt": gpt.OFFSETS}


def encoder_of(name: str, hidden: int, heads: int, positions: int) -> Any:
    torch.manual_seed(0)
    made = config.build(name, "quick", {**SIZES, "model.hidden_size": hidden, "model.num_heads": heads, "model.max_seq_len": positions})
    return load(family(name).model)(made.model, VOCAB).eval()


@torch.no_grad()
@pytest.mark.parametrize("loudness", [0.02, TOKEN_SCALE])
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("hidden", "heads", "positions"), [(128, 4, 128), (96, 4, 64), (512, 8, 512), (768, 12, 512)])
def test_every_head_looks_most_where_it_should(name: str, hidden: int, heads: int, positions: int, loudness: float) -> None:
    encoder, room = encoder_of(name, hidden, heads, positions), position_room(hidden)
    encoder.token_embedding.weight.normal_(std=loudness)
    begin_with_neighbours(encoder, FAMILIES[name])
    assert not encoder.token_embedding.weight[:, :room].any() and not encoder.position_embedding.weight[:, room:].any()
    ids = torch.randint(0, VOCAB, (6, TOKENS), generator=torch.Generator().manual_seed(1))
    for layer, weights in enumerate(encoder(ids, output_attentions=True).attentions):  # (batch, head, query, key)
        if layer and hidden > 128:
            break  # what the first layers add drowns the positions in a wide GPT
        mean = weights.mean(dim=0)
        for head in range(heads):
            offset = FAMILIES[name][head % 4]
            there = mean[head].diagonal(offset)[4:-4]  # of tokens that have such a neighbour
            assert there.mean() > (0.35 if layer == 0 else 0.12)  # all alike would be 1 / 40, or 1 / 20 where later tokens are hidden
            itself = [0] if layer else []  # later layers also find what the first ones have written at the token itself
            rest = [mean[head].diagonal(other)[4:-4].mean() for other in range(-8, 9) if other not in (offset, *itself)]
            assert there.mean() > max(rest)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_quick_preset_begins_so_and_the_others_do_not(name: str) -> None:
    assert config.build(name, "quick").objective.first_attention == "neighbours"
    assert config.build(name, "base").objective.first_attention == "random"
    corpus = make_corpus(make_split(random_documents(30)))
    weights = {}
    for start in ("random", "neighbours"):
        torch.manual_seed(0)
        options = {**SIZES, "model.hidden_size": 32, "model.num_heads": 4, "model.max_seq_len": 24, "objective.first_attention": start}
        weights[start] = load(family(name).pretrain)(config.build(name, "quick", options), corpus).network.encoder.state_dict()
    changed = {key for key in weights["random"] if not torch.equal(weights["random"][key], weights["neighbours"][key])}
    assert changed == {"token_embedding.weight", "position_embedding.weight", *(f"layers.{layer}.attention.qkv.weight" for layer in range(3))}
    before, after = (weights[start]["layers.1.attention.qkv.weight"] for start in ("random", "neighbours"))
    assert torch.equal(before[64:], after[64:])  # the values are as they were
    known = weights["neighbours"]["token_embedding.weight"][:, 8:].any(dim=1)
    assert known.any() and not weights["neighbours"]["token_embedding.weight"][:, :8].any()


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("hidden", "heads"), [(8, 1), (8, 4), (12, 2), (16, 16), (33, 3), (96, 4), (128, 4), (128, 8)])
def test_every_row_of_queries_and_keys_can_learn(name: str, hidden: int, heads: int) -> None:
    """A row of zeros in both would stay so for ever: each one's gradient is a multiple of the other."""
    encoder = encoder_of(name, hidden, heads, 24).train()
    begin_with_neighbours(encoder, FAMILIES[name])
    encoder(torch.randint(0, VOCAB, (4, 8), generator=torch.Generator().manual_seed(1))).last_hidden_state.square().cos().sum().backward()
    for layer in encoder.layers:
        weight = layer.attention.qkv.weight
        assert torch.isfinite(weight).all()
        assert weight.grad[: 2 * hidden].any(dim=1).all()


def test_a_first_layer_knows_its_neighbour_from_the_first_step() -> None:
    """What no random attention does: of two rows that differ in one token, only the token after it changes much."""
    encoder = encoder_of("gpt", 128, 1, 64)
    encoder.token_embedding.weight.data.normal_(std=TOKEN_SCALE)
    changes = {}
    ids = torch.randint(0, VOCAB, (1, TOKENS), generator=torch.Generator().manual_seed(1))
    other = ids.clone()
    other[0, 20] = (ids[0, 20] + 1) % VOCAB
    for start in ("random", "neighbours"):
        if start == "neighbours":
            begin_with_neighbours(encoder, (-1,))
        with torch.no_grad():
            one, two = (encoder.layers[0].attention(encoder.layers[0].attention_norm(
                encoder.token_embedding(row) + encoder.position_embedding.weight[:TOKENS]), causal=True)[0] for row in (ids, other))
        change = (one - two).norm(dim=2)[0]
        changes[start] = (change[21] / change[24:].mean()).item()
    assert changes["neighbours"] > 10 * changes["random"]
