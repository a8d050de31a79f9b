"""Optimizers and the learning rate's course.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon) turns the momentum of every hidden matrix into the
nearest orthogonal matrix, so that all its directions learn at the same pace. At our sizes it reaches in one minute what
AdamW needs several for. Embeddings, the output layer, biases and norms stay with AdamW.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from core.config import TrainConfig
from core.train.muon import Muon

BETAS = (0.9, 0.98)  # of AdamW, as in Vaswani et al. 2017, section 5.3

log = logging.getLogger(__name__)


def build(network: nn.Module, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """AdamW alone, or Muon for the hidden matrices and AdamW for the rest. Norms and biases are never decayed. network: a Pretraining's."""
    hidden, matrices, others = split(network)
    if config.optimizer == "adamw":
        matrices, hidden = hidden + matrices, []
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW([group for group in groups if group["params"]], lr=config.learning_rate, betas=BETAS, fused=True)
    if not hidden:
        return [adamw]
    return [adamw, Muon(hidden, lr=config.muon_learning_rate, weight_decay=config.weight_decay)]


def split(network: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
    """The hidden matrices, the other matrices (embeddings and the output layer), and vectors; each parameter once."""
    outer = {id(module.weight) for module in network.modules() if isinstance(module, nn.Embedding)}
    outer |= {id(part.output_matrix) for part in (network, network.encoder) if hasattr(part, "output_matrix")}
    hidden, matrices, others = [], [], []
    for parameter in network.parameters():
        if not parameter.requires_grad:
            continue
        if parameter.ndim < 2:
            others.append(parameter)
        elif parameter.ndim == 2 and id(parameter) not in outer:
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
    """What `state_tensors` gave. Where it was of other parameters (once a matrix with a side as long as the vocabulary was taken for the output
    layer) the optimizers begin anew: PyTorch would step with what does not fit, and end the process without a word."""
    states: dict[int, dict[int, dict[str, Tensor]]] = {number: {} for number in range(len(optimizers))}
    for key, value in tensors.items():
        which, index, name = key.split(".", 2)
        states.setdefault(int(which), {}).setdefault(int(index), {})[name] = value
    if not all(_fits(optimizer, states[number]) for number, optimizer in enumerate(optimizers)):
        log.warning("the state of the optimizer does not fit its parameters: it begins anew")
        return
    for number, optimizer in enumerate(optimizers):
        optimizer.load_state_dict({"state": states[number], "param_groups": optimizer.state_dict()["param_groups"]})


def _fits(optimizer: torch.optim.Optimizer, state: Mapping[int, Mapping[str, Tensor]]) -> bool:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    return all(index < len(parameters) and all(value.ndim == 0 or value.shape == parameters[index].shape for value in moments.values())
               for index, moments in state.items())
