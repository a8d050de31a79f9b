"""How GPT learns: guess every token from those before it (Radford et al. 2018, equation 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from core.config import RunConfig
from core.families.batches import PackedWindows
from core.families.first_attention import begin
from core.families.gpt.config import GptConfig
from core.families.gpt.model import Gpt
from core.families.learning import IGNORED, Batch, Loss
from core.families.vocabulary_loss import vocabulary_loss
from core.text.tokenizers import BOS

if TYPE_CHECKING:
    from core.text.corpus import Corpus

OFFSETS = (-1, -2, -3, -4)  # of the tokens that the heads may begin by looking at


class GptForPretraining(nn.Module):
    """A Gpt. It has no head of its own: where the token embeddings are not the output matrix as well, that is a part of it too."""

    def __init__(self, config: GptConfig, vocab_size: int) -> None:
        super().__init__()
        self.encoder = Gpt(config, vocab_size)

    def token_logits(self, hidden: Tensor) -> Tensor:
        """(..., hidden_size) -> (..., vocab_size): for each token, the scores of the one that follows."""
        return self.encoder.token_logits(hidden)


class GptPretraining:
    """Batches and loss of causal language modelling. See Pretraining in core/families/learning.py.

    Rows are windows into all documents packed one after another as [BOS] text [EOS]; in each epoch they are cut elsewhere.
    """

    def __init__(self, config: RunConfig, corpus: Corpus) -> None:
        self._windows = PackedWindows(config, corpus)
        self.network = self.build(config, corpus.tokenizer.vocab_size)
        begin(self.network.encoder, config.objective, corpus.train, config.train.seed, OFFSETS)
        self.tokens_per_batch, self.tokens_per_epoch = self._windows.tokens_per_batch, self._windows.tokens_per_epoch

    @staticmethod
    def build(config: RunConfig, vocab_size: int) -> GptForPretraining:
        """The network of such a run, as it is before the first step."""
        return GptForPretraining(config.model, vocab_size)

    def batch(self, split: str, index: int) -> Batch:
        """input_ids and labels (batch, tokens), where labels[t] is the token that follows input_ids[t]; normalizer."""
        ids = self._windows.of_batch(split, index, extra=1)
        labels = ids[:, 1:].copy()
        labels[labels == BOS] = IGNORED  # what follows [EOS] is known, and would make the loss look better than it is
        return {"input_ids": torch.from_numpy(ids[:, :-1].copy()), "labels": torch.from_numpy(labels),
                "normalizer": torch.tensor(float(np.count_nonzero(labels != IGNORED)))}

    def loss(self, network: nn.Module, batch: Batch) -> Loss:
        output = network.encoder(batch["input_ids"])
        hidden = output.last_hidden_state.flatten(0, 1)  # (batch x tokens, hidden_size)
        labels = batch["labels"].flatten()
        chosen = (labels != IGNORED).nonzero().squeeze(1)  # (labels)
        nll, correct = vocabulary_loss(hidden[chosen], network.encoder.output_matrix, network.encoder.output_bias, labels[chosen])
        count = len(chosen)
        return Loss(value=nll / batch["normalizer"], sums={"loss": (nll.detach(), count), "accuracy": (correct, count)})
