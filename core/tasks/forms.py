"""How labelled texts are laid out for a run: as its family's paper has it, or as the model that it came from wants it. Imports no torch."""

from __future__ import annotations

import json

from core.config import RunConfig
from core.families.family import InputForm
from core.registry import family
from core.runs import ORIGIN, Run

FAMILY, ROBERTA, PLAIN = "family", "roberta", "plain"
FORMS = {
    # fairseq and transformers: <s> A </s></s> B </s>, all of it one segment
    ROBERTA: InputForm(single=("[CLS]", "A", "[SEP]"), pair=("[CLS]", "A", "[SEP]", "[SEP]", "B", "[SEP]"), vector="first"),
    # GPT-2 with a head in transformers: the text alone, and its last token speaks for it
    PLAIN: InputForm(single=("A",), pair=("A", "B"), vector="last"),
}


def form_of(config: RunConfig) -> InputForm:
    """That of a finetune, or that of the family."""
    return FORMS.get(getattr(config.task, "form", FAMILY), family(config.family).form)


def form_for(run: Run) -> str:
    """The form in which a finetune of that run reads its texts."""
    try:
        origin = json.loads((run.path / ORIGIN).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return FAMILY  # it was trained here
    return ROBERTA if isinstance(origin, dict) and origin.get("model_type") == "roberta" else FAMILY


def stands_alone(config: RunConfig) -> bool:
    """Whether a finetune came with its head from elsewhere: no run of this program lies beneath it, so it can itself be finetuned anew."""
    return config.task is not None and not config.task.pretrained
