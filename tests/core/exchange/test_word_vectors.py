"""Word vectors out and in: word2vec's files with gensim as the peer, the Projector's tables, NumPy's arrays, and the search of the map in them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from core.analysis.maps import neighbours
from core.errors import UserError
from core.exchange.vectors import files as vector_files
from core.exchange.vectors import opened as word_vectors
from core.exchange.vectors import projector
from core.exchange.vectors.opened import open_vectors
from core.vector_source import COSINE, FILE, VectorSource

WORDS = ["苹果", "apple", "ü", "3.14", *(f"word{number}" for number in range(3000))]


@pytest.fixture(autouse=True)
def _fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXISCOPE_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def array() -> np.ndarray:
    made = np.random.default_rng(0).standard_normal((len(WORDS), 12)).astype(np.float32)
    made[7] = 0
    return made


def write(kind: str, folder: Path, array: np.ndarray) -> Path:
    match kind:
        case "text":
            vector_files.save_text(folder / "v.txt", WORDS, array)
            return folder / "v.txt"
        case "binary":
            vector_files.save_binary(folder / "v.bin", WORDS, array)
            return folder / "v.bin"
        case "npy":
            vector_files.save_npy(folder / "v.npy", WORDS, array)
            return folder / "v.npy"
        case "npz":
            np.savez(folder / "v.npz", words=np.array(WORDS), vectors=array)
            return folder / "v.npz"
    projector.save(folder / "p", WORDS, array, {"sense": ["x", *WORDS[1:]]} if kind == "columns" else None)
    return folder / "p"


@pytest.mark.parametrize("kind", ["text", "binary", "npy", "npz", "projector", "columns"])
def test_what_was_written_comes_back_bit_for_bit(kind: str, tmp_path: Path, array: np.ndarray) -> None:
    path = write(kind, tmp_path, array)
    for _ in range(2):  # read, then from the cache
        opened = open_vectors(path)
        assert list(opened.words) == WORDS
        np.testing.assert_array_equal(opened.array, array)
        assert isinstance(opened.array, np.memmap)
    assert opened.columns == ({"sense": ["x", *WORDS[1:]]} if kind == "columns" else {})


def test_a_changed_file_is_read_anew(tmp_path: Path, array: np.ndarray) -> None:
    path = write("text", tmp_path, array)
    open_vectors(path)
    vector_files.save_text(path, ["new"], array[:1])
    assert list(open_vectors(path).words) == ["new"]


def test_what_was_left_half_converted_long_ago_is_removed(tmp_path: Path, array: np.ndarray) -> None:
    cache = tmp_path / "home" / "cache" / "vectors"
    old, young = cache / ".building-old", cache / ".building-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    open_vectors(write("text", tmp_path, array))
    assert not old.exists() and young.exists(), "another process may be at work in it"


def test_of_what_was_converted_the_newest_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_vectors, "KEPT", 2)
    for number in range(4):
        vector_files.save_text(tmp_path / f"{number}.txt", [str(number)], np.ones((1, 2), np.float32))
        open_vectors(tmp_path / f"{number}.txt")
        for folder in (tmp_path / "home" / "cache" / "vectors").iterdir():
            if (folder / "words.txt").read_text() == str(number):
                os.utime(folder, (number, number))
    kept = {(folder / "words.txt").read_text() for folder in (tmp_path / "home" / "cache" / "vectors").iterdir()}
    assert kept == {"2", "3"}


def test_of_several_layers_the_last_is_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", words=np.array(["a", "b", "a"]), vectors=np.arange(12, dtype=np.float32).reshape(2, 3, 2))
    opened = open_vectors(tmp_path / "v.npz")
    assert opened.array.tolist() == [[6, 7], [8, 9], [10, 11]] and list(opened.words) == ["a", "b", "a"]


def test_the_column_of_the_words_is_known_by_its_heading(tmp_path: Path) -> None:
    (tmp_path / "vectors.tsv").write_text("1\t2\n3\t4\n", encoding="utf-8")
    (tmp_path / "metadata.tsv").write_text("sense\tWord\nfruit\t苹果\nsharp\tapple\n", encoding="utf-8")
    opened = open_vectors(tmp_path)
    assert list(opened.words) == ["苹果", "apple"] and opened.columns == {"sense": ["fruit", "sharp"]}
    (tmp_path / "metadata.tsv").write_text("one\ntwo\nthree\n", encoding="utf-8")
    with pytest.raises(UserError, match="3 words and 2 vectors"):
        open_vectors(tmp_path)


def test_words_that_were_put_right_beside_an_array_are_read_anew(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.eye(3))  # of float64: converted into the cache
    (tmp_path / "v.txt").write_text("eins\nzwei\ndrei\n", encoding="utf-8")
    assert list(open_vectors(tmp_path / "v.npy").words) == ["eins", "zwei", "drei"]
    (tmp_path / "v.txt").write_text("eins\nzwei\nfünf\n", encoding="utf-8")
    assert list(open_vectors(tmp_path / "v.npy").words) == ["eins", "zwei", "fünf"]


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_reads_ours_and_we_read_gensims(binary: bool, tmp_path: Path, array: np.ndarray) -> None:
    models = pytest.importorskip("gensim.models")
    ours = write("binary" if binary else "text", tmp_path, array)
    theirs = models.KeyedVectors.load_word2vec_format(str(ours), binary=binary)
    assert theirs.index_to_key == WORDS
    np.testing.assert_allclose(theirs.vectors, array, atol=1e-6)
    theirs.save_word2vec_format(str(tmp_path / "theirs.vec"), binary=binary)
    again = open_vectors(tmp_path / "theirs.vec")
    assert list(again.words) == WORDS
    np.testing.assert_allclose(again.array, array, atol=1e-6)
    word, cosine = theirs.most_similar("苹果", topn=1)[0]
    found = neighbours(VectorSource(kind=FILE, path=str(tmp_path / "theirs.vec")), 0, COSINE, 1)
    assert WORDS[found["rows"][0]] == word and abs(cosine - (1 - found["distances"][0])) < 1e-5


def test_glove_has_no_first_line_and_words_with_spaces(tmp_path: Path, array: np.ndarray) -> None:
    lines = [f"{word} {' '.join(map(str, vector))}" for word, vector in zip(["the", ". . .", "x"], array, strict=False)]
    (tmp_path / "glove.txt").write_text("\n".join(lines), encoding="utf-8")
    opened = open_vectors(tmp_path / "glove.txt")
    assert list(opened.words) == ["the", ". . .", "x"]
    np.testing.assert_array_equal(opened.array, array[:3])


def test_the_search_is_exact_and_leaves_out_what_points_nowhere(tmp_path: Path, array: np.ndarray) -> None:
    source = VectorSource(kind=FILE, path=str(write("binary", tmp_path, array)))
    unit = array.astype(np.float64) / np.maximum(np.linalg.norm(array.astype(np.float64), axis=1, keepdims=True), 1e-30)
    for row in (0, 11, 2000):
        cosines = unit @ unit[row]
        cosines[row] = -2
        expected = np.argsort(-cosines)[:15]
        found = neighbours(source, row, COSINE, 15)
        assert found["rows"].tolist() == expected.tolist()
        np.testing.assert_allclose(1 - found["distances"], cosines[expected], atol=1e-6)
    everyone = neighbours(source, 0, COSINE, len(WORDS))["rows"]
    assert 7 not in everyone and len(everyone) == len(WORDS) - 2


def write_npy(path: Path, array: np.ndarray, header: int) -> None:
    """A .npy whose numbers begin `header` bytes after its first, as programs other than NumPy write them."""
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {array.shape}, }}".encode()
    head = head.ljust(header - 11) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + array.tobytes())
    path.with_suffix(".txt").write_text("\n".join(WORDS), "utf-8")


@pytest.mark.parametrize(("header", "mapped"), [(128, True), (127, False)])
def test_an_npy_whose_numbers_are_not_aligned_is_converted_once(header: int, mapped: bool, tmp_path: Path, array: np.ndarray) -> None:
    write_npy(tmp_path / "v.npy", array, header)
    opened = open_vectors(tmp_path / "v.npy")
    np.testing.assert_array_equal(opened.array, array)
    assert opened.array.flags.aligned and (Path(opened.array.filename).name == "v.npy") is mapped


@pytest.mark.parametrize(("text", "words"), [
    ("3 2\na 1 2\nb 3 4\n", "promises 3"), ("2 2\na 1 2\nb 3\n", "line 3"), ("1 2\na 1 nan\n", "vector 1"), ("", "holds no vectors"),
    ("1 999999999999\na 1\n", "numbers"), ("a 1 2\nb x 4\n", "line 2")])
def test_what_is_wrong_is_said(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=words):
        open_vectors(tmp_path / "v.txt")


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    import pickle

    for name in ("v.bin", "v.txt", "v.npy", "v.npz"):
        (tmp_path / name).write_bytes(pickle.dumps({"a": np.zeros(3)}))
        with pytest.raises(UserError):
            open_vectors(tmp_path / name)
    for head in (b"PK\x03\x04", b"\x80\x02"):  # PyTorch's, new and old
        (tmp_path / "model.pt").write_bytes(head + bytes(100))
        with pytest.raises(UserError, match="can run any program"):
            open_vectors(tmp_path / "model.pt")
    np.save(tmp_path / "objects.npy", np.array([{}, {}], object), allow_pickle=True)
    with pytest.raises(UserError, match="without objects"):
        open_vectors(tmp_path / "objects.npy")


@pytest.mark.parametrize(("name", "content", "words"), [("essay.docx", b"PK\x03\x04", "neither a model nor word vectors"),
                                                        ("model.pt", b"PK\x03\x04", "pickle"), ("text.csv", b"one two\n", "choose it under Text")])
def test_what_is_text_to_learn_from_is_no_pickle_and_is_told_where_it_belongs(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    from core.exchange.vectors import files

    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=words):
        files.refuse_pickle(tmp_path / name)
        raise files.damaged(tmp_path / name, "no vectors")
