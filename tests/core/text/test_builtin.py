from __future__ import annotations

from pathlib import Path

import pytest

from core import i18n
from core.errors import UserError
from core.text import builtin
from core.text.specimens import Specimen, find_word, read_specimens, write_specimens

LANGUAGES = ("zh", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_documents_are_the_same_every_time(language: str) -> None:
    first = list(builtin.documents(language))
    builtin._documents.cache_clear()
    assert first == list(builtin.documents(language))
    assert len(set(first)) == len(first) > 5000 and all(document.strip() for document in first)
    for path in (builtin.RESOURCES / language / "sentences").glob("*.txt"):
        assert {line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()} <= set(first)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_has_text_and_balanced_specimens(language: str) -> None:
    words = builtin.words(language)
    assert words[0] == builtin.STARS[language]
    for word in words:
        found = builtin.specimens(language, word)
        counts = {sense: sum(one.sense == sense for one in found) for sense in builtin.senses(language, word)}
        assert len(counts) > 1 and min(counts.values()) > 0 and sum(counts.values()) == len(found), word
        assert any(one.hard for one in found) and not all(one.hard for one in found), word
    assert len(builtin.specimens(language)) == sum(len(builtin.specimens(language, word)) for word in words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_specimens_are_not_in_the_training_text(language: str) -> None:
    text = "\n".join(builtin.documents(language)).lower()
    assert not [one.text for one in builtin.specimens(language) if one.text.lower() in text]


def test_sense_titles(monkeypatch: pytest.MonkeyPatch) -> None:
    word = builtin.words("zh")[0]
    sense = builtin.senses("zh", word)[0]
    english = builtin.sense_title(word, sense)
    assert builtin.sense_title(word, "unknown") == "unknown"
    assert builtin.sense_title("没有", sense) == sense
    monkeypatch.setattr(i18n, "_language", "zh_CN")
    assert builtin.sense_title(word, sense) != english


def test_the_span_of_the_word() -> None:
    assert Specimen(word="苹果", sense="a", text="我爱苹果公司").span == (2, 4)
    assert Specimen(word="apple", sense="a", text="Pineapples? An APPLE!").span == (15, 20)
    assert find_word("apple's core", "apple") == (0, 5)
    assert find_word("pineapple apples", "apple") is None and find_word("x", "") is None
    with pytest.raises(UserError, match="not in the sentence"):
        _ = Specimen(word="梨", sense="a", text="苹果").span


def test_specimens_are_read_as_they_were_written(tmp_path: Path) -> None:
    made = [Specimen(word="苹果", sense="fruit", text='他说"苹果', hard=True),
            Specimen(word="apple", sense="company", text="Apple rose,\tfell")]
    write_specimens(tmp_path / "s.tsv", made)
    found = read_specimens(tmp_path / "s.tsv")
    assert found[0] == made[0] and found[1].text == "Apple rose, fell"
    assert [path.name for path in tmp_path.iterdir()] == ["s.tsv"]


@pytest.mark.parametrize("codec", ("utf-8", "utf-8-sig", "gb18030", "utf-16"))
def test_specimens_in_other_encodings_and_without_the_last_column(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "s.tsv"
    path.write_bytes("word\tsense\ttext\r\n苹果\t水果\t这个苹果真好吃，还想再吃一个。\r\n\r\n苹果\t公司\t苹果发布了一款新的手机。\r\n".encode(codec))
    assert [(one.sense, one.hard) for one in read_specimens(path)] == [("水果", False), ("公司", False)]


@pytest.mark.parametrize(("text", "told"), [
    ("", "no column word, sense, text"),
    ("word\ttext\n苹果\t苹果\n", "no column sense"),
    ("word\tsense\ttext\n", "no specimens"),
    ("word\tsense\ttext\n苹果\ta\t好苹果\n苹果\tb\t香蕉\n", "line 3"),
    ("word\tsense\ttext\n苹果\t\t好苹果\n", "sense is empty"),
    ("word\tsense\ttext\n苹果 a 好苹果\n", "line 2"),
    ("word\tsense\ttext\thard\n苹果\ta\t好苹果\tmaybe\n", "hard is 'maybe'"),
    ("word\tsense\ttext\n苹果\ta\t好苹果\tx\ty\n", "line 2"),
])
def test_what_is_wrong_with_specimens_is_said(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "s.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_specimens(path)
    assert told in caught.value.message and caught.value.hint


def test_specimens_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        write_specimens(tmp_path / "no" / "s.tsv", [])


def test_the_shared_specimens_are_read(shared_data: Path) -> None:
    assert len(read_specimens(shared_data / "senses_zh.tsv")) > 400
