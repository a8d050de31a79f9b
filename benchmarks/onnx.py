"""Every family, pretrained and finetuned for every task, exported to ONNX in every number format: does it say what torch says, how fast, how large?

    python -m benchmarks.onnx [--families bert gpt] [--tasks none classification ...] [--precisions fp32 int8] [--times 3] [--shapes 20] [--json]
    python -m benchmarks.onnx --runs DIR ...       these runs instead of tiny ones that are trained here

error      greatest |torch - ONNX Runtime| of any output at any of the shapes, of the tensor's greatest number; the worst of --times exports in a row
speedup    torch eager's median time / ONNX Runtime's, batch 1, 32 tokens, both in turns, each at the better number of threads
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.exchange import exports
from core.exchange.onnx_settings import PRECISIONS, TOLERANCE
from core.registry import FAMILIES, TASKS
from core.runs import Run
from core.tasks.config import build_finetune
from core.tasks.create import create
from core.train import worker
from tests.helpers.runs import make_run

PRETRAINED = "none"
MODEL = {"num_layers": 4, "num_heads": 4, "hidden_size": 128}  # the quick presets' sizes
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


def make_runs(folder: Path, families: list[str], tasks: list[str]) -> list[tuple[str, str, Run]]:
    """(family, task, a run that has learnt for a few steps); "none" is the pretrained one."""
    files, found = write_labelled(folder), []
    for family in families:
        pretrained = make_run(folder / family, family, steps=20, probes=0, **SIZES[family])
        worker.work(pretrained.path)
        found += [(family, PRETRAINED, pretrained)] if PRETRAINED in tasks else []
        for task in tasks:
            if task == PRETRAINED:
                continue
            options = {"task.train_file": str(files[task]), "task.dev_file": str(files[task]), "train.steps": 5, "train.epochs": 0, "device": "cpu"}
            run = create(build_finetune(pretrained.path, task, options), folder / f"{family}-{task}")
            worker.work(run.path)
            found.append((family, task, run))
    return found


def measure(run: Run, precision: str, times: int, shapes: int, folder: Path) -> dict[str, Any]:
    """The worst of several exports in a row; the size and the speed of the last one."""
    reports = []
    for number in range(times):
        options = {"precision": precision, "shapes": shapes, "measure": number == times - 1}
        reports.append(exports.export(str(run.path), "onnx", str(folder / "export"), options))
        shutil.rmtree(folder / "export")
    last = reports[-1]
    agreed = [report["top1"] for report in reports if report["top1"] is not None]
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
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        opened = [(run, Run.open(run)) for run in given.runs]
        runs = [(run.config.family, run.config.task.task if run.config.task else PRETRAINED, run) for _, run in opened]
        for family, task, run in runs or make_runs(folder, given.families, given.tasks):
            for precision in given.precisions:
                try:
                    row = measure(run, precision, given.times, given.shapes, folder)
                except UserError as error:
                    row = {"refused": f"{error.message} {error.hint}"}
                rows.append({"family": family, "task": task, "precision": precision, **row})
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
