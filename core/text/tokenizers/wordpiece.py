"""WordPiece (Schuster and Nakajima 2012) as BERT has it: every Chinese character stands alone, other words are cut into pieces, of
which all but the first begin with ##."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers import Tokenizer as Inner
from tokenizers import models, normalizers, pre_tokenizers, trainers

from core.config import TextConfig
from core.text import segment
from core.text.tokenizers import SPECIALS, Kind, too_rare
from core.text.tokenizers.subword import SubwordTokenizer, clean_texts, saved_inner

GOES_ON = "##"
LONGEST_WORD = 100  # characters; a longer one is [UNK]
_CHINESE_RUN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


def wordpiece_tokenizer(inner: Inner, *, lowercase: bool, watched: Sequence[str] = ()) -> SubwordTokenizer:
    return SubwordTokenizer("wordpiece", inner, _readable, _join, lowercase=lowercase, watched=watched)


def train(config: TextConfig, texts: Iterable[str]) -> SubwordTokenizer:
    """The texts are held in memory: the alphabet is counted here first, since the library orders it by chance, and with it the
    ids and the choice between equally frequent pieces."""
    held = list(clean_texts(texts))
    normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=False,
                                            lowercase=config.lowercase)
    splitter = pre_tokenizers.BertPreTokenizer()
    counted: Counter[str] = Counter()
    others: set[str] = set()
    for text in held:
        counted.update(text.lower() if config.lowercase else text)
        others.update(_CHINESE_RUN.sub(" ", text).split())
    inside = {c for other in others for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(other)) for c in word[1:]}
    alphabet, going_on = _alphabet(config, counted, inside)
    inner = Inner(models.WordPiece(unk_token="[UNK]"))
    inner.normalizer, inner.pre_tokenizer = normalizer, splitter
    inner.train_from_iterator(held, trainers.WordPieceTrainer(
        vocab_size=config.vocab_size, min_frequency=config.min_count, special_tokens=[*SPECIALS, *going_on], show_progress=False,
        initial_alphabet=alphabet, limit_alphabet=len(alphabet), continuing_subword_prefix=GOES_ON))
    made = Inner(models.WordPiece(inner.get_vocab(), unk_token="[UNK]", max_input_chars_per_word=LONGEST_WORD))
    made.normalizer, made.pre_tokenizer = normalizer, splitter  # all but the special tokens, which would be cut out of any text
    return wordpiece_tokenizer(made, lowercase=config.lowercase, watched=config.watched)


def _alphabet(config: TextConfig, counted: Counter[str], inside: set[str]) -> tuple[list[str], list[str]]:
    """The most frequent characters, and those of them that also go on a word, as such pieces.

    counted: character -> how often it occurs. inside: those that stand within a word.
    """
    letters = [c for c in counted if counted[c] >= config.min_count and segment.kinds()[ord(c)] != segment.SPACE]
    letters.sort(key=lambda c: (-counted[c], c))
    if not letters:
        raise too_rare(config)
    # An eighth is kept free for longer pieces: where there are many characters, the rare ones must make way.
    room = config.vocab_size - len(SPECIALS)
    budget, alphabet, going_on = room - room // 8, [], []
    for letter in letters:
        budget -= 1 + (letter in inside)
        if budget >= 0:
            alphabet.append(letter)
            going_on += [GOES_ON + letter] if letter in inside else []
    return alphabet, going_on


def load(raw: dict[str, Any], lowercase: bool, watched: tuple[str, ...]) -> SubwordTokenizer:
    return wordpiece_tokenizer(saved_inner(raw), lowercase=lowercase, watched=watched)


KIND = Kind(train=train, load=load, sample=True)


def _readable(token: str) -> str:
    return token.removeprefix(GOES_ON)


def _join(tokens: Sequence[str]) -> str:
    words: list[str] = []
    for token in tokens:
        if token.startswith(GOES_ON) and words:
            words[-1] += token.removeprefix(GOES_ON)
        else:
            words.append(token.removeprefix(GOES_ON))
    return segment.running_text(words)
