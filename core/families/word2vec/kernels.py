"""word2vec's inner loops, compiled by numba: they see nothing but numpy arrays and hold no lock of the interpreter.

Threads work on the same two tables without locks (Recht et al. 2011, "Hogwild"): most updates touch different rows, and one
that is lost now and then does no harm. The negatives are drawn once for a centre and used for its whole window (Ji et al.
2016, https://arxiv.org/abs/1604.04661), so their rows stay in the nearest cache; unlike there, the words of the window learn
one after another, which costs nothing here and gives better vectors than updating them all at once.

Randomness: splitmix64 (Steele et al. 2014) from a key and the document's number, so what is drawn for a document does not depend on the
other documents or on the threads.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import lru_cache

import numba
import numpy as np
from numba import float32, int64, njit, uint64

from core import runs
from core.families.subsampling import chance_to_stay

LANES = 16  # float32 numbers in the widest vector register; rows of that multiple are read and written whole
LOSS_EVERY = 16  # the loss is worked out for one centre in so many

_OPTIONS = {"nogil": True, "fastmath": True, "error_model": "numpy", "boundscheck": False}
_SIGNATURE = ("void(float32[:,::1],float32[:,::1],int32[::1],int64[::1],int64[::1],int64,int64,uint64,uint64[::1],uint64[::1],"
              "int32[::1],int64,int64,float32,int64,float64[::1])")
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_27, _30, _31, _32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


# tables

def keep_thresholds(counts: np.ndarray, sample: float) -> np.ndarray:
    """uint64 (vocab,): a word is kept if 32 random bits are below. counts, sample: see chance_to_stay."""
    return np.round(chance_to_stay(counts, sample) * 2.0**32).astype(np.uint64)


def alias_table(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """threshold uint64 (n,), other int32 (n,): draws from `weights` (n,) in constant time (Walker 1977, Vose 1991).

    Draw i evenly and 32 random bits; the draw is i if they are below threshold[i], else other[i].
    """
    share = np.asarray(weights, np.float64)
    share = share * (len(share) / share.sum())
    other = np.full(len(share), int(share.argmax()), np.int32)
    threshold = np.where(share > 0, 2.0**32, 0.0)
    order = np.argsort(-share, kind="stable").tolist()
    large = [index for index in order if share[index] >= 1]
    small = [index for index in order if share[index] < 1]  # the smallest last, so that they are served first
    left = share.tolist()
    while small and large:
        low, high = small.pop(), large[-1]
        threshold[low], other[low] = left[low] * 2.0**32, high
        left[high] -= 1 - left[low]
        if left[high] < 1:
            small.append(large.pop())
    return np.round(threshold).astype(np.uint64), other


# small parts

@njit(**_OPTIONS)
def mix(z):
    """The output function of splitmix64: uint64 -> uint64."""
    z = (z ^ (z >> _30)) * _FIRST
    z = (z ^ (z >> _27)) * _SECOND
    return z ^ (z >> _31)


@njit(**_OPTIONS)
def below(bits, n):
    """0 .. n - 1 from the upper half of 64 random bits."""
    return int64(((bits >> _32) * uint64(n)) >> _32)


@njit(**_OPTIONS)
def sigmoid(x):
    """1 / (1 + exp(-x)) to 2e-4, beyond |x| = 9.8 constant; from Lambert's continued fraction of tanh, free of branches."""
    y = min(max(x * float32(0.5), float32(-4.9)), float32(4.9))
    s = y * y
    top = y * (float32(135135) + s * (float32(17325) + s * (float32(378) + s)))
    bottom = float32(135135) + s * (float32(62370) + s * (float32(3150) + s * float32(28)))
    return float32(0.5) + float32(0.5) * (top / bottom)


@njit(**_OPTIONS)
def draw_negatives(state, target, negative, threshold, other, outputs):
    """outputs[0] = target, then `negative` draws without those that are the target. Returns the new state and the count."""
    outputs[0] = target
    count = 1
    for _ in range(negative):
        state += _GOLDEN
        bits = mix(state)
        row = below(bits, len(other))
        if (bits & _LOW) >= threshold[row]:
            row = int64(other[row])
        if row != target:
            outputs[count] = row
            count += 1
    return state, count


@njit(**_OPTIONS)
def guess(table, row, context, outputs, count, rate, logits, change, losses, measured):
    """Learn to tell outputs[0] from outputs[1:count], given v = table[row]: one step down the gradient of

        L = -log sigmoid(v . context[outputs[0]]) - sum over k >= 1 of log sigmoid(-v . context[outputs[k]])

    (2013b, equation 4). Changes context's rows; change (dim,) becomes -rate dL/dv, for the caller to apply. A rate of 0
    changes nothing. With `measured`, losses[0] += L and losses[1] += 1.
    """
    dim = table.shape[1]
    j = 0
    while j + 2 <= count:  # by twos, so that v is loaded half as often
        a, b = outputs[j], outputs[j + 1]
        first, second = float32(0), float32(0)
        for d in range(dim):
            v = table[row, d]
            first += v * context[a, d]
            second += v * context[b, d]
        logits[j], logits[j + 1] = first, second
        j += 2
    if j < count:
        a = outputs[j]
        first = float32(0)
        for d in range(dim):
            first += table[row, d] * context[a, d]
        logits[j] = first
    if measured:
        total = 0.0
        for k in range(count):
            x = float(-logits[k] if k == 0 else logits[k])
            total += max(x, 0.0) + math.log(1.0 + math.exp(-abs(x)))
        losses[0] += total
        losses[1] += 1.0
    if rate == 0:
        return
    for k in range(count):
        logits[k] = -rate * sigmoid(logits[k])
    logits[0] += rate
    for d in range(dim):
        change[d] = float32(0)
    j = 0
    while j + 2 <= count:
        a, b = outputs[j], outputs[j + 1]
        first, second = logits[j], logits[j + 1]
        for d in range(dim):
            v = table[row, d]
            change[d] += first * context[a, d] + second * context[b, d]
            context[a, d] += first * v  # a and b may be the same row: one after the other
            context[b, d] += second * v
        j += 2
    if j < count:
        a = outputs[j]
        first = logits[j]
        for d in range(dim):
            change[d] += first * context[a, d]
            context[a, d] += first * table[row, d]


@njit(**_OPTIONS)
def skip_gram_update(vectors, context, words, low, high, centre, outputs, count, rate, logits, change, losses, measured):
    """Each of words[low:high] but the centre guesses outputs[0], one after another."""
    for place in range(low, high):
        if place != centre:
            row = int64(words[place])
            guess(vectors, row, context, outputs, count, rate, logits, change, losses, measured)
            if rate != 0:
                for d in range(vectors.shape[1]):
                    vectors[row, d] += change[d]


@njit(**_OPTIONS)
def cbow_update(vectors, context, words, low, high, centre, outputs, count, rate, logits, change, losses, measured, mean):
    """The mean of words[low:high] but the centre guesses outputs[0]. mean: (1, dim), room for it.

    Every one of the n words moves by -rate dL/d(mean), as in the authors' program: n times its own share of the gradient.
    With the share alone the vectors learn too slowly.
    """
    dim = vectors.shape[1]
    for d in range(dim):
        mean[0, d] = float32(0)
    for place in range(low, high):
        if place != centre:
            row = int64(words[place])
            for d in range(dim):
                mean[0, d] += vectors[row, d]
    scale = float32(1) / float32(high - low - 1)
    for d in range(dim):
        mean[0, d] *= scale
    guess(mean, 0, context, outputs, count, rate, logits, change, losses, measured)
    if rate != 0:
        for place in range(low, high):
            if place != centre:
                row = int64(words[place])
                for d in range(dim):
                    vectors[row, d] += change[d]


@njit(**_OPTIONS)
def kept_words(state, tokens, start, end, keep, words):
    """Copies the tokens that survive the subsampling into `words`. Returns the new state and their number."""
    count = 0
    for place in range(start, end):
        state += _GOLDEN
        token = tokens[place]
        if (mix(state) >> _32) < keep[token]:
            words[count] = token
            count += 1
    return state, count


@njit(**_OPTIONS)
def longest(bounds, first, last):
    most = int64(0)
    for document in range(first, last):
        most = max(most, bounds[document + 1] - bounds[document])
    return most


# the loops over documents; the two differ in the update alone, and only the one that is wanted gets compiled

def _skip_gram(vectors, context, tokens, bounds, names, first, last, key, keep, threshold, other, window, negative, rate, loss_every, losses):
    words, outputs = np.empty(longest(bounds, first, last), np.int32), np.empty(negative + 1, np.int64)
    logits, change = np.empty(negative + 1, np.float32), np.empty(vectors.shape[1], np.float32)
    seen = int64(0)
    for document in range(first, last):
        state = mix(key + mix(uint64(names[document])))
        state, length = kept_words(state, tokens, bounds[document], bounds[document + 1], keep, words)
        for centre in range(length):
            state += _GOLDEN
            reach = 1 + below(mix(state), window)
            low, high = max(0, centre - reach), min(length, centre + reach + 1)
            if high - low > 1:
                state, count = draw_negatives(state, int64(words[centre]), negative, threshold, other, outputs)
                measured = seen % loss_every == 0
                skip_gram_update(vectors, context, words, low, high, centre, outputs, count, rate, logits, change, losses, measured)
                seen += 1


def _cbow(vectors, context, tokens, bounds, names, first, last, key, keep, threshold, other, window, negative, rate, loss_every, losses):
    words, outputs = np.empty(longest(bounds, first, last), np.int32), np.empty(negative + 1, np.int64)
    logits, change = np.empty(negative + 1, np.float32), np.empty(vectors.shape[1], np.float32)
    mean = np.empty((1, vectors.shape[1]), np.float32)
    seen = int64(0)
    for document in range(first, last):
        state = mix(key + mix(uint64(names[document])))
        state, length = kept_words(state, tokens, bounds[document], bounds[document + 1], keep, words)
        for centre in range(length):
            state += _GOLDEN
            reach = 1 + below(mix(state), window)
            low, high = max(0, centre - reach), min(length, centre + reach + 1)
            if high - low > 1:
                state, count = draw_negatives(state, int64(words[centre]), negative, threshold, other, outputs)
                measured = seen % loss_every == 0
                cbow_update(vectors, context, words, low, high, centre, outputs, count, rate, logits, change, losses, measured, mean)
                seen += 1


@lru_cache
def kernel(objective: str) -> Callable[..., None]:
    """The compiled loop of "skip_gram" or "cbow", called as

        f(vectors, context, tokens, bounds, names, first, last, key, keep, threshold, other, window, negative, rate, loss_every, losses)

    It learns from documents first .. last - 1, in order. vectors, context: float32 (vocab, width), changed in place.
    tokens: int32 (tokens,). bounds: int64 (documents + 1,), offsets into tokens. names: int64 (documents,), which with `key`
    (uint64) decide all that is drawn. keep: see keep_thresholds. threshold, other: see alias_table. window: the distance to
    each side is drawn from 1 .. window for each centre. rate: float32, 0 to learn nothing. losses: float64 (2,), to which are
    added the sum of the losses and their number, for one centre in loss_every.
    """
    cached = _use_cache_folder()
    return njit(_SIGNATURE, cache=cached, **_OPTIONS)({"skip_gram": _skip_gram, "cbow": _cbow}[objective])


def _use_cache_folder() -> bool:
    """Have numba keep compiled code where this program keeps its caches; False if nothing can be written there."""
    if not numba.config.CACHE_DIR:  # the person may have chosen one with NUMBA_CACHE_DIR
        folder = runs.home() / "cache" / "numba"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return False
        if not os.access(folder, os.W_OK):
            return False
        numba.config.CACHE_DIR = str(folder)
    return True


def aligned_zeros(rows: int, dim: int) -> np.ndarray:
    """float32 (rows, width), zero, where width is dim rounded up to a multiple of LANES and every row begins at such an address."""
    width = -(-dim // LANES) * LANES
    raw = np.zeros(rows * width + LANES, np.float32)
    skip = -(raw.ctypes.data // raw.itemsize) % LANES
    return raw[skip : skip + rows * width].reshape(rows, width)
