"""The verbs about senses: what they print, what they write, and what they refuse in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core import cli, i18n
from core.cli import sensing
from core.errors import UserError
from core.runs import Run
from core.text.specimens import Specimen, write_specimens
from core.train import worker
from tests.helpers.runs import make_run


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(worker, "_listen", lambda: lambda: False)
    run = make_run(tmp_path, "gpt", steps=4)
    assert worker.work(run.path) == 0
    return run


def test_film_words_probe_and_the_figure_of_senses(trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, sentences = str(trained.path), ["--sentences", str(trained.specimens_path)]
    assert cli.main(["film", run, *sentences, "--out", str(tmp_path / "film.svg")]) == 0
    assert "Saved as" in capsys.readouterr().out
    assert "animateTransform" in (tmp_path / "film.svg").read_text(encoding="utf-8")
    capsys.readouterr()
    assert cli.main(["words", run, *sentences, "--text", "妈妈吃了一口苹果。", "--json"]) == 0
    found, = json.loads(capsys.readouterr().out)
    assert found["words"][0]["word"] == "妈妈" and found["hidden_by"] == "remove"
    assert cli.main(["words", run, *sentences, "--text", "妈妈吃了一口苹果。"]) == 0
    said = capsys.readouterr().out
    assert "Score: the cosine" in said and "Hidden words are taken out" in said
    assert cli.main(["words", run, *sentences, "--text", "苹果很甜。"]) == 0  # GPT has read nothing before it
    assert "Nothing changes: “苹果” has the same vector whatever is hidden." in (said := capsys.readouterr().out) and "score 0" not in said
    assert cli.main(["probe", run, "--labels", str(trained.specimens_path), "--json"]) == 0
    found, = json.loads(capsys.readouterr().out)
    assert len(found["layers"]) == 3 and found["labels"] == {"company": 6, "fruit": 6}
    assert cli.main(["probe", run, "--labels", str(trained.specimens_path)]) == 0
    assert "With one word only, the control gives each sentence a random label." in capsys.readouterr().out
    assert cli.main(["senses", run, *sentences, "--out", str(tmp_path / "s.svg")]) == 0
    assert f"Saved as {tmp_path / 's.svg'}." in capsys.readouterr().out
    assert ">苹果<" in (tmp_path / "s.svg").read_text(encoding="utf-8")


def test_built_in_senses_are_named_in_the_language_of_the_reader(trained: Run, capsys: pytest.CaptureFixture[str],
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    run, sentences = str(trained.path), ["--sentences", str(trained.specimens_path)]
    verbs = (["senses", run, *sentences], ["words", run, *sentences, "--text", "妈妈吃了一口苹果。"])
    for language, named in (("en", "fruit"), ("zh_CN", "水果")):
        monkeypatch.setattr(i18n, "_language", language)
        for verb in verbs:
            assert cli.main(verb) == 0
            told = capsys.readouterr().out
            assert named in told and ("fruit" in told) == (language == "en")
        assert cli.main([*verbs[1], "--json"]) == 0
        assert json.loads(capsys.readouterr().out)[0]["sense"] in ("fruit", "company")  # what programs read stays as the file has it


def test_pictures_with_the_place_aside_are_others_and_say_so(trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sentences, pictures = tmp_path / "first_and_later.tsv", {}
    told = {"fruit": ("很甜", "熟了", "落了"), "company": ("发布了", "涨价了", "开会了")}  # a place counts from five sentences
    rows = [f"{sense}\t{before}苹果{words}。" for sense, group in told.items() for words in group for before in ("", "他说", "是")]
    sentences.write_text("word\tsense\ttext\n" + "".join(f"苹果\t{row}\n" for row in rows), encoding="utf-8")
    for verb in ("film", "senses"):
        for options in ([], ["--place-aside"]):
            out = tmp_path / f"{verb}{len(options)}.svg"
            assert cli.main([verb, str(trained.path), "--sentences", str(sentences), "--out", str(out), *options]) == 0
            pictures[out.stem] = out.read_text(encoding="utf-8")
        assert "place aside" in pictures[f"{verb}1"] and "place aside" not in pictures[f"{verb}0"]
        without_titles = [pictures[f"{verb}{number}"].replace(" · place aside", "") for number in (0, 1)]
        assert without_titles[0] != without_titles[1]
    capsys.readouterr()
    assert cli.main(["senses", str(trained.path), "--place-aside"]) == cli.USER_ERROR
    assert "--out" in capsys.readouterr().err


def test_vectors_that_differ_by_rounding_alone_are_one_point_of_the_film_as_in_the_window(trained: Run, tmp_path: Path) -> None:
    for step in trained.probe_steps():
        with np.load(trained.probe_path(step)) as probe:
            shape = probe["vectors"].shape
        nearly_one = 1 + 2e-4 * np.random.default_rng(step).normal(size=shape)
        np.savez(trained.probe_path(step), vectors=nearly_one.astype(np.float32), step=np.array(step))
    out = tmp_path / "film.svg"
    assert cli.main(["film", str(trained.path), "--sentences", str(trained.specimens_path), "--out", str(out)]) == 0
    assert ">×12</text>" in out.read_text(encoding="utf-8")


def test_of_several_words_those_that_cannot_be_measured_are_named_and_the_others_measured(trained: Run, tmp_path: Path,
                                                                                          capsys: pytest.CaptureFixture[str]) -> None:
    words, unknown = tmp_path / "words.tsv", [f"凤梨\t{sense}\t凤梨{text}\t0" for sense, text in zip("aabb", "一二三四", strict=True)]
    head, *known = trained.specimens_path.read_text(encoding="utf-8").splitlines()
    words.write_text("\n".join([head, *unknown, *known]), encoding="utf-8")
    asked = ["senses", str(trained.path), "--sentences", str(words)]
    assert cli.main(asked) == 0
    said = capsys.readouterr()
    assert f"Left out: 凤梨 in {trained.name}. The model does not know" in said.err and "苹果" in said.out
    assert cli.main([*asked, "--json"]) == 0
    assert [item["word"] for item in json.loads(capsys.readouterr().out)] == ["苹果"]
    assert cli.main([*asked, "--word", "凤梨"]) == cli.USER_ERROR
    words.write_text("\n".join([head, *unknown, *(line.replace("凤梨", "榴莲") for line in unknown)]), encoding="utf-8")
    assert cli.main(asked) == cli.USER_ERROR
    said = capsys.readouterr().err
    assert "Left out: 榴莲" in said and "None of the words can be measured." in said


def test_what_cannot_be_is_said(trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = tmp_path / "two.tsv"
    two.write_text("word\tsense\ttext\n苹果\ta\t苹果\n花\tb\t花\n", encoding="utf-8")
    for arguments, words in ((["film", str(trained.path), "--out", str(tmp_path / "film.gif")], "leave from the window"),
                             (["film", str(trained.path), "--out", str(tmp_path / "film.mp4")], "writes a film as .svg"),
                             (["words", str(trained.path), "--sentences", str(two), "--text", "苹果"], "several words: 苹果, 花"),
                             (["words", str(trained.path), "--text", "没有"], "does not stand in the sentence"),
                             (["words", str(trained.path), "--text", "苹果很甜", "--layer", "9"], "There is no layer 9"),
                             (["project", str(trained.path), "--words", "苹果", "--layer", "9"], "There is no layer 9"),
                             (["project", str(trained.path), "--words", ""], "behind --words"),
                             (["probe", str(trained.path), "--labels", str(tmp_path / "no.tsv")], "no.tsv")):
        assert cli.main(arguments) == cli.USER_ERROR
        assert words in capsys.readouterr().err


def test_without_a_file_the_sentences_are_those_the_run_watched_or_built_in_ones_of_either_language(tmp_path: Path) -> None:
    run = make_run(tmp_path, "bert")
    assert {one.word for one in sensing.specimens_of(run, None, "bank")} == {"bank"}  # its settings say that its text is Chinese
    assert len(sensing.specimens_of(run, None, None)) == 100
    write_specimens(tmp_path / "run0" / "specimens.tsv", [Specimen(word="苹果", sense="fruit", text="苹果很甜")])
    assert [one.text for one in sensing.specimens_of(run, None, None)] == ["苹果很甜"]
    with pytest.raises(UserError, match="no labelled sentence for '香蕉'"):
        sensing.specimens_of(run, None, "香蕉")
