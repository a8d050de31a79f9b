"""The Learner of everything that learns by gradient descent: accumulation, mixed precision, clipping, several processes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from core.config import RunConfig
from core.errors import UserError
from core.families.learning import Batch, LearnerState, Pretraining, StepResult
from core.i18n import tr
from core.registry import family, load
from core.text.corpus import Corpus
from core.train import optim
from core.train.device import Device

Sums = dict[str, list[float]]


class NotFinite(UserError):
    """The loss or its gradient became infinite or undefined: no further step can be trusted."""


class _WithLoss(nn.Module):
    """The network and its loss as one module, since DistributedDataParallel listens to the forward call of one module."""

    def __init__(self, pretraining: Pretraining) -> None:
        super().__init__()
        self.network, self._loss = pretraining.network, pretraining.loss

    def forward(self, batch: Batch) -> tuple[Tensor, dict]:
        loss = self._loss(self.network, batch)
        return loss.value, dict(loss.sums)


class GradientLearner:
    """Takes steps on what the family's Pretraining says is the batch and the loss (core/families/learning.py)."""

    def __init__(self, config: RunConfig, corpus: Corpus, device: Device, *, training: Pretraining | None = None,
                 optimizers: Sequence[torch.optim.Optimizer] = ()) -> None:
        """training: what takes the place of the family's pretraining, with optimizers of its own."""
        self.config, self.device = config, device
        torch.manual_seed(config.train.seed)
        self.pretraining = training or load(family(config.family).pretrain)(config, corpus)
        self._network = self.pretraining.network.to(device.device)
        self._with_loss: nn.Module = _WithLoss(self.pretraining)
        if device.world > 1:
            # a pooler, say, has no part in the loss of masked words alone
            self._with_loss = DistributedDataParallel(self._with_loss, find_unused_parameters=True)
        self.optimizers = list(optimizers) or optim.build(self._network, config.train)
        optim.set_rate(self.optimizers, 1.0)
        self._scaler = torch.amp.GradScaler(device.device.type, enabled=device.dtype is torch.float16)
        self.parameters = sum(parameter.numel() for parameter in self._network.parameters())
        self.steps_per_epoch = max(1.0, self.pretraining.tokens_per_epoch / self.pretraining.tokens_per_batch)

    def step(self, step: int, progress: float) -> StepResult:
        """UserError (NotFinite) if the loss or the gradient is not finite; the weights are then those before the step."""
        config = self.config.train
        share = optim.rate(config, progress)
        optim.set_rate(self.optimizers, share)
        batch = self.pretraining.batch("train", step)
        # dropout, too, must be the same when this step is repeated after a restart
        torch.manual_seed(int(np.random.default_rng((config.seed, step, self.device.rank)).integers(1 << 62)))
        self._network.train()
        sums: Sums = {}
        parts = self._shares(batch)
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            together = nullcontext() if last or self.device.world == 1 else self._with_loss.no_sync()
            with together:
                with self.device.autocast():
                    value, part_sums = self._with_loss(part)
                # DDP takes the mean over processes; the loss is a sum over the whole batch
                self._scaler.scale(value * self.device.world).backward()
            _add(sums, part_sums)
        for optimizer in self.optimizers:
            self._scaler.unscale_(optimizer)
        norm = float(nn.utils.clip_grad_norm_(self._network.parameters(), config.grad_clip or math.inf))
        metrics = _means(self._over_processes(sums))
        self._refuse_not_finite(step, metrics["loss"], norm)
        for optimizer in self.optimizers:
            if math.isfinite(norm):  # or an optimizer whose own gradients were finite would step all the same, with what clipping made of them
                self._scaler.step(optimizer)
            optimizer.zero_grad(set_to_none=True)
        self._scaler.update()
        return StepResult(loss=metrics.pop("loss"), tokens=_real_tokens(batch), learning_rate=share * config.learning_rate,
                          grad_norm=norm, metrics=metrics)

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """The means over the fixed validation batches; perplexity is exp of the language model's loss."""
        self._network.eval()
        sums: Sums = {}
        for index in range(self.config.train.eval_batches):
            for part in self._shares(self.pretraining.batch("valid", index)):
                with self.device.autocast():
                    loss = self.pretraining.loss(self._network, part)
                _add(sums, loss.sums)
        metrics = _means(self._over_processes(sums))
        loss = metrics.get("mlm_loss", metrics["loss"])
        metrics["perplexity"] = math.exp(min(loss, 50.0))  # in this order NaN stays what it is
        return metrics

    def network(self) -> nn.Module:
        return self._network

    def state(self) -> LearnerState:
        # tied weights are one tensor under two names, which safetensors refuses: each is copied
        model = {name: tensor.detach().cpu().clone() for name, tensor in self._network.state_dict().items()}
        return LearnerState(model=model, optimizer=optim.state_tensors(self.optimizers), extra={"scaler": self._scaler.state_dict()})

    def load_state(self, state: LearnerState) -> None:
        self._network.load_state_dict(dict(state.model))
        optim.load_state_tensors(self.optimizers, state.optimizer)
        if state.extra.get("scaler"):
            self._scaler.load_state_dict(state.extra["scaler"])

    def _shares(self, batch: Batch) -> list[Batch]:
        """This process's rows of a batch, cut into micro-batches, on the device. What has no rows is given to each."""
        rows = len(batch["input_ids"])
        size = self.config.train.micro_batch_size or rows
        mine = torch.arange(rows).tensor_split(self.device.world)[self.device.rank]
        whole = size >= rows and self.device.world == 1
        parts = [mine] if whole else [part for part in mine.split(size) if len(part)]

        def take(value: Tensor, part: Tensor) -> Tensor:
            rowed = value.ndim > 0 and not whole
            return (value[part[0] : part[-1] + 1] if rowed else value).to(self.device.device)

        return [{name: take(value, part) for name, value in batch.items()} for part in parts]

    def _over_processes(self, sums: Sums) -> Sums:
        if self.device.world == 1:
            return sums
        names = sorted(sums)
        tensor = torch.tensor([sums[name] for name in names], dtype=torch.float64, device=self.device.device)
        torch.distributed.all_reduce(tensor)
        return dict(zip(names, tensor.tolist(), strict=True))

    def _refuse_not_finite(self, step: int, loss: float, norm: float) -> None:
        # fp16's scaler expects an infinite gradient now and then: the step is left out, and it lowers its scale
        if math.isfinite(loss) and (math.isfinite(norm) or self._scaler.is_enabled()):
            return
        what = tr("The gradient") if math.isfinite(loss) else tr("The loss")
        raise NotFinite(tr("{what} is no longer a finite number at step {step}.", what=what, step=step + 1),
                        tr("Lower the learning rate (it is {rate:g}) or lengthen the warm-up, and train again.",
                           rate=self.config.train.learning_rate))


def _add(sums: Sums, more: Mapping[str, tuple[Tensor | float, Tensor | float]]) -> None:
    for name, (total, count) in more.items():
        mine = sums.setdefault(name, [0.0, 0.0])
        mine[0] += float(total)
        mine[1] += float(count)


def _means(sums: Sums) -> dict[str, float]:
    return {name: total / count for name, (total, count) in sums.items() if count}


def _real_tokens(batch: Batch) -> int:
    mask = batch.get("attention_mask")
    return int(mask.sum()) if mask is not None else batch["input_ids"].numel()
