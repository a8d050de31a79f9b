"""What the program can be extended with: each entry is a name and the place of its definition, imported when asked for."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import Any

from core.errors import UserError
from core.i18n import tr

SHOWN = 80  # characters of a value that a message repeats

# name -> "module:attribute" of a core.families.family.Family
FAMILIES = {
    "word2vec": "core.families.word2vec.config:FAMILY",
    "elmo": "core.families.elmo.config:FAMILY",
    "gpt": "core.families.gpt.config:FAMILY",
    "bert": "core.families.bert.config:FAMILY",
}

# name -> "module:attribute" of a core.text.tokenizers.Kind
TOKENIZERS = {
    "char": "core.text.tokenizers.char:KIND",
    "word": "core.text.tokenizers.word:KIND",
    "word_char": "core.text.tokenizers.word_char:KIND",
    "bpe": "core.text.tokenizers.bpe:KIND",
    "wordpiece": "core.text.tokenizers.wordpiece:KIND",
}

# name -> "module:attribute" of a core.tasks.task.Task
TASKS = {
    "classification": "core.tasks.classification:TASK",
    "pair": "core.tasks.pair:TASK",
    "multiple_choice": "core.tasks.multiple_choice:TASK",
    "tagging": "core.tasks.tagging:TASK",
    "span": "core.tasks.span:TASK",
}

# name -> "module:attribute" of a class whose objects have fit_transform(x, on_progress)
PROJECTIONS = {
    "pca": "core.projection.pca:PCA",
    "tsne": "core.projection.tsne:TSNE",
    "umap": "core.projection.umap:UMAP",
}

# name -> "module:function" of (run, out, options, on_progress) -> report; see core/exchange/exports.py
EXPORTS = {
    "onnx": "core.exchange.onnx.export:export",
    "huggingface": "core.exchange.huggingface.export:export",
    "word2vec": "core.exchange.vectors.exports:word2vec",
    "word2vec-binary": "core.exchange.vectors.exports:word2vec_binary",
    "projector": "core.exchange.vectors.exports:embedding_projector",
    "npy": "core.exchange.vectors.exports:npy",
    "occurrences": "core.exchange.vectors.exports:occurrences",
}


def nearest(name: str, known: object) -> str:
    """A half sentence that names the nearest of the known names, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return tr("Did you mean {name}?", name=close[0]) if close else tr("Known: {names}.", names=", ".join(names))


def lookup(registry: dict[str, str], name: str) -> Any:
    """The object that `name` stands for. UserError with the nearest name if there is none."""
    if name not in registry:
        raise UserError(tr("There is no '{name}' here.", name=str(name)[:SHOWN]), nearest(name, registry))
    return load(registry[name])


def load(place: str) -> Any:
    """Import "module:attribute"."""
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)


def family(name: str) -> Any:
    """The Family of that name: its options, presets and capabilities; imports no torch."""
    return lookup(FAMILIES, name)


def task(name: str) -> Any:
    """The Task of that name: its files, labels and measures; imports no torch."""
    return lookup(TASKS, name)
