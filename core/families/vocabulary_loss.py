"""Cross-entropy over a vocabulary, made for training: it never keeps the logits, and softmax is read and written once.

The logits of a batch are the largest tensor of a small model by far. Here they exist for some rows at a time, in one buffer,
and turn into their own gradient in place:

    d nll / d logits = softmax(logits) - onehot(label)

so that forward and backward together cost three matrix products and little else.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from core.families.linear import product, uses_onednn, weight_gradient

# Logits that exist at a time. For oneDNN so many as stay in the cache, 2 MB; MKL wants some
# 500 rows for its full speed (Zen 3), with large vocabularies at the price of memory; a GPU wants the largest products.
ONEDNN_CHUNK, CPU_CHUNK, GPU_CHUNK = 1 << 19, 1 << 22, 1 << 26
SMALLEST_CHUNK = 64  # rows; fewer would starve the matrix product
# MKL wants rows of logits that begin at a cache line: with a vocabulary of 3,782 its three products together reach 122 GFLOP/s,
# with 3,792 they reach 153 (Zen 3, two cores)
ALIGNED = 16  # float32 in a cache line


def vocabulary_loss(hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The summed cross-entropy of softmax(hidden weight^T + bias) against labels.

    hidden: (labels, hidden_size). weight: (vocab_size, hidden_size). bias: (vocab_size) or None. labels: (labels), none ignored.
    Returns two float32 scalars: the negative log-likelihood in nats, and how many labels were the likeliest token (no gradient).
    Under autocast the products are computed in its number format, the softmax always in float32.
    """
    nll, told = _loss(hidden, weight, bias, labels, None)
    return nll, told[1]


def subsampled_loss(hidden: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
    """As vocabulary_loss, where some labels have been left out. kept: (vocab_size), above 0, the chance that a label which is this token stayed.

    Of labels that stayed, P(v) is proportional to softmax(hidden weight^T + bias)(v) kept(v). The likelihood of these is what is maximised,
    so the softmax itself still tells what comes next in the whole text. Returns that negative log-likelihood, and, without gradient, float32 (3):
    the softmax's own, how many labels were its likeliest token, and the number of labels. These three are estimates for all labels: each that
    stayed stands for 1 / kept of its kind.
    """
    return _loss(hidden, weight, bias, labels, kept)


def _loss(hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, kept: Tensor | None) -> tuple[Tensor, Tensor]:
    learns = torch.is_grad_enabled() and any(item is not None and item.requires_grad for item in (hidden, weight, bias))
    return _VocabularyLoss.apply(hidden, weight, bias, labels, kept, learns)


class _VocabularyLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, kept: Tensor | None,
                learns: bool) -> tuple[Tensor, Tensor]:
        kind = hidden.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden.dtype
        chunk = GPU_CHUNK if kind != "cpu" else ONEDNN_CHUNK if uses_onednn(hidden) else CPU_CHUNK
        rows = max(SMALLEST_CHUNK, chunk // weight.shape[0])
        with torch.autocast(kind, enabled=False):
            return _chunks(ctx, hidden, weight, bias, labels, kept, learns, dtype, rows)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_nll: Tensor, _grad_told: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, bias = (None if grad is None else (grad * grad_nll).to(dtype)
                                for grad, dtype in zip(ctx.grads, ctx.dtypes, strict=True))
        return hidden, weight, bias, None, None, None


def _chunks(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, kept: Tensor | None, learns: bool,
            dtype: torch.dtype, rows: int) -> tuple[Tensor, Tensor]:
    """The negative log-likelihood to learn from; (3) that to be told, the labels that were the likeliest, and all labels."""
    inputs, matrix = hidden.to(dtype), weight.to(dtype)
    onednn = uses_onednn(inputs)
    vocab_size = len(matrix)
    raised = bias if kept is None else kept.log() if bias is None else bias + kept.log()
    if inputs.device.type == "cpu" and not onednn and vocab_size % ALIGNED:
        matrix = F.pad(matrix, (0, 0, 0, ALIGNED - vocab_size % ALIGNED))  # tokens that do not exist; their logits are set to -inf
    nll, told = hidden.new_zeros((), dtype=torch.float32), hidden.new_zeros(3, dtype=torch.float32)
    grad_hidden = torch.empty_like(inputs) if learns else None
    grad_weight = torch.zeros_like(matrix, dtype=torch.float32) if learns else None
    if learns and onednn:  # in the layout that `weight_gradient` has
        grad_weight = torch.zeros_like(weight.t(), dtype=torch.float32, memory_format=torch.contiguous_format).t()
    grad_bias = torch.zeros_like(bias, dtype=torch.float32) if learns and bias is not None else None
    buffer = inputs.new_empty(min(rows, len(inputs)), len(matrix)) if not onednn else None
    for start in range(0, len(inputs), rows):
        x, label = inputs[start:start + rows], labels[start:start + rows, None]  # (rows, hidden_size), (rows, 1)
        logits = product(x, matrix) if buffer is None else torch.mm(x, matrix.t(), out=buffer[:len(x)])  # (rows, vocab_size)
        if raised is not None:
            logits[:, :vocab_size] += raised
        logits[:, vocab_size:] = -torch.inf
        logits = logits.float()
        wanted, highest = logits.gather(1, label), logits.amax(1, keepdim=True)
        torch.softmax(logits, dim=1, out=logits)
        # log p of the label, from the greatest probability, which unlike the label's cannot be rounded to 0
        each = highest - wanted - logits.amax(1, keepdim=True).log()  # (rows, 1)
        nll += each.sum()
        told += _told(each, wanted >= highest) if kept is None else _told_of_all(each, logits[:, :vocab_size], label, kept)
        if learns:
            logits.scatter_add_(1, label, torch.full_like(wanted, -1.0))  # now the gradient of the logits
            if grad_bias is not None:
                grad_bias += logits.sum(0)[:vocab_size]
            grad = logits.to(dtype)
            if onednn:
                grad_hidden[start:start + rows] = product(grad, matrix.t())
                grad_weight += weight_gradient(grad, x)
                continue
            torch.mm(grad, matrix, out=grad_hidden[start:start + rows])
            if dtype == torch.float32:
                grad_weight.addmm_(grad.t(), x)
            else:
                grad_weight += grad.t() @ x
    ctx.grads = grad_hidden, None if grad_weight is None else grad_weight[:vocab_size], grad_bias
    ctx.dtypes = hidden.dtype, weight.dtype, None if bias is None else bias.dtype
    ctx.mark_non_differentiable(told)
    return nll, told


def _told(nll: Tensor, correct: Tensor) -> Tensor:
    """(rows, 1) each -> (3) sums."""
    return torch.stack([nll.sum(), correct.sum(), nll.new_tensor(len(nll))])


def _told_of_all(nll: Tensor, softmax: Tensor, label: Tensor, kept: Tensor) -> Tensor:
    """softmax: (rows, vocab_size) of labels that stayed; nll: (rows, 1) by it. What is told is of the softmax of all labels."""
    of_all = softmax / kept  # but for a factor
    stands_for = 1 / kept[label]  # (rows, 1)
    nll = nll + kept[label].log() + of_all.sum(1, keepdim=True).log()
    return torch.stack([(nll * stands_for).sum(), (stands_for * (of_all.gather(1, label) >= of_all.amax(1, keepdim=True))).sum(), stands_for.sum()])
