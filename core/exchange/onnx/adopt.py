"""A model.onnx from anywhere becomes a run: ours as it is, an encoder of the same signature with its tokenizer.json as a copy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core import config as configs
from core.errors import UserError
from core.exchange.adopt import text_of, write_story
from core.exchange.huggingface.safe_weights import read_json
from core.exchange.huggingface.tokenizer import read_tokenizer
from core.exchange.onnx.folder import FORMAT, MANIFEST, MODEL, RUN
from core.exchange.onnx.open import ROWS
from core.exchange.onnx.session import LONGEST, look, looked_up
from core.i18n import tr
from core.runs import ORIGIN, Run, free_place
from core.text.tokenizers import UNK
from core.whole import new_folder

MOST_POSITIONS = 65_536
INPUTS = {"input_ids", "attention_mask", "token_type_ids"}
TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json")


def adopt(folder: Path, target: Path | None = None) -> Run:
    """The run of an ONNX folder. UserError where there is no model.onnx, where it is no encoder, or where it has no tokenizer."""
    folder = Path(folder)
    if (folder / MODEL).is_file() and (folder / RUN / "config.json").is_file():
        return Run.open(folder)
    if not (folder / MODEL).is_file():
        raise UserError(tr("{path} holds no {name}.", path=folder, name=MODEL), tr("Name the model so, and put its tokenizer.json beside it."))
    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise UserError(tr("{path} holds no {name}.", path=folder, name=TOKENIZERS[0]), tr("A model cannot read text without its tokenizer."))
    shape = _shape(folder)
    foreign = read_tokenizer(folder, shape["family"], shape["rows"])
    rows = [row if row >= 0 else foreign.twins.get(index, foreign.rows[UNK]) for index, row in enumerate(foreign.rows)]
    if min(rows) < 0:
        raise UserError(tr("The tokenizer in {path} has no token for what it does not know.", path=folder), tr("Choose another model."))
    known = shape["known"]
    options = {"model.num_heads": 1, "model.num_layers": 1, "train.seq_len": min(64, known["model.max_seq_len"]), **known}
    config = configs.build(shape["family"], "quick", options, name=f"{folder.name} · ONNX")
    # how it learnt is not known here: BERT's paper, not what quick does otherwise
    config = replace(config, text=text_of(foreign.tokenizer), objective=type(config.objective)(), watch=configs.WatchConfig())
    origin = {"kind": "onnx", "folder": folder.name, "known": list(known)}
    place = Path(target) if target else free_place(folder.name)
    with new_folder(place) as made:
        _copy(folder, made, (MODEL, *shape["files"]), config, foreign.tokenizer, rows, origin)
    return Run.open(place)


def _copy(folder: Path, place: Path, files: Sequence[str], config: Any, tokenizer: Any, rows: list[int], origin: dict[str, Any]) -> None:
    checkpoint = place / RUN / "checkpoints" / "step_00000000"
    checkpoint.mkdir(parents=True)
    for name in files:
        shutil.copyfile(folder / name, place / name)
    (checkpoint / MANIFEST).write_text(json.dumps({"format": FORMAT, "sha256": {}}), encoding="utf-8")
    tokenizer.save(place / RUN / "tokenizer.json")
    (place / RUN / ROWS).write_text(json.dumps(rows), encoding="utf-8")
    (place / RUN / ORIGIN).write_text(json.dumps(origin), encoding="utf-8")  # in ASCII: names from elsewhere may be no text
    (place / RUN / "config.json").write_text(json.dumps(configs.to_dict(config), ensure_ascii=False, indent=1), encoding="utf-8")
    write_story(Run.open(place))


def _shape(folder: Path) -> dict[str, Any]:
    """{"family", "rows": of its vocabulary, "files": with its weights, beside it, "known": of its config what can be told of such a file}."""
    found = look(folder / MODEL, lengths=True)
    inputs = {item["name"]: item["shape"] for item in found["inputs"]}
    outputs = {item["name"]: item["shape"] for item in found["outputs"]}
    states = [name for name in outputs if name.startswith("hidden_states.")]
    name = "last_hidden_state" if "last_hidden_state" in outputs else max(states, default="")
    if "input_ids" not in inputs or not inputs.keys() <= INPUTS or not name or not isinstance(outputs[name][-1], int):
        raise UserError(tr("{name} is no encoder: it needs the input input_ids and the output last_hidden_state.", name=MODEL),
                        tr("Choose another file."), where="path")
    if any(isinstance(axis, int) for axis in inputs["input_ids"]):
        raise UserError(tr("{name} takes input_ids of one shape alone: {shape}.", name=MODEL, shape=" × ".join(map(str, inputs["input_ids"]))),
                        tr("Export it again so that the number of texts and their length are free (dynamic axes)."), where="path")
    table = looked_up(folder / MODEL)
    if table is None or table.ndim != 2:
        raise UserError(tr("{name} does not say how many tokens it knows.", name=MODEL), tr("Choose another file."), where="path")
    heads = next((item["seen"][1] for item in found["outputs"] if item["name"].startswith("attentions.") and len(item["seen"]) == 4), 0)
    known = {"model.hidden_size": outputs[name][-1], "model.max_seq_len": _limit(folder, found["limit"])}
    known |= {"model.num_heads": heads} if heads else {}
    known |= {"model.num_layers": len(states) - 1} if len(states) > 1 else {}
    return {"family": "bert", "rows": len(table), "files": found["files"], "known": known}


def _limit(folder: Path, tried: int) -> int:
    """The tokens that it reads: as many as it was seen to read; what the config.json beside it says, where more was not tried."""
    if tried < LONGEST or not (folder / "config.json").is_file():
        return tried
    raw = read_json(folder / "config.json")
    said, pad = raw.get("max_position_embeddings"), raw.get("pad_token_id")
    said = said if type(said) is int and said <= MOST_POSITIONS else 0
    return max(tried, said - (pad + 1 if "roberta" in str(raw.get("model_type")) and type(pad) is int else 0))
