"""The command line: the same verbs as the window, started alike.

Here: training a model on text and the questions to a single run. The other verbs stand in modules of this package, one a group.
"""

from __future__ import annotations

import _thread
import argparse
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from core import config as configs
from core import events, launch
from core.checks import check_inputs
from core.cli import columns, sensing
from core.cli.parser import Number, Parser
from core.errors import DISK_FULL, UserError, refused_by_system, system_words
from core.i18n import tr
from core.registry import FAMILIES
from core.runs import Run, run_folders, runs_home

USER_ERROR = 2
INTERRUPTED = 130  # as shells have it
AGAIN_SECONDS = 0.1  # until a Ctrl-C that came amiss is asked after
TASK_MEASURES = ("macro_f1", "f1", "exact_match", "pearson", "spearman")  # of validations, shown beside the loss
BAR_WIDTH = 24
LINE_SECONDS = 5.0  # between two lines of progress where the output is no terminal

# Modules with add_verbs(verb), called with the function `verb` of _parser
GROUPS: tuple[str, ...] = ("core.cli.looking", "core.cli.sensing", "core.cli.mapping", "core.cli.exporting", "core.cli.tasks", "core.cli.exchange")


def main(arguments: list[str]) -> int:
    """Run one verb; returns the exit code: 0, or 2 after an error in words on standard error, or 130 after Ctrl-C."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the shell has closed it: `>&-`
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (until the program ends)
        getattr(sys, name).reconfigure(encoding="utf-8", errors="replace")
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    try:
        parsed = _parser().parse_args(arguments)
        return parsed.verb(parsed) or 0
    except UserError as error:
        return _refused(error.message, error.hint)
    except BrokenPipeError:
        return 0
    except OSError as error:
        refused = refused_by_system(error)
        return _refused(refused.message, refused.hint)
    except UnicodeEncodeError:
        shown = [argument.encode("utf-8", "replace").decode("utf-8") for argument in arguments]
        if shown == arguments:
            raise
        name = next(new for new, old in zip(shown, arguments, strict=True) if new != old)
        return _refused(tr("This name is not written in UTF-8: {name}", name=name), tr("Rename the file or the folder."))
    except KeyboardInterrupt:
        _tell("\n" * sys.stderr.isatty() + tr("Stopped."))
        return INTERRUPTED


def say_no_screen() -> int:
    """The window was wanted where there is nothing to open it on, as over ssh. Returns the exit code."""
    return _refused(tr("There is no screen here to open a window on."),
                    tr("Start it on a desktop, or work without a window: python main.py --help lists how."))


def _refused(message: str, hint: str) -> int:
    _tell("\n".join(part for part in (tr("Error: {message}", message=message), hint) if part))
    return USER_ERROR


def _tell(text: str, end: str = "\n") -> None:
    """On standard error. Where nobody reads it any more, or its disk is full, a training is still watched and the exit code still tells."""
    with suppress(OSError):
        print(text, end=end, file=sys.stderr, flush=True)


def _interrupted(number: int, frame: FrameType | None) -> None:
    """As Python does, but not while a library is being loaded: torch would end the program with a crash. Then a little later."""
    inside = frame
    while inside is not None:
        if inside.f_code.co_filename == "<frozen importlib._bootstrap>":
            again = threading.Timer(AGAIN_SECONDS, _thread.interrupt_main)
            again.daemon = True  # what ends before has nothing to be interrupted
            again.start()
            return
        inside = inside.f_back
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="main.py", description=tr("Train small language models on your own text, and look inside."))
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, function: Callable[[Any], int | None], help_text: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=help_text, description=help_text)
        made.set_defaults(verb=function)
        return made

    add = verb("pretrain", pretrain, tr("train a model on text"))
    add.add_argument("family", metavar="FAMILY", help=", ".join(FAMILIES))
    add.add_argument("--corpus", type=Path, nargs="+", action="extend", default=[], metavar="FILE",
                     help=tr("files or folders; without it the built-in text is used"))
    add.add_argument("--column", action="append", default=[], metavar="NAME",
                     help=tr("column with the text; of several each file takes the one it has"))
    add.add_argument("--preset", default="quick", help=tr("the settings to begin with: quick, small, base; without it quick"))
    add.add_argument("--minutes", help=tr("train for so long"))
    add.add_argument("--steps", help=tr("train for so many steps"))
    add.add_argument("--epochs", help=tr("read the text so many times"))
    add.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
                     help=tr("any option of the settings; what is none, such as 0=1, names them all"))
    add.add_argument("--watch", type=Path, metavar="SENSES.tsv", help=tr("labelled sentences of the word to watch"))
    add.add_argument("--word", help=tr("the word to watch"))
    add.add_argument("--device", help=tr("where to compute: auto, cuda, mps, cpu"))
    add.add_argument("--nproc", help=tr("processes that train together"))
    add.add_argument("--run", metavar="DIR", type=Path, help=tr("the run's folder"))

    add = verb("resume", resume, tr("go on with a run"))
    add.add_argument("run", type=Path, metavar="DIR")
    add.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
                     help=tr("micro_batch_size, threads, device or a later end"))

    add = verb("runs", runs, tr("list the runs"))
    add.add_argument("--json", action="store_true")

    add = verb("senses", senses, tr("measure how far the senses of a word come apart"))
    sensing.add_runs_and_sentences(add)
    add.add_argument("--json", action="store_true")
    add.add_argument("--out", type=Path, metavar="FILE", help=tr("save a figure: .svg, .pdf or .png"))
    sensing.add_place_aside(add)

    add = verb("neighbours", neighbours, tr("the words nearest to a word"))
    add.add_argument("run", type=Path, metavar="DIR")
    add.add_argument("--word", required=True, help=tr("the word whose neighbours are asked for"))
    add.add_argument("-k", type=Number(least=1), default=10)

    add = verb("generate", generate, tr("let a GPT run write"))
    add.add_argument("run", type=Path, metavar="DIR")
    add.add_argument("--prompt", default="", help=tr("how the text begins"))
    add.add_argument("--tokens", type=Number(least=1), default=100, help=tr("how many tokens it writes; without it {default}", default=100))
    add.add_argument("--temperature", type=Number(kind=float, least=0, most=100), default=0.8,
                     help=tr("0 always takes the likeliest token, more dares more; without it {default}", default=0.8))
    add.add_argument("--top-k", type=Number(least=0, most=1_000_000), default=0,
                     help=tr("draw from so many of the likeliest tokens; 0 from all"))
    add.add_argument("--top-p", type=Number(kind=float, least=0, most=1), default=1.0,
                     help=tr("draw from the likeliest tokens that together have this probability; 1 from all"))
    add.add_argument("--seed", type=Number(least=0, most=2**63 - 1), default=0, help=tr("the same seed writes the same text"))

    add = verb("fill", fill, tr("let a BERT run fill a [MASK]"))
    add.add_argument("run", type=Path, metavar="DIR")
    add.add_argument("--text", required=True, help=tr("the sentence, with [MASK] where a token is to be guessed"))
    add.add_argument("-k", type=Number(least=1), default=10)

    for group in GROUPS:
        import_module(group).add_verbs(verb)

    add = verb("worker", work, tr("the process of a run; started by the others"))
    add.add_argument("run", type=Path, metavar="DIR")
    return parser


def work(parsed: argparse.Namespace) -> int:
    from core.train import worker

    return worker.work(parsed.run)


def settings(pairs: list[str]) -> dict[str, str]:
    """["key=value", ...] as a dict. UserError for what is no pair."""
    made = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError(tr("'{pair}' is not of the form key=value.", pair=pair), tr("Write for instance --set hidden_size=128."))
        made[key.strip()] = value
    return made


def pretrain(parsed: argparse.Namespace) -> int:
    options: dict[str, Any] = settings(parsed.set)
    given = {"train.minutes": parsed.minutes, "train.steps": parsed.steps, "train.epochs": parsed.epochs, "train.device": parsed.device,
             "train.processes": parsed.nproc, "watch.word": parsed.word, "watch.specimens": parsed.watch and os.path.realpath(parsed.watch),
             "text.files": tuple(map(os.path.realpath, parsed.corpus)), "text.columns": tuple(parsed.column)}
    options.update({key: value for key, value in given.items() if value})
    config = configs.build(parsed.family, parsed.preset, options)
    check_inputs(config)
    run = Run.create(config, parsed.run)
    return train(run)


def resume(parsed: argparse.Namespace) -> int:
    run = Run.open(parsed.run)
    if parsed.set:
        launch.require_startable(run)
        run.change(settings(parsed.set))
    if run.lacks_moments:
        print(tr("Its checkpoint came without the state of the optimizer, which begins anew."), file=sys.stderr)
    return train(run)


def train(run: Run) -> int:
    """Start the run's process and show its progress until it ends. Ctrl-C stops and saves, which is a good end; a second one ends it at once.

    Returns the worker's exit code, or INTERRUPTED after the second Ctrl-C. UserError where the run failed or its process died.
    """
    begin = run.events_path.stat().st_size if run.events_path.exists() else 0
    reader = events.EventReader(run.events_path, begin)
    bar = _Bar()
    asked: list[int] = []
    before = signal.signal(signal.SIGINT, lambda *_: asked.append(1))  # first: a Ctrl-C while the process is born must not leave it alone
    try:
        code = _follow(launch.start(run), run, reader, bar, asked)
    finally:
        signal.signal(signal.SIGINT, before)
    bar.close()
    if gone := run.missing():
        raise gone
    if asked:  # it may have ended by itself; somebody else's stop is for the process that works on it now
        run.withdraw("stop")
    if code and run.worker_pid():  # of two that were started at once the other was quicker
        launch.require_startable(run)
    since = events.EventReader(run.events_path, begin).read()  # a failure of before is not that of today
    if failure := next((event for event in reversed(since) if isinstance(event, events.RunFailed)), None):
        raise UserError(failure.message, failure.hint)
    if code == DISK_FULL:
        raise UserError(tr("The disk is full."), tr("Free some space, then resume the run; its last good checkpoint is untouched."))
    status = run.status()
    if (status.state in ("killed", "new", "failed") or code == USER_ERROR) and len(asked) < 2:
        raise UserError(tr("The run's process ended without a word (exit code {code}).", code=code),
                        tr("See {log}; go on with: python main.py resume {path}", log=run.path / "worker.log", path=run.path))
    print(f"{run.path}  {status.text}")
    return INTERRUPTED if asked and status.state == "killed" else code


def _follow(process: subprocess.Popen, run: Run, reader: events.EventReader, bar: _Bar, asked: list[int]) -> int:
    """Show what the run tells until its process ends; returns its exit code. asked: grows with every Ctrl-C."""
    told = False
    while True:
        ended = process.poll() is not None
        for event in reader.read():
            bar.show(event)
        if ended:
            return process.returncode
        if asked and not told:
            told = True
            bar.say(tr("Stopping and saving..."))
            run.command("stop")
        if len(asked) > 1:
            launch.kill(process.pid)
        time.sleep(0.1)


class _Bar:
    """One line that is written over on a terminal; a line every few seconds elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last = 0.0
        self._valid = ""

    def show(self, event: events.Event) -> None:
        if isinstance(event, events.Preparing):
            share = f" {event.done / event.total:.0%}" if event.total else ""
            self._line(f"{event.stage}{share}", final=False)
        elif isinstance(event, events.RunStarted):
            self.say(tr("{device}, {parameters:,} parameters, {tokens:,} tokens, vocabulary {vocab:,}", device=event.device,
                        parameters=event.parameters, tokens=event.train_tokens, vocab=event.vocab_size))
        elif isinstance(event, events.EvalEnd):
            measures = (f"  {name} {value:.3f}" for name, value in event.metrics.items() if name in TASK_MEASURES)
            self._valid = tr("  valid {loss:.3f}", loss=event.metrics["loss"]) + "".join(measures)
        elif isinstance(event, events.StepEnd):
            room = _room() - columns.room(self._progress(event, 0)) if self._terminal else BAR_WIDTH
            self._line(self._progress(event, max(0, min(room, BAR_WIDTH))), final=event.progress >= 1)
        elif isinstance(event, events.RunPaused):
            self.say(tr("paused"))

    def _progress(self, event: events.StepEnd, width: int) -> str:
        """width: of the bar."""
        done = round(width * event.progress)
        return tr("[{bar}] {percent:.0%}  step {step}  loss {loss:.3f}{valid}  {speed:,.0f} tokens/s  {left} left",
                  bar="█" * done + "·" * (width - done), percent=event.progress, step=event.step, loss=event.loss, valid=self._valid,
                  speed=event.tokens_per_s, left=duration(event.seconds_left))

    def say(self, text: str) -> None:
        _tell("\r\033[K" * self._terminal + text)

    def close(self) -> None:
        if self._terminal:
            _tell("")

    def _line(self, text: str, *, final: bool) -> None:
        if self._terminal:
            _tell("\r\033[K" + columns.cut(text, _room()), end="")
        elif final or time.monotonic() - self._last > LINE_SECONDS:
            self._last = time.monotonic()
            _tell(text)


def _room() -> int:
    """Columns of the terminal's line, without the last: a line that fills it would begin another."""
    return shutil.get_terminal_size().columns - 1


def duration(seconds: float) -> str:
    """63 -> "1:03", 3700 -> "1:01:40"."""
    whole = int(seconds) if math.isfinite(seconds) else 0
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def runs(parsed: argparse.Namespace) -> None:
    listed, passed_over = [], []
    for path in run_folders():
        try:
            listed.append((run := Run.open(path), run.status()))
        except UserError as error:
            passed_over.append(error.message)
        except OSError as error:
            passed_over.append(tr("{path} cannot be read: {reason}.", path=error.filename, reason=system_words(error)))
    for reason in passed_over:
        print(tr("Passed over: {reason}", reason=reason), file=sys.stderr)
    if parsed.json:
        print(json.dumps([{"path": str(run.path), "name": run.name, "family": run.config.family, "state": status.state, "step": status.step,
                           "progress": status.progress} for run, status in listed], ensure_ascii=False, indent=1))
        return
    if not listed and not passed_over:
        print(tr("No runs in {path} yet. Start one: python main.py pretrain bert", path=runs_home()))
    for run, status in listed:
        name, step = columns.left(run.name, 28), columns.left(tr("step {step}", step=status.step), 12)
        print(f"{name} {run.config.family:<9} {step} {status.text}  {run.path}")


def senses(parsed: argparse.Namespace) -> None:
    from core.analysis.senses import MUCH_UNKNOWN, compare, unknown_share
    from core.text import builtin
    from core.text.tokenizers import load_tokenizer

    opened = [Run.open(path) for path in parsed.runs]
    specimens = sensing.specimens_of(opened[0], parsed.sentences, parsed.word)
    if parsed.place_aside and not parsed.out:
        raise UserError(tr("--place-aside is about the figure; the table has both."), tr("Name the figure's file with --out."), where="place_aside")
    if parsed.out:
        sensing.save_senses(opened, specimens, parsed.out, aside=parsed.place_aside)
    left_out: list[tuple[str, Run, UserError]] = []
    reports = compare(opened, specimens, lambda *each: left_out.append(each))
    one = len(reports) + len(left_out) == 1
    if one and left_out:
        raise left_out[0][2]
    for word, run, error in left_out:
        print(tr("Left out: {word} in {run}. {why}", word=word, run=run.name, why=error), file=sys.stderr)
    if not reports:
        raise UserError(tr("None of the words can be measured."), tr("Name other sentences with --sentences, or other runs."))
    if parsed.json:
        made = [item.to_json() for item in reports]
        print(json.dumps(made[0] if one else made, ensure_ascii=False, indent=1))
        return
    for item in reports:
        titles = [builtin.sense_title(item.word, sense) for sense in item.senses]
        print(f"\n{item.word} · {item.run} ({item.family}) · {' / '.join(titles)}")
        print(f"  {columns.left(tr('layer'), 22)}{'auc':>7}{'centroid':>10}{columns.right(tr('95% interval'), 18)}{'silhouette':>12}{'ari':>7}"
              f"{columns.right(tr('place aside'), 13)}   {tr('hard: auc, centroid')}")
        for layer in item.layers:
            print(_measures(str(layer.layer), layer.all, layer.hard, layer.place_aside))
        print(_measures(tr("shuffled labels"), item.shuffled))
        bag = item.bag_of_context
        print(_measures(tr("bag of context"), bag.all, bag.hard, bag.place_aside) + f"   ({item.bag_source})")
        if item.left_out:
            print("  " + (tr("1 sentence was left out: the model does not know the word in it.") if item.left_out == 1 else
                          tr("{count} sentences were left out: the model does not know the word in them.", count=item.left_out)))
    measured = {item.run for item in reports}
    for run in opened:
        if run.name in measured and (share := unknown_share(load_tokenizer(run.tokenizer_path), specimens)) > MUCH_UNKNOWN:
            print("\n" + tr("{name}: {share:.0%} of the words around are unknown to this model, so that the figures say little of it.",
                            name=run.name, share=share))
    if parsed.out:
        print("\n" + tr("Saved as {path}.", path=parsed.out))


def _measures(name: str, all_: Any, hard: Any = None, place_aside: Any = None) -> str:
    """A line of the table. place_aside: its centroid accuracy alone."""
    def number(value: float | None, width: int) -> str:
        return f"{'–' if value is None else f'{value:.3f}':>{width}}"

    interval = "–" if all_.interval is None else f"{all_.interval[0]:.3f}–{all_.interval[1]:.3f}"
    line = f"  {columns.left(name, 22)}{number(all_.auc, 7)}{number(all_.centroid_accuracy, 10)}{interval:>18}"
    line += f"{number(all_.silhouette, 12)}{number(all_.ari, 7)}"
    line += number(place_aside.centroid_accuracy, 13) if place_aside else ""
    return line + (f"   {number(hard.auc, 0)}  {number(hard.centroid_accuracy, 0)}  (n={hard.specimens})" if hard and hard.specimens else "")


def neighbours(parsed: argparse.Namespace) -> None:
    from core.analysis.neighbours import neighbours_of_run

    found = neighbours_of_run(Run.open(parsed.run), parsed.word, parsed.k)
    print(tr("The cosine of each word's vector with that of {word}:", word=parsed.word), file=sys.stderr)
    for word, cosine in found:
        print(f"{word}\t{cosine:.3f}")


def generate(parsed: argparse.Namespace) -> None:
    from core.analysis import encode, predict

    pieces = predict.generate(encode.load(Run.open(parsed.run)), parsed.prompt, max_new_tokens=parsed.tokens, temperature=parsed.temperature,
                              top_k=parsed.top_k, top_p=parsed.top_p, seed=parsed.seed)
    print(parsed.prompt + next(pieces, ""), end="", flush=True)  # nothing before an error
    for piece in pieces:
        print(piece, end="", flush=True)
    print()


def fill(parsed: argparse.Namespace) -> None:
    from core.analysis import encode, predict

    for number, candidates in enumerate(predict.fill(encode.load(Run.open(parsed.run)), parsed.text, parsed.k), start=1):
        print(tr("gap {number}", number=number))
        for item in candidates:
            print(f"  {item.token}\t{item.probability:.3f}")
