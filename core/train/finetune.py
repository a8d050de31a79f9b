"""The Learner of the second stage: a task's batches and loss, for the GradientLearner that also pretrains."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from core.config import RunConfig
from core.families.batches import RowOrder
from core.families.learning import Batch, LearnerState, Loss, StepResult
from core.families.vocabulary_loss import vocabulary_loss
from core.registry import family, task
from core.tasks.batches import FrozenReadings, collate, network_inputs
from core.tasks.data import Labelled
from core.tasks.networks import TaskNetwork, load_pretrained, randomise
from core.tasks.predictor import featurise, predict
from core.tasks.task import Feature
from core.text.tokenizers import PAD
from core.train import optim
from core.train.device import Device
from core.train.gradient import GradientLearner

_LAYER = re.compile(r"(?:^|\.)(?:layers|forward_layers|backward_layers)\.(\d+)\.")
FLOAT_BYTES, KEPT_BYTES = 4, 512e6  # of a frozen model's vectors


class TaskTraining:
    """Batches and loss of a task. See Pretraining in core/families/learning.py; here a row is a feature of an example."""

    def __init__(self, config: RunConfig, data: Labelled, weights: Mapping[str, Tensor] | None) -> None:
        """weights: of the pretrained run's checkpoint; None begins from scratch."""
        self.config, self.data, self._task = config, data, task(config.task.task)
        self._features = featurise(config, data.layout, data.train)
        self._order = RowOrder(config.train.seed, "train", len(self._features), config.train.batch_size)
        self.network = TaskNetwork(config, data.layout, data.labels)
        randomise(self.network)
        if hasattr(self.network.encoder, "spell"):
            self.network.encoder.spell(data.tokenizer)
        if weights is not None:
            load_pretrained(self.network, weights)
        self._weigh_classes()
        self.tokens_per_epoch = _tokens(self._features)
        self._frozen = FrozenReadings(self.network, self._features) if self._may_keep() else None
        self.tokens_per_batch = max(1, self.tokens_per_epoch * config.train.batch_size // max(1, len(self._features)))
        # the model's own loss beside the task's (Radford et al. 2018, equation 5)
        causal = "generate" in family(config.family).capabilities
        self._lm_weight = config.task.lm_weight if causal and self.network.plan.unfreeze != "none" else 0.0

    def _may_keep(self) -> bool:
        """Whether the vectors of a frozen model are kept from epoch to epoch."""
        if self.network.plan.unfreeze != "none":
            return False
        states = self.network.encode(torch.zeros(1, 1, dtype=torch.long), torch.ones(1, 1, dtype=torch.long), None).states
        return self.tokens_per_epoch * sum(state.shape[-1] for state in states) * FLOAT_BYTES <= KEPT_BYTES

    def _weigh_classes(self) -> None:
        if not self.config.task.class_weights or not hasattr(self.network.head, "class_weights"):
            return
        found = (example.label if isinstance(example.label, tuple) else (example.label,) for example in self.data.train)
        counts = Counter(label for labels in found for label in labels)
        names = self.data.labels.names
        weights = torch.tensor([counts.total() / (len(names) * max(1, counts[name])) for name in names])
        self.network.head.class_weights.copy_(weights)

    def batch(self, split: str, index: int) -> Batch:
        rows, _ = self._order.of_batch(index)
        batch = collate(self._task, [self._features[row] for row in rows], self.data.train, self.data.labels)
        if self._frozen is not None:
            self._frozen.add(batch, rows.tolist())
        batch["normalizer"] = torch.tensor(self.network.head.count(batch) or 1.0)
        batch["rows"] = torch.tensor(float(len(rows)))
        if self._lm_weight:
            batch["lm_normalizer"] = torch.tensor(max(1.0, float(_followers(batch).sum())))
        return batch

    def loss(self, network: nn.Module, batch: Batch) -> Loss:
        read = network.read(**network_inputs(batch))
        value, sums = network.head.loss(network.head(read), batch)
        value = value / batch["normalizer"]
        if self._lm_weight:
            ahead = _followers(batch)
            hidden = read.last_hidden_state[:, :-1][ahead]  # (guessed, hidden_size)
            labels = batch["input_ids"].flatten(0, 1)[:, 1:][ahead]
            nll, _ = vocabulary_loss(hidden, network.encoder.output_matrix, network.encoder.output_bias, labels)
            value = value + self._lm_weight * nll / batch["lm_normalizer"]
            sums = {**sums, "lm_loss": (nll.detach(), len(labels))}
        share = len(batch["input_ids"]) / batch["rows"]
        for mix in (network.mix, network.mix_output):
            if mix is not None:
                value = value + self.config.task.mix_l2 * share * mix.penalty()
        return Loss(value=value, sums=sums)


def _tokens(features: Sequence[Feature]) -> int:
    return sum(len(part.ids) for feature in features for part in feature.parts)


def _followers(batch: Batch) -> Tensor:
    """(rows, tokens - 1) bool: whether the next token is a real one, and of this row's text."""
    return (batch["attention_mask"].flatten(0, 1)[:, 1:] == 1) & (batch["input_ids"].flatten(0, 1)[:, 1:] != PAD)


class FinetuneLearner:
    """A Learner (core/families/learning.py): GradientLearner's steps on a task, with frozen, slower and gradually thawed layers."""

    def __init__(self, config: RunConfig, data: Labelled, device: Device, weights: Mapping[str, Tensor] | None) -> None:
        torch.manual_seed(config.train.seed)
        self.config, self._data = config, data
        self._training = TaskTraining(config, data, weights)
        network = self._training.network
        self._depths = layer_depths(network)
        self._thaw(1.0)  # several processes share what learns at this moment, so all that ever will must learn now
        optimizers = [adamw(network, config, self._depths)]
        self._inner = GradientLearner(config, data, device, training=self._training, optimizers=optimizers)
        self._dev = featurise(config, data.layout, data.dev)
        self.train_tokens = self._training.tokens_per_epoch
        self.valid_tokens = _tokens(self._dev)
        self.parameters, self.steps_per_epoch = self._inner.parameters, self._inner.steps_per_epoch

    def step(self, step: int, progress: float) -> StepResult:
        self._thaw(progress)
        result = self._inner.step(step, progress)
        return replace(result, metrics={**result.metrics, **self._training.network.mix_metrics()})

    def evaluate(self) -> dict[str, float]:
        """"loss" over the development examples, and the task's measures."""
        predictions, loss = predict(self._training.network, self.config, self._data.layout, self._data.labels, self._data.dev, self._dev)
        return {"loss": loss, **task(self.config.task.task).measure(predictions, self._data.dev, self._data.labels)}

    def network(self) -> nn.Module:
        return self._inner.network()

    def state(self) -> LearnerState:
        return self._inner.state()

    def load_state(self, state: LearnerState) -> None:
        self._inner.load_state(state)

    def _thaw(self, progress: float) -> None:
        """Set what learns at that point of the run. gradual: the top layer from the start, each one below it later, all by half time
        (Howard and Ruder 2018, section 3.3)."""
        network = self._training.network
        top = max(self._depths.values())
        plan = network.plan.unfreeze
        open_from = {"all": 0, "none": top + 1}.get(plan, max(0, top - int(2 * progress * (top + 1))))
        for name, parameter in network.named_parameters():
            if name in self._depths:
                parameter.requires_grad_(self._depths[name] >= open_from)
        network.learns = open_from <= top


def layer_depths(network: TaskNetwork) -> dict[str, int]:
    """Of each of the encoder's parameters: 0 for the embeddings, j for layer j, and the topmost layer's for what stands above it."""
    numbers = {name: match for name, _ in network.named_parameters() if name.startswith("encoder.") for match in [_LAYER.search(name)]}
    top = max((int(match[1]) + 1 for match in numbers.values() if match), default=0)
    above = ("pooler", "final_norm", "encoder.output")
    return {name: int(match[1]) + 1 if match else top if any(part in name for part in above) else 0 for name, match in numbers.items()}


def adamw(network: TaskNetwork, config: RunConfig, depths: Mapping[str, int]) -> torch.optim.AdamW:
    """A group for each depth (its rate layer_lr_decay times that of the depth above) and one for what is new; vectors are never decayed."""
    train, options = config.train, config.task
    top = max(depths.values())
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if name in depths:
            if network.plan.unfreeze == "none":
                continue
            rate = train.learning_rate * options.layer_lr_decay ** (top - depths[name])
        else:
            rate = train.learning_rate * options.head_rate
        groups.setdefault((rate, train.weight_decay if parameter.ndim > 1 else 0.0), []).append(parameter)
    made = [{"params": members, "lr": rate, "weight_decay": decay} for (rate, decay), members in groups.items()]
    return torch.optim.AdamW(made, lr=train.learning_rate, betas=optim.BETAS, fused=True)
