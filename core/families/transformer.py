"""What BERT and GPT share: attention, the feed-forward part, initialisation (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.families.gelu import gelu_tanh
from core.families.linear import Linear

INITIAL_STD = 0.02  # of every matrix, in BERT as in GPT
POSITION_SCALE = 2.5 * INITIAL_STD  # of the sinusoids that position embeddings begin as: louder than the tokens' embeddings
TOKEN_SCALE = 0.05  # of token embeddings that begin with what is known of the tokens: as loud as the positions
ACTIVATIONS = {"gelu": F.gelu, "gelu_tanh": gelu_tanh, "relu": F.relu}


class LayerCache:
    """The keys and values that one layer has computed for the tokens so far: (batch, num_heads, tokens, head_size) each."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Add those of new tokens; returns all of them."""
        if self.keys is not None and self.values is not None:
            keys, values = torch.cat([self.keys, keys], dim=2), torch.cat([self.values, values], dim=2)
        self.keys, self.values = keys, values
        return keys, values


class Attention(nn.Module):
    """softmax(Q K^T / sqrt(head_size)) V for each head, heads joined and mixed once more (Vaswani et al. 2017, equation 1)."""

    def __init__(self, hidden_size: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads, self.dropout = num_heads, dropout
        self.qkv = Linear(hidden_size, 3 * hidden_size)  # query, key and value in one multiplication
        self.output = Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, mask: Tensor | None = None, *, causal: bool = False, cache: LayerCache | None = None,
                output_attentions: bool = False, asking: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """x: (batch, tokens, hidden_size). mask: bool, broadcast to (batch, num_heads, query, key), True where a query may look.

        causal: each token sees itself and what stands before it; used where mask is None.
        asking: (batch, queries, hidden_size), those of the tokens that look at x; all of them by default.
        Returns (batch, queries, hidden_size) and, when asked for, the weights (batch, num_heads, query, key).
        """
        batch, tokens, hidden = x.shape
        if asking is None:
            parts = self.qkv(x).split(hidden, dim=2)
        else:
            tokens = asking.shape[1]  # as many as come out
            parts = self.qkv(asking, slice(hidden)), *self.qkv(x, slice(hidden, None)).split(hidden, dim=2)
        # each (batch, num_heads, tokens, head_size), of the query so many as ask
        query, key, value = (part.unflatten(2, (self.num_heads, -1)).transpose(1, 2) for part in parts)
        if cache is not None:
            key, value = cache.extend(key, value)
        dropout = self.dropout if self.training else 0.0
        weights = None
        if output_attentions:  # the fused kernel never holds the weights, so here they are computed step by step
            if mask is None and causal:
                mask = causal_mask(tokens, key.shape[2], x.device)
            scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])  # (batch, num_heads, query, key)
            if mask is not None:
                scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
            weights = scores.softmax(dim=-1)
            mixed = F.dropout(weights, dropout) @ value
        else:
            mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout,
                                                   is_causal=causal and mask is None)
        joined = mixed.transpose(1, 2).reshape(batch, tokens, hidden)  # the heads side by side again
        return self.output(joined), weights


class FeedForward(nn.Module):
    """W2 gelu(W1 x + b1) + b2, each token by itself (Vaswani et al. 2017, equation 2, with GELU for ReLU)."""

    def __init__(self, hidden_size: int, intermediate_size: int, *, activation: str) -> None:
        """activation: one of ACTIVATIONS; "gelu" is the exact function (BERT), "gelu_tanh" what GPT-2 was trained with."""
        super().__init__()
        self.activation = activation
        self.up = Linear(hidden_size, intermediate_size)
        self.down = Linear(intermediate_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(ACTIVATIONS[self.activation](self.up(x)))


def causal_mask(queries: int, keys: int, device: torch.device) -> Tensor:
    """(queries, keys) bool: the last query sees all keys, the one before it all but the last, and so on."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)


def padding_mask(attention_mask: Tensor) -> Tensor:
    """(batch, keys) of 1 and 0 -> (batch, 1, 1, keys) bool."""
    return attention_mask.bool()[:, None, None, :]


def initialise(network: nn.Module) -> None:
    """Matrices and embeddings from N(0, 0.02), biases 0, layer norms the identity (Devlin et al. 2019, Radford et al. 2019)."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=INITIAL_STD)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)


def initialise_positions(embedding: nn.Embedding) -> None:
    """Let learnt position embeddings begin as sinusoids, as those of Vaswani et al. 2017, section 3.5, and learn from there on.

    From random positions a small model first has to find out, pair by pair, which positions are neighbours: for thousands of
    steps it reads a text as a bag of words. In sinusoids any distance is one linear map from the start. The longest wave is
    as long as the text can be (the paper's 10,000 would spend half of the vector on numbers that hardly change).
    """
    with torch.no_grad():
        embedding.weight.copy_(POSITION_SCALE * sinusoids(*embedding.weight.shape))


def sinusoids(positions: int, size: int) -> Tensor:
    """(positions, size): the sine and the cosine of wave k = 0, 1, ... side by side, of frequency positions^(-2k / size)."""
    frequency = positions ** (-torch.arange(0, size, 2) / size)  # (size / 2, rounded up)
    angle = torch.arange(positions)[:, None] * frequency  # (positions, size / 2)
    return torch.stack([torch.sin(angle), torch.cos(angle)], dim=2).flatten(1)[:, :size]


def scale_residual_projections(layers: nn.ModuleList) -> None:
    """Make what each layer adds to the residual stream smaller by sqrt(2 layers), so that its size does not grow with depth.

    (Radford et al. 2019, section 2.3.) Each layer adds twice: attention.output and feed_forward.down.
    """
    for layer in layers:
        for projection in (layer.attention.output, layer.feed_forward.down):
            nn.init.normal_(projection.weight, std=INITIAL_STD / math.sqrt(2 * len(layers)))
