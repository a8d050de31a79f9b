"""Optimizers and the learning rate's course.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon) turns the momentum of every hidden matrix into the
nearest orthogonal matrix, so that all its directions learn at the same pace. At our sizes it reaches in one minute what
AdamW needs several for. Embeddings, the output layer, biases and norms stay with AdamW.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from core.config import TrainConfig
from core.train.muon import Muon

BETAS = (0.9, 0.98)  # of AdamW, as in Vaswani et al. 2017, section 5.3


def build(network: nn.Module, config: TrainConfig, vocab_size: int) -> list[torch.optim.Optimizer]:
    """AdamW alone, or Muon for the hidden matrices and AdamW for the rest. Norms and biases are never decayed."""
    hidden, matrices, others = split(network, vocab_size)
    if config.optimizer == "adamw":
        matrices, hidden = hidden + matrices, []
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW([group for group in groups if group["params"]], lr=config.learning_rate, betas=BETAS, fused=True)
    if not hidden:
        return [adamw]
    return [adamw, Muon(hidden, lr=config.muon_learning_rate, weight_decay=config.weight_decay)]


def split(network: nn.Module, vocab_size: int) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
    """The hidden matrices, the other matrices (embeddings and the output layer), and vectors; each parameter once."""
    embeddings = {id(p) for module in network.modules() if isinstance(module, nn.Embedding) for p in module.parameters()}
    hidden, matrices, others = [], [], []
    for parameter in network.parameters():
        if not parameter.requires_grad:
            continue
        if parameter.ndim < 2:
            others.append(parameter)
        elif parameter.ndim == 2 and id(parameter) not in embeddings and vocab_size not in parameter.shape:
            hidden.append(parameter)
        else:
            matrices.append(parameter)
    return hidden, matrices, others


def rate(config: TrainConfig, progress: float) -> float:
    """The share of the peak learning rate at `progress` (0 to 1): a linear warm-up, then the chosen way down."""
    if progress < config.warmup:
        return max(progress, 1e-3 * config.warmup) / config.warmup
    rest = (progress - config.warmup) / max(1e-9, 1 - config.warmup)
    if config.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * min(1.0, rest)))
    return max(0.0, 1 - rest) if config.schedule == "linear" else 1.0


def set_rate(optimizers: list[torch.optim.Optimizer], share: float) -> None:
    """Set every group's rate to `share` of its peak."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group.setdefault("peak", group["lr"])
            group["lr"] = group["peak"] * share


def state_tensors(optimizers: list[torch.optim.Optimizer]) -> dict[str, Tensor]:
    """All moments as "0.12.exp_avg": optimizer, parameter, name; on the CPU."""
    return {f"{number}.{index}.{name}": value.detach().cpu()
            for number, optimizer in enumerate(optimizers)
            for index, moments in optimizer.state_dict()["state"].items() for name, value in moments.items()}


def load_state_tensors(optimizers: list[torch.optim.Optimizer], tensors: Mapping[str, Tensor]) -> None:
    for number, optimizer in enumerate(optimizers):
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            which, index, name = key.split(".", 2)
            if int(which) == number:
                state.setdefault(int(index), {})[name] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
