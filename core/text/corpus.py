"""From documents to token ids on disk, ready to be mapped into memory; and what a person wants to know about them.

    CACHE/KEY/ tokenizer.json  {train,valid}.{tokens,word_starts,sentences,documents}.bin  manifest.json

KEY stands for the content of the files and for every setting that matters. A cache is built in a folder of its own and
renamed when it is complete; its manifest holds the hash of every file, and one that does not fit is built again.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import json
import multiprocessing
import os
import re
import shutil
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from core import registry
from core.config import TextConfig
from core.errors import UserError
from core.i18n import tr
from core.text import builtin, readers, segment
from core.text.tokenizers import CHUNK_CHARACTERS, SPECIALS, UNK, Tokenizer, load_tokenizer

FORMAT = 1  # of a cache; part of its key
HASH_BLOCK = 1 << 20
PARALLEL_BYTES = 64_000_000  # from this size on several processes are worth their start
MOST_WORKERS = 8  # reading, which one process does, cannot feed more
TRAINING_BYTES = 20_000_000  # BPE and WordPiece learn from about so much; more changes little but the waiting
ABANDONED_S = 24 * 3600  # a folder of a build that was killed is removed when it is this old
PARTS = ("tokens", "word_starts", "sentences", "documents")
SPLITS = ("train", "valid")
EXAMPLES = 20  # documents, rare tokens, unknown characters and long documents that the statistics show
MOST_UNKNOWN = 200_000  # different ones that are counted at once; the rarer half is forgotten beyond it
EXAMPLE_TOKENS = 200  # of each such document
EXAMPLE_CHARACTERS = 60  # of each long one
LONGEST_BIN = 256  # of a histogram: the last bin holds all that is longer

OnProgress = Callable[[str, int, int], None]


class Cancelled(Exception):
    """The person has asked to stop; nothing incomplete was left behind."""


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
    """A text that is ready for training. path: the cache folder."""

    train: Split
    valid: Split
    tokenizer: Tokenizer
    path: Path


def _nothing(stage: str, done: int, total: int) -> None:
    """The default on_progress."""


def _never() -> bool:
    """The default `cancelled`."""
    return False


def prepare(config: TextConfig, cache: Path, on_progress: OnProgress = _nothing, cancelled: Callable[[], bool] = _never,
            tokenizer: Tokenizer | None = None) -> Corpus:
    """Read, split and tokenise the text of `config`, or open what an earlier call has made of it.

    tokenizer: use this one instead of training one. on_progress(stage, done, total): total 0 means unknown.
    Raises UserError for what a person can mend (see core.text.readers), also a text that is too short and a full disk;
    Cancelled after `cancelled()` has returned True.
    """
    config = _with_watched(config)
    source = _Source(config, on_progress, cancelled)
    cache = Path(cache)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(cache)
        folder = cache / _key(config, source, tokenizer, cache)
        if (ready := _open(folder)) is not None:
            return ready
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
        try:
            _build(config, source, building, tokenizer)
            _put_in_place(building, folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(tr("The prepared text cannot be written to {path}: {reason}.", path=cache, reason=reason),
                        tr("Free some space, or choose another place.")) from error
    made = _open(folder)
    if made is None:
        raise UserError(tr("The prepared text in {path} is damaged.", path=folder), tr("Check the disk, then try again."))
    return made


def _with_watched(config: TextConfig) -> TextConfig:
    """With the built-in text all its words are watched."""
    if config.files:
        return config
    return replace(config, watched=tuple(dict.fromkeys((*builtin.words(config.corpus), *config.watched))))


# where the documents come from

class _Source:
    """The documents of a config, read anew at every call of `documents`; looks for a cancel and tells how far it came."""

    def __init__(self, config: TextConfig, on_progress: OnProgress, cancelled: Callable[[], bool]) -> None:
        self.config, self.on_progress, self.cancelled = config, on_progress, cancelled
        self.paths = readers.find_files(config) if config.files else []
        self.sizes = [path.stat().st_size for path in self.paths]
        self.total = sum(self.sizes)
        if self.paths and not self.total:
            raise UserError(tr("{path} holds no text.", path=self.paths[0].name), tr("Choose another file."), where="files")
        self._told = 0.0

    def tell(self, stage: str, done: int, total: int, always: bool = False) -> None:
        if self.cancelled():
            raise Cancelled
        if always or time.monotonic() - self._told > 0.1:
            self._told = time.monotonic()
            self.on_progress(stage, done, total)

    def documents(self, stage: str) -> Iterator[tuple[int, str]]:
        """(number of the file, document)"""
        if not self.paths:
            for number, document in enumerate(builtin.documents(self.config.corpus)):
                if number % 256 == 0:
                    self.tell(stage, number, 0)
                yield 0, document
            return
        before = 0
        for index, path in enumerate(self.paths):
            def on_bytes(place: int, before: int = before) -> None:
                self.tell(stage, before + place, self.total)

            for document in readers.read_file(path, self.config, on_bytes):
                yield index, document
            before += self.sizes[index]
        self.tell(stage, self.total, self.total, always=True)

    def content_hash(self) -> str:
        if not self.paths:
            return builtin.content_hash(self.config.corpus)
        digest = hashlib.blake2b(digest_size=16)
        done = 0
        for path, size in zip(self.paths, self.sizes, strict=True):
            digest.update(f"{readers.kind_of(path)} {size} ".encode())
            try:
                with path.open("rb") as file:
                    while block := file.read(HASH_BLOCK):
                        digest.update(block)
                        done += len(block)
                        self.tell(tr("looking at the files"), done, self.total)
            except OSError as error:
                raise UserError(tr("{path} cannot be read: {reason}.", path=path, reason=error.strerror or error),
                                tr("Check the name and the permissions."), where="files") from error
        return digest.hexdigest()


def content_hash(config: TextConfig) -> str:
    """Of the files' bytes, or of the built-in text. UserError where a file cannot be read."""
    return _Source(config, lambda *_: None, lambda: False).content_hash()


def _key(config: TextConfig, source: _Source, tokenizer: Tokenizer | None, cache: Path) -> str:
    """The name of the folder: a hash of all that decides what is in it."""
    settings: dict[str, Any] = {"format": FORMAT, "content": source.content_hash(), "valid_percent": config.valid_percent}
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

def _build(config: TextConfig, source: _Source, folder: Path, tokenizer: Tokenizer | None) -> None:
    if tokenizer is None:
        tokenizer, survey = _learn(config, source)
    else:
        survey = _Survey(config.valid_percent)
        for _ in survey.watch(source.documents(tr("reading the text"))):
            pass
    limit = survey.limit()
    watched = tuple(dict.fromkeys((*tokenizer.watched, *config.watched)))
    tokenizer.save(folder / "tokenizer.json")
    writers = {name: _Writer(folder, name) for name in SPLITS}
    try:
        chunks = _chunks(source.documents(tr("cutting the text into tokens")), limit)
        for pieces in _all_pieces(chunks, source.total, tokenizer, watched, folder / "tokenizer.json"):
            for name, piece in pieces.items():
                writers[name].add(piece)
    finally:
        for writer in writers.values():
            writer.close()
    if not all(writer.token_count for writer in writers.values()):
        raise _too_short(1)
    names = ["tokenizer.json", *(f"{split}.{part}.bin" for split in SPLITS for part in PARTS)]
    manifest = {"format": FORMAT, "token_type": str(_token_type(tokenizer.vocab_size)),
                "files": {name: {"size": (folder / name).stat().st_size, "hash": _hash_of(folder / name)} for name in names}}
    with (folder / "manifest.json").open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def _learn(config: TextConfig, source: _Source) -> tuple[Tokenizer, _Survey]:
    """The vocabulary of the text, and what was seen of its documents on the way."""
    survey = _Survey(config.valid_percent)
    texts = survey.watch(source.documents(tr("building the vocabulary")))
    if config.tokenizer in ("bpe", "wordpiece"):
        texts = _some(texts, source.total)
    return registry.lookup(registry.TOKENIZERS, config.tokenizer)(config, texts), survey


def _too_short(documents: int) -> UserError:
    return UserError(tr("The text is too short: {count} different documents, and at least two are needed.", count=documents),
                     tr("Add text; each line of a txt file, and each row of a table, is one document."), where="files")


class _Survey:
    """Sees every document once and settles which ones validate: those whose hash lies at or below a limit."""

    def __init__(self, valid_percent: float) -> None:
        self._wanted = int(valid_percent / 100 * 2**64)
        self.count, self.least, self.most = 0, 2**64, -1

    def watch(self, documents: Iterable[tuple[int, str]]) -> Iterator[str]:
        for _, document in documents:
            number = _document_hash(document)
            self.count += 1
            self.least, self.most = min(self.least, number), max(self.most, number)
            yield document

    def limit(self) -> int:
        """Never so low that nothing validates, nor so high that nothing trains. UserError if all documents are the same one."""
        if self.least >= self.most:
            raise _too_short(min(self.count, 1))
        return min(max(self._wanted, self.least), self.most - 1)


def _document_hash(document: str) -> int:
    return int.from_bytes(hashlib.blake2b(document.encode(errors="replace"), digest_size=8).digest(), "big")


def _some(texts: Iterable[str], total: int) -> Iterator[str]:
    """All texts, or of a large corpus those whose hash is low enough to make about TRAINING_BYTES; all are taken from `texts`."""
    share = TRAINING_BYTES / total if total else 1.0
    for text in texts:
        if share >= 1 or (_document_hash(text) * 0x9E3779B97F4A7C15 % 2**64) < share * 2**64:
            yield text


@dataclass(frozen=True, kw_only=True)
class _Chunk:
    """text: documents joined by BREAK. valid: bool (documents,). files: int64 (documents,)."""

    text: str
    valid: np.ndarray
    files: np.ndarray


def _chunks(documents: Iterable[tuple[int, str]], limit: int) -> Iterator[_Chunk]:
    held: list[str] = []
    valid: list[bool] = []
    files: list[int] = []
    size = 0
    for number, document in documents:
        held.append(segment.clean(document))
        valid.append(_document_hash(document) <= limit)
        files.append(number)
        size += len(document) + 1
        if size >= CHUNK_CHARACTERS:
            yield _Chunk(text=segment.BREAK.join(held), valid=np.array(valid), files=np.array(files))
            held, valid, files, size = [], [], [], 0
    if held:
        yield _Chunk(text=segment.BREAK.join(held), valid=np.array(valid), files=np.array(files))


@dataclass(frozen=True, kw_only=True)
class _Encoded:
    """ids, starts, ends: (tokens,). sentences: (sentences,), rising, none empty; documents: (documents of the chunk,), an empty
    one where the one before ends. Both are the offsets into the tokens at which they end."""

    ids: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    sentences: np.ndarray
    documents: np.ndarray


def _encode(chunk: _Chunk, tokenizer: Tokenizer) -> _Encoded:
    ids, starts, ends = tokenizer.arrays(chunk.text)
    ends_at = np.unique(np.searchsorted(starts, segment.sentence_ends(chunk.text)))
    ends_at = ends_at[ends_at > 0]
    if tokenizer.kind == "char" and (space := tokenizer.id(" ")) is not None and len(ids):
        # The space between two sentences closes the first: a sentence begins as it does when it stands alone.
        ends_at = np.unique(ends_at + (ids[np.minimum(ends_at, len(ids) - 1)] == space) * (ends_at < len(ids)))
    breaks = np.flatnonzero(segment.points(chunk.text) == 0)
    documents = np.searchsorted(starts, np.append(breaks, len(chunk.text)))
    return _Encoded(ids=ids, starts=starts, ends=ends, sentences=ends_at, documents=documents)


def _word_starts(chunk: _Chunk, tokenizer: Tokenizer, watched: tuple[str, ...], encoded: _Encoded) -> np.ndarray:
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
class _Piece:
    """What one chunk adds to one split; sentence_lengths in tokens, document_lengths in sentences."""

    ids: np.ndarray
    word_starts: np.ndarray
    sentence_lengths: np.ndarray
    document_lengths: np.ndarray


def _pieces(chunk: _Chunk, tokenizer: Tokenizer, watched: tuple[str, ...]) -> dict[str, _Piece]:
    """The chunk's tokens, for each split."""
    encoded = _encode(chunk, tokenizer)
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
        made[name] = _Piece(ids=encoded.ids[tokens].astype(_token_type(tokenizer.vocab_size)), word_starts=marks[tokens],
                            sentence_lengths=sentence_lengths[kept], document_lengths=sizes[sizes > 0])
    return made


def _all_pieces(chunks: Iterable[_Chunk], size: int, tokenizer: Tokenizer, watched: tuple[str, ...],
                saved: Path) -> Iterator[dict[str, _Piece]]:
    """The pieces of all chunks in their order; a large text (size in bytes) is shared out to several processes.

    saved: the tokenizer's file.

    rjieba holds the interpreter's lock, so threads gain nothing; the other tokenizers have threads of their own.
    """
    workers = min(os.cpu_count() or 1, MOST_WORKERS)
    daemon = multiprocessing.current_process().daemon  # may have no children
    if size < PARALLEL_BYTES or workers < 2 or daemon or tokenizer.kind not in ("char", "word"):
        yield from (_pieces(chunk, tokenizer, watched) for chunk in chunks)
        return
    waiting: deque[tuple[_Chunk, Future]] = deque()
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


def _submit(pool: ProcessPoolExecutor, chunk: _Chunk) -> Future:
    try:
        return pool.submit(_in_worker, chunk)
    except BrokenProcessPool as error:
        broken: Future = Future()
        broken.set_exception(error)
        return broken


def _result(chunk: _Chunk, future: Future, tokenizer: Tokenizer, watched: tuple[str, ...]) -> dict[str, _Piece]:
    """What a worker has made of the chunk; made here where the workers have died (no main guard in a script, no memory)."""
    try:
        return future.result()
    except BrokenProcessPool:
        return _pieces(chunk, tokenizer, watched)


_worker: tuple[Tokenizer, tuple[str, ...]]  # of a worker process


def _start_worker(saved: Path, watched: tuple[str, ...]) -> None:
    global _worker
    _worker = (load_tokenizer(saved), watched)


def _in_worker(chunk: _Chunk) -> dict[str, _Piece]:
    return _pieces(chunk, *_worker)


def _token_type(vocab_size: int) -> np.dtype:
    return np.dtype(np.uint16 if vocab_size <= 1 << 16 else np.uint32)


class _Writer:
    """Appends to the four files of one split."""

    def __init__(self, folder: Path, name: str) -> None:
        self._files = {part: (folder / f"{name}.{part}.bin").open("wb") for part in PARTS}
        self.token_count, self._sentence_count = 0, 0
        for part in ("sentences", "documents"):
            self._files[part].write(np.zeros(1, np.int64).tobytes())

    def add(self, piece: _Piece) -> None:
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


def _remove_abandoned(cache: Path) -> None:
    for path in cache.glob(".building-*"):
        try:
            if time.time() - path.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue


# what a person wants to know

@dataclass(frozen=True, kw_only=True)
class FileCount:
    """path: empty for the built-in text. size in bytes. encoding: as it was read."""

    path: str
    size: int
    encoding: str
    documents: int
    tokens: int


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """What a text gives a model to read.

    coverage: share of the tokens that are in the vocabulary. rarest: (token, count) of the vocabulary's rarest. unknown:
    (text, count) of what most often becomes [UNK]. longest: (tokens, beginning) of the longest documents. token_lengths:
    int64 (LONGEST_BIN + 1,), how many tokens have so many characters; sentence_lengths, document_lengths: how many of them
    have so many tokens. The last bin of each counts all that are longer too. examples: the first documents as the model sees
    them, token by token. watched: how often each watched word occurs.
    """

    documents: int
    valid_documents: int
    sentences: int
    tokens: int
    characters: int
    vocab_size: int
    coverage: float
    rarest: list[tuple[str, int]]
    unknown: list[tuple[str, int]]
    longest: list[tuple[int, str]]
    token_lengths: np.ndarray
    sentence_lengths: np.ndarray
    document_lengths: np.ndarray
    examples: list[list[str]]
    files: list[FileCount]
    watched: dict[str, int] = field(default_factory=dict)


def statistics(config: TextConfig, on_progress: OnProgress = _nothing, cancelled: Callable[[], bool] = _never) -> Statistics:
    """Read the whole text and count. Raises what `prepare` raises; writes nothing."""
    config = _with_watched(config)
    source = _Source(config, on_progress, cancelled)
    tokenizer, survey = _learn(config, source)
    limit = survey.limit()
    count = _Count(tokenizer, config.watched, max(len(source.paths), 1))
    for chunk in _chunks(source.documents(tr("counting")), limit):
        count.add(chunk)
    return count.result(config, source)


class _Count:
    """Adds up the statistics, chunk by chunk."""

    def __init__(self, tokenizer: Tokenizer, watched: tuple[str, ...], files: int) -> None:
        self.tokenizer = tokenizer
        self.patterns = {word: re.compile(segment.word_pattern(word), re.IGNORECASE) for word in watched if word.strip()}
        self.watched = dict.fromkeys(self.patterns, 0)
        self.ids = np.zeros(tokenizer.vocab_size, np.int64)
        self.lengths = {name: np.zeros(LONGEST_BIN + 1, np.int64) for name in ("token", "sentence", "document")}
        self.unknown: Counter[str] = Counter()
        self.longest: list[tuple[int, str]] = []
        self.examples: list[list[str]] = []
        self.file_documents, self.file_tokens = np.zeros(files, np.int64), np.zeros(files, np.int64)
        self.valid, self.characters = 0, 0

    def add(self, chunk: _Chunk) -> None:
        encoded = _encode(chunk, self.tokenizer)
        breaks = np.flatnonzero(segment.points(chunk.text) == 0)
        begins = np.concatenate(([0], breaks + 1)).tolist()  # (documents,) in characters
        lengths = np.diff(encoded.documents, prepend=0)
        self.ids += np.bincount(encoded.ids, minlength=len(self.ids))
        for name, values in (("token", encoded.ends - encoded.starts), ("sentence", np.diff(encoded.sentences, prepend=0)),
                             ("document", lengths)):
            self.lengths[name] += np.bincount(np.minimum(values, LONGEST_BIN), minlength=LONGEST_BIN + 1)
        missing = np.flatnonzero(encoded.ids == UNK)
        spans = zip(encoded.starts[missing].tolist(), encoded.ends[missing].tolist(), strict=True)
        self.unknown.update([chunk.text[start:end] for start, end in spans])
        if len(self.unknown) > MOST_UNKNOWN:
            self.unknown = Counter(dict(self.unknown.most_common(MOST_UNKNOWN // 2)))
        top = np.argsort(-lengths, kind="stable")[:EXAMPLES].tolist()
        shown = [(int(lengths[index]), chunk.text[begins[index]:begins[index] + EXAMPLE_CHARACTERS].partition(segment.BREAK)[0])
                 for index in top]
        self.longest = heapq.nlargest(EXAMPLES, self.longest + shown, key=lambda pair: pair[0])
        for index in range(min(EXAMPLES - len(self.examples), len(lengths))):
            end = int(encoded.documents[index])
            ids = encoded.ids[end - int(lengths[index]):end][:EXAMPLE_TOKENS]
            self.examples.append([self.tokenizer.token(token) for token in ids.tolist()])
        for word, pattern in self.patterns.items():
            self.watched[word] += sum(1 for _ in pattern.finditer(chunk.text))
        self.file_documents += np.bincount(chunk.files, minlength=len(self.file_documents))
        self.file_tokens += np.bincount(chunk.files, weights=lengths, minlength=len(self.file_tokens)).astype(np.int64)
        self.valid += int(chunk.valid.sum())
        self.characters += len(chunk.text) - len(breaks)

    def result(self, config: TextConfig, source: _Source) -> Statistics:
        tokens = int(self.ids.sum())
        used = sorted((int(self.ids[index]), self.tokenizer.token(index), index) for index in range(len(SPECIALS), len(self.ids)))
        encodings = [readers.encoding_of(path, config).name for path in source.paths] or ["utf-8"]
        files = [FileCount(path=str(path), size=size, encoding=encoding, documents=int(documents), tokens=int(count))
                 for path, size, encoding, documents, count in zip(
                     source.paths or [""], source.sizes or [0], encodings, self.file_documents, self.file_tokens, strict=True)]
        return Statistics(
            documents=int(self.file_documents.sum()), valid_documents=self.valid, sentences=int(self.lengths["sentence"].sum()),
            tokens=tokens, characters=self.characters, vocab_size=self.tokenizer.vocab_size,
            coverage=1 - int(self.ids[UNK]) / max(tokens, 1),
            rarest=[(token, count) for count, token, _ in used if count][:EXAMPLES], unknown=self.unknown.most_common(EXAMPLES),
            longest=self.longest, token_lengths=self.lengths["token"], sentence_lengths=self.lengths["sentence"],
            document_lengths=self.lengths["document"], examples=self.examples, files=files, watched=self.watched)
