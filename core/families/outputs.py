"""What every network returns. The call is the same for all families:

model(input_ids, attention_mask=None, token_type_ids=None, *, output_hidden_states=False, output_attentions=False) -> Output

model.token_vectors() -> (vocab_size, size): every token's vector before a context is read.
model.config: the family's dataclass; its max_seq_len, where it has one, is the longest input.

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
