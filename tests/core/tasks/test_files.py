"""Bad input: counted, named by line, handled by a stated rule. And what the model will see of good input."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core.analysis import evaluate
from core.cli import tasks as asking
from core.errors import UserError
from core.registry import family
from core.tasks import classification, data, multiple_choice, pair, sense_tags, span, tagging
from core.tasks.config import TaskConfig
from core.tasks.labels import NOMINAL, Labels
from core.tasks.layout import Layout, window_starts
from core.tasks.problems import counted, rule, warnings
from core.tasks.task import Example
from core.text.specimens import Specimen
from core.text.tokenizers import SPECIALS, Tokenizer
from core.text.tokenizers.char import char_tokenizer
from core.text.tokenizers.word import word_tokenizer


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def found(reading: object) -> list[tuple[int, str]]:
    for problem in reading.problems:
        assert rule(problem.kind) and problem.text
    return [(problem.line, problem.kind) for problem in reading.problems]


def test_a_table_with_everything_wrong(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", 'label,review\ngood,"两行\n文字"\n,没有标签\nbad,\nbad\ngood,好\n')
    reading = classification.read(path, TaskConfig())
    assert reading.columns == {"text": "review", "label": "label"}
    assert [(example.line, example.texts[0], example.label) for example in reading.examples] == [(2, "两行\n文字", "good"), (7, "好", "good")]
    assert found(reading) == [(6, "columns"), (4, "no_label"), (5, "empty")] and reading.skipped == 3


def test_labels_that_training_lacks_and_only_one_class(tmp_path: Path) -> None:
    train = write(tmp_path, "train.tsv", "text\tlabel\n一\ta\n二\tb\n")
    dev = write(tmp_path, "dev.tsv", "text\tlabel\n三\ta\n四\tc\n")
    _, reading, labels = data.read_files(TaskConfig(train_file=str(train), dev_file=str(dev)))
    assert labels.names == ("a", "b") and found(reading) == [(3, "unseen_label")] and len(reading.examples) == 2
    one = write(tmp_path, "one.tsv", "text\tlabel\n一\ta\n二\ta\n")
    with pytest.raises(UserError, match="only one label"):
        data.read_files(TaskConfig(train_file=str(one), dev_file=str(dev)))


def test_a_file_without_a_usable_example_says_what_is_wrong_with_its_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "empty.csv", "review,cat\n,a\n,b\n")
    with pytest.raises(UserError, match="no example that can be used") as caught:
        data.read_files(TaskConfig(train_file=str(path), dev_file=str(path), column_text="review", column_label="cat"))
    assert caught.value.hint == "2 were left out. A text that is empty: the line is left out."


def test_the_columns_are_recognised_or_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", "cat,label,review\n水果,1,好吃\n酒店,0,很远\n")
    assert classification.read(path, TaskConfig()).columns == {"text": "review", "label": "label"}
    assert classification.read(path, TaskConfig(column_label="cat")).examples[0].label == "水果"
    with pytest.raises(UserError, match="It has: cat, label, review") as caught:
        classification.read(path, TaskConfig(column_text="body"))
    assert caught.value.where == "column_text"
    with pytest.raises(UserError, match="text_a"):
        pair.read(path, TaskConfig(column_label="label"))
    with pytest.raises(UserError, match="Known kinds"):
        data.read_files(TaskConfig(task="span", train_file=str(path), dev_file=str(path)))
    with pytest.raises(UserError, match="no file"):
        data.read_files(TaskConfig(train_file=str(tmp_path / "no.csv"), dev_file=str(path)))


def test_a_jsonl_line_that_is_no_object(tmp_path: Path) -> None:
    path = write(tmp_path, "t.jsonl", '{"text": "一", "label": true}\n[1]\n{"text": \n{"text": "二", "label": 0.0}\n')
    reading = classification.read(path, TaskConfig())
    assert found(reading) == [(2, "not_json"), (3, "not_json")]
    assert [example.label for example in reading.examples] == ["True", "0"]


def test_true_and_false_are_the_same_labels_in_a_table_and_in_jsonl(tmp_path: Path) -> None:
    table = write(tmp_path, "t.csv", "text,label\n一,True\n二,False\n")
    lines = write(tmp_path, "t.jsonl", '{"text": "三", "label": true}\n{"text": "四", "label": false}\n')
    _, reading, labels = data.read_files(TaskConfig(train_file=str(table), dev_file=str(lines)))
    assert labels.names == ("False", "True") and not reading.problems
    assert [multiple_choice._index(True, choices) for choices in (("no", "yes"), ("True", "False"))] == [1, 0]


def test_numbers_are_told_from_names(tmp_path: Path) -> None:
    rows = "\n".join(f"甲{n}\t乙\t{n / 2}" for n in range(8))
    train = write(tmp_path, "a.tsv", f"text_a\ttext_b\tscore\n{rows}\n")
    dev = write(tmp_path, "b.tsv", "text_a\ttext_b\tscore\n一\t二\t3\n一\t二\thigh\n")
    *_, labels = data.read_files(TaskConfig(task="pair", train_file=str(train), dev_file=str(train)))
    assert labels.kind == "number" and labels.mean == pytest.approx(1.75)
    *_, labels = data.read_files(TaskConfig(task="pair", label_kind="nominal", train_file=str(train), dev_file=str(train)))
    assert labels.kind == "nominal" and labels.names[:2] == ("0", "0.5")
    _, reading, _ = data.read_files(TaskConfig(task="pair", train_file=str(train), dev_file=str(dev)))
    assert found(reading) == [(3, "not_a_number")] and len(reading.examples) == 1


def test_tags_out_of_order(tmp_path: Path) -> None:
    text = "小 I-PER\n李 I-PER\n笑 O\n\n在 O\n北 B-LOC\n京 I-PER\n\n-DOCSTART- O\n他 X\n\n她\n\n买 S-LOC\n了 E-LOC\n"
    reading = tagging.read(write(tmp_path, "t.conll", text), TaskConfig(task="tagging"))
    assert [example.label for example in reading.examples] == [("B-PER", "I-PER", "O"), ("O", "B-LOC", "B-PER"), ("S-LOC", "S-LOC")]
    assert found(reading) == [(1, "i_without_b"), (7, "i_without_b"), (10, "tag_scheme"), (12, "no_tag"), (15, "i_without_b")]
    assert reading.skipped == 2
    with pytest.raises(UserError, match="Line 1: the tag 'NN'"):
        tagging.read(write(tmp_path, "p.conll", "dog NN\nruns VB\n"), TaskConfig(task="tagging"))
    english = tagging.read(write(tmp_path, "e.conll", "Mr. O\nSmith B-PER\n来 O\n"), TaskConfig(task="tagging")).examples[0]
    assert english.texts == ("Mr. Smith来",) and [english.texts[0][a:b] for a, b in english.units] == ["Mr.", "Smith", "来"]


SEPARATORS = "\u2028\x85\x0b\x0c"  # of which none ends a line


def test_a_line_ends_where_an_editor_ends_it(tmp_path: Path) -> None:
    tagged = "".join(f"a{mark}b O\n" for mark in SEPARATORS) + "Bob B-PER\r\n"
    example, = tagging.read(write(tmp_path, "t.conll", tagged), TaskConfig(task="tagging")).examples
    assert example.label == ("O",) * 4 + ("B-PER",)
    lines = [f"one{mark}two" for mark in SEPARATORS]
    for end in ("\n", "\r\n", "\r"):
        (tmp_path / "t.txt").write_bytes(end.join([*lines, ""]).encode())
        assert asking._asked(tmp_path / "t.txt", ("text",)) == [{"text": line} for line in lines]
    records = write(tmp_path, "t.jsonl", "".join(json.dumps({"text": line}, ensure_ascii=False) + "\n" for line in lines))
    assert asking._asked(records, ("text",)) == [{"text": line} for line in lines]


@pytest.mark.parametrize(("line", "words"), [("{", "line 2 is not JSON"), ("[" * 100_000, "line 2 is not JSON"), ('{"a": 1}', "line 2 lacks text"),
                                             ("[1]", "line 2 lacks text"), ("3", "line 2 lacks text")])
def test_a_line_that_asks_nothing_is_named(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        asking._asked(write(tmp_path, "t.jsonl", f'{{"text": "a"}}\n{line}\n'), ("text",))
    assert caught.value.hint == "Each line must be a JSON object with: text."


@pytest.mark.parametrize("choices", ["yes", 5, {"a": 1, "b": 2}, ["yes"]])
def test_choices_are_a_list_of_them(choices: object) -> None:
    fields = {"context": "c", "question": "q", "choices": choices}
    with pytest.raises(UserError, match="fewer than two choices"):
        evaluate.example_of(SimpleNamespace(task=multiple_choice.TASK), fields)
    assert evaluate.example_of(SimpleNamespace(task=multiple_choice.TASK), {**fields, "choices": ["yes", 5]}).choices == ("yes", "5")


def test_answers_that_are_not_at_their_offset(tmp_path: Path) -> None:
    def asked(name: str, text: str | None, start: int, **more: object) -> dict:
        return {"id": name, "question": "谁?", "answers": [{"text": text, "answer_start": start}] if text else [], **more}

    qas = [asked("right", "小李", 2), asked("moved", "小李", 0), asked("twice", "了", 0), asked("lost", "小王", 2), asked("none", None, 0),
           asked("impossible", None, 0, is_impossible=True), {**asked("empty", "小李", 2), "question": " "}]
    raw = {"data": [{"paragraphs": [{"context": "今天小李买了苹果，又卖了。", "qas": qas}]}]}
    path = write(tmp_path, "q.json", json.dumps(raw, ensure_ascii=False, indent=1))
    reading = span.read(path, TaskConfig(task="span"))
    lines = path.read_text(encoding="utf-8").split("\n")
    kinds = [(kind, lines[line - 1].strip()) for line, kind in found(reading)]
    assert kinds == [("answer_moved", '"id": "moved",'), ("answer_lost", '"id": "twice",'), ("answer_lost", '"id": "lost",'),
                     ("no_answer", '"id": "none",'), ("empty", '"id": "empty",')]
    assert [example.label for example in reading.examples] == [(("小李", 2),), (("小李", 2),), (), ()]
    assert reading.skipped == 3
    with pytest.raises(UserError, match="not a SQuAD file"):
        span.read(write(tmp_path, "bad.json", "{}"), TaskConfig(task="span"))


def test_choices_of_unequal_number(tmp_path: Path) -> None:
    given = [(["一", "二", "三"], 2), (["一", "二"], "二"), (["一"], 0), (["一", "二"], 2), (["一", ""], 0), (["一", "二", "三"], 0)]
    rows = [{"context": "甲", "question": "谁?", "choices": choices, "label": label} for choices, label in given]
    path = write(tmp_path, "c.jsonl", "\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    reading = multiple_choice.read(path, TaskConfig(task="multiple_choice"))
    assert found(reading) == [(3, "few_choices"), (4, "label_range"), (5, "empty")]
    assert [example.label for example in reading.examples] == [2, 1, 0]
    multiple_choice.inspect(reading, multiple_choice.read(path, TaskConfig(task="multiple_choice")), TaskConfig(task="multiple_choice"))
    assert found(reading)[-1] == (2, "unequal_choices")


# what the model sees

def characters(text: str) -> Tokenizer:
    return char_tokenizer([*SPECIALS, *sorted(set(text))], lowercase=True)


def seen(layout: Layout, part: object) -> str:
    return "".join(layout.token(index) for index in part.ids)


def test_a_pair_in_every_familys_own_form() -> None:
    tokenizer = characters("甲乙丙丁")
    bert, gpt, elmo = (Layout(family(name), tokenizer, limit=16) for name in ("bert", "gpt", "elmo"))
    part = bert.pair("甲乙", "丙")
    assert seen(bert, part) == "[CLS]甲乙[SEP]丙[SEP]" and part.segments == (0, 0, 0, 0, 1, 1) and part.sources == (-1, 0, 0, -1, 1, -1)
    assert seen(gpt, gpt.pair("甲乙", "丙")) == "[START]甲乙[DELIMITER]丙[EXTRACT]"
    assert gpt.pair("甲乙", "丙").ids[0] == tokenizer.vocab_size and gpt.vocab_size == tokenizer.vocab_size + 3
    assert elmo.apart and seen(elmo, elmo.single("甲")) == "[BOS]甲[EOS]"
    assert [seen(bert, bert.single("甲" * 9 + end)) for end in "乙丙"] == ["[CLS]" + "甲" * 9 + f"{end}[SEP]" for end in "乙丙"]


def test_every_choice_stands_with_its_passage_and_its_question() -> None:
    example = data._example({"line": 1, "texts": ["甲", "谁?"], "label": 1, "choices": ["乙", "丙"], "units": []})
    layouts = [Layout(family(name), characters("甲乙丙谁?"), limit=20) for name in ("bert", "gpt", "elmo")]
    rows = [[seen(layout, part) for part in multiple_choice.features(layout, 0, example)[0].parts] for layout in layouts]
    assert rows == [["[CLS]甲[SEP]谁?乙[SEP]", "[CLS]甲[SEP]谁?丙[SEP]"],
                    ["[START]甲谁?[DELIMITER]乙[EXTRACT]", "[START]甲谁?[DELIMITER]丙[EXTRACT]"],
                    ["[BOS]甲谁?[EOS]", "[BOS]乙[EOS]", "[BOS]丙[EOS]"]]


def test_of_the_choices_that_a_question_has_the_likeliest_is_taken() -> None:
    two, three = (data._example({"line": 1, "texts": ["甲", "谁?"], "label": count - 1, "choices": list("乙丙丁"[:count]), "units": []})
                  for count in (2, 3))
    made = [multiple_choice.features(Layout(family("bert"), characters("甲乙丙丁谁?"), limit=20), number, example)[0]
            for number, example in enumerate((two, three))]
    outputs = np.log([[0.25, 0.75, 9.0], [0.5, 0.25, 0.25]])  # what stands beyond the choices is padding
    first, second = multiple_choice.decode(made, outputs, (two, three), Labels(), TaskConfig())
    assert first["choice"] == 1 and first["probabilities"] == pytest.approx([0.25, 0.75])
    assert second["choice"] == 0 and second["probabilities"] == pytest.approx([0.5, 0.25, 0.25])
    assert [one["choice"] for one in multiple_choice.majority([three], [two, three])] == [1, 2]


def test_the_likeliest_of_labels_that_look_like_numbers_is_a_label() -> None:
    """The person may say that a pair's numbers are names, however many there are."""
    made = [Example(line=number, texts=("甲", "乙"), label=str(number % 7)) for number in range(15)]
    labels = Labels(kind=NOMINAL, names=tuple("0123456"))
    assert pair.measure(pair.TASK.majority(made, made), made, labels)["accuracy"] == pytest.approx(3 / 15)


def _answered(output: np.ndarray, names: tuple[str, ...] = (), limit: int = 20, context: str = "甲乙丙丁戊", **options: object) -> dict:
    """What a BERT answers whose log-probabilities of beginning and ending at each token, over all rows together, are these."""
    example = data._example({"line": 1, "texts": [context, "谁?"], "label": [["丙", 2]], "choices": [], "units": []})
    feature, = span.features(Layout(family("bert"), characters(context + "谁?"), limit=limit, stride=0), 0, example)
    assert np.shape(output)[:2] == (len(feature.parts), max(len(part.ids) for part in feature.parts))
    return span.decode([feature], [output], [example], Labels(names=names), TaskConfig(task="span", **options))[0]


def test_the_likeliest_answer_is_one_that_may_be_given() -> None:
    """[CLS] 谁 ? [SEP] 甲 乙 丙 丁 戊 [SEP]: it would begin at 丙, and end before that, or at 戊, or at 丁."""
    begin, end = np.full(10, 1e-4), np.full(10, 1e-4)
    begin[[0, 6]], end[[0, 5, 7, 8]] = (0.35, 0.4), (0.35, 0.4, 0.1, 0.2)
    output = np.log(np.stack([begin, end], axis=-1))[None]
    options = {"pretrained": "a run"}
    assert (_answered(output, max_answer=3, **options)["answer"], _answered(output, max_answer=2, **options)["answer"]) == ("丙丁戊", "丙丁")
    found = _answered(output, **options)
    assert (found["start"], found["end"]) == (2, 5) and found["probability"] == pytest.approx(0.08) and found["no_answer"] == pytest.approx(0.35**2)
    none = _answered(output, (span.NO_ANSWER,), **options)  # where it has learnt when there is none
    assert (none["answer"], none["start"], none["end"]) == ("", 0, 0) and none["probability"] == pytest.approx(0.35**2)
    assert none["candidates"] == found["candidates"]
    begin, end = np.full(15, 1e-4), np.full(15, 1e-4)
    begin[9:14], end[4:9] = 0.19, 0.19  # however many ends stand before their beginnings: it is no answer
    assert len(_answered(np.log(np.stack([begin, end], axis=-1))[None], context="甲" * 10, **options)["candidates"]) == span.CANDIDATES


def test_of_windows_that_say_each_for_itself_whether_they_hold_an_answer_the_surest_of_one_counts() -> None:
    """As BERT's run_squad.py has it. Limit 8: [CLS] 谁 ? [SEP] 甲 乙 丙 [SEP] and [CLS] 谁 ? [SEP] 丁 戊 [SEP]."""
    output = np.log(np.full((2, 8, 2), 0.125))
    output[0, 0], output[1, 0], output[1, 5] = np.log(4.0), np.log(0.5), np.log(2.0)
    found = _answered(output, (span.NO_ANSWER,), limit=8)
    whole = 0.5 + 2.0 + 13 * 0.125  # less the other window's
    assert found["no_answer"] == pytest.approx((0.5 / whole) ** 2) and found["answer"] == "戊"
    assert found["probability"] == pytest.approx((2.0 / whole) ** 2)


def test_what_does_not_fit_is_cut_from_the_longer_text() -> None:
    bert = Layout(family("bert"), characters("甲乙"), limit=10)
    part = bert.pair("甲" * 20, "乙乙")
    assert seen(bert, part) == "[CLS]" + "甲" * 5 + "[SEP]乙乙[SEP]" and part.cut == 15 and len(part.ids) == 10
    part = bert.pair("甲" * 20, "乙" * 20)
    assert part.sources.count(0) == 4 and part.sources.count(1) == 3 and part.cut == 33


@pytest.mark.parametrize(("length", "width", "stride"), [(10, 4, 2), (10, 4, 0), (4, 4, 2), (0, 4, 2), (11, 5, 4), (100, 7, 3)])
def test_windows_cover_everything(length: int, width: int, stride: int) -> None:
    covered = {place for start in window_starts(length, width, stride) for place in range(start, min(length, start + width))}
    assert covered == set(range(length))
    assert all(b - a == width - stride for a, b in zip(window_starts(length, width, stride), window_starts(length, width, stride)[1:], strict=False))


def test_units_that_share_a_token_are_told_apart() -> None:
    words = word_tokenizer([*SPECIALS, "苹果", "好吃"], lowercase=True)
    raw = {"line": 1, "texts": ["苹果好吃"], "label": ["B-X", "I-X", "O", "O"], "choices": [], "units": [[0, 1], [1, 2], [2, 3], [3, 4]]}
    example = data._example(raw)
    feature, = tagging.features(Layout(family("word2vec"), words, limit=16), 0, example)
    assert feature.units == ((0, 1, 0), (1, 1, 1), (2, 2, 0), (3, 2, 1))


def test_a_long_sentence_is_tagged_in_pieces_and_none_twice() -> None:
    text = "甲乙" * 20
    example = data._example({"line": 1, "texts": [text], "label": ["O"] * 40, "choices": [], "units": [[n, n + 1] for n in range(40)]})
    features = tagging.features(Layout(family("bert"), characters(text), limit=12), 0, example)
    assert [unit for feature in features for unit, _, _ in feature.units] == list(range(40))
    assert all(feature.parts[0].offsets[position][0] == unit for feature in features for unit, position, _ in feature.units)


@pytest.mark.parametrize("name", ["bert", "gpt", "elmo", "word2vec"])
def test_the_answers_tokens_are_found_again_in_some_window(name: str) -> None:
    context = "甲" * 30 + "答案" + "乙" * 30
    layout = Layout(family(name), characters(context + "谁?"), limit=20, stride=6)
    example = data._example({"line": 1, "texts": [context, "谁?"], "label": [["答案", 30]], "choices": [], "units": []})
    feature, = span.features(layout, 0, example)
    row, first, last = span.target(feature, example, None)
    part = feature.parts[row]
    assert context[part.offsets[first][0]:part.offsets[last][1]] == "答案"


# what would be guessed in silence

def test_what_is_measured_and_was_learnt_is_counted(tmp_path: Path) -> None:
    train = write(tmp_path, "train.tsv", "text\tlabel\n一\ta\n二\tb\n三\ta\n")
    dev = write(tmp_path, "dev.tsv", "text\tlabel\n四\ta\n 三 \tb\n")
    _, reading, _ = data.read_files(TaskConfig(train_file=str(train), dev_file=str(dev)))
    assert found(reading) == [(3, "learnt")] and "line 4" in reading.problems[0].text, "whatever its label"
    said, = warnings(counted("dev", reading.problems), 2)
    assert "1 of the 2" in said and "(line 3)" in said
    _, reading, _ = data.read_files(TaskConfig(train_file=str(train), dev_file=str(tmp_path / "." / "train.tsv")))
    assert found(reading) == [(2, "same_file"), (3, "same_file"), (4, "same_file")]
    assert warnings(counted("dev", reading.problems), 3) == [rule("same_file")]
    assert warnings([{"kind": "empty", "count": 9, "rule": "", "lines": [1]}], 2) == []


def test_a_table_whose_cells_do_not_fit_its_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", "text,label\n好,也好,good\n坏,bad\n一般,good,\n")
    reading = classification.read(path, TaskConfig())
    assert found(reading) == [(2, "more_columns")] and [example.line for example in reading.examples] == [3, 4]
    with pytest.raises(UserError, match="line 3: a quotation mark is never closed"):
        classification.read(write(tmp_path, "q.csv", 'text,label\n好,good\n"坏,bad\n差,bad\n'), TaskConfig())
    assert len(classification.read(write(tmp_path, "g.csv", 'text,label\n"好\n呀",good\n"坏",bad'), TaskConfig()).examples) == 2
    with pytest.raises(UserError, match="two columns named label"):
        classification.read(write(tmp_path, "d.csv", "text,label,label\n好,good,bad\n"), TaskConfig())


def test_a_choices_place_and_its_text_are_told_apart(tmp_path: Path) -> None:
    rows = [{"context": "甲", "question": "几?", "choices": ["3", "2", "1"], "label": label} for label in (1, "1", 3)]
    path = write(tmp_path, "c.jsonl", "\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    reading = multiple_choice.read(path, TaskConfig(task="multiple_choice"))
    assert [example.label for example in reading.examples] == [1, 2] and found(reading) == [(3, "label_range")]
    assert "from 0" in rule("label_range")


def test_a_few_words_among_numbers_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [f"甲{n}\t乙\t{n / 2}" for n in range(19)]
    train = write(tmp_path, "a.tsv", "\n".join(["text_a\ttext_b\tscore", *rows, "丙\t乙\tn/a"]) + "\n")
    dev = write(tmp_path, "b.tsv", "text_a\ttext_b\tscore\n一\t二\t3\n")
    reading, _, labels = data.read_files(TaskConfig(task="pair", train_file=str(train), dev_file=str(dev)))
    assert labels.kind == "number" and found(reading) == [(21, "not_a_number")]
    dev = write(tmp_path, "c.tsv", "text_a\ttext_b\tscore\n一\t二\t?\n三\t四\t?\n")
    with pytest.raises(UserError, match=r"c\.tsv holds no example that can be used") as refused:
        data.read_files(TaskConfig(task="pair", train_file=str(train), dev_file=str(dev)))
    assert refused.value.where == "dev_file" and "2 were left out. A label that is not a number" in refused.value.hint


def test_drawn_examples_that_lack_labels(tmp_path: Path) -> None:
    train = write(tmp_path, "train.tsv", "text\tlabel\n" + "".join(f"{n}\t{'abc'[n % 3]}\n" for n in range(30)))
    dev = write(tmp_path, "dev.tsv", "text\tlabel\n一\ta\n")
    reading, _, labels = data.read_files(TaskConfig(train_file=str(train), dev_file=str(dev)))
    with pytest.raises(UserError, match="only one label"):
        data.require_labels(data.subsample(reading.examples, 1, 0), labels)
    two = [example for example in reading.examples if example.label != "c"]
    said, = data.missing_labels(two, labels)
    assert "2 of the 3" in said and said.endswith("c.")
    assert data.missing_labels(reading.examples, labels) == []


def test_answers_that_cannot_be_given(tmp_path: Path) -> None:
    context = "甲" * 30 + "答案" + "乙" * 30
    layout = Layout(family("bert"), characters(context + "谁?"), limit=20, stride=6)

    def why(text: str, start: int, **options: int) -> str:
        example = data._example({"line": 1, "texts": [context, "谁?"], "label": [[text, start]], "choices": [], "units": []})
        return span.unreachable(span.features(layout, 0, example), example, TaskConfig(task="span", **options))

    assert why("答案", 30) == ""
    assert "max_answer" in why("答案", 30, max_answer=1)
    assert "no window" in why(context, 0)
    qas = [{"id": "1", "question": "谁?", "answers": [{"text": "", "answer_start": 0}]},
           {"id": "2", "question": "谁?", "answers": [{"text": "甲", "answer_start": 0}], "is_impossible": True}]
    path = write(tmp_path, "q.json", json.dumps({"data": [{"paragraphs": [{"context": context, "qas": qas}]}]}, ensure_ascii=False, indent=1))
    reading = span.read(path, TaskConfig(task="span"))
    assert [kind for _, kind in found(reading)] == ["answer_lost", "contradiction"] and reading.skipped == 1


def test_the_labelled_sentences_of_a_word_become_tags_of_its_senses(tmp_path: Path) -> None:
    given = [Specimen(word="苹果", sense=sense, text=text, hard=hard) for sense, text, hard in (
        ("fruit", "我吃了iPhone旁边的苹果", True), ("fruit", "苹果 很甜", False), ("fruit", "削苹果", True), ("fruit", "买苹果", False),
        ("a firm", "苹果涨了", False), ("a firm", "在苹果上班", False), ("a firm", "问苹果。", False))]
    train, dev = sense_tags.write(given, tmp_path / "examples")
    halves = [tagging.read(path, TaskConfig()) for path in (train, dev)]
    assert not any(reading.problems for reading in halves)
    seen = {example.texts[0]: [tag for tag in example.label if tag != "O"] for reading in halves for example in reading.examples}
    assert seen == {one.text.replace(" ", ""): [f"B-{one.sense.replace(' ', '_')}", f"I-{one.sense.replace(' ', '_')}"] for one in given}
    assert [len(reading.examples) for reading in halves] in ([3, 4], [4, 3])
    for reading in halves:
        kinds = [tag for example in reading.examples for tag in example.label if tag[0] == "B"]
        assert kinds.count("B-fruit") == 2 and kinds.count("B-a_firm") in (1, 2)
    assert sense_tags.write(given[::-1], tmp_path / "examples") == (train, dev), "whatever their order"
    assert sense_tags.write(given[:-1], tmp_path / "examples") != (train, dev), "a run that has learnt from the others finds them again"
    with pytest.raises(UserError, match="too few"):
        sense_tags.write(given[:5], tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_word_within_an_english_sentence_is_tagged_alone(tmp_path: Path) -> None:
    given = [Specimen(word="apple", sense=sense, text=text) for sense, text in (
        ("fruit", "A pineapple and an apple."), ("fruit", "The apple's skin"), ("company", "Apple rose"), ("company", "He left Apple"))]
    found = [example for path in sense_tags.write(given, tmp_path) for example in tagging.read(path, TaskConfig()).examples]
    words = {example.texts[0]: [example.texts[0][start:end] for (start, end), tag in zip(example.units, example.label, strict=True) if tag != "O"]
             for example in found}
    assert words == {"A pineapple and an apple .": ["apple"], "The apple ' s skin": ["apple"], "Apple rose": ["Apple"], "He left Apple": ["Apple"]}


@pytest.mark.parametrize(("words", "wrong"), [
    ({"train": Path("a.csv")}, "--dev is missing"), ({"word": "苹果", "task": "classification"}, "--word is for"),
    ({"word": "苹果", "dev": Path("a.csv")}, "--word is for"), ({"word": "香蕉"}, "no built-in sentences for '香蕉'")])
def test_where_examples_come_from_is_said_once(words: dict, wrong: str) -> None:
    with pytest.raises(UserError, match=wrong):
        asking._examples(SimpleNamespace(**{"train": None, "dev": None, "word": "", "task": "tagging", **words}))


def test_the_command_line_takes_the_built_in_sentences(own_home: Path) -> None:
    train, dev = asking._examples(SimpleNamespace(train=None, dev=None, word="苹果", task="tagging"))
    assert [len(tagging.read(path, TaskConfig()).examples) for path in (train, dev)] == [50, 50]
