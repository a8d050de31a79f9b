"""What stands beside an exported model: its tokenizer, its description, an example that runs, and what opens it here again.

    EXPORT_DIR/ model.onnx  (model.onnx.data)  (decoder.onnx)  tokenizer.json  config.json  example.py  report.json  manifest.json
                run/config.json  run/tokenizer.json  run/checkpoints/step_00000200/
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from core.config import to_dict
from core.errors import UserError
from core.events import RunStarted
from core.exchange.tokenizer_json import portable
from core.hashes import sha256
from core.i18n import tr
from core.registry import family
from core.runs import ORIGIN, PRETRAINED_ORIGIN, Run
from core.tasks.data import DATA
from core.text.tokenizers import SPECIALS, load_tokenizer

FORMAT = 1
HEAD = "head.safetensors"  # of a task: what it makes of its logits, as a CRF does, is not in the graph
MODEL, MANIFEST, RUN = "model.onnx", "manifest.json", "run"
EXAMPLE = Path(__file__).resolve().parents[3] / "resources" / "exchange" / "example.py"
VERSIONED = ("lexiscope", "torch", "onnx", "onnxscript", "onnxruntime-gpu", "onnxruntime", "tokenizers", "numpy")


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def data_hash(run: Run) -> str:
    """Of the text, or the labelled examples, that the run has read; "" where they are not known.

    Runs of earlier versions do not tell what they have read: of theirs it is that of the text which is there now.
    """
    from core.text.source import content_hash

    examples = run.path / "train.jsonl"
    try:
        if run.config.task:
            return sha256(examples)
        if told := [event.text for event in run.events() if isinstance(event, RunStarted) and event.text]:
            return told[-1]
        return "" if run.without_text else content_hash(run.config.text)
    except (UserError, OSError):
        return ""


def metadata(run: Run, step: int, precision: str) -> dict[str, str]:
    """What is written into the model file itself."""
    made = {"family": run.config.family, "run": run.name, "step": str(step), "precision": precision,
            "task": run.config.task.task if run.config.task else "", "tokenizer_sha256": sha256(run.tokenizer_path), "data_hash": data_hash(run)}
    return {key: value for key, value in made.items() if value} | {f"version.{name}": number for name, number in versions().items()}


def write(run: Run, folder: Path, step: int, precision: str, graphs: Mapping[str, dict[str, Any]], extra: Mapping[str, Any]) -> None:
    """Everything but the models and the manifest. graphs: name of a model file -> {"inputs", "outputs", "opset", "operators", ...}.

    extra: what a task adds to config.json.
    """
    made, tokenizer = family(run.config.family), load_tokenizer(run.tokenizer_path)
    elsewhere = portable(tokenizer, made)
    (folder / "tokenizer.json").write_text(elsewhere.json, encoding="utf-8")
    config = {
        "format": FORMAT, "family": made.name, "title": made.title, "paper": made.paper, "run": run.name, "step": step, "precision": precision,
        "task": None, "vocab_size": tokenizer.vocab_size, "max_seq_len": getattr(run.config.model, "max_seq_len", None),
        "num_layers": getattr(run.config.model, "num_layers", 0),
        "tokenizer": {"kind": tokenizer.kind, "reads": elsewhere.reads, "note": elsewhere.note, "cut": elsewhere.cut,
                      "lowercase": tokenizer.lowercase},
        "special_tokens": {token: index for index, token in enumerate(SPECIALS)}, "labels": [], "models": dict(graphs), "versions": versions(),
        **extra,
    }
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False, indent=1), encoding="utf-8")
    shutil.copyfile(EXAMPLE, folder / "example.py")
    _write_run(run, folder / RUN, step, precision)


def _write_run(run: Run, folder: Path, step: int, precision: str) -> None:
    """What the program needs to open the export again; the model is the one above."""
    checkpoint = folder / "checkpoints" / f"step_{step:08d}"
    checkpoint.mkdir(parents=True)
    (checkpoint / MANIFEST).write_text(json.dumps({"format": FORMAT, "sha256": {}}), encoding="utf-8")  # the model is the one above
    settings = _without_places(to_dict(run.config)) | {"name": f"{run.name} · ONNX {precision}"}
    (folder / "config.json").write_text(json.dumps(settings, ensure_ascii=False, indent=1), encoding="utf-8")
    shutil.copyfile(run.tokenizer_path, folder / "tokenizer.json")
    if run.specimens_path.exists():
        shutil.copyfile(run.specimens_path, folder / run.specimens_path.name)
    for name in (ORIGIN, PRETRAINED_ORIGIN):
        if (run.path / name).is_file():
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(run.path / name, folder / name)
    if run.config.task:
        labels = json.loads((run.path / DATA).read_text(encoding="utf-8"))["labels"]
        (folder / DATA).write_text(json.dumps({"labels": labels}, ensure_ascii=False, indent=1), encoding="utf-8")


def _without_places(settings: dict[str, Any]) -> dict[str, Any]:
    """Where files lay on this machine is nobody's business elsewhere: their names stay."""
    settings["text"]["files"] = [Path(path).name for path in settings["text"]["files"]]
    settings["watch"]["specimens"] = ""
    for name in ("train_file", "dev_file", "pretrained"):
        if settings.get("task"):
            settings["task"][name] = Path(settings["task"][name]).name
    return settings


def seal(folder: Path) -> dict[str, int]:
    """Write the manifest, last of all. Returns the size of every file, in bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    names = {path.relative_to(folder).as_posix(): path for path in files}
    (folder / MANIFEST).write_text(json.dumps({"format": FORMAT, "sha256": {name: sha256(path) for name, path in names.items()}}, indent=1),
                                   encoding="utf-8")
    return {name: path.stat().st_size for name, path in names.items()}


def require_intact(folder: Path, names: tuple[str, ...]) -> None:
    """UserError where one of these files does not have the hash that the manifest names. A folder without a manifest holds no promise."""
    try:
        hashes = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sha256"]
        damaged = [name for name in names if (folder / name).exists() and hashes[name] != sha256(folder / name)]
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        damaged = [MANIFEST]
    if damaged:
        raise UserError(tr("{name} in {folder} is damaged: its content does not fit its hash.", name=damaged[0], folder=folder.name),
                        tr("Export the model again."))
