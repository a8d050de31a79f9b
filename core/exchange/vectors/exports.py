"""What leaves a run as vectors: one for each token of its vocabulary, or one for each occurrence of a word in its text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis.corpus_words import find_first, require_text
from core.analysis.encode import Loaded, load, static_vectors, word_vectors
from core.analysis.occurrences import Occurrence
from core.errors import UserError
from core.exchange.exports import require_free
from core.exchange.vectors import files as vector_files
from core.exchange.vectors import projector
from core.i18n import tr
from core.runs import Run
from core.text.tokenizers import SPECIALS
from core.whole import new_folder, replacing

OnProgress = Callable[[float, str], None]
MOST = 100_000  # occurrences that are written
LONGEST = 400  # characters of a sentence that are kept around its word
SUFFIXES = (".txt", ".vec", ".bin", ".npy", ".npz", ".tsv", ".w2v", ".emb")  # that files of vectors have
BLOCK = 1_024  # occurrences that are encoded between two reports


def word2vec(run: Run, out: Path, options: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    """word2vec's text format. See core/exchange/exports.py."""
    return _file(run, out, "vectors.txt", vector_files.save_text, "word2vec", on_progress)


def word2vec_binary(run: Run, out: Path, options: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    """word2vec's binary format."""
    return _file(run, out, "vectors.bin", vector_files.save_binary, "word2vec-binary", on_progress)


def npy(run: Run, out: Path, options: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    """An array of NumPy's, and a list of words beside it."""
    return _file(run, out, "vectors.npy", vector_files.save_npy, "npy", on_progress)


def embedding_projector(run: Run, out: Path, options: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    """A folder with the two tables of the Embedding Projector."""
    words, array = _static(run, on_progress)
    with new_folder(Path(out)) as folder:
        projector.save(folder, words, array)
    return _report("projector", Path(out), [Path(out) / "vectors.tsv", Path(out) / "metadata.tsv"], words, array)


def occurrences(run: Run, out: Path, options: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    """All occurrences of options["word"] in the run's text: vectors (layers, occurrences, size), words, sentences, spans, layers, as .npz.

    options["layer"]: that one only. A sentence is kept around its word; spans are places in it.
    """
    word = str(options.get("word") or run.config.watch.word).strip()
    if not word:
        raise UserError(tr("No word was given."), tr("Say which with --word."), where="word")
    require_text(run)
    path = _path(Path(out), "occurrences.npz")
    require_free(path)
    found, count = find_first(run.config.text, [word], MOST, lambda *progress: on_progress(0.1, tr("looking through the text")), lambda: False)
    loaded = load(run)
    pieces = []
    for start in range(0, len(found), BLOCK):
        on_progress(0.2 + 0.7 * start / len(found), tr("reading {count} sentences", count=len(found)))
        pieces.append(_encoded(loaded, found[start : start + BLOCK]))
    layers, size = next((piece.shape[0], piece.shape[2]) for piece in pieces if piece is not None) if any(
        piece is not None for piece in pieces) else _unknown(word)
    vectors = np.concatenate([np.full((layers, len(found[start : start + BLOCK]), size), np.nan, np.float32) if piece is None else piece
                              for start, piece in zip(range(0, len(found), BLOCK), pieces, strict=True)], axis=1)
    chosen = _layer(options.get("layer"), layers)
    known = np.isfinite(vectors[0]).all(axis=1)
    kept = [_around(item) for item, good in zip(found, known, strict=True) if good]
    with replacing(path) as file:
        np.savez_compressed(file, vectors=vectors[chosen][:, known], layers=np.array(chosen), words=np.array([word] * len(kept)),
                            sentences=np.array([text for text, _ in kept]), spans=np.array([span for _, span in kept], np.int64))
    notes = [tr("{count} occurrences were left out: the model does not know the word there.", count=int((~known).sum()))] if not known.all() else []
    notes += [tr("The text holds {count}; the first {most} were taken.", count=count, most=MOST)] if count > MOST else []
    made = _report("occurrences", path, [path], [word] * len(kept), vectors[0])
    made["rows"][0] = {"title": tr("Occurrences"), "value": f"{len(kept):,}"}
    return {**made, "notes": notes}


def _encoded(loaded: Loaded, found: list[Occurrence]) -> np.ndarray | None:
    try:
        return word_vectors(loaded.encoder, loaded.family, loaded.tokenizer, found)
    except UserError:  # none of these few
        return None


def _unknown(word: str) -> tuple[int, int]:
    raise UserError(tr("The model does not know the word {word}: it is not in its vocabulary.", word=word),
                    tr("Train on text that holds it, or watch it when training, so that it gets a token."), where="word")


def _layer(wanted: Any, layers: int) -> list[int]:
    if wanted in (None, "", "all"):
        return list(range(layers))
    try:
        number = int(wanted)
    except (TypeError, ValueError):
        number = layers
    if not -layers <= number < layers:
        raise UserError(tr("There is no layer {layer}; the model has the layers 0 to {last}.", layer=wanted, last=layers - 1),
                        tr("Choose one of them, or all."), where="layer")
    return [number % layers]


def _around(item: Occurrence) -> tuple[str, tuple[int, int]]:
    begin, end = item.span
    low = max(0, begin - max(0, LONGEST - (end - begin)) // 2)
    return item.text[low : low + max(LONGEST, end - begin)], (begin - low, end - low)


def _static(run: Run, on_progress: OnProgress) -> tuple[list[str], np.ndarray]:
    """The tokens that have a vector, and their vectors; special tokens are no words."""
    on_progress(0.0, tr("reading the run"))
    loaded = load(run)
    array = static_vectors(loaded)[: loaded.tokenizer.vocab_size]
    chosen = [row for row in np.flatnonzero(array.any(axis=1)).tolist() if row >= len(SPECIALS) and loaded.tokenizer.token(row).strip()]
    if not chosen:
        raise UserError(tr("The run {name} has no vectors.", name=run.name), tr("Train it first."))
    on_progress(0.3, tr("writing"))
    raw = getattr(loaded.tokenizer, "raw", loaded.tokenizer.token)  # pieces of words must differ from whole ones
    return [raw(row) for row in chosen], array[chosen]


def _file(run: Run, out: Path, name: str, save: Callable[..., None], target: str, on_progress: OnProgress) -> dict[str, Any]:
    path = _path(Path(out), name)
    path = path.with_suffix(".npy") if target == "npy" else path  # the words stand beside it, in a file of the same name
    beside = [path.with_suffix(".txt")] if target == "npy" else []
    for file in (path, *beside):
        require_free(file)
    words, array = _static(run, on_progress)
    save(path, words, array)
    return _report(target, path, [path, *beside], words, array)


def _path(out: Path, name: str) -> Path:
    """out itself where it is called like a file of vectors, else that file in it: exports.v2 is a folder."""
    return out if out.suffix.lower() in SUFFIXES and not out.is_dir() else out / name


def _report(target: str, path: Path, files: list[Path], words: list[str], array: np.ndarray) -> dict[str, Any]:
    rows = [{"title": tr("Vectors"), "value": f"{len(words):,}"}, {"title": tr("Numbers in each"), "value": f"{array.shape[-1]:,}"}]
    return {"target": target, "path": str(path), "files": {file.name: file.stat().st_size for file in files}, "rows": rows, "notes": []}
