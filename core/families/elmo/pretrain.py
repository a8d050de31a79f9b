"""How ELMo learns: the forward model guesses the next token, the backward model the previous one (Peters et al. 2018, 3.1).

The sum over all tokens t_k of both log-likelihoods is maximised,

    log p(t_k | t_1 ... t_{k-1}; Θx, Θ→LSTM, Θs) + log p(t_k | t_{k+1} ... t_N; Θx, Θ←LSTM, Θs),

where the two models share the token layer Θx and the softmax Θs and nothing else.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from core.config import RunConfig
from core.families.batches import PackedWindows, batch_generator
from core.families.cooccurrence import ENOUGH, begin_with_cooccurrence
from core.families.elmo.config import ElmoConfig
from core.families.elmo.model import Elmo
from core.families.family import COOCCURRENCE
from core.families.learning import Batch, Loss
from core.families.outputs import directions
from core.families.subsampling import chance_to_stay
from core.families.vocabulary_loss import subsampled_loss, vocabulary_loss
from core.text.tokenizers import BOS, EOS

if TYPE_CHECKING:
    from core.text.corpus import Corpus, Split


class ElmoForPretraining(nn.Module):
    """An Elmo and the softmax Θs that both its directions share."""

    def __init__(self, config: ElmoConfig, vocab_size: int) -> None:
        super().__init__()
        self.encoder = Elmo(config, vocab_size)
        self.softmax = nn.Linear(config.hidden_size, vocab_size)
        nn.init.normal_(self.softmax.weight, std=config.hidden_size**-0.5)
        nn.init.zeros_(self.softmax.bias)

    def token_logits(self, hidden: Tensor) -> Tensor:
        """(..., hidden_size) of one direction -> (..., vocab_size): the scores of the token that comes next in that direction."""
        return self.softmax(hidden)

    @property
    def output_matrix(self) -> Tensor:
        """(vocab_size, hidden_size)"""
        return self.softmax.weight


class ElmoPretraining:
    """Batches and loss of the bidirectional language model. See Pretraining in core/families/learning.py.

    Rows are windows into all documents packed one after another as [BOS] text [EOS]; in each epoch they are cut elsewhere.
    """

    def __init__(self, config: RunConfig, corpus: Corpus) -> None:
        self._windows = PackedWindows(config, corpus)
        self.vocab_size = corpus.tokenizer.vocab_size
        self.sampled = min(config.objective.sampled_softmax, self.vocab_size - 1)
        self.seed = config.train.seed
        frequencies = log_frequencies(corpus.train, self.vocab_size)
        self._negatives = LogUniform(frequencies, self.sampled) if self.sampled else None
        chance = chance_to_stay(np.exp(frequencies), config.objective.sample).astype(np.float32)  # (vocab_size)
        self._kept = torch.from_numpy(chance) if config.objective.sample else None
        self.network = self.build(config, self.vocab_size)
        self.network.encoder.spell(corpus.tokenizer)
        if config.model.embedding == "token" and config.objective.first_vectors == COOCCURRENCE:
            embedding, softmax = self.network.encoder.embedding, self.network.softmax
            begin_with_cooccurrence(embedding, corpus.train, self.seed, embedding.embedding_dim**-0.5)
            with torch.no_grad():  # the softmax knows the same from the start, and how frequent each token is
                softmax.weight.copy_(embedding.weight)
                softmax.bias.copy_(torch.from_numpy(frequencies))
        self.tokens_per_batch, self.tokens_per_epoch = self._windows.tokens_per_batch, self._windows.tokens_per_epoch

    @staticmethod
    def build(config: RunConfig, vocab_size: int) -> ElmoForPretraining:
        """The network of such a run, as it is before the first step."""
        return ElmoForPretraining(config.model, vocab_size)

    def batch(self, split: str, index: int) -> Batch:
        """input_ids (batch, tokens); guess_next, guess_previous: bool (batch, tokens - 1), which of them the forward model guesses from the token
        before, the backward model from the one behind; normalizer: how many these are. sample_seed: of the sampled softmax. subsampled: there
        where frequent tokens were left out of the labels."""
        ids = self._windows.of_batch(split, index)
        rng = batch_generator(self.seed, split, index)
        # the mark that follows a document's end, or precedes its beginning, is known: guessing it is no achievement
        guess_next, guess_previous = ids[:, 1:] != BOS, ids[:, :-1] != EOS
        made = {"input_ids": torch.from_numpy(ids)}
        if self.sampled and split == "train":
            # all parts of the batch draw the same negatives
            made["sample_seed"] = torch.tensor(int(rng.integers(1 << 62)))
        if self._kept is not None and split == "train":
            chance = self._kept.numpy()[ids]  # (batch, tokens)
            guess_next &= rng.random(guess_next.shape, dtype=np.float32) < chance[:, 1:]
            guess_previous &= rng.random(guess_previous.shape, dtype=np.float32) < chance[:, :-1]
            made["subsampled"] = torch.tensor(True)
        made["guess_next"], made["guess_previous"] = torch.from_numpy(guess_next), torch.from_numpy(guess_previous)
        made["normalizer"] = torch.tensor(float(max(1, np.count_nonzero(guess_next) + np.count_nonzero(guess_previous))))
        return made

    def loss(self, network: nn.Module, batch: Batch) -> Loss:
        ids = batch["input_ids"]
        forward, backward = directions(network.encoder(ids).last_hidden_state)  # each (batch, tokens, hidden_size)
        ahead, behind = batch["guess_next"], batch["guess_previous"]
        hidden = torch.cat([forward[:, :-1][ahead], backward[:, 1:][behind]])  # (labels, hidden_size)
        labels = torch.cat([ids[:, 1:][ahead], ids[:, :-1][behind]])  # (labels)
        weight, bias = network.softmax.weight, network.softmax.bias
        kept = self._kept.to(ids.device) if "subsampled" in batch else None
        if "sample_seed" in batch:
            negatives, log_expected = self._negatives.draw(int(batch["sample_seed"]), ids.device)
            raised = bias if kept is None else bias + kept.log()  # see subsampled_loss
            nll = sampled_softmax_loss(hidden, weight, raised, labels, negatives, log_expected)
            return Loss(value=nll / batch["normalizer"], sums={"loss": (nll.detach(), len(labels))})
        if kept is not None:
            nll, (told, correct, count) = subsampled_loss(hidden, weight, bias, labels, kept)
        else:
            nll, correct = vocabulary_loss(hidden, weight, bias, labels)
            told, count = nll.detach(), len(labels)
        return Loss(value=nll / batch["normalizer"], sums={"loss": (told, count), "accuracy": (correct, count)})


def log_frequencies(split: Split, vocab_size: int) -> np.ndarray:
    """(vocab_size) float32: the log of each token's share of both models' labels, each with one label more. Of a long text's beginning."""
    counts = np.bincount(np.asarray(split.tokens[:ENOUGH]), minlength=vocab_size) + 0.5  # in pairs of labels: both models guess each token
    documents = (len(split.documents) - 1) * min(1.0, ENOUGH / len(split.tokens))
    counts[[BOS, EOS]] += documents / 2  # each is guessed by one of the two models alone
    return np.log(counts / counts.sum()).astype(np.float32)


class LogUniform:
    """Draws the tokens from which a sampled softmax tells the label, about as often as they occur: log-uniformly by their rank,
    P(rank) = log((rank + 2) / (rank + 1)) / log(vocab_size + 1). The most frequent token has rank 0."""

    def __init__(self, frequencies: np.ndarray, samples: int) -> None:
        """frequencies: (vocab_size), or what grows with them. samples: drawn in one step; what is drawn again counts once."""
        self._samples, ranks = samples, np.arange(len(frequencies))
        self._by_rank = np.argsort(-frequencies, kind="stable")  # (vocab_size) tokens
        share = np.log((ranks + 2) / (ranks + 1)) / math.log(len(ranks) + 1)
        log_expected = np.empty(len(ranks))
        log_expected[self._by_rank] = np.log(-np.expm1(samples * np.log1p(-share)))
        self._log_expected = torch.from_numpy(log_expected).float()  # (an Apple GPU knows no float64)

    def draw(self, seed: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """(negatives) tokens, each once; (vocab_size) the log of how often each token is expected among them."""
        size = len(self._by_rank)
        ranks = ((size + 1) ** np.random.default_rng(seed).random(self._samples) - 1).astype(np.int64).clip(0, size - 1)
        self._log_expected = self._log_expected.to(device)  # once
        return torch.from_numpy(self._by_rank[np.unique(ranks)]).to(device), self._log_expected


def sampled_softmax_loss(hidden: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, negatives: Tensor, log_expected: Tensor) -> Tensor:
    """The summed cross-entropy over the label and other tokens (Jean et al. 2015, equations 8 to 10).

    hidden: (labels, hidden_size). negatives, log_expected: as LogUniform draws them; every score is lowered by the latter.
    A negative that is the label itself is taken out. A scalar, in nats; an estimate of the full softmax's from below.
    """
    true = (hidden * weight[labels]).sum(-1) + bias[labels] - log_expected[labels]  # (labels)
    others = hidden @ weight[negatives].t() + bias[negatives] - log_expected[negatives]  # (labels, negatives)
    others = others.masked_fill(negatives == labels[:, None], -math.inf)
    return (torch.logsumexp(torch.cat([true[:, None], others], dim=1).float(), dim=1) - true.float()).sum()
