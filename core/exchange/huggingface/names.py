"""Weights under the names of Hugging Face transformers, and under ours."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

# transformers' name of a part -> ours, the same in every layer
_BERT_LAYER = {
    "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "feed_forward.up",
    "output.dense": "feed_forward.down",
    "output.LayerNorm": "feed_forward_norm",
}
_BERT_OUTSIDE = {
    "embeddings.word_embeddings": "encoder.token_embedding",
    "embeddings.position_embeddings": "encoder.position_embedding",
    "embeddings.token_type_embeddings": "encoder.segment_embedding",
    "embeddings.LayerNorm": "encoder.embedding_norm",
    "pooler.dense": "encoder.pooler",
    "cls.predictions.transform.dense": "mlm_dense",
    "cls.predictions.transform.LayerNorm": "mlm_norm",
    "cls.seq_relationship": "next_sentence",
}
_ROBERTA_HEAD = {
    "lm_head.dense": "cls.predictions.transform.dense",
    "lm_head.layer_norm": "cls.predictions.transform.LayerNorm",
    "lm_head.decoder": "cls.predictions.decoder",
    "lm_head.bias": "cls.predictions.bias",
}
_GPT_LAYER = {
    "ln_1": "attention_norm",
    "attn.c_attn": "attention.qkv",
    "attn.c_proj": "attention.output",
    "ln_2": "feed_forward_norm",
    "mlp.c_fc": "feed_forward.up",
    "mlp.c_proj": "feed_forward.down",
}
_GPT_OUTSIDE = {"wte": "encoder.token_embedding", "wpe": "encoder.position_embedding", "ln_f": "encoder.final_norm"}


def bert_from_transformers(state: Mapping[str, Tensor], *, untied: bool = False) -> dict[str, Tensor]:
    """The state_dict of a BertModel, BertForMaskedLM or BertForPreTraining as one of BertForPretraining.

    untied: its output matrix is not that of the token embeddings. Heads that the model lacks are missing from the result: load
    it with strict=False, or take what begins with "encoder.".
    """
    state = {name.removeprefix("bert."): tensor for name, tensor in state.items()}
    ours = {}
    for theirs, name in _BERT_OUTSIDE.items():
        _take(state, theirs, ours, name)
    for layer in range(_count_layers(state, "encoder.layer.")):
        place, target = f"encoder.layer.{layer}", f"encoder.layers.{layer}"
        for kind in ("weight", "bias"):  # query, key and value are one matrix here
            parts = [state[f"{place}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            ours[f"{target}.attention.qkv.{kind}"] = torch.cat(parts)
        for theirs, name in _BERT_LAYER.items():
            _take(state, f"{place}.{theirs}", ours, f"{target}.{name}")
    for theirs in ("cls.predictions.bias", "cls.predictions.decoder.bias"):  # one under two names, unless the output is untied
        if theirs in state:
            ours["mlm_bias"] = state[theirs]
    if untied:
        ours["mlm_output.weight"] = state["cls.predictions.decoder.weight"]
    if (segments := ours.get("encoder.segment_embedding.weight")) is not None and len(segments) == 1:  # it knows one segment: so both are that
        ours["encoder.segment_embedding.weight"] = segments.expand(2, -1).contiguous()
    return ours


def roberta_from_transformers(state: Mapping[str, Tensor], pad_token_id: int = 1, *, untied: bool = False) -> dict[str, Tensor]:
    """The state_dict of a RobertaModel or RobertaForMaskedLM as one of BertForPretraining.

    RoBERTa counts positions from pad_token_id + 1, so the rows before that are never used.
    """
    renamed = {}
    for name, tensor in state.items():
        name = name.removeprefix("roberta.")
        for theirs, bert in _ROBERTA_HEAD.items():
            name = name.replace(theirs, bert)
        renamed[name] = tensor
    ours = bert_from_transformers(renamed, untied=untied)
    if (positions := ours.get("encoder.position_embedding.weight")) is not None:
        ours["encoder.position_embedding.weight"] = positions[pad_token_id + 1 :].contiguous()
    return ours


def bert_to_transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The reverse of bert_from_transformers: a BertForPretraining's state_dict as that of a BertForPreTraining."""
    theirs = {}
    for name, ours in _BERT_OUTSIDE.items():
        _take(state, ours, theirs, name if name.startswith("cls.") else f"bert.{name}")
    for layer in range(_count_layers(state, "encoder.layers.")):
        place, target = f"encoder.layers.{layer}", f"bert.encoder.layer.{layer}"
        for kind in ("weight", "bias"):
            parts = state[f"{place}.attention.qkv.{kind}"].chunk(3)
            theirs |= {f"{target}.attention.self.{part}.{kind}": tensor for part, tensor in zip(("query", "key", "value"), parts, strict=True)}
        for name, ours in _BERT_LAYER.items():
            _take(state, f"{place}.{ours}", theirs, f"{target}.{name}")
    if "mlm_bias" in state:
        theirs["cls.predictions.bias"] = state["mlm_bias"]
    if "mlm_output.weight" in state:
        theirs |= {"cls.predictions.decoder.weight": state["mlm_output.weight"], "cls.predictions.decoder.bias": state["mlm_bias"]}
    return theirs


def gpt_from_transformers(state: Mapping[str, Tensor], *, untied: bool = False) -> dict[str, Tensor]:
    """The state_dict of a GPT2Model or GPT2LMHeadModel as one of GptForPretraining. GPT-2 keeps its matrices transposed."""
    state = {name.removeprefix("transformer."): tensor for name, tensor in state.items()}
    ours = {}
    for theirs, name in _GPT_OUTSIDE.items():
        _take(state, theirs, ours, name)
    for layer in range(_count_layers(state, "h.")):
        for theirs, name in _GPT_LAYER.items():
            _take(state, f"h.{layer}.{theirs}", ours, f"encoder.layers.{layer}.{name}", transposed=not theirs.startswith("ln"))
    if untied:
        ours["encoder.output.weight"] = state["lm_head.weight"]
    return ours


def gpt_to_transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The reverse of gpt_from_transformers: a GptForPretraining's state_dict as that of a GPT2LMHeadModel."""
    theirs = {}
    for name, ours in _GPT_OUTSIDE.items():
        _take(state, ours, theirs, f"transformer.{name}")
    for layer in range(_count_layers(state, "encoder.layers.")):
        for name, ours in _GPT_LAYER.items():
            _take(state, f"encoder.layers.{layer}.{ours}", theirs, f"transformer.h.{layer}.{name}", transposed=not name.startswith("ln"))
    if "encoder.output.weight" in state:
        theirs["lm_head.weight"] = state["encoder.output.weight"]
    return theirs


def _take(state: Mapping[str, Tensor], source: str, made: dict[str, Tensor], name: str, transposed: bool = False) -> None:
    for kind in ("weight", "bias"):
        if f"{source}.{kind}" in state:
            tensor = state[f"{source}.{kind}"]
            made[f"{name}.{kind}"] = tensor.t().contiguous() if transposed and kind == "weight" else tensor


def _count_layers(state: Mapping[str, Tensor], prefix: str) -> int:
    return len({name.removeprefix(prefix).partition(".")[0] for name in state if name.startswith(prefix)})
