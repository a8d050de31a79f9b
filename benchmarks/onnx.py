"""Every family, pretrained and finetuned for every task, exported to ONNX in every number format: does it say what torch says, how fast, how large?

    python -m benchmarks.onnx [--families bert gpt] [--tasks none classification ...] [--precisions fp32 int8] [--times 3] [--shapes 20] [--json]
    python -m benchmarks.onnx --runs DIR ...       these runs instead of tiny ones that are trained here
    python -m benchmarks.onnx --rows FILE ...      each row is kept in the file when it is there, and not measured again: so it can be stopped and
                                                   gone on with, or be done in parts (each with other --families or --tasks); all rows of the file
                                                   are in the table and in the JSON

top1       in how many of all places the likeliest token or label is torch's; the worst of the exports
error      greatest |torch - ONNX Runtime| of any output at any of the shapes, of that output's greatest number; the worst of --times exports in a row
speedup    torch eager's median time / ONNX Runtime's, batch 1, 32 tokens, both in turns, each at the better number of threads
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.exchange import exports
from core.exchange.onnx.settings import PRECISIONS, TOLERANCE
from core.registry import FAMILIES, TASKS
from core.runs import Run
from core.tasks.config import build_finetune
from core.tasks.create import create
from core.train import worker
from tests.helpers.runs import make_run

PRETRAINED = "none"
MODEL = {"num_layers": 4, "num_heads": 4, "hidden_size": 128}  # the quick presets' width, and twice their layers
SIZES = {"bert": MODEL, "gpt": MODEL, "elmo": {"hidden_size": 128}, "word2vec": {}}
SUBJECTS, WORDS = ("妈妈", "小李", "老师", "店员"), (("买了一个苹果", "fruit"), ("在苹果上班", "company"), ("卖香蕉", "fruit"))


def write_labelled(folder: Path) -> dict[str, Path]:
    """A small file for every task."""
    texts = [(subject + words, label) for subject in SUBJECTS for words, label in WORDS]
    pairs = [(a, b) for a in texts for b in texts[:4]]
    files = {
        "classification": "\n".join(["text\tlabel", *(f"{text}\t{label}" for text, label in texts)]),
        "pair": "\n".join(["text_a\ttext_b\tlabel", *(f"{a[0]}\t{b[0]}\t{'same' if a[1] == b[1] else 'other'}" for a, b in pairs)]),
        "multiple_choice": "\n".join(json.dumps({"context": text, "question": "卖什么", "choices": ["苹果", "香蕉"], "answer": number % 2},
                                                ensure_ascii=False) for number, (text, _) in enumerate(texts)),
        "tagging": "\n\n".join("\n".join(f"{sign} {'B-FRUIT' if sign == '苹' else 'I-FRUIT' if sign == '果' else 'O'}" for sign in text)
                               for text, _ in texts),
        "span": json.dumps({"version": "1", "data": [{"title": "t", "paragraphs": [
            {"context": text, "qas": [{"id": str(number), "question": "谁", "answers": [{"text": text[:2], "answer_start": 0}]}]}
            for number, (text, _) in enumerate(texts)]}]}, ensure_ascii=False)}
    endings = {"multiple_choice": "jsonl", "tagging": "conll", "span": "json"}
    made = {}
    for task, content in files.items():
        made[task] = folder / f"{task}.{endings.get(task, 'tsv')}"
        made[task].write_text(content, encoding="utf-8")
    return made


def make_runs(folder: Path, cells: list[tuple[str, str]]) -> Iterator[tuple[str, str, Run]]:
    """(family, task, a run that has learnt for a few steps), each when it is wanted; "none" is the pretrained one."""
    files, pretrained = write_labelled(folder), {}
    for family, task in cells:
        if family not in pretrained:
            pretrained[family] = make_run(folder / family, family, steps=20, probes=0, **SIZES[family])
            worker.work(pretrained[family].path)
        if task == PRETRAINED:
            yield family, task, pretrained[family]
            continue
        options = {"task.train_file": str(files[task]), "task.dev_file": str(files[task]), "train.steps": 5, "train.epochs": 0, "device": "cpu"}
        run = create(build_finetune(pretrained[family].path, task, options), folder / f"{family}-{task}")
        worker.work(run.path)
        yield family, task, run


def measure(run: Run, precision: str, times: int, shapes: int, folder: Path) -> dict[str, Any]:
    """The worst of several exports in a row; the size and the speed of the last one."""
    reports = []
    for number in range(times):
        options = {"precision": precision, "shapes": shapes, "measure": number == times - 1}
        reports.append(exports.export(str(run.path), "onnx", str(folder / "export"), options))
        shutil.rmtree(folder / "export")
    last = reports[-1]
    agreed = [report["agreement"] for report in reports if report["agreement"] is not None]
    races = [row for model in last["models"].values() for row in model["latency"]]
    return {
        "relative": max(report["relative"] for report in reports), "absolute": max(report["absolute"] for report in reports),
        "top1": min(agreed, default=None), "bytes": sum(size for name, size in last["files"].items() if ".onnx" in name),
        "speedup": {f"{row['provider']} {'x'.join(map(str, row['shape'].values()))}": row["speedup"] for row in races},
        "torch_ms": races[0]["torch"]["p50"], "onnxruntime_ms": races[0]["onnxruntime"]["p50"], "shapes": len(last["models"]["model"]["rows"]),
        "only_onnxruntime": sorted({name for model in last["models"].values() for name in model["only_onnxruntime"]})}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=list(FAMILIES))
    parser.add_argument("--tasks", nargs="+", default=[PRETRAINED, *TASKS], choices=[PRETRAINED, *TASKS])
    parser.add_argument("--precisions", nargs="+", default=list(PRECISIONS), choices=PRECISIONS)
    parser.add_argument("--runs", nargs="+", type=Path, default=[])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--shapes", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=Path, help="a file that keeps the rows")
    given = parser.parse_args()
    rows = read_rows(given.rows)
    known = {(row["family"], row["task"], row["run"], row["precision"]) for row in rows}
    if not given.json:
        for row in rows:
            print(line(row), flush=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        opened = [Run.open(run) for run in given.runs]
        asked = [(run.config.family, run.config.task.task if run.config.task else PRETRAINED, run) for run in opened]
        cells = [(family, task) for family in given.families for task in given.tasks
                 if any((family, task, "", precision) not in known for precision in given.precisions)]
        for family, task, run in asked or make_runs(folder, cells):
            name = run.name if asked else ""
            for precision in given.precisions:
                if (family, task, name, precision) in known:
                    continue
                try:
                    row = measure(run, precision, given.times, given.shapes, folder)
                except UserError as error:
                    row = {"refused": f"{error.message} {error.hint}"}
                rows.append({"family": family, "task": task, "run": name, "precision": precision, **row})
                if given.rows:
                    with given.rows.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(rows[-1], ensure_ascii=False) + "\n")
                if not given.json:
                    print(line(rows[-1]), flush=True)
    exact = [row for row in rows if row["precision"] == "fp32"]
    cpu = [speed for row in exact for name, speed in row.get("speedup", {}).items() if name.startswith("CPU") and row["family"] != "word2vec"]
    result = {"max_relative_error": max((row.get("relative", float("inf")) for row in exact), default=None),
              "cpu_speedup_min": min(cpu, default=None), "rows": rows}
    if given.json:
        print(json.dumps(result, ensure_ascii=False, indent=1))
        return
    if exact:
        print(f"\nfp32: greatest relative error {result['max_relative_error']:.2e} (wanted: {TOLERANCE['fp32']:.0e}); slowest against torch on the "
              f"CPU, word2vec's look-up left out: {result['cpu_speedup_min'] or float('nan'):.2f} times as fast (wanted: 1.3)")


def read_rows(path: Path | None) -> list[dict[str, Any]]:
    """Those of an earlier time; one that was being written when it ended is measured again."""
    rows = []
    for text in path.read_text(encoding="utf-8").splitlines() if path and path.exists() else ():
        try:
            rows.append(json.loads(text))
        except ValueError:
            continue
    return rows


def line(row: dict[str, Any]) -> str:
    name = f"{row['family']:<9}{row['task']:<16}{row['precision']:<6}"
    if "refused" in row:
        return f"{name}REFUSED {row['refused']}"
    top1 = "     –" if row["top1"] is None else f"{row['top1']:6.1%}"
    speeds = "  ".join(f"{name.removesuffix('ExecutionProvider')} {speed:.2f}x" for name, speed in row["speedup"].items())
    return (f"{name}error {row['relative']:.1e} at {row['shapes']} shapes  top1 {top1}  {row['bytes'] / 1e6:7.2f} MB  "
            f"torch {row['torch_ms']:.2f} ms  ONNX Runtime {row['onnxruntime_ms']:.2f} ms  {speeds}  {' '.join(row['only_onnxruntime'])}")


if __name__ == "__main__":
    main()
