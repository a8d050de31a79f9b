from __future__ import annotations

import codecs
import csv
import io
import json
import random
import tracemalloc
from pathlib import Path

import pytest

from core.config import TextConfig
from core.errors import UserError
from core.text import readers
from core.text.encodings import SAMPLE, EncodingGuess, encoding_of, guess_encoding

SIMPLIFIED = ["这家店的苹果又大又甜，下次还会再来。", "触摸屏反应很快，电池也够用一整天",
              "书还没有看完，但是感觉作者写得不错！", "房间太小了", "物流很慢。。"]
TRADITIONAL = ["這家店的蘋果又大又甜，下次還會再來。", "請問這本書多少錢？",
               "經濟部長表示，景氣已經逐漸復甦。", "昨晚的球賽真是太精彩了", "謝謝你"]
WESTERN = ["Le café près de l'église est fermé, où êtes-vous allés ?", "Die Straße führt über die Brücke nach Köln."]


def write(path: Path, text: str, codec: str = "utf-8") -> Path:
    path.write_bytes(text.encode(codec))
    return path


def read(*paths: Path, **options: object) -> list[str]:
    return list(readers.read_documents(TextConfig(files=tuple(map(str, paths)), **options)))


def refused(*paths: Path, **options: object) -> UserError:
    with pytest.raises(UserError) as caught:
        read(*paths, **options)
    error = caught.value
    assert error.message and error.hint and "\n" not in str(error), "one sentence, and what to do"
    return error


# encodings

@pytest.mark.parametrize(("codec", "name", "texts"), [
    ("utf-8", "utf-8", SIMPLIFIED + TRADITIONAL + WESTERN),
    ("utf-8-sig", "utf-8", SIMPLIFIED + TRADITIONAL + WESTERN),
    ("gb18030", "gb18030", SIMPLIFIED + TRADITIONAL),
    ("gbk", "gb18030", SIMPLIFIED),
    ("big5", "big5", TRADITIONAL),
    ("utf-16", "utf-16", SIMPLIFIED + TRADITIONAL + WESTERN),
    ("utf-16-le", "utf-16", SIMPLIFIED + TRADITIONAL + WESTERN),
    ("utf-16-be", "utf-16", SIMPLIFIED + TRADITIONAL + WESTERN),
    ("cp1252", "latin-1", WESTERN),
])
@pytest.mark.parametrize("repeat", (1, 3000))
def test_encodings_are_recognised_on_single_sentences_and_on_long_texts(tmp_path: Path, codec: str, name: str, texts: list[str],
                                                                        repeat: int) -> None:
    for text in texts if repeat == 1 else ["\n".join(texts)]:
        path = write(tmp_path / "x.txt", "\n".join([text] * repeat), codec)
        guess = guess_encoding(path)
        assert guess.name == name, text
        assert guess.bom == (codec in ("utf-8-sig", "utf-16"))
        assert guess.how and 0.3 < guess.confidence <= 1
        assert read(path) == text.split("\n") * repeat


def test_real_headlines_in_every_encoding(tmp_path: Path, shared_data: Path) -> None:
    lines = (shared_data / "headlines.tsv").read_text(encoding="utf-8").splitlines()[1:]
    lines = [line.partition("\t")[0] for line in random.Random(0).sample(lines, 120)]
    for codec, name in (("gb18030", "gb18030"), ("utf-8", "utf-8"), ("utf-16-le", "utf-16"), ("utf-16-be", "utf-16")):
        names = []
        for line in lines:
            names.append(guess_encoding(write(tmp_path / "x.txt", line, codec)).name)
        assert names.count(name) >= 0.98 * len(lines), codec


def test_a_character_that_the_sample_cuts_does_not_matter(tmp_path: Path) -> None:
    for shift in range(4):
        path = write(tmp_path / "x.txt", "a" * shift + "苹果😀" * 60_000)
        assert guess_encoding(path).name == "utf-8"


@pytest.mark.parametrize("length", (2000, SAMPLE // 4 + 10, SAMPLE - 1, SAMPLE, 2 * SAMPLE + 5))
def test_a_long_english_beginning_does_not_hide_the_encoding(tmp_path: Path, length: int) -> None:
    english = ("plain English line\n" * (length // 19)).ljust(length, "x")
    for codec, name in (("gb18030", "gb18030"), ("utf-8", "utf-8")):
        path = write(tmp_path / "x.txt", english + "\n".join(SIMPLIFIED * 20), codec)
        guess = guess_encoding(path)
        assert guess.name == name and guess.confidence > 0.6
        assert read(path)[-1] == SIMPLIFIED[-1]


def test_the_encoding_can_be_chosen(tmp_path: Path) -> None:
    path = write(tmp_path / "x.txt", "囗囗囗\n囗", "gb18030")
    assert read(path, encoding="gb18030") == ["囗囗囗", "囗"]
    for codec in ("utf-16", "utf-16-le", "utf-16-be"):
        assert read(write(tmp_path / "x.txt", "\n".join(SIMPLIFIED), codec), encoding="utf-16") == SIMPLIFIED
    assert read(write(tmp_path / "x.txt", "\n".join(SIMPLIFIED), "utf-8-sig"), encoding="utf-8") == SIMPLIFIED


@pytest.mark.parametrize("codec", ("utf-8", "gb18030", "big5", "utf-16"))
def test_a_byte_that_does_not_fit_is_named(tmp_path: Path, codec: str) -> None:
    text = ("中文" * 700_000 + "\n").encode({"utf-16": "utf-16-le"}.get(codec, codec))
    bad = {"utf-16": b"\x00\xd8"}.get(codec, b"\xff\xff")
    path = tmp_path / "bad.txt"
    path.write_bytes(text + bad + text)
    error = refused(path, encoding=codec)
    assert "bad.txt" in error.message and str(len(text)) in error.message and "auto" in error.hint and error.where == "encoding"


def test_a_wrong_choice_is_a_user_error(tmp_path: Path) -> None:
    path = write(tmp_path / "x.txt", "这家店的苹果又大又甜", "gb18030")
    assert "auto" in refused(path, encoding="utf-8").hint
    refused(write(tmp_path / "y.txt", "abc"), encoding="utf-16")


def test_a_binary_file_is_a_user_error(tmp_path: Path) -> None:
    rng = random.Random(0)
    for number, data in enumerate((rng.randbytes(5000), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + rng.randbytes(300),
                                   b"PK\x03\x04" + rng.randbytes(90), codecs.BOM_UTF8[:2] + b"\0\0\0")):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(data)
        assert "not a text file" in refused(path).message or "byte" in refused(path).message


# files

def test_folders_are_searched_for_known_kinds_and_sorted(tmp_path: Path) -> None:
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    write(tmp_path / "b" / "deep" / "2.TXT", "two")
    write(tmp_path / "b" / "1.txt", "one")
    write(tmp_path / "z.jsonl", '{"text": "three"}')
    write(tmp_path / "picture.png", "no")
    write(tmp_path / ".hidden" / "x.txt", "no")
    assert read(tmp_path) == ["one", "two", "three"]
    assert read(tmp_path / "z.jsonl", tmp_path) == ["three", "one", "two"], "no file is read twice"


def test_missing_files_and_empty_folders(tmp_path: Path) -> None:
    assert "no file" in refused(tmp_path / "none.txt").message
    assert "no text files" in refused(tmp_path).message


def test_unknown_extensions_are_read_as_plain_text(tmp_path: Path) -> None:
    assert read(write(tmp_path / "x.log", "一\n二\n")) == ["一", "二"]


# txt

def test_lines_and_paragraphs(tmp_path: Path) -> None:
    path = write(tmp_path / "x.txt", "一\r\n二\r\n\r\n \r\n\ufeff三\n\n\n")
    assert read(path) == ["一", "二", "三"]
    assert read(path, documents="paragraph") == ["一\n二", "三"]


@pytest.mark.parametrize("documents", ("line", "paragraph"))
def test_one_very_long_line_becomes_many_documents(tmp_path: Path, documents: str) -> None:
    text = "今天天气很好，我们去公园。" * 250_000  # 10 MB
    found = read(write(tmp_path / "x.txt", text), documents=documents)
    assert "".join(found) == text
    assert len(found) > 10 and max(map(len, found)) <= readers.LONGEST_DOCUMENT
    assert all(document.endswith("。") for document in found)


def test_a_long_line_without_any_sentence_end_is_cut_too(tmp_path: Path) -> None:
    found = read(write(tmp_path / "x.txt", "字" * 250_000))
    assert sum(map(len, found)) == 250_000 and max(map(len, found)) <= readers.LONGEST_DOCUMENT


# tables

@pytest.mark.parametrize(("name", "head", "line"), [("a.csv", "text\n", "row {}\n"), ("a.jsonl", "", '{{"text": "row {}"}}\n')])
def test_no_row_of_a_long_table_is_lost(tmp_path: Path, name: str, head: str, line: str) -> None:
    (tmp_path / name).write_text(head + "".join(line.format(number) for number in range(600)), encoding="utf-8")
    config = TextConfig(files=(str(tmp_path / name),), columns=("text",))
    assert list(readers.read_documents(config)) == [f"row {number}" for number in range(600)]


def test_csv_with_quotes_newlines_and_a_mark(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", 'label,review\r\n1,"第一行，\r\n第二行""引号"""\r\n0,第二篇文章在这里\r\n', "utf-8-sig")
    assert read(path) == ['第一行，\r\n第二行"引号"', "第二篇文章在这里"]
    assert readers.preview(path, TextConfig()).columns == ["label", "review"]


def test_tsv_takes_quotes_for_plain_characters(tmp_path: Path) -> None:
    path = write(tmp_path / "x.tsv", 'text\tlabel\n"他说一句话\ta\n第二"行的文字\tb\n')
    assert read(path) == ['"他说一句话', '第二"行的文字']


def test_the_only_column_that_can_be_text_needs_no_choice(tmp_path: Path) -> None:
    rows = [["id", "kind", "price", "review"]] + [[str(n), "水果", f"{n}.50", f"这是第{n}条很长的评论"] for n in range(50)]
    with (tmp_path / "x.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    assert read(tmp_path / "x.csv")[0] == "这是第0条很长的评论"


@pytest.mark.parametrize("other", ["2024-01-{0:02} 13:05:{0:02}", "张{}", "这一列每一行都是一样的"])
def test_a_column_of_numbers_of_short_words_or_of_one_text_is_not_taken_for_the_text(tmp_path: Path, other: str) -> None:
    rows = "".join(f"{other.format(number)}\t这是第{number}条很长的评论\n" for number in range(10, 40))
    assert read(write(tmp_path / "x.tsv", f"other\treview\n{rows}"))[0] == "这是第10条很长的评论"


def test_where_two_columns_can_be_text_one_must_be_chosen(tmp_path: Path) -> None:
    path = write(tmp_path / "x.tsv", "a\tb\n" + "".join(f"第{n}个问题是什么\t第{n}个回答在这里\n" for n in range(9)))
    error = refused(path)
    assert "Which column" in error.message and "a, b" in error.hint and error.where == "columns"
    assert read(path, columns=("b",))[0] == "第0个回答在这里"
    assert read(path, columns=("x", "b", "a"))[:2] == ["第0个回答在这里", "第0个问题是什么"]
    error = refused(path, columns=("c",))
    assert "no column c" in error.message and "a, b" in error.hint


def test_each_file_uses_the_column_that_it_has(tmp_path: Path) -> None:
    one = write(tmp_path / "1.csv", "review,other\n好的评论,另外的文字\n")
    two = write(tmp_path / "2.jsonl", '{"text": "新闻标题", "other": 3}\n\n{"text": "另一条"}\n{"none": 1}\n')
    assert read(one, two, columns=("review", "text")) == ["好的评论", "新闻标题", "另一条"]


def test_unquoted_delimiters_lose_no_text(tmp_path: Path) -> None:
    assert read(write(tmp_path / "x.csv", "text\n你好,世界,再见\n")) == ["你好,世界,再见"]
    assert read(write(tmp_path / "y.csv", "id;text\n1;今天天气很好\n")) == ["今天天气很好"]


def test_jsonl(tmp_path: Path) -> None:
    records = [{"text": "逃\ud800逸"}, "只有字符串", {"text": ["一", "二"]}]
    path = write(tmp_path / "x.jsonl", "\n".join(map(json.dumps, records)))
    assert read(path) == ["逃 逸", "只有字符串", "一\n二"]
    error = refused(write(tmp_path / "bad.jsonl", '{"text": "好"}\n{"text": \n'))
    assert "bad.jsonl, line 2" in error.message
    assert "line 4" in refused(write(tmp_path / "bad.jsonl", '{"text": "好"}\n\n \n{"text": \n')).message, "as an editor counts them"
    assert read(write(tmp_path / "late.jsonl", '{"id": 1}\n{"id": 2, "text": "迟来的文字"}\n'), columns=("text",)) == ["迟来的文字"]


def test_a_very_long_field_is_read(tmp_path: Path) -> None:
    text = "很长的一段话。" * 60_000
    found = read(write(tmp_path / "x.csv", f'text,n\n"{text}",1\n短短的一句话,2\n'), columns=("text",))
    assert "".join(found[:-1]) == text and len(found) > 3


def test_a_quote_that_is_never_closed_is_a_user_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "LONGEST_FIELD", 10_000)
    path = write(tmp_path / "x.csv", 'text\n"开头没有结尾\n' + "正常的一行文字\n" * 5000)
    assert "quotation mark" in refused(path).hint
    csv.field_size_limit(1 << 17)


def test_a_quote_that_is_never_closed_does_not_melt_the_rest_of_the_table(tmp_path: Path) -> None:
    whole = 'text,n\n"第一行\n第二行",1\n'
    rest = "正常的一行文字,2\n" * 300
    error = refused(write(tmp_path / "x.csv", f'{whole}"开头没有结尾,2\n{rest}'), columns=("text",))
    assert "line 4: a quotation mark is never closed" in error.message and error.where == "files"
    documents = readers.read_documents(TextConfig(files=(str(write(tmp_path / "y.csv", f'{whole}{rest}"开头没有结尾,2')),), columns=("text",)))
    assert [next(documents), *(next(documents) for _ in range(300))][-1] == "正常的一行文字", "what stands before it is not waited for"
    with pytest.raises(UserError, match="line 304"):
        next(documents)
    assert read(write(tmp_path / "z.csv", whole + '"结尾",2'), columns=("text",)) == ["第一行\n第二行", "结尾"]


@pytest.mark.parametrize("closing", ['9,"他说,真好",1', '9,"他说""真好""",1', '"9","他说","1"'])
def test_a_quote_that_only_a_later_row_closes_does_not_melt_the_rows_between(tmp_path: Path, closing: str) -> None:
    rows = "".join(f"{number},正常的一行评论,1\n" for number in range(3, 9))
    error = refused(write(tmp_path / "x.csv", f'id,text,n\n1,一篇好的评论,1\n2,"这条没有结束,0\n{rows}{closing}\n10,又一条,0\n'), columns=("text",))
    assert "line 3: a quotation mark is not closed before that of line 10" in error.message and error.where == "files"


@pytest.mark.parametrize("cell", ["第一行\n1,第二行,0\n2,第三行,1", '他说\n"好"', "甲,\n,", "\n", '"\n"', '甲\n"乙",丙,"丁"', 'a,b,"c\nd,e,"'])
def test_a_cell_of_several_lines_may_hold_whatever_a_row_does(tmp_path: Path, cell: str) -> None:
    table = io.StringIO(newline="")
    csv.writer(table).writerows([["id", "text", "n"], ["1", cell, "0"], ["2", "短短的一句话", "1"]])
    table.seek(0)
    assert [row["text"] for row in readers._rows(table, tmp_path / "x.csv")] == [cell, "短短的一句话"]


@pytest.mark.parametrize("name", ("x.csv", "x.tsv", "x.jsonl"))
def test_empty_tables(tmp_path: Path, name: str) -> None:
    assert "holds no text" in refused(write(tmp_path / name, "")).message
    if name != "x.jsonl":
        assert "holds no text" in refused(write(tmp_path / name, "text\n")).message


def test_the_shared_files_are_read(shared_data: Path) -> None:
    counts = {"reviews.csv": 57_000, "headlines.tsv": 9_900, "senses_zh.tsv": 440, "shakespeare.txt": 20_000}
    for name, least in counts.items():
        assert sum(1 for _ in readers.read_documents(TextConfig(files=(str(shared_data / name),)))) >= least, name
    assert "text_a, text_b" in refused(shared_data / "lcqmc.tsv").hint


# preview

def test_preview(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "id,review\n" + "".join(f"{n},第{n}条评论写得很长\n" for n in range(99)), "gb18030")
    shown = readers.preview(path, TextConfig(), lines=5)
    assert len(shown.documents) == 5 and shown.column == "review" and shown.columns == ["id", "review"] and not shown.problem
    assert shown.encoding.name == "gb18030" and shown.kind == "csv"
    wrong = readers.preview(path, TextConfig(encoding="utf-8"))
    assert "byte" in wrong.problem and wrong.hint and not wrong.documents
    assert readers.preview(path, TextConfig(columns=("x",))).problem
    chosen = readers.preview(write(tmp_path / "y.csv", "囗囗囗,囗\n囗囗,囗\n", "gb18030"), TextConfig(encoding="gb18030", columns=("囗囗囗",)))
    assert (chosen.columns, chosen.documents) == (["囗囗囗", "囗"], ["囗囗"])
    assert readers.preview(tmp_path / "none.txt", TextConfig()).problem
    assert readers.preview(write(tmp_path / "e.txt", "\n"), TextConfig()).problem


@pytest.mark.parametrize("name", ["x.txt", "x.csv", "x.jsonl"])
@pytest.mark.parametrize("gone", [True, False])
def test_a_preview_recognises_the_encoding_once_and_says_where_the_file_has_gone_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str,
                                                                                       gone: bool) -> None:
    path, asked = write(tmp_path / name, '{"text": "苹果很甜"}\n' * 3), []

    def recognised(path: Path, config: TextConfig) -> EncodingGuess:
        asked.append(path)
        guess = encoding_of(path, config)
        if gone:
            path.unlink()
        return guess

    monkeypatch.setattr(readers, "encoding_of", recognised)
    shown = readers.preview(path, TextConfig())
    assert ("cannot be read" in shown.problem, bool(shown.documents), asked) == (gone, not gone, [path])


def test_a_large_file_is_never_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("这是一句很普通的话，没有什么特别。\n" * 400_000, encoding="utf-8")
    assert path.stat().st_size > 20_000_000
    places: list[int] = []
    tracemalloc.start()
    count = sum(1 for _ in readers.read_file(path, TextConfig(), places.append))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 400_000 and peak < 4_000_000
    assert places == sorted(places) and places[-1] > 19_000_000
