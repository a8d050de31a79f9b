"""A run's folder: making it, opening it, listing them, and what state a run is in.

    RUN_DIR/ config.json  events.jsonl  worker.log  worker.json  tokenizer.json  specimens.tsv  commands/
             probes/step_00000200.npz  checkpoints/step_00000200/{model.safetensors ... manifest.json}  export/
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from core import config as configs
from core import hashes
from core.config import RunConfig
from core.errors import UserError, refused_by_system, system_words
from core.events import Event, EventReader, Preparing, RunContinued, RunFailed, RunFinished, RunPaused, RunStarted, StepEnd, story
from core.i18n import tr
from core.whole import put_in_place

HOME_VARIABLE = "LEXISCOPE_HOME"
ORIGIN = "origin.json"  # of a run that came from elsewhere: where it came from, and which row each token had there
PRETRAINED_ORIGIN = f"pretrained/{ORIGIN}"  # of a finetune: that of the run beneath it
UNPACKED = "unpacked.json"  # of a run that came in one file: from which
TRASH = ".trash"  # beside the runs: the deleted ones, see core.trash
NEWEST, BEST = "newest", "best"  # checkpoints by name
COMMANDS = ("stop", "pause", "checkpoint")
CHECKPOINT_FILES = ("model.safetensors", "optimizer.safetensors", "state.json")
EMPTY_BYTES = 64  # of a file of safetensors that holds nothing, at most
# what resume may set: none of it changes what a step learns, save for where the run ends
CHANGEABLE = frozenset({"train.steps", "train.epochs", "train.minutes", "train.micro_batch_size", "train.device", "train.precision",
                        "train.threads", "train.processes", "train.patience"})


def home() -> Path:
    """Where runs, caches and settings live: LEXISCOPE_HOME, or the usual place of the system."""
    if given := os.environ.get(HOME_VARIABLE):
        place = Path(given).expanduser().resolve()
        os.environ[HOME_VARIABLE] = str(place)  # for the processes that we start: they work in another folder
        return place
    if sys.platform == "win32":
        return _system_place("LOCALAPPDATA", Path.home() / "AppData" / "Local") / "Lexiscope"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Lexiscope"
    return _system_place("XDG_DATA_HOME", Path.home() / ".local" / "share") / "lexiscope"


def _system_place(variable: str, usual: Path) -> Path:
    """The folder that a variable of the system names. One that is empty or relative counts for nothing, as freedesktop's specification has it:
    runs would lie in whatever folder the program was started from."""
    given = Path(os.environ.get(variable, ""))
    return given if given.is_absolute() else usual


def runs_home() -> Path:
    return home() / "runs"


@dataclass(frozen=True, kw_only=True)
class Status:
    """state: "new", "preparing", "running", "paused", "finished", "stopped", "failed" or "killed" (its process is gone without a word).

    text: the state in words, with the reason of a failure. step, progress: how far it came.
    """

    state: str
    text: str
    step: int = 0
    progress: float = 0.0

    @property
    def alive(self) -> bool:
        return self.state in ("preparing", "running", "paused")


class Run:
    """One run's folder. Holds the path and the settings; everything else is read from the disk when asked for."""

    def __init__(self, path: Path, config: RunConfig) -> None:
        self.path, self.config = path, config

    @classmethod
    def create(cls, config: RunConfig, path: Path | None = None) -> Run:
        """Make the folder and write config.json. UserError where something stands there already, the disk refuses, or a name is no text."""
        path = Path(path) if path else free_place(f"{config.family}-{_text_name(config)}")
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UserError(tr("{path} exists and is not empty.", path=path), tr("Name another folder, or resume the run in it."), where="run")
        made = cls(path, replace(config, name=config.name or path.name))
        text = made._settings()
        with _writing(path, tr("Free some space, or choose another place with --run.")):
            try:
                for part in ("commands", "probes", "checkpoints"):
                    (path / part).mkdir(parents=True, exist_ok=True)
                write_atomically(path / "config.json", text)
            except OSError:  # half a run would stand in the way of the next attempt
                shutil.rmtree(path, ignore_errors=True)
                raise
        return made

    @classmethod
    def open(cls, path: Path) -> Run:
        """UserError if there is no run, or one that this version cannot read. An ONNX export holds a run in its folder `run`."""
        path = within(Path(path))
        try:
            there = (path / "config.json").is_file()
        except OSError as error:
            raise UserError(tr("{path} cannot be read: {reason}.", path=path, reason=system_words(error)),
                            tr("Check the name and the permissions.")) from error
        if not there and not os.path.exists(path):  # it is on the bench, and was moved or deleted meanwhile; or the name was mistyped
            if path.name == str(path) and (runs_home() / path / "config.json").is_file():  # of one in the program's home its name is enough
                return cls.open(runs_home() / path)
            raise UserError(tr("The run {name} is not there: {path}.", name=path.name, path=path),
                            tr("Check the name: Runs in the window, or python main.py runs, lists them. If it was moved or deleted, put it back, "
                               "or take it off the bench."))
        if not there:
            raise UserError(tr("{path} is not a run: it has no config.json.", path=path), tr("Choose the folder of a run."))
        return cls(path, configs.load(path / "config.json"))

    @property
    def whole(self) -> Path:
        """Its folder; of an ONNX model the one that holds the model too."""
        return self.path.parent if within(self.path.parent) == self.path else self.path

    @property
    def name(self) -> str:
        return self.config.name or self.path.name

    @cached_property
    def imported(self) -> bool:
        """Whether it was trained elsewhere: it was a model or a file of vectors, and its text is not known."""
        return (self.path / ORIGIN).is_file()

    @cached_property
    def trained_elsewhere(self) -> bool:
        """Whether its story tells of another machine, or of none."""
        return self.imported or (self.path / UNPACKED).is_file()

    @cached_property
    def without_text(self) -> bool:
        """Whether its text is not known: it, or the run that it was finetuned from, was trained elsewhere. The built-in text that its settings
        name is not what it has read."""
        beneath = self.config.task.pretrained if self.config.task else ""
        origins = [self.path / ORIGIN, self.path / PRETRAINED_ORIGIN, *([Path(beneath) / ORIGIN] if beneath else [])]
        return not self.config.text.files and any(path.is_file() for path in origins)

    def rename(self, name: str) -> None:
        """Change the name that people see; the folder stays, so that nothing that points to it breaks."""
        if not name.strip():
            raise UserError(tr("A run needs a name."), tr("Type one."), where="name")
        self.config = replace(self._on_disk(), name=name.strip())
        self._write_config()

    def change(self, options: dict[str, Any]) -> None:
        """Change what may change between a stop and a resume: how it is computed and when it ends. UserError for anything else.

        Of steps, epochs and minutes, one that is given takes the place of all, as in core.config.build.
        """
        given = {configs.resolve(self.config.family, key): value for key, value in options.items()}
        for key in given:
            if key not in CHANGEABLE:
                raise UserError(tr("{name} cannot change once a run has begun.", name=key),
                                tr("These can: {names}.", names=", ".join(sorted(CHANGEABLE))), where=key)
        if configs.names_end(given):
            given = {**dict.fromkeys(configs.ENDS, "0"), **given}
        hints = configs.field_types(configs.TrainConfig)
        short = {key.partition(".")[2]: value for key, value in given.items()}
        before = self._on_disk()
        train = replace(before.train, **{key: configs.parse(key, value, hints[key]) for key, value in short.items()})
        self.config = replace(before, train=train)
        self._write_config()

    def _on_disk(self) -> RunConfig:
        """Its settings as they are now: somebody else may have changed them since it was opened."""
        return configs.load(self.path / "config.json")

    def _write_config(self) -> None:
        with _writing(self.path, tr("Look whether the disk is full or the folder write-protected.")):
            write_atomically(self.path / "config.json", self._settings())

    def _settings(self) -> str:
        """What stands in config.json. UserError where a name in it, of a file say, is made of bytes that are no text."""
        text = json.dumps(configs.to_dict(self.config), ensure_ascii=False, indent=1)
        for line in text.splitlines():
            shown = line.encode("utf-8", "replace").decode("utf-8")
            if shown != line:
                name = shown.rpartition('": "')[2].strip(' ",')
                raise UserError(tr("This name is not written in UTF-8: {name}", name=name), tr("Rename the file or the folder."))
        return text

    # paths

    @property
    def events_path(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def tokenizer_path(self) -> Path:
        return self.path / "tokenizer.json"

    @property
    def specimens_path(self) -> Path:
        """The specimens that this run's probes hold: a copy, so that the probes keep their meaning."""
        return self.path / "specimens.tsv"

    def probe_path(self, step: int) -> Path:
        return self.path / "probes" / f"step_{step:08d}.npz"

    def checkpoint_path(self, step: int) -> Path:
        return self.path / "checkpoints" / f"step_{step:08d}"

    def probe_steps(self) -> list[int]:
        """Empty for a run without probes: earlier versions took one of its beginning, which shows nothing that it has learnt."""
        return _steps(self.path / "probes", r"step_(\d{8})\.npz") if self.config.train.probes else []

    def checkpoint_steps(self) -> list[int]:
        return _steps(self.path / "checkpoints", r"step_(\d{8})")

    def whole_steps(self) -> Iterator[int]:
        """The checkpoints whose hashes fit, the newest first. All of their bytes are read."""
        return (step for step in reversed(self.checkpoint_steps()) if hashes.intact(self.checkpoint_path(step), CHECKPOINT_FILES))

    @property
    def lacks_moments(self) -> bool:
        """Whether the newest checkpoint came without the state of its optimizer, as those of packed runs do. A family that learns without an
        optimizer lacks nothing."""
        steps = self.checkpoint_steps()
        if not steps or "optimizer" in self.config.unused:
            return False
        try:
            return (self.checkpoint_path(steps[-1]) / "optimizer.safetensors").stat().st_size <= EMPTY_BYTES
        except OSError:
            return False

    def without_checkpoint(self, damaged: Sequence[int], where: str = "") -> UserError:
        """What to tell a person where no checkpoint can be read. damaged: the steps of those that are there."""
        if damaged:
            return UserError(tr("The checkpoint of {name} at step {step} is damaged: its content does not fit its hash.",
                                name=self.name, step=damaged[-1]), tr("Train the run again from its settings."), where=where)
        return UserError(tr("The run {name} has no checkpoint yet.", name=self.name), tr("Wait until it has saved one, or resume it."), where=where)

    def best_step(self) -> int | None:
        """The checkpoint that no later one has bettered: by the validation loss, of a finetune by its task's figure. None: not known."""
        with suppress(OSError):
            return self.best_step_now()
        return None

    def best_step_now(self) -> int | None:
        """The same; OSError where a checkpoint cannot be read at the moment, so that it is not known."""
        return next((step for step in reversed(self.checkpoint_steps()) if _is_best(self.checkpoint_path(step))), None)

    def named_step(self, checkpoint: str) -> int | None:
        """The step of the checkpoint that is called NEWEST (None), BEST, or by its step. UserError where there is no such one."""
        if checkpoint in ("", NEWEST):
            return None
        steps = self.checkpoint_steps()
        if checkpoint == BEST:
            try:
                best = self.best_step_now()
            except OSError as error:
                raise refused_by_system(error) from error
            if best is None:
                raise UserError(tr("Of {name} no best checkpoint is known: none was saved after a validation.", name=self.name),
                                tr("Take the newest."), where="checkpoint")
            return best
        if not checkpoint.isdecimal() or int(checkpoint) not in steps:
            raise UserError(tr("{name} has no checkpoint '{value}'.", name=self.name, value=checkpoint),
                            tr("Its checkpoints: {names}.", names=", ".join([NEWEST, BEST, *map(str, steps)])), where="checkpoint")
        return int(checkpoint)

    def forget_after(self, step: int) -> None:
        """Remove the probes and (damaged) checkpoints beyond that step: the run goes on from there, and what it now becomes is not theirs."""
        for later in (later for later in self.probe_steps() if later > step):
            self.probe_path(later).unlink(missing_ok=True)
        for later in (later for later in self.checkpoint_steps() if later > step):
            shutil.rmtree(self.checkpoint_path(later), ignore_errors=True)

    def missing(self) -> UserError | None:
        """What to tell a person whose run's folder was moved or deleted meanwhile; None while it is there."""
        if os.path.exists(self.path / "config.json"):  # (Path's own raises where the system refuses to say)
            return None
        return UserError(tr("The folder of {name} is no longer there: {path}", name=self.name, path=self.path),
                         tr("Put it back, or go on with the run where it is now: it begins at its last checkpoint."))

    # commands to the worker: files, so that they work through torchrun, on Windows and from any process

    def command(self, name: str) -> None:
        """Ask the worker to "stop" (and save), to "pause", or for a "checkpoint". UserError where the folder is gone or cannot be written."""
        if gone := self.missing():
            raise gone
        with _writing(self.path, tr("Look whether the disk is full or the folder write-protected.")):
            (self.path / "commands").mkdir(exist_ok=True)
            (self.path / "commands" / name).touch()

    def withdraw(self, name: str) -> None:
        """Take a command back; taking back "pause" lets the run go on. UserError where the system refuses."""
        with _writing(self.path, tr("Look whether the disk is full or the folder write-protected.")):
            (self.path / "commands" / name).unlink(missing_ok=True)

    def commanded(self, name: str) -> bool:
        return (self.path / "commands" / name).exists()

    # who works on it

    def claim(self) -> None:
        """Note that this process works on the run. UserError if another one does."""
        from filelock import FileLock  # takes a moment to load, and the window claims nothing

        (self.path / "commands").mkdir(exist_ok=True)
        with FileLock(self.path / "commands" / "claim.lock"):  # or two that look at the same moment would both see nobody
            if (other := self.worker_pid()) and other != os.getpid():
                raise UserError(tr("The run {name} is already open in process {pid}.", name=self.name, pid=other),
                                tr("Stop that one first, or wait for its end."))
            me = psutil.Process()
            write_atomically(self.path / "worker.json", json.dumps({"pid": me.pid, "created": me.create_time()}))

    def release(self) -> None:
        (self.path / "worker.json").unlink(missing_ok=True)

    def worker_pid(self) -> int | None:
        """The process that works on the run, if it lives. Pids are used again: its start time must fit too, or, since that is another one once
        the clock was set, its command line."""
        try:
            noted = json.loads((self.path / "worker.json").read_text(encoding="utf-8"))
            process = psutil.Process(noted["pid"])
            same = abs(process.create_time() - noted["created"]) < 1 or str(self.path.resolve()) in process.cmdline()
            return process.pid if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError, psutil.Error):
            return None

    # what happened

    def events(self) -> list[Event]:
        return story(EventReader(self.events_path).read())

    def status(self) -> Status:
        return status_of(self.events(), alive=self.worker_pid() is not None)


def status_of(events: list[Event], *, alive: bool) -> Status:
    """The state that a run's story tells, given whether its process lives."""
    step, progress, state, text = 0, 0.0, "new", tr("not started")
    for event in events:
        step = max(step, getattr(event, "step", 0))
        if isinstance(event, Preparing):
            state, text = "preparing", tr("preparing")
        elif isinstance(event, StepEnd):
            progress, state, text = event.progress, "running", tr("training")
        elif isinstance(event, RunStarted):
            step, state, text = event.step, "running", tr("training")
        elif isinstance(event, RunPaused):
            state, text = "paused", tr("paused")
        elif isinstance(event, RunFailed):
            state, text = "failed", tr("failed: {message}", message=event.message)
        elif isinstance(event, RunFinished):
            done = event.reason != "stopped"  # before its first step there is nothing to save
            state, text = ("finished", tr("finished")) if done else ("stopped", tr("stopped and saved") if step else tr("stopped"))
        elif isinstance(event, RunContinued):
            state, text = "running", tr("training")
    if state in ("preparing", "running", "paused") and not alive:
        state, text = "killed", tr("interrupted; it can be resumed")
    if state == "new" and alive:
        state, text = "preparing", tr("preparing")
    return Status(state=state, text=text, step=step, progress=1.0 if state == "finished" else progress)


def list_runs(folder: Path | None = None) -> list[Run]:
    """All runs in a folder that can be read, the newest first."""
    return list(readable_runs(run_folders(folder)))


def within(path: Path) -> Path:
    """Where a folder keeps its run: an ONNX model in its folder `run`, any other itself, and one that cannot be looked into too."""
    with suppress(OSError):
        return path / "run" if (path / "model.onnx").is_file() and (path / "run" / "config.json").is_file() else path
    return path


def run_folders(folder: Path | None = None) -> list[Path]:
    """The folders of runs in a folder, the newest first; none of them is read. Of an ONNX model it is the one within, as of Run.open.
    Those that cannot be looked into are last: they may be runs. Those with a dot are being filled, or were when the program was ended."""
    folder = folder or runs_home()
    there = [within(path) for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
    written = {path: time for path in there if (time := _written(path)) is not None}
    return sorted(written, key=written.__getitem__, reverse=True)


def _written(path: Path) -> float | None:
    """When a run's settings were; 0 where the system does not say, None for what is no run."""
    try:
        return (path / "config.json").stat().st_ctime
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return 0.0


def readable_runs(paths: Iterable[Path]) -> Iterator[Run]:
    """The runs of these folders, one after another, without those that are of a newer version or damaged: opening them by hand says why."""
    for path in paths:
        with suppress(UserError):
            yield Run.open(path)


def write_atomically(path: Path, text: str) -> None:
    """The file holds the old text or the new, never a part, whatever happens."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(temporary, path)
    finally:
        with suppress(OSError):  # a read-only disk refuses even what is not there
            temporary.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path, hint: str) -> Iterator[None]:
    """UserError where the system refuses to write in a run's folder."""
    try:
        yield
    except OSError as error:
        raise UserError(tr("The run's folder {path} cannot be written: {reason}.", path=path, reason=system_words(error)), hint,
                        where="run") from error


def free_place(name: str, suffix: str = "", folder: Path | None = None) -> Path:
    """A folder for a run of that name, with a number behind it where there is one already, or a deleted one that may come back. suffix: is
    never cut off. folder: of the runs, else their home."""
    folder = folder or runs_home()
    stem = (re.sub(r"[^\w.-]+", "-", name).strip(".-")[:60] or "run") + suffix
    there = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    there += [path.stem for path in (folder / TRASH).iterdir()] if (folder / TRASH).is_dir() else []  # NAME.TIME
    taken = {name.casefold() for name in there}  # Windows and macOS know no case
    names = (stem if number == 1 else f"{stem}-{number}" for number in itertools.count(1))
    return folder / next(name for name in names if name.casefold() not in taken)


def _text_name(config: RunConfig) -> str:
    return Path(config.text.files[0]).stem if config.text.files else f"builtin-{config.text.corpus}"


def _is_best(checkpoint: Path) -> bool:
    try:
        return bool(json.loads((checkpoint / "state.json").read_text(encoding="utf-8")).get("best"))
    except (FileNotFoundError, ValueError, AttributeError, RecursionError):
        return False


def _steps(folder: Path, pattern: str) -> list[int]:
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(match[1]) for name in names if (match := re.fullmatch(pattern, name)))
