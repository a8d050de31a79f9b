from __future__ import annotations

import dataclasses
import errno
import os
import pickle
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core.config import TextConfig
from core.errors import UserError
from core.text import builtin, corpus, pieces, segment
from core.text.corpus import Corpus, Split, prepare
from core.text.source import Cancelled, Source, kind_of, never, nothing
from core.text.statistics import EXAMPLE_CHARACTERS, EXAMPLE_TOKENS, EXAMPLES, LONGEST_BIN, statistics
from core.text.tokenizers import UNK, char
from core.whole import ABANDONED_S

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("char", "word", "word_char", "bpe", "wordpiece")


def write(path: Path, documents: list[str]) -> Path:
    path.write_text("\n".join(documents) + "\n", encoding="utf-8")
    return path


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def some_documents(count: int = 300) -> list[str]:
    return [f"这是第{number}篇文章。苹果公司很大！I like apple number {number}. It fell." for number in range(count)]


def config_of(path: Path, **options: object) -> TextConfig:
    return TextConfig(**{"files": (str(path),), "vocab_size": 400, "min_count": 1, "watched": ("苹果", "apple"), **options})


def document_texts(made: Corpus, split: Split) -> list[str]:
    sentences = split.sentences[split.documents]
    return [made.tokenizer.decode(split.tokens[start:end].tolist()) for start, end in pairwise(sentences)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_document_is_in_one_split_and_nothing_is_lost(tmp_path: Path, kind: str) -> None:
    documents = some_documents()
    made = prepare(config_of(write(tmp_path / "x.txt", documents), tokenizer=kind, valid_percent=10), tmp_path / "cache")
    train, valid = document_texts(made, made.train), document_texts(made, made.valid)
    assert len(train) + len(valid) == len(documents) and 10 < len(valid) < 60
    squeezed = {"".join(text.lower().split()) for text in documents}
    assert {"".join(text.split()) for text in train} | {"".join(text.split()) for text in valid} == squeezed
    for split in (made.train, made.valid):
        assert split.tokens.dtype == np.uint16 and split.word_starts.dtype == np.uint8
        assert len(split.word_starts) == len(split.tokens) == split.sentences[-1]
        assert split.documents[-1] == len(split.sentences) - 1
        assert split.sentences[0] == split.documents[0] == 0
        assert (np.diff(split.sentences) > 0).all() and (np.diff(split.documents) == 4).all(), "nothing is empty"
        assert isinstance(split.tokens, np.memmap) and split.tokens.max() < made.tokenizer.vocab_size
        assert (split.word_starts[split.sentences[:-1]] == 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_those_that_the_tokenizer_gives_for_each_document(tmp_path: Path, kind: str) -> None:
    documents = ["苹果很好。第二句！", "  An apple  fell. Then 3.5 of them.  ", "只有一句", "。。。", "it's 苹果 time"]
    made = prepare(config_of(write(tmp_path / "x.txt", documents), tokenizer=kind, valid_percent=50), tmp_path / "cache")
    found = []
    for split in (made.train, made.valid):
        places = split.sentences[split.documents]
        found += [split.tokens[start:end].tolist() for start, end in pairwise(places)]
    assert sorted(found) == sorted(made.tokenizer.encode(text.strip()).ids for text in documents)


@pytest.mark.parametrize("kind", KINDS)
def test_word_starts(tmp_path: Path, kind: str) -> None:
    documents = ["苹果公司很大。", "苹果 apple falls slowly"]
    made = prepare(config_of(write(tmp_path / "x.txt", documents), tokenizer=kind, valid_percent=0.1), tmp_path / "cache")
    for split in (made.train, made.valid):
        words: list[str] = []
        for token, start in zip(split.tokens.tolist(), split.word_starts.tolist(), strict=True):
            if start:
                words.append("")
            words[-1] += made.tokenizer.token(token).strip()
        words = [word for word in words if word]
        if "大" in "".join(words) and kind != "bpe":
            assert words == ["苹果", "公司", "很大", "。"]
        elif kind != "bpe":
            assert words == ["苹果", "apple", "falls", "slowly"]
        assert words[0] == "苹果"


def test_a_sentence_of_characters_begins_as_it_does_alone(tmp_path: Path) -> None:
    documents = ["one fell. Two fell. Three", "Four. Five! Six"]
    made = prepare(config_of(write(tmp_path / "x.txt", documents), tokenizer="char"), tmp_path / "cache")
    sentences = [made.tokenizer.decode(split.tokens[start:end].tolist()) for split in (made.train, made.valid)
                 for start, end in pairwise(split.sentences)]
    assert sorted(sentences) == sorted(["one fell. ", "two fell. ", "three", "four. ", "five! ", "six"])


def test_the_split_does_not_depend_on_order_or_files(tmp_path: Path) -> None:
    documents = some_documents()
    one = prepare(config_of(write(tmp_path / "x.txt", documents)), tmp_path / "cache")
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / "1.txt", documents[:100:-1])
    write(folder / "2.txt", documents[100::-1])
    two = prepare(config_of(folder), tmp_path / "cache")
    assert sorted(document_texts(one, one.valid)) == sorted(document_texts(two, two.valid))
    assert (one.path / "tokenizer.json").read_bytes() == (two.path / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("count", (2, 3, 10))
@pytest.mark.parametrize("percent", (0.1, 50))
def test_neither_split_is_ever_empty(tmp_path: Path, count: int, percent: float) -> None:
    made = prepare(config_of(write(tmp_path / "x.txt", some_documents(count)), valid_percent=percent), tmp_path / "cache")
    assert len(made.train.documents) >= 2 and len(made.valid.documents) >= 2


@pytest.mark.parametrize("documents", ([], [" ", ""], ["只有一篇文章。"], ["同一篇文章"] * 9))
@pytest.mark.parametrize("function", (prepare, statistics))
def test_a_text_that_is_too_short_is_a_user_error(tmp_path: Path, documents: list[str], function: object) -> None:
    config = config_of(write(tmp_path / "x.txt", documents))
    with pytest.raises(UserError) as caught:
        function(config, tmp_path / "cache") if function is prepare else statistics(config)
    assert caught.value.hint
    assert not list((tmp_path / "cache").glob("*")) if (tmp_path / "cache").exists() else True


def test_documents_of_invisible_signs_are_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="too short"):
        prepare(config_of(write(tmp_path / "x.txt", ["好文章", "\u200b\u200b"])), tmp_path / "cache")


def test_an_empty_file_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"")
    with pytest.raises(UserError, match="holds no text"):
        prepare(config_of(tmp_path / "x.txt"), tmp_path / "cache")


# the cache

def test_a_second_call_reads_the_cache_and_a_change_builds_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.txt", [*some_documents(150), "", *some_documents()[150:]])
    first = prepare(config_of(path), tmp_path / "cache")
    moved = tmp_path / "y.txt"
    shutil.copy(path, moved)
    with monkeypatch.context() as patched:
        patched.setattr(corpus, "_build", lambda *arguments: pytest.fail("it is there already"))
        assert prepare(config_of(path), tmp_path / "cache").path == first.path
        assert prepare(config_of(moved), tmp_path / "cache").path == first.path, "the content counts, not the name"
    keys = {first.path}
    for options in ({"tokenizer": "word"}, {"vocab_size": 50}, {"min_count": 3}, {"lowercase": False}, {"watched": ()},
                    {"valid_percent": 9}, {"documents": "paragraph"}, {"encoding": "utf-8"}, {"columns": ("text",)}):
        keys.add(prepare(config_of(path, **options), tmp_path / "cache").path)
    path.write_text(path.read_text(encoding="utf-8").replace("很大", "很小"), encoding="utf-8")
    keys.add(prepare(config_of(path), tmp_path / "cache").path)
    assert len(keys) == 11


@pytest.mark.parametrize("name", ("train.tokens.bin", "valid.word_starts.bin", "train.sentences.bin", "tokenizer.json",
                                  "manifest.json"))
@pytest.mark.parametrize("damage", ("cut", "flip", "gone"))
def test_a_damaged_cache_is_built_again(tmp_path: Path, name: str, damage: str) -> None:
    path = write(tmp_path / "x.txt", some_documents(40))
    made = prepare(config_of(path), tmp_path / "cache")
    tokens, folder = made.train.tokens.tolist(), made.path
    del made
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "gone":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(data if damage == "flip" else data[:len(data) // 2])
    again = prepare(config_of(path), tmp_path / "cache")
    assert again.path == folder and again.train.tokens.tolist() == tokens
    assert names(tmp_path / "cache") == [folder.name]


def test_a_killed_build_leaves_nothing_that_looks_complete(tmp_path: Path) -> None:
    path = write(tmp_path / "x.txt", some_documents(30))
    program = f"""
import os
from pathlib import Path
from core.config import TextConfig
from core.text import corpus
corpus._put_in_place = lambda *folders: os._exit(9)
corpus.prepare(TextConfig(files=({str(path)!r},), min_count=1), Path({str(tmp_path / "cache")!r}))
"""
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 9
    left = list((tmp_path / "cache").iterdir())
    assert len(left) == 1 and left[0].name.startswith(".building-")
    made = prepare(config_of(path), tmp_path / "cache")
    assert len(made.train.tokens) and left[0].exists(), "another process may be at work in it"
    old = time.time() - ABANDONED_S - 10
    os.utime(left[0], (old, old))
    prepare(config_of(path), tmp_path / "cache")
    assert not left[0].exists()


def test_many_that_build_the_same_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "x.txt", some_documents())
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: prepare(config_of(path), tmp_path / "cache"), range(4)))
    program = f"""
from pathlib import Path
from core.config import TextConfig
from core.text.corpus import prepare
print(prepare(TextConfig(files=({str(path)!r},), min_count=2), Path({str(tmp_path / "cache2")!r})).path)
"""
    runs = [subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    paths = {run.communicate()[0] for run in runs}
    assert all(run.returncode == 0 for run in runs) and len(paths) == 1
    assert len({one.path for one in made}) == 1
    assert all(one.train.tokens.tolist() == made[0].train.tokens.tolist() for one in made)
    assert names(tmp_path / "cache") == [made[0].path.name]


def test_a_full_disk_is_a_user_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(corpus._Writer, "add", full)
    with pytest.raises(UserError, match="the disk is full"):
        prepare(config_of(write(tmp_path / "x.txt", some_documents(30))), tmp_path / "cache")
    assert not names(tmp_path / "cache")


def test_a_cache_folder_that_cannot_be_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot be written"):
        prepare(config_of(write(tmp_path / "x.txt", some_documents(30))), tmp_path / "file" / "cache")


@pytest.mark.parametrize("kind", KINDS)
def test_cancel(tmp_path: Path, kind: str) -> None:
    config = config_of(write(tmp_path / "x.txt", some_documents(2000)), tokenizer=kind)
    for patience in (0, 3):
        calls = iter(range(10**9))
        with pytest.raises(Cancelled):
            prepare(config, tmp_path / "cache", cancelled=lambda calls=calls, patience=patience: next(calls) >= patience)
        assert not names(tmp_path / "cache")
    with pytest.raises(Cancelled):
        statistics(config, cancelled=lambda: True)


def test_progress_rises_in_every_stage(tmp_path: Path) -> None:
    path = write(tmp_path / "x.txt", some_documents(3000))
    seen: dict[str, list[tuple[int, int]]] = {}
    prepare(config_of(path), tmp_path / "cache", lambda stage, done, total: seen.setdefault(stage, []).append((done, total)))
    size = path.stat().st_size
    assert {"building the vocabulary", "cutting the text into tokens"} <= set(seen)
    for steps in seen.values():
        assert steps == sorted(steps) and all(total == size for _, total in steps)


# tokenizers of others, several processes

def test_a_given_tokenizer_is_used_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "x.txt", some_documents(50))
    given = char.train(TextConfig(min_count=1), ["苹果 apple"])
    made = prepare(config_of(path, tokenizer="word"), tmp_path / "cache", tokenizer=given)
    assert made.tokenizer.kind == "char" and made.tokenizer.vocab_size == given.vocab_size
    assert (made.train.tokens == UNK).mean() > 0.3
    apples = np.flatnonzero((made.train.tokens[:-2] == given.id("苹")) & (made.train.tokens[1:-1] == given.id("果")))
    assert len(apples) > 20 and made.train.word_starts[apples + 2].all(), "cut out of 苹果公司, though the tokenizer watches none"
    unwatched = prepare(config_of(path, watched=()), tmp_path / "cache", tokenizer=given)
    assert unwatched.path != made.path and not unwatched.train.word_starts[apples + 2].any()
    other = prepare(config_of(path), tmp_path / "cache", tokenizer=char.train(TextConfig(min_count=1), ["香蕉"]))
    assert other.path != made.path


@pytest.mark.parametrize("kind", ("char", "word"))
def test_several_processes_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path = write(tmp_path / "x.txt", some_documents(200))
    monkeypatch.setattr(segment, "CHUNK_CHARACTERS", 1000)
    alone = prepare(config_of(path, tokenizer=kind), tmp_path / "one")
    monkeypatch.setattr(pieces, "PARALLEL_BYTES", 0)
    monkeypatch.setattr(pieces, "MOST_WORKERS", 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    shared = prepare(config_of(path, tokenizer=kind), tmp_path / "two")
    for name in ("train", "valid"):
        for part in corpus.PARTS:
            assert (getattr(getattr(alone, name), part) == getattr(getattr(shared, name), part)).all()


def test_chunks_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.txt", ["苹果 Apple " * 300, *some_documents(100)])
    large, counted = prepare(config_of(path), tmp_path / "one"), statistics(config_of(path))
    monkeypatch.setattr(segment, "CHUNK_CHARACTERS", 1)
    np.testing.assert_equal(dataclasses.asdict(statistics(config_of(path))), dataclasses.asdict(counted))
    assert counted.document_lengths[LONGEST_BIN] == 1 and counted.document_lengths.sum() == 101
    assert counted.watched == {"苹果": 400, "apple": 400} and [len(one) for one in (counted.longest, counted.examples)] == [EXAMPLES, EXAMPLES]
    assert len(counted.examples[0]) == EXAMPLE_TOKENS < counted.longest[0][0]
    small = prepare(config_of(path), tmp_path / "two")
    assert small.train.tokens.tolist() == large.train.tokens.tolist()
    assert small.train.word_starts.tolist() == large.train.word_starts.tolist()
    assert small.valid.documents.tolist() == large.valid.documents.tolist()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows tells no peak in this way")
def test_memory_stays_flat(tmp_path: Path) -> None:
    line = "这是一句很普通的话，没有什么特别的内容，苹果也不例外。\n"
    for name, megabytes in (("small", 8), ("large", 50)):
        with (tmp_path / f"{name}.txt").open("w", encoding="utf-8") as file:
            for number in range(megabytes):
                file.write(f"第{number}段。\n" + line * (1_000_000 // len(line.encode())))
    program = f"""
import resource
from pathlib import Path
from core.config import TextConfig
from core.text.corpus import prepare
folder = Path({str(tmp_path)!r})
for name in ("small", "large"):
    prepare(TextConfig(files=(str(folder / name) + ".txt",)), folder / "cache")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    small, large = map(int, told.split())
    assert large - small < 20 * (1024 if sys.platform.startswith("linux") else 1 << 20), "six times the text, but no more memory"


# the built-in text

@pytest.mark.parametrize("language", ("zh", "en"))
def test_the_built_in_text(tmp_path: Path, language: str) -> None:
    made = prepare(TextConfig(corpus=language, tokenizer="word"), tmp_path)
    assert set(builtin.words(language)) <= set(made.tokenizer.watched)
    assert all(made.tokenizer.id(word) for word in builtin.words(language))
    assert len(made.train.sentences) > 10_000 and len(made.valid.documents) > 50


def test_other_resources_give_another_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(TextConfig(), tmp_path / "cache")
    monkeypatch.setitem(builtin.GRAMMAR_DOCUMENTS, "zh", 50)
    assert prepare(TextConfig(), tmp_path / "cache").path != first.path


# statistics

def test_statistics_count_what_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    write(folder / "1.txt", ["苹果公司。苹果！", "an apple and two apples."])
    write(folder / "2.txt", ["香蕉" * 50])
    found = statistics(config_of(folder, min_count=2, tokenizer="word", watched=("苹果", "apple", "梨")))
    assert (found.documents, found.sentences) == (3, 4)
    assert found.watched == {"苹果": 2, "apple": 1, "梨": 0}
    files = [(Path(one.path).name, one.documents, one.encoding) for one in found.files]
    assert files == [("1.txt", 2, "utf-8"), ("2.txt", 1, "utf-8")]
    assert sum(one.tokens for one in found.files) == found.tokens == found.token_lengths.sum()
    assert found.examples[0] == ["苹果", "[UNK]", "[UNK]", "苹果", "[UNK]"]
    assert found.longest[0] == (50, ("香蕉" * 50)[:EXAMPLE_CHARACTERS] + "…") and found.longest[-1][1] == "苹果公司。苹果！"
    assert found.rarest[0][1] >= 1 and ("公司", 1) in found.unknown
    assert found.coverage == pytest.approx(1 - sum(count for _, count in found.unknown) / found.tokens)
    assert found.document_lengths.sum() == 3 and found.sentence_lengths.sum() == 4
    assert found.characters == sum(len(text) for text in ("苹果公司。苹果！", "an apple and two apples.", "香蕉" * 50))


def test_statistics_agree_with_what_is_prepared(tmp_path: Path) -> None:
    config = config_of(write(tmp_path / "x.txt", some_documents()), valid_percent=10)
    found, made = statistics(config), prepare(config, tmp_path / "cache")
    assert found.tokens == len(made.train.tokens) + len(made.valid.tokens)
    assert found.valid_documents == len(made.valid.documents) - 1
    assert found.vocab_size == made.tokenizer.vocab_size
    assert pickle.loads(pickle.dumps(found)).documents == found.documents, "it goes from process to process"


def test_the_real_text_is_prepared_whole_and_no_token_crosses_a_watched_word(tmp_path: Path, shared_data: Path) -> None:
    files = tuple(str(shared_data / name) for name in ("reviews.csv", "headlines.tsv"))
    config = TextConfig(files=files, columns=("review", "text"), watched=("苹果",))
    made = prepare(config, tmp_path)
    assert len(made.train.tokens) > 3_000_000
    text = "我的苹果公司"
    begins = segment.word_boundaries(text, made.tokenizer.watched)
    assert begins[2] == begins[4] == 1


def test_dataclasses_name_their_fields() -> None:
    assert [item.name for item in dataclasses.fields(Split)] == ["tokens", "sentences", "documents", "word_starts"]
    assert [item.name for item in dataclasses.fields(Corpus)] == ["train", "valid", "tokenizer", "path", "content"]


@pytest.mark.parametrize(("documents", "kind"), [
    (["我爱吃苹果。", "苹果公司发布了新手机。"], "char"), (["An apple a day.", "The bank of the river."], "wordpiece"),
    (["我用 iPhone 和 MacBook Pro 写 Python 代码", "下载 Visual Studio Code"], "char"), (["Яблоко упало.", "Apple 苹果"], "wordpiece"),
    (["りんごを食べる", "アップル"], "char"), (["1 2 3", "4 5 6"], "char")])
def test_the_text_decides_how_it_is_cut(tmp_path: Path, documents: list[str], kind: str) -> None:
    made = prepare(config_of(write(tmp_path / "x.txt", documents), tokenizer="auto"), tmp_path / "cache")
    assert made.tokenizer.kind == kind


def test_the_built_in_texts_are_cut_as_their_languages_are() -> None:
    kinds = [kind_of(Source(TextConfig(corpus=language, tokenizer=asked), nothing, never))
             for language, asked in (("zh", "auto"), ("en", "auto"), ("en", "word"))]
    assert kinds == ["char", "wordpiece", "word"]
