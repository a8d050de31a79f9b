"""The runs that the program ships with, made anew: the demonstration's, trained as its button trains them, and packed.

    python -m benchmarks.shipped [--language zh] [--families elmo] [--trained FOLDER]

One after another on an otherwise idle machine, a minute each. So that they are small, each keeps the newest checkpoint alone, without what
only its optimizer would need, its weights rounded to half precision, and a third of the probes. The table shows the senses of the word, measured
in what was packed, and the size of the file. --trained: a folder with TEXT/FAMILY, trained before.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from core import checkpoints
from core.exchange import pack
from core.exchange.shipped import MODELS
from core.runs import Run
from gui.views.start import demo

EVERY = 3  # of the probes one is kept; the first and the last always


def train(config: object, folder: Path) -> Run:
    run = Run.open(folder) if folder.exists() else Run.create(config, folder)
    if run.status().state != "finished":
        subprocess.run([sys.executable, "main.py", "worker", str(run.path)], check=True)
    return run


def slim(run: Run, folder: Path) -> Run:
    """A copy of it with what a person needs who looks, and no more."""
    shutil.copytree(run.path, folder, ignore=shutil.ignore_patterns("checkpoints", "worker.*"))
    made, newest = Run.open(folder), checkpoints.load(run)
    weights = {name: tensor.half().to(tensor.dtype) if tensor.dtype == torch.float32 else tensor for name, tensor in newest.model.items()}
    checkpoints.save(made, checkpoints.Checkpoint(step=newest.step, model=weights, optimizer={}, state=newest.state))
    steps = made.probe_steps()
    for step in set(steps) - {*steps[::EVERY], steps[-1]}:
        made.probe_path(step).unlink()
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", choices=tuple(demo.WORDS), nargs="+", default=list(demo.WORDS))
    parser.add_argument("--families", choices=demo.FAMILIES, nargs="+", default=list(demo.FAMILIES))
    parser.add_argument("--trained", type=Path)
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        make(parsed.language, parsed.families, parsed.trained, Path(work))


def make(languages: list[str], families: list[str], trained: Path | None, work: Path) -> None:
    print(f"{'text':<6}{'family':<10}{'steps':>7}{'layer':>7}{'centroid':>10}{'interval':>14}{'bag':>8}{'MB':>8}")
    for language in languages:
        for config in (one for one in demo.demo_configs(language) if one.family in families):
            run = train(config, (trained or work) / language / config.family)
            made = slim(run, work / "slim" / language / config.family)
            out = MODELS / language / f"{config.family}{pack.SUFFIX}"
            pack.pack(made, out, rounded=True)
            asked = [sys.executable, "main.py", "senses", str(made.path), "--word", config.watch.word, "--json"]
            report = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
            best, bag = max(report["layers"], key=lambda layer: layer["centroid_accuracy"]), report["controls"]["bag_of_context"]
            low, high = best["interval"]
            print(f"{language:<6}{config.family:<10}{made.checkpoint_steps()[-1]:>7}{best['layer']:>7}{best['centroid_accuracy']:>10.3f}"
                  f"{low:>8.2f}–{high:.2f}{bag['centroid_accuracy']:>9.3f}{out.stat().st_size / 1e6:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
