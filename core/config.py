"""What a run is: frozen dataclasses that are written to config.json and give the same run wherever they are read.

Every option has one sentence of help, and bounds or choices where it has them, in its field's metadata: the form of the
window and the help of the command line are made from these. This module imports no torch.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import subprocess
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from core.errors import UserError
from core.i18n import tr
from core.registry import SHOWN, TOKENIZERS, family, nearest
from core.registry import load as load_place

FORMAT = 1  # of a run's folder; a reader refuses a greater one
LARGEST_NUMBER = 1e15  # that an option may be
LARGEST_FILE = 4 << 20  # bytes of a config.json


def option(default: Any = MISSING, help: str = "", *, min: float | None = None, max: float | None = None,
           choices: tuple[str, ...] = (), advanced: bool = False, hidden: bool = False) -> Any:
    """A dataclass field with what a form needs to know about it. min and max are inclusive."""
    metadata = {"help": help, "min": min, "max": max, "choices": choices, "advanced": advanced, "hidden": hidden}
    return field(default=default, metadata=metadata)


@lru_cache
def field_types(kind: type) -> dict[str, Any]:
    """Name -> type of a config dataclass's fields. Python resolves them anew each time, which is most of the work of reading a config.json."""
    return get_type_hints(kind)


def check(config: Any) -> None:
    """Compare every field of a config dataclass with its type, bounds and choices. UserError names the field."""
    hints = field_types(type(config))
    for item in dataclasses.fields(config):
        value, rule = getattr(config, item.name), item.metadata
        _check_type(item.name, value, hints[item.name])
        if rule.get("choices") and value not in rule["choices"]:
            raise UserError(tr("{name} cannot be '{value}'.", name=item.name, value=str(value)[:SHOWN]),
                            nearest(str(value), rule["choices"]), where=item.name)
        for bound, wrong in (("min", lambda low, v: v < low), ("max", lambda high, v: v > high)):
            limit = rule.get(bound)
            if limit is not None and isinstance(value, (int, float)) and wrong(limit, value):
                words = tr("at least") if bound == "min" else tr("at most")
                raise UserError(tr("{name} is {value}.", name=item.name, value=value),
                                tr("It must be {words} {limit}.", words=words, limit=limit), where=item.name)


def _check_type(name: str, value: Any, hint: Any) -> None:
    if dataclasses.is_dataclass(hint) or hint is Any or get_origin(hint) in (types.UnionType, typing.Union):
        return
    if get_origin(hint) is tuple:
        fits, hint = isinstance(value, tuple) and all(isinstance(item, str) for item in value), str
    else:
        fits = isinstance(value, (int, float)) if hint is float else isinstance(value, hint)
    endless = isinstance(value, (int, float)) and not -LARGEST_NUMBER < value < LARGEST_NUMBER
    if not fits or (isinstance(value, bool) and hint is not bool) or endless:
        raise UserError(tr("{name} cannot be '{value}'.", name=name, value=str(value)[:SHOWN]),
                        tr("It must be {kind}.", kind=kind_words(hint)), where=name)


def kind_words(hint: Any) -> str:
    kinds = {bool: tr("true or false"), int: tr("a whole number"), float: tr("a number"), str: tr("text")}
    return kinds.get(hint, str(hint))


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """What the model reads, and how it is cut into tokens."""

    files: tuple[str, ...] = option((), "Files and folders with the text; none means the built-in text.")
    corpus: str = option("zh", "The built-in text that is read when no files are given.", choices=("zh", "en"))
    columns: tuple[str, ...] = option((), "Columns (csv, tsv) or keys (jsonl) that hold the text; each file uses the one it has.")
    encoding: str = option("auto", "Character encoding of the files; auto recognises it for each file.",
                           choices=("auto", "utf-8", "gb18030", "big5", "utf-16", "latin-1"))
    documents: str = option("line", "What one document of a txt file is: a line, or a paragraph between blank lines.",
                            choices=("line", "paragraph"))
    tokenizer: str = option("auto", "How text is cut: characters, words, words with rare Chinese ones by their characters, byte-pair encoding "
                                    "or WordPiece; auto takes characters for text without spaces between words, such as Chinese, else WordPiece. "
                                    "Presets that want words (word2vec's, the quick ELMo's) have them, unless something else is chosen.",
                            choices=("auto", *TOKENIZERS))
    vocab_size: int = option(8000, "The most tokens that the vocabulary may hold.", min=10, max=1_000_000)
    min_count: int = option(2, "Tokens that occur less often than this become [UNK].", min=1)
    lowercase: bool = option(True, "Read capital letters as small ones.")
    watched: tuple[str, ...] = option((), "Words that are always cut out of longer ones, such as 苹果 out of 苹果公司.")
    valid_percent: float = option(2.0, "Share of the documents kept for validation, in percent.", min=0.1, max=50)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How long, how fast and where a model learns."""

    steps: int = option(0, "Stop after this many steps; 0 means no such limit.", min=0)
    epochs: float = option(0.0, "Stop after reading the text this many times; 0 means no such limit.", min=0)
    minutes: float = option(0.0, "Stop after training for this many minutes; 0 means no such limit.", min=0)
    batch_size: int = option(32, "Sequences in one step, over all devices.", min=1)
    micro_batch_size: int = option(0, "Sequences computed at once; a step adds up several. 0 means the whole batch.", min=0)
    seq_len: int = option(64, "Tokens in one sequence.", min=4, max=65536)
    optimizer: str = option("adamw", "AdamW for all, or Muon for the hidden matrices with AdamW for the rest.",
                            choices=("adamw", "muon"))
    learning_rate: float = option(1e-3, "Peak learning rate of AdamW.", min=0)
    muon_learning_rate: float = option(0.02, "Peak learning rate of Muon.", min=0)
    weight_decay: float = option(0.01, "Weight decay of the matrices.", min=0, max=1)
    schedule: str = option("linear", "How the learning rate falls after the warm-up.", choices=("linear", "cosine", "constant"))
    warmup: float = option(0.05, "Share of the run in which the learning rate rises.", min=0, max=1)
    grad_clip: float = option(1.0, "Largest norm of the gradient; 0 means no clipping.", min=0)
    patience: int = option(0, "Stop when this many validations in a row bring nothing better (in the loss; of a finetune in the task's figure); "
                              "0 means never.", min=0)
    evals: int = option(10, "Validations in a run.", min=1, advanced=True)
    eval_batches: int = option(20, "Batches in one validation.", min=1, advanced=True)
    checkpoints: int = option(10, "Checkpoints in a run.", min=1, advanced=True)
    probes: int = option(40, "Probes of the watched word in a run.", min=0, advanced=True)
    device: str = option("auto", "Where to compute; auto takes the best there is.", choices=("auto", "cuda", "mps", "cpu"))
    precision: str = option("auto", "Number format on a GPU; auto takes bf16 where the GPU has it. A CPU always uses fp32.",
                            choices=("auto", "fp32", "bf16", "fp16"))
    threads: int = option(0, "CPU threads; 0 means all cores.", min=0, advanced=True)
    processes: int = option(1, "Processes that train together (torchrun); one for each GPU.", min=1, advanced=True)
    seed: int = option(0, "The same seed gives the same run.", min=0, advanced=True)

    def __post_init__(self) -> None:
        check(self)
        if not (self.steps or self.epochs or self.minutes):
            raise UserError(tr("The run has no end: steps, epochs and minutes are all 0."), tr("Set one of them."), where="minutes")
        if self.micro_batch_size > self.batch_size:
            raise UserError(
                tr("micro_batch_size is {micro}, greater than batch_size, which is {batch}.",
                   micro=self.micro_batch_size, batch=self.batch_size),
                tr("Make it smaller, or 0."), where="micro_batch_size")
        if self.batch_size % self.processes:
            raise UserError(
                tr("batch_size is {batch}, which {processes} processes cannot share evenly.",
                   batch=self.batch_size, processes=self.processes),
                tr("Make it a multiple of processes."), where="batch_size")


@dataclass(frozen=True, kw_only=True)
class WatchConfig:
    """The word whose senses are watched while the model learns."""

    word: str = option("", "The word to watch; empty means that of the built-in text, and of your own text none.")
    specimens: str = option("", "File of labelled sentences (tsv: word, sense, text); empty means the built-in ones.")
    sentence: str = option("", "A sentence whose attention is kept in every probe.", advanced=True)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One run. `model` and `objective` are the dataclasses that the family declares; `task`: the TaskConfig of a finetune, else None."""

    family: str
    preset: str
    name: str = ""
    text: TextConfig
    model: Any
    objective: Any
    train: TrainConfig
    watch: WatchConfig
    task: Any = None
    format: int = FORMAT

    def __post_init__(self) -> None:
        limit = getattr(self.model, "max_seq_len", None)
        if limit is not None and self.train.seq_len > limit:
            raise UserError(
                tr("seq_len is {seq_len}, greater than the model's max_seq_len, which is {limit}.",
                   seq_len=self.train.seq_len, limit=limit),
                tr("Make the sequences shorter or max_seq_len greater."), where="seq_len")

    @property
    def unused(self) -> frozenset[str]:
        """Options of `train` that nobody reads: those that the family's learner does without. A finetune's learner is that of all families."""
        return family(self.family).unused if self.task is None else frozenset()

    @property
    def processes(self) -> int:
        """That train together."""
        return 1 if "processes" in self.unused else self.train.processes

    @property
    def rows(self) -> int:
        """Sequences that each process computes at once."""
        share = self.train.batch_size // self.processes
        return min(self.train.micro_batch_size or share, share)

    @property
    def smaller_rows(self) -> int:
        """The micro_batch_size with which a run that ran out of memory may fit; 0 where it cannot be made smaller."""
        return 0 if "micro_batch_size" in self.unused else self.rows // 2


SECTIONS = ("text", "model", "objective", "train", "watch")
ENDS = ("train.steps", "train.epochs", "train.minutes")


TASK_CONFIG = "core.tasks.config:TaskConfig"


def section_types(family_name: str, *, finetune: bool = False) -> dict[str, type]:
    """The dataclass of each part of a RunConfig of that family; of a finetune with "task"."""
    made = family(family_name)
    types_ = {"text": TextConfig, "model": made.model_config, "objective": made.objective_config, "train": TrainConfig, "watch": WatchConfig}
    return {**types_, "task": load_place(TASK_CONFIG)} if finetune else types_


def build(family_name: str, preset: str = "quick", options: dict[str, Any] | None = None, name: str = "") -> RunConfig:
    """A RunConfig: the defaults, with the family's preset laid over them, and `options` over that.

    options: {"train.seq_len": 128, ...}; the part may be left out where the name is found in one part only. Text values, as
    the command line gives them, are read according to the field's type. An unknown name raises UserError with the nearest.
    Of steps, epochs and minutes, one that is given in options replaces the preset's.
    """
    made = family(family_name)
    if preset not in made.presets:
        raise UserError(tr("{family} has no preset '{preset}'.", family=family_name, preset=preset), nearest(preset, made.presets),
                        where="preset")
    types_ = section_types(family_name)
    parts: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    given = {resolve(family_name, key): value for key, value in (options or {}).items()}
    layers = dict(made.presets[preset])
    if names_end(given):
        layers = {key: value for key, value in layers.items() if key not in ENDS}
    for key, value in {**layers, **given}.items():
        section, _, option_name = key.partition(".")
        hint = field_types(types_[section])[option_name]
        parts[section][option_name] = parse(option_name, value, hint)
    built = {section: types_[section](**values) for section, values in parts.items()}
    return RunConfig(family=family_name, preset=preset, name=name, **built)


def names_end(given: Mapping[str, Any]) -> bool:
    """Whether one of steps, epochs and minutes is given: it takes the place of all three that were there. A 0 takes its own away alone.
    UserError for what is no number."""
    hints = field_types(TrainConfig)  # as numbers: text may write a 0 as 0.0
    names = {key: key.partition(".")[2] for key in given if key in ENDS}
    return any(parse(name, given[key], hints[name]) for key, name in names.items())


def ends_of(train: TrainConfig) -> dict[str, float]:
    """Dotted name -> value of steps, epochs and minutes."""
    return {key: getattr(train, key.partition(".")[2]) for key in ENDS}


def unsaid_ends(train: TrainConfig, usual: Mapping[str, Any]) -> dict[str, float]:
    """The ends that a command need not name: the usual ones; where one is another, 0 alone, since naming one takes the usual ones away."""
    ends = ends_of(train)
    return ends if all(value == usual.get(key, 0) for key, value in ends.items()) else dict.fromkeys(ENDS, 0)


def resolve(family_name: str, key: str, *, finetune: bool = False) -> str:
    """The dotted name of an option that may be given without its part."""
    kinds = section_types(family_name, finetune=finetune)
    known = {f"{section}.{item.name}" for section, kind in kinds.items() for item in dataclasses.fields(kind)}
    if key in known:
        return key
    found = [name for name in known if name.partition(".")[2] == key]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(tr("'{key}' stands for several options.", key=key), tr("Say which: {names}.", names=", ".join(sorted(found))),
                        where=key)
    short = {name.partition(".")[2] for name in known}
    raise UserError(tr("There is no option '{key}'.", key=key[:SHOWN]), nearest(key.rpartition(".")[2], short), where=key)


def parse(name: str, value: Any, hint: Any) -> Any:
    """`value` as the type `hint`; text is read as the command line means it ("true", "3e-4", "a,b")."""
    if get_origin(hint) is tuple:
        items = [part for part in value.split(",") if part] if isinstance(value, str) else value
        return tuple(items)
    if not isinstance(value, str) or hint is str:
        return value
    try:
        if hint is bool:
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[value.lower()]
        return hint(value)
    except (ValueError, KeyError) as error:
        raise UserError(tr("{name} cannot be '{value}'.", name=name, value=str(value)[:SHOWN]),
                        tr("It must be {kind}.", kind=kind_words(hint)), where=name) from error


def to_dict(config: Any) -> dict[str, Any]:
    return dataclasses.asdict(config)


def from_dict(raw: dict[str, Any]) -> RunConfig:
    """The RunConfig that `to_dict` wrote. UserError for an unknown key, which it names, or a newer format."""
    if not isinstance(raw, dict) or not isinstance(raw.get("format"), int):
        raise UserError(tr("This is not the config.json of a run."), tr("Choose a folder that a run has written."))
    if not all(isinstance(raw.get(key, ""), str) for key in ("family", "preset", "name")) \
            or not all(isinstance(raw.get(key) or {}, dict) for key in (*SECTIONS, "task")):
        raise UserError(tr("This is not the config.json of a run."), tr("Choose a folder that a run has written."))
    if raw["format"] > FORMAT:
        raise UserError(tr("The run has format {found}; this program reads up to {known}.", found=raw["format"], known=FORMAT),
                        tr("Open it with a newer version of Lexiscope."))
    finetune = raw.get("task") is not None
    types_ = section_types(raw.get("family", ""), finetune=finetune)
    top = {item.name for item in dataclasses.fields(RunConfig)}
    for key in raw:
        if key not in top:
            raise UserError(tr("There is no option '{key}'.", key=key[:SHOWN]), nearest(key, top), where=key)
    parts: dict[str, Any] = {}
    for section in types_:
        hints = field_types(types_[section])
        values = raw.get(section) or {}
        for key in values:
            if key not in hints:
                raise UserError(tr("There is no option '{key}'.", key=f"{section}.{key}"[:SHOWN]), nearest(key, hints), where=key)
        parts[section] = types_[section](**{key: parse(key, value, hints[key]) for key, value in values.items()})
    return RunConfig(family=raw["family"], preset=raw.get("preset", "quick"), name=raw.get("name", ""), **parts)


def load(path: Path) -> RunConfig:
    """Read a config.json. UserError if it is damaged."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(tr("It is far too large."))
        return from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise UserError(tr("{path} cannot be read as a run's settings: {reason}", path=path, reason=str(error)[:200]),
                        tr("Put a copy of the file back, or train the run again.")) from error


def spoken(option: str, value: str) -> list[str]:
    """An option and its value as arguments; what begins with a hyphen would be taken for an option itself."""
    return [f"{option}={value}"] if value.startswith("-") else [option, value]


def typed(arguments: Sequence[str]) -> str:
    """The line that a person types for them in this system's shell."""
    words = ["python", "main.py", *arguments]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def as_command(config: RunConfig) -> list[str]:
    """The arguments after `python main.py` that start the same run from the command line."""
    if config.task is not None:
        return load_place("core.tasks.config:as_command")(config)
    plain = build(config.family, config.preset)
    arguments = ["pretrain", config.family, "--preset", config.preset]
    for path in config.text.files:
        arguments += spoken("--corpus", path)
    for column in config.text.columns:
        arguments += spoken("--column", column)
    if config.watch.specimens:
        arguments += spoken("--watch", config.watch.specimens)
    if config.watch.word:
        arguments += spoken("--word", config.watch.word)
    said, ends = {"text.files", "text.columns", "watch.specimens", "watch.word"}, unsaid_ends(config.train, ends_of(plain.train))
    for section in SECTIONS:
        mine, default = getattr(config, section), getattr(plain, section)
        for item in dataclasses.fields(mine):
            key, value = f"{section}.{item.name}", getattr(mine, item.name)
            if key not in said and value != ends.get(key, getattr(default, item.name)):
                text = ",".join(value) if isinstance(value, tuple) else str(value)
                arguments += ["--set", f"{key}={text}"]
    return arguments
