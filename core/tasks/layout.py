"""How a labelled text becomes a row of tokens: the special tokens of the family around it, cut to what the model can read."""

from __future__ import annotations

from core.families.family import Family, InputForm
from core.tasks.task import Part
from core.text.tokenizers import UNK, Encoding, Tokenizer

LEAST_TOKENS = 8  # of a text that are kept when it shares a row with a longer one


class Layout:
    """family: whose InputForm is followed, unless form is another. limit: the longest row in tokens. orders: 2 where a pair is read in both orders.

    stride: tokens that two windows over a long passage share. vocab_size: with the form's new tokens.
    """

    def __init__(self, family: Family, tokenizer: Tokenizer, *, limit: int, orders: int = 1, stride: int = 32,
                 form: InputForm | None = None) -> None:
        self.form, self.tokenizer, self.limit, self.orders, self.stride = form or family.form, tokenizer, limit, orders, stride
        self._new = {name: tokenizer.vocab_size + index for index, name in enumerate(self.form.new_tokens)}
        self.vocab_size = tokenizer.vocab_size + len(self._new)
        self.apart = not self.form.pair  # two texts are two rows
        self._encoded: dict[str, Encoding] = {}  # the choices of a question share its passage

    def token(self, index: int) -> str:
        """A token as people read it, the form's own among them."""
        known = self.tokenizer.vocab_size
        return self.tokenizer.token(index) if index < known else self.form.new_tokens[index - known]

    def encode(self, text: str) -> Encoding:
        if text not in self._encoded:
            if len(self._encoded) > 64:
                self._encoded.clear()
            self._encoded[text] = self.tokenizer.encode(text)
        return self._encoded[text]

    def single(self, text: str, source: int = 0) -> Part:
        """One text, cut at its end where it is too long."""
        return self.row(self.form.single, {"A": (self.encode(text), source, 0, None)})

    def windows(self, text: str, source: int = 0, stride: int = 0) -> list[Part]:
        """One text in as many rows as it needs; neighbours share `stride` tokens."""
        room = self.limit - len(self.form.single) + 1
        encoding = self.encode(text)
        return [self.row(self.form.single, {"A": (encoding, source, begin, begin + room)})
                for begin in window_starts(len(encoding.ids), room, stride)]

    def pair(self, first: str, second: str, sources: tuple[int, int] = (0, 1)) -> Part:
        """Two texts in one row; of two that do not fit, the longer one is cut at its end until they do (Devlin et al. 2019)."""
        one, two = self.encode(first), self.encode(second)
        room = self.limit - len(self.form.pair) + 2
        kept_two = max(min(len(two.ids), room // 2), room - len(one.ids))
        kept_one = room - min(kept_two, len(two.ids))
        return self.row(self.form.pair, {"A": (one, sources[0], 0, kept_one), "B": (two, sources[1], 0, kept_two)})

    def pair_windows(self, first: str, second: str, sources: tuple[int, int]) -> list[Part]:
        """Two texts, the second in as many rows as it needs, each with the first (at most half a row of it)."""
        one, two = self.encode(first), self.encode(second)
        room = self.limit - len(self.form.pair) + 2
        kept = min(len(one.ids), max(LEAST_TOKENS, room // 2))
        left = max(1, room - kept)
        return [self.row(self.form.pair, {"A": (one, sources[0], 0, kept), "B": (two, sources[1], begin, begin + left)})
                for begin in window_starts(len(two.ids), left, min(self.stride, left // 2))]

    def row(self, pattern: tuple[str, ...], texts: dict[str, tuple[Encoding, int, int, int | None]]) -> Part:
        """pattern: special tokens and keys of texts: (encoding, number of the text, first token, end)."""
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        sources: list[int] = []
        segments: list[int] = []
        cut, segment = 0, 0
        room = self.limit - len(pattern) + len(texts)
        for name in pattern:
            if name in texts:
                encoding, source, begin, end = texts[name]
                end = min(len(encoding.ids), begin + room if end is None else end)
                segment = int(self.form.segments and name == "B")
                ids += encoding.ids[begin:end]
                offsets += encoding.offsets[begin:end]
                sources += [source] * (end - begin)
                segments += [segment] * (end - begin)
                cut += len(encoding.ids) - (end - begin)
            else:
                ids.append(self._new[name] if name in self._new else self.tokenizer.id(name))
                offsets.append((0, 0))
                sources.append(-1)
                segments.append(segment)
        if not ids:  # a text of no token, with nothing around it
            ids, offsets, sources, segments = [UNK], [(0, 0)], [-1], [0]
        return Part(ids=tuple(ids), offsets=tuple(offsets), sources=tuple(sources), segments=tuple(segments), cut=cut)


def window_starts(length: int, width: int, stride: int) -> list[int]:
    """Where windows of `width` begin that cover 0 to length, neighbours sharing `stride`; one at least."""
    step = max(1, width - stride)
    return list(range(0, max(1, length - stride), step)) if length > width else [0]
