"""From documents to token ids: sentences, documents and the beginnings of words as offsets, chunk after chunk, in several processes."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.text import segment
from core.text.source import document_hash
from core.text.tokenizers import Tokenizer, load_tokenizer
from core.text.tokenizers.table import TableTokenizer

PARALLEL_BYTES = 64_000_000  # from this size on several processes are worth their start
MOST_WORKERS = 8  # reading, which one process does, cannot feed more


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """text: documents joined by BREAK. valid: bool (documents,). files: int64 (documents,)."""

    text: str
    valid: np.ndarray
    files: np.ndarray


def chunks_of(documents: Iterable[tuple[int, str]], limit: int) -> Iterator[Chunk]:
    held: list[str] = []
    valid: list[bool] = []
    files: list[int] = []
    size = 0
    for number, document in documents:
        held.append(segment.clean(document))
        valid.append(document_hash(document) <= limit)
        files.append(number)
        size += len(document) + 1
        if size >= segment.CHUNK_CHARACTERS:
            yield Chunk(text=segment.BREAK.join(held), valid=np.array(valid), files=np.array(files))
            held, valid, files, size = [], [], [], 0
    if held:
        yield Chunk(text=segment.BREAK.join(held), valid=np.array(valid), files=np.array(files))


@dataclass(frozen=True, kw_only=True)
class _Encoded:
    """ids, starts, ends: (tokens,). sentences: (sentences,), rising, none empty; documents: (documents of the chunk,), an empty
    one where the one before ends. Both are the offsets into the tokens at which they end."""

    ids: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    sentences: np.ndarray
    documents: np.ndarray


def encode(chunk: Chunk, tokenizer: Tokenizer) -> _Encoded:
    ids, starts, ends = tokenizer.arrays(chunk.text)
    ends_at = np.unique(np.searchsorted(starts, segment.sentence_ends(chunk.text)))
    ends_at = ends_at[ends_at > 0]
    if tokenizer.kind == "char" and (space := tokenizer.id(" ")) is not None and len(ids):
        # The space between two sentences closes the first: a sentence begins as it does when it stands alone.
        ends_at = np.unique(ends_at + (ids[np.minimum(ends_at, len(ids) - 1)] == space) * (ends_at < len(ids)))
    breaks = np.flatnonzero(segment.points(chunk.text) == 0)
    documents = np.searchsorted(starts, np.append(breaks, len(chunk.text)))
    return _Encoded(ids=ids, starts=starts, ends=ends, sentences=ends_at, documents=documents)


def _word_starts(chunk: Chunk, tokenizer: Tokenizer, watched: tuple[str, ...], encoded: _Encoded) -> np.ndarray:
    """uint8 (tokens,): 1 where a word begins at some character of the token that is not space, and where a sentence begins."""
    if tokenizer.kind == "word":
        return np.ones(len(encoded.ids), np.uint8)
    begins = segment.word_boundaries(chunk.text, watched, tokenizer.lowercase)
    begins[segment.kinds()[segment.points(chunk.text)] == segment.SPACE] = 0
    before = np.concatenate(([0], np.cumsum(begins, dtype=np.int64)))
    marks = (before[encoded.ends] > before[encoded.starts]).astype(np.uint8)
    if tokenizer.kind == "char":
        marks[encoded.ids == (tokenizer.id(" ") or -1)] = 1
    marks[1:][encoded.starts[1:] == encoded.starts[:-1]] = 0  # the further bytes of one character
    marks[np.concatenate(([0], encoded.sentences[:-1])).astype(np.int64)[:len(marks)]] = 1
    return marks


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What one chunk adds to one split; sentence_lengths in tokens, document_lengths in sentences."""

    ids: np.ndarray
    word_starts: np.ndarray
    sentence_lengths: np.ndarray
    document_lengths: np.ndarray


def _pieces(chunk: Chunk, tokenizer: Tokenizer, watched: tuple[str, ...]) -> dict[str, Piece]:
    """The chunk's tokens, for each split."""
    encoded = encode(chunk, tokenizer)
    if not len(encoded.ids):
        return {}
    marks = _word_starts(chunk, tokenizer, watched, encoded)
    lengths = np.diff(encoded.documents, prepend=0)  # (documents,) in tokens
    document_of = np.searchsorted(encoded.documents, encoded.sentences, side="left")  # (sentences,)
    sentence_lengths = np.diff(encoded.sentences, prepend=0)
    made = {}
    for name, mine in (("train", ~chunk.valid), ("valid", chunk.valid)):
        tokens, kept = np.repeat(mine, lengths), mine[document_of]
        sizes = np.bincount(document_of[kept], minlength=len(mine))
        made[name] = Piece(ids=encoded.ids[tokens].astype(token_type(tokenizer.vocab_size)), word_starts=marks[tokens],
                            sentence_lengths=sentence_lengths[kept], document_lengths=sizes[sizes > 0])
    return made


def all_pieces(chunks: Iterable[Chunk], size: int, tokenizer: Tokenizer, watched: tuple[str, ...],
                saved: Path) -> Iterator[dict[str, Piece]]:
    """The pieces of all chunks in their order; a large text (size in bytes) is shared out to several processes.

    saved: the tokenizer's file.

    rjieba holds the interpreter's lock, so threads gain nothing; the other tokenizers have threads of their own.
    """
    workers = min(os.cpu_count() or 1, MOST_WORKERS)
    daemon = multiprocessing.current_process().daemon  # may have no children
    if size < PARALLEL_BYTES or workers < 2 or daemon or not isinstance(tokenizer, TableTokenizer):
        yield from (_pieces(chunk, tokenizer, watched) for chunk in chunks)
        return
    waiting: deque[tuple[Chunk, Future]] = deque()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(saved, watched)) as pool:
        try:
            for chunk in chunks:
                waiting.append((chunk, _submit(pool, chunk)))
                if len(waiting) > 2 * workers:
                    yield _result(*waiting.popleft(), tokenizer, watched)
            while waiting:
                yield _result(*waiting.popleft(), tokenizer, watched)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, chunk: Chunk) -> Future:
    try:
        return pool.submit(_in_worker, chunk)
    except BrokenProcessPool as error:
        broken: Future = Future()
        broken.set_exception(error)
        return broken


def _result(chunk: Chunk, future: Future, tokenizer: Tokenizer, watched: tuple[str, ...]) -> dict[str, Piece]:
    """What a worker has made of the chunk; made here where the workers have died (no main guard in a script, no memory)."""
    try:
        return future.result()
    except BrokenProcessPool:
        return _pieces(chunk, tokenizer, watched)


_worker: tuple[Tokenizer, tuple[str, ...]]  # of a worker process


def _start_worker(saved: Path, watched: tuple[str, ...]) -> None:
    global _worker
    _worker = (load_tokenizer(saved), watched)


def _in_worker(chunk: Chunk) -> dict[str, Piece]:
    return _pieces(chunk, *_worker)


def token_type(vocab_size: int) -> np.dtype:
    return np.dtype(np.uint16 if vocab_size <= 1 << 16 else np.uint32)
