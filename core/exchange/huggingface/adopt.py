"""A folder of Hugging Face transformers becomes a run: BERT, RoBERTa and GPT-2, their weights in safetensors.

The run computes what the model computes, to rounding; only the order of its vocabulary differs (core/exchange/huggingface/tokenizer.py).
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core import config as configs
from core.errors import UserError
from core.exchange.adopt import Imported, adopted, text_of
from core.exchange.huggingface.config import Architecture, read_architecture
from core.exchange.huggingface.finetuned import head_of, network_weights, note_of, with_task, without_language_model
from core.exchange.huggingface.safe_weights import read_json, read_weights
from core.exchange.huggingface.tokenizer import NEW, Foreign, read_tokenizer
from core.families.bert.huggingface import bert_from_transformers, roberta_from_transformers
from core.families.gpt.huggingface import gpt_from_transformers
from core.i18n import tr
from core.registry import family, load
from core.runs import free_place
from core.tasks import data
from core.text.tokenizers import Tokenizer, load_tokenizer

ABSENT = -1e4  # the score of a token that a model from elsewhere lacks: it is never guessed
OURS, OUR_TOKENIZER = "lexiscope.json", "lexiscope_tokenizer.json"  # beside the files that others read, in our own exports
KEPT_FILES = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt",
              "vocab.json", "merges.txt", "added_tokens.json")
WORDS = ("encoder.token_embedding.weight", "mlm_bias", "mlm_output.weight", "encoder.output.weight")
_HEADS = re.compile(r"(cls|lm_head|classifier|score|qa_outputs|pooler|multiple_choice_head|transform|v_head)\b|.*(position_ids|token_type_ids|"
                    r"attn\.bias|attn\.masked_bias)$")

Progress = Callable[[float, str], None]


def import_model(folder: Path, target: Path | None = None, on_progress: Progress = lambda share, words: None) -> Imported:
    """UserError for whatever cannot be opened; nothing is left behind then."""
    folder = Path(folder)
    raw = read_json(folder / "config.json")
    architecture = read_architecture(raw)
    on_progress(0.1, tr("reading the weights"))
    state = read_weights(folder)
    architecture = without_language_model(state, architecture)
    rows = _embeddings(state, architecture)
    head = head_of(state, raw, architecture)
    tuned = None if isinstance(head, str) else head
    on_progress(0.4, tr("reading the vocabulary"))
    own = _own_tokenizer(folder, rows)
    foreign = None if own else read_tokenizer(folder, architecture.family, rows)
    weights, notes = _convert(state, architecture)
    if tuned is not None:
        weights, notes = {**weights, **tuned.encoder}, ()
    elif head:
        notes = (*notes, head)
    biased = architecture.family == "gpt" and foreign is not None and NEW in foreign.rows
    if foreign is not None:
        weights = {name: _reordered(name, tensor, foreign) if name in WORDS else tensor for name, tensor in weights.items()}
        notes = (*notes, *foreign.notes)
    model = replace(architecture.model, output_bias=True) if biased else architecture.model
    if biased:
        weights["encoder.output_bias"] = torch.tensor([ABSENT if row == NEW else 0.0 for row in foreign.rows])
    tokenizer: Tokenizer = own or foreign.tokenizer
    pairs = "next_sentence.weight" in weights and "encoder.pooler.weight" in weights
    learnt = own is None or read_json(folder / OURS).get("next_sentence") is not False  # our own may have a head that never learnt
    config = _config(architecture, model, tokenizer, next_sentence=pairs and learnt)
    on_progress(0.7, tr("checking the model"))
    weights = _complete(config, tokenizer.vocab_size, weights)
    if tuned is not None:
        config = with_task(config, tuned, architecture)
        weights = network_weights(config, tuned, tokenizer, weights)
        notes = (note_of(tuned, config), *notes)
    origin = {"kind": "huggingface", "folder": folder.name, "architecture": architecture.heads, "model_type": architecture.kind,
              "pad_token_id": architecture.pad_token_id, "rows": foreign.rows if foreign else None, "notes": list(notes)}
    name = folder.resolve().name
    called = name if name.lower().startswith(architecture.family) else f"{architecture.family}-{name}"
    place = Path(target) if target else free_place(called)
    with adopted(config, place, tokenizer, weights, origin) as run:
        if tuned is not None:
            data.write(run.path, (), (), tuned.labels, {"problems": [], "skipped": {}, "columns": {}})
        if foreign:  # an export gives them back as they were
            (run.path / "huggingface").mkdir()
            for name in KEPT_FILES:
                if (folder / name).is_file():
                    shutil.copyfile(folder / name, run.path / "huggingface" / name)
    on_progress(1.0, tr("done"))
    return Imported(run=place, notes=tuple(notes))


def _embeddings(state: dict[str, Tensor], architecture: Architecture) -> int:
    """How many tokens the model knows: its weights are asked, not its config.json."""
    names = [name for name in state if name.endswith(("embeddings.word_embeddings.weight", "wte.weight"))]
    if len(names) != 1 or state[names[0]].ndim != 2:
        raise UserError(tr("The weights hold no token embeddings of a {kind} model.", kind=architecture.kind), tr("Choose another folder."))
    rows = len(state[names[0]])
    if rows != architecture.vocab_size:
        raise UserError(tr("config.json promises {promised} tokens, the weights hold {found}.", promised=architecture.vocab_size, found=rows),
                        tr("Take both files from the same model."))
    return rows


def _convert(state: dict[str, Tensor], architecture: Architecture) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Weights under our names, and notes."""
    prefix = {"bert": "bert.", "roberta": "roberta.", "gpt2": "transformer."}[architecture.kind]
    known = re.compile(r"embeddings\.(word_embeddings|position_embeddings|token_type_embeddings|LayerNorm)\.(weight|bias)"
                       r"|encoder\.layer\.\d+\.(attention\.self\.(query|key|value)|attention\.output\.(dense|LayerNorm)|intermediate\.dense|output\.(dense|LayerNorm))"
                       r"\.(weight|bias)|pooler\.dense\.(weight|bias)|w[tp]e\.weight|ln_f\.(weight|bias)"
                       r"|h\.\d+\.(ln_1|ln_2|attn\.c_attn|attn\.c_proj|mlp\.c_fc|mlp\.c_proj)\.(weight|bias)")
    for name in state:
        short = name.removeprefix(prefix)
        if not known.fullmatch(short) and not _HEADS.match(short):
            raise UserError(tr("The model has a part {name}, which our architecture does not have.", name=name[:80]), tr("Choose another model."))
    untied = not architecture.model.tied
    try:
        if architecture.kind == "bert":
            made = bert_from_transformers(state, untied=untied)
        elif architecture.kind == "roberta":
            made = roberta_from_transformers(state, architecture.pad_token_id, untied=untied)
        else:
            made = gpt_from_transformers(state, untied=untied)
    except (KeyError, RuntimeError) as error:
        raise UserError(tr("The weights lack {name}.", name=str(error).strip("'")[:80]), tr("Choose another folder.")) from error
    if architecture.kind == "roberta" and "mlm_dense.weight" in made and architecture.model.activation != "gelu":
        raise UserError(tr("Its {name} is {value}, which our architecture does not have.", name="hidden_act", value=architecture.model.activation),
                        tr("Choose another model."))
    notes = []
    if architecture.family == "bert":
        if "mlm_dense.weight" not in made:
            notes.append(tr("It has no head for masked words: what it would put in a gap means nothing until it is trained on."))
        if "encoder.pooler.weight" not in made:
            notes.append(tr("It has no pooler; a new one stands in its place."))
    return made, tuple(notes)


def _reordered(name: str, tensor: Tensor, foreign: Foreign) -> Tensor:
    """The rows in our order; those of tokens that the model lacks are zero, or that of their twin."""
    rows = torch.tensor(foreign.rows)
    made = torch.zeros(len(rows), *tensor.shape[1:])
    made[rows != NEW] = tensor[rows[rows != NEW]]
    if name == "mlm_bias":
        made[rows == NEW] = ABSENT
    elif name == "encoder.token_embedding.weight":
        for ours, theirs in foreign.twins.items():
            made[ours] = tensor[theirs]
    return made


def _own_tokenizer(folder: Path, rows: int) -> Tokenizer | None:
    """The tokenizer of our own export, if its files still belong together."""
    if not (folder / OURS).is_file() or not (folder / OUR_TOKENIZER).is_file() or not (folder / "tokenizer.json").is_file():
        return None
    noted = read_json(folder / OURS).get("tokenizer_sha256")
    if noted != hashlib.sha256((folder / "tokenizer.json").read_bytes()).hexdigest():
        return None
    tokenizer = load_tokenizer(folder / OUR_TOKENIZER)
    return tokenizer if tokenizer.vocab_size == rows else None


def _config(architecture: Architecture, model: Any, tokenizer: Tokenizer, next_sentence: bool) -> configs.RunConfig:
    types = configs.section_types(architecture.family)
    made = configs.build(architecture.family, "quick")
    train = replace(made.train, seq_len=min(made.train.seq_len, model.max_seq_len))
    objective = types["objective"](**({"next_sentence": next_sentence} if architecture.family == "bert" else {}))  # not what quick begins with
    return replace(made, text=text_of(tokenizer), model=model, objective=objective, train=train)


def _complete(config: configs.RunConfig, vocab_size: int, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """With parts that the model lacks, new ones, always the same. UserError where a part has another shape than its config.json says."""
    pretraining = load(family(config.family).pretrain)
    with torch.device("meta"):  # shapes without numbers: a config.json may claim more than there is memory
        shapes = {name: tuple(tensor.shape) for name, tensor in pretraining.build(config, vocab_size).state_dict().items()}
    wrong = [name for name, tensor in weights.items() if shapes.get(name) != tuple(tensor.shape)]
    missing = shapes.keys() - weights.keys()
    optional = ("encoder.pooler.", "next_sentence.", "mlm_dense.", "mlm_norm.", "mlm_bias", "mlm_output.")
    if wrong or (essential := [name for name in sorted(missing) if not name.startswith(optional)]):
        name = (wrong or essential)[0]
        raise UserError(tr("The weights do not fit config.json: {name} is {found} instead of {wanted}.", name=name,
                           found=list(weights[name].shape) if name in weights else tr("missing"), wanted=list(shapes.get(name, ()))),
                        tr("Take both files from the same model."))
    if missing:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            weights = {**{name: tensor for name, tensor in pretraining.build(config, vocab_size).state_dict().items() if name in missing}, **weights}
    return {name: weights[name] for name in shapes}


