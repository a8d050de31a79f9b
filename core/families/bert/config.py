"""BERT's options and presets (Devlin et al. 2019, https://arxiv.org/abs/1810.04805)."""

from __future__ import annotations

from dataclasses import dataclass

from core.config import check, option
from core.errors import UserError
from core.families.family import COOCCURRENCE, NEIGHBOURS, Family, InputForm, first_attention_option, first_vectors_option
from core.i18n import tr

VOCABULARY, TEXT = "vocabulary", "text"  # where random tokens come from


@dataclass(frozen=True, kw_only=True)
class BertConfig:
    num_layers: int = option(12, "Transformer layers.", min=1, max=96)
    num_heads: int = option(12, "Attention heads in a layer.", min=1, max=256)
    hidden_size: int = option(768, "Length of a token's vector.", min=8, max=16384)
    intermediate_size: int = option(0, "Width of the feed-forward part; 0 means four times hidden_size.", min=0)
    max_seq_len: int = option(512, "The longest input in tokens.", min=8, max=65536)
    dropout: float = option(0.1, "Share of values that are dropped while training.", min=0, max=0.9)
    activation: str = option("gelu", "Function between the two matrices of the feed-forward part.",
                             choices=("gelu", "gelu_tanh", "relu"), hidden=True)
    layer_norm_eps: float = option(1e-12, "Added to the variance in every layer norm.", min=1e-12, max=1e-2, hidden=True)
    tied: bool = option(True, "The token embeddings are the output matrix as well.", hidden=True)

    def __post_init__(self) -> None:
        check(self)
        if self.hidden_size % self.num_heads:
            raise UserError(
                tr("hidden_size is {hidden}, which {heads} attention heads cannot share evenly.",
                   hidden=self.hidden_size, heads=self.num_heads),
                tr("Make hidden_size a multiple of num_heads."), where="hidden_size")


@dataclass(frozen=True, kw_only=True)
class BertObjective:
    mask_percent: float = option(15.0, "Share of the tokens that the model must guess, in percent.", min=1, max=90)
    mask_token_percent: float = option(80.0, "Of the tokens to guess, the share replaced by [MASK], in percent.", min=0, max=100)
    random_token_percent: float = option(10.0, "Of the tokens to guess, the share replaced by a random token, in percent.",
                                         min=0, max=100)
    random_tokens: str = option(VOCABULARY, "Where random tokens come from: all of the vocabulary alike, or the text, as often as it has them. "
                                            "Any word may then be false, so every word is judged by its context.", choices=(VOCABULARY, TEXT))
    whole_word: bool = option(False, "Mask all tokens of a word together.")
    next_sentence: bool = option(True, "Also learn whether the second sentence follows the first.")
    first_vectors: str = first_vectors_option()
    first_attention: str = first_attention_option()

    def __post_init__(self) -> None:
        check(self)
        if self.mask_token_percent + self.random_token_percent > 100:
            raise UserError(
                tr("mask_token_percent is {mask} and random_token_percent is {random}: together over 100.",
                   mask=self.mask_token_percent, random=self.random_token_percent),
                tr("Make one of them smaller."), where="random_token_percent")


# Random tokens come from the text: even a 苹果 that is seen may be false, so the vector there says what its context asks for as well; of the
# vocabulary's random tokens hardly one is 苹果, and the vector need only repeat the word. More of them (20 %, none kept) take the senses
# further apart, but the words themselves are forgotten: tagging learnt from 200 sentences fell from an F1 of 0.25 to 0.13.
# Whole words are masked together: who sees 果 need not ask which 苹 stands before it. Of 960 other sentences than the specimens 0.89 are
# then judged right against 0.84, after the same 600 steps on the built-in text.
# Attention begins at near tokens: after the same 450 steps the validation loss was 2.99 nats instead of 3.64 (single tokens masked).
# Two layers: in one minute on two cores they make twice the steps of four. The senses of the built-in text of then came apart at 0.81-0.84
# against 0.68-0.73 (same hour, one seed each, chosen on those specimens); in three minutes on real text the two are about equal
_QUICK = {
    "model.num_layers": 2, "model.num_heads": 4, "model.hidden_size": 128, "model.max_seq_len": 128, "model.dropout": 0.0,
    "objective.mask_percent": 40.0, "objective.random_tokens": TEXT, "objective.whole_word": True, "objective.next_sentence": False,
    "objective.first_vectors": COOCCURRENCE, "objective.first_attention": NEIGHBOURS,
    "train.minutes": 1.0, "train.batch_size": 32, "train.seq_len": 64, "train.eval_batches": 8,
    "train.optimizer": "muon", "train.learning_rate": 2e-3,
}

FAMILY = Family(
    name="bert",
    title="BERT",
    paper="Devlin et al. 2019, https://arxiv.org/abs/1810.04805",
    limit="It learns from the masked tokens only, so it learns slowly.",
    model_config=BertConfig,
    objective_config=BertObjective,
    presets={
        "quick": _QUICK,
        "small": {"model.num_layers": 4, "model.num_heads": 8, "model.hidden_size": 512, "train.epochs": 10.0,
                  "train.batch_size": 64, "train.seq_len": 128, "train.learning_rate": 5e-4, "model.max_seq_len": 512},
        "base": {"train.steps": 1_000_000, "train.batch_size": 256, "train.seq_len": 512, "train.learning_rate": 1e-4,
                 "train.warmup": 0.01, "text.tokenizer": "wordpiece", "text.vocab_size": 30522},
    },
    capabilities=frozenset({"attentions", "hidden_states", "fill_mask"}),
    prefix=("[CLS]",),
    suffix=("[SEP]",),
    form=InputForm(single=("[CLS]", "A", "[SEP]"), pair=("[CLS]", "A", "[SEP]", "B", "[SEP]"), segments=True, vector="first"),
    model="core.families.bert.model:Bert",
    pretrain="core.families.bert.pretrain:BertPretraining",
    cost="core.families.bert.cost:cost",
    transformers="core.families.bert.huggingface:COUNTERPART",
)
