"""Kill -9 at random moments, resume, compare: is every run still there, and bit-identical to an undisturbed one?

    python -m benchmarks.kill [--families bert gpt elmo word2vec] [--kills 20] [--seed 0] [--finetune] [--json]

--finetune kills the second stage (tagging with a CRF, layers thawing one by one) and not the first.

For each family one run goes undisturbed; another is killed and resumed until it has been killed so many times, wherever the
moment falls (while reading text, training, saving). word2vec trains on one thread: with several, its threads write without
locks and no two runs are equal.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from core import checkpoints, launch, runs
from core.registry import FAMILIES

STEPS = 4000
WORD2VEC_STEPS = 100_000  # its steps on a small text take microseconds
FINETUNE_STEPS = 2000
CHECKPOINTS = 200


def digest(run: runs.Run) -> str:
    made = hashlib.sha256()
    for name, tensor in sorted(checkpoints.load(run).model.items()):
        made.update(name.encode() + tensor.numpy().tobytes())
    return made.hexdigest()


def finish(run: runs.Run) -> None:
    process = launch.start(run)
    if process.wait() != 0:
        sys.exit((run.path / "worker.log").read_text()[-2000:])


def kill_until(run: runs.Run, kills: int, total: int, rng: random.Random) -> tuple[int, int]:
    """Start and kill the run up to `kills` times. Returns how many kills hit it alive, and how many of those after a checkpoint."""
    hits = late = 0
    while hits < kills and run.status().state != "finished":
        before = run.checkpoint_steps()[-1:] or [0]
        process = launch.start(run)
        # a third of the kills fall into the start and the reading of text, the others into training and saving
        training = rng.random() < 0.67
        wanted = before[0] + rng.randint(1, total // (2 * kills))
        deadline = time.monotonic() + (60 if training else rng.uniform(0.1, 4))
        while time.monotonic() < deadline and process.poll() is None and not (training and run.checkpoint_steps()[-1:] >= [wanted]):
            time.sleep(0.002)
        time.sleep(rng.random() * 0.02)
        alive = process.poll() is None
        process.kill()
        process.wait()
        hits += alive
        late += alive and bool(run.checkpoint_steps())
    return hits, late


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES))
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--finetune", action="store_true")
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ[runs.HOME_VARIABLE] = folder
        from tests.helpers.labelled import make_finetune
        from tests.helpers.runs import make_run

        for family in parsed.families:
            total = FINETUNE_STEPS if parsed.finetune else WORD2VEC_STEPS if family == "word2vec" else STEPS
            steps = {"train.steps": total, "checkpoints": CHECKPOINTS, "probes": 40, "evals": 10}
            if parsed.finetune:
                pretrained = make_run(Path(folder) / family, family)
                finish(pretrained)
                undisturbed, killed = (make_finetune(Path(folder) / family, pretrained, "tagging", crf=True, unfreeze="gradual", **steps)
                                       for _ in range(2))
            else:
                undisturbed, killed = (make_run(Path(folder) / family, family, **steps) for _ in range(2))
            finish(undisturbed)
            hits, late = kill_until(killed, parsed.kills, total, random.Random(parsed.seed))
            if killed.status().state != "finished":
                finish(killed)
            rows.append({"family": family, "kills": hits, "after_a_checkpoint": late, "identical": digest(undisturbed) == digest(killed)})
            if not parsed.json:
                verdict = ("bit-identical" if rows[-1]["identical"] else "DIFFERENT") if hits else "PROVES NOTHING"
                print(f"{family:<10} {hits} kills, {late} of them after a checkpoint: {verdict}", flush=True)
    if parsed.json:
        print(json.dumps({"rows": rows, "all_identical": all(row["identical"] for row in rows)}))
    sys.exit(0 if all(row["identical"] and row["kills"] for row in rows) else 1)  # a run that was never hit proves nothing


if __name__ == "__main__":
    main()
