"""The verbs that look inside a run."""

from __future__ import annotations

import json

import pytest

from core import cli
from tests.helpers.saved import saved_run


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return saved_run(tmp_path_factory.mktemp("runs"), "bert", steps=(10,))


def test_attention_as_json_and_as_a_figure(bert, tmp_path, capsys) -> None:
    out = tmp_path / "a.svg"
    assert cli.main(["attention", str(bert.path), "--text", "老师吃苹果。", "--layer", "2", "--head", "1", "--out", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["words"] == ["[CLS]", "老师", "吃", "苹果", "。", "[SEP]"] and (answer["layer"], answer["head"]) == (2, 1)
    assert all(sum(row) == pytest.approx(1, abs=1e-4) for row in answer["weights"]) and len(answer["heads"]["entropy"]) == 2
    svg = out.read_text(encoding="utf-8")
    assert svg.count(">苹果</text>") == 2 and "layer 2, head 1" in svg


def test_attention_as_words(bert, capsys) -> None:
    assert cli.main(["attention", str(bert.path), "--text", "老师吃苹果。", "--pair", "他看手机", "--hide-specials", "--tokens", "--rollout"]) == 0
    said = capsys.readouterr().out
    assert "rollout up to layer 2" in said and "[CLS]" not in said and "\n  苹\t" in said and "\n  1.2\t" in said
    assert cli.main(["attention", str(bert.path), "--text", "他", "--hide-specials", "--tokens"]) == 0
    assert "–" in (said := capsys.readouterr().out) and "nan" not in said


def test_a_step_is_shown_only_where_it_is_there(bert, capsys) -> None:
    assert cli.main(["attention", str(bert.path), "--text", "他", "--step", "10"]) == 0 and "step 10" in capsys.readouterr().out
    assert cli.main(["project", str(bert.path), "--step", "-7"]) == 2 and "--step cannot be '-7'" in capsys.readouterr().err


@pytest.mark.parametrize(("options", "words"), [
    (["--text", ""], "Write one behind --text."),
    (["--text", "他", "--layer", "9"], "1 to 2"), (["--text", "他", "--out", "a.jpg"], "cannot be saved as"),
    (["--text", "他", "--head", "0"], "--head is 0"),
    (["--text", "他", "--step", "3"], "There are: 10."), (["--text", "他", "--step", "-1"], "--step cannot be '-1'")])
def test_what_is_wrong_is_one_sentence(bert, capsys, options, words) -> None:
    assert cli.main(["attention", str(bert.path), *options]) == 2
    assert words in capsys.readouterr().err
