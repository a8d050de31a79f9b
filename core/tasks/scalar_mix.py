"""ELMo's mix of layers (Peters et al. 2018, equation 1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

VARIANCE_FLOOR = 1e-12


class ScalarMix(nn.Module):
    """gamma * sum_j s_j h_j with s = softmax(scalar_parameters): one vector a token out of the L + 1 layers h_j.

    With layer_norm each h_j is first brought to mean 0 and variance 1 over all real tokens and dimensions of its sequence, as the
    paper's section 3.2 proposes. At first all s_j are equal and gamma is 1.
    """

    def __init__(self, layers: int, *, layer_norm: bool = False) -> None:
        super().__init__()
        self.layer_norm = layer_norm
        self.scalar_parameters = nn.Parameter(torch.zeros(layers))
        self.gamma = nn.Parameter(torch.ones(()))

    def weights(self) -> Tensor:
        """s, (layers), sums to 1."""
        return self.scalar_parameters.softmax(dim=0)

    def penalty(self) -> Tensor:
        """The squared length of scalar_parameters: an even mix has 0."""
        return self.scalar_parameters.square().sum()

    def forward(self, layers: Sequence[Tensor], mask: Tensor) -> Tensor:
        """layers: each (batch, tokens, size). mask: (batch, tokens), 1 for a real token. Returns (batch, tokens, size)."""
        if self.layer_norm:
            layers = [_normalised(layer, mask) for layer in layers]
        weights = self.weights()
        return self.gamma * sum(weights[index] * layer for index, layer in enumerate(layers))


def _normalised(layer: Tensor, mask: Tensor) -> Tensor:
    real = mask.unsqueeze(-1).to(layer.dtype)  # (batch, tokens, 1)
    count = real.sum(dim=(1, 2), keepdim=True) * layer.shape[-1]
    mean = (layer * real).sum(dim=(1, 2), keepdim=True) / count
    variance = ((layer - mean).square() * real).sum(dim=(1, 2), keepdim=True) / count
    return (layer - mean) / torch.sqrt(variance + VARIANCE_FLOOR)
