"""A run as a folder that Hugging Face transformers opens: AutoModel, AutoTokenizer, and the task's own class.

A family says in Family.transformers what it is there. The folder is read again before it takes its place: its weights must be those of
the run bit for bit, and its tokenizer must give the run's ids. It also holds the run's own tokenizer, so that a way back loses nothing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core import registry
from core.analysis.encode import Loaded, frame, load
from core.checkpoints import save_tensors
from core.errors import UserError
from core.exchange.exports import require_utf8
from core.exchange.huggingface.adopt import OUR_TOKENIZER, OURS, WORDS
from core.exchange.huggingface.heads import OF_WHOLE_TEXT, head_of, with_form
from core.exchange.huggingface.safe_weights import read_json, read_weights
from core.exchange.huggingface.tokenizer import NEW
from core.exchange.tokenizer_json import portable
from core.families.huggingface import Counterpart
from core.i18n import tr
from core.runs import ORIGIN, Run
from core.text.tokenizers import BOS, EOS, PAD, SPECIALS
from core.whole import new_folder

_PROOF = ("妈妈买了一个苹果，觉得 apples 3.14 很甜。", "The quick brown fox, isn't it? ÜBER [MASK] x", "", "。")


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What is written. weights, config: transformers'. tokenizer: JSON. notes: sentences for a person. max_length: tokens of the longest text."""

    weights: dict[str, Tensor]
    config: dict[str, Any]
    tokenizer: str
    notes: tuple[str, ...] = ()
    max_length: int | None = None


def export(run: Run, out: Path, options: dict[str, Any], on_progress: Callable[[float, str], None]) -> dict[str, Any]:
    """See core/exchange/exports.py. UserError for a family that transformers does not have, or where the proof fails."""
    family = registry.family(run.config.family)
    if not family.transformers:
        raise UserError(tr("transformers has no model that computes what {family} does.", family=family.title),
                        tr("Take ONNX or word vectors for this one."))
    require_utf8(Path(out).resolve())
    on_progress(0.0, tr("reading the run"))
    loaded = load(run)
    origin = _origin(run)
    made = None if run.config.task is not None or origin is None else _as_it_came(loaded, origin)
    if made is None:
        made = _finetuned(loaded) if run.config.task is not None else _pretrained(loaded)
    with new_folder(Path(out)) as folder:
        on_progress(0.3, tr("writing"))
        _write(folder, made, loaded, as_it_came=origin is not None and not made.tokenizer)
        on_progress(0.7, tr("reading it again"))
        _prove(folder, made, loaded)
        files = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    on_progress(1.0, tr("done"))
    rows = [{"title": tr("Class in transformers"), "value": made.config["architectures"][0]},
            {"title": tr("Weights read again"), "value": tr("equal, bit for bit")}]
    return {"target": "huggingface", "path": str(out), "files": files, "architecture": made.config["architectures"][0],
            "rows": rows, "notes": list(made.notes)}


def model_json(loaded: Loaded, rows: int) -> dict[str, Any]:
    """config.json without the class: the encoder's options and the special tokens' ids."""
    made = _counterpart(loaded).settings(loaded.config.model, rows)
    return {**made, "dtype": "float32", "pad_token_id": PAD, "bos_token_id": BOS, "eos_token_id": EOS}


def _pretrained(loaded: Loaded) -> Folder:
    theirs, tokens = _counterpart(loaded), portable(loaded.tokenizer, loaded.family)
    config = {**model_json(loaded, len(loaded.encoder.token_vectors())), "architectures": [theirs.pretraining]}
    return Folder(weights=theirs.to_transformers(loaded.weights), config=config, tokenizer=tokens.json, notes=(tokens.note,) if tokens.note else ())


def _finetuned(loaded: Loaded) -> Folder:
    from core.tasks import data
    from core.tasks.forms import form_of

    run, theirs = loaded.run, _counterpart(loaded)
    labels = data.read_labels(run)
    layout = data.layout_of(run.config, labels, loaded.tokenizer)
    head = head_of(loaded.family, run.config, labels, layout, loaded.weights)
    rows = len(loaded.encoder.token_vectors())
    encoder = {name: tensor for name, tensor in loaded.weights.items() if name.startswith("encoder.") and not name.startswith("encoder.output")}
    tokens = portable(loaded.tokenizer, loaded.family)
    json_ = with_form(tokens.json, loaded.family, form_of(run.config), loaded.tokenizer.vocab_size)
    notes = tuple(note for note in (tokens.note, head if isinstance(head, str) else head.note) if note)
    model = {**model_json(loaded, rows), "tie_word_embeddings": True}
    if isinstance(head, str):
        return Folder(weights=theirs.to_transformers(encoder), config={**model, "architectures": [theirs.encoder]}, tokenizer=json_, notes=notes,
                      max_length=layout.limit)
    if run.config.task.task not in OF_WHOLE_TEXT:  # the classes for single tokens have no pooler
        encoder = {name: tensor for name, tensor in encoder.items() if not name.startswith("encoder.pooler.")}
    return Folder(weights={**theirs.to_transformers(encoder), **head.weights},
                  config={**model, **head.config, "architectures": [head.architecture]}, tokenizer=json_, notes=notes,
                  max_length=layout.limit)  # it was taught on texts that were cut there


def _counterpart(loaded: Loaded) -> Counterpart:
    return registry.load(loaded.family.transformers)


def _origin(run: Run) -> dict[str, Any] | None:
    """Where an imported run came from, if its own files are still there."""
    if not (run.path / ORIGIN).is_file() or not (run.path / "huggingface" / "config.json").is_file():
        return None
    return read_json(run.path / ORIGIN)


def _as_it_came(loaded: Loaded, origin: dict[str, Any]) -> Folder | None:
    """A run that came from transformers leaves with its own vocabulary, in its own order. None for RoBERTa, which leaves as a BERT."""
    rows, theirs = origin.get("rows"), _counterpart(loaded)
    kind = theirs.settings(loaded.config.model, loaded.tokenizer.vocab_size)["model_type"]
    if origin.get("model_type") != kind or not isinstance(rows, list) or len(rows) != loaded.tokenizer.vocab_size:
        return None
    known = [(theirs, ours) for ours, theirs in enumerate(rows) if theirs != NEW]
    order = torch.tensor([ours for _, ours in sorted(known)])
    weights = {name: tensor[order] if name in WORDS else tensor for name, tensor in loaded.weights.items() if name != "encoder.output_bias"}
    config = {**read_json(loaded.run.path / "huggingface" / "config.json"), "dtype": "float32",
              "architectures": [theirs.pretraining]}
    if config.get("type_vocab_size") == 1:
        weights["encoder.segment_embedding.weight"] = weights["encoder.segment_embedding.weight"][:1]
    return Folder(weights=theirs.to_transformers(weights), config=config, tokenizer="")


def _write(folder: Path, made: Folder, loaded: Loaded, *, as_it_came: bool) -> None:
    save_tensors({name: tensor.clone() for name, tensor in made.weights.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    if as_it_came:
        for path in (loaded.run.path / "huggingface").iterdir():
            shutil.copyfile(path, folder / path.name)
        _json(folder / "config.json", made.config)
        return
    _json(folder / "config.json", made.config)
    (folder / "tokenizer.json").write_text(made.tokenizer, encoding="utf-8")
    names = {f"{role}_token": token for role, token in zip(("pad", "unk", "cls", "sep", "mask", "bos", "eos"), SPECIALS, strict=True)}
    inputs = ["input_ids", "token_type_ids", "attention_mask"] if loaded.family.form.segments else ["input_ids", "attention_mask"]
    _json(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": made.max_length or loaded.config.model.max_seq_len,
        "model_input_names": inputs, "clean_up_tokenization_spaces": False, "padding_side": "right", **names})
    _json(folder / "special_tokens_map.json", names)
    loaded.tokenizer.save(folder / OUR_TOKENIZER)
    digest = hashlib.sha256((folder / "tokenizer.json").read_bytes()).hexdigest()
    _json(folder / OURS, {"name": loaded.run.name, "family": loaded.family.name, "step": loaded.step, "tokenizer_sha256": digest,
                          "next_sentence": getattr(loaded.config.objective, "next_sentence", None), "notes": list(made.notes)})


def _prove(folder: Path, made: Folder, loaded: Loaded) -> None:
    """UserError if the weights or the ids are not those of the run."""
    again = read_weights(folder)
    if again.keys() != made.weights.keys() or not all(torch.equal(again[name], tensor) for name, tensor in made.weights.items()):
        raise UserError(tr("The weights that were written are not those of the run."), tr("Try again; the disk may be faulty."))
    encoder = {name: tensor for name, tensor in _counterpart(loaded).from_transformers(again).items() if name.startswith("encoder.")}
    for name, tensor in encoder.items():
        reordered = not made.tokenizer and len(tensor) != len(loaded.weights[name])
        if not reordered and not torch.equal(tensor, loaded.weights[name]):
            raise UserError(tr("The weights that were written are not those of the run."), tr("Try again; the disk may be faulty."))
    if made.tokenizer and portable(loaded.tokenizer, loaded.family).reads == "text" and loaded.run.config.task is None:
        from tokenizers import Tokenizer

        theirs = Tokenizer.from_file(str(folder / "tokenizer.json"))
        for text in _PROOF:
            if theirs.encode(text).ids != frame(loaded.family, loaded.tokenizer, text, specials=True).ids:
                raise UserError(tr("The tokenizer that was written gives other ids for '{text}'.", text=text), tr("Take ONNX for this one."))


def _json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
