"""How word2vec learns from text: a Learner of its own (core/families/learning.py), since its steps need no gradients of torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from core.config import RunConfig
from core.errors import UserError
from core.families.batches import require_text
from core.families.learning import LearnerState, StepResult
from core.families.word2vec import kernels
from core.families.word2vec.config import step_tokens
from core.families.word2vec.model import Word2Vec
from core.i18n import tr
from core.text.tokenizers import SPECIALS

if TYPE_CHECKING:
    from core.text.corpus import Corpus, Split

VALID_TOKENS = 1 << 16  # read in one validation, at most
PARTS = 4  # of a step for each thread, so that one that is held up does not hold up the rest
LEAST_RATE = 1e-4  # of the peak; the learning rate falls no lower
WATCHED_ROWS = 64  # the most frequent words, which are looked at for numbers that are not finite


class Word2VecForPretraining(nn.Module):
    """A Word2Vec. Its second table is its only head."""

    def __init__(self, encoder: Word2Vec) -> None:
        super().__init__()
        self.encoder = encoder


class Word2VecLearner:
    """Skip-gram and CBOW with negative sampling. See Learner in core/families/learning.py.

    A window reaches over the ends of sentences but never of a document. Words outside the vocabulary are left out before the
    windows are laid. Documents come in a new order in each epoch, and everything random is drawn from (seed, epoch, document):
    the number of threads changes nothing in it. With one thread, then, a run that goes on from a checkpoint ends bit for bit like an
    undisturbed one. With several, their updates of the same rows mix in an order that nobody controls, and no two runs are
    quite equal.

    Of config.train it uses learning_rate (the peak; the rate falls with the run's progress, linearly to LEAST_RATE of it), threads and seed.
    UserError if the text holds no two words to learn from.
    """

    def __init__(self, config: RunConfig, corpus: Corpus, device: object) -> None:
        require_text(corpus.train, "train")
        require_text(corpus.valid, "valid")
        self.config, self.threads = config, config.train.threads or os.cpu_count() or 1
        self._train, self._valid = _Documents(corpus.train), _Documents(corpus.valid)
        counts = word_counts(corpus.train, corpus.tokenizer.vocab_size)
        self._refuse_too_few(counts)
        objective = config.objective
        self._keep = kernels.keep_thresholds(counts, objective.sample)
        self._keep_all = kernels.keep_thresholds(counts, 0.0)
        with np.errstate(divide="ignore"):
            self._negatives = kernels.alias_table(np.where(counts > 0, counts.astype(np.float64) ** objective.ns_exponent, 0.0))
        self._kernel = kernels.kernel(objective.objective)

        dim = config.model.dim
        self._vectors = kernels.aligned_zeros(len(counts), dim)
        self._context = kernels.aligned_zeros(len(counts), dim)
        rng = np.random.default_rng(config.train.seed)
        # evenly between -1/dim and 1/dim, as gensim does; the authors' program, with half of that, is a little slower to learn
        self._vectors[len(SPECIALS):, :dim] = (2 * rng.random((len(counts) - len(SPECIALS), dim), np.float32) - 1) / dim
        self._network = self.build(config, len(counts), self._vectors[:, :dim], self._context[:, :dim])
        self._pool = ThreadPoolExecutor(self.threads, "word2vec") if self.threads > 1 else None

        self.parameters = 2 * len(counts) * dim
        self.tokens_per_epoch = self._train.token_count
        self.tokens_per_batch = step_tokens(self.tokens_per_epoch)
        self._steps = max(1, round(self.tokens_per_epoch / self.tokens_per_batch))
        self.steps_per_epoch = float(self._steps)
        self._order: tuple[int, np.ndarray, np.ndarray] = (-1, np.empty(0), np.empty(0))  # of the newest epoch; a cache and no more
        if not self._losses(self._valid, self._valid.first(VALID_TOKENS), 0, self._keep_all)[1]:
            raise UserError(tr("The text that is kept for validation has no two known words side by side."),
                            tr("Add text, or make valid_percent greater."), where="valid_percent")

    @staticmethod
    def build(config: RunConfig, vocab_size: int, vectors: np.ndarray | None = None, context: np.ndarray | None = None) -> Word2VecForPretraining:
        """The network of such a run. With arrays (vocab_size, dim) it shares their memory; without, all is zero."""
        encoder = Word2Vec(config.model, 0 if vectors is not None else vocab_size)
        if vectors is not None and context is not None:
            encoder.vectors.data, encoder.context.data = torch.from_numpy(vectors), torch.from_numpy(context)
        return Word2VecForPretraining(encoder)

    def step(self, step: int, progress: float) -> StepResult:
        """Learn from the documents of step `step`. loss: of one prediction with its negatives, the mean over a sample of the step."""
        epoch, number = divmod(step, self._steps)
        documents = self._documents_of(epoch, number)
        rate = self.config.train.learning_rate * max(LEAST_RATE, 1.0 - progress)
        total, count = self._run(self._train, documents, self._key("train", epoch), self._keep, rate, kernels.LOSS_EVERY)
        if not count:  # in a tiny text the subsampling may leave nothing
            total, count = self._losses(self._train, documents, epoch, self._keep_all)
        loss = total / max(1.0, count)
        if not (np.isfinite(loss) and np.isfinite(self._vectors[:WATCHED_ROWS]).all()):
            raise UserError(tr("The loss is no longer a finite number at step {step}.", step=step + 1),
                            tr("Lower the learning rate (it is {rate:g}) and train again.", rate=self.config.train.learning_rate),
                            where="learning_rate")
        return StepResult(loss=loss, tokens=int(self._train.lengths[documents].sum()), learning_rate=rate)

    def evaluate(self) -> dict[str, float]:
        """loss: of one prediction with its negatives, on the validation text, always with the same windows and negatives."""
        documents = self._valid.first(VALID_TOKENS)
        total, count = self._losses(self._valid, documents, 0, self._keep)
        if not count:
            total, count = self._losses(self._valid, documents, 0, self._keep_all)
        return {"loss": total / count}

    def network(self) -> Word2VecForPretraining:
        """Shares memory with what is trained."""
        return self._network

    def state(self) -> LearnerState:
        """There is no optimizer and no generator to keep: the two tables are all."""
        model = {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in self._network.state_dict().items()}
        return LearnerState(model=model, optimizer={}, extra={"threads": self.threads})

    def load_state(self, state: LearnerState) -> None:
        self._network.load_state_dict(dict(state.model))

    def _refuse_too_few(self, counts: np.ndarray) -> None:
        if np.count_nonzero(counts) < 2:
            raise UserError(tr("The text has fewer than two different known words."), tr("Add text, or make min_count smaller."),
                            where="min_count")
        if not self._train.lengths.max() > 1:
            raise UserError(tr("Every document is a single word: there are no neighbours to learn from."),
                            tr("Say that a document is a paragraph, or choose other files."), where="documents")

    def _key(self, split: str, epoch: int) -> np.uint64:
        return np.random.default_rng((self.config.train.seed, ("train", "valid").index(split), epoch)).integers(1 << 64, dtype=np.uint64)

    def _documents_of(self, epoch: int, number: int) -> np.ndarray:
        """The documents of a step, in their order: those that begin within its share of the epoch's tokens."""
        if self._order[0] != epoch:
            rng = np.random.default_rng((self.config.train.seed, 2, epoch))
            order = rng.permutation(len(self._train.lengths))
            starts = np.cumsum(self._train.lengths[order]) - self._train.lengths[order]
            self._order = (epoch, order, starts)
        _, order, starts = self._order
        share = self.tokens_per_epoch / self._steps
        low, high = np.searchsorted(starts, (number * share, (number + 1) * share))
        return order[low:high]

    def _losses(self, text: _Documents, documents: np.ndarray, epoch: int, keep: np.ndarray) -> tuple[float, float]:
        """The sum of the losses and their number, for every centre, without learning."""
        return self._run(text, documents, self._key("train" if text is self._train else "valid", epoch), keep, 0.0, 1)

    def _run(self, text: _Documents, documents: np.ndarray, key: np.uint64, keep: np.ndarray, rate: float, loss_every: int) -> tuple[float, float]:
        tokens, bounds = text.take(documents)
        parts = self.threads * PARTS if self._pool else 1
        cuts = np.searchsorted(bounds, np.arange(parts + 1) * (bounds[-1] / parts))
        cuts[-1] = len(documents)
        objective = self.config.objective

        def learn(part: int) -> np.ndarray:
            losses = np.zeros(2)
            self._kernel(self._vectors, self._context, tokens, bounds, documents, cuts[part], cuts[part + 1], key, keep, *self._negatives,
                         objective.window, objective.negative, np.float32(rate), loss_every, losses)
            return losses

        made: Sequence[np.ndarray] = list(self._pool.map(learn, range(parts))) if self._pool else [learn(0)]
        total, count = np.sum(made, axis=0)
        return float(total), float(count)


def word_counts(split: Split, vocab_size: int) -> np.ndarray:
    """int64 (vocab_size,): how often each word occurs; 0 for the special tokens, [UNK] among them, which are no words."""
    counts = np.zeros(vocab_size, np.int64)
    for start in range(0, len(split.tokens), 1 << 24):  # a text may be greater than the memory
        counts += np.bincount(split.tokens[start : start + (1 << 24)], minlength=vocab_size)
    counts[: len(SPECIALS)] = 0
    return counts


class _Documents:
    """The documents of a split. lengths: int64 (documents,), in tokens."""

    def __init__(self, split: Split) -> None:
        self._tokens = split.tokens
        bounds = np.asarray(split.sentences)[np.asarray(split.documents)].astype(np.int64)
        self._starts, self.lengths = bounds[:-1], np.diff(bounds)
        self.token_count = int(self.lengths.sum())

    def first(self, tokens: int) -> np.ndarray:
        """The numbers of the first documents, up to about so many tokens; one at least."""
        return np.arange(max(1, int(np.searchsorted(np.cumsum(self.lengths), tokens))))

    def take(self, documents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """tokens int32 (tokens,) of those documents in a row, bounds int64 (documents + 1,), offsets into them."""
        lengths = self.lengths[documents]
        bounds = np.concatenate(([0], np.cumsum(lengths)))
        places = np.repeat(self._starts[documents] - bounds[:-1], lengths) + np.arange(bounds[-1])
        return self._tokens[places].astype(np.int32), bounds
