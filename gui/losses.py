"""What a loss is counted in: those of different kinds stand on one axis and cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence

from core.i18n import tr
from core.registry import family, load
from core.runs import Run


def samples_negatives(run: Run) -> bool:
    """Whether it guesses a word among a few that are drawn (word vectors), not among the whole vocabulary."""
    return run.config.task is None and "static_vectors" in family(run.config.family).capabilities


def what_is_guessed(run: Run) -> str:
    """Of losses that can be compared it is the same: "negatives", the label of a "task", or the kind of token: "auto" until its text was read."""
    if samples_negatives(run):
        return "negatives"
    if run.config.task is not None:
        return "task"
    return load("core.text.tokenizers:kind_in")(run.tokenizer_path) or run.config.text.tokenizer


def is_mixed(runs: Sequence[Run]) -> bool:
    """Whether losses of several kinds are among them. A run that has not read its text may guess the same tokens as another one."""
    kinds = {what_is_guessed(run) for run in runs}
    if kinds - {"auto", "negatives", "task"}:
        kinds.discard("auto")
    return len(kinds) > 1


def name_in_legend(run: Run) -> str:
    """Beside runs that guess something else."""
    guessed = what_is_guessed(run)
    if guessed == "negatives":
        return tr("{name} (negative samples)", name=run.name)
    return tr("{name} (words)", name=run.name) if guessed in ("word", "word_char") else run.name


def loss_title(runs: Sequence[Run]) -> str:
    """The loss of these runs, with its unit."""
    if is_mixed([run for run in runs if not samples_negatives(run)]):
        return tr("Loss, in nats (not comparable: not all guess the same)")
    if is_mixed(runs):
        return tr("Loss, in nats (that of word vectors is not comparable)")
    if any(map(samples_negatives, runs)):
        return tr("Loss, in nats for each guess among negative samples")
    if any(run.config.task is not None or getattr(run.config.objective, "next_sentence", False) for run in runs):
        return tr("Loss, in nats")
    return tr("Loss, in nats for each token that is guessed")
