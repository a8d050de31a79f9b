from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rjieba

from core import registry
from core.config import TextConfig
from core.errors import UserError
from core.text import segment
from core.text.tokenizers import MASK, SPECIALS, UNK, Tokenizer, char, kind_in, load_tokenizer, word, word_char

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("char", "word", "word_char", "bpe", "wordpiece")
TEXTS = ["他买了三斤苹果，又甜又脆。", "苹果公司发布了新手机，Apple shares rose 3.5 percent.",
         "I don't like the tall bank by the river.",
         "苹果掉在地上了。", "The bank raised its rates; the tallest one fell."] * 4
ODD = ["", " ", "苹果", "  两边有空格  ", "Apple iPad 很 好", "İstanbul 的 苹果", "😀👍🏽 苹果", "e\u0301tude", "龘靐齉",
       "a\u200bb", "[MASK] [CLS]",
       "\ufffd坏\x00字\ud800", "tab\tnew\nline", "ＡＢＣ １２３", "한국어 ไทย"]


@pytest.fixture(scope="module")
def trained() -> dict[str, Tokenizer]:
    config = TextConfig(vocab_size=600, min_count=1, watched=("苹果",))
    return {kind: registry.lookup(registry.TOKENIZERS, kind).train(config, TEXTS) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_have_their_ids_everywhere(trained: dict[str, Tokenizer], kind: str) -> None:
    made = trained[kind]
    assert [made.token(index) for index in range(7)] == list(SPECIALS)
    assert [made.id(token) for token in SPECIALS] == list(range(7))


@pytest.mark.parametrize("kind", KINDS)
def test_offsets_point_into_the_original_text(trained: dict[str, Tokenizer], kind: str) -> None:
    made = trained[kind]
    for text in [*TEXTS[:5], *ODD]:
        encoding = made.encode(text)
        assert len(encoding.ids) == len(encoding.offsets)
        before = 0
        for index, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
            assert 0 <= start < end <= len(text) and start >= before
            before = start
            shown = made.token(index)
            if index >= len(SPECIALS) and not shown.startswith("<") and shown.strip():
                assert "".join(shown.split()) in "".join(text[start:end].lower().split())


@pytest.mark.parametrize("kind", KINDS)
def test_a_chunk_gives_what_single_texts_give(trained: dict[str, Tokenizer], kind: str) -> None:
    made = trained[kind]
    texts = [segment.clean(text) for text in [*ODD, *TEXTS, ""]]
    ids, starts, ends = made.arrays(segment.BREAK.join(texts))
    place, wanted = 0, []
    for text in texts:
        encoding = made.encode(text)
        pairs = zip(encoding.ids, encoding.offsets, strict=True)
        wanted += [(index, start + place, end + place) for index, (start, end) in pairs]
        place += len(text) + 1
    assert list(zip(ids.tolist(), starts.tolist(), ends.tolist(), strict=True)) == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_in_the_text_are_text_unless_asked_for(trained: dict[str, Tokenizer], kind: str) -> None:
    made = trained[kind]
    assert MASK not in made.encode("我吃[MASK]。").ids
    encoding = made.encode("我吃[MASK]。", specials=True)
    place = encoding.ids.index(MASK)
    assert encoding.offsets[place] == (2, 8)
    assert encoding.offsets[-1] == (8, 9)
    spaced = made.encode("the [MASK] fell [SEP]", specials=True)
    assert made.decode([index for index in spaced.ids if index > 6]).split() == ["the", "fell"]
    assert made.encode("[MASK]", specials=True).ids == [MASK]


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_tokenizer_is_the_same_tokenizer(trained: dict[str, Tokenizer], kind: str, tmp_path: Path) -> None:
    made = trained[kind]
    made.save(tmp_path / "tokenizer.json")
    again = load_tokenizer(tmp_path / "tokenizer.json")
    assert (again.kind, again.vocab_size, again.lowercase, again.watched) == (kind, made.vocab_size, True, ("苹果",))
    assert list(map(again.encode, [*TEXTS, *ODD])) == list(map(made.encode, [*TEXTS, *ODD]))
    assert [again.token(index) for index in range(again.vocab_size)] == [made.token(index) for index in range(made.vocab_size)]
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.json"]
    assert (kind_in(tmp_path / "tokenizer.json"), kind_in(tmp_path / "none.json"), kind_in(tmp_path)) == (kind, "", "")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_shown_is_readable(trained: dict[str, Tokenizer], kind: str) -> None:
    made = trained[kind]
    for index in range(made.vocab_size):
        shown = made.token(index)
        assert shown and "\ufffd" not in shown and "Ġ" not in shown and not shown.startswith("##")
    ids = made.encode("苹果掉了 the tallest bank").ids
    for cut in range(len(ids) + 1):
        shown = made.decode(ids[:cut])
        assert "\ufffd" not in shown and "##" not in shown and "Ġ" not in shown
    shown = made.decode(made.encode("The bank fell; 苹果掉在地上了。").ids)
    assert shown.replace("; ", ";") == "the bank fell;苹果掉在地上了。"


@pytest.mark.parametrize("kind", KINDS)
def test_the_watched_word_stands_alone(trained: dict[str, Tokenizer], kind: str) -> None:
    text = "我的苹果公司"
    spans = trained[kind].encode(text).offsets
    assert not [span for span in spans if span[0] < 2 < span[1] or span[0] < 4 < span[1]]


@pytest.mark.parametrize("lowercase", (True, False))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("watched", ("T恤", "卡拉OK", "A股"))
def test_a_watched_word_of_chinese_and_capitals_stands_alone(watched: str, kind: str, lowercase: bool) -> None:
    config = TextConfig(vocab_size=400, min_count=2, watched=(watched,), lowercase=lowercase)
    made = registry.lookup(registry.TOKENIZERS, kind).train(config, [f"他买了{watched}衫。", f"{watched}衫很好", f"这件{watched}衫是新的"] * 50)
    spans, end = made.encode(f"他买了{watched}衫。").offsets, 3 + len(watched)
    assert not [span for span in spans if span[0] < 3 < span[1] or span[0] < end < span[1]]


def test_a_file_of_bpe_whose_watched_words_still_have_their_capitals_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    made = registry.lookup(registry.TOKENIZERS, "bpe").train(TextConfig(vocab_size=400, min_count=1, watched=("T恤", "苹果")), TEXTS)
    made.save(path)
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["tokenizer"]["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = f"{segment.word_pattern('T恤')}|苹果"
    path.write_text(json.dumps(raw), encoding="utf-8")
    assert load_tokenizer(path).encode(TEXTS[0]) == made.encode(TEXTS[0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_text_gives_the_same_vocabulary_in_another_process_and_order(trained: dict[str, Tokenizer], kind: str,
                                                                               tmp_path: Path) -> None:
    shuffled = random.Random(1).sample(TEXTS, len(TEXTS))
    program = f"""
import json, sys
from core import registry
from core.config import TextConfig
config = TextConfig(vocab_size=600, min_count=1, watched=("苹果",))
registry.lookup(registry.TOKENIZERS, {kind!r}).train(config, json.loads(sys.stdin.read())).save({str(tmp_path / "b.json")!r})
"""
    subprocess.run([sys.executable, "-c", program], input=json.dumps(shuffled), text=True, check=True, cwd=ROOT,
                   env={**os.environ, "PYTHONHASHSEED": "7"})
    trained[kind].save(tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == (tmp_path / "b.json").read_text(encoding="utf-8")


def test_spaces_survive_between_english_words_and_vanish_beside_chinese() -> None:
    made = char.train(TextConfig(min_count=1), ["an Apple  pie 苹果 b"])
    assert [made.token(index) for index in made.encode("An  apple 苹果 b \n").ids] == list("an apple苹果b")
    assert made.encode("n  a").offsets == [(0, 1), (1, 3), (3, 4)]
    assert made.decode(made.encode("an apple").ids) == "an apple"


def test_vocabulary_is_ordered_by_frequency_then_token() -> None:
    made = char.train(TextConfig(min_count=1, vocab_size=10), ["乙乙甲甲丙丙丙丁"])
    assert [made.token(index) for index in range(7, 10)] == ["丙", "乙", "甲"]
    assert made.encode("丁").ids == [UNK]


def test_rare_tokens_become_unk_but_a_watched_word_never_does() -> None:
    texts = ["苹果公司很大", "很大很大"]
    made = word.train(TextConfig(min_count=2, watched=("苹果",)), texts)
    assert made.id("苹果") is not None and made.id("公司") is None
    assert UNK in made.encode("公司").ids


def test_capital_letters_are_kept_where_they_matter() -> None:
    small = word.train(TextConfig(min_count=1), ["Apple apple"])
    large = word.train(TextConfig(min_count=1, lowercase=False), ["Apple apple"])
    assert small.id("APPLE") == small.id("apple") is not None
    assert large.id("APPLE") is None and large.id("Apple") != large.id("apple")


def test_wordpiece_pieces_are_joined_and_chinese_stands_alone(trained: dict[str, Tokenizer]) -> None:
    made = trained["wordpiece"]
    assert [made.token(index) for index in made.encode("苹果").ids] == ["苹", "果"]
    assert made.decode(made.encode("tallest").ids) == "tallest"


def test_bytes_make_every_text_writable(trained: dict[str, Tokenizer]) -> None:
    made = trained["bpe"]
    for text in ("龘靐", "😀 hello", "ไทย"):
        assert made.decode(made.encode(text).ids) == text
    assert UNK not in made.encode("龘靐😀").ids
    offsets = made.encode("龘").offsets
    assert len(offsets) > 1 and set(offsets) == {(0, 1)}
    assert made.token(made.encode("龘").ids[0]).startswith("<")


def test_small_wordpiece_vocabularies_keep_their_size() -> None:
    for size in (10, 30, 60):
        made = registry.lookup(registry.TOKENIZERS, "wordpiece").train(TextConfig(vocab_size=size, min_count=1), TEXTS)
        assert len(SPECIALS) < made.vocab_size <= size


def test_bpe_needs_room_for_the_bytes() -> None:
    with pytest.raises(UserError, match="vocab_size is 100") as caught:
        registry.lookup(registry.TOKENIZERS, "bpe").train(TextConfig(vocab_size=100), TEXTS)
    assert "263" in caught.value.hint and caught.value.where == "vocab_size"


@pytest.mark.parametrize("kind", ("char", "word", "wordpiece"))
def test_a_text_without_enough_tokens_is_a_user_error(kind: str) -> None:
    for texts in ([], ["   "], ["甲乙"]):
        with pytest.raises(UserError, match="No token occurs 5 times"):
            registry.lookup(registry.TOKENIZERS, kind).train(TextConfig(min_count=5), texts)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_a_user_error(trained: dict[str, Tokenizer], kind: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    trained[kind].save(path)
    good = path.read_text(encoding="utf-8")
    raw = json.loads(good)
    broken = [good[:len(good) // 2], "", "[]", "{}", json.dumps({**raw, "kind": "x"}), json.dumps({**raw, "format": 99}),
              json.dumps({**raw, "tokens": ["a"], "tokenizer": {}}), json.dumps({**raw, "tokens": None, "tokenizer": None})]
    for text in broken:
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UserError):
            load_tokenizer(path)
    with pytest.raises(UserError):
        load_tokenizer(tmp_path / "none.json")


def test_a_full_disk_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        char.char_tokenizer([*SPECIALS, "a"], lowercase=True).save(tmp_path / "no" / "tokenizer.json")


def test_large_ids_fit() -> None:
    made = char.train(TextConfig(vocab_size=100_000, min_count=1), ["".join(map(chr, range(0x4E00, 0x9FA5)))])
    ids, _, _ = made.arrays("龤")
    assert ids.dtype == np.int64 and made.token(int(ids[0])) == "龤"


def test_a_chinese_word_that_is_not_known_is_read_as_its_characters() -> None:
    texts = ["生物，化学。大学生，学生，活动。", "生物，化学。学生，活动，茶。叶。蛋。"] * 3 + ["茶叶蛋，中心", "the bus"]
    made = word_char.train(TextConfig(tokenizer="word_char", vocab_size=100, min_count=3, watched=("中心",)), texts)
    read = made.encode("生物，中心大学生茶叶蛋buses饕餮很脆")
    assert rjieba.cut("茶叶蛋饕餮") == ["茶叶蛋", "饕餮"] and rjieba.cut("很脆") == ["很脆"], "else this tests nothing"
    assert [made.token(index) for index in read.ids] == ["生物", "，", "中心", "大学生", "茶", "叶", "蛋", *["[UNK]"] * 5]
    assert read.offsets == [(0, 2), (2, 3), (3, 5), (5, 8), (8, 9), (9, 10), (10, 11), (11, 16), (16, 17), (17, 18), (18, 19), (19, 20)]
    assert made.decode(read.ids[:7]) == "生物，中心大学生茶叶蛋"
    assert made.encode("生物").offsets == [(0, 2)] and made.encode("").ids == []


TWO = ["生物", "化学", "学生", "活动", "手机", "苹果", "老师", "电脑", "音乐", "中心",
       "北京", "上海", "天气", "医院", "火车", "银行", "朋友", "时间", "问题", "城市"]
ONE = list("甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥")


def _vocabulary(texts: list[str], size: int, min_count: int = 1, watched: tuple[str, ...] = ()) -> set[str]:
    config = TextConfig(tokenizer="word_char", vocab_size=len(SPECIALS) + size, min_count=min_count, watched=watched)
    made = word_char.train(config, texts)
    assert made.vocab_size <= config.vocab_size
    counts = np.bincount(made.encode("，".join(texts)).ids, minlength=made.vocab_size)[len(SPECIALS):]
    assert counts.min() > 0, "no character that no word needs"
    return {made.token(index) for index in range(len(SPECIALS), made.vocab_size)} - {"，"}


def test_characters_take_at_most_half_of_the_room_and_only_what_a_word_needs() -> None:
    assert rjieba.cut("，".join(TWO), False)[::2] == TWO
    assert _vocabulary(TWO, 100) == set(TWO)
    crowded = _vocabulary([*TWO * 9, *ONE], 30)
    assert sum(map(len, crowded)) > len(crowded) and sum(len(token) == 2 for token in crowded) == 15
    assert "笔记本" in _vocabulary([*TWO * 9, *ONE, "笔记本"], 30, watched=("笔记本",))
    assert _vocabulary([*TWO * 3, *ONE], 31, min_count=2) == set(TWO), "no character that is too rare"
    assert _vocabulary([*TWO * 3, *[f"ab{number}" for number in range(15)] * 2], 31) >= set(TWO), "no other word"
    assert _vocabulary(["茶叶蛋", "茶杯", "茶壶", "茶水"], 20, min_count=3) == {"茶"}, "no word is frequent enough, but a character is"
