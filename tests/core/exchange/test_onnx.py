"""Exports to ONNX: proven against torch, whole or not there at all, opened again, and run without torch."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from core import checkpoints, events, trash
from core.analysis import attention_window, encode, evaluate, predict
from core.analysis.pretrained import pretrained_runs
from core.errors import UserError
from core.exchange import exports
from core.exchange.onnx import export
from core.exchange.onnx import folder as onnx_folder
from core.exchange.onnx import proof as onnx_proof
from core.exchange.onnx import worker as onnx_worker
from core.exchange.onnx.adopt import _limit, adopt
from core.exchange.onnx.graph import Graph, language_graphs
from core.exchange.onnx.proof import _error, _relative, _same, compare, require
from core.exchange.onnx.session import look
from core.families.bert.config import BertObjective
from core.runs import Run, list_runs, run_folders
from core.tasks.config import build_finetune
from core.tasks.create import create
from core.text.specimens import Specimen, read_specimens
from core.train import worker
from tests.helpers.labelled import make_finetune
from tests.helpers.runs import make_run

TEXT = "妈妈买了一个苹果。"
WITHOUT_TORCH = ("import sys, runpy; sys.modules.update(dict.fromkeys(('torch', 'core', 'onnx'))); sys.argv = sys.argv[1:]; "
                 "runpy.run_path(sys.argv[0], run_name='__main__')")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Run, dict]]:
    """exported("bert") -> (a trained run, the report of its export); "task": a classification by a BERT. Each is made once."""
    folder = tmp_path_factory.mktemp("onnx")

    @lru_cache
    def trained(family: str) -> Run:
        options = {"cell_size": 24, "embedding": "char_cnn"} if family == "elmo" else {}
        run = make_run(folder / family, family, steps=2, probes=0, **options)
        worker.work(run.path)
        return run

    @lru_cache
    def make(name: str) -> tuple[Run, dict]:
        run = finetuned(folder, trained("bert")) if name == "task" else trained(name)
        options = {"measure": False, "precision": "int8" if name == "word2vec" else "fp32"}
        return run, exports.export(str(run.path), "onnx", str(folder / f"{name}.export"), options)

    return make


def finetuned(folder: Path, pretrained: Run) -> Run:
    said = (("买了一个苹果", "fruit"), ("在苹果上班", "company"))
    rows = [f"{subject}{words}\t{label}" for subject in ("妈妈", "小李") for words, label in said] * 6
    (folder / "labelled.tsv").write_text("\n".join(["text\tlabel", *rows]), encoding="utf-8")
    files = {"task.train_file": str(folder / "labelled.tsv"), "task.dev_file": str(folder / "labelled.tsv")}
    run = create(build_finetune(pretrained.path, "classification", {**files, "train.steps": 2, "train.epochs": 0, "threads": 1}), folder / "task")
    worker.work(run.path)
    return run


@pytest.mark.parametrize("name", ["bert", "gpt", "elmo", "task"])
def test_every_output_is_that_of_torch_at_many_shapes(exported, name: str) -> None:
    _, report = exported(name)
    for model in report["models"].values():
        shapes = [tuple(row["shape"].values()) for row in model["rows"]]
        assert len(shapes) >= 8 and any(all(length <= 1 for length in shape) for shape in shapes)
        assert max(row["relative"] for row in model["rows"]) <= 1e-5
        assert not model["only_onnxruntime"] and 18 <= model["opset"] <= 20
    assert report["top1"] == report["agreement"] == 1.0 and report["places"] > 100
    assert set(report["models"]) == ({"model", "decoder"} if name == "gpt" else {"model"})


def test_outputs_have_the_names_and_free_axes_that_are_promised(exported) -> None:
    run, report = exported("elmo")
    model = onnx.load(Path(report["path"]) / "model.onnx")
    axes = {value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
            for value in (*model.graph.input, *model.graph.output)}
    assert axes["input_ids"] == ["batch", "tokens"] and axes["hidden_states.2"] == ["batch", "tokens", 32]
    assert {"last_hidden_state", "mixed", "forward_logits", "backward_logits"} <= set(axes)
    found = {item.key: item.value for item in model.metadata_props}
    assert found["family"] == "elmo" and found["run"] == run.name and len(found["tokenizer_sha256"]) == 64
    assert found["version.torch"]
    assert [found["data_hash"]] == [event.text for event in run.events() if isinstance(event, events.RunStarted)]


def test_the_mix_follows_the_weights_that_are_given(exported) -> None:
    import onnxruntime

    _, report = exported("elmo")
    session = onnxruntime.InferenceSession(str(Path(report["path"]) / "model.onnx"), providers=["CPUExecutionProvider"])
    given = {"input_ids": np.array([[5, 9, 12]]), "attention_mask": np.ones((1, 3), np.int64)}
    even = session.run(["mixed", "hidden_states.0", "hidden_states.1", "hidden_states.2"], given)
    assert np.allclose(even[0], np.mean(even[1:], axis=0), atol=1e-6)
    top = session.run(["mixed"], given | {"scalar_parameters": np.array([0, 0, 50], np.float32), "gamma": np.array([2], np.float32)})[0]
    assert np.allclose(top, 2 * even[3], atol=1e-5)


@pytest.mark.parametrize("name", ["bert", "gpt", "elmo", "word2vec"])
def test_an_export_opens_again_and_answers_as_torch_does(exported, name: str) -> None:
    run, report = exported(name)
    ours, theirs = encode.load(run), encode.load(Run.open(Path(report["path"])))
    specimens = read_specimens(run.specimens_path)
    vectors = [encode.word_vectors(one.encoder, one.family, one.tokenizer, specimens) for one in (ours, theirs)]
    near = 2e-3 if name == "word2vec" else 1e-5  # int8
    assert np.abs(vectors[0] - vectors[1]).max() < near
    assert np.abs(encode.static_vectors(ours) - encode.static_vectors(theirs)).max() < near
    if name == "bert":
        filled = [[item.token for item in predict.fill(one, "买[MASK]个")[0]] for one in (ours, theirs)]
        assert filled[0] == filled[1]
    if name == "gpt":
        written = [list(predict.generate(one, "妈妈", seed=1, max_new_tokens=20)) for one in (ours, theirs)]
        assert written[0] == written[1]


def test_a_task_opens_again(exported) -> None:
    run, report = exported("task")
    asked = [evaluate.predict_text(run=str(path), fields={"text": TEXT}) for path in (run.path, report["path"])]
    assert asked[0]["label"] == asked[1]["label"]
    assert asked[1]["probabilities"] == pytest.approx(asked[0]["probabilities"], abs=1e-5)


@pytest.mark.parametrize(("name", "text", "said"), [
    ("bert", "妈妈买了[MASK]个苹果。", "[MASK] 1:"), ("gpt", "妈妈", "next:"), ("elmo", TEXT, "before the text:"), ("word2vec", "苹果", "苹果:"),
    ("task", TEXT, "fruit")])
def test_the_example_runs_without_torch(exported, tmp_path: Path, name: str, text: str, said: str) -> None:
    _, report = exported(name)
    command = [sys.executable, "-c", WITHOUT_TORCH, str(Path(report["path"]) / "example.py"), text]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, encoding="utf-8", check=False)
    assert done.returncode == 0 and said in done.stdout, done.stderr


@pytest.mark.parametrize("family", ["bert", "gpt", "elmo"])  # segments, one row, rows apart
def test_the_example_chooses_as_the_program_does(tmp_path: Path, capsys, family: str) -> None:
    pretrained = make_run(tmp_path / family, family, steps=2, probes=0)
    worker.work(pretrained.path)
    run = make_finetune(tmp_path, pretrained, "multiple_choice")
    worker.work(run.path)
    network = evaluate.load_task(run).network
    torch.manual_seed(0)
    for parameter in (one for one in network.parameters() if one.dim() > 1):
        torch.nn.init.normal_(parameter, std=0.4)  # so that the choices come apart
    checkpoints.save(run, checkpoints.Checkpoint(step=5, model=network.state_dict(), optimizer={}, state={"step": 5, "best": False}))
    (tmp_path / "out").mkdir()
    graph, extra = onnx_worker._graph(run, 5, "model", tmp_path / "out")
    onnx_folder.write(run, tmp_path / "out", 5, "fp32", {}, extra)
    example = runpy.run_path(str(tmp_path / "out" / "example.py"))["task"]

    def answer(_session: None, **arrays: np.ndarray) -> dict[str, np.ndarray]:
        with torch.no_grad():
            made = graph.reference(*(torch.from_numpy(arrays[name]) for name in graph.inputs))
        return {name: tensor.numpy() for name, tensor in zip(graph.outputs, made, strict=True)}

    example.__globals__.update(open_model=lambda _name: None, run=answer)  # what ONNX Runtime computes is proven elsewhere
    question, choices = "谁买了苹果?", ["妈妈", "小李", "老师在苹果上班"]
    for passage in (TEXT, TEXT * 9):  # the second one is cut
        asked = evaluate.predict_text(run=str(run.path), fields={"context": passage, "question": question, "choices": choices})
        capsys.readouterr()
        example([passage, question], choices)
        said = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
        assert [float(said[choice]) for choice in choices] == pytest.approx(asked["probabilities"], abs=6e-4)
        assert np.ptp(asked["probabilities"]) > 0.02
    with pytest.raises(SystemExit, match="a passage, a question"):
        example([question], choices)


def test_a_missed_tolerance_names_the_layer_and_leaves_nothing(exported, tmp_path: Path) -> None:
    run, _ = exported("bert")
    with pytest.raises(UserError, match=r"refused.*begins in") as caught:
        exports.export(str(run.path), "onnx", str(tmp_path / "out"), {"tolerance": "1e-12", "measure": False})
    assert "layer" in caught.value.where
    assert list(tmp_path.iterdir()) == []


def test_a_run_can_be_exported_while_it_learns_and_removes_older_checkpoints(exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = exported("task")
    run = Run.open(shutil.copytree(first.path, tmp_path / "run"))
    monkeypatch.setattr(Run, "worker_pid", lambda _self: os.getpid())
    ask = export._in_a_process

    def meanwhile(job: dict, on_progress: Callable[[float, str], None]) -> dict:
        shutil.rmtree(run.checkpoint_path(job["step"]), ignore_errors=True)
        return ask(job, on_progress)

    monkeypatch.setattr(export, "_in_a_process", meanwhile)
    report = exports.export(str(run.path), "onnx", str(tmp_path / "out"), {"measure": False})
    assert report["models"]["model"]["rows"] and not [name for name in report["files"] if "source" in name]
    assert not (tmp_path / "out" / ".source").exists() and (run.path / "config.json").exists()


def test_int8_of_a_task_above_a_gpt(exported, tmp_path: Path) -> None:
    """Its head is a Gemm of a matrix that is no square: the quantiser turns it round."""
    run = finetuned(tmp_path, exported("gpt")[0])
    report = exports.export(str(run.path), "onnx", str(tmp_path / "out"), {"precision": "int8", "measure": False, "agreement": 0})
    assert report["relative"] <= 0.1 and report["places"] > 100 and report["least"] == 0


def test_a_span_of_texts_that_are_read_apart_is_measured_with_a_passage(exported, tmp_path: Path) -> None:
    """Without one ONNX Runtime's LSTM ends the process."""
    (tmp_path / "asked.json").write_text(json.dumps({"data": [{"paragraphs": [{"context": "小李买苹果", "qas": [
        {"id": str(number), "question": "买什么", "answers": [{"text": "苹果", "answer_start": 3}]} for number in range(4)]}]}]}), encoding="utf-8")
    files = {"task.train_file": str(tmp_path / "asked.json"), "task.dev_file": str(tmp_path / "asked.json")}
    options = {**files, "train.steps": 2, "train.epochs": 0, "threads": 1}
    run = create(build_finetune(exported("word2vec")[0].path, "span", options), tmp_path / "span")
    worker.work(run.path)
    report = exports.export(str(run.path), "onnx", str(tmp_path / "out"), {"threads": 2})
    assert report["models"]["model"]["latency"][0]["shape"]["parts"] == 2 and report["relative"] <= 1e-5
    asked = [evaluate.predict_text(run=str(path), fields={"context": "小李买苹果", "question": "买什么"}) for path in (run.path, report["path"])]
    assert asked[0]["answer"] == asked[1]["answer"]


def test_a_graph_of_tags_is_tried_with_the_one_token_that_it_is_given(tmp_path: Path) -> None:
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["batch", axis])
              for name, axis in (("input_ids", "tokens"), ("units", "units"), ("logits", "units"))]
    node = onnx.helper.make_node("GatherElements", ["input_ids", "units"], ["logits"], axis=1)  # a second token is none
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "tags", values[:2], values[2:]), ir_version=10,
                                   opset_imports=[onnx.helper.make_opsetid("", 20)])
    onnx.save(model, str(tmp_path / "model.onnx"))
    assert look(tmp_path / "model.onnx")["outputs"][0]["seen"] == [1, 1]


def rows_of(*shapes: tuple[float, int]) -> list[dict]:
    return [{"shape": {"batch": 1}, "relative": 0.0, "worst": "logits", "outputs": {}, "top1": share if places else None, "places": places}
            for share, places in shapes]


def test_other_answers_than_torchs_are_refused_by_their_share_of_all_places() -> None:
    rows = rows_of((0.0, 1), (1.0, 93), (0.0, 6), (0.0, 0))  # one sentence of one token alone says nothing
    require(rows, "int8", 0.1, 0.9)
    with pytest.raises(UserError, match=r"7\.0% of 100 places") as caught:
        require(rows, "fp16", 0.1, 0.98)
    assert caught.value.where == "logits" and "agreement=0.92" in caught.value.hint
    require(rows_of((0.0, 0)), "int8", 0.1, 0.9)  # a table of vectors has no answers


@pytest.mark.parametrize(("logits", "shape", "same"), [
    ([[1.0, 2.0], [3.0, 0.0]], (2, 2), [True, False]), ([1.0, 2.0], (2, 1), []),
    ([0.0, 9.0, 5.0, 0.0, 1.0, 1.0], (1, 1, 3, 2), [True, False])])  # where a span begins and ends, not which of both is greater
def test_what_counts_as_the_same_answer(logits: list, shape: tuple[int, ...], same: list[bool]) -> None:
    wanted = {(2, 2): [[0.0, 5.0], [1.0, 2.0]], (2, 1): [7.0, 0.0], (1, 1, 3, 2): [0.0, 0.0, 5.0, 3.0, 1.0, 1.0]}[shape]
    a, b = (np.array(values).reshape(shape) for values in (logits, wanted))
    assert _same(a, b, None).ravel().tolist() == same


def test_padding_is_no_answer() -> None:
    a, b = np.eye(3)[None], np.eye(3)[None, [0, 2, 1]]  # (batch, tokens, labels)
    assert _same(a, b, torch.tensor([[1, 1, 0]])).tolist() == [True, False]


def test_an_error_is_a_part_of_the_greatest_number_and_the_worst_output_counts() -> None:
    found = _relative({"a": 0.1, "b": 0.3}, {"a": 0.5, "b": 10.0})
    assert (found["worst"], found["relative"], found["outputs"]["b"]) == ("a", pytest.approx(0.2), {"absolute": 0.3, "relative": pytest.approx(0.03)})
    assert _relative({"a": 0.1}, {"a": 0.0})["relative"] == 1.0 and _relative({"a": 0.0}, {"a": 0.0})["relative"] == 0.0
    assert _error(np.zeros((2, 1)), np.zeros((2, 3))) == _error(np.zeros(2), np.array([0.0, np.nan])) == np.inf
    with pytest.raises(UserError, match="begins in the embedding layer") as caught:
        none = {"relative": np.nan, "outputs": {"hidden_states.0": {"relative": np.nan}}}
        require([*rows_of((1.0, 9)), {**rows_of((1.0, 9))[0], **none}], "fp32", 1e-5)
    assert caught.value.where == "the embedding layer"


def test_the_times_are_milliseconds_and_each_has_the_number_of_threads_that_suits_it(monkeypatch, tmp_path: Path) -> None:
    now = [0.0]

    def taking(seconds: float) -> Callable[[], None]:
        return lambda: now.__setitem__(0, now[0] + seconds)

    clock = SimpleNamespace(perf_counter=lambda: now[0], monotonic=lambda: now[0])
    monkeypatch.setattr(onnx_proof, "time", clock)
    times = onnx_proof._take_turns({"torch": taking(0.002), "onnxruntime": taking(0.001)})
    assert {name: len(taken) for name, taken in times.items()} == dict.fromkeys(times, onnx_proof.ROUNDS)
    assert np.allclose(times["torch"], 2.0) and np.allclose(times["onnxruntime"], 1.0)
    assert len(onnx_proof._take_turns({"torch": taking(1.0)})["torch"]) == onnx_proof.WARM_UP + 1  # a slow one is measured no longer than it must
    monkeypatch.setattr(onnx_proof, "open_session", lambda *_, **__: SimpleNamespace(get_providers=lambda: ["CPUExecutionProvider"]))
    monkeypatch.setattr(onnx_proof, "_take_turns", lambda _: {"torch": list(range(0, 202, 2)), "onnxruntime": list(range(101))})
    race = onnx_proof._race("cpu", None, None, {}, tmp_path, torch.get_num_threads())
    assert [(race[name]["p50"], race[name]["p95"]) for name in ("torch", "onnxruntime")] == [(100, 190), (50, 95)] and race["speedup"] == 2
    other = {**race, "torch": {"p50": 20.0, "threads": 1}, "onnxruntime": {"p50": 80.0, "threads": 1}}
    better = onnx_proof._better([race, other])
    assert (better["torch"]["p50"], better["onnxruntime"]["p50"], better["speedup"]) == (20, 50, 0.4)


def test_the_layer_where_an_error_begins_is_found(exported) -> None:
    run, _ = exported("bert")
    graph = language_graphs(encode.load(run))["model"]()
    with torch.no_grad():
        graph.portable.network.encoder.layers[1].feed_forward.down.weight[0].add_(0.1)
    session = _Torch(graph.portable, graph.outputs)
    with pytest.raises(UserError) as caught:
        require(compare(graph, session), "fp32", 1e-5)
    assert caught.value.where == "layer 2"


def test_a_lone_number_near_nothing_is_judged_by_the_greatest_that_comes_there(exported) -> None:
    """A head for numbers gives one for one example; whether that one is near 0 says nothing about the export."""
    lone = Graph(name="model", reference=_Number(0.0), portable=_Number(1e-6), inputs={"input_ids": ("batch", 2)}, outputs=("logits",), limits={},
                 example=lambda lengths, seed: {"input_ids": torch.tensor([[0, 1]] * lengths["batch"]) * (lengths["batch"] - 1)},
                 shapes=({"batch": 1}, {"batch": 4}, {"batch": 1}), defaults={})
    rows = compare(lone, _Torch(lone.portable, lone.outputs))
    assert [row["relative"] for row in rows] == pytest.approx(3 * [1e-6 / 1.501], rel=0.1)  # of the greatest at any shape
    require(rows, "fp32", 1e-5)
    with pytest.raises(UserError):
        require(rows, "fp32", 1e-7)


class _Number(torch.nn.Module):
    """The mean of the ids and a little more, and of nothing nearly nothing."""

    def __init__(self, off: float) -> None:
        super().__init__()
        self.off = off

    def forward(self, input_ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (input_ids.double().mean(dim=-1, keepdim=True) + 1e-3 + self.off,)


class _Torch:
    """A network in the place of ONNX Runtime's session."""

    def __init__(self, network: torch.nn.Module, outputs: tuple[str, ...]) -> None:
        self._network, self._outputs = network, outputs

    def get_inputs(self) -> list:
        return [helper.make_tensor_value_info(name, TensorProto.INT64, None) for name in ("input_ids", "attention_mask", "token_type_ids")]

    def get_overridable_initializers(self) -> list:
        return []

    @torch.no_grad()
    def run(self, _names: list[str], given: dict[str, np.ndarray]) -> list[np.ndarray]:
        return [tensor.numpy() for tensor in self._network(*map(torch.from_numpy, given.values()))]


def test_nothing_is_written_over(exported, tmp_path: Path) -> None:
    run, _ = exported("bert")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        exports.export(str(run.path), "onnx", str(tmp_path))
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(("target", "options", "words"), [
    ("onnx", {"step": "x"}, "step cannot be 'x'"), ("onnx", {"threads": "nan"}, "whole number"), ("onnx", {"threads": "-3"}, "threads is -3"),
    ("onnx", {"shapes": "1e400"}, "whole number"), ("onnx", {"tolerance": "nan"}, "a number"), ("onnx", {"agreement": "-1"}, "agreement is -1"),
    ("onnx", {"measure": "perhaps"}, "true or false"), ("onnx", {"external_above": "inf"}, "whole number"),
    ("onnx", {"precision": "fp8"}, "precision cannot be"),
    ("onnx", {"layer": "2"}, "Its options: precision, step, tolerance"), ("huggingface", {"precision": "int8"}, "It has none"),
    ("npy", {"word": "苹果"}, "It has none"), ("occurrences", {"step": "3"}, "Its options: word, layer")])
def test_an_option_that_an_export_does_not_know_or_cannot_read_is_refused(exported, tmp_path: Path, target: str, options: dict[str, str],
                                                                          words: str) -> None:
    run, _ = exported("bert")
    with pytest.raises(UserError) as caught:
        exports.export(str(run.path), target, str(tmp_path / "out"), options)
    assert words in f"{caught.value.message} {caught.value.hint}" and not any(tmp_path.iterdir())


def test_a_changed_model_is_noticed_by_its_hash(exported, tmp_path: Path) -> None:
    _, report = exported("word2vec")
    copy = shutil.copytree(report["path"], tmp_path / "copy")
    data = bytearray((copy / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (copy / "model.onnx").write_bytes(data)
    with pytest.raises(UserError, match="damaged"):
        encode.load(Run.open(copy))


def _model(node: onnx.NodeProto, initializers: list[onnx.TensorProto] = ()) -> onnx.ModelProto:
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
    out = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "g", [ids], [out], list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def _elsewhere() -> onnx.ModelProto:
    table = TensorProto(name="table", data_type=TensorProto.FLOAT, dims=[4, 2], data_location=TensorProto.EXTERNAL)
    table.external_data.add(key="location", value="../secret")
    return _model(helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"]), [table])


def _greedy() -> onnx.ModelProto:
    shape = helper.make_tensor("shape", TensorProto.INT64, [1], [1 << 40])
    return _model(helper.make_node("ConstantOfShape", ["shape"], ["last_hidden_state"]), [shape])


@pytest.mark.parametrize(("content", "why"), [
    (b"", "cannot be read"), (b"\x80\x04pickle", "cannot be opened"), (b"\x08\x0a" * 400, "cannot be opened"),
    (_elsewhere().SerializeToString(), "outside"), (_greedy().SerializeToString(), "cannot be opened"),
    (_model(helper.make_node("Strange", ["input_ids"], ["last_hidden_state"], domain="evil")).SerializeToString(), "evil:Strange")])
def test_a_hostile_file_is_one_sentence(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "secret").write_bytes(b"0" * 64)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "model.onnx").write_bytes(content)
    with pytest.raises(UserError, match=why) as caught:
        look(tmp_path / "in" / "model.onnx")
    assert "\n" not in caught.value.message


def test_an_encoder_from_elsewhere_becomes_a_run(exported, tmp_path: Path) -> None:
    run, report = exported("bert")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    shutil.copyfile(Path(report["path"]) / "model.onnx", theirs / "model.onnx")
    ours = encode.load(run)
    (theirs / "vocab.txt").write_text("\n".join(map(ours.tokenizer.token, range(ours.tokenizer.vocab_size))), encoding="utf-8")
    taken = adopt(theirs, tmp_path / "adopted")
    adopted = encode.load(taken)
    assert taken.config.objective == BertObjective()  # what our quick BERT does otherwise is not said of theirs
    rows = [encode.frame(one.family, one.tokenizer, TEXT).ids for one in (ours, adopted)]
    tokens = [[one.tokenizer.token(token) for token in ids] for one, ids in zip((ours, adopted), rows, strict=True)]
    assert tokens[0] == tokens[1]
    states = [one.encoder(torch.tensor([ids])).last_hidden_state for one, ids in zip((ours, adopted), rows, strict=True)]
    assert torch.allclose(*states, atol=1e-5)
    assert taken.config.model == replace(run.config.model, intermediate_size=0)  # its limit is found by trying, its heads are counted


def _encoder(folder: Path, positions: int, **options: object) -> Path:
    """A token's vector and its place's, with a vocabulary beside it; it gives last_hidden_state alone."""
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"妈买了一个苹果。", "苹果"]), encoding="utf-8")
    rng = np.random.default_rng(0)
    tables = [onnx.numpy_helper.from_array(rng.normal(size=(rows, 8)).astype("float32"), name)
              for name, rows in (("words", 14), ("places", positions))]
    numbers = [helper.make_tensor(name, TensorProto.INT64, [1], [value]) for name, value in (("zero", 0), ("one", 1), ("two", 2))]
    nodes = [helper.make_node("Gather", ["words", "input_ids"], ["word"]), helper.make_node("Shape", ["input_ids"], ["shape"]),
             helper.make_node("Slice", ["shape", "one", "two"], ["length"]),
             helper.make_node("Slice", ["places", "zero", "length"], ["place"]), helper.make_node("Add", ["word", "place"], ["last_hidden_state"])]
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
    out = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", 8])
    graph = helper.make_graph(nodes, "g", [ids], [out], [*tables, *numbers])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), folder / "model.onnx", **options)
    return folder


def test_of_an_encoder_from_elsewhere_nothing_is_invented(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("LEXISCOPE_HOME", str(tmp_path / "home"))
    run = adopt(_encoder(tmp_path / "theirs", 37))
    assert run.config.model.max_seq_len == 37 and run.imported and run.status().state == "finished"
    assert json.loads((run.path / "origin.json").read_text())["known"] == ["model.hidden_size", "model.max_seq_len"]
    assert (run.config.text.tokenizer, run.config.text.vocab_size) == ("wordpiece", encode.load(run).tokenizer.vocab_size)
    loaded = encode.load(run)
    long = [Specimen(word="苹果", sense=sense, text=TEXT * times) for sense, times in (("a", 1), ("b", 9))]
    assert np.isfinite(encode.word_vectors(loaded.encoder, loaded.family, loaded.tokenizer, long)).all()
    with pytest.raises(UserError, match="does not give its attention"):
        attention_window.attention(str(run.path), TEXT)
    place = trash.delete(run)
    assert not run_folders() and not run.path.parent.exists() and trash.restore(place).path == run.path
    assert [one.path for one in list_runs()] == run_folders() == [run.path] and run.name == "theirs · ONNX"  # as the bench and the import name it
    assert not pretrained_runs()


@pytest.mark.parametrize(("batch", "tokens"), [("batch", 16), (1, "tokens"), (1, 128)])
def test_an_encoder_with_a_fixed_axis_is_refused_and_its_shape_named(tmp_path: Path, batch: str | int, tokens: str | int) -> None:
    theirs = _encoder(tmp_path / "theirs", 128)
    model = onnx.load(theirs / "model.onnx")
    for value in (*model.graph.input, *model.graph.output):
        for axis, size in zip(value.type.tensor_type.shape.dim, (batch, tokens), strict=False):
            if isinstance(size, int):
                axis.dim_value = size
    onnx.save(model, theirs / "model.onnx")
    with pytest.raises(UserError, match=f"of one shape alone: {batch} × {tokens}") as caught:
        adopt(theirs, tmp_path / "adopted")
    assert "free" in caught.value.hint and not (tmp_path / "adopted").exists()


def test_a_limit_that_was_not_tried_is_that_of_its_settings(tmp_path: Path) -> None:
    settings = {"model_type": "xlm-roberta", "max_position_embeddings": 8194, "pad_token_id": 1}
    assert _limit(tmp_path, 1024) == 1024
    (tmp_path / "config.json").write_text(json.dumps(settings))
    assert _limit(tmp_path, 1024) == 8192 and _limit(tmp_path, 512) == 512


def test_weights_beside_a_model_come_along_whatever_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = _encoder(tmp_path / "theirs", 37, save_as_external_data=True, location="bert.onnx.data", size_threshold=64)
    (theirs / "model.onnx.bak").write_bytes(b"not its own")
    copy = shutil.copyfile

    def copied(source: Path, target: Path) -> None:
        assert not (tmp_path / "adopted").exists(), "who ends the program now would leave half a model"
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", copied)
    run = adopt(theirs, tmp_path / "adopted")
    assert sorted(path.name for path in run.path.parent.iterdir()) == ["bert.onnx.data", "model.onnx", "run"]
    loaded = encode.load(run)
    assert torch.isfinite(loaded.encoder(torch.tensor([encode.frame(loaded.family, loaded.tokenizer, TEXT).ids])).last_hidden_state).all()


def test_the_command_line_says_all_only_where_all_agree(capsys) -> None:
    from core.cli.exporting import _show_model

    rows = [{"shape": {"batch": 1, "sequence": 8}, "absolute": 1e-6, "relative": 1e-6, "worst": "logits", "top1": share}
            for share in (0.9996, 1.0, None)]
    _show_model("model", {"opset": 18, "operators": {}, "only_onnxruntime": [], "rows": rows, "latency": []})
    assert [line.split()[5] for line in capsys.readouterr().out.splitlines()[-3:]] == [">99.9%", "100%", "–"]


def test_the_command_line_exports_and_tells(exported, tmp_path: Path, capsys) -> None:
    from core.cli import main

    run, _ = exported("word2vec")
    assert main(["export", str(run.path), "--to", "onnx", "--out", str(tmp_path / "x"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["models"]["model"]["latency"][0]["provider"] == "CPUExecutionProvider" and (tmp_path / "x" / "manifest.json").exists()
    assert main(["export", str(run.path), "--to", "onnx", "--out", str(tmp_path / "y"), "--precision", "fp8"]) == 2
