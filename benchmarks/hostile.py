"""Damaged and hostile files of every kind that can be opened: none may crash the program, run code, hang, or leave anything behind.

    python -m benchmarks.hostile [--files 2000] [--kinds a b ...] [--seed 0] [--json FILE]

Good files are made, then damaged: cut off, bits flipped, bytes overwritten, numbers in headers made huge, values in JSON replaced,
archives given other names and sizes, pickles put in their place. Each is opened, and asked as the program asks it, in a process of its
own with a time limit and a memory limit; a hook of the interpreter notes every try to unpickle, to start a program, or to write
outside of its folder. Refused: with a sentence (UserError). Opened: what was left is a file like any other.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.hostile_damage import STRUCK, damage
from benchmarks.hostile_files import KINDS, make_good

SECONDS = 20.0  # for one file
MEMORY = 6 << 30  # bytes of address space beyond what the process begins with
PROBE = ["-m", "core.exchange.onnx.session"]  # an ONNX file is looked at in a process of its own, on purpose
DANGEROUS = ("pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "ctypes.dlopen")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=2000, help="of each kind")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    os.environ["LEXISCOPE_HOME"] = str(folder / "home")
    rows = []
    print(f"{'kind':<18}{'files':>7}{'refused':>9}{'opened':>8}{'failed':>8}{'slowest, s':>12}")
    try:
        for kind in given.kinds:
            row = measure(kind, folder / kind, given.files, given.seed)
            rows.append(row)
            print(f"{kind:<18}{row['files']:>7}{row['refused']:>9}{row['opened']:>8}{len(row['failures']):>8}{row['slowest_s']:>12.2f}", flush=True)
            for failure, seeds in group(row["failures"]).items():
                print(f"    {failure}  ({len(seeds)}: seeds {seeds[:5]})")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    failed = sum(len(row["failures"]) for row in rows)
    if given.json:
        given.json.write_text(json.dumps({"files": given.files, "failed": failed, "rows": rows}, indent=1), encoding="utf-8")
    return 1 if failed else 0


def group(failures: list[dict[str, Any]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for failure in failures:
        found.setdefault(failure["what"], []).append(failure["seed"])
    return found


def measure(kind: str, folder: Path, files: int, seed: int) -> dict[str, Any]:
    """Open `files` damaged files, in a process that is started anew when one has ended it."""
    make_good(kind, folder / "good")
    counts: Counter[str] = Counter()
    failures, slowest = [], 0.0
    process: _Process | None = None
    for number in range(seed, seed + files):
        process = process or _Process(kind, folder)
        began = time.perf_counter()
        outcome = process.ask(number)
        slowest = max(slowest, time.perf_counter() - began)
        counts[outcome["state"]] += 1
        if outcome["state"] == "failed":
            failures.append({"seed": number, "what": outcome["what"]})
        if outcome.get("gone"):
            process = None
    if process:
        process.end()
    return {"kind": kind, "files": files, "refused": counts["refused"], "opened": counts["opened"], "failures": failures, "slowest_s": slowest}


class _Process:
    def __init__(self, kind: str, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(kind, folder, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._answer(300.0)  # it is ready

    def ask(self, seed: int) -> dict[str, Any]:
        self._pipe.send(seed)
        return self._answer(SECONDS)

    def _answer(self, seconds: float) -> dict[str, Any]:
        try:
            if self._pipe.poll(seconds):
                return self._pipe.recv()
            what = f"hangs for more than {seconds:.0f} s"
        except EOFError:
            self._process.join(10)
            what = f"ends the process, exit code {self._process.exitcode}"
        self.end()
        return {"state": "failed", "what": what, "gone": True}

    def end(self) -> None:
        self._process.kill()
        self._process.join()


def serve(kind: str, folder: Path, pipe: Any) -> None:
    """In the other process: open one damaged file after the other."""
    place = folder / "work"
    prepare = folder / "ready"
    shutil.copytree(folder / "good", prepare, dirs_exist_ok=True)
    open_one(kind, folder / "good", prepare)  # all modules are loaded before anything is forbidden
    dangers = watch(place)
    limit_memory()
    pipe.send({})
    while True:
        pipe.send(outcome_of(kind, folder / "good", place, pipe.recv(), dangers))


def outcome_of(kind: str, good: Path, place: Path, seed: int, dangers: list[str]) -> dict[str, Any]:
    """{"state": "refused" | "opened" | "failed", "what"} of one damaged file."""
    from core.errors import UserError

    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(good, place)
    damage(kind, place, seed)
    before = set(place.rglob("*")) if place.exists() else set()
    dangers.clear()
    try:
        open_one(kind, good, place)
        state, what = "opened", ""
    except UserError as error:
        whole = error.message.strip() and "\n" not in error.message and len(error.message) < 600
        state, what = ("refused", "") if whole else ("failed", f"no sentence: {error.message[:80]!r}")
        left = [path.name for path in place.rglob("*") if path not in before and path.name.startswith(".") and path.name.endswith(".tmp")]
        if left:
            state, what = "failed", f"leaves {left[0]}"
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)
        ours = next((item for item in reversed(where) if f"{os.sep}core{os.sep}" in item.filename), where[-1])
        state, what = "failed", f"{type(error).__name__}: {str(error)[:80]} at {Path(ours.filename).name}:{ours.lineno}"
    if dangers or STRUCK:
        state, what = "failed", (STRUCK or dangers)[0]
        STRUCK.clear()
    return {"state": state, "what": what}


def open_one(kind: str, good: Path, place: Path) -> None:
    KINDS[kind].open(place)


def watch(place: Path) -> list[str]:
    """Note from now on whatever opening a file must never do."""
    dangers: list[str] = []
    allowed = (str(place.parent), os.environ["LEXISCOPE_HOME"], tempfile.gettempdir() + "/tmp", os.devnull)

    def hook(event: str, arguments: tuple) -> None:
        if event == "subprocess.Popen" and list(arguments[1])[1:3] == PROBE:
            return
        if event in DANGEROUS:
            dangers.append(f"{event} {str(arguments)[:60]}")
        elif event == "open" and isinstance(arguments[0], str) and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+") \
                and not os.path.abspath(arguments[0]).startswith(allowed) and "__pycache__" not in arguments[0]:
            dangers.append(f"writes {arguments[0][:60]}")

    sys.addaudithook(hook)
    return dangers


def limit_memory() -> None:
    if os.name == "posix":
        import resource

        import psutil

        resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + MEMORY,) * 2)


if __name__ == "__main__":
    sys.exit(main())
