"""What a family of models declares about itself, without importing torch.

A family is a folder with three files. config.py holds `FAMILY` and the two dataclasses of its options. model.py holds the
architecture. pretrain.py holds how it learns from plain text. The places of the latter two are named as strings, so that
the window can draw forms without loading torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.config import option

RANDOM, COOCCURRENCE, NEIGHBOURS = "random", "cooccurrence", "neighbours"
# What each asks of the network stands in core/families/outputs.py
CAPABILITIES = frozenset({"attentions", "hidden_states", "static_vectors", "generate", "fill_mask", "directions"})


def first_vectors_option() -> Any:
    """An option of the objectives that learn the vectors of their tokens; see core/families/cooccurrence.py."""
    return option(RANDOM, "How the vectors of tokens begin, where each has one of its own: at random, or from which tokens stand near which.",
                  choices=(RANDOM, COOCCURRENCE))


def first_attention_option() -> Any:
    """An option of the objectives that learn attention; see core/families/first_attention.py."""
    return option(RANDOM, "What attention looks at before the first step: all tokens alike, from random numbers, or each head at one near token. "
                          "So a short run need not find out first what stands where.", choices=(RANDOM, NEIGHBOURS))


@dataclass(frozen=True, kw_only=True)
class InputForm:
    """How labelled texts are laid out for a family in the second stage, as its paper has it.

    single: special tokens and "A", the place of the text. pair: the same with "A" and "B"; empty where the two texts are read apart.
    new_tokens: those of them that pretraining did not know: new rows of the embedding, in this order, behind the vocabulary.
    segments: B, and what follows it, is segment 1. vector: what stands for the whole input: "first" (token, through the pooler where
    there is one), "last" or "mean". frozen: the pretrained model stays as it is, and a task network learns on top of it.
    scalar_mix: its layers are mixed into one vector a token.
    """

    single: tuple[str, ...]
    pair: tuple[str, ...] = ()
    new_tokens: tuple[str, ...] = ()
    segments: bool = False
    vector: str = "mean"
    frozen: bool = False
    scalar_mix: bool = False


@dataclass(frozen=True, kw_only=True)
class Family:
    """name: as in the registry. title: for people. paper: where it comes from. limit: what it cannot do, in one sentence.

    model_config, objective_config: the dataclasses of RunConfig.model and RunConfig.objective.
    presets: preset -> {dotted option: value}, laid over the defaults ("model.hidden_size": 128).
    capabilities: some of CAPABILITIES; views and tasks ask for these, never for a family by name.
    prefix, suffix: the special tokens put around a text before the model reads it. form: how it reads labelled texts.
    model: "module:attribute" of the network, called as Model(model_config, vocab_size); see core/families/outputs.py.
    pretrain: "module:attribute" of how it learns from text: a Pretraining of core/families/learning.py, for the families that
    learn by gradient descent.
    learner: "module:attribute" of the Learner that takes the steps; only a family with its own kind of step names another.
    unused: options of TrainConfig that its learner does not read; forms leave them out.
    cost: "module:function" of (config: RunConfig, vocab_size, tokens of the training text) -> Cost of core/families/cost.py, which
    imports no torch. Without it nobody can say beforehand what a run will cost.
    transformers: "module:attribute" of its Counterpart (core/families/huggingface.py), where Hugging Face transformers has one.
    """

    name: str
    title: str
    paper: str
    limit: str
    model_config: type
    objective_config: type
    presets: Mapping[str, Mapping[str, Any]]
    capabilities: frozenset[str]
    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    form: InputForm = InputForm(single=("[BOS]", "A"))
    model: str
    pretrain: str = ""
    learner: str = "core.train.gradient:GradientLearner"
    unused: frozenset[str] = frozenset()
    cost: str = ""
    transformers: str = ""
