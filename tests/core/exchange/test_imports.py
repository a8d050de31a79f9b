"""Whatever is dropped on the program: what becomes of it; and the verbs import, pack and export for word vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core import cli
from core.analysis.encode import Loaded, load, static_vectors, word_vectors
from core.analysis.neighbours import neighbours_of_run
from core.analysis.occurrences import Occurrence
from core.errors import UserError
from core.exchange.exports import export
from core.exchange.imports import for_window, import_any
from core.exchange.vectors import exports as vector_exports
from core.exchange.vectors import files as vector_files
from core.exchange.vectors import projector
from core.exchange.vectors.opened import open_vectors
from core.runs import Run
from core.text.specimens import Specimen
from tests.helpers.saved import saved_run


@pytest.fixture(autouse=True)
def _fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXISCOPE_HOME", str(tmp_path / "home"))


WORDS = ["the", "apple", "苹果", "pear", "[CLS]", "apple"]


def test_word_vectors_become_a_run(tmp_path: Path) -> None:
    array = np.random.default_rng(0).standard_normal((len(WORDS), 8)).astype(np.float32)
    array[3] = 2 * array[2]
    projector.save(tmp_path / "vectors", WORDS, array)
    made = for_window(str(tmp_path / "vectors"))
    run = Run.open(Path(made["run"]))
    loaded = load(run)
    assert run.config.family == "word2vec" and loaded.tokenizer.vocab_size == 7 + 4  # without [CLS], and apple once
    np.testing.assert_array_equal(static_vectors(loaded)[7:], array[:4])
    assert neighbours_of_run(run, "苹果", 1)[0][0] == "pear"
    found = word_vectors(loaded.encoder, loaded.family, loaded.tokenizer, [Specimen(word="苹果", sense="a", text="我买了苹果。")])
    np.testing.assert_array_equal(found[0, 0], array[2])


def test_a_run_stays_where_it_is_and_the_rest_is_refused(tmp_path: Path) -> None:
    run = saved_run(tmp_path)
    assert import_any(run.path).run == run.path
    (tmp_path / "empty").mkdir()
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    for path in (tmp_path / "empty", tmp_path / "nothing", tmp_path / "picture.png"):
        with pytest.raises(UserError):
            import_any(path)


def test_the_verbs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = saved_run(tmp_path)
    assert cli.main(["pack", str(run.path), str(tmp_path / "out.lexi")]) == 0
    assert cli.main(["import", str(tmp_path / "out.lexi"), "--run", str(tmp_path / "again")]) == 0
    assert Run.open(tmp_path / "again").config == run.config
    assert str(tmp_path / "again") in capsys.readouterr().out
    assert cli.main(["import", str(tmp_path / "nothing")]) == 2
    assert "missing" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["word2vec", "word2vec_binary", "npy", "embedding_projector"])
def test_static_vectors_leave(target: str, tmp_path: Path) -> None:
    run = saved_run(tmp_path, "gpt")
    loaded = load(run)
    report = getattr(vector_exports, target)(run, tmp_path / "out", {}, lambda share, words: None)
    opened, expected = open_vectors(Path(report["path"])), static_vectors(loaded)
    assert "[CLS]" not in opened.words
    for row, word in enumerate(opened.words):
        np.testing.assert_array_equal(opened.array[row], expected[loaded.tokenizer.id(word)])
    assert len(opened) == sum(1 for row in range(7, loaded.tokenizer.vocab_size) if loaded.tokenizer.token(row).strip())


def test_a_folder_whose_name_has_a_dot_is_a_folder(tmp_path: Path) -> None:
    run = saved_run(tmp_path, "gpt")
    for target, folder, name in (("npy", "exports.v2", "vectors.npy"), ("word2vec", "exports.v3", "vectors.txt")):
        assert export(str(run.path), target, str(tmp_path / folder))["path"] == str(tmp_path / folder / name)


@pytest.mark.parametrize("target", ["huggingface", "onnx"])
def test_a_name_that_is_no_utf8_is_refused_before_anything_is_written(target: str, tmp_path: Path) -> None:
    run = saved_run(tmp_path, "gpt")
    with pytest.raises(UserError, match="not written in UTF-8") as caught:
        export(str(run.path), target, str(tmp_path / "\udcc4\udca3" / "mine"))
    assert caught.value.where == "out" and not (tmp_path / "\udcc4\udca3").exists()


@pytest.mark.parametrize("name", ["v.vec", "v.txt", "v.npy"])
def test_vectors_never_replace_what_stands_there(name: str, tmp_path: Path) -> None:
    run = saved_run(tmp_path, "gpt")
    (tmp_path / name).write_text("mine", encoding="utf-8")
    export = vector_exports.npy if name != "v.vec" else vector_exports.word2vec  # an array's words go into v.txt
    with pytest.raises(UserError, match="is there already"):
        export(run, tmp_path / ("v.vec" if name == "v.vec" else "v.npy"), {}, lambda share, words: None)
    assert (tmp_path / name).read_text(encoding="utf-8") == "mine"


def test_all_occurrences_of_a_word_leave_with_their_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = saved_run(tmp_path)
    text = (tmp_path / "text.txt").read_text(encoding="utf-8")
    report = vector_exports.occurrences(run, tmp_path / "out.npz", {"word": "苹果"}, lambda share, words: None)
    with np.load(report["path"], allow_pickle=False) as file:
        held = {name: file[name] for name in file.files}
    assert held["vectors"].shape[:2] == (3, text.count("苹果")) == (3, len(held["sentences"]))
    for sentence, (start, end) in zip(held["sentences"][:20], held["spans"], strict=False):
        assert sentence[start:end] == "苹果"
    loaded = load(run)
    expected = word_vectors(loaded.encoder, loaded.family, loaded.tokenizer, [Specimen(word="苹果", sense="", text=held["sentences"][5])])
    np.testing.assert_allclose(held["vectors"][:, 5], expected[:, 0], atol=1e-5)
    one = vector_exports.occurrences(run, tmp_path / "one.npz", {"word": "苹果", "layer": "-1"}, lambda share, words: None)
    assert open_vectors(Path(one["path"])).columns["sentences"][5] == held["sentences"][5]
    np.testing.assert_array_equal(open_vectors(Path(one["path"])).array, held["vectors"][2])
    for options, words in (({"word": "nobody"}, "do not occur"), ({"word": "苹果", "layer": 9}, "no layer 9")):
        with pytest.raises(UserError, match=words):
            vector_exports.occurrences(run, tmp_path / "none.npz", options, lambda share, words: None)
    encoded = vector_exports._encoded

    def knows_no_first(loaded: Loaded, found: list[Occurrence]) -> np.ndarray:
        made = encoded(loaded, found)
        made[:, 0] = np.nan
        return made

    monkeypatch.setattr(vector_exports, "_encoded", knows_no_first)
    less = vector_exports.occurrences(run, tmp_path / "less.npz", {"word": "苹果"}, lambda share, words: None)
    with np.load(less["path"], allow_pickle=False) as file:
        np.testing.assert_array_equal(file["vectors"], held["vectors"][:, 1:])
        assert file["sentences"].tolist() == held["sentences"][1:].tolist() and "1 occurrences were left out" in less["notes"][0]


def test_of_a_long_sentence_the_part_around_the_word_leaves() -> None:
    text = "甲" * 700 + "苹果" + "乙" * 700
    part, (start, end) = vector_exports._around(Occurrence(word="苹果", text=text, span=(700, 702)))
    assert len(part) == vector_exports.LONGEST and part[start:end] == "苹果" and part in text
    assert vector_exports._around(Occurrence(word="苹果", text="吃苹果", span=(1, 3))) == ("吃苹果", (1, 3))


def test_the_vectors_that_leave_are_those_that_gensim_reads(tmp_path: Path) -> None:
    models = pytest.importorskip("gensim.models")
    report = vector_exports.word2vec(saved_run(tmp_path, tokenizer="word"), tmp_path / "out", {}, lambda share, words: None)
    theirs, ours = models.KeyedVectors.load_word2vec_format(report["path"]), open_vectors(Path(report["path"]))
    np.testing.assert_allclose(theirs.vectors, ours.array, atol=1e-6)
    assert theirs.index_to_key == list(ours.words)
    vector_files.save_binary(tmp_path / "x.bin", ours.words, ours.array)
    assert import_any(tmp_path / "x.bin").run.name == "word2vec-x"
