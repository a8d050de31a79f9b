"""argparse as the command line uses it: what is wrong is a UserError in the chosen language that names what was probably meant."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from core.cli import columns
from core.config import kind_words
from core.errors import UserError
from core.i18n import tr
from core.registry import SHOWN, nearest

_LONG = re.compile(r"--[A-Za-z][\w-]*")
_MISSING = re.compile(r"the following arguments are required: (.*)")  # argparse's own sentences, which are nowhere but in its messages
_NO_VALUE = re.compile(r"argument (?:-\w/)?(\S+): expected .*")
_A_VALUE = re.compile(r"argument (?:-\w/)?(\S+): ignored explicit argument .*")


@dataclass(frozen=True, kw_only=True)
class Number:
    """A type for add_argument: a number of that kind, from least to most."""

    kind: type = int
    least: float = -math.inf
    most: float = math.inf

    def __call__(self, text: str) -> float:
        value = self.kind(text)
        if not self.least <= value <= self.most:  # nor is NaN
            raise ValueError
        return value

    @property
    def hint(self) -> str:
        kind = kind_words(self.kind)
        if self.most < math.inf:
            return tr("It must be {kind} from {least} to {most}.", kind=kind, least=self.least, most=self.most)
        return tr("It must be {kind}, at least {least}.", kind=kind, least=self.least) if self.least > -math.inf \
            else tr("It must be {kind}.", kind=kind)


class Parser(argparse.ArgumentParser):
    """Options are written out: an abbreviation would mean something else as soon as another option begins like it."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords, add_help=False, allow_abbrev=False, formatter_class=_Help)
        self._positionals.title, self._optionals.title = tr("arguments"), tr("options")
        self.add_argument("-h", "--help", action="help", help=tr("show this help"))

    def add_argument(self, *names: str, **options: Any) -> argparse.Action:
        """What means the same in every verb is explained here."""
        usual = {"run": tr("a run's folder"), "runs": tr("the folders of one run or several"), "--json": tr("print JSON instead"),
                 "-k": tr("how many; without it {default}", default=options.get("default"))}
        return super().add_argument(*names, **{"help": usual.get(names[0]), **options})

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:
        mine = takewhile(lambda text: text != "--" and (self._subparsers is None or text.startswith("-")), args or ())
        for name in (text.partition("=")[0] for text in mine):  # before argparse says that the option is missing which was misspelt
            if _LONG.fullmatch(name) and name not in self._option_string_actions:
                raise self._unknown(name)
        found, left = super().parse_known_args(args, namespace)
        if left:
            raise self._unknown(left[0]) if left[0].startswith("-") else UserError(
                tr("'{text}' is one argument too many.", text=left[0][:SHOWN]), self._see_help())
        return found, left

    def error(self, message: str) -> Any:
        """What argparse found wrong."""
        if found := _MISSING.fullmatch(message):
            raise UserError(tr("{names} is missing.", names=found[1]), self._see_help())
        if found := _NO_VALUE.fullmatch(message):
            raise UserError(tr("{name} needs a value.", name=found[1]),
                            tr("Write it behind the name; one that begins with a hyphen like this: {name}=-...", name=found[1]))
        if found := _A_VALUE.fullmatch(message):
            raise UserError(tr("{name} takes no value.", name=found[1]), self._see_help())
        raise UserError(tr("The arguments cannot be read: {reason}.", reason=message), self._see_help())

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            wrong = tr("{name} cannot be '{value}'.", name=action.option_strings[-1], value=str(value)[:SHOWN]) if action.option_strings \
                else tr("There is no verb '{name}'.", name=str(value)[:SHOWN])
            raise UserError(wrong, nearest(str(value), action.choices))

    def _get_value(self, action: argparse.Action, text: str) -> Any:
        name = action.option_strings[-1] if action.option_strings else action.metavar
        if action.type is Path and not text:  # which would be the folder that one stands in
            raise UserError(tr("{name} is empty.", name=name), tr("Name a file or a folder."))
        if action.type is None:
            return text
        try:
            return action.type(text)
        except ValueError as error:
            raise UserError(tr("{name} cannot be '{value}'.", name=name, value=text[:SHOWN]), action.type.hint) from error

    def _unknown(self, name: str) -> UserError:
        return UserError(tr("There is no option '{key}'.", key=name[:SHOWN]), nearest(name, self._option_string_actions))

    def _see_help(self) -> str:
        return tr("What there is: python {command} --help", command=self.prog)


class _Help(argparse.HelpFormatter):
    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            self._action_max_length += self._indent_increment  # argparse forgets that verbs are indented once more

    def _format_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None) -> str:
        """Counted in columns, so that the lines below the first stand under it in Chinese too. prefix: "" where a verb's full name is asked for."""
        if prefix is not None:
            return super()._format_usage(usage, actions, groups, prefix)
        prefix = tr("usage: ")
        room = " " * columns.room(prefix)
        return super()._format_usage(usage, actions, groups, room).replace(room, prefix, 1)
