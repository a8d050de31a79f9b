"""How a model reads a sentence, or a pair of them: its tokens and words with their places, and the attention over them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import torch

from core.analysis.encode import Loaded
from core.errors import UserError
from core.families.family import Family
from core.i18n import tr
from core.text import segment
from core.text.tokenizers import BOS, CLS, SEP, UNK, Tokenizer

WORDS, TOKENS = "words", "tokens"
KEPT_BYTES = 400 << 20  # of attention weights, so that another head of the same sentence is there at once
MOST_CHARACTERS = 200  # for each token that the model can read: what lies beyond is cut off before it is tokenized


@dataclass(frozen=True, kw_only=True)
class Reading:
    """ids, types: the model's input; types say which sentence a token is of. unit_starts: the first token of each unit.

    Of each unit (a word or a token): labels; special, unknown: bool; sentence: 0 or 1; spans: (start, end) in its sentence's text,
    (0, 0) for special ones. cut: tokens that the model cannot read any more. paired: whether the model itself tells two sentences apart.
    """

    ids: tuple[int, ...]
    types: tuple[int, ...]
    unit_starts: np.ndarray
    labels: tuple[str, ...]
    special: np.ndarray
    unknown: np.ndarray
    sentence: np.ndarray
    spans: tuple[tuple[int, int], ...]
    cut: int
    paired: bool

    def tokens_of(self, unit: int) -> range:
        """The places of a unit's tokens."""
        end = self.unit_starts[unit + 1] if unit + 1 < len(self.unit_starts) else len(self.ids)
        return range(int(self.unit_starts[unit]), int(end))


def read(made: Family, tokenizer: Tokenizer, limit: int, text: str, pair: str = "", units: str = WORDS) -> Reading:
    """How a model of that family, which reads `limit` tokens, reads the sentence; pair: a second one. UserError where there is none.

    A family that ends a text with [SEP] reads [CLS] A [SEP] B [SEP]; another reads B right after A.
    """
    if not text.strip():
        raise UserError(tr("There is no sentence yet."), tr("Type one above, or choose one at the right."), where="text")
    sentences = [text, pair] if pair.strip() else [text]
    prefix, suffix = ([tokenizer.id(token) for token in tokens] for tokens in (made.prefix, made.suffix))
    encoded = [_encode(tokenizer, sentence, limit) for sentence in sentences]
    cut = sum(dropped for _, dropped in encoded)
    pieces = [list(tokens) for tokens, _ in encoded]
    room = max(limit - len(prefix) - len(suffix) * len(pieces), 0)
    while sum(map(len, pieces)) > room:  # the longer one gives way
        longest = max(pieces, key=len)
        over = sum(map(len, pieces)) - room
        drop = min(over, max(len(longest) - min(map(len, pieces)), 1)) if len(pieces) > 1 else over
        del longest[len(longest) - drop:]
        cut += drop
    ids, types, units_made = list(prefix), [0] * len(prefix), [_special(tokenizer.token(token), place, 0) for place, token in enumerate(prefix)]
    for number, (sentence, tokens) in enumerate(zip(sentences, pieces, strict=True)):
        units_made += _units(sentence, tokens, len(ids), number, tokenizer.watched, units)
        ids += [token for token, _, _ in tokens]
        units_made += [_special(tokenizer.token(token), len(ids) + place, number) for place, token in enumerate(suffix)]
        ids += suffix
        types += [number] * (len(ids) - len(types))
    return Reading(ids=tuple(ids), types=tuple(types), cut=cut, paired=bool(suffix) and len(pieces) > 1,
                   unit_starts=np.array([unit[0] for unit in units_made]), labels=tuple(unit[1] for unit in units_made),
                   special=np.array([unit[2] for unit in units_made]), unknown=np.array([unit[3] for unit in units_made]),
                   sentence=np.array([unit[4] for unit in units_made]), spans=tuple(unit[5] for unit in units_made))


def columns(reading: Reading) -> dict[str, np.ndarray]:
    """The special tokens whose share is worth a column: "first" for [CLS] or [BOS], "sep" for [SEP]. bool (units) each."""
    ids = np.array(reading.ids)[reading.unit_starts]
    return {"first": reading.special & np.isin(ids, (CLS, BOS)), "sep": reading.special & (ids == SEP)}


class _Kept:
    """The attention of the sentences that were read last, as many as fit into KEPT_BYTES."""

    def __init__(self) -> None:
        self._items: OrderedDict[tuple, list[np.ndarray]] = OrderedDict()

    def get(self, key: tuple) -> list[np.ndarray] | None:
        found = self._items.get(key)
        if found is not None:
            self._items.move_to_end(key)
        return found

    def put(self, key: tuple, layers: list[np.ndarray]) -> None:
        self._items[key] = layers
        while len(self._items) > 1 and sum(layer.nbytes for kept in self._items.values() for layer in kept) > KEPT_BYTES:
            self._items.popitem(last=False)


_kept = _Kept()


@torch.no_grad()
def attention(loaded: Loaded, reading: Reading) -> list[np.ndarray]:
    """The weights of each layer, from the first: (heads, tokens, tokens) float32. UserError where an ONNX model has no such output."""
    key = (str(loaded.run.path), loaded.step, id(loaded), reading.ids, reading.types)
    found = _kept.get(key)
    if found is None:
        output = loaded.encoder(torch.tensor([reading.ids]), token_type_ids=token_types(reading), output_attentions=True)
        if output.attentions is None:
            raise UserError(tr("The ONNX model {name} does not give its attention.", name=loaded.run.name), tr("Choose another run."))
        found = [layer[0].float().numpy() for layer in output.attentions]
        _kept.put(key, found)
    return found


def token_types(reading: Reading) -> torch.Tensor | None:
    """(1, tokens); None where everything is sentence A, or the model knows no sentences."""
    return torch.tensor([reading.types]) if reading.paired else None


def _encode(tokenizer: Tokenizer, sentence: str, limit: int) -> tuple[list[tuple[int, int, int]], int]:
    """(id, start, end) of each token that the model may read, and how many characters of the text were not even looked at."""
    most = MOST_CHARACTERS * limit
    encoded = tokenizer.encode(sentence[:most], specials=True)
    return [(token, *offsets) for token, offsets in zip(encoded.ids, encoded.offsets, strict=True)], max(len(sentence) - most, 0)


def _units(sentence: str, tokens: list[tuple[int, int, int]], first: int, number: int, watched: tuple[str, ...], units: str) -> list[tuple]:
    """A unit is (place of its first token, label, special, unknown, sentence, span). A token belongs to the word of its last character."""
    if not tokens:
        return []
    ends = np.array([end for _, _, end in tokens])
    if units == WORDS:
        covered = sentence[:int(ends.max())]
        starts, _ = segment.word_spans(segment.clean(covered), watched)
        word = np.maximum.accumulate(np.searchsorted(starts, ends - 1, side="right"))
        begins = np.flatnonzero(np.diff(word, prepend=-1))
    else:
        begins = np.arange(len(tokens))
    made, last = [], 0
    for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), len(tokens)], strict=True):
        stop = tokens[end - 1][2]
        start = last if tokens[begin][1] < last < stop else tokens[begin][1]  # a token of bytes may begin inside the character before
        span, last = (start, stop), stop
        label = sentence[slice(*span)].strip() or "␣"
        made.append((first + begin, label, False, any(token == UNK for token, _, _ in tokens[begin:end]), number, span))
    return made


def _special(token: str, place: int, number: int) -> tuple:
    return (place, token, True, False, number, (0, 0))
