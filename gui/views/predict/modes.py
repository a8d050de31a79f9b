"""What can be asked of the runs: the modes of the predict view, what each wants typed, and what is typed there at first."""

from __future__ import annotations

from dataclasses import dataclass

from core.i18n import tr, tr_in
from core.registry import TASKS, task

FILL, NEXT, WRITE = "fill", "next", "write"
LANGUAGE_MODES = (FILL, NEXT, WRITE)  # of pretrained runs; a finetuned run is asked in the mode that is named like its task
GAP = "[MASK]"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One box to type into. lines: its height. name: as in the task's inputs."""

    name: str
    title: str
    begin: str
    lines: int = 2


def mode_titles() -> dict[str, str]:
    known = {FILL: tr("Fill a gap"), NEXT: tr("What comes next"), WRITE: tr("Write on"), "classification": tr("Classify"), "pair": tr("Compare"),
             "multiple_choice": tr("Choose"), "tagging": tr("Tag"), "span": tr("Answer")}
    return known | {name: tr(task(name).title) for name in TASKS if name not in known}


def mode_hints() -> dict[str, str]:
    """One sentence above the boxes."""
    known = {
        FILL: tr("What would stand in the gap? BERT reads both sides of it, GPT the left one, ELMo each side by itself."),
        NEXT: tr("The likeliest next tokens after the text."),
        WRITE: tr("GPT writes on, token by token. Point at a token to see what else it could have been."),
        "classification": tr("How likely each class is for this text."),
        "pair": tr("What the two texts are to each other, in both orders."),
        "multiple_choice": tr("How likely each of the choices is."),
        "tagging": tr("What it has learnt to tag is marked in the text."),
        "span": tr("The answer is marked in the passage."),
    }
    return known | {name: tr(task(name).about) for name in TASKS if name not in known}


def fields(mode: str, language: str) -> tuple[Field, ...]:
    """language: of what stands in the boxes at first, one of i18n.LANGUAGES."""
    passage = tr_in(language, "Lexiscope was written in 2026. It trains small language models on a laptop and shows what happens inside them.")
    question = tr_in(language, "What does Lexiscope train?")
    known = {
        FILL: (Field(name="text", title=tr("Text with [MASK]"), begin=tr_in(language, "She ate a sweet red [MASK] after lunch.")),),
        NEXT: (Field(name="text", title=tr("Text"), begin=tr_in(language, "She ate a sweet red")),),
        WRITE: (Field(name="text", title=tr("Beginning"), begin=tr_in(language, "She ate a sweet red")),),
        "classification": (Field(name="text", title=tr("Text"), begin=tr_in(language, "The room was clean and the people were kind.")),),
        "tagging": (Field(name="text", title=tr("Text"), lines=3,
                          begin=tr_in(language, "Anna flew from Berlin to Paris with an apple and a phone by Apple.")),),
        "pair": (Field(name="text_a", title=tr("First text"), begin=tr_in(language, "How do I learn to cook?")),
                 Field(name="text_b", title=tr("Second text"), begin=tr_in(language, "What is the best way to learn cooking?"))),
        "multiple_choice": (Field(name="context", title=tr("Passage"), begin=passage, lines=3),
                            Field(name="question", title=tr("Question"), begin=question, lines=1),
                            Field(name="choices", title=tr("Choices, one a line"), lines=3,
                                  begin=tr_in(language, "language models\nlaptops\npeople"))),
        "span": (Field(name="context", title=tr("Passage"), begin=passage, lines=4),
                 Field(name="question", title=tr("Question"), begin=question, lines=1)),
    }
    if mode in known:
        return known[mode]
    begun = {field.name: field for given in known.values() for field in given}  # a task's boxes are called as what it asks for
    return tuple(begun.get(name, Field(name=name, title=name, begin="")) for name in task(mode).asked)
