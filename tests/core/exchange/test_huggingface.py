"""Models of Hugging Face transformers in and out: random ones of theirs become runs, runs of ours are read by theirs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from core import checkpoints
from core import config as configs
from core.analysis.encode import frame, load
from core.errors import UserError
from core.exchange.huggingface import export as hf_export
from core.exchange.huggingface.adopt import OUR_TOKENIZER, import_model
from core.exchange.huggingface.config import read_architecture
from core.exchange.huggingface.export import export
from core.exchange.huggingface.tokenizer import read_tokenizer
from core.families.bert.huggingface import COUNTERPART
from core.registry import TOKENIZERS, lookup
from core.registry import load as load_place
from core.runs import Run
from core.tasks.config import build_finetune
from core.tasks.create import create
from core.text.tokenizers import BOS, EOS, PAD, char
from tests.helpers.huggingface import TEXTS, byte_pairs, save_model, wordpiece
from tests.helpers.runs import make_run

transformers = pytest.importorskip("transformers")
CLOSE = {"atol": 1e-5, "rtol": 0}
THEIRS = {
    "bert": ("BertForPreTraining", {}),
    "bert, untied, no pooler": ("BertForMaskedLM", {"tie_word_embeddings": False}),
    "bert, encoder alone": ("BertModel", {"add_pooling_layer": False, "hidden_act": "gelu_new", "layer_norm_eps": 1e-6, "type_vocab_size": 1}),
    "bert, larger": ("BertForPreTraining", {"hidden_size": 96, "num_hidden_layers": 4, "num_attention_heads": 3, "intermediate_size": 40}),
    "roberta": ("RobertaForMaskedLM", {}),
    "gpt2": ("GPT2LMHeadModel", {}),
    "gpt2, untied": ("GPT2LMHeadModel", {"tie_word_embeddings": False, "n_inner": 40, "activation_function": "relu"}),
    "gpt2, no head": ("GPT2Model", {"n_embd": 48, "n_layer": 3}),
}


@pytest.fixture(autouse=True)
def _fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXISCOPE_HOME", str(tmp_path / "home"))


def network_of(run: Run) -> Any:
    loaded = load(run)
    network = load_place(loaded.family.pretrain).build(loaded.config, loaded.tokenizer.vocab_size)
    network.load_state_dict(loaded.weights)
    return network.eval()


@torch.no_grad()
@pytest.mark.parametrize("name", THEIRS)
def test_a_model_of_theirs_computes_the_same_as_a_run(name: str, tmp_path: Path) -> None:
    architecture, options = THEIRS[name]
    theirs = save_model(tmp_path / "theirs", architecture, **options)
    run = Run.open(import_model(tmp_path / "theirs").run)
    assert run.status().state == "finished"
    if run.config.family == "bert":
        assert run.config.objective.next_sentence == (architecture == "BertForPreTraining"), "only what was learnt is learnt on"
    loaded, network = load(run), network_of(run)
    rows = json.loads((run.path / "origin.json").read_text(encoding="utf-8"))["rows"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "theirs")
    begins = 1 if loaded.family.name == "gpt" else 0  # ours begins a text with [BOS]; GPT-2's tokenizer does not
    if begins:  # its <|endoftext|> stands for it
        assert torch.equal(loaded.encoder.token_vectors()[BOS], theirs.get_input_embeddings().weight[tokenizer.eos_token_id])
    for text in TEXTS[:5]:
        assert [rows[number] for number in frame(loaded.family, loaded.tokenizer, text).ids[begins:]] == tokenizer(text)["input_ids"]
    ids = [number for text in TEXTS[:2] for number in loaded.tokenizer.encode(text).ids][:40]
    expected = theirs(torch.tensor([[rows[number] for number in ids]]), output_hidden_states=True, output_attentions=True)
    got = loaded.encoder(torch.tensor([ids]), output_hidden_states=True, output_attentions=True)
    for kind in ("hidden_states", "attentions"):
        assert len(getattr(got, kind)) == len(getattr(expected, kind))
        for mine, other in zip(getattr(got, kind), getattr(expected, kind), strict=True):
            torch.testing.assert_close(mine, other, **CLOSE)
    logits = getattr(expected, "logits", getattr(expected, "prediction_logits", None))
    if logits is not None:
        known = [place for place, row in enumerate(rows) if row >= 0]
        mine = network.token_logits(got.last_hidden_state)
        torch.testing.assert_close(mine[..., known], logits[..., [rows[place] for place in known]], **CLOSE)
        absent = [place for place, row in enumerate(rows) if row < 0]
        assert mine[..., absent].max() < -9000  # a token that the model lacks is never written


@pytest.mark.parametrize("name", ["bert", "bert, untied, no pooler", "gpt2", "gpt2, untied"])
def test_theirs_comes_back_bit_for_bit_with_its_own_vocabulary(name: str, tmp_path: Path) -> None:
    architecture, options = THEIRS[name]
    theirs = save_model(tmp_path / "theirs", architecture, **options)
    run = Run.open(import_model(tmp_path / "theirs").run)
    export(run, tmp_path / "back", {}, lambda share, words: None)
    again = getattr(transformers, architecture).from_pretrained(tmp_path / "back")
    unused = "cls.predictions.bias" if options else ""  # an untied output has a bias of its own, and this one is never read
    for key, tensor in theirs.state_dict().items():
        if key == unused:
            continue
        assert torch.equal(tensor, again.state_dict()[key]), key
    assert (tmp_path / "back" / "tokenizer.json").read_bytes() == (tmp_path / "theirs" / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("files", ["vocab.txt", "merges"])
def test_a_vocabulary_without_tokenizer_json(files: str, tmp_path: Path) -> None:
    tokenizer = wordpiece(lowercase=False) if files == "vocab.txt" else byte_pairs(["<|endoftext|>"])
    save_model(tmp_path / "theirs", "BertModel" if files == "vocab.txt" else "GPT2Model", tokenizer=tokenizer)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "theirs" / name).unlink()
    vocabulary = tokenizer.get_vocab()
    if files == "vocab.txt":
        (tmp_path / "theirs" / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)) + "\n", encoding="utf-8")
        (tmp_path / "theirs" / "tokenizer_config.json").write_text('{"do_lower_case": false}', encoding="utf-8")
    else:
        tokenizer.model.save(str(tmp_path / "theirs"))
    run = Run.open(import_model(tmp_path / "theirs").run)
    rows, ours = json.loads((run.path / "origin.json").read_text(encoding="utf-8"))["rows"], load(run).tokenizer
    for text in TEXTS[:5]:
        assert [rows[number] for number in ours.encode(text).ids] == tokenizer.encode(text, add_special_tokens=False).ids


def test_a_run_is_called_by_its_family_once(own_home: Path, tmp_path: Path) -> None:
    for folder, called in (("bert-base", "bert-base"), ("theirs", "bert-theirs")):
        save_model(tmp_path / folder, "BertModel")
        assert import_model(tmp_path / folder).run.name == called


def test_weights_in_several_files(tmp_path: Path) -> None:
    theirs = save_model(tmp_path / "theirs", "BertForPreTraining")
    theirs.save_pretrained(tmp_path / "theirs", max_shard_size="40KB")
    (tmp_path / "theirs" / "model.safetensors").unlink(missing_ok=True)
    assert len(list((tmp_path / "theirs").glob("*.safetensors"))) > 1
    assert Run.open(import_model(tmp_path / "theirs").run).checkpoint_steps() == [0]


REFUSED = {
    "another kind": ("config.json", {"model_type": "llama"}, "llama"), "activation": ("config.json", {"hidden_act": "quick_gelu"}, "quick_gelu"),
    "relative positions": ("config.json", {"position_embedding_type": "relative_key"}, "relative_key"),
    "decoder": ("config.json", {"is_decoder": True}, "is_decoder"), "sizes": ("config.json", {"hidden_size": 64}, "do not fit"),
    "huge": ("config.json", {"hidden_size": 16384, "num_hidden_layers": 96, "num_attention_heads": 16}, "do not fit"),
    "vocabulary": ("config.json", {"vocab_size": 500}, "promises 500"), "unigram": ("tokenizer.json", {"model": {"type": "Unigram"}}, "Unigram"),
    "added tokens": ("tokenizer.json", {"added_tokens": 3}, "vocabulary is damaged"),
    "few tokens": ("config.json", {"max_position_embeddings": 4}, "Its max_position_embeddings is 4; it must lie between 8 and"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_our_architecture_cannot_do_is_refused_by_name(name: str, tmp_path: Path) -> None:
    file, change, words = REFUSED[name]
    save_model(tmp_path / "theirs", "BertForPreTraining")
    raw = json.loads((tmp_path / "theirs" / file).read_text(encoding="utf-8"))
    (tmp_path / "theirs" / file).write_text(json.dumps({**raw, **change}), encoding="utf-8")
    with pytest.raises(UserError, match=words):
        import_model(tmp_path / "theirs")
    runs = tmp_path / "home" / "runs"
    assert not runs.exists() or not list(runs.iterdir())


@pytest.mark.parametrize(("kind", "change", "words"), [
    ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is True"),
    ("gpt2", {"scale_attn_weights": False}, "is False"), ("gpt2", {"add_cross_attention": True}, "add_cross_attention"),
    ("bert", {"pruned_heads": {"0": [1]}}, "pruned_heads"), ("bert", {"type_vocab_size": 3}, "tells 3 segments apart"),
    ("bert", {"hidden_dropout_prob": 0.95}, "between 0 and 0.9"),
    ("bert", {"num_hidden_layers": True}, "num_hidden_layers is True"), ("roberta", {"max_position_embeddings": 9}, "between 10 and"),
    ("gpt2", {"n_inner": -1}, "n_inner is -1")])
def test_settings_by_which_it_would_compute_something_else_are_refused_by_name(kind: str, change: dict[str, Any], words: str) -> None:
    assert read_architecture({"model_type": kind}).kind == kind
    with pytest.raises(UserError, match=words):
        read_architecture({"model_type": kind, **change})


@pytest.mark.parametrize(("change", "words"), [
    ({"continuing_subword_prefix": "@@"}, "continuing_subword_prefix = '@@'"), ({"dropout": 0.1}, "dropout = 0.1"),
    ({"type": "BPE", "merges": [], "continuing_subword_prefix": None}, "pre_tokenizer = 'not byte-level'"),
    ({"vocab": {"[UNK]": 1, "a": 1}}, "vocabulary is damaged"),
    ({"vocab": {"[UNK]": 0, "a": 400}}, "has the id 400, but the model has 400 embeddings")])
def test_a_vocabulary_that_would_be_read_otherwise_is_refused_by_name(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    raw = json.loads(wordpiece().to_str())
    (tmp_path / "tokenizer.json").write_text(json.dumps({**raw, "added_tokens": [], "model": {**raw["model"], **change}}), encoding="utf-8")
    with pytest.raises(UserError, match=words):
        read_tokenizer(tmp_path, "bert", 400)


@pytest.mark.parametrize("file", ["tokenizer_config.json", "special_tokens_map.json"])
def test_the_roles_of_tokens_and_how_accents_are_read_stand_in_the_files_beside_the_vocabulary(file: str, tmp_path: Path) -> None:
    tokens = ["cls", "sep", "nothing", "gap", "what", "cafe", "café"]
    (tmp_path / "vocab.txt").write_text("\n".join(tokens), encoding="utf-8")
    roles = {"cls_token": "cls", "sep_token": {"content": "sep"}, "pad_token": "nothing", "mask_token": "gap", "unk_token": "what"}
    (tmp_path / file).write_text(json.dumps(roles), encoding="utf-8")
    for strip, wanted in ((None, "cafe"), (False, "café")):
        if strip is not None:
            (tmp_path / "tokenizer_config.json").write_text(json.dumps({**roles, "strip_accents": strip}), encoding="utf-8")
        made = read_tokenizer(tmp_path, "bert", 7)
        assert [tokens[row] if row >= 0 else "" for row in made.rows] == ["nothing", "what", "cls", "sep", "gap", "", "", "cafe", "café"]
        assert [tokens[made.rows[number]] for number in made.tokenizer.encode("Café 苹").ids] == [wanted, "what"]


def test_a_part_that_our_architecture_lacks_is_refused_by_name(tmp_path: Path) -> None:
    save_model(tmp_path / "theirs", "BertModel")
    path = tmp_path / "theirs" / "model.safetensors"
    save_file({**load_file(path), "encoder.layer.1.adapter.weight": torch.zeros(2, 2)}, path, metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"has a part encoder\.layer\.1\.adapter\.weight"):
        import_model(tmp_path / "theirs")


def test_parts_that_a_model_lacks_are_new_and_always_the_same(tmp_path: Path) -> None:
    save_model(tmp_path / "theirs", *THEIRS["bert, encoder alone"][:1], **THEIRS["bert, encoder alone"][1])
    made = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        made.append(checkpoints.load(Run.open(import_model(tmp_path / "theirs").run)).model)
        drawn = torch.rand(1)
        torch.manual_seed(seed)
        assert torch.equal(drawn, torch.rand(1)), "whoever draws numbers draws the same"
    one, other = made
    assert "encoder.pooler.weight" in one and all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_a_pickle_is_refused_with_the_way_to_convert(tmp_path: Path) -> None:
    save_model(tmp_path / "theirs", "BertModel")
    (tmp_path / "theirs" / "model.safetensors").rename(tmp_path / "theirs" / "pytorch_model.bin")
    with pytest.raises(UserError, match="never opened") as refused:
        import_model(tmp_path / "theirs")
    assert "save_pretrained" in refused.value.hint


# ours

def our_run(folder: Path, family: str, kind: str, **options: Any) -> Run:
    """A run with random weights that was never trained."""
    run = make_run(folder, family, tokenizer=kind, vocab_size=400, **options)
    tokenizer = lookup(TOKENIZERS, kind).train(run.config.text, TEXTS)
    tokenizer.save(run.tokenizer_path)
    torch.manual_seed(0)
    network = load_place(f"core.families.{family}.pretrain:{family.title()}Pretraining").build(run.config, tokenizer.vocab_size)
    for parameter in network.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.1)
    save(run, network)
    return run


def save(run: Run, network: torch.nn.Module) -> None:
    checkpoints.save(run, checkpoints.Checkpoint(step=1, model=network.state_dict(), optimizer={}, state={"step": 1, "best": False}))


@torch.no_grad()
@pytest.mark.parametrize(("family", "kind"), [("bert", "char"), ("bert", "wordpiece"), ("gpt", "bpe"), ("gpt", "char")])
def test_ours_in_theirs_and_back(family: str, kind: str, tmp_path: Path) -> None:
    run = our_run(tmp_path, family, kind)
    export(run, tmp_path / "out", {}, lambda share, words: None)
    kind_of_model = transformers.AutoModelForPreTraining if family == "bert" else transformers.AutoModelForCausalLM
    theirs = kind_of_model.from_pretrained(tmp_path / "out").eval()
    tokenizer, loaded, network = transformers.AutoTokenizer.from_pretrained(tmp_path / "out"), load(run), network_of(run)
    for settings in (theirs.config, tokenizer):
        assert [settings.pad_token_id, settings.bos_token_id, settings.eos_token_id] == [PAD, BOS, EOS]
    for text in TEXTS[:5]:
        ids = frame(loaded.family, loaded.tokenizer, text).ids
        made = tokenizer(text, return_tensors="pt")
        assert made["input_ids"].tolist() == [ids]
        ids = torch.tensor([ids])[:, :128]
        output = theirs(ids)
        logits = output.prediction_logits if family == "bert" else output.logits
        torch.testing.assert_close(network.token_logits(network.encoder(ids).last_hidden_state), logits, **CLOSE)
    encoder = transformers.AutoModel.from_pretrained(tmp_path / "out").eval()
    torch.testing.assert_close(encoder(ids).last_hidden_state, loaded.encoder(ids).last_hidden_state, **CLOSE)
    back = Run.open(import_model(tmp_path / "out").run)
    weights = checkpoints.load(back).model
    assert weights.keys() == loaded.weights.keys() and all(torch.equal(weights[name], tensor) for name, tensor in loaded.weights.items())
    again = load(back).tokenizer
    assert [again.encode(text) for text in TEXTS] == [loaded.tokenizer.encode(text) for text in TEXTS]


@pytest.mark.parametrize("learnt", [False, True])
def test_a_head_for_the_next_sentence_that_never_learnt_comes_back_as_such(learnt: bool, tmp_path: Path) -> None:
    run = our_run(tmp_path, "bert", "char", next_sentence=learnt)
    export(run, tmp_path / "out", {}, lambda share, words: None)
    assert Run.open(import_model(tmp_path / "out").run).config.objective.next_sentence is learnt


def test_a_vocabulary_that_was_changed_since_the_export_is_the_one_that_counts(tmp_path: Path) -> None:
    run = our_run(tmp_path, "bert", "wordpiece")
    export(run, tmp_path / "out", {}, lambda share, words: None)
    path = tmp_path / "out" / "tokenizer.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    vocabulary = raw["model"]["vocab"]
    vocabulary["苹"], vocabulary["果"] = vocabulary["果"], vocabulary["苹"]
    path.write_text(json.dumps(raw), encoding="utf-8")
    before, after = load(run), load(Run.open(import_model(tmp_path / "out").run))
    for mine, theirs in (("苹", "果"), ("果", "苹"), ("妈", "妈")):
        was, now = (loaded.encoder.token_vectors()[loaded.tokenizer.id(token)] for loaded, token in ((before, theirs), (after, mine)))
        assert torch.equal(was, now), mine


def test_a_tokenizer_of_another_size_beside_the_export_is_not_its_own(tmp_path: Path) -> None:
    run = our_run(tmp_path, "bert", "wordpiece")
    export(run, tmp_path / "out", {}, lambda share, words: None)
    char.train(run.config.text, TEXTS[:1]).save(tmp_path / "out" / OUR_TOKENIZER)
    before, after = load(run), load(Run.open(import_model(tmp_path / "out").run))
    assert [after.tokenizer.encode(text) for text in TEXTS[:3]] == [before.tokenizer.encode(text) for text in TEXTS[:3]]


def finetuned(folder: Path, family: str, task: str, **options: Any) -> Any:
    """A finetune with random weights: (run, network, labels, layout)."""
    from core.tasks import data
    from core.tasks.networks import TaskNetwork

    before = our_run(folder, family, "char")
    rows = {"classification": [{"text": "苹果很甜", "label": "good"}, {"text": "苹果很酸", "label": "bad"}],
            "pair": [{"text_a": "苹果", "text_b": "甜", "label": "yes"}, {"text_a": "苹果", "text_b": "酸", "label": "no"}],
            "multiple_choice": [{"context": "小李买苹果", "question": "买什么", "choices": ["苹果", "老师"], "label": 0}] * 2}
    path = folder / "train.jsonl"
    if task == "span":
        path = folder / "train.json"
        asked = {"id": "1", "question": "买什么", "answers": [{"text": "苹果", "answer_start": 3}]}
        path.write_text(json.dumps({"data": [{"paragraphs": [{"context": "小李买苹果", "qas": [asked]}]}]}), encoding="utf-8")
    elif task == "tagging":
        path = folder / "train.conll"
        path.write_text("小 B-PER\n李 I-PER\n买 O\n\n苹 O\n果 O\n", encoding="utf-8")
    else:
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows[task]), encoding="utf-8")
    files = {"task.train_file": str(path), "task.dev_file": str(path)}
    run = create(build_finetune(before, task, {**files, "train.seq_len": 32, **options}), folder / "fine")
    labels = data.read_labels(run)
    from core.text.tokenizers import load_tokenizer

    layout = data.layout_of(run.config, labels, load_tokenizer(run.tokenizer_path))
    torch.manual_seed(1)
    network = TaskNetwork(run.config, layout, labels)
    for parameter in network.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.1)
    save(run, network)
    return run, network.eval(), layout


HEADS = {("bert", "classification"): "BertForSequenceClassification", ("bert", "pair"): "BertForSequenceClassification",
         ("bert", "tagging"): "BertForTokenClassification", ("bert", "span"): "BertForQuestionAnswering",
         ("bert", "multiple_choice"): "BertForMultipleChoice", ("gpt", "classification"): "GPT2ForSequenceClassification",
         ("gpt", "pair"): "GPT2ForSequenceClassification", ("gpt", "tagging"): "GPT2ForTokenClassification",
         ("gpt", "span"): "GPT2ForQuestionAnswering"}


@torch.no_grad()
@pytest.mark.parametrize(("family", "task"), HEADS)
def test_a_finetune_in_theirs(family: str, task: str, tmp_path: Path) -> None:
    run, network, layout = finetuned(tmp_path, family, task)
    report = export(run, tmp_path / "out", {}, lambda share, words: None)
    assert report["architecture"] == HEADS[family, task]
    theirs = getattr(transformers, HEADS[family, task]).from_pretrained(tmp_path / "out").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    assert tokenizer.model_max_length == layout.limit == run.config.train.seq_len
    two = task in ("pair", "span", "multiple_choice")
    part = layout.pair("小李买了苹果", "苹果很甜") if two else layout.single("妈妈买了一个苹果。")
    made = tokenizer("小李买了苹果", "苹果很甜") if two else tokenizer("妈妈买了一个苹果。")
    assert made["input_ids"] == list(part.ids)
    ids, segments = torch.tensor([list(part.ids)]), torch.tensor([list(part.segments)])
    inputs = {"input_ids": ids, "token_type_ids": segments} if family == "bert" else {"input_ids": ids}
    if family == "bert":
        assert made["token_type_ids"] == list(part.segments)
    if task == "multiple_choice":
        other = ids.flip(1)
        expected = theirs(torch.stack([ids, other], dim=1), token_type_ids=torch.stack([segments, segments], dim=1)).logits
        got = network(torch.stack([ids, other], dim=1), None, torch.stack([segments, segments], dim=1))
    elif task == "tagging":
        units = torch.arange(ids.shape[1])[None]
        expected, got = theirs(**inputs).logits, network(ids[:, None], None, segments[:, None], units, torch.zeros_like(units))
    elif task == "span":
        output = theirs(**inputs)
        expected, got = torch.stack([output.start_logits, output.end_logits], dim=-1), network(ids[:, None], None, segments[:, None])[:, 0]
    else:
        expected, got = theirs(**inputs).logits, network(ids[:, None], None, segments[:, None])
    torch.testing.assert_close(got, expected, **CLOSE)
    if task in ("classification", "pair", "tagging"):
        assert list(theirs.config.id2label.values()) == list(network_labels(run))


def network_labels(run: Run) -> tuple[str, ...]:
    from core.tasks import data

    return data.read_labels(run).names


def test_a_head_that_theirs_lack_stays_behind_and_says_so(tmp_path: Path) -> None:
    run, _, _ = finetuned(tmp_path, "bert", "classification", **{"task.mix": "on"})
    report = export(run, tmp_path / "out", {}, lambda share, words: None)
    assert report["architecture"] == "BertModel" and "mixed layers" in report["notes"][0]
    assert transformers.AutoModel.from_pretrained(tmp_path / "out").config.hidden_size == run.config.model.hidden_size


def test_a_folder_that_is_not_the_run_takes_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, read = our_run(tmp_path, "bert", "char"), hf_export.read_weights

    def other(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        name = next(name for name in sorted(weights) if name.endswith("word_embeddings.weight") or name == "encoder.token_embedding.weight")
        return {**weights, name: weights[name] + 1e-6}

    for place, wrong, words in (("read_weights", lambda folder: other(read(folder)), "weights"),
                                ("_counterpart", lambda loaded: replace(COUNTERPART, from_transformers=lambda weights: other(
                                    COUNTERPART.from_transformers(weights))), "weights"),
                                ("frame", lambda *_, **__: SimpleNamespace(ids=[1, 2]), "other ids for '妈妈")):
        with monkeypatch.context() as patch, pytest.raises(UserError, match=words):
            patch.setattr(hf_export, place, wrong)
            export(run, tmp_path / "out", {}, lambda share, words: None)
        assert not (tmp_path / "out").exists()


def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    run = our_run(tmp_path, "bert", "char")
    monkeypatch.setattr(checkpoints, "save_file", full)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError, match="the disk is full"):
        export(run, tmp_path / "out", {}, lambda share, words: None)
    assert sorted(tmp_path.iterdir()) == before


def test_elmo_has_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="transformers has no model that computes what"):
        export(make_run(tmp_path, "elmo"), tmp_path / "out", {}, lambda share, words: None)


def test_an_imported_model_can_be_finetuned(tmp_path: Path) -> None:
    """GPT-2's vocabulary has a bias for absent tokens, and the second stage adds three tokens."""
    from core.tasks import data
    from core.tasks.networks import TaskNetwork, load_pretrained

    save_model(tmp_path / "theirs", "GPT2LMHeadModel")
    imported = import_model(tmp_path / "theirs").run
    path = tmp_path / "train.jsonl"
    path.write_text('{"text": "苹果很甜", "label": "good"}\n{"text": "苹果很酸", "label": "bad"}\n', encoding="utf-8")
    run = create(build_finetune(imported, "classification", {"task.train_file": str(path), "task.dev_file": str(path)}))
    labelled = data.load(run)
    network = TaskNetwork(run.config, labelled.layout, labelled.labels)
    weights = checkpoints.load(Run.open(imported)).model
    load_pretrained(network, weights)
    vectors = network.encoder.token_vectors()
    assert torch.equal(vectors[: labelled.tokenizer.vocab_size], weights["encoder.token_embedding.weight"])
    assert np.isfinite(network(torch.tensor([[list(labelled.layout.single("苹果").ids)]])).detach().numpy()).all()


def test_config_round_trip_keeps_the_hidden_options(tmp_path: Path) -> None:
    save_model(tmp_path / "theirs", "GPT2LMHeadModel", tie_word_embeddings=False, layer_norm_epsilon=1e-6)
    config = Run.open(import_model(tmp_path / "theirs").run).config
    assert (config.model.tied, config.model.output_bias, config.model.layer_norm_eps) == (False, True, 1e-6)
    assert configs.from_dict(configs.to_dict(config)) == config
