"""Checkpoints on the disk: atomic, hashed and complete, and nothing in them is ever unpickled.

    checkpoints/step_00000200/ model.safetensors  optimizer.safetensors  state.json  manifest.json

They are written into a temporary folder; every file is synced; the manifest, with each file's SHA-256, comes last; then
the folder is renamed and its parent synced. So a checkpoint is there wholly or not at all, whenever the process dies.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core import hashes
from core.errors import UserError, system_words
from core.hashes import MANIFEST, sha256
from core.i18n import tr
from core.runs import CHECKPOINT_FILES, Run
from core.whole import put_in_place

KEPT = 2  # the newest; the best stays besides


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """model, optimizer: tensors by name, on the CPU. state: JSON; always with "step" and "best" (whether it was the best so far)."""

    step: int
    model: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]
    state: Mapping[str, Any]


def save(run: Run, checkpoint: Checkpoint) -> Path:
    """Write it, then remove those no longer kept. UserError if the disk is full; what was there stays."""
    target = run.checkpoint_path(checkpoint.step)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(exist_ok=True)  # not its parents: a run's folder that was moved away must not come back empty
        _clear(target.parent)
        temporary.mkdir()
        save_tensors(checkpoint.model, temporary / "model.safetensors")
        save_tensors(checkpoint.optimizer, temporary / "optimizer.safetensors")
        (temporary / "state.json").write_text(json.dumps(checkpoint.state, ensure_ascii=False), encoding="utf-8")
        names = sorted(path.name for path in temporary.iterdir())
        (temporary / MANIFEST).write_text(json.dumps({"sha256": {name: sha256(temporary / name) for name in names}}), encoding="utf-8")
        for name in (*names, MANIFEST):
            _sync(temporary / name)
        _sync(temporary)
        if target.exists():  # a run that went on from an earlier step comes to this one again
            old = temporary.with_name(temporary.name + ".old")
            put_in_place(target, old)
        put_in_place(temporary, target)
        _sync(target.parent)
        _clear(target.parent)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        reason = system_words(error) if isinstance(error, OSError) else str(error)
        raise UserError(tr("The checkpoint of step {step} could not be saved: {reason}.", step=checkpoint.step, reason=reason),
                        tr("Free some space, then resume the run; its last good checkpoint is untouched.")) from error
    _prune(run)
    return target


def save_tensors(tensors: Mapping[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a file of safetensors. OSError where the disk refuses: the library's own error tells that in its text alone."""
    try:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata=metadata)
    except SafetensorError as error:
        if (number := re.search(r"os error (\d+)", str(error))) is None:
            raise
        raise OSError(int(number[1]), str(error), None, int(number[1])) from error  # (Windows has numbers of its own)


def load(run: Run, step: int | None = None, *, optimizer: bool = False) -> Checkpoint:
    """The newest checkpoint whose hashes fit (or that of `step`). A damaged one is passed over for the one before.

    UserError if there is none, or the system does not let one be read.
    """
    steps = [run.named_step(str(step))] if step is not None else run.checkpoint_steps()[::-1]
    damaged = []
    for candidate in steps:
        folder = run.checkpoint_path(candidate)
        if not intact(folder):
            damaged.append(candidate)
            continue
        try:
            state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
            if not isinstance(state, dict):
                raise ValueError("state")
            return Checkpoint(step=candidate, model=load_file(folder / "model.safetensors"),
                              optimizer=load_file(folder / "optimizer.safetensors") if optimizer else {}, state=state)
        except OSError as error:
            if (folder / MANIFEST).exists():  # its hashes have just fitted (and to safetensors whatever does not open is "not found")
                raise hashes.unreadable(folder, error) from error
            damaged.append(candidate)  # it was removed meanwhile
        except (ValueError, RuntimeError, RecursionError, SafetensorError):
            damaged.append(candidate)
    raise run.without_checkpoint(damaged[::-1])


def recover(run: Run) -> None:
    """Put back what `save` had set aside for a newer one of the same step when its process died between the two renames. For the run's own
    process alone: in another's eyes a save that is under way looks the same."""
    for old in (run.path / "checkpoints").glob(".step_*.tmp.old"):
        target = old.with_name(old.name.split(".")[1])
        with suppress(OSError):  # another rank was quicker
            if not target.exists():
                old.rename(target)


def intact(folder: Path) -> bool:
    """Whether every file of the manifest is there and has the hash that it names."""
    return hashes.intact(folder, CHECKPOINT_FILES)


def _prune(run: Run) -> None:
    try:
        best = run.best_step_now()
    except OSError:  # a virus scanner has it open, a network disk is away: the next checkpoint clears up
        return
    for step in set(run.checkpoint_steps()[:-KEPT]) - {best}:
        shutil.rmtree(run.checkpoint_path(step), ignore_errors=True)


def _clear(folder: Path) -> None:
    """Remove what a killed process left half-written."""
    for path in folder.glob(".*.tmp*"):
        shutil.rmtree(path, ignore_errors=True)


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot sync a folder
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
