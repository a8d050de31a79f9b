"""The verbs of the second stage: finetune, evaluate, predict, worth."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.cli import columns
from core.cli.parser import Number
from core.errors import UserError
from core.events import EvalEnd
from core.i18n import tr
from core.registry import TASKS, task
from core.runs import NEWEST, Run, home
from core.shares import percent
from core.study import method_titles
from core.tasks.config import build_finetune
from core.tasks.data import SHOWN_LABELS
from core.tasks.labels import NUMBER
from core.tasks.seeds import over_seeds

SHOWN_PROBLEMS = 3  # line numbers named of each kind


def add_verbs(verb: Callable[..., argparse.ArgumentParser]) -> None:
    add = verb("finetune", finetune, tr("teach a pretrained run a task"))
    _common(add)
    add.add_argument("--labels", metavar="N", help=tr("learn from so many labelled examples"))
    add.add_argument("--from-scratch", action="store_true", help=tr("begin with random weights"))
    add.add_argument("--freeze", action="store_true", help=tr("leave the pretrained layers as they are"))
    add.add_argument("--minutes", help=tr("train for so long"))
    add.add_argument("--steps", help=tr("train for so many steps"))
    add.add_argument("--epochs", help=tr("read the examples so many times"))
    add.add_argument("--device", help=tr("where to compute: auto, cuda, mps, cpu"))
    add.add_argument("--seeds", type=Number(least=1), default=1, metavar="N",
                     help=tr("so many runs one after the other, each from a seed of its own; mean and spread at the end"))
    add.add_argument("--run", metavar="DIR", type=Path, help=tr("the run's folder; of several seeds the beginning of their names"))

    add = verb("evaluate", evaluate, tr("measure a finetuned run on labelled data"))
    add.add_argument("run", type=Path, metavar="DIR")
    add.add_argument("--file", default="", help=tr("labelled data; without it the run's own development examples"))
    _which(add)
    add.add_argument("--csv", type=Path, metavar="FILE", help=tr("write every example and its prediction"))
    add.add_argument("--json", action="store_true")

    add = verb("predict", predict, tr("let a finetuned run answer"))
    add.add_argument("run", type=Path, metavar="DIR")
    _which(add)
    for name, words in (("text", tr("the text, where the task asks for one")), ("text-a", tr("the first text of a pair")),
                        ("text-b", tr("the second text of a pair")), ("context", tr("the passage that a question is about")),
                        ("question", tr("the question"))):
        add.add_argument(f"--{name}", default="", help=words)
    add.add_argument("--choices", nargs="+", default=[], help=tr("the answers to choose from"))
    add.add_argument("--file", type=Path, help=tr("a text a line, or a JSON object of the fields a line (jsonl)"))
    add.add_argument("--json", action="store_true")

    add = verb("worth", worth, tr("compare a pretrained run with random weights and a plain method, over growing numbers of labels"))
    _common(add)
    add.add_argument("--counts", default="", help=tr("numbers of labels, such as 50,200,1000"))
    add.add_argument("--seeds", type=Number(least=1), default=3,
                     help=tr("so many times each, from a seed of its own; without it {default}", default=3))
    add.add_argument("--out", type=Path, required=True, metavar="DIR",
                     help=tr("the comparison's folder; one that was begun goes on"))
    add.add_argument("--json", action="store_true")


def _which(add: argparse.ArgumentParser) -> None:
    add.add_argument("--checkpoint", default=NEWEST, metavar="STEP", help=tr("newest, best (of the run's own validations) or a step"))


def _common(add: argparse.ArgumentParser) -> None:
    add.add_argument("pretrained", type=Path, metavar="PRETRAINED", help=tr("the folder of a pretrained run"))
    add.add_argument("--task", required=True, help=", ".join(TASKS))
    add.add_argument("--train", type=Path, metavar="FILE", help=tr("labelled examples to learn from"))
    add.add_argument("--dev", type=Path, metavar="FILE", help=tr("labelled examples to judge by"))
    add.add_argument("--word", help=tr("instead of both, for tagging: half of the built-in sentences of this word each, tagged with its senses"))
    add.add_argument("--text", default="", metavar="COLUMN", help=tr("column with the text; without it, it is recognised"))
    add.add_argument("--text-b", default="", metavar="COLUMN", help=tr("column with the second text of a pair"))
    add.add_argument("--label", default="", metavar="COLUMN", help=tr("column with the label"))
    add.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
                     help=tr("any option of the settings; what is none, such as 0=1, names them all"))


def _options(parsed: argparse.Namespace) -> dict[str, Any]:
    from core.cli import settings

    train, dev = _examples(parsed)
    given = {"task.train_file": os.path.realpath(train), "task.dev_file": os.path.realpath(dev), "task.column_text": parsed.text,
             "task.column_text_b": parsed.text_b, "task.column_label": parsed.label}
    return {**settings(parsed.set), **{key: value for key, value in given.items() if value}}


def _examples(parsed: argparse.Namespace) -> tuple[Path, Path]:
    """The files to learn from and to judge by."""
    from core.tasks import sense_tags
    from core.text import builtin

    missing = [f"--{name}" for name in ("train", "dev") if getattr(parsed, name) is None]
    if not parsed.word:
        if missing:
            raise UserError(tr("{names} is missing.", names=", ".join(missing)),
                            tr("Name the file, or with --task tagging --word a word whose built-in sentences are to be learnt from."))
        return parsed.train, parsed.dev
    if len(missing) < 2 or parsed.task != "tagging":
        raise UserError(tr("--word is for --task tagging, in place of --train and --dev."), tr("Leave one of them out."))
    specimens = [one for language in builtin.STARS for one in builtin.specimens(language, parsed.word)]
    if not specimens:
        known = [word for language in builtin.STARS for word in builtin.words(language)]
        raise UserError(tr("There are no built-in sentences for '{word}'.", word=parsed.word), tr("There are for: {names}.", names=", ".join(known)))
    return sense_tags.write(specimens, home() / "examples")


def finetune(parsed: argparse.Namespace) -> int:
    from core.cli import train
    from core.tasks.create import create_seeds
    from core.tasks.data import DATA
    from core.tasks.inspect import advice, cannot_see

    options = _options(parsed)
    given = {"task.labels": parsed.labels, "train.minutes": parsed.minutes, "train.steps": parsed.steps, "train.epochs": parsed.epochs,
             "train.device": parsed.device, "task.from_scratch": "true" if parsed.from_scratch else "",
             "task.unfreeze": "none" if parsed.freeze else ""}
    options.update({key: value for key, value in given.items() if value})
    config = build_finetune(parsed.pretrained, parsed.task, options)
    runs = create_seeds(config, parsed.seeds, parsed.run)
    noted = json.loads((runs[0].path / DATA).read_text(encoding="utf-8"))
    _say_recognised(noted)
    _say_problems(noted["problems"])
    for words in (*noted["warnings"], cannot_see(config), advice(config)):
        if words:
            print(words, file=sys.stderr)
    code = 0
    for number, run in enumerate(runs):
        code = train(run)
        last = next((event for event in reversed(run.events()) if isinstance(event, EvalEnd)), None)
        if last is not None:
            print(_figures(last.metrics))
        left = len(runs) - number - 1
        if left and (code or run.status().state == "stopped"):
            print(tr("{count} more seeds were not begun.", count=left), file=sys.stderr)
            break
    if parsed.seeds > 1:
        _say_seeds(runs)
    return code


def _say_seeds(runs: Sequence[Run]) -> None:
    """Mean and spread of those that came to their end; of their best checkpoints too, where these are others."""
    mine = {str(run.path) for run in runs}
    for found in over_seeds(runs=[str(runs[0].path)]):
        others = len(set(found["runs"]) - mine)
        words = tr("{count} seeds, mean ± standard deviation", count=len(found["seeds"]))
        print(words + (" " + tr("({others} of them from earlier runs with the same settings)", others=others) if others else ""))
        print("  " + tr("at the end:") + "  " + _spreads(found["end"]))
        if found["best"] != found["end"]:
            print("  " + tr("best checkpoints, chosen by these same examples:") + "  " + _spreads(found["best"]))


def _spreads(measures: dict[str, dict[str, Any]]) -> str:
    return "  ".join(f"{name} {one['mean']:.3f} ± {one['spread']:.3f}" for name, one in measures.items())


def _say_recognised(noted: dict[str, Any]) -> None:
    """Which columns and labels were found."""
    columns = ", ".join(f"{role}: {column}" for role, column in noted["columns"]["train"].items())
    names, kind = noted["labels"]["names"], noted["labels"]["kind"]
    shown = ", ".join(names[:SHOWN_LABELS]) + (" ..." if len(names) > SHOWN_LABELS else "")
    found = tr("labels are numbers") if kind == NUMBER else tr("{count} labels: {names}", count=len(names), names=shown) if names else ""
    print("   ".join(part for part in (columns, found) if part), file=sys.stderr)


def _say_problems(counts: list[dict[str, Any]]) -> None:
    for one in counts:
        lines = ", ".join(map(str, one["lines"][:SHOWN_PROBLEMS])) + (" ..." if one["count"] > SHOWN_PROBLEMS else "")
        place = tr("(line {lines})", lines=lines) if one["count"] == 1 else tr("(lines {lines})", lines=lines)
        print(f"{one['file']}: {one['count']} × {one['rule']} {place}", file=sys.stderr)


def _figures(measures: dict[str, float], intervals: Mapping[str, tuple[float, float]] = MappingProxyType({})) -> str:
    return "  ".join(f"{name} {value:.3f}" + (" ({:.3f}–{:.3f})".format(*intervals[name]) if name in intervals else "")
                     for name, value in measures.items())


def _checkpoint(result: dict[str, Any]) -> str:
    step, best = result["step"], result["best"]
    if best is None:
        return tr("(step {step})", step=step)
    if best == step:
        return tr("(step {step}, the best checkpoint)", step=step)
    return tr("(step {step}; the best checkpoint is that of step {best}: --checkpoint best)", step=step, best=best)


def _counter() -> Callable[[int, int], None] | None:
    """Examples done, in one line that is written over; nothing where no terminal is."""
    if not sys.stderr.isatty():
        return None
    return lambda done, total: print(f"\r{done:,} / {total:,}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def evaluate(parsed: argparse.Namespace) -> None:
    from core.analysis import evaluate as measuring

    result = measuring.evaluate(run=str(parsed.run), file=parsed.file, checkpoint=parsed.checkpoint, on_progress=_counter())
    if parsed.csv:
        measuring.to_csv(result, parsed.csv)
    if parsed.json:
        print(json.dumps(result, ensure_ascii=False, indent=1))
        return
    _say_problems(result["problem_counts"])
    print(tr("{count} examples", count=result["examples"]) + "  " + _figures(result["metrics"], result["intervals"]) + "  " + _checkpoint(result))
    if result["intervals"]:
        print("  " + tr("in brackets: 95% bootstrap interval over the examples"))
        print("  " + (tr("always the most frequent label: {share}", share=percent(result["majority"])) if result["labels"] else
                      tr("always the place that is right most often: {share}", share=percent(result["majority"]))))
    for row in result["per_class"]:
        print(f"  {columns.left(row['label'], 20)} {_figures({name: row[name] for name in ('precision', 'recall', 'f1')})}  n={row['support']}")
    if result["confusion"]:
        width = max(6, *(columns.room(label) + 1 for label in result["labels"]))
        print(tr("rows: the label; columns: what was predicted"))
        print(" " * (width + 2) + "".join(columns.right(label, width) for label in result["labels"]))
        for label, row in zip(result["labels"], result["confusion"], strict=True):
            print("  " + columns.left(label, width) + "".join(f"{count:>{width}}" for count in row))


def predict(parsed: argparse.Namespace) -> None:
    from core.analysis.evaluate import predict_text

    run = Run.open(parsed.run)
    named = {"text": parsed.text, "text_a": parsed.text_a, "text_b": parsed.text_b, "context": parsed.context, "question": parsed.question,
             "choices": parsed.choices}
    wanted = task(run.config.task.task).asked if run.config.task else ("text",)
    strange = [f"--{name.replace('_', '-')}" for name, value in named.items() if value and name not in wanted]
    if strange:
        raise UserError(tr("{name} is nothing that this task is asked.", name=strange[0]),
                        tr("Give {names}.", names=", ".join(f"--{name.replace('_', '-')}" for name in wanted)))
    asked = _asked(parsed.file, wanted) if parsed.file else [named]
    if not asked:
        raise UserError(tr("{path} holds no text.", path=parsed.file.name), tr("Choose another file."), where="file")
    for fields in asked:
        answer = predict_text(run=str(parsed.run), fields=fields, checkpoint=parsed.checkpoint)
        print(json.dumps(answer, ensure_ascii=False) if parsed.json else _said(answer))
        if answer["cut"]:
            print(tr("Too long: the last {count} tokens were cut off.", count=answer["cut"]), file=sys.stderr)
    if not parsed.json:
        print(tr("(step {step})", step=answer["step"]), file=sys.stderr)


def _asked(path: Path, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    """A text a line, or of a jsonl file the fields; UserError names a line that lacks one."""
    from core.text import encodings

    if not path.is_file():
        raise UserError(tr("There is no file {path}.", path=path), tr("Check the name, or choose the file again."), where="file")
    made = []
    hint = tr("Each line must be a JSON object with: {names}.", names=", ".join(fields))
    for number, line in enumerate(encodings.read_lines(path), start=1):
        if not line.strip():
            continue
        if path.suffix.lower() != ".jsonl":
            made.append({"text": line})
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(tr("{path}, line {number} is not JSON.", path=path.name, number=number), hint, where="file") from error
        lacking = [field for field in fields if not isinstance(record, dict) or field not in record]
        if lacking:
            raise UserError(tr("{path}, line {number} lacks {error}.", path=path.name, number=number, error=lacking[0]), hint, where="file")
        made.append({field: record[field] for field in fields})
    return made


def _said(answer: dict[str, Any]) -> str:
    if "value" in answer:
        other = [tr("in the other order {value:.3f}", value=answer["swapped"]["value"])] if "swapped" in answer else []
        return "   ".join([f"{answer['value']:.3f}", *other])
    if "choice" in answer:
        return "  ".join(f"{'→ ' if number == answer['choice'] else ''}{number}: {p:.3f}" for number, p in enumerate(answer["probabilities"]))
    if "spans" in answer:
        return "  ".join(f"{span['text']}/{span['type']}" for span in answer["spans"]) or tr("no span found")
    if "answer" in answer:
        return f"{answer['answer'] or tr('no answer')}   {answer['probability']:.3f}"
    chances = sorted(answer["probabilities"].items(), key=lambda item: -item[1])
    return "  ".join(f"{label} {p:.3f}" for label, p in chances)


def worth(parsed: argparse.Namespace) -> int:
    from core.train.study import run_study

    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, frame: stopped.append(signum))
    try:
        counts = tuple(int(count) for count in parsed.counts.split(",") if count)
    except ValueError as error:
        raise UserError(tr("--counts cannot be '{value}'.", value=parsed.counts), tr("Write for instance 50,200,1000.")) from error
    read = run_study(pretrained=str(parsed.pretrained), task_name=parsed.task, options=_options(parsed), folder=str(parsed.out), counts=counts,
                     seeds=parsed.seeds, on_progress=lambda line: print(line, file=sys.stderr, flush=True),
                     cancelled=lambda: bool(stopped) or (parsed.out / "commands" / "stop").exists())
    if parsed.json:
        print(json.dumps(read, ensure_ascii=False, indent=1))
        return 0
    titles, several = method_titles(), len(read["seeds"]) > 1
    width = max(map(columns.room, titles.values()))
    print(tr("{metric} by the number of labels, mean ± standard deviation over the seeds", metric=read["metric"]) if several else
          tr("{metric} by the number of labels", metric=read["metric"]))
    print(" " * width + "".join(f"{count:>16,}" for count in read["counts"]))
    for method, points in read["curves"].items():
        shown = {point["labels"]: _spread(point, several) for point in points}
        print(columns.left(titles[method], width) + "".join(f"{shown.get(count, ''):>16}" for count in read["counts"]))
    return 0


def _spread(point: dict[str, Any], several: bool) -> str:
    """Of a point of a curve; what has one value only stands under the means of several."""
    spread = f" ± {point['spread']:.3f}" if len(point["values"]) > 1 else ""
    return f"{point['mean']:.3f}{spread:<8}" if several else f"{point['mean']:.3f}"
