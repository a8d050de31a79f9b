"""Token vectors before the first step, from which tokens stand near which: positive PMI, factorised.

(Levy and Goldberg 2014, https://papers.nips.cc/paper/5477; the exponents are those of Levy, Goldberg and Dagan 2015,
https://aclanthology.org/Q15-1016.) This is word2vec's knowledge in closed form, in seconds. From random vectors a small model
spends its first minute on finding out which tokens are alike; from these it can begin to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from core.text.corpus import Split

WINDOW = 4  # tokens on each side, in the same sentence; the one at distance d counts 1 / d
ENOUGH = 5_000_000  # tokens: a longer text is counted up to here
CONTEXT_EXPONENT = 0.75  # lifts rare neighbours, as word2vec's negative samples do
SINGULAR_EXPONENT = 0.5


def cooccurrence_vectors(split: Split, vocab_size: int, size: int, seed: int = 0) -> np.ndarray:
    """(vocab_size, size) float32, every row of length 1, or 0 for a token that has no neighbours. The same for the same seed."""
    from scipy import sparse
    from sklearn.utils.extmath import randomized_svd

    counts = _counts(split, vocab_size)  # symmetric
    totals = np.asarray(counts.sum(axis=1)).ravel()
    contexts = totals**CONTEXT_EXPONENT
    pairs = counts.tocoo()
    pmi = np.log(pairs.data * contexts.sum() / (totals[pairs.row] * contexts[pairs.col]))
    kept = pmi > 0  # positive PMI
    matrix = sparse.csr_matrix((pmi[kept], (pairs.row[kept], pairs.col[kept])), shape=counts.shape)
    left, singular, _ = randomized_svd(matrix, min(size, vocab_size), random_state=seed)
    turned, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))  # or every vector's first numbers would be its greatest
    vectors = (left * singular**SINGULAR_EXPONENT) @ turned[: len(singular)]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    known = lengths > 1e-6 * lengths.max(initial=0.0)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=known).astype(np.float32)


def begin_with_cooccurrence(embedding: nn.Embedding, split: Split, seed: int, scale: float, room: int = 0) -> None:
    """Set the rows of the tokens that the text has, each of length scale * sqrt(its numbers); special tokens stay as they are.

    room: the first numbers of every row, which become 0, as the others are all the louder.
    """
    vocab_size, size = embedding.weight.shape
    vectors = torch.from_numpy(cooccurrence_vectors(split, vocab_size, size - room, seed))
    known = vectors.any(dim=1)
    with torch.no_grad():
        embedding.weight[known, :room] = 0
        embedding.weight[known, room:] = scale * size**0.5 * vectors[known]


def _counts(split: Split, vocab_size: int) -> object:
    """How often two tokens stand near each other, (vocab_size, vocab_size) sparse and symmetric."""
    from scipy import sparse

    tokens = np.asarray(split.tokens[:ENOUGH]).astype(np.int64)
    sentence = np.searchsorted(np.asarray(split.sentences), np.arange(len(tokens)), side="right")
    counts = sparse.csr_matrix((vocab_size, vocab_size))
    for distance in range(1, WINDOW + 1):
        same = sentence[distance:] == sentence[:-distance]
        one, other = tokens[:-distance][same], tokens[distance:][same]
        counts += sparse.csr_matrix((np.full(len(one), 1 / distance), (one, other)), shape=counts.shape)
    return counts + counts.T
