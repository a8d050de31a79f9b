"""What a run can be exported to, and the export itself, as the window and the command line start it. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.config import field_types
from core.errors import UserError
from core.exchange.onnx.settings import PRECISIONS, OnnxConfig
from core.i18n import tr
from core.registry import EXPORTS, FAMILIES, family, lookup
from core.runs import Run
from core.whole import unwritable

Progress = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True)
class Target:
    """What people read of a target. kind: "folder" or "file", with its suffix. families: those it takes, all if empty; tasks: whether
    it takes finetuned runs. precisions: the number formats to choose from. options: the names of all that may be said of it."""

    title: str
    about: str
    kind: str = "folder"
    suffix: str = ""
    families: tuple[str, ...] = ()
    tasks: bool = True
    precisions: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def takes(self, run: Run) -> bool:
        return (not self.families or run.config.family in self.families) and (self.tasks or run.config.task is None)


def targets() -> dict[str, Target]:
    """Those of EXPORTS, in the language of the moment."""
    known = {
        "onnx": Target(title="ONNX", about=tr("Runs wherever ONNX Runtime does, without Python's torch; compared with torch before it is done."),
                       precisions=PRECISIONS, options=tuple(field_types(OnnxConfig))),
        "huggingface": Target(title="Hugging Face", about=tr("A folder that transformers opens: AutoModel and AutoTokenizer."),
                              families=tuple(name for name in FAMILIES if family(name).transformers)),
        "word2vec": Target(title=tr("word2vec, text"), about=tr("One vector a word, in the format that most programs read."),
                           kind="file", suffix=".txt"),
        "word2vec-binary": Target(title=tr("word2vec, binary"), about=tr("The same in fewer bytes."), kind="file", suffix=".bin"),
        "projector": Target(title="Embedding Projector", about=tr("Two tables for projector.tensorflow.org.")),
        "npy": Target(title="NumPy", about=tr("An array, and its words beside it."), kind="file", suffix=".npy"),
        "occurrences": Target(title=tr("Occurrences of a word"), kind="file", suffix=".npz", options=("word", "layer"),
                              about=tr("The vector of the watched word in every sentence of the text, in all layers.")),
    }
    return {name: known.get(name, Target(title=name, about="")) for name in EXPORTS}


def export(run: str, target: str, out: str, options: Mapping[str, Any] | None = None, on_progress: Progress | None = None) -> dict[str, Any]:
    """Export a run. Returns the report: {"target", "path", "files": {name: bytes}, ...}. UserError where it cannot be done."""
    opened, place = Run.open(Path(run)), Path(out).expanduser()
    function = lookup(EXPORTS, target)
    known = targets()[target]
    if not known.takes(opened):
        raise UserError(tr("{name} is a {family} run; it cannot be exported to {target}.", name=opened.name, family=opened.config.family,
                           target=known.title), tr("Choose another target."), where="target")
    if unknown := [key for key in options or {} if key not in known.options]:
        raise UserError(tr("An export to {target} has no option '{key}'.", target=target, key=unknown[0]),
                        tr("Its options: {names}.", names=", ".join(known.options)) if known.options else tr("It has none; leave it out."),
                        where=unknown[0])
    return function(opened, place, dict(options or {}), on_progress or (lambda share, words: None))


def require_utf8(out: Path) -> None:
    """UserError for a name that is made of bytes that are no text: safetensors and ONNX Runtime open no such file."""
    shown = str(out).encode("utf-8", "replace").decode("utf-8")
    if shown != str(out):
        raise UserError(tr("This name is not written in UTF-8: {name}", name=shown), tr("Rename the file or the folder."), where="out")


def require_free(out: Path) -> None:
    """UserError where something stands in the way, or nothing can stand."""
    try:
        is_file, free = out.is_file(), not out.exists() or (out.is_dir() and not any(out.iterdir()))
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise unwritable(out, error, "out") from error
    if is_file:
        raise UserError(tr("{path} is there already.", path=out), tr("Give another name, or delete it first."), where="out")
    if not free:
        raise UserError(tr("{path} exists and is not empty.", path=out), tr("Name another folder."), where="out")
