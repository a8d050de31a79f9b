"""The settings of the second stage: what is finetuned, on which labels, and how. Imports no torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core import config as configs
from core.config import RunConfig, TrainConfig, check, option
from core.errors import UserError
from core.i18n import tr
from core.registry import TASKS, nearest
from core.registry import family as family_named
from core.registry import task as task_named
from core.runs import Run
from core.tasks.forms import form_for, stands_alone


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """A task, its files, and how a pretrained model learns it. An option that a family or task has no use for changes nothing."""

    task: str = option("classification", "What is learnt.", choices=tuple(TASKS), hidden=True)
    pretrained: str = option("", "Folder of the pretrained run.", hidden=True)
    train_file: str = option("", "File with the labelled examples to learn from.", hidden=True)
    dev_file: str = option("", "File with the labelled examples to measure on.", hidden=True)
    column_text: str = option("", "Column (or key) with the text, or the first of two; empty means: recognise it.")
    column_text_b: str = option("", "Column with the second text of a pair; empty means: recognise it.")
    column_label: str = option("", "Column with the label; empty means: recognise it.")
    labels: int = option(0, "Learn from so many labelled examples, drawn by the seed; 0 means all.", min=0)
    label_kind: str = option("auto", "Whether the label of a pair is a name or a number; auto looks at the labels.",
                             choices=("auto", "nominal", "number"))
    from_scratch: bool = option(False, "Begin with random weights, to see what pretraining was worth.")
    unfreeze: str = option("auto", "Which pretrained layers learn: none, all, or one after the other from the top. auto does as the paper does.",
                           choices=("auto", "none", "all", "gradual"))
    layer_lr_decay: float = option(1.0, "Each layer learns this much slower than the one above it.", min=0.01, max=1.0)
    head_rate: float = option(1.0, "What is new learns this many times as fast as the pretrained layers.", min=0.01, max=1000)
    task_dropout: float = option(0.1, "Share of values dropped before the head while learning.", min=0, max=0.9)
    label_smoothing: float = option(0.0, "Share of each label that is spread over all labels.", min=0, max=0.9)
    class_weights: bool = option(False, "Rare labels count more, in inverse proportion to their number.")
    lm_weight: float = option(0.5, "Weight of the language model's loss beside the task's, for a left-to-right model.", min=0, max=10)
    pooling: str = option("auto", "What stands for a whole text: its first token, its last, or the mean. auto does as the paper does.",
                          choices=("auto", "first", "last", "mean", "max"))
    network: str = option("auto", "What stands between the vectors and the head: nothing, or a bidirectional LSTM.",
                          choices=("auto", "none", "bilstm"))
    lstm_size: int = option(64, "Cells of that LSTM in each direction.", min=4, max=4096)
    mix: str = option("auto", "Mix all layers into one vector a token with learnt weights (ScalarMix). auto: for ELMo.",
                      choices=("auto", "on", "off"))
    mix_place: str = option("input", "Where the mix enters the task network.", choices=("input", "output", "both"))
    mix_layer_norm: bool = option(False, "Bring each layer to mean 0 and variance 1 before mixing.")
    mix_l2: float = option(0.001, "Pull of the mix's weights towards an even mix.", min=0, max=10)
    own_embedding: int = option(0, "Size of the task network's own embedding of the tokens, beside the mix; 0 means none.", min=0, max=4096)
    order: str = option("auto", "Read a pair as given, or in both orders and add the two. auto: both for numbers, which have no order.",
                        choices=("auto", "given", "both"))
    form: str = option("family", "How texts are laid out: as the family's paper has it, as RoBERTa does, or the text alone.",
                       choices=("family", "roberta", "plain"), hidden=True)
    crf: bool = option(False, "Score whole sequences of tags (a linear-chain CRF) and not each tag alone.")
    stride: int = option(32, "Tokens that two windows over a long passage share.", min=0, max=4096, advanced=True)
    max_answer: int = option(40, "The longest answer, in tokens.", min=1, max=4096, advanced=True)

    def __post_init__(self) -> None:
        check(self)

    def columns(self) -> dict[str, str]:
        """role -> the column that the person named."""
        return {"text": self.column_text, "text_a": self.column_text, "text_b": self.column_text_b, "label": self.column_label}


# Laid over the defaults of TrainConfig; then by how the family takes part, then by task. A run takes seconds to about a minute on two cores.
COMMON = {"train.epochs": 20.0, "train.steps": 600, "train.batch_size": 16, "train.seq_len": 128, "train.learning_rate": 1e-3,
          "train.optimizer": "adamw", "train.warmup": 0.1, "train.evals": 4, "train.checkpoints": 4, "train.probes": 10}
FROZEN_RATE, TOKENS_RATE = 2e-2, 1e-2  # a layer over vectors that stay as they are learns best fast; where each token is judged, not so fast
LEARNING = {"task.head_rate": 10.0, "model.dropout": 0.1}  # where the pretrained layers learn too
BY_TASK: dict[str, dict[str, Any]] = {
    "multiple_choice": {"train.batch_size": 8},
    "span": {"train.batch_size": 8, "train.epochs": 5.0},
}


def finetune_defaults(family: str, task: str) -> dict[str, Any]:
    """{dotted option: value} that a finetune of that family on that task begins with, where it differs from the dataclasses' defaults."""
    made = family_named(family)
    if made.form.frozen:
        mine: dict[str, Any] = {"train.learning_rate": TOKENS_RATE if task_named(task).windows else FROZEN_RATE}
    else:
        mine = {name: value for name, value in LEARNING.items() if name != "model.dropout" or hasattr(made.model_config, "dropout")}
    return {**COMMON, **mine, **BY_TASK.get(task, {})}


def build_finetune(pretrained: Run | Path, task: str, options: Mapping[str, Any] | None = None, *, name: str = "") -> RunConfig:
    """The settings of a finetune of `pretrained`: its text, tokenizer and model, with `options` as core.config.build takes them.

    Of the model's own options only dropout may change. UserError names what is wrong.
    """
    run = pretrained if isinstance(pretrained, Run) else Run.open(pretrained)
    before = run.config
    if before.task is not None and not stands_alone(before):
        raise UserError(tr("{name} is itself a finetuned run.", name=run.name), tr("Choose the run that it was made from."), where="pretrained")
    if task not in TASKS:
        raise UserError(tr("There is no task '{task}'.", task=task), nearest(task, TASKS), where="task")
    types = {"train": TrainConfig, "task": TaskConfig, "model": type(before.model)}
    given = {_resolve(before.family, key): value for key, value in (options or {}).items()}
    layers = finetune_defaults(before.family, task)
    if configs.names_end(given):
        layers = {key: value for key, value in layers.items() if key not in configs.ENDS}
    parts: dict[str, dict[str, Any]] = {"train": {}, "task": {"task": task, "pretrained": str(run.path.resolve()), "form": form_for(run)},
                                        "model": {}}
    for key, value in {**layers, **given}.items():
        section, _, field = key.partition(".")
        parts[section][field] = configs.parse(field, value, configs.field_types(types[section])[field])
    limit = getattr(before.model, "max_seq_len", None)
    if limit and "train.seq_len" not in given:
        parts["train"]["seq_len"] = min(limit, parts["train"]["seq_len"])
    model = replace(before.model, **parts["model"]) if parts["model"] else before.model
    return RunConfig(family=before.family, preset=before.preset, name=name, text=before.text, model=model, objective=before.objective,
                     train=TrainConfig(**parts["train"]), watch=before.watch, task=TaskConfig(**parts["task"]))


def _resolve(family: str, key: str) -> str:
    """The dotted name of an option of the second stage."""
    full = configs.resolve(family, key, finetune=True)
    if full.partition(".")[0] not in ("train", "task") and full != "model.dropout":
        raise UserError(tr("'{key}' is settled by the pretrained run.", key=key), tr("Options of train and task can be set."), where=key)
    return full


def as_command(config: RunConfig) -> list[str]:
    """The arguments after `python main.py` that start the same finetune from the command line."""
    task = config.task
    arguments = ["finetune", task.pretrained, "--task", task.task, *configs.spoken("--train", task.train_file),
                 *configs.spoken("--dev", task.dev_file)]
    plain = finetune_defaults(config.family, task.task)
    said = {"task.task", "task.pretrained", "task.train_file", "task.dev_file"}
    usual = {**plain, **configs.unsaid_ends(config.train, plain)}
    for section, made in (("train", config.train), ("task", task)):
        for item in dataclasses.fields(made):
            key, value = f"{section}.{item.name}", getattr(made, item.name)
            if key not in said and value != usual.get(key, item.default):
                arguments += ["--set", f"{key}={value}"]
    dropout = getattr(config.model, "dropout", None)
    if dropout is not None and dropout != plain.get("model.dropout"):
        arguments += ["--set", f"model.dropout={dropout}"]
    return arguments
