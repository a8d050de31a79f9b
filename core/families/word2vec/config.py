"""word2vec's options and presets (Mikolov et al. 2013a, https://arxiv.org/abs/1301.3781; 2013b, https://arxiv.org/abs/1310.4546)."""

from __future__ import annotations

from dataclasses import dataclass

from core.config import check, option
from core.families.family import Family, InputForm

OBJECTIVES = ("skip_gram", "cbow")
STEP_TOKENS = 1 << 16  # read in one step, about
STEPS_PER_EPOCH = 16  # at least, so that a short text, too, lets people watch; a step has no fewer than LEAST_TOKENS for that
LEAST_TOKENS = 512


def step_tokens(tokens: int) -> int:
    """How many of a text's tokens one step reads, about."""
    return min(STEP_TOKENS, max(LEAST_TOKENS, tokens // STEPS_PER_EPOCH))


@dataclass(frozen=True, kw_only=True)
class Word2VecConfig:
    dim: int = option(300, "Length of a word's vector.", min=2, max=4096)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class Word2VecObjective:
    objective: str = option("skip_gram", "Guess the words around a word (skip_gram), or a word from those around it (cbow, faster).",
                            choices=OBJECTIVES)
    window: int = option(5, "The most words to each side that belong to a word's surroundings.", min=1, max=100)
    negative: int = option(5, "Random words from which the right word must be told apart.", min=1, max=100)
    sample: float = option(1e-3, "Words with a greater share of the text than this are often skipped; 0 skips none.", min=0, max=1)
    ns_exponent: float = option(0.75, "Random words are drawn by their count to this power: 1 as in the text, 0 all alike.",
                                min=-2, max=2, advanced=True)

    def __post_init__(self) -> None:
        check(self)


_WORDS = {"text.tokenizer": "word", "text.vocab_size": 200_000, "train.warmup": 0.0, "train.weight_decay": 0.0, "train.grad_clip": 0.0}
_QUICK = {**_WORDS, "text.min_count": 2, "model.dim": 128, "train.epochs": 5.0, "train.learning_rate": 0.025}

FAMILY = Family(
    name="word2vec",
    title="word2vec",
    paper="Mikolov et al. 2013, https://arxiv.org/abs/1301.3781 and https://arxiv.org/abs/1310.4546",
    limit="It has one vector per word, whatever the sentence says.",
    model_config=Word2VecConfig,
    objective_config=Word2VecObjective,
    presets={
        "quick": _QUICK,
        "quick_cbow": {**_QUICK, "objective.objective": "cbow", "train.learning_rate": 0.05},
        "small": {**_WORDS, "text.min_count": 5, "model.dim": 200, "train.epochs": 10.0, "train.learning_rate": 0.025},
        "base": {**_WORDS, "text.min_count": 5, "text.vocab_size": 1_000_000, "objective.sample": 1e-5, "train.epochs": 3.0,
                 "train.learning_rate": 0.025},
    },
    capabilities=frozenset({"static_vectors", "hidden_states"}),
    form=InputForm(single=("[BOS]", "A"), frozen=True),  # [BOS], a zero vector, so that no text is empty
    model="core.families.word2vec.model:Word2Vec",
    learner="core.families.word2vec.pretrain:Word2VecLearner",
    cost="core.families.word2vec.cost:cost",
    unused=frozenset({"batch_size", "micro_batch_size", "seq_len", "optimizer", "muon_learning_rate", "weight_decay", "schedule", "warmup",
                      "grad_clip", "eval_batches", "device", "precision", "processes"}),
)
