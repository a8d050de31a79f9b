"""A run that was not trained here: its folder is filled beside its place, and renamed when it is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import events
from core.config import RunConfig, TextConfig
from core.runs import ORIGIN, Run
from core.whole import new_folder

if TYPE_CHECKING:
    from torch import Tensor

    from core.text.tokenizers import Tokenizer


@dataclass(frozen=True, kw_only=True)
class Imported:
    """run: its folder. notes: sentences about what a person should know of it."""

    run: Path
    notes: tuple[str, ...] = ()


def text_of(tokenizer: Tokenizer) -> TextConfig:
    """What is known of the text of a model from elsewhere: how it is cut into tokens."""
    return TextConfig(tokenizer=tokenizer.kind, vocab_size=max(10, min(tokenizer.vocab_size, 1_000_000)), lowercase=tokenizer.lowercase,
                      watched=tokenizer.watched)


def write_story(run: Run) -> None:
    """It has one checkpoint, and is at its end."""
    writer = events.EventWriter(run.events_path)
    writer.write(events.CheckpointSaved(step=0, path="checkpoints/step_00000000", best=False))
    writer.write(events.RunFinished(step=0, reason="complete"))
    writer.close()


@contextmanager
def adopted(config: RunConfig, target: Path, tokenizer: Tokenizer, weights: Mapping[str, Tensor], origin: Mapping[str, Any]) -> Iterator[Run]:
    """The run while it is still being filled; it takes its place when the block has ended well. UserError as of Run.create."""
    from core import checkpoints  # with torch, which packed runs need not wait for

    with new_folder(target) as folder:
        run = Run.create(replace(config, name=config.name or target.name), folder)
        tokenizer.save(run.tokenizer_path)
        state = {"step": 0, "elapsed": 0.0, "tokens": 0, "best_loss": None, "worse_evals": 0, "best": False, "learner": {}, "threads": 0,
                 "device": "cpu"}
        checkpoints.save(run, checkpoints.Checkpoint(step=0, model=weights, optimizer={}, state=state))
        (folder / ORIGIN).write_text(json.dumps(origin), encoding="utf-8")  # in ASCII: names from elsewhere may be no text
        write_story(run)
        yield run
