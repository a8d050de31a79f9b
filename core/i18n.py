"""Every sentence that a person reads passes through `tr`: English in the code, other languages in resources/translations.

A catalogue is a JSON object, English text -> translation. Plain dictionaries serve the command line, the worker and the
window alike; a test collects every literal given to `tr`, and every help text of the options, and asks for its translation.
"""

from __future__ import annotations

import json
import locale
import os
from functools import lru_cache
from pathlib import Path

LANGUAGES = {"zh_CN": "简体中文", "en": "English"}
ENVIRONMENT_VARIABLE = "LEXISCOPE_LANGUAGE"
_TRANSLATIONS = Path(__file__).resolve().parent.parent / "resources" / "translations"
_ROOMY = tuple("。！？；：，）")  # full-width marks, with room of their own behind them
_language = ""


def system_language() -> str:
    """The language of LEXISCOPE_LANGUAGE or else of the system, among those we speak. The variables come before the locale: where the one
    that they name is not installed, as in a container, Python has put another in its place."""
    named = filter(None, map(os.environ.get, (ENVIRONMENT_VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG")))
    wanted = next(named, None) or locale.getlocale()[0] or ""
    return "zh_CN" if wanted.lower().startswith(("zh", "chinese")) else "en"


def language() -> str:
    return _language or system_language()


def set_language(name: str) -> None:
    """Speak `name` from now on, here and in the processes that are started later."""
    global _language
    _language = name if name in LANGUAGES else "en"
    os.environ[ENVIRONMENT_VARIABLE] = _language


@lru_cache
def catalogue(name: str) -> dict[str, str]:
    path = _TRANSLATIONS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def tr(text: str, /, **values: object) -> str:
    """`text` in the language of the moment; `{name}` in it is replaced by values[name], formatted as str.format does."""
    translated = tr_in(language(), text)
    return translated.format(**values) if values else translated


def tr_in(name: str, text: str) -> str:
    """`text` in the language of that name, whatever the window speaks: what is put before a model is in the language that it has read."""
    return catalogue(name).get(text, text)


def sentences(*said: str) -> str:
    """What is said one after another, what is empty left out. Where one ends in a full-width mark, no space follows: the mark holds it."""
    text = ""
    for one in filter(None, said):
        text += one if not text or text.endswith(_ROOMY) else f" {one}"
    return text
