"""Where the documents of a text come from, what vocabulary is learnt of them, and which of them validate."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from core import registry
from core.config import TextConfig
from core.errors import UserError, system_words
from core.i18n import tr
from core.text import builtin, readers
from core.text.tokenizers import Tokenizer

HASH_BLOCK = 1 << 20
LOOKED_AT = 200_000  # characters from which is told how a text is cut
UNSPACED = 0.15  # of all letters: as a word without spaces has one or two letters and another about five, such words are then about half
_UNSPACED = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")  # Thai ... Chinese
TRAINING_BYTES = 20_000_000  # a kind that learns from a sample reads about so much; more changes little but the waiting

OnProgress = Callable[[str, int, int], None]


class Cancelled(Exception):
    """The person has asked to stop; nothing incomplete was left behind."""


def nothing(stage: str, done: int, total: int) -> None:
    """The default on_progress."""


def never() -> bool:
    """The default `cancelled`."""
    return False


def with_watched(config: TextConfig) -> TextConfig:
    """With the built-in text all its words are watched."""
    if config.files:
        return config
    return replace(config, watched=tuple(dict.fromkeys((*builtin.words(config.corpus), *config.watched))))


def with_words(config: TextConfig, words: Iterable[str]) -> TextConfig:
    """With these words watched too, so that no tokenizer hides them in longer ones."""
    return replace(config, watched=tuple(sorted({*config.watched, *words} - {""})))


class Source:
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
                raise UserError(tr("{path} cannot be read: {reason}.", path=path, reason=system_words(error)),
                                tr("Check the name and the permissions."), where="files") from error
        return digest.hexdigest()


def content_hash(config: TextConfig) -> str:
    """Of the files' bytes, or of the built-in text. UserError where a file cannot be read."""
    return Source(config, lambda *_: None, lambda: False).content_hash()


def learn(config: TextConfig, source: Source) -> tuple[Tokenizer, Survey]:
    """The vocabulary of the text, and what was seen of its documents on the way."""
    survey, kind = Survey(config.valid_percent), registry.lookup(registry.TOKENIZERS, kind_of(source))
    texts = survey.watch(source.documents(tr("building the vocabulary")))
    return kind.train(config, _some(texts, source.total) if kind.sample else texts), survey


def kind_of(source: Source) -> str:
    """The kind of tokenizer, a name of registry.TOKENIZERS: the one that is asked for; for "auto" what the text's beginning asks for."""
    if source.config.tokenizer != "auto":
        return source.config.tokenizer
    if not source.paths:
        return "char" if source.config.corpus == "zh" else "wordpiece"
    letters = unspaced = 0
    for _, document in Source(source.config, nothing, source.cancelled).documents(""):
        letters += sum(map(str.isalpha, document))
        unspaced += len(_UNSPACED.findall(document))
        if letters >= LOOKED_AT:
            break
    return "wordpiece" if letters and unspaced < UNSPACED * letters else "char"


def too_short(documents: int) -> UserError:
    return UserError(tr("The text is too short: {count} different documents, and at least two are needed.", count=documents),
                     tr("Add text; each line of a txt file, and each row of a table, is one document."), where="files")


class Survey:
    """Sees every document once and settles which ones validate: those whose hash lies at or below a limit."""

    def __init__(self, valid_percent: float) -> None:
        self._wanted = int(valid_percent / 100 * 2**64)
        self.count, self.least, self.most = 0, 2**64, -1

    def watch(self, documents: Iterable[tuple[int, str]]) -> Iterator[str]:
        for _, document in documents:
            number = document_hash(document)
            self.count += 1
            self.least, self.most = min(self.least, number), max(self.most, number)
            yield document

    def limit(self) -> int:
        """Never so low that nothing validates, nor so high that nothing trains. UserError if all documents are the same one."""
        if self.least >= self.most:
            raise too_short(min(self.count, 1))
        return min(max(self._wanted, self.least), self.most - 1)


def document_hash(document: str) -> int:
    return int.from_bytes(hashlib.blake2b(document.encode(errors="replace"), digest_size=8).digest(), "big")


def _some(texts: Iterable[str], total: int) -> Iterator[str]:
    """All texts, or of a large corpus those whose hash is low enough to make about TRAINING_BYTES; all are taken from `texts`."""
    share = TRAINING_BYTES / total if total else 1.0
    for text in texts:
        if share >= 1 or (document_hash(text) * 0x9E3779B97F4A7C15 % 2**64) < share * 2**64:
            yield text
