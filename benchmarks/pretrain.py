"""Pretraining speed of BERT and GPT beside transformers, on the same machine, weights and batches, in one run.

Both sides compute the same loss: it is printed for the same batch before the first step and after the last. The two take
turns, a few steps each, so that whatever else the machine does slows both; the ratio is the median over these rounds.
Theirs is the loop that a user writes: model(...).loss, backward, clip, torch.optim.AdamW, with the batches made beforehand.
Ours is the program's own GradientLearner.step, which makes its batches as it goes. Neither drops out. A CPU computes in
fp32 on both sides, a GPU under bf16 autocast; there the share of the GPU's peak is printed too (model FLOPs utilisation).

    python -m benchmarks.pretrain [--json] [--threads 2] [--device cuda --hidden 768 --layers 12 --heads 12 --seq 512]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core import config as configs
from core.families.bert.huggingface import bert_from_transformers
from core.families.gpt.huggingface import gpt_from_transformers
from core.families.gpt.pretrain import IGNORED
from core.families.linear import onednn_is_faster
from core.text.tokenizers import BOS, EOS, SPECIALS
from core.train import device as devices
from core.train.gradient import GradientLearner

GRAD_CLIP, LEARNING_RATE, BETAS = 1.0, 5e-4, (0.9, 0.98)
WARM_UP_STEPS = 3
# Peak dense bf16 TFLOP/s, from NVIDIA's data sheets, by a part of the device's name
PEAK_TFLOPS = {"H200": 989, "H100": 989, "A100": 312, "L40S": 362, "L4": 121, "4090": 165, "3090": 71}

Batch = dict[str, Tensor]


@dataclass
class Side:
    """One of the two programs. step: learns from batch number i. loss: of a batch, without learning."""

    step: Callable[[int], None]
    loss: Callable[[Batch], Tensor]
    device: devices.Device

    def train(self, first: int, count: int) -> float:
        """Steps `first` and on; returns the seconds."""
        self._wait()
        start = time.perf_counter()
        for index in range(first, first + count):
            self.step(index)
        self._wait()
        return time.perf_counter() - start

    def _wait(self) -> None:
        if self.device.device.type == "cuda":
            torch.cuda.synchronize()

    @torch.no_grad()
    def loss_of(self, batch: Batch) -> float:
        with self.device.autocast():
            return float(self.loss(batch))


def synthetic_corpus(vocab_size: int, tokens: int = 400_000) -> SimpleNamespace:
    """Documents of sentences of token ids, as frequent as words are (Zipf), each partly told by the one before it."""
    rng = np.random.default_rng(0)
    words = vocab_size - len(SPECIALS)
    shares = 1 / np.arange(2, words + 2)
    ids = rng.choice(words, tokens, p=shares / shares.sum())
    follows = rng.random(tokens) < 0.5
    ids[1:][follows[1:]] = (ids[:-1][follows[1:]] * 7 + 1) % words
    sentences = np.append(np.arange(0, tokens, 20), tokens)
    documents = np.append(np.arange(0, len(sentences) - 1, 5), len(sentences) - 1)
    split = SimpleNamespace(tokens=(ids + len(SPECIALS)).astype(np.uint16 if vocab_size < 1 << 16 else np.uint32),
                            sentences=sentences, documents=documents, word_starts=np.ones(tokens, np.uint8))
    return SimpleNamespace(train=split, valid=split, tokenizer=SimpleNamespace(vocab_size=vocab_size))


def make_learner(family: str, args: argparse.Namespace) -> GradientLearner:
    options = {
        "model.num_layers": args.layers, "model.num_heads": args.heads, "model.hidden_size": args.hidden,
        "model.max_seq_len": args.seq, "model.dropout": 0.0, "train.seq_len": args.seq, "train.batch_size": args.batch,
        "train.optimizer": "adamw", "train.learning_rate": LEARNING_RATE, "train.weight_decay": 0.0, "train.schedule": "constant",
        "train.warmup": 0.0, "train.grad_clip": GRAD_CLIP, "train.threads": args.threads, "train.device": args.device}
    if family == "bert":
        options |= {"objective.mask_percent": 15.0, "objective.next_sentence": False}
    config = configs.build(family, "quick", options)
    return GradientLearner(config, synthetic_corpus(args.vocab), devices.choose(config.train))


def bert_sides(args: argparse.Namespace) -> tuple[nn.Module, Callable[[Batch], Tensor], GradientLearner]:
    """Their network, their loss, and our learner with the same weights."""
    from transformers import BertConfig, BertForMaskedLM

    learner = make_learner("bert", args)
    theirs = BertForMaskedLM(BertConfig(
        vocab_size=args.vocab, hidden_size=args.hidden, num_hidden_layers=args.layers, num_attention_heads=args.heads,
        intermediate_size=4 * args.hidden, max_position_embeddings=args.seq, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0))
    missing, unexpected = learner.network().load_state_dict(bert_from_transformers(theirs.state_dict()), strict=False)
    assert not unexpected, unexpected
    assert all("pooler" in name or "next_sentence" in name for name in missing), missing
    return theirs, lambda batch: theirs(input_ids=batch["input_ids"], labels=batch["labels"]).loss, learner


def gpt_sides(args: argparse.Namespace) -> tuple[nn.Module, Callable[[Batch], Tensor], GradientLearner]:
    """As bert_sides. transformers shifts the labels itself and so has none for the last token; nor do we learn it here."""
    from transformers import GPT2Config, GPT2LMHeadModel

    learner = make_learner("gpt", args)
    theirs = GPT2LMHeadModel(GPT2Config(
        vocab_size=args.vocab, n_embd=args.hidden, n_layer=args.layers, n_head=args.heads, n_positions=args.seq, resid_pdrop=0.0,
        embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=BOS, eos_token_id=EOS, use_cache=False))
    learner.network().load_state_dict(gpt_from_transformers(theirs.state_dict()))
    make = learner.pretraining.batch

    def without_last_label(split: str, index: int) -> Batch:
        batch = make(split, index)
        batch["labels"][:, -1] = IGNORED
        return batch | {"normalizer": (batch["labels"] != IGNORED).sum().float()}

    learner.pretraining.batch = without_last_label
    return theirs, lambda batch: theirs(input_ids=batch["input_ids"], labels=batch["labels"].roll(1, dims=1)).loss, learner


def their_side(network: nn.Module, loss_of: Callable[[Batch], Tensor], batches: list[Batch], device: devices.Device) -> Side:
    network.to(device.device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, betas=BETAS, weight_decay=0.0)

    def step(index: int) -> None:
        with device.autocast():
            loss = loss_of(batches[index])
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), GRAD_CLIP)
        optimizer.step()
        optimizer.zero_grad()

    return Side(step, loss_of, device)


def our_side(learner: GradientLearner) -> Side:
    return Side(lambda index: learner.step(index, 0.0), lambda batch: learner.pretraining.loss(learner.network(), batch).value,
                learner.device)


def flops_of_a_step(learner: GradientLearner, batch: Batch, args: argparse.Namespace) -> float:
    """What the mathematics asks for, forward and backward: 6 for each matrix element and token (Kaplan et al. 2020),
    attention's two products, and the vocabulary and the last layer (its keys and values aside) only where there is a label."""
    tokens, labels = batch["input_ids"].numel(), float(batch["normalizer"])
    matrices = sum(parameter.numel() for parameter in learner.network().encoder.layers.parameters() if parameter.dim() == 2)
    attention = 12 * args.layers * args.hidden * args.seq  # of a token, as the matrices
    last = 6 * (matrices / args.layers - 2 * args.hidden**2) + attention / args.layers
    return tokens * (6 * matrices + attention - last) + labels * (last + 6 * args.hidden * args.vocab)


def compare(make: Callable[[argparse.Namespace], tuple], args: argparse.Namespace) -> dict[str, Any]:
    torch.manual_seed(0)
    network, loss, learner = make(args)
    steps = args.steps * args.rounds + WARM_UP_STEPS
    started = time.perf_counter()
    made = [learner.pretraining.batch("train", index) for index in range(steps)]
    batch_ms = (time.perf_counter() - started) / steps * 1000
    batches = [{name: tensor.to(learner.device.device) for name, tensor in batch.items()} for batch in made]
    both = their_side(network, loss, batches, learner.device), our_side(learner)
    before = [side.loss_of(batches[0]) for side in both]
    for side in both:
        side.train(0, WARM_UP_STEPS)
    seconds: list[list[float]] = []
    for number in range(args.rounds):
        taken = [0.0, 0.0]
        for which in (0, 1) if number % 2 else (1, 0):
            taken[which] = both[which].train(WARM_UP_STEPS + number * args.steps, args.steps)
        seconds.append(taken)
    after = [side.loss_of(batches[0]) for side in both]
    tokens, flops = batches[0]["input_ids"].numel() * args.steps, flops_of_a_step(learner, batches[0], args) * args.steps
    middle = [statistics.median(taken[which] for taken in seconds) for which in (0, 1)]
    return {"ratio": statistics.median(taken[0] / taken[1] for taken in seconds), "steps": steps, "batch_ms": batch_ms,
            "tokens_per_s": [tokens / time_ for time_ in middle], "tflops": [flops / time_ / 1e12 for time_ in middle],
            "loss_before": before, "loss_after": after}


def peak_tflops(device: str) -> float | None:
    if device != "cuda":
        return None
    return next((peak for part, peak in PEAK_TFLOPS.items() if part in torch.cuda.get_device_name()), None)


def table(name: str, result: dict[str, Any], peak: float | None) -> None:
    print(f"\n{name}: {result['ratio']:.2f} times transformers' speed (median over rounds); "
          f"making a batch takes {result['batch_ms']:.2f} ms")
    print(f"{'':14}{'tokens/s':>10}{'TFLOP/s':>9}{'MFU':>7}{'loss before':>13}{'after ' + str(result['steps']):>12}")
    for side, label in enumerate(("transformers", "lexiscope")):
        utilisation = f"{result['tflops'][side] / peak:.1%}" if peak else "-"
        print(f"{label:14}{result['tokens_per_s'][side]:>10,.0f}{result['tflops'][side]:>9.3f}{utilisation:>7}"
              f"{result['loss_before'][side]:>13.5f}{result['loss_after'][side]:>12.5f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for flag, default, text in (
            ("hidden", 128, "length of a token's vector"), ("layers", 4, "layers"), ("heads", 4, "attention heads"),
            ("vocab", 3782, "vocabulary"), ("batch", 32, "sequences in a step"), ("seq", 64, "tokens in a sequence"),
            ("steps", 8, "steps of one side before the other has its turn"), ("rounds", 9, "turns of each side"),
            ("threads", 0, "CPU threads; 0: all cores")):
        parser.add_argument(f"--{flag}", type=int, default=default, help=f"{text} ({default})")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--only", choices=("bert", "gpt"), help="compare this family alone")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    args = parser.parse_args()
    makers = {"bert": bert_sides, "gpt": gpt_sides}
    results = {name: compare(make, args) for name, make in makers.items() if args.only in (None, name)}
    if args.json:
        flat = {f"{name}_{key}": value for name, result in results.items() for key, value in result.items()}
        print(json.dumps({**flat, "threads": torch.get_num_threads(), "device": args.device, "torch": torch.__version__,
                          "onednn": onednn_is_faster()}))
        return
    library = " (our products by oneDNN)" if args.device == "cpu" and onednn_is_faster() else ""
    print(f"{args.layers} layers of {args.hidden}, {args.heads} heads, vocabulary {args.vocab}, {args.batch} x {args.seq} tokens "
          f"a step, {args.device}, {torch.get_num_threads()} threads, {'bf16' if args.device == 'cuda' else 'fp32'}{library}")
    for name, result in results.items():
        table(name.upper(), result, peak_tflops(args.device))


if __name__ == "__main__":
    main()
