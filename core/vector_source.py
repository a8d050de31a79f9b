"""What vectors are looked at: a run's vocabulary, every occurrence of words in its text, or a file of word vectors. Imports nothing heavy."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from core.errors import UserError
from core.i18n import tr

VOCABULARY, OCCURRENCES, FILE = "vocabulary", "occurrences", "file"
COSINE, EUCLID = "cosine", "euclid"


@dataclass(frozen=True, kw_only=True)
class VectorSource:
    """kind: "vocabulary" (one vector a token, without context), "occurrences" (of `words`, one vector each time one stands in the
    run's text, in `layer`), or "file". path: the run's folder or the file. step: of a checkpoint, -1 for the newest.

    layer: 0 is the embedding layer, -1 the last.
    """

    kind: str
    path: str
    words: tuple[str, ...] = ()
    layer: int = -1
    step: int = -1

    def __post_init__(self) -> None:
        if self.kind not in (VOCABULARY, OCCURRENCES, FILE):
            raise UserError(tr("There is no '{name}' here.", name=self.kind), "")
        if self.kind == OCCURRENCES and not self.words:
            raise UserError(tr("No word was given."), tr("Write the words, with commas between them."), where="words")

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> VectorSource | None:
        """None where the text is not what `to_json` wrote."""
        try:
            raw = json.loads(text)
            return cls(**{**raw, "words": tuple(map(str, raw.get("words", ())))})
        except (ValueError, TypeError, AttributeError, UserError):
            return None
