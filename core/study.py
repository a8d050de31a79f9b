"""Was pretraining worth it? A study's folder: what is compared, and what has come out so far. Imports no torch.

    DIR/ plan.json   what was asked
         results.jsonl   a line for each result, as soon as it is there; whoever starts the study again goes on from there
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.errors import UserError, system_words
from core.i18n import tr
from core.runs import write_atomically

PLAN, RESULTS = "plan.json", "results.jsonl"
METHODS = ("pretrained", "scratch", "tfidf", "majority")
LEAST_COUNT = 50
SEEDS = 3


def method_titles() -> dict[str, str]:
    return {"pretrained": tr("Pretrained, finetuned"), "scratch": tr("From scratch"), "tfidf": tr("TF-IDF + logistic regression"),
            "majority": tr("Always the commonest")}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """counts: of labelled examples, growing. applies: the methods that this task can be done by. options: as build_finetune takes them.
    warnings: what makes the figures flatter. contents: path -> SHA-256 of what the figures come from: the labelled files, the weights of the run."""

    pretrained: str
    task: str
    options: dict[str, Any]
    counts: tuple[int, ...]
    seeds: tuple[int, ...]
    metric: str
    applies: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    contents: dict[str, str] = field(default_factory=dict)

    def jobs(self) -> list[tuple[int, int, str]]:
        """(count, seed, method) of every result, in the order in which they are made: a first curve soon, its spread later."""
        return [(count, seed, method) for seed in self.seeds for count in self.counts for method in self.applies
                if method != "majority" or seed == self.seeds[0]]


def growing_counts(most: int) -> tuple[int, ...]:
    """50, 100, 200, 400 ... and all."""
    made, count = [], LEAST_COUNT
    while count < most * 0.75:
        made.append(count)
        count *= 2
    return (*made, most)


def write_plan(folder: Path, plan: Plan) -> None:
    """UserError where another plan's results stand there, or those of other content of the same files, or the disk refuses."""
    if (folder / PLAN).is_file():
        before = read_plan(folder)
        if (before.pretrained, before.task, before.options) != (plan.pretrained, plan.task, plan.options):
            raise UserError(tr("{path} holds the results of another comparison.", path=folder), tr("Name another folder."), where="out")
        if changed := [Path(path).name for path, content in plan.contents.items() if before.contents.get(path) != content]:
            raise UserError(tr("The results in {path} were not made with what {names} holds now.", path=folder, names=", ".join(changed)),
                            tr("Start a new comparison, in another folder."), where="out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / PLAN, json.dumps(asdict(plan), ensure_ascii=False, indent=1))
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> UserError:
    return UserError(tr("{path} cannot be written: {reason}.", path=folder, reason=system_words(error)),
                     tr("Free some space, or choose another place."), where="out")


def read_plan(folder: Path) -> Plan:
    try:
        raw = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        return Plan(**{**raw, "counts": tuple(raw["counts"]), "seeds": tuple(raw["seeds"]), "applies": tuple(raw["applies"]),
                       "warnings": tuple(raw.get("warnings", ()))})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(tr("{path} holds no comparison.", path=folder), tr("Start one with: python main.py worth"), where="out") from error


def read_results(folder: Path) -> list[dict[str, Any]]:
    """All whole lines; of a result that stands there twice the last."""
    path = folder / RESULTS
    found: dict[tuple[int, int, str], dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else ():
        try:
            row = json.loads(line)
            found[row["labels"], row["seed"], row["method"]] = row
        except (ValueError, KeyError, TypeError):
            continue  # half a line, of a process that was killed while writing
    return list(found.values())


def append_result(folder: Path, row: dict[str, Any]) -> None:
    path = folder / RESULTS
    try:
        torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
        with path.open("a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + json.dumps(row, ensure_ascii=False) + "\n")
    except OSError as error:
        raise _unwritable(folder, error) from error


def read_study(folder: str | Path) -> dict[str, Any]:
    """{"task", "metric", "counts", "seeds", "total", "done", "options", "warnings", "curves": {method: [{"labels", "mean", "spread", "values"}]}}.

    spread: the standard deviation over the seeds, 0 for one.
    """
    plan = read_plan(Path(folder))
    jobs = set(plan.jobs())
    rows = [row for row in read_results(Path(folder)) if (row["labels"], row["seed"], row["method"]) in jobs]  # others were asked for before
    curves = {method: [point for count in plan.counts if (point := _point(rows, method, count))] for method in plan.applies}
    return {"task": plan.task, "metric": plan.metric, "pretrained": plan.pretrained, "counts": list(plan.counts), "seeds": list(plan.seeds),
            "total": len(jobs), "done": len(rows), "curves": curves,
            "options": plan.options, "warnings": list(plan.warnings)}


def _point(rows: Sequence[dict[str, Any]], method: str, count: int) -> dict[str, Any] | None:
    values = [row["value"] for row in rows if row["method"] == method and row["labels"] == count and row["value"] is not None]
    if not values:
        return None
    return {"labels": count, "mean": statistics.fmean(values), "spread": statistics.stdev(values) if len(values) > 1 else 0.0, "values": values}
