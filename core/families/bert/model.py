"""BERT's encoder (Devlin et al. 2019, https://arxiv.org/abs/1810.04805): a bidirectional transformer with post-layer-norm."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.families.bert.config import BertConfig
from core.families.outputs import Output
from core.families.places import take
from core.families.transformer import Attention, FeedForward, initialise, initialise_positions, padding_mask

NUM_SEGMENTS = 2  # sentence A and sentence B


class BertLayer(nn.Module):
    """x = LN(x + attention(x)); x = LN(x + feed_forward(x)): the norm comes after the sum, as in the first transformer."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.attention = Attention(hidden, config.num_heads, config.dropout)
        self.attention_norm = nn.LayerNorm(hidden, eps=config.layer_norm_eps)
        self.feed_forward = FeedForward(hidden, config.intermediate_size or 4 * hidden, activation=config.activation)
        self.feed_forward_norm = nn.LayerNorm(hidden, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor | None, output_attentions: bool, places: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """places: (batch, places), where the layer's output is wanted; everywhere by default."""
        wanted = None if places is None else take(x, places)
        mixed, weights = self.attention(x, mask, output_attentions=output_attentions, asking=wanted)
        x = self.attention_norm((x if wanted is None else wanted) + self.dropout(mixed))  # (batch, tokens or places, hidden_size)
        x = self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))
        return x, weights


class Bert(nn.Module):
    """Token, position and segment embeddings, summed and normed; the layers; a pooler over [CLS] (section 3, figure 2)."""

    def __init__(self, config: BertConfig, vocab_size: int) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.config = config
        self.token_embedding = nn.Embedding(vocab_size, hidden)
        self.position_embedding = nn.Embedding(config.max_seq_len, hidden)
        self.segment_embedding = nn.Embedding(NUM_SEGMENTS, hidden)
        self.embedding_norm = nn.LayerNorm(hidden, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(BertLayer(config) for _ in range(config.num_layers))
        self.pooler = nn.Linear(hidden, hidden)
        initialise(self)
        initialise_positions(self.position_embedding)

    def token_vectors(self) -> Tensor:
        """What every token of the vocabulary is to the model before it has read a context. (vocab_size, hidden_size)"""
        return self.token_embedding.weight

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None, *,
                output_hidden_states: bool = False, output_attentions: bool = False, places: Tensor | None = None) -> Output:
        """All (batch, tokens) integers; without token_type_ids everything is sentence A. See core/families/outputs.py.

        places: (batch, places), the tokens whose last_hidden_state is wanted, which is then (batch, places, hidden_size): training
        asks for those to guess, and the last layer is spared all others. The pooler takes the first place, which must be [CLS].
        """
        if token_type_ids is None:
            segments = self.segment_embedding.weight[0]  # (hidden_size): the same for every token
        else:
            segments = self.segment_embedding(token_type_ids)  # (batch, tokens, hidden_size)
        positions = self.position_embedding.weight[:input_ids.shape[1]]  # (tokens, hidden_size)
        x = self.dropout(self.embedding_norm(self.token_embedding(input_ids) + positions + segments))

        mask = None if attention_mask is None else padding_mask(attention_mask)  # (batch, 1, 1, key)
        hidden_states, attentions = [x], []
        for layer in self.layers:
            x, weights = layer(x, mask, output_attentions, places if layer is self.layers[-1] else None)
            hidden_states.append(x)
            attentions.append(weights)
        return Output(
            last_hidden_state=x,
            hidden_states=tuple(hidden_states) if output_hidden_states else None,
            attentions=tuple(attentions) if output_attentions else None,
            pooler_output=torch.tanh(self.pooler(x[:, 0])),  # (batch, hidden_size)
        )
