"""x W^T + b with the library that is faster on this processor: the same products in the same float32.

torch multiplies float32 matrices on a CPU with MKL, which on AMD processors uses vectors half as wide as they have: 107 GFLOP/s
a core where oneDNN, which torch brings as well, reaches 245 (Zen 5). torch has no switch for it, so training asks for oneDNN by
name here. The choice depends on the machine alone, never on a measurement, so that a run can be repeated bit for bit.
"""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@cache
def onednn_is_faster() -> bool:
    """Whether this is an AMD processor with AVX-512, and torch was built with oneDNN."""
    if not torch.backends.mkldnn.is_available() or torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    cpuinfo = Path("/proc/cpuinfo")  # on Linux, platform.processor() is often empty
    maker = cpuinfo.read_text(errors="replace") if cpuinfo.exists() else platform.processor()
    return "AuthenticAMD" in maker and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x weight^T + bias without a gradient. x: (..., n), weight: (m, n), both float32 on a CPU where `onednn_is_faster`."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")


def weight_gradient(grad: Tensor, x: Tensor) -> Tensor:
    """grad^T x: (rows, m), (rows, n) -> (m, n). oneDNN copies its first matrix when that is transposed: let it be the smaller."""
    if grad.shape[1] > x.shape[1]:
        return product(x.t(), grad.t()).t()
    return product(grad.t(), x.t())


def uses_onednn(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype == torch.float32 and onednn_is_faster() and not torch.is_autocast_enabled("cpu")


class Linear(nn.Linear):
    """nn.Linear that learns faster on some processors. Where nothing is learnt, and for exporters, it is nn.Linear."""

    def forward(self, x: Tensor, outputs: slice | None = None) -> Tensor:
        """x: (..., in_features). outputs: those that are wanted, all of them by default. Returns (..., out_features or fewer)."""
        weight, bias = (self.weight, self.bias) if outputs is None else (self.weight[outputs], self.bias[outputs])
        if torch.is_grad_enabled() and not torch.compiler.is_compiling() and uses_onednn(x):
            return _OneDnnLinear.apply(x, weight, bias)
        return F.linear(x, weight, bias)


class _OneDnnLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return product(x, weight, bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        rows = grad.flatten(0, -2)  # (tokens, m)
        grad_x = product(grad, weight.t()) if needs_x else None
        grad_weight = weight_gradient(rows, x.flatten(0, -2)) if needs_weight else None  # (m, n)
        return grad_x, grad_weight, rows.sum(0) if needs_bias else None
