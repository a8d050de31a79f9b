"""Verbs for what comes from elsewhere and what goes there as a whole: import, pack."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.i18n import tr
from core.runs import Run


def add_verbs(verb: Callable[[str, Callable[[Any], int | None], str], argparse.ArgumentParser]) -> None:
    add = verb("import", import_, tr("open a model of Hugging Face, a packed run or word vectors as a run"))
    add.add_argument("path", type=Path, metavar="DIR_OR_FILE", help=tr("the model's folder, the packed run or the file of vectors"))
    add.add_argument("--run", metavar="DIR", type=Path, help=tr("the run's folder"))
    add = verb("pack", pack, tr("write a whole run into one file, with a finetune's labelled examples but without its pretraining text"))
    add.add_argument("run", type=Path, metavar="DIR")
    add.add_argument("out", type=Path, metavar="FILE.lexi", help=tr("where it goes; nothing may stand there yet"))


def import_(parsed: argparse.Namespace) -> None:
    from core.exchange.imports import import_any

    made = import_any(parsed.path, parsed.run, _report)
    _end()
    for note in made.notes:
        print(note, file=sys.stderr)
    print(made.run)


def pack(parsed: argparse.Namespace) -> None:
    from core.exchange.exports import require_free
    from core.exchange.pack import pack as pack_run

    require_free(parsed.out)  # a window asks before it replaces a file
    made = pack_run(Run.open(parsed.run), parsed.out, _report)
    _end()
    for words in made["left_out"]:
        print(words, file=sys.stderr)
    print(tr("{path}  {files} files, {size:.1f} MB", path=made["path"], files=made["files"], size=made["bytes"] / 1e6))


def _report(share: float, words: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{share:4.0%}  {words}", end="", file=sys.stderr, flush=True)


def _end() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
