"""What it is worth to begin with attention at near tokens: the same steps from both starts, on the built-in text.

    python -m benchmarks.first_attention [--families bert gpt] [--steps 300] [--seeds 1] [--json]

Both sides have the quick preset, the same batches and the same seed; they differ in objective.first_attention alone
(core/families/first_attention.py). Printed: the validation loss in nats and the perplexity after the last step. Keys: FAMILY_random,
FAMILY_neighbours (the losses, means over the seeds), FAMILY_ratio (of the two perplexities; above 1 the neighbours are better).
"""

from __future__ import annotations

import argparse
import json
import math
import statistics

from core import config as configs
from core.registry import family, load
from core.runs import home
from core.text.corpus import prepare
from core.train.device import choose

STARTS = ("random", "neighbours")


def loss_after(name: str, start: str, steps: int, seed: int) -> float:
    config = configs.build(name, "quick", {"objective.first_attention": start, "train.steps": steps, "train.minutes": 0.0, "train.seed": seed})
    learner = load(family(name).learner)(config, prepare(config.text, home() / "cache"), choose(config.train))
    for step in range(steps):
        learner.step(step, step / steps)
    return learner.evaluate()["loss"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", default=["bert", "gpt"], choices=["bert", "gpt"])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args()
    found: dict[str, float] = {}
    for name in parsed.families:
        for start in STARTS:
            found[f"{name}_{start}"] = statistics.mean(loss_after(name, start, parsed.steps, seed) for seed in range(parsed.seeds))
        found[f"{name}_ratio"] = math.exp(found[f"{name}_random"] - found[f"{name}_neighbours"])
    if parsed.json:
        print(json.dumps(found))
        return
    print(f"after {parsed.steps} steps, means over {parsed.seeds} seeds\n{'':6}{'start':<12}{'loss, nats':>12}{'perplexity':>12}")
    for name in parsed.families:
        for start in STARTS:
            print(f"{name:<6}{start:<12}{found[f'{name}_{start}']:>12.3f}{math.exp(found[f'{name}_{start}']):>12.2f}")


if __name__ == "__main__":
    main()
