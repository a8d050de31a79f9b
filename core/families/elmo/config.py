"""ELMo's options and presets (Peters et al. 2018, https://arxiv.org/abs/1802.05365)."""

from __future__ import annotations

from dataclasses import dataclass

from core.config import check, option
from core.errors import UserError
from core.families.family import COOCCURRENCE, Family, InputForm, first_vectors_option
from core.i18n import tr

# (width, number) of the character CNN's filters, and its highway layers: those of the paper's released model
FILTERS = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024))
HIGHWAYS = 2
CHARACTER_SIZE = 16
CHARACTERS = 65536  # code points beyond the basic plane share the last row


@dataclass(frozen=True, kw_only=True)
class ElmoConfig:
    num_layers: int = option(2, "LSTM layers in each direction.", min=1, max=16)
    hidden_size: int = option(512, "Length of a token's vector in each direction.", min=8, max=16384)
    cell_size: int = option(0, "Width of the LSTM cells, projected down to hidden_size; 0 means hidden_size, without projection.",
                            min=0, max=65536)
    embedding: str = option("token", "What a token's first vector is made of: one for each token, or a CNN over its characters.",
                            choices=("token", "char_cnn"))
    max_characters: int = option(16, "Characters of a token that the character CNN reads.", min=2, max=128, advanced=True)
    max_seq_len: int = option(512, "The longest input in tokens.", min=8, max=65536)
    dropout: float = option(0.1, "Share of values that are dropped while training.", min=0, max=0.9)

    def __post_init__(self) -> None:
        check(self)
        if 0 < self.cell_size <= self.hidden_size:
            raise UserError(
                tr("cell_size is {cell}, not greater than hidden_size, which is {hidden}.", cell=self.cell_size, hidden=self.hidden_size),
                tr("Make it greater, or 0 for no projection."), where="cell_size")

    @property
    def filters(self) -> list[tuple[int, int]]:
        """Those of FILTERS that fit into max_characters."""
        return [(width, number) for width, number in FILTERS if width <= self.max_characters]


@dataclass(frozen=True, kw_only=True)
class ElmoObjective:
    sampled_softmax: int = option(0, "Negative samples that stand for the whole vocabulary while training; 0 means the full softmax. "
                                     "Worth it from about 20,000 words.", min=0)
    sample: float = option(0.0, "Tokens with a greater share of the text than this are often not guessed while training, so that more is learnt "
                                "from those that say what a text is about; 0 guesses all.", min=0, max=1)
    first_vectors: str = first_vectors_option()

    def __post_init__(self) -> None:
        check(self)


# Words, as in the paper, and of the frequent ones only some are guessed: of 480 other sentences of 苹果 than the specimens, after 300 steps on the
# built-in text, 0.68 are judged right with characters, 0.73 with some of them guessed, 0.75 with words and 0.81 with both (one seed each, 0.02 to
# 0.03 between seeds). The longer it learns, the louder becomes where in the sentence the word stands: after 600 steps 0.70. With strong decay 0.82.
# Unknown words by their characters: else 12 % of what others write is [UNK]. On those sentences that changes nothing; with 200 labels, after 1,254
# steps on real text, headlines rise from 0.52 to 0.60 and the F1 of tagging from 0.16 to 0.21 (characters alone: 0.58 and 0.24; categories 0.76
# instead of 0.82)
_QUICK = {
    "model.hidden_size": 128, "model.max_seq_len": 128, "model.dropout": 0.0, "objective.first_vectors": COOCCURRENCE, "objective.sample": 1e-3,
    "text.tokenizer": "word_char", "train.minutes": 1.0, "train.batch_size": 32, "train.seq_len": 64, "train.eval_batches": 8,
    "train.optimizer": "muon", "train.learning_rate": 4e-3, "train.weight_decay": 0.5,
}

FAMILY = Family(
    name="elmo",
    title="ELMo",
    paper="Peters et al. 2018, https://arxiv.org/abs/1802.05365",
    limit="Each direction is blind to the other side of the word.",
    model_config=ElmoConfig,
    objective_config=ElmoObjective,
    presets={
        "quick": _QUICK,
        "small": {"model.hidden_size": 256, "model.cell_size": 1024, "train.epochs": 5.0, "train.batch_size": 64, "train.seq_len": 128},
        "base": {"model.cell_size": 4096, "model.embedding": "char_cnn", "objective.sampled_softmax": 8192, "train.epochs": 10.0,
                 "train.batch_size": 128, "train.seq_len": 128, "text.tokenizer": "word", "text.vocab_size": 800_000},
    },
    capabilities=frozenset({"hidden_states", "directions"}),
    prefix=("[BOS]",),
    suffix=("[EOS]",),
    form=InputForm(single=("[BOS]", "A", "[EOS]"), frozen=True, scalar_mix=True),
    model="core.families.elmo.model:Elmo",
    pretrain="core.families.elmo.pretrain:ElmoPretraining",
    cost="core.families.elmo.cost:cost",
)
