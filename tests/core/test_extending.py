"""A family, a task or a tokenizer of which nobody but the registry knows does all that its capabilities promise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from core import cli, estimate
from core.analysis import evaluate as measuring
from core.analysis import predict_window
from core.analysis.encode import load
from core.config import TextConfig
from core.errors import UserError
from core.estimate import Machine, TextSize
from core.exchange import exports
from core.exchange.huggingface import export as huggingface
from core.exchange.onnx import graph as onnx_graph
from core.exchange.tokenizer_json import portable
from core.registry import FAMILIES, TASKS, TOKENIZERS, lookup
from core.runs import Run
from core.tasks.config import build_finetune
from core.tasks.create import create
from core.text import corpus
from core.train import worker
from tests.helpers.labelled import write_labelled
from tests.helpers.runs import OPTIONS, make_run

TEXT, MACHINE = TextSize(tokens=10_000, vocab_size=100), Machine(cores=1, memory=8 << 30)


@pytest.fixture
def gru(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(worker, "_listen", lambda: lambda: False)
    monkeypatch.setitem(FAMILIES, "gru", "tests.helpers.newcomers:GRU")
    monkeypatch.setitem(OPTIONS, "gru", {})
    run = make_run(tmp_path, "gru", steps=2)
    assert worker.work(run.path) == 0, (run.path / "events.jsonl").read_text()
    return run


def test_a_new_family_writes_on_and_says_what_comes_next(gru: Run) -> None:
    said: list[dict] = []
    predict_window.write(str(gru.path), "妈妈", said.append, lambda: False, tokens=80, temperature=1.0)  # more than it can read at once
    assert len(said) > 2 and said[-1]["ended"] in ("length", "stopped")
    assert len(predict_window.following(str(gru.path), "妈妈", 3)["lists"][0]["tokens"]) == 3
    assert [one["side"] for one in predict_window.fill(str(gru.path), "妈妈[MASK]苹果", 3)["lists"]] == ["left"]


def test_a_new_family_has_the_graph_that_every_family_has_and_no_other(gru: Run) -> None:
    made = onnx_graph.language_graphs(load(gru))
    assert set(made) == {"model"}
    graph = made["model"]()
    inputs = graph.example({"batch": 2, "tokens": 5}, 0)
    for wanted, given in zip(graph.reference(*inputs.values()), graph.portable(*inputs.values()), strict=True):
        assert torch.equal(wanted, given)
    assert graph.outputs[-1] == "logits"


def test_a_new_family_is_finetuned_with_its_language_models_loss_beside_the_tasks(gru: Run, tmp_path: Path) -> None:
    train, dev = write_labelled(tmp_path, "classification"), write_labelled(tmp_path, "classification", 8, 1)
    files = {"task.train_file": str(train), "task.dev_file": str(dev)}
    run = create(build_finetune(gru.path, "classification", {**files, "train.steps": 2, "threads": 1}), tmp_path / "tuned")
    assert run.config.task.head_rate == 10, "its layers learn too, as GPT's and BERT's do"
    assert worker.work(run.path) == 0, (run.path / "events.jsonl").read_text()
    assert any("lm_loss" in getattr(event, "metrics", {}) for event in run.events())


def test_a_new_family_need_not_say_what_it_costs_nor_have_its_like_in_transformers(gru: Run, tmp_path: Path) -> None:
    assert estimate.estimate(gru.config, TEXT, MACHINE) is None
    assert not exports.targets()["huggingface"].takes(gru)
    with pytest.raises(UserError, match="transformers has no model that computes what GRU does"):
        huggingface.export(gru, tmp_path / "out", {}, lambda share, words: None)


def test_a_new_family_that_says_what_it_costs_has_an_estimate(gru: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "gru", "tests.helpers.newcomers:OUTSPOKEN")
    hidden = 6 * 16**2 * 2
    made = estimate.estimate(gru.config, TEXT, MACHINE)
    assert (made.parameters, made.tokens_per_s, made.tokens) == (hidden + 100 * 16, pytest.approx(1e6 / (6 * hidden)), 2 * 4 * 16)


def test_a_new_family_with_its_like_in_transformers_leaves_as_a_folder(gru: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "gru", "tests.helpers.newcomers:OUTSPOKEN")
    assert exports.targets()["huggingface"].takes(gru)
    report = exports.export(str(gru.path), "huggingface", str(tmp_path / "out"))
    written = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    assert (report["architecture"], written["model_type"], written["hidden_size"]) == ("GruLMHeadModel", "gru", 16)
    assert "gru.token_embedding.weight" in load_file(tmp_path / "out" / "model.safetensors")


def test_a_new_task_is_learnt_and_answers(gru: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(TASKS, "classification", "tests.helpers.newcomers:RATING")  # in the place of one: the options have read the names already
    (tmp_path / "rated.tsv").write_text("text\tlabel\n" + "".join(f"{'苹果' * number}\t{number}\n" for number in range(1, 9)), encoding="utf-8")
    files = {"task.train_file": str(tmp_path / "rated.tsv"), "task.dev_file": str(tmp_path / "rated.tsv")}
    run = create(build_finetune(gru.path, "classification", {**files, "train.steps": 2, "threads": 1}), tmp_path / "rated")
    assert worker.work(run.path) == 0, (run.path / "events.jsonl").read_text()
    answer = measuring.predict_text(run=str(run.path), fields={"text": "苹果"})
    assert cli.main(["predict", str(run.path), "--text", "苹果"]) == 0
    assert capsys.readouterr().out == f"{answer['value']:.3f}\n"


def test_a_new_tokenizer_learns_cuts_a_text_and_comes_back_from_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOKENIZERS, "blanks", "tests.helpers.newcomers:BLANKS")
    (tmp_path / "x.txt").write_text("the bank\nthe river\nan apple\n", encoding="utf-8")
    config = TextConfig(files=(str(tmp_path / "x.txt"),), valid_percent=30.0)
    made = lookup(TOKENIZERS, "blanks").train(config, ["the bank", "the river", "an apple"])
    read = corpus.prepare(config, tmp_path / "cache", tokenizer=made)
    assert read.tokenizer is not made and read.tokenizer.kind == "blanks"
    assert sorted(read.tokenizer.decode([*read.train.tokens, *read.valid.tokens]).split()) == ["an", "apple", "bank", "river", "the", "the"]
    with pytest.raises(UserError, match="'blanks' is written for other programs"):
        portable(read.tokenizer)
