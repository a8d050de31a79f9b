"""GPT's options and presets (Radford et al. 2018; the arrangement and the sizes are those of GPT-2, Radford et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass

from core.config import check, option
from core.errors import UserError
from core.families.family import COOCCURRENCE, NEIGHBOURS, Family, InputForm, first_attention_option, first_vectors_option
from core.i18n import tr


@dataclass(frozen=True, kw_only=True)
class GptConfig:
    num_layers: int = option(12, "Transformer layers.", min=1, max=96)
    num_heads: int = option(12, "Attention heads in a layer.", min=1, max=256)
    hidden_size: int = option(768, "Length of a token's vector.", min=8, max=16384)
    intermediate_size: int = option(0, "Width of the feed-forward part; 0 means four times hidden_size.", min=0)
    max_seq_len: int = option(1024, "The longest input in tokens.", min=8, max=65536)
    dropout: float = option(0.1, "Share of values that are dropped while training.", min=0, max=0.9)
    activation: str = option("gelu_tanh", "Function between the two matrices of the feed-forward part.",
                             choices=("gelu", "gelu_tanh", "relu"), hidden=True)
    layer_norm_eps: float = option(1e-5, "Added to the variance in every layer norm.", min=1e-12, max=1e-2, hidden=True)
    tied: bool = option(True, "The token embeddings are the output matrix as well.", hidden=True)
    output_bias: bool = option(False, "Every token's score has a bias, so that tokens which a model from elsewhere lacks are never written.",
                               hidden=True)

    def __post_init__(self) -> None:
        check(self)
        if self.hidden_size % self.num_heads:
            raise UserError(
                tr("hidden_size is {hidden}, which {heads} attention heads cannot share evenly.",
                   hidden=self.hidden_size, heads=self.num_heads),
                tr("Make hidden_size a multiple of num_heads."), where="hidden_size")


@dataclass(frozen=True, kw_only=True)
class GptObjective:
    """Every token is guessed from those before it."""

    first_vectors: str = first_vectors_option()
    first_attention: str = first_attention_option()

    def __post_init__(self) -> None:
        check(self)


FAMILY = Family(
    name="gpt",
    title="GPT",
    paper="Radford et al. 2018, https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf",
    limit="A word sees only what stands before it.",
    model_config=GptConfig,
    objective_config=GptObjective,
    presets={
        # Two layers: in one minute on two cores they made nearly twice the steps of four (354-377 against 210), and guessed the built-in text
        # with a validation loss of 2.67-2.69 nats against 3.24; the senses came apart at 0.65-0.67 against 0.63 (other sentences than the
        # specimens). With attention that begins at near tokens it is 2.54 after 350 steps, from 2.75
        "quick": {"model.num_layers": 2, "model.num_heads": 4, "model.hidden_size": 128, "model.max_seq_len": 128,
                  "model.dropout": 0.0, "train.minutes": 1.0, "train.batch_size": 32, "train.seq_len": 64,
                  "train.optimizer": "muon", "train.learning_rate": 2e-3, "train.eval_batches": 8,
                  "objective.first_vectors": COOCCURRENCE, "objective.first_attention": NEIGHBOURS},
        "small": {"model.num_layers": 4, "model.num_heads": 8, "model.hidden_size": 512, "model.max_seq_len": 512,
                  "train.epochs": 10.0, "train.batch_size": 64, "train.seq_len": 128, "train.learning_rate": 5e-4},
        "base": {"train.steps": 300_000, "train.batch_size": 512, "train.micro_batch_size": 16, "train.seq_len": 1024,
                 "train.learning_rate": 6e-4, "train.schedule": "cosine", "train.warmup": 0.01, "train.weight_decay": 0.1,
                 "text.tokenizer": "bpe", "text.vocab_size": 50257},
    },
    capabilities=frozenset({"attentions", "hidden_states", "generate"}),
    prefix=("[BOS]",),
    form=InputForm(single=("[START]", "A", "[EXTRACT]"), pair=("[START]", "A", "[DELIMITER]", "B", "[EXTRACT]"),
                   new_tokens=("[START]", "[DELIMITER]", "[EXTRACT]"), vector="last"),
    model="core.families.gpt.model:Gpt",
    pretrain="core.families.gpt.pretrain:GptPretraining",
    cost="core.families.gpt.cost:cost",
    transformers="core.families.gpt.huggingface:COUNTERPART",
)
