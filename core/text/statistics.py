"""What a person wants to know about a text before a model reads it."""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from core.config import TextConfig
from core.i18n import tr
from core.text import segment
from core.text.encodings import encoding_of
from core.text.pieces import Chunk, chunks_of, encode
from core.text.source import OnProgress, Source, learn, never, nothing, with_watched
from core.text.tokenizers import SPECIALS, UNK, Tokenizer

EXAMPLES = 20  # documents, rare tokens, unknown characters and long documents that the statistics show
MOST_UNKNOWN = 200_000  # different ones that are counted at once; the rarer half is forgotten beyond it
EXAMPLE_TOKENS = 200  # of each such document
EXAMPLE_CHARACTERS = 60  # of each long one
LONGEST_BIN = 256  # of a histogram: the last bin holds all that is longer


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
    (text, count) of what most often becomes [UNK]. longest: (tokens, beginning) of the longest documents, "…" where it goes on. token_lengths:
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


def statistics(config: TextConfig, on_progress: OnProgress = nothing, cancelled: Callable[[], bool] = never) -> Statistics:
    """Read the whole text and count. Raises what `prepare` raises; writes nothing."""
    config = with_watched(config)
    source = Source(config, on_progress, cancelled)
    tokenizer, survey = learn(config, source)
    limit = survey.limit()
    count = _Count(tokenizer, config.watched, max(len(source.paths), 1))
    for chunk in chunks_of(source.documents(tr("counting")), limit):
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

    def add(self, chunk: Chunk) -> None:
        encoded = encode(chunk, self.tokenizer)
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
        shown = [(int(lengths[index]), _beginning(chunk.text, begins[index])) for index in top]
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

    def result(self, config: TextConfig, source: Source) -> Statistics:
        tokens = int(self.ids.sum())
        used = sorted((int(self.ids[index]), self.tokenizer.token(index), index) for index in range(len(SPECIALS), len(self.ids)))
        encodings = [encoding_of(path, config).name for path in source.paths] or ["utf-8"]
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


def _beginning(text: str, start: int) -> str:
    """Of the document that begins there."""
    shown = text[start : start + EXAMPLE_CHARACTERS + 1].partition(segment.BREAK)[0]
    return shown if len(shown) <= EXAMPLE_CHARACTERS else shown[:EXAMPLE_CHARACTERS] + "…"
