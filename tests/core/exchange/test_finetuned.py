"""Models that were finetuned with transformers become runs with their heads: they answer as theirs do, pairs of texts too."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from core import trash
from core.analysis.corpus_words import require_text
from core.analysis.evaluate import evaluate, load_task, predict_text
from core.analysis.pretrained import pretrained_runs
from core.errors import UserError
from core.exchange.huggingface.adopt import import_model
from core.exchange.huggingface.export import export
from core.exchange.onnx.folder import _write_run
from core.runs import PRETRAINED_ORIGIN, Run
from core.tasks.config import build_finetune
from core.tasks.create import create
from core.tasks.layout import Layout
from core.tasks.networks import TaskNetwork, load_pretrained
from tests.helpers.huggingface import TEXTS, save_model

transformers = pytest.importorskip("transformers")
CLOSE = {"atol": 1e-5, "rtol": 0}
NAMES = {0: "好", 1: "bad", 2: "neither"}
PAIRS = {0: "CONTRADICTION", 1: "NEUTRAL", 2: "ENTAILMENT"}
CLASSES = {"BertForSequenceClassification": "classification", "BertForTokenClassification": "tagging", "BertForQuestionAnswering": "span",
           "BertForMultipleChoice": "multiple_choice", "RobertaForSequenceClassification": "classification",
           "RobertaForTokenClassification": "tagging", "RobertaForQuestionAnswering": "span", "GPT2ForSequenceClassification": "classification",
           "GPT2ForTokenClassification": "tagging"}


@pytest.fixture(autouse=True)
def _fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXISCOPE_HOME", str(tmp_path / "home"))


def options(architecture: str, names: dict[int, str] = NAMES) -> dict:
    return {"id2label": names, "label2id": {name: number for number, name in names.items()}} if "Classification" in architecture else {}


def rows_of(run: Run) -> list[int]:
    return json.loads((run.path / "origin.json").read_text(encoding="utf-8"))["rows"]


@torch.no_grad()
@pytest.mark.parametrize("architecture", CLASSES)
def test_a_head_of_theirs_answers_the_same(architecture: str, tmp_path: Path) -> None:
    theirs = save_model(tmp_path / "theirs", architecture, **options(architecture))
    made = import_model(tmp_path / "theirs")
    run, task = Run.open(made.run), CLASSES[architecture]
    assert run.config.task.task == task and len(made.notes) == 1 and "head" in made.notes[0]
    model, rows, tokenizer = load_task(run), rows_of(run), transformers.AutoTokenizer.from_pretrained(tmp_path / "theirs")
    for first, second in zip(TEXTS[:5], ("买了什么？", "Who?", "了", "She sold it.", "ÜBER")):
        two = task in ("span", "multiple_choice")
        part = model.layout.pair(second, first) if two else model.layout.single(first)
        asked = tokenizer(second, first) if two else tokenizer(first)
        assert [rows[number] for number in part.ids] == asked["input_ids"]
        ids, given = torch.tensor([[list(part.ids)]]), {"input_ids": torch.tensor([asked["input_ids"]])}
        if architecture.startswith("Bert") and two:
            given["token_type_ids"] = torch.tensor([part.segments])
        if task == "multiple_choice":
            given = {name: tensor[None] for name, tensor in given.items()}
        units = (torch.arange(ids.shape[-1])[None], torch.zeros(1, ids.shape[-1], dtype=torch.long)) if task == "tagging" else ()
        got = model.network(ids, None, torch.tensor([[list(part.segments)]]), *units)
        output = theirs(**given)
        expected = torch.stack([output.start_logits, output.end_logits], dim=-1)[:, None] if task == "span" else output.logits
        torch.testing.assert_close(got, expected, **CLOSE)


@torch.no_grad()
@pytest.mark.parametrize("architecture", ["BertForSequenceClassification", "RobertaForSequenceClassification", "GPT2ForSequenceClassification"])
def test_it_can_be_asked_and_goes_back(architecture: str, tmp_path: Path) -> None:
    theirs = save_model(tmp_path / "theirs", architecture, **options(architecture))
    run = Run.open(import_model(tmp_path / "theirs").run)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "theirs")
    answer = predict_text(run=str(run.path), fields={"text": TEXTS[0]})
    chances = theirs(torch.tensor([tokenizer(TEXTS[0])["input_ids"]])).logits.softmax(dim=-1)[0]
    assert answer["label"] == NAMES[int(chances.argmax())]
    assert [answer["probabilities"][NAMES[number]] for number in range(3)] == pytest.approx(chances.tolist(), abs=1e-5)
    with pytest.raises(UserError, match="without examples"):
        evaluate(run=str(run.path))
    (tmp_path / "mine.tsv").write_text("text\tlabel\n苹果很甜\t好\n苹果很酸\tbad\n", encoding="utf-8")
    assert evaluate(run=str(run.path), file=str(tmp_path / "mine.tsv"))["examples"] == 2
    export(run, tmp_path / "back", {}, lambda share, words: None)
    again = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "back").eval()
    back = transformers.AutoTokenizer.from_pretrained(tmp_path / "back")
    torch.testing.assert_close(again(torch.tensor([back(TEXTS[0])["input_ids"]])).logits.softmax(dim=-1)[0], chances, **CLOSE)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["Bert", "Roberta"])
def test_a_model_of_pairs_reads_both_texts_as_theirs_does(kind: str, tmp_path: Path) -> None:
    theirs = save_model(tmp_path / "theirs", f"{kind}ForSequenceClassification", **options("Classification", PAIRS))
    run = Run.open(import_model(tmp_path / "theirs").run)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "theirs")
    made = tokenizer("小李买了苹果", "She sold it.", return_tensors="pt", return_token_type_ids=kind == "Bert")
    if kind == "Roberta":
        assert made["input_ids"][0].tolist().count(2) == 3  # <s> A </s></s> B </s>
    chances = theirs(**made).logits.softmax(dim=-1)[0]
    answer = predict_text(run=str(run.path), fields={"text_a": "小李买了苹果", "text_b": "She sold it."})
    assert [answer["probabilities"][PAIRS[number]] for number in range(3)] == pytest.approx(chances.tolist(), abs=1e-5)


@torch.no_grad()
def test_answers_and_names_begin_where_theirs_do_and_not_with_the_space_before(tmp_path: Path) -> None:
    save_model(tmp_path / "qa", "RobertaForQuestionAnswering", seed=1)
    text = TEXTS[3]
    answer = predict_text(run=str(import_model(tmp_path / "qa").run), fields={"context": text, "question": "Who sold shares?"})
    assert (answer["answer"], answer["start"], answer["end"]) == ("the company's shares in", 27, 50)
    assert all(one["text"] == text[one["start"] : one["end"]].strip() for one in answer["candidates"])
    theirs = save_model(tmp_path / "names", "RobertaForTokenClassification", **options("Classification", {0: "O", 1: "B-PER", 2: "I-PER"}))
    theirs.classifier.weight.zero_()
    theirs.classifier.bias.copy_(torch.tensor([-9.0, 9.0, -9.0]))
    theirs.save_pretrained(tmp_path / "names")
    answer = predict_text(run=str(import_model(tmp_path / "names").run), fields={"text": "She bought apples"})
    assert answer["units"] == [[0, 3], [4, 10], [11, 17]]
    assert [one["text"] for one in answer["spans"]] == ["She", "bought", "apples"]


def _of_answers(folder: Path, certain: float, question: str, context: str) -> tuple[Any, Any]:
    """A saved model that is so certain that there is no answer, and what it is asked."""
    theirs = save_model(folder, "BertForQuestionAnswering")
    asked = transformers.AutoTokenizer.from_pretrained(folder)(question, context, return_tensors="pt")
    vectors = theirs.bert(**asked).last_hidden_state[0]
    way = vectors[0] - vectors[1:].mean(dim=0)  # along it [CLS] lies apart from the others
    theirs.qa_outputs.weight.copy_(certain * way / (way @ way))
    theirs.qa_outputs.bias.zero_()
    theirs.save_pretrained(folder)
    return theirs, asked


@torch.no_grad()
@pytest.mark.parametrize("certain", [50.0, -50.0])
def test_a_model_may_find_no_answer(certain: float, tmp_path: Path) -> None:
    """As one of SQuAD 2.0 does; one of SQuAD 1.1 gives [CLS] no mass, and always answers."""
    context, question, none = "She bought apples.", "Who sold shares?", certain > 0
    theirs, asked = _of_answers(tmp_path / "theirs", certain, question, context)
    assert (int(theirs(**asked).start_logits.argmax()) == 0) == none
    made = import_model(tmp_path / "theirs")
    assert "no answer" not in made.notes[0]
    answer = predict_text(run=str(made.run), fields={"context": context, "question": question})
    assert (answer["answer"] == "") == none and (answer["no_answer"] > 0.99) == none
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": context, "qas": [
        {"id": "1", "question": question, "answers": [], "is_impossible": True}]}]}]}), encoding="utf-8")
    assert evaluate(run=str(made.run), file=str(path))["metrics"]["exact_match"] == none


@torch.no_grad()
@pytest.mark.parametrize("certain", [50.0, 4.0, -50.0])
def test_no_answer_in_many_windows_is_as_berts_run_squad_has_it(certain: float, tmp_path: Path) -> None:
    """The least score for no answer of all windows against the best answer of all windows."""
    context, question = "The company sold 3.14 shares. " * 9 + "She bought apples. " * 12, "Who sold shares?"
    theirs, _ = _of_answers(tmp_path / "theirs", certain, question, context[-60:])
    made = import_model(tmp_path / "theirs")
    model = load_task(Run.open(made.run))
    nulls, best = [], []
    parts = model.layout.pair_windows(question, context, (1, 0))
    for part in parts:
        ids = torch.tensor([[rows_of(model.run)[number] for number in part.ids]])
        output = theirs(ids, token_type_ids=torch.tensor([part.segments]))
        start, end = output.start_logits[0], output.end_logits[0]
        nulls.append(float(start[0] + end[0]))
        mine = [place for place, source in enumerate(part.sources) if source == 0]
        best.append(max(float(start[a] + end[b]) for a in mine for b in mine if a <= b < a + model.config.task.max_answer))
    none = min(nulls) > max(best)
    assert len(parts) > 2 and none == (certain > 0) and (nulls[0] != min(nulls) or not none)
    answer = predict_text(run=str(made.run), fields={"context": context, "question": question})
    assert (answer["answer"] == "") == none
    assert math.log(answer["candidates"][0]["probability"] / answer["no_answer"]) == pytest.approx(max(best) - min(nulls), abs=1e-3)
    assert answer["no_answer"] + sum(one["probability"] for one in answer["candidates"]) < 1.0001


def test_a_finetune_of_an_imported_roberta_reads_pairs_as_roberta_does(tmp_path: Path) -> None:
    save_model(tmp_path / "theirs", "RobertaForMaskedLM")
    run = Run.open(import_model(tmp_path / "theirs").run)
    (tmp_path / "pairs.tsv").write_text("text_a\ttext_b\tlabel\n苹果\t甜\tyes\n苹果\t酸\tno\n", encoding="utf-8")
    files = {"task.train_file": str(tmp_path / "pairs.tsv"), "task.dev_file": str(tmp_path / "pairs.tsv")}
    tuned = create(build_finetune(run, "pair", files), tmp_path / "tuned")
    from core.tasks import data

    layout, rows = data.load(tuned).layout, rows_of(run)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "theirs")
    part = layout.pair("苹果", "apples")
    assert [rows[number] for number in part.ids] == tokenizer("苹果", "apples")["input_ids"] and set(part.segments) == {0}
    assert not TaskNetwork(tuned.config, layout, data.read_labels(tuned)).segments


@pytest.mark.parametrize("scratch", [False, True])
def test_a_finetune_of_an_imported_run_has_no_text_of_its_own_either(scratch: bool, tmp_path: Path) -> None:
    save_model(tmp_path / "theirs", "BertForMaskedLM")
    run = Run.open(import_model(tmp_path / "theirs").run)
    (tmp_path / "labelled.tsv").write_text("text\tlabel\n苹果很甜\tyes\n苹果很酸\tno\n", encoding="utf-8")
    files = {"task.train_file": str(tmp_path / "labelled.tsv"), "task.dev_file": str(tmp_path / "labelled.tsv"), "from_scratch": scratch}
    tuned = create(build_finetune(run, "classification", files), tmp_path / "tuned")
    (tuned.path / PRETRAINED_ORIGIN).unlink()
    assert Run.open(tuned.path).without_text, "one that was made before the origin came along"
    assert create(tuned.config, tmp_path / "again").without_text
    trash.delete(run)
    moved = Run.open(tmp_path / "again")
    assert moved.without_text and not moved.imported
    _write_run(moved, tmp_path / "export" / "run", 4, "fp32")
    assert Run.open(tmp_path / "export" / "run").without_text
    with pytest.raises(UserError, match="its text is not known"):
        require_text(moved)


def test_what_came_with_a_head_can_be_finetuned_on_something_else(tmp_path: Path) -> None:
    save_model(tmp_path / "theirs", "GPT2ForSequenceClassification", **options("Classification"))
    run = Run.open(import_model(tmp_path / "theirs").run)
    assert [item.path for item in pretrained_runs()] == [str(run.path)]
    (tmp_path / "tags.conll").write_text("小 B-PER\n李 I-PER\n买 O\n", encoding="utf-8")
    files = {"task.train_file": str(tmp_path / "tags.conll"), "task.dev_file": str(tmp_path / "tags.conll")}
    tuned = create(build_finetune(run, "tagging", files), tmp_path / "tuned")
    from core.tasks import data
    from core.tasks.create import pretrained_weights_path

    held = data.load(tuned)
    network = TaskNetwork(tuned.config, held.layout, held.labels)
    weights = load_file(pretrained_weights_path(tuned))
    load_pretrained(network, weights)
    rows = held.tokenizer.vocab_size
    assert torch.equal(network.encoder.token_vectors()[:rows], weights["encoder.token_embedding.weight"])
    assert len(network.encoder.token_vectors()) == rows + 3  # [START], [DELIMITER], [EXTRACT]


LEFT = {"a number": ("BertForSequenceClassification", {"num_labels": 1}),
        "several labels at once": ("BertForSequenceClassification", {**options("Classification"), "problem_type": "multi_label_classification"}),
        "two heads": ("GPT2DoubleHeadsModel", {})}


@pytest.mark.parametrize("name", LEFT)
def test_a_head_that_ours_cannot_hold_stays_behind_in_one_sentence(name: str, tmp_path: Path) -> None:
    architecture, more = LEFT[name]
    save_model(tmp_path / "theirs", architecture, **more)
    made = import_model(tmp_path / "theirs")
    assert Run.open(made.run).config.task is None
    assert sum("stays behind" in note for note in made.notes) == 1


def change(folder: Path, **parts: torch.Tensor | None) -> None:
    state = {**load_file(folder / "model.safetensors"), **parts}
    save_file({name: tensor for name, tensor in state.items() if tensor is not None}, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(("parts", "words"), [
    ({"classifier.weight": torch.zeros(3, 7)}, r"head.linear.weight is \[3, 7\]"), ({"classifier.weight": torch.zeros(3)}, "a matrix"),
    ({"classifier.bias": torch.zeros(5)}, r"head.linear.bias is \[5\]"), ({"classifier.bias": None}, "lack classifier.bias"),
    ({"classifier.weight": torch.zeros(0, 32)}, "a matrix"), ({"bert.pooler.dense.weight": None}, "lack pooler.dense.weight")])
def test_a_head_of_another_shape_is_refused(parts: dict, words: str, tmp_path: Path) -> None:
    save_model(tmp_path / "theirs", "BertForSequenceClassification", **options("Classification"))
    change(tmp_path / "theirs", **parts)
    with pytest.raises(UserError, match=words):
        import_model(tmp_path / "theirs")
    assert not (tmp_path / "home" / "runs").exists() or not list((tmp_path / "home" / "runs").iterdir())


@pytest.mark.parametrize("labels", [None, [], {"0": "a"}, {"0": "a", "1": "a", "2": "b"},
                                    {"0": 1, "1": None, "2": []}, {"0": "x\n", "1": "y", "2": "z"}])
def test_labels_that_tell_nothing_apart_get_names(labels: object, tmp_path: Path) -> None:
    save_model(tmp_path / "theirs", "BertForSequenceClassification", **options("Classification"))
    path = tmp_path / "theirs" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "id2label": labels}), encoding="utf-8")
    model = load_task(Run.open(import_model(tmp_path / "theirs").run))
    assert model.labels.names == ("LABEL_0", "LABEL_1", "LABEL_2")


def test_a_head_needs_no_output_matrix_whatever_its_config_says_of_tying(tmp_path: Path) -> None:
    save_model(tmp_path / "theirs", "BertForSequenceClassification", **options("Classification"), tie_word_embeddings=False)
    assert Run.open(import_model(tmp_path / "theirs").run).config.model.tied


def test_a_text_without_a_token_is_a_row_all_the_same(tmp_path: Path) -> None:
    save_model(tmp_path / "theirs", "GPT2ForSequenceClassification", **options("Classification"))
    layout: Layout = load_task(Run.open(import_model(tmp_path / "theirs").run)).layout
    assert len(layout.single("").ids) == 1


def test_a_class_whose_name_is_no_text_is_no_class(tmp_path: Path) -> None:
    save_model(tmp_path / "theirs", "BertForSequenceClassification", **options("Classification"))
    path = tmp_path / "theirs" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "architectures": ["\ud800"]}), encoding="utf-8")
    made = import_model(tmp_path / "theirs")
    assert Run.open(made.run).config.task is None and all(note.encode("utf-8") for note in made.notes)


@pytest.mark.parametrize(("name", "old", "new"), [
    ("task.json", '"nominal"', '"nominaL"'), ("task.json", '"neither"', "{}"), ("task.json", '"mean": 0.0', '"mean": NaN'),
    ("dev.jsonl", '"good"', "{}"), ("dev.jsonl", '"good"', '["good"]'), ("dev.jsonl", '["a text"]', "[null]"), ("dev.jsonl", '["a text"]', "[]")])
def test_damaged_labels_and_examples_of_a_finetune_are_refused_in_words(name: str, old: str, new: str, tmp_path: Path) -> None:
    from core.tasks import data
    from core.tasks.task import Example

    save_model(tmp_path / "theirs", "BertForSequenceClassification", **options("Classification", {0: "good", 1: "bad", 2: "neither"}))
    run = Run.open(import_model(tmp_path / "theirs").run)
    example = Example(line=1, texts=("a text",), label="good")
    data.write(run.path, [example], [example], data.read_labels(run), {})
    assert evaluate(run=str(run.path))["examples"] == 1
    text = (run.path / name).read_text(encoding="utf-8")
    assert old in text
    (run.path / name).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(UserError, match="missing or damaged"):
        data.read_labels(run)
        data.read_examples(run, "dev")
