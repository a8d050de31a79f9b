from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from core import config, trash
from core.analysis import recent, text_window
from core.config import TextConfig
from core.errors import UserError
from core.events import EventWriter, RunFinished
from core.runs import Run


@pytest.fixture
def files(tmp_path):
    (tmp_path / "plain.txt").write_text("one two\nthree four\nfive six\n" * 20, encoding="utf-8")
    (tmp_path / "table.csv").write_text("a,b\nfirst words here,other words there\nmore words here,even more words\n", encoding="utf-8")
    (tmp_path / "old.txt").write_bytes("今天天气很好，我们去公园散步，然后回家吃饭。\n".encode("gb18030") * 20)
    return tmp_path


def test_every_file_is_shown_with_its_encoding_columns_and_problem(files):
    found = text_window.look(TextConfig(files=(str(files), str(files / "gone.txt"))))
    by_name = {one.path.rpartition("/")[2]: one for one in found.files}
    assert by_name["plain.txt"].documents[:2] == ("one two", "three four")
    (files / "long.txt").write_text("x" * text_window.SHOWN_CHARACTERS + "\n" + "y" * 999, encoding="utf-8")
    long, = text_window.look(TextConfig(files=(str(files / "long.txt"),))).files
    assert [document[-1] for document in long.documents] == ["x", "…"]
    assert by_name["old.txt"].encoding == "gb18030"
    assert by_name["table.csv"].columns == ("a", "b")
    assert by_name["table.csv"].problem
    assert [path for path, _, _ in found.missing] == [str(files / "gone.txt")]
    chosen = text_window.look(TextConfig(files=(str(files / "table.csv"),), columns=("b",)))
    assert chosen.files[0].column == "b"
    assert not chosen.files[0].problem


def test_the_built_in_text_can_be_looked_at():
    assert text_window.look(TextConfig(corpus="en")).builtin


def test_a_small_text_is_counted_and_a_large_one_reckoned(files, monkeypatch):
    text = TextConfig(files=(str(files / "plain.txt"),))
    counted = text_window.size_of(text)
    assert counted.exact
    monkeypatch.setattr(text_window, "COUNTED_BYTES", 10)
    reckoned = text_window.size_of(text)
    assert not reckoned.exact
    assert counted.tokens / 4 < reckoned.tokens < counted.tokens * 4
    monkeypatch.setattr(text_window, "kind_of", lambda source: "one that was added to the registry")
    assert counted.tokens / 8 < text_window.size_of(text).tokens < counted.tokens * 4


def test_counts_are_kept_until_the_file_changes(files, monkeypatch):
    text = TextConfig(files=(str(files / "plain.txt"),))
    first = text_window.count(text, lambda *_: None, lambda: False)
    assert text_window.count(text, lambda *_: None, lambda: False) is first
    (files / "plain.txt").write_text("another\ntext\naltogether\n", encoding="utf-8")
    assert text_window.count(text, lambda *_: None, lambda: False).documents == 3


def test_what_speaks_against_a_run_names_its_field(files):
    good = config.build("gpt", options={"text.files": (str(files / "plain.txt"),)})
    assert text_window.problem_of(good) is None
    bad = replace(good, text=replace(good.text, files=(str(files / "gone.txt"),)))
    assert text_window.problem_of(bad).where == "files"
    strange = replace(good, watch=replace(good.watch, word="no such word"))
    assert text_window.problem_of(strange).where == "word"


def test_cancelling_a_count_is_no_crash(files):
    with pytest.raises(UserError):
        text_window.count(TextConfig(files=(str(files / "old.txt"),)), lambda *_: None, lambda: True)


def test_recent_runs_come_newest_first_and_finished_ones_are_found_again(tmp_path):
    wanted = config.build("gpt", options={"train.minutes": 0.5})
    done = Run.create(replace(wanted, name="another name", train=replace(wanted.train, threads=7)), tmp_path / "done")
    waiting = Run.create(wanted, tmp_path / "waiting")
    writer = EventWriter(done.events_path)
    writer.write(RunFinished(step=3, reason="complete"))
    writer.close()
    other = config.build("gpt", options={"train.minutes": 2})
    assert recent.alike([wanted, other], tmp_path) == [(str(done.path), "finished"), ("", "")]
    trash.delete(done)
    assert recent.alike([wanted], tmp_path) == [(str(waiting.path), "new")]


def test_nothing_of_it_loads_torch():
    code = ("import sys, core.analysis.text_window, core.analysis.recent\ncore.analysis.text_window.ground()\n"
            "print([name for name in ('torch', 'sklearn') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_a_text_says_whether_it_holds_a_word(files, monkeypatch):
    plain = TextConfig(files=(str(files / "plain.txt"),))
    assert [text_window.lacks(plain, word) for word in ("three", "Three", "thre", "公园")] == [False, False, True, True]
    assert not text_window.lacks(TextConfig(files=(str(files / "old.txt"),)), "公园")
    assert text_window.lacks(TextConfig(corpus="zh"), "apple")
    monkeypatch.setattr(text_window, "COUNTED_BYTES", 10)
    assert not text_window.lacks(plain, "公园"), "nobody has read it"
