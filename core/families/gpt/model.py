"""GPT: a causal transformer language model (Radford et al. 2018, 2019), in GPT-2's arrangement."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.families.gpt.config import GptConfig
from core.families.outputs import Output
from core.families.transformer import (
    Attention,
    FeedForward,
    LayerCache,
    causal_mask,
    initialise,
    initialise_positions,
    padding_mask,
    scale_residual_projections,
)


class GptLayer(nn.Module):
    """x = x + attention(LN(x)); x = x + feed_forward(LN(x)): the norm comes before, the residual stream stays untouched."""

    def __init__(self, config: GptConfig) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.attention_norm = nn.LayerNorm(hidden, eps=config.layer_norm_eps)
        self.attention = Attention(hidden, config.num_heads, config.dropout)
        self.feed_forward_norm = nn.LayerNorm(hidden, eps=config.layer_norm_eps)
        self.feed_forward = FeedForward(hidden, config.intermediate_size or 4 * hidden, activation=config.activation)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor | None, causal: bool, cache: LayerCache | None,
                output_attentions: bool) -> tuple[Tensor, Tensor | None]:
        mixed, weights = self.attention(self.attention_norm(x), mask, causal=causal, cache=cache,
                                        output_attentions=output_attentions)
        x = x + self.dropout(mixed)  # (batch, tokens, hidden_size)
        x = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        return x, weights


class Cache:
    """What a Gpt remembers of the tokens that it has read, so that the next token costs one token's work."""

    def __init__(self, num_layers: int) -> None:
        self.layers = [LayerCache() for _ in range(num_layers)]

    def __len__(self) -> int:
        keys = self.layers[0].keys
        return 0 if keys is None else keys.shape[2]


class Gpt(nn.Module):
    """Token and position embeddings, the layers, a last norm; the logits are products with the token embeddings (tied), or with `output`."""

    def __init__(self, config: GptConfig, vocab_size: int) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(vocab_size, config.hidden_size)
        self.position_embedding = nn.Embedding(config.max_seq_len, config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(GptLayer(config) for _ in range(config.num_layers))
        self.final_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.output = None if config.tied else nn.Linear(config.hidden_size, vocab_size, bias=False)
        self.output_bias = nn.Parameter(torch.zeros(vocab_size)) if config.output_bias else None
        initialise(self)
        initialise_positions(self.position_embedding)
        scale_residual_projections(self.layers)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None, *,
                output_hidden_states: bool = False, output_attentions: bool = False, cache: Cache | None = None) -> Output:
        """All (batch, tokens) integers; padding stands at the end of a row. token_type_ids mean nothing to GPT.

        The last of the hidden states is the one after the final norm. cache: goes on after the tokens that it holds, which it
        then holds too; such a call takes no attention_mask.
        """
        past, tokens = 0 if cache is None else len(cache), input_ids.shape[1]
        positions = self.position_embedding.weight[past:past + tokens]  # (tokens, hidden_size)
        x = self.dropout(self.token_embedding(input_ids) + positions)  # (batch, tokens, hidden_size)

        mask = None  # with the plain triangle, attention needs none and takes its fastest way
        if attention_mask is not None:
            mask = padding_mask(attention_mask) & causal_mask(tokens, tokens, x.device)  # (batch, 1, query, key)
        elif past:
            mask = causal_mask(tokens, past + tokens, x.device)  # (query, key)
        hidden_states, attentions = [], []
        for number, layer in enumerate(self.layers):
            hidden_states.append(x)
            x, weights = layer(x, mask, mask is None, None if cache is None else cache.layers[number], output_attentions)
            attentions.append(weights)
        x = self.final_norm(x)
        hidden_states.append(x)
        return Output(
            last_hidden_state=x,
            hidden_states=tuple(hidden_states) if output_hidden_states else None,
            attentions=tuple(attentions) if output_attentions else None,
        )

    def new_cache(self) -> Cache:
        return Cache(self.config.num_layers)

    def token_vectors(self) -> Tensor:
        """What every token of the vocabulary is to the model before it has read a context. (vocab_size, hidden_size)"""
        return self.token_embedding.weight

    def token_logits(self, hidden: Tensor) -> Tensor:
        """(..., hidden_size), a last_hidden_state -> (..., vocab_size): for each token, the scores of the one that follows."""
        return F.linear(hidden, self.output_matrix, self.output_bias)

    @property
    def output_matrix(self) -> Tensor:
        """(vocab_size, hidden_size)"""
        return self.token_embedding.weight if self.output is None else self.output.weight
