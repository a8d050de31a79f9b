"""Runs with a tokenizer, a checkpoint and a probe, made without training: their weights are drawn at random, large enough to matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from core import checkpoints
from core.config import TextConfig
from core.registry import TOKENIZERS, family, lookup
from core.registry import load as load_place
from core.runs import Run
from core.train.probes import prober, specimens_to_watch
from tests.helpers.runs import make_run


def saved_run(folder: Path, name: str = "bert", *, steps: tuple[int, ...] = (10,), probes: tuple[int, ...] = (), tokenizer: str = "char",
              std: float = 0.4, **options: Any) -> Run:
    """A run with a checkpoint at each of steps and a probe at each of probes; every step has other weights."""
    run = make_run(folder, name, tokenizer=tokenizer, **options)
    text = (folder / "text.txt").read_text(encoding="utf-8").splitlines()
    config = TextConfig(tokenizer=tokenizer, min_count=1, watched=("苹果",))
    made = lookup(TOKENIZERS, tokenizer).train(config, [*text, "the cat sat on a mat, apple 2024"])
    made.save(run.tokenizer_path)
    specimens = specimens_to_watch(run)
    for step in sorted({*steps, *probes}):
        torch.manual_seed(step)
        network = load_place(family(name).pretrain).build(run.config, made.vocab_size)
        for parameter in network.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=std)
        network.eval()
        if step in steps:
            checkpoints.save(run, checkpoints.Checkpoint(step=step, model=network.state_dict(), optimizer={}, state={"step": step, "best": False}))
        if step in probes:
            run.probe_path(step).parent.mkdir(parents=True, exist_ok=True)
            prober(run, lambda network=network: network, made, specimens)(step)
    return run
