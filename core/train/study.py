"""Runs a study (core/study.py): the same task from pretrained weights, from scratch, and by a plain method, in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from core import study
from core.config import RunConfig
from core.errors import UserError
from core.hashes import sha256
from core.i18n import tr
from core.registry import task
from core.runs import Run
from core.tasks import data
from core.tasks.baseline import tfidf
from core.tasks.config import build_finetune
from core.tasks.create import newest_step
from core.tasks.data import Labelled
from core.tasks.labels import NUMBER
from core.tasks.problems import counted, warnings
from core.tasks.task import NUMBER_METRIC
from core.text.tokenizers import load_tokenizer
from core.train.device import Device, choose
from core.train.finetune import FinetuneLearner
from core.train.loop import progress_of, total_steps

Progress = Callable[[str], None]


def train_once(config: RunConfig, labelled: Labelled, device: Device, weights: Mapping[str, Tensor] | None, *,
               cancelled: Callable[[], bool] = lambda: False) -> tuple[FinetuneLearner, dict[str, float]]:
    """Finetune without a folder: the learner at the end, and its measures on the development examples."""
    learner = FinetuneLearner(config, labelled, device, weights)
    total = total_steps(config.train, learner.steps_per_epoch)
    began = time.monotonic()
    step, progress = 0, 0.0
    while progress < 1 and not cancelled():
        learner.step(step, progress)
        step += 1
        progress = progress_of(config.train, total, step, time.monotonic() - began)
    return learner, {} if cancelled() else learner.evaluate()


def run_study(*, pretrained: str, task_name: str, options: dict[str, Any], folder: str, counts: tuple[int, ...] = (), seeds: int = study.SEEDS,
              methods: tuple[str, ...] = study.METHODS, on_progress: Progress = lambda line: None,
              cancelled: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """Make what is missing of the study in `folder`; returns core.study.read_study of it. counts: empty means 50, 100, ... and all."""
    if seeds < 1 or min(counts, default=1) < 1:
        raise UserError(tr("{name} is {value}.", name="seeds" if seeds < 1 else "counts", value=seeds if seeds < 1 else min(counts)),
                        tr("It must be {words} {limit}.", words=tr("at least"), limit=1))
    run = Run.open(Path(pretrained))
    config = build_finetune(run, task_name, options)
    train, dev, labels = data.read_files(config.task)
    made = task(task_name)
    most = len(train.examples)
    counts = tuple(sorted({min(count, most) for count in counts})) or study.growing_counts(most)
    # (a number's correlation with one constant is not defined: no majority there)
    applies = tuple(method for method in methods
                    if (method != "tfidf" or made.tfidf) and (method != "majority" or labels.kind != NUMBER))
    metric = NUMBER_METRIC if labels.kind == NUMBER else made.metric
    weights_path = run.checkpoint_path(newest_step(run)) / "model.safetensors"
    plan = study.Plan(pretrained=str(run.path.resolve()), task=task_name, options={key: str(value) for key, value in options.items()},
                      counts=counts, seeds=tuple(range(seeds)), metric=metric, applies=applies,
                      warnings=tuple(warnings(counted("dev", dev.problems), len(dev.examples))),
                      contents={config.task.train_file: sha256(Path(config.task.train_file).expanduser()),
                                config.task.dev_file: sha256(Path(config.task.dev_file).expanduser()), str(run.path.resolve()): sha256(weights_path)})
    study.write_plan(Path(folder), plan)
    for words in plan.warnings:
        on_progress(words)
    weights = load_file(weights_path)
    tokenizer, device = load_tokenizer(run.tokenizer_path), choose(config.train)
    done = {(row["labels"], row["seed"], row["method"]) for row in study.read_results(Path(folder))}
    left = [job for job in plan.jobs() if job not in done]
    for number, (count, seed, method) in enumerate(left):
        if cancelled():
            break
        on_progress(tr("{number}/{all}  {method}, {count:,} labels, seed {seed}", number=len(plan.jobs()) - len(left) + number + 1,
                       all=len(plan.jobs()), method=study.method_titles()[method], count=count, seed=seed))
        began = time.monotonic()
        mine = replace(config, train=replace(config.train, seed=seed),
                       task=replace(config.task, labels=count, from_scratch=method == "scratch"))
        labelled = Labelled(train=data.subsample(train.examples, count, seed), dev=dev.examples, labels=labels, tokenizer=tokenizer,
                            layout=data.layout_of(mine, labels, tokenizer))
        measures = _measure(mine, labelled, method, device, weights, cancelled)
        if measures is None and cancelled():
            break
        study.append_result(Path(folder), {"method": method, "labels": count, "seed": seed, "metrics": measures or {},
                                           "value": (measures or {}).get(metric), "seconds": round(time.monotonic() - began, 2)})
    return study.read_study(folder)


def _measure(config: RunConfig, labelled: Labelled, method: str, device: Device, weights: Mapping[str, Tensor],
             cancelled: Callable[[], bool]) -> dict[str, float] | None:
    made = task(config.task.task)
    if method == "majority":
        return made.measure(made.majority(labelled.train, labelled.dev), labelled.dev, labelled.labels)
    if method == "tfidf":
        return tfidf(config.task.task, labelled.train, labelled.dev, labelled.labels)
    _, measures = train_once(config, labelled, device, weights if method == "pretrained" else None, cancelled=cancelled)
    return measures or None
