"""The process of one ONNX export: `python -m core.exchange.onnx.worker`, a job as a line of JSON on its standard input.

It answers with lines of JSON: {"progress": [share, words]}, and at last {"done": {...}} or {"refused": [message, hint, where]}.
When its standard input ends, whoever wanted the export has gone, and so does it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import warnings
from pathlib import Path
from typing import Any, TextIO

from core.errors import UserError, system_words
from core.i18n import tr
from core.runs import Run


def main() -> int:
    source, target = sys.stdin, os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not stand among the answers
    warnings.simplefilter("ignore")
    job = json.loads(source.readline())
    threading.Thread(target=_watch, args=(source, Path(job["folder"])), daemon=True).start()
    try:
        _say(target, {"done": _work(job, lambda share, words: _say(target, {"progress": [share, words]}))})
    except UserError as error:
        _say(target, {"refused": [error.message, error.hint, error.where]})
    except OSError as error:
        _say(target, {"refused": [tr("The system refuses: {reason}.", reason=system_words(error)), tr("Free some space, or choose another place."),
                                  "out"]})
    except MemoryError:
        _say(target, {"refused": [tr("The memory is not enough for this."), tr("Close other programs, or export a smaller model."), ""]})
    sys.stdout.flush()
    os._exit(0)  # threads of ONNX Runtime may hold the end up


def _say(target: TextIO, message: dict[str, Any]) -> None:
    target.write(json.dumps(message, ensure_ascii=False) + "\n")
    target.flush()


def _watch(source: TextIO, folder: Path) -> None:
    source.read()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _work(job: dict[str, Any], on_progress: Any) -> dict[str, Any]:
    """job: {"run", "step", "graph", "folder", "precision", "tolerance", "agreement", "threads", "metadata", "external_above", "seconds"}."""
    on_progress(0.0, tr("Loading the model"))
    from core.exchange.onnx import convert as onnx_convert
    from core.exchange.onnx import proof as onnx_proof
    from core.exchange.onnx.session import open_session

    graph, extra = _graph(Run.open(Path(job["run"])), job["step"], job["graph"], Path(job["folder"]))
    path = Path(job["folder"]) / f"{graph.name}.onnx"
    on_progress(0.2, tr("Translating it to ONNX"))
    onnx_convert.convert(graph, path, job["precision"], job["metadata"], job["external_above"])
    on_progress(0.6, tr("Comparing it with torch"))
    session = open_session(path)
    rows = onnx_proof.compare(graph, session, onnx_proof.random_shapes(graph, job["shapes"]))
    onnx_proof.require(rows, job["precision"], job["tolerance"], job["agreement"])
    on_progress(0.8, tr("Measuring how fast it is"))
    made = {"inputs": {name: list(axes) for name, axes in graph.inputs.items()}, "optional": list(graph.defaults), "outputs": list(graph.outputs),
            **onnx_convert.operators(path), "rows": rows, "agreement": onnx_proof.agreement(rows),
            "latency": onnx_proof.latency(graph, path, job["threads"]) if job["measure"] else []}
    on_progress(1.0, tr("Measuring how fast it is"))
    return made | {"extra": extra}


def _graph(run: Run, step: int, name: str, folder: Path) -> tuple[Any, dict[str, Any]]:
    """The graph, and what config.json says of its task."""
    if run.config.task is None:
        from core.analysis.encode import load
        from core.exchange.onnx.graph import language_graphs

        return language_graphs(load(run, step))[name](), {}
    from core.checkpoints import save_tensors
    from core.exchange.onnx.folder import HEAD, RUN
    from core.exchange.onnx.tasks import load_network, parts_of, task_graphs

    network, layout, labels, _ = load_network(run, step)
    (folder / RUN).mkdir()
    save_tensors(network.head.state_dict(), folder / RUN / HEAD)
    form, known = layout.form, layout.tokenizer.vocab_size
    extra = {
        "task": run.config.task.task, "labels": list(labels.names), "label_kind": labels.kind, "mean": labels.mean, "scale": labels.scale,
        "parts": parts_of(run, layout), "orders": layout.orders, "crf": run.config.task.crf, "max_seq_len": layout.limit,
        "form": {"single": list(form.single), "pair": list(form.pair), "segments": form.segments},
        "new_tokens": {token: known + number for number, token in enumerate(form.new_tokens)},
    }
    return task_graphs(run, network, layout)[name](), extra


if __name__ == "__main__":
    sys.exit(main())
