"""Settings: presets, text from the command line, errors that name the field, and the round trip through config.json."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import pytest

from core import config
from core.errors import UserError
from core.registry import FAMILIES, family, load


@pytest.mark.parametrize("name", FAMILIES)
def test_every_preset_of_every_family_is_valid_and_survives_json(name: str) -> None:
    for preset in family(name).presets:
        made = config.build(name, preset)
        assert config.from_dict(json.loads(json.dumps(config.to_dict(made)))) == made
        assert {"quick", "small", "base"} <= set(family(name).presets)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_places_that_a_family_names_exist(name: str) -> None:
    made = family(name)
    assert load(made.model) and load(made.learner)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_option_has_a_sentence_of_help(name: str) -> None:
    for kind in config.section_types(name).values():
        for item in dataclasses.fields(kind):
            assert item.metadata.get("help", "").endswith("."), f"{kind.__name__}.{item.name}"


def test_text_is_read_by_the_kind_of_the_option() -> None:
    made = config.build("bert", "quick", {"hidden_size": "64", "train.learning_rate": "3e-4", "whole_word": "true", "watched": "苹果,小米"})
    assert (made.model.hidden_size, made.train.learning_rate, made.objective.whole_word) == (64, 3e-4, True)
    assert made.text.watched == ("苹果", "小米")


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"hiden_size.*hidden_size"):
        config.build("bert", "quick", {"hiden_size": "64"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Repeating:
    """The objective of a newcomer's family, with an option that is called as one of `train` is."""

    steps: int = config.option(2, "How often its layers are gone through.", min=1)


def test_an_option_that_stands_in_two_parts_must_say_which(monkeypatch: pytest.MonkeyPatch) -> None:
    newcomer = dataclasses.replace(family("bert"), objective_config=Repeating, presets={"quick": {"train.minutes": 1.0}})
    monkeypatch.setattr(config, "family", lambda name: newcomer)
    with pytest.raises(UserError, match="'steps' stands for several options") as refused:
        config.build("bert", "quick", {"steps": 3})
    assert "objective.steps, train.steps" in refused.value.hint
    made = config.build("bert", "quick", {"objective.steps": 3})
    assert (made.objective.steps, made.train.steps) == (3, 0)


@pytest.mark.parametrize(("options", "field"), [
    ({"hidden_size": "65"}, "hidden_size"), ({"num_layers": "0"}, "num_layers"), ({"num_layers": "two"}, "num_layers"),
    ({"optimizer": "adam"}, "optimizer"), ({"seq_len": "4096"}, "seq_len"), ({"micro_batch_size": "64"}, "micro_batch_size"),
    ({"mask_token_percent": "95"}, "random_token_percent"), ({"learning_rate": "nan"}, "learning_rate"),
    ({"processes": "3"}, "batch_size")])
def test_an_error_stands_at_its_field(options: dict[str, str], field: str) -> None:
    with pytest.raises(UserError) as caught:
        config.build("bert", "quick", options)
    assert caught.value.where == field
    assert caught.value.hint


def test_a_given_end_replaces_the_presets() -> None:
    made = config.build("bert", "quick", {"train.steps": 10})
    assert (made.train.steps, made.train.minutes) == (10, 0.0)
    with pytest.raises(UserError, match="no end"):
        config.build("bert", "quick", {"minutes": 0})


@pytest.mark.parametrize("none", ["0", "0.0", "0.", "00", " 0", "-0", "0e3", 0, 0.0, None])
def test_an_end_of_0_however_it_is_written_takes_no_other_away(none: object) -> None:
    made = config.build("bert", "small", {"train.minutes": none if none is not None else 0})
    assert (made.train.epochs, made.train.minutes) == (config.build("bert", "small").train.epochs, 0)
    assert not config.names_end({"train.minutes": none, "train.epochs": none}) and config.names_end({"train.minutes": none, "train.epochs": "0.5"})


def test_a_newer_format_and_an_unknown_key_are_refused() -> None:
    raw = config.to_dict(config.build("gpt", "quick"))
    with pytest.raises(UserError, match="newer version"):
        config.from_dict({**raw, "format": config.FORMAT + 1})
    with pytest.raises(UserError, match="colour"):
        config.from_dict({**raw, "colour": "red"})
    with pytest.raises(UserError, match=r"model\.colour"):
        config.from_dict({**raw, "model": {**raw["model"], "colour": "red"}})


def test_words_that_begin_with_a_hyphen_survive_as_a_command():
    from core.cli import _parser

    made = config.build("bert", options={"watch.word": "-x", "text.columns": ("--text",), "text.files": ("-f.csv",)})
    parsed = _parser().parse_args(config.as_command(made))
    assert (parsed.word, parsed.column, [str(file) for file in parsed.corpus]) == ("-x", ["--text"], ["-f.csv"])


@pytest.mark.parametrize(("system", "line"), [("posix", "python main.py pretrain --corpus 'my text.txt'"),
                                              ("nt", 'python main.py pretrain --corpus "my text.txt"')])
def test_a_command_is_quoted_for_the_shell_of_the_system(monkeypatch: pytest.MonkeyPatch, system: str, line: str) -> None:
    monkeypatch.setattr(config, "os", SimpleNamespace(name=system))
    assert config.typed(["pretrain", "--corpus", "my text.txt"]) == line


def _again(made: config.RunConfig) -> config.RunConfig:
    """What the command of a config gives."""
    from core.cli import _parser, settings

    parsed = _parser().parse_args(config.as_command(made))
    return config.build(parsed.family, parsed.preset, {**settings(parsed.set), "text.columns": tuple(parsed.column)})


def test_the_command_of_a_config_gives_the_same_config() -> None:
    made = config.build("elmo", "quick", {"hidden_size": 64, "steps": 7, "watched": ("苹果",), "text.columns": ("text",)})
    assert _again(made) == made


@pytest.mark.parametrize("name", FAMILIES)
def test_the_command_keeps_an_end_of_the_preset_beside_another(name: str) -> None:
    for preset in family(name).presets:
        ends = config.ends_of(config.build(name, preset).train)
        for mine in ({"steps": 500}, {"epochs": 2.5}, {"minutes": 7.5}, {"steps": 500, "minutes": 7.5}):
            for one in (mine, {**ends, **{f"train.{key}": value for key, value in mine.items()}}):
                made = config.build(name, preset, one)
                assert _again(made) == made, (preset, one)


@pytest.mark.parametrize("key", ["no" * 5000, "train." + "no" * 5000])
def test_an_endless_name_is_not_repeated(key: str) -> None:
    with pytest.raises(UserError) as refused:
        config.build("bert", "quick", {key: "1"})
    raw = config.to_dict(config.build("bert", "quick"))
    with pytest.raises(UserError) as read:
        config.from_dict({**raw, "train": {**raw["train"], key: 1}})
    assert max(len(refused.value.message), len(read.value.message)) < 200


def test_what_an_option_must_be_is_said_in_words() -> None:
    raw = config.to_dict(config.build("bert", "quick"))
    for key, value, words in (("train.learning_rate", [1], "a number"), ("train.steps", 1.5, "a whole number"),
                              ("text.lowercase", 1, "true or false"), ("text.corpus", 1, "text"), ("watch.word", 1, "text")):
        section, name = key.split(".")
        with pytest.raises(UserError) as refused:
            config.from_dict({**raw, section: {**raw[section], name: value}})
        assert (refused.value.hint, refused.value.where) == (f"It must be {words}.", name)
