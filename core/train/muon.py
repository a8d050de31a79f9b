"""Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon) for many small matrices.

The step is that of torch.optim.Muon. That one takes matrix after matrix, in bfloat16, which many a laptop's processor can only
imitate; ours takes all matrices of as many rows at once, in float32. benchmarks/muon.py compares the two.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration, from the source above
ITERATIONS = 5
LEAST_NORM = 1e-7


class Muon(torch.optim.Optimizer):
    """lr: the step's size, times sqrt(max(1, rows / columns)). matrices: 2-D. The momentum is Nesterov's."""

    def __init__(self, matrices: Iterable[nn.Parameter], *, lr: float, momentum: float = 0.95, weight_decay: float = 0.0) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            alike: dict[int, list[tuple[nn.Parameter, Tensor]]] = {}  # those of as many rows, or columns where these are fewer
            for matrix in group["params"]:
                if matrix.grad is not None:
                    alike.setdefault(min(matrix.shape), []).append((matrix, self._momentum(matrix, group["momentum"])))
            for members in alike.values():
                turned = orthogonal([wide(update) for _, update in members])
                for (matrix, _), update in zip(members, turned, strict=True):
                    rows, columns = matrix.shape
                    matrix.mul_(1 - group["lr"] * group["weight_decay"])
                    matrix.add_(update.T if rows > columns else update, alpha=-group["lr"] * math.sqrt(max(1.0, rows / columns)))

    def _momentum(self, matrix: nn.Parameter, momentum: float) -> Tensor:
        state = self.state[matrix]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        average = state["momentum_buffer"]
        average.lerp_(matrix.grad, 1 - momentum)
        return matrix.grad.lerp(average, momentum)


def wide(matrix: Tensor) -> Tensor:
    """As it is, or transposed: no more rows than columns."""
    return matrix.T if matrix.shape[0] > matrix.shape[1] else matrix


def orthogonal(matrices: Sequence[Tensor]) -> list[Tensor]:
    """Near the nearest matrices with orthonormal rows: singular values come to 0.7 to 1.2, only the very small ones stay below.

    matrices: each (rows, columns) with rows <= columns, all of as many rows; the result is alike.
    The iteration x <- (a + b g + c g g) x with g = x x' never needs x itself: g <- p g p with p = a + b g + c g g, and the product
    of all p is applied once at the end. With far more columns than rows that is a third less work, and the g of all matrices,
    however many columns these have, are iterated together.
    """
    a, b, c = COEFFICIENTS
    scaled = [matrix.float() / matrix.float().norm().clamp(min=LEAST_NORM) for matrix in matrices]
    gram = torch.stack([x @ x.T for x in scaled])  # (matrices, rows, rows)
    identity = torch.eye(gram.shape[1], device=gram.device)
    product = None
    for iteration in range(ITERATIONS):
        factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c) + a * identity
        product = factor if product is None else torch.bmm(factor, product)
        if iteration < ITERATIONS - 1:
            gram = torch.bmm(torch.bmm(factor, gram), factor)
    return [(turn @ x).to(matrix.dtype) for turn, x, matrix in zip(product, scaled, matrices, strict=True)]
