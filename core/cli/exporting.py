"""What leaves: python main.py export."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.cli import columns
from core.i18n import tr
from core.registry import EXPORTS
from core.shares import percent

BAR_WIDTH = 24


def add_verbs(verb: Callable[..., argparse.ArgumentParser]) -> None:
    add = verb("export", export, tr("take a run away: ONNX, Hugging Face, word vectors"))
    add.add_argument("run", type=Path, metavar="DIR")
    add.add_argument("--to", required=True, metavar="TARGET", help=", ".join(EXPORTS))
    add.add_argument("--out", type=Path, required=True, metavar="PATH", help=tr("where it goes; nothing may stand there yet"))
    add.add_argument("--precision", default="", help=tr("of the ONNX model's weights: fp32, fp16, int8"))
    add.add_argument("--word", default="", help=tr("whose occurrences"))
    add.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help=tr("any option of the target"))
    add.add_argument("--json", action="store_true")


def export(parsed: argparse.Namespace) -> None:
    from core.cli import settings
    from core.exchange import exports

    options: dict[str, Any] = settings(parsed.set)
    if parsed.precision:
        options["precision"] = parsed.precision
    if parsed.word:
        options["word"] = parsed.word
    report = exports.export(str(parsed.run), parsed.to, str(parsed.out), options, _progress)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    if parsed.json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
        return
    print(report["path"])
    for name, size in report["files"].items():
        print(f"  {name:<28}{size:>14,} B")
    for row in report.get("rows", ()):
        print("  " + tr("{title}: {value}", **row))
    for note in report.get("notes", ()):
        print(f"  {note}")
    for name, model in report.get("models", {}).items():
        _show_model(name, model)


def _show_model(name: str, model: dict[str, Any]) -> None:
    print(f"\n{name}.onnx  opset {model['opset']}, " + ", ".join(f"{operator} {count}" for operator, count in model["operators"].items()))
    if model["only_onnxruntime"]:
        print("  " + tr("Only ONNX Runtime knows: {names}", names=", ".join(model["only_onnxruntime"])))
    print("  " + columns.left(tr("shape"), 24) + columns.right(tr("absolute error"), 16) + columns.right(tr("relative error"), 16)
          + columns.right(tr("same top 1"), 12) + "   " + tr("relatively worst output"))
    for row in model["rows"]:
        shape = " x ".join(map(str, row["shape"].values()))
        top1 = "–" if row["top1"] is None else percent(row["top1"])
        print(f"  {shape:<24}{row['absolute']:>16.2e}{row['relative']:>16.2e}{top1:>12}   {row['worst']}")
    for row in model["latency"]:
        shape = " x ".join(map(str, row["shape"].values()))
        ours, theirs = row["onnxruntime"], row["torch"]
        print("  " + tr("{provider}, {shape}, median: ONNX Runtime {ours:.2f} ms (p95 {ours95:.2f}), torch {torch:.2f} ms (p95 {torch95:.2f}): "
                        "{speedup:.2f} times as fast", provider=row["provider"], shape=shape, ours=ours["p50"], ours95=ours["p95"],
                        torch=theirs["p50"], torch95=theirs["p95"], speedup=row["speedup"]))


def _progress(share: float, words: str) -> None:
    if sys.stderr.isatty():
        done = round(BAR_WIDTH * share)
        print(f"\r\033[K[{'█' * done}{'·' * (BAR_WIDTH - done)}] {share:.0%}  {words}", end="", file=sys.stderr, flush=True)
