"""A text as token ids on disk, ready to be mapped into memory.

    CACHE/KEY/ tokenizer.json  {train,valid}.{tokens,word_starts,sentences,documents}.bin  manifest.json

KEY stands for the content of the files and for every setting that matters. A cache is built in a folder of its own and
renamed when it is complete; its manifest holds the hash of every file, and one that does not fit is built again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.config import TextConfig
from core.errors import UserError, system_words
from core.i18n import tr
from core.text.pieces import Piece, all_pieces, chunks_of, token_type
from core.text.source import HASH_BLOCK, OnProgress, Source, Survey, learn, never, nothing, too_short, with_watched
from core.text.tokenizers import Tokenizer, load_tokenizer
from core.whole import remove_abandoned

FORMAT = 2  # of a cache; part of its key
PARTS = ("tokens", "word_starts", "sentences", "documents")
SPLITS = ("train", "valid")


@dataclass(frozen=True, kw_only=True)
class Split:
    """tokens: uint16 or uint32 (tokens,), no special tokens. sentences: int64 (sentences + 1,), offsets into tokens.

    documents: int64 (documents + 1,), offsets into sentences. word_starts: uint8 (tokens,), 1 where a token begins a word.
    """

    tokens: np.ndarray
    sentences: np.ndarray
    documents: np.ndarray
    word_starts: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A text that is ready for training. path: the cache folder. content: a hash of what was read."""

    train: Split
    valid: Split
    tokenizer: Tokenizer
    path: Path
    content: str = ""


def prepare(config: TextConfig, cache: Path, on_progress: OnProgress = nothing, cancelled: Callable[[], bool] = never,
            tokenizer: Tokenizer | None = None) -> Corpus:
    """Read, split and tokenise the text of `config`, or open what an earlier call has made of it.

    tokenizer: use this one instead of training one. on_progress(stage, done, total): total 0 means unknown.
    Raises UserError for what a person can mend (see core.text.readers), also a text that is too short and a full disk;
    Cancelled after `cancelled()` has returned True.
    """
    config = with_watched(config)
    source = Source(config, on_progress, cancelled)
    cache = Path(cache)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        remove_abandoned(cache)
        content = source.content_hash()
        folder = cache / _key(config, content, tokenizer, cache)
        if (ready := _open(folder)) is not None:
            return replace(ready, content=content)
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
        try:
            _build(config, source, building, tokenizer)
            _put_in_place(building, folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        reason = system_words(error)
        raise UserError(tr("The prepared text cannot be written to {path}: {reason}.", path=cache, reason=reason),
                        tr("Free some space, or choose another place.")) from error
    made = _open(folder)
    if made is None:
        raise UserError(tr("The prepared text in {path} is damaged.", path=folder), tr("Check the disk, then try again."))
    return replace(made, content=content)


def _key(config: TextConfig, content: str, tokenizer: Tokenizer | None, cache: Path) -> str:
    """The name of the folder: a hash of all that decides what is in it."""
    settings: dict[str, Any] = {"format": FORMAT, "content": content, "valid_percent": config.valid_percent}
    if config.files:
        settings |= {"columns": config.columns, "encoding": config.encoding, "documents": config.documents}
    if tokenizer is None:
        names = ("tokenizer", "vocab_size", "min_count", "lowercase", "watched")
        settings |= {name: getattr(config, name) for name in names}
    else:
        settings |= {"watched": config.watched, "given": _hash_of_tokenizer(tokenizer, cache)}
    return hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=16).hexdigest()


def _hash_of_tokenizer(tokenizer: Tokenizer, cache: Path) -> str:
    with tempfile.TemporaryDirectory(prefix=".building-", dir=cache) as folder:
        path = Path(folder) / "tokenizer.json"
        tokenizer.save(path)
        return _hash_of(path)


# building

def _build(config: TextConfig, source: Source, folder: Path, tokenizer: Tokenizer | None) -> None:
    if tokenizer is None:
        tokenizer, survey = learn(config, source)
    else:
        survey = Survey(config.valid_percent)
        for _ in survey.watch(source.documents(tr("reading the text"))):
            pass
    limit = survey.limit()
    watched = tuple(dict.fromkeys((*tokenizer.watched, *config.watched)))
    tokenizer.save(folder / "tokenizer.json")
    writers = {name: _Writer(folder, name) for name in SPLITS}
    try:
        chunks = chunks_of(source.documents(tr("cutting the text into tokens")), limit)
        for pieces in all_pieces(chunks, source.total, tokenizer, watched, folder / "tokenizer.json"):
            for name, piece in pieces.items():
                writers[name].add(piece)
    finally:
        for writer in writers.values():
            writer.close()
    if not all(writer.token_count for writer in writers.values()):
        raise too_short(1)
    names = ["tokenizer.json", *(f"{split}.{part}.bin" for split in SPLITS for part in PARTS)]
    manifest = {"format": FORMAT, "token_type": str(token_type(tokenizer.vocab_size)),
                "files": {name: {"size": (folder / name).stat().st_size, "hash": _hash_of(folder / name)} for name in names}}
    with (folder / "manifest.json").open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


class _Writer:
    """Appends to the four files of one split."""

    def __init__(self, folder: Path, name: str) -> None:
        self._files = {part: (folder / f"{name}.{part}.bin").open("wb") for part in PARTS}
        self.token_count, self._sentence_count = 0, 0
        for part in ("sentences", "documents"):
            self._files[part].write(np.zeros(1, np.int64).tobytes())

    def add(self, piece: Piece) -> None:
        sentences = self.token_count + np.cumsum(piece.sentence_lengths, dtype=np.int64)
        documents = self._sentence_count + np.cumsum(piece.document_lengths, dtype=np.int64)
        for part, values in (("tokens", piece.ids), ("word_starts", piece.word_starts), ("sentences", sentences),
                             ("documents", documents)):
            self._files[part].write(values.tobytes())
        self.token_count += len(piece.ids)
        self._sentence_count += len(piece.sentence_lengths)

    def close(self) -> None:
        for file in self._files.values():
            file.close()


# the cache on disk

def _open(folder: Path) -> Corpus | None:
    """The corpus in a folder; None where there is none, or one that is damaged."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        for name, noted in manifest["files"].items():
            if (folder / name).stat().st_size != noted["size"] or _hash_of(folder / name) != noted["hash"]:
                return None
        tokens = np.dtype(manifest["token_type"])
        types = {"tokens": tokens, "word_starts": np.uint8, "sentences": np.int64, "documents": np.int64}
        splits = {split: Split(**{part: np.memmap(folder / f"{split}.{part}.bin", dtype=types[part], mode="r") for part in PARTS})
                  for split in SPLITS}
        return Corpus(**splits, tokenizer=load_tokenizer(folder / "tokenizer.json"), path=folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UserError):
        return None


def _hash_of(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _put_in_place(building: Path, folder: Path) -> None:
    """Rename the finished folder. Where another process was quicker, its folder stays; a damaged one goes."""
    for _ in range(10):
        try:
            building.rename(folder)
            return
        except OSError:
            if not folder.exists():
                raise
        if _open(folder) is not None:
            return
        old = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
        with contextlib.suppress(OSError):  # another process may have been quicker here too
            folder.rename(old / "damaged")
        shutil.rmtree(old, ignore_errors=True)
