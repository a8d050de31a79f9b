"""Whatever a person brings becomes a run: a model of Hugging Face, a packed run, word vectors, an ONNX model, or the folder of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core import config as configs
from core.errors import UserError
from core.exchange.adopt import Imported
from core.i18n import tr
from core.runs import Run, free_place

MOST_WORDS = 500_000  # of a file of word vectors that become a run; files name the frequent words first
MODEL_FILES = ("model.safetensors", "model.safetensors.index.json", "tokenizer_config.json", "tokenizer.json", "config.json", "vocab.txt")
VECTOR_FILES = ("vectors.tsv", "tensors.tsv", "tensor.tsv", "vectors.npy")

OnProgress = Callable[[float, str], None]


def for_window(path: str, on_progress: Callable[..., None] = lambda *progress: None) -> dict[str, Any]:
    """{"run": its folder, "notes": [...]}, as the window's engine calls it."""
    made = import_any(Path(path), on_progress=on_progress)
    return {**asdict(made), "run": str(made.run), "notes": list(made.notes)}


def import_any(path: Path, target: Path | None = None, on_progress: OnProgress = lambda share, words: None) -> Imported:
    """target: the new run's folder, else one in the runs' home. UserError for whatever cannot be opened; nothing is left behind then."""
    path = Path(path).expanduser()
    if not path.exists():
        raise UserError(tr("{path} is missing.", path=path), tr("Choose a file or a folder that is there."))
    if path.is_file() and path.name in MODEL_FILES:
        path = path.parent
    if path.is_dir():
        return _folder(path, target, on_progress)
    if path.suffix.lower() == ".onnx":
        return _onnx(path.parent, target)
    from core.exchange import pack

    if path.suffix.lower() == pack.SUFFIX or pack.is_packed(path):
        return pack.unpack(path, target, on_progress)
    return import_vectors(path, target, on_progress)


def _folder(path: Path, target: Path | None, on_progress: OnProgress) -> Imported:
    weights = any((path / name).is_file() for name in MODEL_FILES[:2])
    if (path / "run" / "config.json").is_file() or (any(path.glob("*.onnx")) and not weights):
        return _onnx(path, target)
    if _is_run(path):
        run = Run.open(path)
        return Imported(run=run.path, notes=(tr("It is a run already, and stays where it is."),))
    if any((path / name).is_file() for name in VECTOR_FILES):
        return import_vectors(path, target, on_progress)
    from core.exchange.huggingface.adopt import import_model

    if (path / "config.json").is_file():
        return import_model(path, target, on_progress)
    raise UserError(tr("{path} holds nothing that can be opened.", path=path),
                    tr("Choose a model's folder (config.json, model.safetensors, its vocabulary), a packed run, or word vectors."))


def _is_run(path: Path) -> bool:
    try:
        raw = json.loads((path / "config.json").read_text(encoding="utf-8"))
        return isinstance(raw, dict) and "family" in raw and "model_type" not in raw
    except (OSError, ValueError, RecursionError):
        return False


def _onnx(path: Path, target: Path | None) -> Imported:
    from core.exchange.onnx.adopt import adopt

    return Imported(run=adopt(path, target).path)


def import_vectors(path: Path, target: Path | None = None, on_progress: OnProgress = lambda share, words: None) -> Imported:
    """A file of word vectors as a word2vec run: one vector a word, whatever the sentence says."""
    import torch

    from core.exchange.adopt import adopted
    from core.exchange.vectors.opened import open_vectors
    from core.text.tokenizers import SPECIALS
    from core.text.tokenizers.word import word_tokenizer

    vectors = open_vectors(path, lambda done, total: on_progress(0.7 * done / max(1, total), tr("reading the vectors")))
    rows: dict[str, int] = {}
    for row, word in enumerate(vectors.words):
        if word.strip() and word not in SPECIALS:
            rows.setdefault(word, row)
        if len(rows) == MOST_WORDS:
            break
    if not rows or not 2 <= vectors.array.shape[1] <= 4096:
        raise UserError(tr("{path} holds no vectors that could become a run.", path=path.name), tr("Choose another file."))
    table = torch.zeros(len(SPECIALS) + len(rows), vectors.array.shape[1])
    table[len(SPECIALS) :] = torch.from_numpy(vectors.array[list(rows.values())])
    lowercase = all(word == word.lower() for word in rows)
    tokenizer = word_tokenizer([*SPECIALS, *rows], lowercase=lowercase)
    made = configs.build("word2vec", "quick", {"model.dim": table.shape[1]})
    config = replace(made, text=replace(made.text, tokenizer="word", vocab_size=max(10, len(rows)), lowercase=lowercase))
    notes = (tr("The first {count} of {all} words were taken.", count=f"{len(rows):,}", all=f"{len(vectors):,}"),) if len(rows) == MOST_WORDS else ()
    place = Path(target) if target else free_place(f"word2vec-{path.stem}")
    on_progress(0.8, tr("writing"))
    weights = {"encoder.vectors": table, "encoder.context": torch.zeros_like(table)}
    with adopted(config, place, tokenizer, weights, {"kind": "word vectors", "file": path.name, "notes": list(notes)}):
        pass
    on_progress(1.0, tr("done"))
    return Imported(run=place, notes=notes)
