"""What can be said of attention weights: pooled to words, measured head by head, rolled out over layers. Arrays only, no model.

Weights are (..., query, key); each row of a model's weights sums to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

KEEP, HIDE, RENORMALISE = "keep", "hide", "renormalise"  # what becomes of special tokens
HEAD, HEADS, LAYERS, ALL, ROLLOUT = "head", "heads", "layers", "all", "rollout"  # one head; or the mean over heads, layers, both; or rollout
RESIDUAL = 0.5  # the share of a layer's output that its residual connection carries (Abnar and Zuidema 2020, section 3)


def pooled(weights: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(..., tokens, tokens) -> (..., units, units): what a word receives is the sum over its tokens, what it gives their mean.

    starts: the first token of each unit, rising, the first being 0. Rows still sum to 1.
    """
    if len(starts) == weights.shape[-1]:
        return weights
    counts = np.diff(np.append(starts, weights.shape[-1]))
    columns = np.add.reduceat(weights, starts, axis=-1)
    return np.add.reduceat(columns, starts, axis=-2) / counts[:, None].astype(weights.dtype)


def without(weights: np.ndarray, special: np.ndarray, how: str) -> np.ndarray:
    """Rows and columns of special tokens left out. RENORMALISE: what is left of a row is made to sum to 1 again."""
    if how == KEEP or not special.any():
        return weights
    left = weights[..., ~special, :][..., ~special]
    if how == HIDE:
        return left
    total = left.sum(axis=-1, keepdims=True)
    return np.divide(left, total, out=np.zeros_like(left), where=total > 0)


def rollout(layers: Sequence[np.ndarray]) -> np.ndarray:
    """How much of each input token is in each token after these layers: (tokens, tokens). (Abnar and Zuidema 2020, equation 1.)

    layers: (heads, tokens, tokens) each, from the first. A layer is taken as 0.5 mean over heads + 0.5 identity, and the layers
    are multiplied. It says nothing of values, norms or the feed-forward parts.
    """
    product = np.eye(layers[0].shape[-1], dtype=np.float64)
    for weights in layers:
        mixed = (1 - RESIDUAL) * weights.mean(axis=0, dtype=np.float64) + RESIDUAL * np.eye(len(product))
        product = mixed @ product
    return product.astype(np.float32)


def chosen(layers: Sequence[np.ndarray], what: str, layer: int, head: int) -> np.ndarray:
    """(tokens, tokens) of what is asked for: one head, a mean, or the rollout up to `layer`. layers: (heads, tokens, tokens) each."""
    if what == HEADS:
        return layers[layer].mean(axis=0)
    if what == LAYERS:
        return np.mean([weights[head] for weights in layers], axis=0)
    if what == ALL:
        return np.mean([weights.mean(axis=0) for weights in layers], axis=0)
    return rollout(layers[:layer + 1]) if what == ROLLOUT else layers[layer][head]


def measures(weights: np.ndarray, special: np.ndarray, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Of each head of weights (heads, units, units), specials among them, the mean over the queries that are not special.

    {"entropy": in bits, "distance": in units, |query - key| weighted, "previous" "next" "same": the share that goes there, of the
    queries whose neighbour is no special token, and for each of columns (name -> bool (units)) the share on these}, (heads) each.
    NaN where there is no such query.
    """
    rows = np.flatnonzero(~special)
    asked = weights[:, rows].astype(np.float64)
    places = np.arange(weights.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.where(asked > 0, -asked * np.log2(asked), 0.0).sum(axis=-1)
    far = np.abs(rows[:, None] - places)
    made = {"entropy": _mean(information), "distance": _mean((asked * far).sum(axis=-1))}
    for name, shift in (("previous", -1), ("next", 1), ("same", 0)):
        keys = rows + shift
        there = (keys >= 0) & (keys < len(places))
        there[there] &= ~special[keys[there]]
        made[name] = _mean(weights[:, rows[there], keys[there]].astype(np.float64))
    for name, chosen_keys in columns.items():
        made[name] = _mean(asked[..., chosen_keys].sum(axis=-1)) if chosen_keys.any() else np.full(len(weights), np.nan)
    return made


def thumbnail(weights: np.ndarray, most: int) -> np.ndarray:
    """(..., rows, columns) -> (..., m, m) uint8, m at most `most`: a head as a small picture, 255 its greatest weight.

    The greatest weight of each block is kept, so that a thin diagonal stays visible; brightness is the square root of the weight.
    """
    for axis in (-1, -2):
        size = weights.shape[axis]
        if size > most:
            weights = np.maximum.reduceat(weights, np.linspace(0, size, most, endpoint=False).astype(int), axis=axis)
    return shades(weights)


def shades(weights: np.ndarray) -> np.ndarray:
    """uint8 of the same shape: sqrt(weight / the greatest of its matrix) x 255; NaN is 0."""
    weights = np.nan_to_num(weights)
    top = weights.max(axis=(-1, -2), keepdims=True, initial=0.0)
    return (255 * np.sqrt(np.divide(weights, top, out=np.zeros_like(weights), where=top > 0))).round().astype(np.uint8)


def _mean(values: np.ndarray) -> np.ndarray:
    """(heads, queries) -> (heads), NaN where there are no queries."""
    return values.mean(axis=1) if values.shape[1] else np.full(len(values), np.nan)
