"""word2vec's model: two tables of vectors (Mikolov et al. 2013b, section 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.families.outputs import Output
from core.families.word2vec.config import Word2VecConfig


class Word2Vec(nn.Module):
    """Gives every word its one vector, whatever stands around it.

    vectors: (vocab_size, dim) v of the paper, the words as they are read; these are the word vectors.
    context: (vocab_size, dim) v' of the paper, the words as they are guessed; zero at first.
    Neither is learnt by gradient descent: kernels.py changes them in place. The special tokens' vectors are zero.
    """

    def __init__(self, config: Word2VecConfig, vocab_size: int) -> None:
        super().__init__()
        self.config = config
        self.vectors = nn.Parameter(torch.zeros(vocab_size, config.dim), requires_grad=False)
        self.context = nn.Parameter(torch.zeros(vocab_size, config.dim), requires_grad=False)

    def token_vectors(self) -> Tensor:
        """What every token of the vocabulary is to the model before it has read a context. (vocab_size, dim)"""
        return self.vectors

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None, *,
                output_hidden_states: bool = False, output_attentions: bool = False) -> Output:
        """input_ids: (batch, tokens). The masks and segments change nothing. See core/families/outputs.py."""
        x = functional.embedding(input_ids, self.vectors)  # (batch, tokens, dim)
        return Output(last_hidden_state=x, hidden_states=(x,) if output_hidden_states else None)
