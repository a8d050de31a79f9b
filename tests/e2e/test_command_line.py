"""The command line as the README has it, and one sentence with exit code 2 for whatever is wrong."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import cli, events, i18n, launch
from core.cli import columns
from core.exchange import pack, shipped
from core.runs import Run, runs_home
from core.train import worker
from main import SCREENS
from tests.helpers.runs import make_run, write_specimens, write_text

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    write_text(tmp_path / "text.txt")
    write_specimens(tmp_path / "senses.tsv")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "table.csv").write_text("name,review\nA,这是第一条很长的评论。\nB,这是第二条也不短的评论。\n", encoding="utf-8")
    (tmp_path / "lacks.tsv").write_text("word\tsense\ttext\n苹果\tfruit\t香蕉很甜。\n", encoding="utf-8")
    (tmp_path / "headless.tsv").write_text("苹果\tfruit\t苹果很甜。\n", encoding="utf-8")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    return tmp_path


@pytest.mark.parametrize(("arguments", "words"), [
    (["pretrain", "brt"], "bert"),
    (["pretrain", "bert", "--preset", "quik"], "quick"),
    (["pretrain", "bert", "--set", "hiden_size=64"], "hidden_size"),
    (["pretrain", "bert", "--set", "hidden_size"], "key=value"),
    (["pretrain", "bert", "--set", "hidden_size=abc"], "whole number"),
    (["pretrain", "bert", "--corpus", "{here}/nothing.txt"], "nothing.txt"),
    (["pretrain", "bert", "--corpus", "{here}/empty.txt"], "empty.txt"),
    (["pretrain", "bert", "--corpus", "{here}/binary.txt"], "binary.txt"),
    (["pretrain", "bert", "--corpus", "{here}/table.csv", "--column", "text"], "name, review"),
    (["pretrain", "bert", "--corpus", "{here}/text.txt", "--run", "{here}/full"], "not empty"),
    (["pretrain", "bert", "--watch", "{here}/lacks.tsv"], "line 2"),
    (["pretrain", "bert", "--watch", "{here}/headless.tsv"], "word, sense, text"),
    (["pretrain", "bert", "--watch", "{here}/senses.tsv", "--word", "小米"], "小米"),
    (["pretrain", "bert", "--word", "凤梨"], "凤梨"),
    (["pretrain", "bert", "--minutes", "soon"], "soon"),
    (["pretrain", "bert", "--corpus", ""], "--corpus is empty"),
    (["pretrain", "bert", "--corpus", "{here}/loop"], "loop"),
    (["pretrain", "bert", "--watch", "{here}/loop"], "symbolic links"),
    (["finetune", "{here}/full", "--task", "tagging", "--train", "{here}/loop", "--dev", "{here}/loop"], "config.json"),
    (["resume", ""], "DIR is empty"),
    (["resume", "{here}/full"], "config.json"),
    (["senses", "{here}/full"], "config.json"),
    (["senses", "{here}/nothing"], "The run nothing is not there"),
    (["pretrain", "bert", "--watch", "{here}/full"], "full cannot be read: it is a folder."),
    (["neighbours", "{here}/full", "--word", "苹果"], "config.json"),
])
def test_what_is_wrong_is_said_in_a_sentence(here: Path, capsys: pytest.CaptureFixture, arguments: list[str], words: str) -> None:
    before = sorted(here.rglob("*"))
    assert cli.main([argument.format(here=here) for argument in arguments]) == 2
    said = capsys.readouterr().err
    assert words in said and "Traceback" not in said
    assert len(said.strip().splitlines()) == 2, "a sentence, and what to do"
    assert sorted(here.rglob("*")) == before
    assert not runs_home().exists() or not list(runs_home().iterdir())


@pytest.mark.parametrize(("arguments", "words"), [
    (["pretrian"], "没有“pretrian”这个命令。\n你是指 pretrain 吗？"),
    (["--versoin"], "没有名为“--versoin”的选项。"),
    (["pretrain", "bert", "--step", "20"], "没有名为“--step”的选项。\n你是指 --steps 吗？"),
    (["finetune", "DIR", "--taks", "tagging"], "你是指 --task 吗？"),
    (["pretrain", "bert", "gpt"], "“gpt”是多余的参数。"),
    (["pretrain", "bert", "--watch", "tests"], "tests：它是一个文件夹。"),
    (["senses"], "缺少 DIR。\n有哪些参数：python main.py senses --help"),
    (["generate", "DIR", "--prompt", "-你好"], "--prompt 需要一个值。\n请写在选项名之后；以连字符开头的值请写成 --prompt=-..."),
    (["runs", "--json=yes"], "--json 不带值。"),
    (["project", "DIR", "--method", "tnse"], "--method 不能是“tnse”。\n你是指 tsne 吗？"),
    (["generate", "DIR", "--tokens", "abc"], "--tokens 不能是“abc”。\n必须是整数，至少 1。"),
    (["generate", "DIR", "--tokens", "-5"], "--tokens 不能是“-5”。"),
    (["generate", "DIR", "--temperature", "nan"], "必须是数字，从 0 到 100。"),
    (["generate", "DIR", "--temperature", "-1"], "--temperature 不能是“-1”。"),
    (["generate", "DIR", "--top-p", "7"], "必须是数字，从 0 到 1。"),
    (["generate", "DIR", "--seed", "99999999999999999999"], "--seed 不能是“99999999999999999999”。"),
    (["fill", "DIR", "--text", "[MASK]", "-k", "-3"], "-k 不能是“-3”。"),
    (["neighbours", "DIR", "--word", "苹果", "-k", "0"], "-k 不能是“0”。"),
    (["finetune", "DIR", "--task", "tagging", "--train", "a", "--dev", "b", "--seeds", "0"], "--seeds 不能是“0”。"),
])
def test_arguments_that_cannot_be_are_refused_in_the_chosen_language(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture,
                                                                     arguments: list[str], words: str) -> None:
    monkeypatch.setenv(i18n.ENVIRONMENT_VARIABLE, "zh_CN")
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert words in said and "usage" not in said


def test_help_speaks_the_chosen_language(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setenv(i18n.ENVIRONMENT_VARIABLE, "zh_CN")
    for arguments in (["--help"], ["pretrain", "-h"]):
        with pytest.raises(SystemExit, match="0"):
            cli.main(arguments)
        said = capsys.readouterr().out
        assert said.startswith("用法：main.py") and "\n参数:" in said and "\n选项:" in said and "显示这份帮助" in said


def test_every_argument_of_every_verb_is_explained() -> None:
    verbs = cli._parser()._subparsers._group_actions[0].choices
    silent = [f"{name} {action.option_strings or action.metavar}" for name, parser in verbs.items() for action in parser._actions
              if not action.help]
    assert len(verbs) > 15 and not silent


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_help_of_every_verb_fits_a_terminal_of_80_columns_and_stands_in_line(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv(i18n.ENVIRONMENT_VARIABLE, language)
    monkeypatch.setenv("COLUMNS", "80")
    parser = cli._parser()
    verbs = parser._subparsers._group_actions[0].choices
    texts = {name: made.format_help() for name, made in {"": parser, **verbs}.items()}  # (argparse trips over a lone percent sign)
    assert not [line for text in texts.values() for line in text.splitlines() if columns.room(line) > 80]
    assert all(f"\n    {action.dest:<12}{action.help[:8]}" in texts[""] for action in parser._subparsers._group_actions[0]._choices_actions)
    first, second, *_ = texts["attention"].splitlines()
    assert columns.room(first[: first.index("[-h]")]) == columns.room(second[: second.index("[")])


def test_pretrain_then_everything_that_a_run_can_be_asked(here: Path, capsys: pytest.CaptureFixture) -> None:
    small = ["steps=20", "batch_size=4", "seq_len=16", "num_layers=1", "num_heads=2", "hidden_size=16", "threads=1"]
    for family in ("bert", "gpt"):
        assert cli.main(["pretrain", family, "--corpus", str(here / "text.txt"), "--watch", str(here / "senses.tsv"), "--word", "苹果",
                         "--set", *small, "--run", str(here / family)]) == 0
    assert cli.main(["pretrain", "word2vec", "--corpus", str(here / "text.txt"), "--epochs", "1", "--set", "threads=1", "watched=苹果",
                     "--run", str(here / "word2vec")]) == 0
    capsys.readouterr()

    assert cli.main(["senses", str(here / "bert"), str(here / "word2vec"), "--sentences", str(here / "senses.tsv"), "--json"]) == 0
    bert, word2vec = json.loads(capsys.readouterr().out)
    assert (bert["word"], bert["family"], word2vec["run"]) == ("苹果", "bert", "word2vec")
    assert [layer["layer"] for layer in bert["layers"]] == [0, 1]
    assert {"layer", "auc", "centroid_accuracy", "interval", "silhouette", "ari"} <= set(bert["layers"][0])
    assert {"shuffled", "bag_of_context"} <= set(bert["controls"])
    assert word2vec["layers"][0]["auc"] == 0.5
    assert bert["controls"]["bag_of_context"]["source"] == "word2vec"

    assert cli.main(["senses", str(here / "gpt"), "--sentences", str(here / "senses.tsv")]) == 0
    assert "bag of context" in capsys.readouterr().out
    assert cli.main(["neighbours", str(here / "word2vec"), "--word", "苹果", "-k", "3"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert cli.main(["generate", str(here / "gpt"), "--prompt", "妈妈", "--tokens", "5", "--seed", "1"]) == 0
    assert capsys.readouterr().out.startswith("妈妈")
    assert cli.main(["fill", str(here / "bert"), "--text", "妈妈买了一个[MASK]果", "-k", "4"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5

    assert cli.main(["fill", str(here / "gpt"), "--text", "[MASK]"]) == 2
    assert cli.main(["fill", str(here / "bert"), "--text", "没有"]) == 2
    assert cli.main(["generate", str(here / "bert"), "--prompt", "妈妈"]) == 2
    assert not capsys.readouterr().out, "nothing before an error"
    assert cli.main(["neighbours", str(here / "word2vec"), "--word", "凤梨"]) == 2
    assert cli.main(["pretrain", "bert", "--run", str(here / "bert")]) == 2, "a run stands there"
    assert Run.open(here / "bert").status().state == "finished"


def test_a_text_shorter_than_a_batch_still_trains_and_one_of_a_word_does_not(here: Path, capsys: pytest.CaptureFixture) -> None:
    (here / "short.txt").write_text("妈妈买了一个苹果。\n小李在苹果上班。\n", encoding="utf-8")
    assert cli.main(["pretrain", "gpt", "--corpus", str(here / "short.txt"), "--steps", "2", "--set", "min_count=1", "hidden_size=16",
                     "--run", str(here / "short")]) == 0
    (here / "word.txt").write_text("果\n", encoding="utf-8")
    assert cli.main(["pretrain", "gpt", "--corpus", str(here / "word.txt"), "--steps", "2", "--run", str(here / "word")]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_runs_are_listed(here: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_listen", lambda: lambda: False)
    assert cli.main(["runs"]) == 0
    assert "pretrain bert" in capsys.readouterr().out
    run = make_run(runs_home(), "bert")
    worker.work(run.path)
    assert cli.main(["runs", "--json"]) == 0
    assert [item["state"] for item in json.loads(capsys.readouterr().out)] == ["finished"]


def test_runs_that_cannot_be_read_are_named_and_hide_no_other(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    good, closed, damaged, silent = (make_run(runs_home(), "bert").path for _ in range(4))
    (damaged / "config.json").write_text("{")
    (silent / "events.jsonl").mkdir()
    original = Path.stat

    def stat(self: Path, **keywords: bool) -> os.stat_result:
        if closed in self.parents:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return original(self, **keywords)

    monkeypatch.setattr(Path, "stat", stat)
    assert cli.main(["runs"]) == 0
    said = capsys.readouterr()
    assert str(good) in said.out and len(said.out.splitlines()) == 1
    assert len(said.err.splitlines()) == 3 and all(str(path) in said.err for path in (closed, damaged, silent))
    assert cli.main(["senses", str(closed)]) == 2
    assert "cannot be read: no permission" in capsys.readouterr().err


def test_of_a_run_in_the_home_its_name_alone_is_enough(capsys: pytest.CaptureFixture) -> None:
    run = make_run(runs_home(), "bert")
    assert Run.open(Path(run.path.name)).path == run.path
    assert cli.main(["senses", run.path.name]) == 2
    assert "has no checkpoint yet" in capsys.readouterr().err


def test_a_run_whose_folder_cannot_be_written_is_not_resumed(tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, "bert")
    (run.path / "worker.log").mkdir()
    assert cli.main(["resume", str(run.path)]) == 2
    assert "cannot be started" in capsys.readouterr().err
    before = (run.path / "config.json").read_text(encoding="utf-8")
    monkeypatch.setattr(os, "replace", _refuse)
    assert cli.main(["resume", str(run.path), "--set", "steps=99"]) == 2
    assert f"{run.path} cannot be written: the disk can only be read." in capsys.readouterr().err
    assert (run.path / "config.json").read_text(encoding="utf-8") == before and not list(run.path.glob(".*"))


@pytest.mark.parametrize(("name", "said"), [("bert", True), ("word2vec", False)])
def test_who_resumes_a_run_that_ships_hears_that_its_optimizer_begins_anew(
        tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, name: str, said: bool) -> None:
    run = pack.unpack(shipped.MODELS / "en" / f"{name}.lexi", tmp_path / "run").run
    monkeypatch.setattr(cli, "train", lambda run: 0)
    assert cli.main(["resume", str(run)]) == 0
    assert ("optimizer" in capsys.readouterr().err) == said


def test_what_the_system_refuses_is_a_sentence(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    runs_home().mkdir(parents=True)
    monkeypatch.setattr(Path, "iterdir", _refuse)
    assert cli.main(["runs"]) == 2
    assert "The system refuses: /somewhere: the disk can only be read." in capsys.readouterr().err


def _refuse(*_: object, **__: object) -> None:
    raise OSError(errno.EROFS, "Read-only file system", "/somewhere")


@pytest.mark.parametrize("given", ["file", "folder"])
def test_a_name_that_is_no_text_is_refused_before_anything_is_written(here: Path, capsys: pytest.CaptureFixture, given: str) -> None:
    gbk = os.fsdecode(os.fsencode(here) + b"/" + "苹果".encode("gbk"))
    if given == "file":
        Path(gbk).write_bytes((here / "text.txt").read_bytes())
        arguments = ["--corpus", gbk]
    else:
        arguments = ["--corpus", str(here / "text.txt"), "--run", gbk]
    assert cli.main(["pretrain", "bert", *arguments]) == 2
    said = capsys.readouterr().err
    assert "not written in UTF-8" in said and "Rename" in said
    assert not runs_home().exists() and not (given == "folder" and Path(gbk).exists())


def test_what_is_no_text_is_refused_by_name_wherever_it_cannot_be_written(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "resume", lambda parsed: str(parsed.run).encode())
    assert cli.main(["resume", "a\udcff"]) == 2
    assert "not written in UTF-8: a?" in capsys.readouterr().err


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Python's own handler of Ctrl-C, whatever another test has left; afterwards it is as it was."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_is_one_line_and_leaves_nothing_half_written(tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch,
                                                            ctrl_c: None) -> None:
    from matplotlib.figure import Figure

    def half(self: Figure, path: Path, **_: object) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Figure, "savefig", half)
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("\n".join(f"word{number} {number} {number % 7} {number % 3}" for number in range(1, 40)), encoding="utf-8")
    assert cli.main(["project", str(vectors), "--out", str(tmp_path / "map.svg")]) == 130
    assert capsys.readouterr().err == "Stopped.\n"
    assert sorted(tmp_path.iterdir()) == [vectors]


@pytest.mark.parametrize(("times", "told", "words"), [
    (1, events.RunFinished(step=0, reason="stopped"), "stopped"),
    (2, events.Preparing(stage="starting", done=0, total=0), "interrupted; it can be resumed"),
])
def test_ctrl_c_ends_a_training_from_the_birth_of_its_process_on(tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch,
                                                                 ctrl_c: None, times: int, told: events.Event, words: str) -> None:
    """Before, it was said to have stopped and trained on unseen. Stand-ins for a worker: one obeys, the other must be ended."""
    run = make_run(tmp_path)
    code = "import sys, time, pathlib\nwhile not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.01)"
    born = []

    def start(_: Run) -> subprocess.Popen:
        born.append(subprocess.Popen([sys.executable, "-c", code, str(run.path / ("commands/stop" if times == 1 else "never"))]))
        writer = events.EventWriter(run.events_path)
        writer.write(told)
        writer.close()
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        return born[0]

    monkeypatch.setattr(launch, "start", start)
    assert cli.main(["resume", str(run.path)]) == (0 if times == 1 else cli.INTERRUPTED)
    assert born[0].poll() is not None
    output = capsys.readouterr()
    assert output.out == f"{run.path}  {words}\n"
    assert output.err.endswith("Stopping and saving...\n")
    assert signal.getsignal(signal.SIGINT) is cli._interrupted


def test_a_training_is_watched_to_its_end_though_nobody_reads_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                     capsys: pytest.CaptureFixture) -> None:
    """`pretrain ... 2>&1 | head -1`: before, the command ended at once, and the process trained on unseen."""
    class Gone(io.StringIO):
        def reconfigure(self, **_: object) -> None: ...
        def write(self, _: str) -> int:
            raise BrokenPipeError

    run, born = make_run(tmp_path), []

    def start(_: Run) -> subprocess.Popen:
        born.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.3)"]))
        writer = events.EventWriter(run.events_path)
        writer.write(events.Preparing(stage="starting", done=0, total=0))
        writer.write(events.RunFinished(step=3, reason="complete"))
        writer.close()
        return born[0]

    monkeypatch.setattr(launch, "start", start)
    monkeypatch.setattr(sys, "stderr", Gone())
    assert cli.main(["resume", str(run.path)]) == 0
    assert born[0].poll() == 0
    assert capsys.readouterr().out == f"{run.path}  finished\n"
    assert cli.main(["resume", str(tmp_path / "nothing")]) == 2


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_line_of_progress_fits_a_terminal_of_80_columns_to_the_time_left(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture,
                                                                             language: str) -> None:
    """Chinese characters take two columns: before, each line broke, stayed there, and had lost its end."""
    monkeypatch.setattr(i18n, "_language", language)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bar = cli._Bar()
    bar.show(events.EvalEnd(step=900, metrics={"loss": 2.5}))
    bar.show(events.StepEnd(step=1234, loss=2.345, learning_rate=0.1, grad_norm=1.0, tokens=1, tokens_per_s=16_000, progress=0.5, elapsed=1.0,
                            seconds_left=754.0, memory=1))
    line = capsys.readouterr().err.removeprefix("\r\033[K")
    assert columns.room(line) <= 79
    assert "12:34" in line
    assert columns.cut("甲乙e\u0301丙", 6) == "甲乙e\u0301"
    assert (columns.left("甲", 4), columns.right("甲", 4)) == ("甲  ", "  甲")


def test_closed_streams_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)  # as Python has it after `>&- 2>&-`
    monkeypatch.setattr(sys, "stderr", None)
    assert cli.main(["runs"]) == 0
    assert cli.main(["nonsense"]) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux does a variable say whether there is a screen")
def test_without_a_screen_the_window_is_refused_in_a_sentence() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in SCREENS} | {"LEXISCOPE_LANGUAGE": "en"}
    ended = subprocess.run([sys.executable, str(ROOT / "main.py")], env=environment, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == ["Error: There is no screen here to open a window on.",
                                         "Start it on a desktop, or work without a window: python main.py --help lists how."]


def test_ctrl_c_waits_until_a_library_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ctrl_c: None) -> None:
    (tmp_path / "slow_library.py").write_text("import signal\nsignal.raise_signal(signal.SIGINT)\nloaded = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    loaded = []

    def verb(_: object) -> None:
        import slow_library

        loaded.append(slow_library.loaded)
        for _ in range(1000):
            time.sleep(0.01)

    monkeypatch.setattr(cli, "runs", verb)
    assert cli.main(["runs"]) == cli.INTERRUPTED
    assert loaded == [True]
    code = "import sys; from core import cli; cli.runs = lambda _: __import__('slow_library') and None; sys.exit(cli.main(['runs']))"
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}, capture_output=True,
                           text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, ""), "it had done its work before"
