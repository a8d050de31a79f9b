"""BERT, and RoBERTa, which is one, as Hugging Face transformers has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from core.families.bert.config import BertConfig
from core.families.huggingface import ACTIVATIONS, Counterpart, count_layers, take

# transformers' name of a part -> ours, the same in every layer
_LAYER = {
    "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "feed_forward.up",
    "output.dense": "feed_forward.down",
    "output.LayerNorm": "feed_forward_norm",
}
_OUTSIDE = {
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


def bert_from_transformers(state: Mapping[str, Tensor], *, untied: bool = False) -> dict[str, Tensor]:
    """The state_dict of a BertModel, BertForMaskedLM or BertForPreTraining as one of BertForPretraining.

    untied: its output matrix is not that of the token embeddings. Heads that the model lacks are missing from the result: load
    it with strict=False, or take what begins with "encoder.".
    """
    state = {name.removeprefix("bert."): tensor for name, tensor in state.items()}
    ours = {}
    for theirs, name in _OUTSIDE.items():
        take(state, theirs, ours, name)
    for layer in range(count_layers(state, "encoder.layer.")):
        place, target = f"encoder.layer.{layer}", f"encoder.layers.{layer}"
        for kind in ("weight", "bias"):  # query, key and value are one matrix here
            parts = [state[f"{place}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            ours[f"{target}.attention.qkv.{kind}"] = torch.cat(parts)
        for theirs, name in _LAYER.items():
            take(state, f"{place}.{theirs}", ours, f"{target}.{name}")
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
    for name, ours in _OUTSIDE.items():
        take(state, ours, theirs, name if name.startswith("cls.") else f"bert.{name}")
    for layer in range(count_layers(state, "encoder.layers.")):
        place, target = f"encoder.layers.{layer}", f"bert.encoder.layer.{layer}"
        for kind in ("weight", "bias"):
            parts = state[f"{place}.attention.qkv.{kind}"].chunk(3)
            theirs |= {f"{target}.attention.self.{part}.{kind}": tensor for part, tensor in zip(("query", "key", "value"), parts, strict=True)}
        for name, ours in _LAYER.items():
            take(state, f"{place}.{ours}", theirs, f"{target}.{name}")
    if "mlm_bias" in state:
        theirs["cls.predictions.bias"] = state["mlm_bias"]
    if "mlm_output.weight" in state:
        theirs |= {"cls.predictions.decoder.weight": state["mlm_output.weight"], "cls.predictions.decoder.bias": state["mlm_bias"]}
    return theirs


def bert_json(model: BertConfig, vocab_size: int) -> dict[str, Any]:
    """What a BertConfig of transformers reads."""
    return {"model_type": "bert", "vocab_size": vocab_size, "hidden_size": model.hidden_size, "num_hidden_layers": model.num_layers,
            "num_attention_heads": model.num_heads, "intermediate_size": model.intermediate_size or 4 * model.hidden_size,
            "hidden_act": ACTIVATIONS[model.activation], "hidden_dropout_prob": model.dropout, "attention_probs_dropout_prob": model.dropout,
            "max_position_embeddings": model.max_seq_len, "type_vocab_size": 2, "layer_norm_eps": model.layer_norm_eps,
            "tie_word_embeddings": model.tied, "position_embedding_type": "absolute"}


COUNTERPART = Counterpart(
    settings=bert_json, to_transformers=bert_to_transformers, from_transformers=bert_from_transformers,
    encoder="BertModel", pretraining="BertForPreTraining",
    tasks={"classification": "BertForSequenceClassification", "pair": "BertForSequenceClassification", "tagging": "BertForTokenClassification",
           "span": "BertForQuestionAnswering", "multiple_choice": "BertForMultipleChoice"},
)
