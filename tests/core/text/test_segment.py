from __future__ import annotations

import numpy as np
import pytest

from core.text import segment


def cut(text: str, watched: tuple[str, ...] = ()) -> list[str]:
    return [text[start:end] for start, end in segment.words(text, watched)]


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in segment.sentences(text)]


def test_chinese_words_and_other_words() -> None:
    assert cut("我爱北京天安门。") == ["我", "爱", "北京", "天安门", "。"]
    assert cut("Don't pay 3.14 or 1,000 dollars, OK?") == ["Don't", "pay", "3.14", "or", "1,000", "dollars", ",", "OK", "?"]
    assert cut("I don’t see example.com,now") == ["I", "don’t", "see", "example", ".", "com", ",", "now"]
    assert cut("iPhone6手机，很好！！") == ["iPhone6", "手机", "，", "很", "好", "！", "！"]


def test_a_watched_word_is_cut_out_of_longer_ones_and_joined_where_it_was_cut() -> None:
    assert "苹果公司" in cut("苹果公司发布新品")
    assert cut("苹果公司发布新品", ("苹果",))[:2] == ["苹果", "公司"]
    assert "刚削好" in cut("他刚削好了", ("刚削好",))


def test_of_overlapping_watched_words_the_left_one_then_the_longer_one_wins() -> None:
    assert cut("甲乙丙", ("乙丙", "甲乙")) == ["甲乙", "丙"]
    assert cut("甲乙丙", ("甲", "甲乙丙")) == ["甲乙丙"]


def test_a_latin_watched_word_counts_only_as_a_whole_word_but_may_touch_chinese() -> None:
    assert cut("pineapples and an Apple", ("apple",)) == ["pineapples", "and", "an", "Apple"]
    assert cut("Apple's profit", ("apple",)) == ["Apple", "'s", "profit"]
    assert cut("买了apple手机", ("apple",)) == ["买", "了", "apple", "手机"]
    assert cut("don't T", ("t",)) == ["don't", "T"]
    assert "维生素C" in cut("吃维生素C片", ("维生素C",)) and "维生素C" not in cut("吃维生素Cu", ("维生素C",))


def test_large_and_small_letters_are_one_unless_they_are_told_apart() -> None:
    for ignore, wanted in ((True, ["new york"]), (False, ["new", "york"])):
        starts, ends = segment.word_spans("new york", ("New York",), ignore)
        assert ["new york"[start:end] for start, end in zip(starts, ends, strict=True)] == wanted


def test_words_are_the_same_whether_documents_stand_alone_or_in_a_chunk() -> None:
    texts = ["苹果公司发布了新品。", "I can't go.  No!", "", "3.", "14号", "它说：“好。”"]
    alone = [word for text in texts for word in cut(text)]
    chunk = segment.BREAK.join(texts)
    starts, ends = segment.word_spans(chunk)
    assert [chunk[a:b] for a, b in zip(starts, ends, strict=True)] == alone


def test_boundaries_have_the_length_of_the_text_even_for_odd_characters() -> None:
    for text in ("", " ", "𠮷野家的饭", "İstanbul 😀👍🏽 e\u0301", "ไทย한국어カタカナ", "\u200b\ufeff"):
        assert len(segment.word_boundaries(text)) == len(text)
        assert len(segment.lower(text)) == len(text)


@pytest.mark.parametrize(("text", "wanted"), [
    ("今天很好。明天呢？“走！”他说……好；再见", ["今天很好。", "明天呢？", "“走！”", "他说……", "好；", "再见"]),
    ("一行\n二行\r\n\n三行", ["一行", "二行", "三行"]),
    ("Dr. Smith paid 3.50 dollars. He left! \"Why?\" she asked.",
     ["Dr. Smith paid 3.50 dollars.", "He left!", "\"Why?\"", "she asked."]),
    ("It is by J. R. Brown, e.g. this one... and so on. Then I. No",
     ["It is by J. R. Brown, e.g. this one... and so on.", "Then I.", "No"]),
    ("Visit example.com now", ["Visit example.com now"]),
    ("", []),
    ("  ", []),
])
def test_sentences(text: str, wanted: list[str]) -> None:
    assert sentences(text) == wanted


def test_sentence_ends_rise_and_reach_the_end_of_the_text() -> None:
    text = "好。" * 50 + "x"
    ends = segment.sentence_ends(text)
    assert ends[-1] == len(text) and (np.diff(ends) > 0).all() and len(ends) == 51


def test_clean_keeps_the_length() -> None:
    assert segment.clean("a\x00b\ud800c") == "a b c"
