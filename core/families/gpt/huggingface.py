"""GPT as Hugging Face transformers has it: GPT-2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from core.errors import UserError
from core.families.gpt.config import GptConfig
from core.families.huggingface import ACTIVATIONS, Counterpart, count_layers, take
from core.i18n import tr

# transformers' name of a part -> ours
_LAYER = {
    "ln_1": "attention_norm",
    "attn.c_attn": "attention.qkv",
    "attn.c_proj": "attention.output",
    "ln_2": "feed_forward_norm",
    "mlp.c_fc": "feed_forward.up",
    "mlp.c_proj": "feed_forward.down",
}
_OUTSIDE = {"wte": "encoder.token_embedding", "wpe": "encoder.position_embedding", "ln_f": "encoder.final_norm"}


def gpt_from_transformers(state: Mapping[str, Tensor], *, untied: bool = False) -> dict[str, Tensor]:
    """The state_dict of a GPT2Model or GPT2LMHeadModel as one of GptForPretraining. GPT-2 keeps its matrices transposed."""
    state = {name.removeprefix("transformer."): tensor for name, tensor in state.items()}
    ours = {}
    for theirs, name in _OUTSIDE.items():
        take(state, theirs, ours, name)
    for layer in range(count_layers(state, "h.")):
        for theirs, name in _LAYER.items():
            take(state, f"h.{layer}.{theirs}", ours, f"encoder.layers.{layer}.{name}", transposed=not theirs.startswith("ln"))
    if untied:
        ours["encoder.output.weight"] = state["lm_head.weight"]
    return ours


def gpt_to_transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The reverse of gpt_from_transformers: a GptForPretraining's state_dict as that of a GPT2LMHeadModel."""
    if "encoder.output_bias" in state:
        raise UserError(tr("The scores of this GPT have a bias, which GPT-2 in transformers does not have."), tr("Take ONNX for this one."))
    theirs = {}
    for name, ours in _OUTSIDE.items():
        take(state, ours, theirs, f"transformer.{name}")
    for layer in range(count_layers(state, "encoder.layers.")):
        for name, ours in _LAYER.items():
            take(state, f"encoder.layers.{layer}.{ours}", theirs, f"transformer.h.{layer}.{name}", transposed=not name.startswith("ln"))
    if "encoder.output.weight" in state:
        theirs["lm_head.weight"] = state["encoder.output.weight"]
    return theirs


def gpt_json(model: GptConfig, vocab_size: int) -> dict[str, Any]:
    """What a GPT2Config of transformers reads."""
    return {"model_type": "gpt2", "vocab_size": vocab_size, "n_embd": model.hidden_size, "n_layer": model.num_layers, "n_head": model.num_heads,
            "n_inner": model.intermediate_size or 4 * model.hidden_size, "n_positions": model.max_seq_len,
            "activation_function": ACTIVATIONS[model.activation], "resid_pdrop": model.dropout, "embd_pdrop": model.dropout,
            "attn_pdrop": model.dropout, "layer_norm_epsilon": model.layer_norm_eps, "tie_word_embeddings": model.tied}


COUNTERPART = Counterpart(
    settings=gpt_json, to_transformers=gpt_to_transformers, from_transformers=gpt_from_transformers,
    encoder="GPT2Model", pretraining="GPT2LMHeadModel", score=True,
    tasks={"classification": "GPT2ForSequenceClassification", "pair": "GPT2ForSequenceClassification", "tagging": "GPT2ForTokenClassification",
           "span": "GPT2ForQuestionAnswering"},
)
