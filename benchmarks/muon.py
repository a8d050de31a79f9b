"""One step of our Muon beside torch.optim.Muon, on the hidden matrices of a BERT, in one run.

    [ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2] python -m benchmarks.muon [--layers 4] [--hidden 128] [--device cpu] [--rounds 5] [--json]

Keys: ours_ms, torch_ms, ratio (how many times as fast as torch's; above 1 is faster), difference (of the two updates after one step, as a
share of torch's: its rounding to bfloat16). The two variables keep to what a processor without bfloat16 can do, as most laptops' have.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import torch
from torch import nn

from core.train.muon import Muon

STEPS = 20  # in one round


def matrices(layers: int, hidden: int, device: str) -> list[nn.Parameter]:
    torch.manual_seed(0)
    shapes = [(3 * hidden, hidden), (hidden, hidden), (4 * hidden, hidden), (hidden, 4 * hidden)] * layers
    made = [nn.Parameter(torch.randn(shape, device=device)) for shape in shapes]
    for matrix in made:
        matrix.grad = torch.randn_like(matrix)
    return made


def milliseconds(optimizer: torch.optim.Optimizer, device: str) -> float:
    start = time.perf_counter()
    for _ in range(STEPS):
        optimizer.step()
    if device == "cuda":
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - start) / STEPS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args()
    start, ours, theirs = (matrices(parsed.layers, parsed.hidden, parsed.device) for _ in range(3))
    mine, peer = Muon(ours, lr=0.02), torch.optim.Muon(theirs, lr=0.02, momentum=0.95, weight_decay=0.0)
    mine.step()  # also the warm-up
    peer.step()
    apart = sum(float((one - other).detach().square().sum()) for one, other in zip(ours, theirs, strict=True))
    moved = sum(float((other - before).detach().square().sum()) for other, before in zip(theirs, start, strict=True))
    rounds = [(milliseconds(mine, parsed.device), milliseconds(peer, parsed.device)) for _ in range(parsed.rounds)]  # in turn: load hits both
    ours_ms, torch_ms = (statistics.median(one[place] for one in rounds) for place in (0, 1))
    found = {"ours_ms": ours_ms, "torch_ms": torch_ms, "ratio": torch_ms / ours_ms, "difference": (apart / moved) ** 0.5}
    print(json.dumps(found) if parsed.json else "\n".join(f"{name:<12}{value:>10.4f}" for name, value in found.items()))


if __name__ == "__main__":
    main()
