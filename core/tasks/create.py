"""Making the folder of a finetune, whole by itself: the pretrained run may vanish afterwards. Imports no torch.

    RUN_DIR/ config.json  tokenizer.json  specimens.tsv  task.json  train.jsonl  dev.jsonl
             pretrained/{model.safetensors source.json origin.json}  and what every run has
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.config import RunConfig
from core.errors import UserError, system_words
from core.hashes import sha256
from core.i18n import tr
from core.runs import ORIGIN, PRETRAINED_ORIGIN, Run, free_place, write_atomically
from core.tasks import data
from core.tasks.config import build_finetune
from core.tasks.problems import counted
from core.tasks.seeds import with_seeds
from core.text.tokenizers import load_tokenizer

SOURCE, WEIGHTS = "pretrained/source.json", "pretrained/model.safetensors"


def create(config: RunConfig, path: Path | None = None, suffix: str = "") -> Run:
    """Read the files, then make the run's folder. UserError for whatever is wrong, before anything is written.

    suffix: of the folder's name, where the name is ours to give.
    """
    pretrained = Run.open(Path(config.task.pretrained))
    newest_step(pretrained)
    train, dev, labels = data.read_files(config.task)
    chosen = data.subsample(train.examples, config.task.labels, config.train.seed)
    data.require_labels(chosen, labels)
    layout = data.layout_of(config, labels, load_tokenizer(pretrained.tokenizer_path))
    for reading in (train, dev):
        data.note_cut(config, layout, reading)
    run = Run.create(config, path or free_place(_name(config), suffix))
    try:
        shutil.copyfile(pretrained.tokenizer_path, run.tokenizer_path)
        if pretrained.specimens_path.exists():
            shutil.copyfile(pretrained.specimens_path, run.specimens_path)
        if pretrained.imported:
            (run.path / PRETRAINED_ORIGIN).parent.mkdir()
            shutil.copyfile(pretrained.path / ORIGIN, run.path / PRETRAINED_ORIGIN)
        if not config.task.from_scratch:
            copy_weights(pretrained, newest_step(pretrained), run)  # anew: one that is still trained may have removed what was the newest
        data.write(run.path, chosen, dev.examples, labels, {
            "problems": [*counted("train", train.problems), *counted("dev", dev.problems)],
            "warnings": data.missing_labels(chosen, labels),
            "skipped": {"train": train.skipped, "dev": dev.skipped}, "columns": {"train": train.columns, "dev": dev.columns}})
    except BaseException as error:  # Ctrl-C too
        shutil.rmtree(run.path, ignore_errors=True)
        if not isinstance(error, OSError):
            raise
        raise UserError(tr("The run's folder {path} cannot be written: {reason}.", path=run.path, reason=system_words(error)),
                        tr("Free some space, or choose another place with --run."), where="run") from error
    return run


def create_seeds(config: RunConfig, count: int, path: Path | None = None) -> list[Run]:
    """A folder for each of `count` seeds: `path` with the seed behind its name. UserError: then none was made."""
    made: list[Run] = []
    try:
        for one in with_seeds(config, count):
            suffix = f"-seed{one.train.seed}" if count > 1 else ""
            made.append(create(one, path.with_name(path.name + suffix) if path else None, suffix))
    except BaseException:
        for run in made:
            shutil.rmtree(run.path, ignore_errors=True)
        raise
    return made


def create_runs(*, pretrained: str, task: str, options: Mapping[str, Any], name: str = "", seeds: int = 1) -> list[str]:
    """As the window's engine calls it; returns the new runs' folders, one for each seed."""
    return [str(run.path) for run in create_seeds(build_finetune(Path(pretrained), task, options, name=name), seeds)]


def newest_step(run: Run) -> int:
    """The newest checkpoint whose hashes fit. UserError where there is none, or no tokenizer."""
    if not run.tokenizer_path.exists():
        raise UserError(tr("The run {name} has no tokenizer.json.", name=run.name), tr("Train it again from its settings."), where="pretrained")
    if (step := next(run.whole_steps(), None)) is None:
        raise run.without_checkpoint(run.checkpoint_steps(), where="pretrained")
    return step


def copy_weights(pretrained: Run, step: int, run: Run) -> None:
    """The weights of a checkpoint into the finetune's folder, and where they came from."""
    (run.path / WEIGHTS).parent.mkdir(exist_ok=True)
    shutil.copyfile(pretrained.checkpoint_path(step) / "model.safetensors", run.path / WEIGHTS)
    source = {"run": str(pretrained.path.resolve()), "name": pretrained.name, "step": step, "sha256": sha256(run.path / WEIGHTS)}
    write_atomically(run.path / SOURCE, json.dumps(source, ensure_ascii=False, indent=1))


def pretrained_weights_path(run: Run) -> Path | None:
    """The file of the weights that a finetune begins with; None from scratch. UserError where it is not as it was written."""
    if run.config.task.from_scratch:
        return None
    path = run.path / WEIGHTS
    try:
        good = json.loads((run.path / SOURCE).read_text(encoding="utf-8"))["sha256"] == sha256(path)
    except (OSError, ValueError, KeyError, TypeError):
        good = False
    if not good:
        raise UserError(tr("The pretrained weights in {path} are missing or damaged.", path=path),
                        tr("Finetune again from the settings of this run."))
    return path


def _name(config: RunConfig) -> str:
    """The family's, the task's and the file's."""
    scratch = "-scratch" if config.task.from_scratch else ""
    return f"{config.family}-{config.task.task}-{Path(config.task.train_file).stem}{scratch}"
