"""The second stage on real data, through the command line: every family on every task, and what 200 labels are worth.

    python -m benchmarks.two_stage --pretrained DIR [--families bert ...] [--tasks tagging ...] [--labels 2000] [--steps 300] [--json]
    python -m benchmarks.two_stage --pretrained DIR --few [--count 200] [--seeds 3] [--json]

--pretrained: a folder with a run of each family in it, named after the family. --data: the folder of the data sets. What has been
measured is kept in --out, a file a row, so that a run that was interrupted goes on. Each row has family, task, metric, pretrained, scratch,
majority and tfidf (null where it does not apply); --few adds the spread over the seeds of the first two.

    python main.py finetune PRETRAINED --task ... [--from-scratch]    and    python main.py evaluate RUN --file DEV --json
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from core.registry import FAMILIES, task
from core.tasks import data
from core.tasks.baseline import tfidf
from core.tasks.config import TaskConfig
from core.tasks.labels import NUMBER

MAIN = Path(__file__).resolve().parent.parent / "main.py"
# name -> (task, file, rows for measuring, options)
TASKS: dict[str, tuple[str, str, int, dict[str, str]]] = {
    "headlines": ("classification", "headlines.tsv", 500, {}),
    "matching": ("pair", "lcqmc.tsv", 500, {"order": "both"}),
    "entailment": ("pair", "ocnli.jsonl", 500, {}),
    "similarity": ("pair", "stsb.tsv", 500, {}),
    "multiple_choice": ("multiple_choice", "multiple_choice.jsonl", 300, {}),
    "tagging": ("tagging", "ner.conll", 300, {}),
    "span": ("span", "qa.squad.json", 40, {}),
    "category": ("classification", "reviews.csv", 500, {"column_text": "review", "column_label": "cat"}),
}
TABLE = ("headlines", "matching", "entailment", "similarity", "multiple_choice", "tagging", "span")
FEW = ("headlines", "category", "tagging")


def split(source: Path, count: int, folder: Path) -> tuple[Path, Path]:
    """The file cut in two at random (always alike): to learn from, and `count` items (of SQuAD: articles) to measure on."""
    folder.mkdir(parents=True, exist_ok=True)
    train, dev = (folder / f"{source.name.split('.')[0]}_{part}{source.suffix}" for part in ("train", "dev"))
    if train.exists() and dev.exists():
        return train, dev
    text = source.read_text(encoding="utf-8-sig")
    if source.suffix == ".json":
        raw = json.loads(text)
        random.Random(0).shuffle(raw["data"])
        train.write_text(json.dumps({**raw, "data": raw["data"][count:]}, ensure_ascii=False), encoding="utf-8")
        dev.write_text(json.dumps({**raw, "data": raw["data"][:count]}, ensure_ascii=False), encoding="utf-8")
        return train, dev
    between = "\n\n" if source.suffix == ".conll" else "\n"
    items = text.strip().split(between)
    head = [items.pop(0)] if source.suffix in (".csv", ".tsv") else []
    random.Random(0).shuffle(items)
    for path, chosen in ((dev, items[:count]), (train, items[count:])):
        path.write_text(between.join([*head, *chosen]) + "\n", encoding="utf-8")
    return train, dev


def files(parsed: argparse.Namespace, name: str) -> tuple[Path, Path]:
    source = parsed.data / TASKS[name][1]
    if name == "category":  # it comes with a file to measure on, of which the beginning suffices; no review spans lines
        _, dev = split(parsed.data / "reviews_dev.csv", TASKS[name][2], parsed.out / "data")
        return source, dev
    return split(source, TASKS[name][2], parsed.out / "data")


def run(*arguments: object) -> str:
    """A verb of the program, as a user calls it; its standard output."""
    done = subprocess.run([sys.executable, str(MAIN), *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, arguments))}\n{done.stderr[-2000:]}")
    return done.stdout


def plain(parsed: argparse.Namespace, name: str) -> dict[str, Any]:
    """The headline figure's name, that of the likeliest label, and TF-IDF's, from as many labels as the networks get."""
    kind, _, _, options = TASKS[name]
    train, dev = files(parsed, name)
    config = TaskConfig(task=kind, train_file=str(train), dev_file=str(dev), **options)
    one, other, labels = data.read_files(config)
    made, chosen = task(kind), data.subsample(one.examples, parsed.labels, 0)
    number = labels.kind == NUMBER
    metric = "pearson" if number else made.metric
    guessed = 0.0 if number else made.measure(made.majority(chosen, other.examples), other.examples, labels)[metric]
    counted = tfidf(kind, chosen, other.examples, labels)
    return {"metric": metric, "majority": guessed, "tfidf": counted[metric] if counted else None}


def options_of(parsed: argparse.Namespace, name: str) -> list[str]:
    return ["--set", *(f"{key}={value}" for key, value in {**TASKS[name][3], "threads": parsed.threads, "probes": 0}.items()), *parsed.set]


def cell(parsed: argparse.Namespace, family: str, name: str) -> dict[str, Any]:
    """One row of the table."""
    kind, (train, dev) = TASKS[name][0], files(parsed, name)
    row: dict[str, Any] = {"family": family, "task": name, **plain(parsed, name)}
    for column, more in (("pretrained", []), ("scratch", ["--from-scratch"])):
        folder = parsed.out / "runs" / f"{family}-{name}-{column}"
        shutil.rmtree(folder, ignore_errors=True)
        began = time.monotonic()
        run("finetune", parsed.pretrained / family, "--task", kind, "--train", train, "--dev", dev, "--labels", parsed.labels, "--run", folder,
            *options_of(parsed, name), f"train.steps={parsed.steps}", "evals=1", *more)
        row[f"{column}_seconds"] = round(time.monotonic() - began, 1)
        row[column] = json.loads(run("evaluate", folder, "--file", dev, "--json"))["metrics"][row["metric"]]
        shutil.rmtree(folder)
    return row


def few(parsed: argparse.Namespace, family: str, name: str) -> dict[str, Any]:
    """A family with few labels, over several seeds."""
    train, dev = files(parsed, name)
    folder = parsed.out / f"worth-{parsed.count}" / f"{family}-{name}"
    made = json.loads(run("worth", parsed.pretrained / family, "--task", TASKS[name][0], "--train", train, "--dev", dev, "--counts", parsed.count,
                          "--seeds", parsed.seeds, "--out", folder, "--json", *options_of(parsed, name)))
    row: dict[str, Any] = {"family": family, "task": name, "metric": made["metric"], "labels": parsed.count}
    for method in ("pretrained", "scratch", "majority", "tfidf"):
        points = made["curves"].get(method)
        row[method] = points[0]["mean"] if points else None
        row[f"{method}_spread"] = points[0]["spread"] if points else None
    return row


def shown(value: float | None, spread: float | None = None) -> str:
    return f"{'–' if value is None else f'{value:.3f}' + (f' ± {spread:.3f}' if spread is not None else ''):>16}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pretrained", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=MAIN.parent.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=Path("two_stage"))
    parser.add_argument("--families", nargs="+", default=list(FAMILIES))
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS))
    parser.add_argument("--labels", type=int, default=2000, help="labelled examples of the table")
    parser.add_argument("--steps", type=int, default=300, help="steps of each finetune of the table")
    parser.add_argument("--few", action="store_true")
    parser.add_argument("--count", type=int, default=200, help="labelled examples of --few")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="options for every finetune")
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args()
    rows = []
    if not parsed.json:
        print(f"{'family':<10}{'task':<17}{'metric':<10}" + "".join(f"{name:>16}" for name in ("pretrained", "scratch", "majority", "tfidf")))
    for name in parsed.tasks or (FEW if parsed.few else TABLE):
        for family in parsed.families:
            key = f"few-{parsed.count}x{parsed.seeds}" if parsed.few else f"table-{parsed.labels}x{parsed.steps}"
            place = parsed.out / "rows" / f"{key}-{family}-{name}.json"
            if not place.exists():
                row = (few if parsed.few else cell)(parsed, family, name)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(json.dumps(row), encoding="utf-8")
            rows.append(json.loads(place.read_text(encoding="utf-8")))
            if not parsed.json:
                row = rows[-1]
                figures = (shown(row[method], row.get(f"{method}_spread")) for method in ("pretrained", "scratch", "majority", "tfidf"))
                print(f"{row['family']:<10}{row['task']:<17}{row['metric']:<10}" + "".join(figures), flush=True)
    if parsed.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
