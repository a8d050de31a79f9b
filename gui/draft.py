"""The settings of the next run, as they come together out of a preset, the chosen text and the watched word."""

from __future__ import annotations

import dataclasses
from typing import Any

from core import config as configs
from core import i18n
from core.config import RunConfig, TextConfig
from core.errors import UserError
from core.registry import FAMILIES, family
from gui import specimen_store
from gui.session import Session

SOURCE = ("files", "corpus", "columns", "encoding", "documents")  # which text; the rest of TextConfig is how it is cut
PRESET = "quick"
WORDS = {"zh": "苹果", "en": "apple"}  # the built-in texts are about these before all others


def default_text() -> TextConfig:
    """The built-in text in the language of the window."""
    return TextConfig(corpus="zh" if i18n.language().startswith("zh") else "en")


def text_options(text: TextConfig) -> dict[str, Any]:
    """What a chosen text lays over a preset: where it comes from always, how it is cut only where somebody has changed that."""
    plain = TextConfig()
    names = [item.name for item in dataclasses.fields(TextConfig)]
    return {f"text.{name}": getattr(text, name) for name in names if name in SOURCE or getattr(text, name) != getattr(plain, name)}


def watch_options(word: str, text: TextConfig) -> dict[str, Any]:
    """The word to watch, and the person's own sentences for it where there are any.

    A built-in text knows its own words only: with another word, the star of that text is watched.
    """
    if not text.files and specimen_store.builtin_language(word) != text.corpus:
        word = WORDS[text.corpus]
    if not word:
        return {}
    own = str(specimen_store.own_path(word)) if specimen_store.is_changed(word) else ""
    return {"watch.word": word, "watch.specimens": own}


def first_draft(session: Session, family_name: str = "", preset: str = PRESET) -> RunConfig:
    """The preset on the session's text. A family or preset that does not exist gives the last family, the quick preset."""
    name = family_name if family_name in FAMILIES else list(FAMILIES)[-1]
    preset = preset if preset in family(name).presets else PRESET
    text = session.text or default_text()
    return configs.build(name, preset, {**text_options(text), **watch_options(session.word, text)})


def with_text(draft: RunConfig, text: TextConfig, before: TextConfig | None = None) -> RunConfig:
    """The same settings on another text; a word that a built-in text cannot know gives way to one that it does.

    before: the text that was laid over them last. What only it had changed is the preset's again.
    """
    names, mine = ({key.partition(".")[2] for key in text_options(one)} if one else set() for one in (before, text))
    preset = configs.build(draft.family, draft.preset).text
    options = {name: getattr(text if name in mine else preset, name) for name in names | mine}
    watch = draft.watch
    if not text.files and not watch.specimens and specimen_store.builtin_language(watch.word) != text.corpus:
        watch = dataclasses.replace(watch, word=WORDS[text.corpus])
    return dataclasses.replace(draft, text=dataclasses.replace(draft.text, **options), watch=watch)


def preset_values(draft: RunConfig) -> dict[str, dict[str, Any]]:
    """Section -> option -> value, as the draft's preset has them on the draft's text."""
    source = {f"text.{name}": getattr(draft.text, name) for name in SOURCE}
    plain = configs.build(draft.family, draft.preset, source)
    return {section: {item.name: getattr(getattr(plain, section), item.name) for item in dataclasses.fields(getattr(plain, section))}
            for section in configs.SECTIONS}


def usable(draft: RunConfig) -> bool:
    """Whether this version still knows the draft's family and preset; a finetune has a form of its own."""
    try:
        return draft.task is None and draft.preset in family(draft.family).presets
    except UserError:
        return False
