"""Byte-pair encoding (Sennrich et al. 2016) over bytes as its alphabet (Radford et al. 2019): any text can be written with it, so
nothing is ever [UNK]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers import Regex, models, normalizers, pre_tokenizers, trainers
from tokenizers import Tokenizer as Inner

from core.config import TextConfig
from core.errors import UserError
from core.i18n import tr
from core.text import segment
from core.text.tokenizers import SPECIALS, Kind
from core.text.tokenizers.subword import SubwordTokenizer, clean_texts, saved_inner

BYTES = 256
LONGEST_TOKEN = 32  # signs, one for each byte


def bpe_tokenizer(inner: Inner, *, lowercase: bool, watched: Sequence[str] = ()) -> SubwordTokenizer:
    return SubwordTokenizer("bpe", inner, _readable, _join, lowercase=lowercase, watched=watched)


def train(config: TextConfig, texts: Iterable[str]) -> SubwordTokenizer:
    if config.vocab_size < BYTES + len(SPECIALS):
        raise UserError(
            tr("vocab_size is {size}, too small for byte-pair encoding.", size=config.vocab_size),
            tr("It must be at least {least}: one token for each byte and the special ones.", least=BYTES + len(SPECIALS)),
            where="vocab_size")
    inner = Inner(models.BPE())
    if config.lowercase:
        inner.normalizer = normalizers.Lowercase()
    by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    alone = _alone(config.watched, config.lowercase)
    inner.pre_tokenizer = (pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(alone), "isolated"), by_bytes])
                           if alone else by_bytes)
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size, min_frequency=config.min_count, special_tokens=list(SPECIALS), show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), max_token_length=LONGEST_TOKEN)
    inner.train_from_iterator(clean_texts(texts), trainer)
    return bpe_tokenizer(inner, lowercase=config.lowercase, watched=config.watched)


def load(raw: dict[str, Any], lowercase: bool, watched: tuple[str, ...]) -> SubwordTokenizer:
    patterns = {_alone(watched, lowercase), _alone(watched, False)}  # older files heed capitals where there are none
    return bpe_tokenizer(saved_inner(raw, patterns - {""}), lowercase=lowercase, watched=watched)


KIND = Kind(train=train, load=load, sample=True)


def _alone(watched: Sequence[str], lowercase: bool) -> str:
    """The regular expression of the watched words that must not be joined to others; "" if there is none. It meets a text in small letters."""
    alone = "|".join(segment.word_pattern(word) for word in sorted(watched, key=lambda word: (-len(word), word))
                     if segment.chinese()[segment.points(word)].any())  # other words stand between spaces anyway
    return f"(?i:{alone})" if lowercase and alone else alone


def _byte_signs() -> dict[str, int]:
    """The sign that byte-level BPE writes for each byte (Radford et al. 2019): the printable ones stand for themselves."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(BYTES) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(BYTES + index): byte for index, byte in enumerate(others)}


_BYTE_OF = _byte_signs()


def _bytes_of(token: str) -> bytes:
    """A token that is not made of such signs, as some models from elsewhere have them, stands for itself."""
    try:
        return bytes(_BYTE_OF[sign] for sign in token)
    except KeyError:
        return token.encode(errors="ignore")


def _readable(token: str) -> str:
    data = _bytes_of(token)
    try:
        return data.decode().replace("\ufffd", "")
    except UnicodeDecodeError:  # a part of a character: its bytes are all there is to show
        return f"<{data.hex(' ').upper()}>"


def _join(tokens: Sequence[str]) -> str:
    return b"".join(map(_bytes_of, tokens)).decode(errors="ignore").replace("\ufffd", "")
