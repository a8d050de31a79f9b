"""The vocabulary of a Hugging Face folder as a tokenizer of ours.

Our seven special tokens have the ids 0 to 6 everywhere. So the rows of a model from elsewhere are put into another order: first the
special ones, then all others in the order they had. A special token that the model lacks gets a row of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.exchange.huggingface.safe_weights import LARGEST_JSON, read_json
from core.i18n import tr
from core.text.tokenizers import BOS, CLS, EOS, MASK, PAD, SEP, SPECIALS, UNK, Tokenizer
from core.text.tokenizers.bpe import bpe_tokenizer
from core.text.tokenizers.inner import inner_from
from core.text.tokenizers.wordpiece import wordpiece_tokenizer

NEW = -1
# the name of a role in tokenizer_config.json, and how models call such a token that do not say it
_ROLES = {
    PAD: ("pad_token", ("[PAD]", "<pad>")), UNK: ("unk_token", ("[UNK]", "<unk>")), CLS: ("cls_token", ("[CLS]",)), SEP: ("sep_token", ("[SEP]",)),
    MASK: ("mask_token", ("[MASK]", "<mask>")), BOS: ("bos_token", ("[BOS]", "<s>", "<|endoftext|>")),
    EOS: ("eos_token", ("[EOS]", "</s>", "<|endoftext|>")),
}
# where a model uses one token in several roles, the first of these is the one that it is
_ORDER = {"bert": (CLS, SEP, MASK, PAD, UNK, BOS, EOS), "gpt": (EOS, BOS, UNK, PAD, CLS, SEP, MASK)}


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """rows: for each of our ids the row it had in the model; NEW for a token that the model lacks.

    twins: for some of those the row of a token that does the same (GPT-2's <|endoftext|> also begins a text). notes: for a person.
    """

    tokenizer: Tokenizer
    rows: list[int]
    twins: dict[int, int]
    notes: tuple[str, ...]


def read_tokenizer(folder: Path, family: str, rows: int) -> Foreign:
    """rows: how many embeddings the model has. UserError for a tokenizer of another kind, or one that does not fit the model."""
    settings = read_json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    if (folder / "special_tokens_map.json").is_file():
        settings = {**read_json(folder / "special_tokens_map.json"), **settings}
    raw = _raw(folder, settings)
    vocabulary = dict(raw["model"]["vocab"])
    added = [item for item in raw.get("added_tokens") or [] if isinstance(item, dict)]
    for item in added:
        if isinstance(item.get("content"), str):
            vocabulary.setdefault(item["content"], item.get("id"))
    _check_ids(vocabulary, rows)
    by_id = {number: token for token, number in vocabulary.items()}
    roles = _roles(settings, vocabulary, family)
    order = [roles.get(role, NEW) for role in range(len(SPECIALS))]
    twins = {}
    for role in range(len(SPECIALS)):  # a token in two roles is one row: the second role gets a row of its own
        first = next(other for other in _ORDER[family] if order[other] == order[role])
        if order[role] != NEW and first != role:
            twins[role] = order[role]
    order = [NEW if role in twins else number for role, number in enumerate(order)]
    special = set(order)
    others = [number for number in range(rows) if number not in special]
    names = _names(others, by_id)
    renamed = {by_id[number]: SPECIALS[role] for role, number in enumerate(order) if number != NEW}
    model = {**raw["model"], "vocab": {token: number for number, token in enumerate([*SPECIALS, *names])}}
    if isinstance(model.get("unk_token"), str):
        model["unk_token"] = renamed.get(model["unk_token"], model["unk_token"])
    notes = []
    if beyond := [item["content"] for item in added if isinstance(item.get("content"), str)
              and item["content"] not in renamed and not item["content"].startswith("[unused")]:
        notes.append(tr("Its own added tokens ({names}) are not looked for in texts.", names=", ".join(beyond[:4])))
    return Foreign(tokenizer=_made(raw, model), rows=[*order, *others], twins=twins, notes=tuple(notes))


def _made(raw: dict[str, Any], model: dict[str, Any]) -> Tokenizer:
    ours = bpe_tokenizer if model["type"] == "BPE" else wordpiece_tokenizer
    try:
        inner = inner_from({**raw, "model": model})
    except ValueError as error:
        raise UserError(tr("Its tokenizer has a part that is not opened: {part}.", part=str(error)[:120]), tr("Choose another model.")) from error
    return ours(inner, lowercase=_lowercase(raw.get("normalizer")))


def _raw(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """What stands in tokenizer.json, or would stand there."""
    if (folder / "tokenizer.json").is_file():
        raw = read_json(folder / "tokenizer.json")
    elif (folder / "vocab.txt").is_file():
        raw = _from_vocab_txt(folder / "vocab.txt", settings)
    elif (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        raw = _from_merges(folder, settings)
    else:
        raise UserError(tr("{folder} holds no vocabulary.", folder=folder), tr("It needs tokenizer.json, vocab.txt, or vocab.json with merges.txt."))
    model = raw.get("model")
    kind = model.get("type") if isinstance(model, dict) else None
    if kind is None and isinstance(model, dict):
        kind = "BPE" if "merges" in model else "WordPiece" if "continuing_subword_prefix" in model else None
    if kind not in ("WordPiece", "BPE"):
        raise UserError(tr("Its tokenizer is of the kind {kind}; WordPiece and byte-level BPE can be opened.", kind=repr(kind)[:40]),
                        tr("Choose another model."))
    model["type"] = kind
    if not isinstance(model.get("vocab"), dict) or not isinstance(raw.get("added_tokens") or [], list):
        raise UserError(tr("Its vocabulary is damaged."), tr("Fetch the file again."))
    unusual = {name: model.get(name) for name in ("dropout", "end_of_word_suffix", "byte_fallback") if model.get(name)}
    if kind == "WordPiece" and model.get("continuing_subword_prefix", "##") != "##":
        unusual["continuing_subword_prefix"] = model["continuing_subword_prefix"]
    if kind == "BPE" and model.get("continuing_subword_prefix"):
        unusual["continuing_subword_prefix"] = model["continuing_subword_prefix"]
    if kind == "BPE" and "ByteLevel" not in str(raw.get("pre_tokenizer")):
        unusual["pre_tokenizer"] = tr("not byte-level")
    if unusual:
        name, value = next(iter(unusual.items()))
        raise UserError(tr("Its tokenizer has {name} = {value}, which ours do not have.", name=name, value=repr(value)[:40]),
                        tr("Choose another model."))
    return raw


def _from_vocab_txt(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """BERT's: WordPiece, a token a line."""
    lowercase = settings.get("do_lower_case", True) is not False
    accents = settings.get("strip_accents")
    normalizer = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": settings.get("tokenize_chinese_chars", True) is not False,
                  "strip_accents": accents if isinstance(accents, bool) else None, "lowercase": lowercase}
    tokens = _read(path).removesuffix("\n").split("\n")
    return {"normalizer": normalizer, "pre_tokenizer": {"type": "BertPreTokenizer"},
            "model": {"type": "WordPiece", "unk_token": _content(settings.get("unk_token")) or "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100, "vocab": {token.removesuffix("\r"): number for number, token in enumerate(tokens)}}}


def _from_merges(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """GPT-2's: byte-pair encoding over bytes."""
    lines = _read(folder / "merges.txt").split("\n")
    merges = [line.removesuffix("\r").split(" ") for line in lines if line.strip() and not line.startswith("#version")]
    space = settings.get("add_prefix_space", False) is True
    return {"normalizer": None, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": space, "trim_offsets": True, "use_regex": True},
            "model": {"type": "BPE", "vocab": read_json(folder / "vocab.json"), "merges": merges}}


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise UserError(tr("{path} is larger than {size} MB.", path=path.name, size=LARGEST_JSON >> 20), tr("Choose another folder."))
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(tr("Its vocabulary is damaged."), tr("Fetch the file again.")) from error


def _check_ids(vocabulary: dict[str, Any], rows: int) -> None:
    numbers = list(vocabulary.values())
    if not numbers or not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers) or len(set(numbers)) != len(numbers):
        raise UserError(tr("Its vocabulary is damaged."), tr("Fetch the file again."))
    if min(numbers) < 0 or max(numbers) >= rows:
        raise UserError(tr("The vocabulary has the id {id}, but the model has {rows} embeddings.", id=max(numbers), rows=rows),
                        tr("Take vocabulary and weights from the same model."))


def _roles(settings: dict[str, Any], vocabulary: dict[str, int], family: str) -> dict[int, int]:
    """Which token of the model has which role: special token -> its id there."""
    found = {}
    for role, (key, usual) in _ROLES.items():
        if family == "bert" and role in (BOS, EOS):
            usual = usual[:1]
        names = (*((SPECIALS[role],) if SPECIALS[role] in vocabulary else ()), _content(settings.get(key)), *usual)
        if family == "bert" and role in (CLS, SEP):
            names = (*names, "<s>" if role == CLS else "</s>")
        number = next((vocabulary[name] for name in names if name and name in vocabulary), None)
        if number is not None:
            found[role] = number
    return found


def _content(token: Any) -> str:
    token = token.get("content") if isinstance(token, dict) else token
    return token if isinstance(token, str) else ""


def _names(numbers: list[int], by_id: dict[int, str]) -> list[str]:
    """The tokens of these rows; a row without one, or one named like a special token of ours, gets a name that no text holds."""
    taken, made = {*SPECIALS, *by_id.values()}, []
    for number in numbers:
        token = by_id.get(number, "")
        if not token or token in SPECIALS:
            token = f"[row:{number}]"
            while token in taken:
                token += "'"
        taken.add(token)
        made.append(token)
    return made


def _lowercase(normalizer: Any) -> bool:
    if not isinstance(normalizer, dict):
        return False
    if normalizer.get("type") == "Sequence":
        return any(map(_lowercase, normalizer.get("normalizers") or []))
    return normalizer.get("type") == "Lowercase" or (normalizer.get("type") == "BertNormalizer" and bool(normalizer.get("lowercase")))
