"""A run as ONNX: a folder that runs without this program and without torch. See docs/onnx.md.

The work is done by processes of their own (onnx_worker.py), one for each model file, in a temporary folder beside the wanted one. It gets
its name when everything in it is complete and proven; an export that is refused, or whose process dies, leaves nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.exchange.exports import require_free, require_utf8
from core.exchange.onnx import folder as onnx_folder
from core.exchange.onnx.settings import WRITES_ON, read_options
from core.i18n import tr
from core.registry import family
from core.runs import Run
from core.tasks.create import newest_step
from core.whole import new_folder

ROOT = Path(__file__).resolve().parents[3]
REPORT = "report.json"


def export(run: Run, out: Path, options: dict[str, Any], on_progress: Callable[[float, str], None]) -> dict[str, Any]:
    """options: see OnnxConfig.

    The report: {"target", "path", "files", "precision", "step", "tolerance", "models": {name: {"rows", "latency", "operators", ...}},
    "relative", "absolute", "top1": the worst of all models and shapes, "least": the agreement that was wanted, "agreement": that of the worst
    model over all shapes, of "places" answers}.
    """
    wanted = read_options(options)
    out = Path(out).resolve()  # the process that writes it works in another folder
    require_utf8(out)
    require_free(out)
    step = wanted.step or newest_step(run)
    job = {**asdict(wanted), "step": step, "threads": wanted.threads or len(_cores()),
           "metadata": onnx_folder.metadata(run, step, wanted.precision)}
    names = ["model", *(["decoder"] if family(run.config.family).model == WRITES_ON and run.config.task is None else [])]
    with new_folder(out) as folder:
        made: dict[str, dict[str, Any]] = {}
        with _held(run, step, folder) as source:
            for number, name in enumerate(names):
                def part(share: float, words: str, number: int = number) -> None:
                    on_progress((number + share) / len(names), words)

                made[name] = _in_a_process(job | {"run": str(source.resolve()), "graph": name, "folder": str(folder)}, part)
        extra = made["model"].pop("extra")
        described = {name: {key: model[key] for key in ("inputs", "optional", "outputs", "opset", "operators", "only_onnxruntime")}
                     for name, model in made.items()}
        onnx_folder.write(run, folder, step, wanted.precision, described, extra)
        report = {"target": "onnx", "path": str(out), "precision": wanted.precision, "step": step, "tolerance": wanted.tolerance,
                  "least": wanted.agreement, "models": made, **_worst(made)}
        (folder / REPORT).write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
        files = onnx_folder.seal(folder)
    return report | {"files": files}


@contextmanager
def _held(run: Run, step: int, folder: Path) -> Iterator[Path]:
    """Where the run lies while it is exported: one that is trained meanwhile removes its older checkpoints, so a copy with that one alone, of
    links where the disk has them."""
    if not run.worker_pid():
        yield run.path
        return
    kept, other = run.checkpoint_path(step).name, {"commands", "export", "probes", "worker.json"}

    def left_out(place: str, names: list[str]) -> set[str]:
        return set(names) - {kept} if Path(place).name == "checkpoints" else {name for name in names if name in other or name.startswith(".")}

    place = folder / ".source"
    try:
        yield shutil.copytree(run.path, place, ignore=left_out, copy_function=_link)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _worst(models: dict[str, dict[str, Any]]) -> dict[str, Any]:
    rows = [row for model in models.values() for row in model["rows"]]
    agreed = [row["top1"] for row in rows if row["top1"] is not None]
    shares = [(model["agreement"], sum(row["places"] for row in model["rows"])) for model in models.values() if model["agreement"] is not None]
    share, places = min(shares, default=(None, 0))
    return {"relative": max(row["relative"] for row in rows), "absolute": max(row["absolute"] for row in rows), "top1": min(agreed, default=None),
            "agreement": share, "places": places}


def _in_a_process(job: dict[str, Any], on_progress: Callable[[float, str], None]) -> dict[str, Any]:
    """What the worker answers. When this process ends, it ends too: its standard input is closed."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(job["threads"])}
    with tempfile.TemporaryFile() as log, subprocess.Popen(
            [sys.executable, "-m", "core.exchange.onnx.worker"], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=log, encoding="utf-8", creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0)) as process:
        try:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                answer = json.loads(line)
                if "progress" in answer:
                    on_progress(*answer["progress"])
                elif "refused" in answer:
                    message, hint, where = answer["refused"]
                    raise UserError(message, hint, where=where)
                else:
                    return answer["done"]
            process.wait()  # it has said its last word, and how it ended is asked for
        finally:
            process.kill()
        log.seek(0)
        last = (log.read().decode(errors="replace").strip().splitlines() or [""])[-1][:300]
    raise UserError(tr("The export's process ended without a word (exit code {code}).", code=process.returncode),
                    last or tr("See whether the memory is enough; the run is untouched."))


def _cores() -> list[int]:
    try:
        return sorted(os.sched_getaffinity(0))
    except AttributeError:  # not on Windows and macOS
        return list(range(os.cpu_count() or 1))
