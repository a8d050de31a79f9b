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
_GPT_LAYER = {
    "ln_1": "attention_norm",
    "attn.c_attn": "attention.qkv",
    "attn.c_proj": "attention.output",
    "ln_2": "feed_forward_norm",
    "mlp.c_fc": "feed_forward.up",
    "mlp.c_proj": "feed_forward.down",
}
_GPT_OUTSIDE = {"wte": "encoder.token_embedding", "wpe": "encoder.position_embedding", "ln_f": "encoder.final_norm"}


def bert_from_transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state_dict of a BertModel, BertForMaskedLM or BertForPreTraining as one of BertForPretraining.

    Heads that the model lacks are missing from the result: load it with strict=False, or take what begins with "encoder.".
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
    if "cls.predictions.bias" in state:
        ours["mlm_bias"] = state["cls.predictions.bias"]
    return ours


def gpt_from_transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state_dict of a GPT2Model or GPT2LMHeadModel as one of GptForPretraining. GPT-2 keeps its matrices transposed."""
    state = {name.removeprefix("transformer."): tensor for name, tensor in state.items()}
    ours = {}
    for theirs, name in _GPT_OUTSIDE.items():
        _take(state, theirs, ours, name)
    for layer in range(_count_layers(state, "h.")):
        for theirs, name in _GPT_LAYER.items():
            _take(state, f"h.{layer}.{theirs}", ours, f"encoder.layers.{layer}.{name}", transposed=not theirs.startswith("ln"))
    return ours


def _take(state: Mapping[str, Tensor], theirs: str, ours: dict[str, Tensor], name: str, transposed: bool = False) -> None:
    for kind in ("weight", "bias"):
        if f"{theirs}.{kind}" in state:
            tensor = state[f"{theirs}.{kind}"]
            ours[f"{name}.{kind}"] = tensor.t().contiguous() if transposed and kind == "weight" else tensor


def _count_layers(state: Mapping[str, Tensor], prefix: str) -> int:
    return len({name.removeprefix(prefix).partition(".")[0] for name in state if name.startswith(prefix)})
