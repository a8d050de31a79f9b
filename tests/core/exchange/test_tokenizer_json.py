"""Our tokenizers told to the package `tokenizers`: the same ids, for text and for noise."""

from __future__ import annotations

import json
import random
import runpy
import shutil
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from core.analysis.encode import frame
from core.config import TextConfig
from core.exchange.onnx.folder import EXAMPLE
from core.exchange.tokenizer_json import portable
from core.registry import TOKENIZERS, family, lookup

CHINESE = ["妈妈买了一个苹果。", "苹果公司发布了新手机，价格3.14元！", "今天 the weather 很好", "他说:“don't worry”。"] * 30
ENGLISH = ["Don't worry: the [MASK] of 3.14, said Mr. O'Neil's İstanbul friend ΣΑΣ.", "  Two   spaces\tand a tab \x00 zero ",
           "New York apples 14 and 3.14 [mask] [MASK]  x", "Привет мир naïve café ＡＢＣ"] * 30
SIGNS = "abcİΣK \t\n　,.!？。'’09.\u200b\ufe0f\ufffd\u0301あＡ\U0001F600[]"
HAN = "苹果机가"


def noise(signs: str, count: int = 300) -> list[str]:
    rng = random.Random(0)
    return ["".join(rng.choice(signs) for _ in range(rng.randint(0, 20))) + rng.choice(["", "[MASK]", " [SEP] x", "[UNK]"]) for _ in range(count)]


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize(("kind", "texts"), [("char", CHINESE), ("char", ENGLISH), ("word", ENGLISH), ("word_char", ENGLISH), ("bpe", CHINESE),
                                              ("wordpiece", CHINESE)])
def test_ids_are_the_same_elsewhere(kind: str, texts: list[str], lowercase: bool) -> None:
    config = TextConfig(tokenizer=kind, vocab_size=600, min_count=1, lowercase=lowercase, watched=("苹果", "14", "New York"))
    ours, bert = lookup(TOKENIZERS, kind).train(config, texts), family("bert")
    made = portable(ours, bert)
    theirs = Tokenizer.from_str(made.json)
    assert made.reads == "text" and theirs.get_vocab_size() == ours.vocab_size
    for text in texts[:4] + noise(SIGNS if kind in ("word", "word_char") else SIGNS + HAN):
        assert theirs.encode(text).ids == frame(bert, ours, text, specials=True).ids, repr(text)


@pytest.mark.parametrize("kind", ["word", "word_char"])
@pytest.mark.parametrize("lowercase", [True, False])
def test_a_watched_word_is_no_part_of_one_with_a_dotted_capital_i(lowercase: bool, kind: str) -> None:
    texts = ["the apple fell in İst Ak", "appleİ", "İapple", "İ'apple", "İ’Apple", "apple İ", "an İst Ak", "İİst Ak", "İst Akİ"]
    config = TextConfig(tokenizer=kind, vocab_size=600, min_count=1, lowercase=lowercase, watched=("apple", "İst Ak"))
    ours = lookup(TOKENIZERS, kind).train(config, texts[:1])
    theirs = Tokenizer.from_str(portable(ours).json)
    for text in [*texts, *noise("İ 'aAkpst")]:
        assert theirs.encode(text).ids == ours.encode(text, specials=True).ids, repr(text)
    assert ours.id("İst Ak") in theirs.encode("an İst Ak").ids


@pytest.mark.parametrize("kind", ["word", "word_char"])
@pytest.mark.parametrize("lowercase", [True, False])
def test_chinese_words_are_separated_by_spaces_as_the_example_does_it(lowercase: bool, kind: str, tmp_path: Path) -> None:
    texts = [*CHINESE, "我买苹果树和New York的苹果派，don't！" * 2, "他在北京大学生活动中心看 Apple's 发布会3.5小时。"]
    watched = ("苹果", "学生活", "New York", "apple", "手机3", "公司 学")
    config = TextConfig(tokenizer=kind, vocab_size=600 if kind == "word" else 60, min_count=1, lowercase=lowercase, watched=watched)
    ours, elmo = lookup(TOKENIZERS, kind).train(config, texts), family("elmo")
    made = portable(ours, elmo)
    assert made.reads == "words" and "separated by spaces" in made.note
    shutil.copyfile(EXAMPLE, tmp_path / "example.py")
    (tmp_path / "tokenizer.json").write_text(made.json, encoding="utf-8")
    (tmp_path / "config.json").write_text(json.dumps({"tokenizer": {"cut": made.cut}}), encoding="utf-8")
    encode = runpy.run_path(str(tmp_path / "example.py"))["encode"]
    for text in [*texts, "苹果手机3苹果公司学生活苹果公司 学生", *noise(SIGNS + HAN + "公司学生活动手机树3")]:
        assert encode(text) == frame(elmo, ours, text, specials=True).ids, repr(text)


def test_two_texts_get_the_second_one_s_type() -> None:
    ours = lookup(TOKENIZERS, "char").train(TextConfig(tokenizer="char", vocab_size=600, min_count=1), CHINESE)
    encoded = Tokenizer.from_str(portable(ours, family("bert")).json).encode("妈妈", "苹果")
    assert encoded.tokens == ["[CLS]", "妈", "妈", "[SEP]", "苹", "果", "[SEP]"] and encoded.type_ids == [0, 0, 0, 0, 1, 1, 1]
