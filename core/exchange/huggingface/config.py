"""config.json of Hugging Face transformers -> the options of our architectures.

What our architectures cannot do exactly as the model does is refused with a sentence that names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import UserError
from core.families.bert.config import BertConfig
from core.families.gpt.config import GptConfig
from core.i18n import tr

ACTIVATIONS = {"gelu": "gelu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "gelu_fast": "gelu_tanh", "relu": "relu"}
LONGEST = 65_536  # tokens; and the widest matrix
SHORTEST = 8  # tokens: what ours read at least
MOST_TOKENS = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """family: ours. kind: model_type. model: our options. vocab_size: rows of the embeddings. pad_token_id: RoBERTa counts from there.

    heads: what the weights were trained for (architectures), as transformers calls it.
    """

    family: str
    kind: str
    model: Any
    vocab_size: int
    pad_token_id: int
    heads: str


def read_architecture(raw: dict[str, Any]) -> Architecture:
    """UserError for a model that is none of ours, or differs from ours in something that matters."""
    kind = raw.get("model_type")
    if kind not in ("bert", "roberta", "gpt2"):
        raise UserError(tr("Its model_type is {kind}; models of the types bert, roberta and gpt2 can be opened.", kind=repr(kind)[:60]),
                        tr("Choose another model."))
    _refuse(raw, is_decoder=False, add_cross_attention=False, scale_attn_weights=True, scale_attn_by_inverse_layer_idx=False,
            position_embedding_type="absolute", pruned_heads={})
    heads = raw.get("architectures")
    heads = heads[0] if isinstance(heads, list) and heads and isinstance(heads[0], str) and heads[0].isprintable() else ""
    return Architecture(family="gpt" if kind == "gpt2" else "bert", kind=kind, model=_gpt(raw) if kind == "gpt2" else _bert(raw, kind),
                        vocab_size=_whole(raw, "vocab_size", 50257 if kind == "gpt2" else 30522, MOST_TOKENS),
                        pad_token_id=_whole(raw, "pad_token_id", 1, LONGEST, least=0) if kind == "roberta" else 0, heads=heads[:60])


def _bert(raw: dict[str, Any], kind: str) -> BertConfig:
    if (segments := _whole(raw, "type_vocab_size", 2, LONGEST)) > 2:
        raise UserError(tr("It tells {count} segments apart; ours tells two.", count=segments), tr("Choose another model."))
    offset = _whole(raw, "pad_token_id", 1, LONGEST, least=0) + 1 if kind == "roberta" else 0
    return BertConfig(
        num_layers=_whole(raw, "num_hidden_layers", 12), num_heads=_whole(raw, "num_attention_heads", 12),
        hidden_size=_whole(raw, "hidden_size", 768), intermediate_size=_whole(raw, "intermediate_size", 3072, LONGEST),
        max_seq_len=_whole(raw, "max_position_embeddings", 512, LONGEST + offset, SHORTEST + offset) - offset,
        dropout=_number(raw, "hidden_dropout_prob", 0.1), activation=_activation(raw, "hidden_act", "gelu"),
        layer_norm_eps=_number(raw, "layer_norm_eps", 1e-12), tied=_tied(raw))


def _gpt(raw: dict[str, Any]) -> GptConfig:
    hidden = _whole(raw, "n_embd", 768)
    inner = 4 * hidden if raw.get("n_inner") is None else _whole(raw, "n_inner", 0, LONGEST)
    return GptConfig(
        num_layers=_whole(raw, "n_layer", 12), num_heads=_whole(raw, "n_head", 12), hidden_size=hidden, intermediate_size=inner,
        max_seq_len=_whole(raw, "n_positions", 1024, LONGEST, SHORTEST), dropout=_number(raw, "resid_pdrop", 0.1),
        activation=_activation(raw, "activation_function", "gelu_new"), layer_norm_eps=_number(raw, "layer_norm_epsilon", 1e-5), tied=_tied(raw))


def _refuse(raw: dict[str, Any], **usual: Any) -> None:
    for name, value in usual.items():
        if (found := raw.get(name, value)) not in (value, None):
            raise UserError(tr("Its {name} is {value}, which our architecture does not have.", name=name, value=repr(found)[:60]),
                            tr("Choose another model."))


def _whole(raw: dict[str, Any], name: str, usual: int, most: int = 16_384, least: int = 1) -> int:
    value = raw.get(name)
    value = usual if value is None else value
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UserError(tr("Its {name} is {value}; it must lie between {least} and {most}.", name=name, value=repr(value)[:60], least=least,
                           most=most), tr("Choose another model."))
    return value


def _number(raw: dict[str, Any], name: str, usual: float) -> float:
    value = raw.get(name, usual)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 0.9:
        raise UserError(tr("Its {name} is {value}; it must lie between {least} and {most}.", name=name, value=repr(value)[:60], least=0, most=0.9),
                        tr("Choose another model."))
    return float(value)


def _activation(raw: dict[str, Any], name: str, usual: str) -> str:
    found = raw.get(name, usual)
    if not isinstance(found, str) or found not in ACTIVATIONS:
        raise UserError(tr("Its {name} is {value}; ours are {known}.", name=name, value=repr(found)[:60], known=", ".join(ACTIVATIONS)),
                        tr("Choose another model."))
    return ACTIVATIONS[found]


def _tied(raw: dict[str, Any]) -> bool:
    return raw.get("tie_word_embeddings", True) is not False
