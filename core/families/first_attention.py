"""Attention that begins with what stands near: each head looks at the token at one distance, and learns from there on.

Random queries and keys look at all tokens alike: a small model reads a text as a bag of words until it has found out what stands
where, which takes most of a short run. But where positions are sinusoids, a shift by a distance d is one rotation R(d) of them
(Vaswani et al. 2017, section 3.5), so with

    query_i = w R(d) p_i,  key_j = w p_j:    query_i . key_j = w^2 * the sum over waves of cos(f (i + d - j))

a head's scores are greatest at j = i + d. For that, positions have the first numbers of a vector to themselves, and tokens the rest.
(In later layers less so: what the layers before have added is there as well, the more the wider the model.)
benchmarks/first_attention.py says what it is worth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from core.families.cooccurrence import begin_with_cooccurrence
from core.families.family import COOCCURRENCE, NEIGHBOURS
from core.families.transformer import POSITION_SCALE, TOKEN_SCALE, sinusoids

if TYPE_CHECKING:
    from core.text.corpus import Split

POSITION_SHARE = 4  # the positions' part of a vector: one number in so many
PEAK = 7.5  # a head's score where it looks, in logits; elsewhere about 0


def begin(encoder: nn.Module, objective: Any, split: Split, seed: int, offsets: Sequence[int]) -> None:
    """What a transformer knows before the first step, as its objective's first_vectors and first_attention have it."""
    near = objective.first_attention == NEIGHBOURS
    if objective.first_vectors == COOCCURRENCE:
        room = position_room(encoder.token_embedding.embedding_dim) if near else 0
        begin_with_cooccurrence(encoder.token_embedding, split, seed, TOKEN_SCALE, room)
    if near:
        begin_with_neighbours(encoder, offsets)


def position_room(size: int) -> int:
    """How many numbers of a vector, the first ones, are the positions' alone: a sine and a cosine at least."""
    return max(2, size // POSITION_SHARE // 2 * 2)


def begin_with_neighbours(encoder: nn.Module, offsets: Sequence[int]) -> None:
    """Set the positions, and of every head's queries and keys as many rows as there are waves; take the tokens out of the positions' room.

    encoder: with token_embedding, as loud as it will be, position_embedding and layers with an `attention`
    (core/families/transformer.py). offsets: what each head looks at, from the token itself; head h has offsets[h % len(offsets)].
    The other rows, the values and all else stay as they are. A head of one number has no room for a wave, and stays as well.
    """
    positions, size = encoder.position_embedding.weight.shape
    room = position_room(size)
    with torch.no_grad():
        tokens = encoder.token_embedding.weight
        tokens[:, :room] = 0
        encoder.position_embedding.weight.zero_()
        encoder.position_embedding.weight[:, :room] = POSITION_SCALE * math.sqrt(size / room) * sinusoids(positions, room)
        loudness = POSITION_SCALE**2 / (POSITION_SCALE**2 + 2 * tokens.square().mean().item())  # the positions' share of a normed vector's square
        wave_square = loudness * size / (room / 2)  # of one wave, sine and cosine together
        for layer in encoder.layers:
            attention, head_size = layer.attention, size // layer.attention.num_heads
            waves = min(max(room // 4, 1), head_size // 2)  # the faster half of them: the slow ones hardly tell neighbours apart
            strength = math.sqrt(PEAK * math.sqrt(head_size) / (max(waves, 1) * wave_square))
            for head in range(attention.num_heads):
                query, key = (attention.qkv.weight[start + head * head_size:][:2 * waves] for start in (0, size))
                query.zero_()
                key.zero_()
                for wave in range(waves):
                    angle = offsets[head % len(offsets)] * positions ** (-2 * wave / room)
                    pair = slice(2 * wave, 2 * wave + 2)  # its sine and its cosine
                    key[pair, pair] = strength * torch.eye(2)
                    query[pair, pair] = strength * torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
