"""What every network returns. The call is the same for all families:

model(input_ids, attention_mask=None, token_type_ids=None, *, output_hidden_states=False, output_attentions=False) -> Output

model.token_vectors() -> (vocab_size, size): every token's vector before a context is read.
model.config: the family's dataclass; its max_seq_len, where it has one, is the longest input. A model that reads a context has num_layers.
model.layers: the layers from the bottom up (or forward_layers and backward_layers); a finetune freezes and slows them down by these names.
model.spell(tokenizer): only where the model must know how its tokens are written; called once, before the first step.

What it has beside that for each of its family's capabilities (core/families/family.py):

attentions       output_attentions gives them; model.config.num_heads
hidden_states    output_hidden_states gives more than the one layer of static_vectors
static_vectors   a token has the same vector everywhere
generate         it reads left to right: token_logits(hidden) -> (..., vocab_size) scores of the next token, made of output_matrix (vocab_size,
                 hidden_size) and output_bias (vocab_size) or None; new_cache(): what has a length and, given as cache=, remembers the tokens
                 that were read, or None, and the whole text is read again for each token
fill_mask        the network of its pretraining has token_logits(hidden) of a [MASK]
directions       each vector is that of a forward model and, behind it, that of a backward one; the network of its pretraining has
                 token_logits(hidden) of one direction, through `softmax`, an nn.Linear

input_ids, attention_mask, token_type_ids: (batch, tokens) integers; attention_mask is 1 for a real token, 0 for padding.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Output:
    """last_hidden_state: (batch, tokens, hidden_size).

    hidden_states: one such tensor a layer, the embedding layer first; None unless asked for.
    attentions: one (batch, num_heads, query, key) a layer, rows sum to 1; None unless asked for.
    pooler_output: (batch, hidden_size), only where the family has a pooler.
    """

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    pooler_output: Tensor | None = None


def directions(hidden_state: Tensor) -> tuple[Tensor, Tensor]:
    """The forward and the backward model's vectors, each (..., hidden_size), of a layer (..., 2 * hidden_size)."""
    forward, backward = hidden_state.chunk(2, dim=-1)
    return forward, backward
