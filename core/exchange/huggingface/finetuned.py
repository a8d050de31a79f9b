"""The head of a model that was finetuned with Hugging Face transformers as a head of ours, where ours computes the same.

    BertForSequenceClassification    linear over the pooler's output                  GPT2ForSequenceClassification    linear over the last token
    RobertaForSequenceClassification dense and tanh over the first token, which is our pooler, then linear
    ...ForTokenClassification        linear over each token                           ...ForQuestionAnswering          linear over each token
    ...ForMultipleChoice             linear over the pooler's output of each choice
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, zeros

from core.config import RunConfig
from core.errors import UserError
from core.exchange.huggingface.config import Architecture
from core.i18n import tr
from core.registry import family
from core.tasks import data
from core.tasks.config import TaskConfig
from core.tasks.forms import FAMILY, PLAIN, ROBERTA
from core.tasks.labels import NOMINAL, Labels
from core.tasks.span import NO_ANSWER
from core.text.tokenizers import Tokenizer

MOST_TOKENS = 512  # of a text that is asked about
LONGEST_NAME = 200
HEADS = ("classifier.", "score.", "qa_outputs.", "multiple_choice_head.")
LANGUAGE_MODEL = ("cls.predictions", "lm_head")
OF_PAIRS = {"entailment", "not_entailment", "contradiction", "duplicate", "not_duplicate", "paraphrase", "equivalent", "not_equivalent"}


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """A head. weights: under the names of our task's network. encoder: parts of the encoder that came with the head."""

    task: str
    labels: Labels
    weights: dict[str, Tensor]
    encoder: dict[str, Tensor]


def without_language_model(state: Mapping[str, Tensor], architecture: Architecture) -> Architecture:
    """A finetuned model has no output matrix of its own, whatever its config.json says of tying it."""
    finetuned = any(name.startswith(HEADS) for name in state) and not any(name.startswith(LANGUAGE_MODEL) for name in state)
    return replace(architecture, model=replace(architecture.model, tied=True)) if finetuned else architecture


def head_of(state: Mapping[str, Tensor], raw: Mapping[str, Any], architecture: Architecture) -> Tuned | str:
    """The head; or a sentence that says why it stays behind, "" where there is none. UserError where its weights are damaged."""
    held = {name: tensor for name, tensor in state.items() if name.startswith(HEADS)}
    if not held:
        return ""
    behind = tr("Its head for {task} stays behind: finetuning makes a new one.", task=architecture.heads or "?")
    kind, ending = architecture.kind, architecture.heads.partition("For")[2]
    tasks = {"SequenceClassification": "classification", "TokenClassification": "tagging"}
    tasks |= {} if kind == "gpt2" else {"QuestionAnswering": "span", "MultipleChoice": "multiple_choice"}
    task = tasks.get(ending, "")
    if not task or raw.get("problem_type") == "multi_label_classification":
        return behind
    encoder: dict[str, Tensor] = {}
    name = {"span": "qa_outputs", "classification": "score" if kind == "gpt2" else "classifier"}.get(task, "classifier")
    if kind == "roberta" and task == "classification":
        name = "classifier.out_proj"
        encoder = {f"encoder.pooler.{part}": _taken(held, f"classifier.dense.{part}", axes) for part, axes in (("weight", 2), ("bias", 1))}
    elif task in ("classification", "multiple_choice") and kind != "gpt2" and not any("pooler.dense.weight" in part for part in state):
        raise UserError(tr("The weights lack {name}.", name="pooler.dense.weight"), tr("Choose another folder."))
    weight = _taken(held, f"{name}.weight", 2)
    bias = zeros(len(weight)) if kind == "gpt2" and task == "classification" else _taken(held, f"{name}.bias", 1)
    if task == "classification" and len(weight) < 2:
        return behind  # a number: our heads learn one of pairs alone
    labels = Labels(names=(NO_ANSWER,) if task == "span" else ())  # its [CLS] may have learnt it (SQuAD 2.0); else it gets no mass
    if task in ("classification", "tagging"):
        labels = Labels(kind=NOMINAL, names=_names(raw, len(weight)))
        task = "pair" if task == "classification" and kind != "gpt2" and OF_PAIRS & {label.lower() for label in labels.names} else task
    return Tuned(task=task, labels=labels, weights={"head.linear.weight": weight, "head.linear.bias": bias}, encoder=encoder)


def _taken(held: Mapping[str, Tensor], name: str, axes: int) -> Tensor:
    if name not in held:
        raise UserError(tr("The weights lack {name}.", name=name), tr("Choose another folder."))
    if held[name].ndim != axes or not held[name].numel():
        raise UserError(tr("The weights do not fit config.json: {name} is {found} instead of {wanted}.", name=name, found=list(held[name].shape),
                           wanted=tr("a matrix") if axes == 2 else tr("a vector")), tr("Take both files from the same model."))
    return held[name]


def _names(raw: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """Those of config.json, or LABEL_0, LABEL_1 ... where it has none that can tell the labels apart."""
    given = raw.get("id2label")
    found = [given.get(str(number)) for number in range(count)] if isinstance(given, dict) and len(given) == count else []
    fit = [name for name in found if isinstance(name, str) and name.strip() and name.isprintable() and len(name) <= LONGEST_NAME]
    return tuple(fit) if len(set(fit)) == count else tuple(f"LABEL_{number}" for number in range(count))


def with_task(config: RunConfig, tuned: Tuned, architecture: Architecture) -> RunConfig:
    form = PLAIN if architecture.kind == "gpt2" else ROBERTA if architecture.kind == "roberta" else FAMILY
    task = TaskConfig(task=tuned.task, form=form, order="given", label_kind="nominal", network="none", mix="off",
                      pooling="last" if architecture.kind == "gpt2" else "first")
    return replace(config, task=task, train=replace(config.train, seq_len=min(MOST_TOKENS, config.model.max_seq_len)))


def network_weights(config: RunConfig, tuned: Tuned, tokenizer: Tokenizer, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of our task's network. UserError where a part has another shape than the network."""
    from core.tasks.networks import TaskNetwork

    network = TaskNetwork(config, data.layout_of(config, tuned.labels, tokenizer), tuned.labels)
    made = {name: tensor for name, tensor in weights.items() if name.startswith("encoder.")} | tuned.weights
    shapes = network.state_dict()
    if "unit_place.weight" in shapes:
        made["unit_place.weight"] = zeros(shapes["unit_place.weight"].shape)  # each token is looked at by itself
    for name, wanted in shapes.items():
        if name not in made or made[name].shape != wanted.shape:
            raise UserError(tr("The weights do not fit config.json: {name} is {found} instead of {wanted}.", name=name,
                               found=list(made[name].shape) if name in made else tr("missing"), wanted=list(wanted.shape)),
                            tr("Take both files from the same model."))
    return {name: made[name].contiguous() for name in shapes}


def note_of(tuned: Tuned, config: RunConfig) -> str:
    shown = ", ".join(tuned.labels.names[:8]) + (" ..." if len(tuned.labels.names) > 8 else "")
    if tuned.task == "pair":
        return tr("It came with its head for pairs of texts ({labels}): ask it in Predict.", labels=shown)
    if tuned.task == "span" or not shown:
        return tr("It came with its head: ask the {family} in Predict.", family=family(config.family).title)
    return tr("It came with its head ({labels}): ask it in Predict.", labels=shown)
