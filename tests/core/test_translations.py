"""Every text that a person reads exists in Chinese: the literals given to tr, the options' help, the families' sentences."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest

from core import config, i18n
from core.errors import UserError
from core.i18n import sentences
from core.registry import FAMILIES, TASKS, family, task

ROOT = Path(__file__).resolve().parents[2]
SLOT = re.compile(r"\{(\w+)[^{}]*\}")


def sources() -> list[Path]:
    return [path for folder in ("core", "gui") for path in sorted((ROOT / folder).rglob("*.py"))]


def literals(path: Path) -> dict[str, int]:
    """text -> line of every tr("...") and tr_in(language, "..."); a tr of anything but a literal must be of a text that is collected elsewhere."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute) and node.args:
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            text = node.args[-1] if name == "tr_in" else node.args[0]
            if name in ("tr", "tr_in") and isinstance(text, ast.Constant):
                found[text.value] = node.lineno
    return found


def test_every_literal_has_a_translation_with_the_same_slots() -> None:
    chinese = i18n.catalogue("zh_CN")
    missing = []
    for path in sources():
        for text, line in literals(path).items():
            if text not in chinese:
                missing.append(f"{path.relative_to(ROOT)}:{line}: {text}")
            else:
                assert set(SLOT.findall(text)) == set(SLOT.findall(chinese[text])), text
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("name", FAMILIES)
def test_options_and_families_are_explained_in_chinese(name: str) -> None:
    chinese = i18n.catalogue("zh_CN")
    texts = [item.metadata["help"] for kind in config.section_types(name).values() for item in dataclasses.fields(kind)]
    missing = [text for text in [*texts, family(name).limit] if text not in chinese]
    assert not missing, "\n".join(missing)


def test_the_second_stage_is_explained_in_chinese() -> None:
    chinese = i18n.catalogue("zh_CN")
    texts = [item.metadata["help"] for item in dataclasses.fields(config.section_types("bert", finetune=True)["task"])]
    texts += [text for name in TASKS for text in (task(name).title, task(name).about, task(name).blind) if text]
    missing = [text for text in texts if text not in chinese]
    assert not missing, "\n".join(missing)


def test_nothing_is_translated_that_is_not_said() -> None:
    said = {text for path in sources() for text in literals(path)}
    said |= {item.metadata["help"] for name in FAMILIES for kind in config.section_types(name).values() for item in dataclasses.fields(kind)}
    said |= {family(name).limit for name in FAMILIES}
    plain = "\n".join(path.read_text(encoding="utf-8") for path in sources())
    # texts that stand in a table and are given to tr by name
    left = [text for text in i18n.catalogue("zh_CN") if text not in said and f'"{text}"' not in plain]
    assert not left, "\n".join(left)


def test_one_thing_has_one_name_in_chinese() -> None:
    others = {"您": "你", "义项": "词义", "本义": "所属词义", "样例": "样本", "例子": "样本", "拿下": "移出"}
    said = [f"{text} ({wrong}: {right})" for text in i18n.catalogue("zh_CN").values() for wrong, right in others.items() if wrong in text]
    assert not said, "\n".join(said)


@pytest.mark.parametrize(("variables", "language"), [
    ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
    ({"LANG": "en_US.UTF-8"}, "en"),
    ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
    ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_TW.UTF-8"}, "zh_CN"),
    ({"LANG": "zh_CN.UTF-8", i18n.ENVIRONMENT_VARIABLE: "en"}, "en"),
    ({}, "zh_CN"),
])
def test_the_language_is_that_of_the_variables_whether_or_not_their_locale_is_installed(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str],
                                                                                       language: str) -> None:
    for name in (i18n.ENVIRONMENT_VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(i18n.locale, "getlocale", lambda: ("en_US" if variables else "zh_CN", "UTF-8"))  # "en_US" is how Python calls C.UTF-8
    assert i18n.system_language() == language


def test_a_full_width_mark_needs_no_space_behind_it() -> None:
    assert sentences("The run has no checkpoint.", "", "Wait.") == "The run has no checkpoint. Wait."
    assert sentences("训练还没有检查点。", "请稍等。") == "训练还没有检查点。请稍等。" and sentences("", "") == ""
    assert str(UserError("文件是空的。", "请换一个。")) == "文件是空的。请换一个。"
