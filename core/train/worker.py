"""A run's process: `main.py worker RUN_DIR`, started by core/launch.py for the window and the command line alike."""

from __future__ import annotations

import errno
import gc
import json
import logging
import os
import platform
import re
import signal
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from core import events
from core.errors import DISK_FULL, UserError
from core.i18n import tr
from core.registry import family, load
from core.runs import COMMANDS, Run, home, write_atomically
from core.sizes import memory_words
from core.text.source import Cancelled, with_words

if TYPE_CHECKING:
    import torch

    from core.text.corpus import Corpus
    from core.text.specimens import Specimen
    from core.text.tokenizers import Tokenizer
    from core.train.device import Device
    from core.train.finetune import FinetuneLearner

LOOK_SECONDS = 0.2
OTHERS_FAILURE = "commands/failure.json"  # of several processes: what another one than the first fell over, [message, hint]
OTHERS_S = 3.0  # so long the first waits to be told of it
NICE = 5  # the window, and whatever else the person does, goes first

log = logging.getLogger(__name__)


def work(path: Path) -> int:
    """Train the run at `path` from where it stands.

    Returns the exit code: 0 done, 2 an error in words, 3 an unexpected one, DISK_FULL where a full disk could not even take
    the error.
    """
    rank = int(os.environ.get("RANK", 0))
    run = Run.open(path)
    if rank == 0:
        run.claim()
        (run.path / OTHERS_FAILURE).unlink(missing_ok=True)
    stop = _listen()
    writer = events.EventWriter(run.events_path) if rank == 0 else None
    write: Callable[[events.Event], None] = writer.write if writer else _write_nothing
    step = [0]
    try:
        reason = _train(run, write, stop, step)
        write(events.RunFinished(step=step[0], reason=reason))
        return 0
    except Cancelled:
        write(events.RunFinished(step=step[0], reason="stopped"))
        return 0
    except Exception as error:
        known = (run.missing() or (error if isinstance(error, UserError) else disk_full(error) or out_of_memory(error, run))
                 or (another_ended(error, run) if rank == 0 else None))
        if known:
            told = events.RunFailed(step=step[0], message=known.message, hint=known.hint)
        else:
            told = events.RunFailed(step=step[0], message=f"{type(error).__name__}: {error}",
                                    hint=tr("This should not happen; the log has the details."), traceback=traceback.format_exc())
        try:
            write(told)
            if rank > 0:
                write_atomically(run.path / OTHERS_FAILURE, json.dumps([told.message, told.hint]))
            if not isinstance(error, UserError):
                log.exception("the run failed")
            elif rank > 0:
                log.error(str(error))  # the log is all that it can write to
        except OSError as refused:
            return DISK_FULL if refused.errno == errno.ENOSPC else 3
        return 2 if known else 3
    finally:
        if writer:
            with suppress(OSError):
                writer.sync()
                writer.close()
            with suppress(OSError, UserError):
                for name in COMMANDS:  # they have been obeyed: a worker that torchrun starts next time must not stop at once
                    run.withdraw(name)
                run.release()


def _train(run: Run, write: Callable[[events.Event], None], stop: Callable[[], bool], step: list[int]) -> str:
    stopped = _stopped(run, stop)
    write(events.Preparing(stage=tr("starting"), done=0, total=0))
    import numpy
    import torch

    from core.train.device import choose, from_rank_zero
    from core.train.loop import Loop, end_of, resume, total_steps
    from core.train.probes import prober, specimens_to_watch

    config = run.config
    if (end := end_of(run)) is not None:  # said at once: to read the text may take minutes
        step[0] = end
        return "complete"
    device = choose(replace(config.train, device="cpu") if "device" in config.unused else config.train)
    # The first process reads the text and writes what the others then find: all must cut it into the same tokens.
    resumed = bool(from_rank_zero([float(run.tokenizer_path.exists())], device)[0])
    if device.rank > 0:
        torch.distributed.barrier()
    specimens = specimens_to_watch(run)
    content = ""
    if config.task is None:
        corpus = _read_text(run, specimens, write, stopped, resumed=resumed)
        tokenizer, train_tokens, valid_tokens = corpus.tokenizer, len(corpus.train.tokens), len(corpus.valid.tokens)
        content = corpus.content
        if device.rank == 0 and not resumed:
            tokenizer.save(run.tokenizer_path)
    if device.rank == 0 and device.world > 1:
        torch.distributed.barrier()
    if from_rank_zero([float(stopped())], device)[0]:
        raise Cancelled
    write(events.Preparing(stage=tr("building the model"), done=0, total=0))
    if config.task is None:
        learner = load(family(config.family).learner)(config, corpus, device)
    else:
        tokenizer, learner = _second_stage(run, device)
        train_tokens, valid_tokens = learner.train_tokens, learner.valid_tokens
    position = resume(run, learner)
    # what the story says of its end: the others may read it when the first has begun to go on with it, and all must stop at the same step
    position.worse_evals = int(from_rank_zero([float(position.worse_evals)], device)[0])
    step[0] = position.step
    write(events.RunStarted(
        step=position.step, device=_device_name(device.device), precision=device.precision, processes=device.world, threads=device.threads,
        parameters=learner.parameters, train_tokens=train_tokens, valid_tokens=valid_tokens,
        vocab_size=tokenizer.vocab_size, total_steps=total_steps(config.train, learner.steps_per_epoch),
        text=content, versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__}))
    loop = Loop(run, learner, device, write=write, position=position, interrupted=stop,
                probe=prober(run, learner.network, tokenizer, specimens))
    try:
        reason = loop.train()
        if device.world > 1:
            torch.distributed.barrier()  # the first process saves the last checkpoint: torchrun would end it if another one fell over
        return reason
    finally:
        step[0] = position.step
        if device.world > 1:
            del loop, learner  # the gradients' exchange holds the group: it must go first, or its threads outlive the interpreter
            gc.collect()
            torch.distributed.destroy_process_group()


def _read_text(run: Run, specimens: list[Specimen], write: Callable[[events.Event], None], stopped: Callable[[], bool], *,
               resumed: bool) -> Corpus:
    """The text that is learnt from, cut into tokens; of a run that goes on, into those that it has."""
    from core.text import corpus
    from core.text.tokenizers import load_tokenizer

    config = run.config
    tokenizer = load_tokenizer(run.tokenizer_path) if resumed else None
    words = [*(item.word for item in specimens), config.watch.word]
    made = corpus.prepare(with_words(config.text, words), home() / "cache", on_progress=_reporter(write), cancelled=stopped, tokenizer=tokenizer)
    if run.checkpoint_steps():
        _refuse_another_text(run, made.content)
    return made


def _second_stage(run: Run, device: Device) -> tuple[Tokenizer, FinetuneLearner]:
    """The tokenizer and the learner of a finetune, as it is before the first step."""
    from safetensors.torch import load_file

    from core.tasks import data as labelled
    from core.tasks.create import pretrained_weights_path
    from core.train.finetune import FinetuneLearner

    data, path = labelled.load(run), pretrained_weights_path(run)
    return data.tokenizer, FinetuneLearner(run.config, data, device, load_file(path) if path else None)


def _stopped(run: Run, stop: Callable[[], bool]) -> Callable[[], bool]:
    """Whether a signal or the person's command asked for the end. Files are looked for a few times a second at most."""
    looked = [0.0, False]

    def stopped() -> bool:
        if time.monotonic() - looked[0] > LOOK_SECONDS:
            looked[:] = [time.monotonic(), run.commanded("stop")]
        return stop() or bool(looked[1])

    return stopped


def _refuse_another_text(run: Run, content: str) -> None:
    """UserError where the text is not the one that the run has read so far: its curves and its validation would be of two texts."""
    before = next((event.text for event in reversed(run.events()) if isinstance(event, events.RunStarted) and event.text), content)
    if before != content:
        raise UserError(tr("The text of {name} is no longer the one that it began with.", name=run.name),
                        tr("Put the old files back, or train a new run."), where="files")


def _reporter(write: Callable[[events.Event], None]) -> Callable[[str, int, int], None]:
    """Progress of the preparation, at most ten events a second."""
    last = [0.0, ""]

    def report(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - last[0] >= 0.1 or stage != last[1] or done == total:
            last[:] = [now, stage]
            write(events.Preparing(stage=stage, done=done, total=total))

    return report


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        import torch

        return f"cuda ({torch.cuda.get_device_name(device)})"
    return device.type


def _listen() -> Callable[[], bool]:
    """Ctrl-C and a polite kill mean: stop and save. Returns whether one came."""
    came: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, frame: came.append(signum))
    try:
        psutil.Process().nice(NICE if os.name != "nt" else psutil.BELOW_NORMAL_PRIORITY_CLASS)
    except psutil.Error:
        log.info("this system does not let us lower our priority")
    return lambda: bool(came)


def disk_full(error: BaseException) -> UserError | None:
    """What to tell a person whose disk is full; None for any other error."""
    if not (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        return None
    return UserError(tr("The disk is full."), tr("Free some space, then resume the run; its last good checkpoint is untouched."))


def out_of_memory(error: BaseException, run: Run) -> UserError | None:
    """What to tell a person whose memory did not suffice; None for any other error."""
    text = str(error)
    asked = re.search(r"[Tt]ried to allocate ([\d.]+) ?(\w+)", text)
    if not (isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text or "not enough memory" in text):
        return None
    needed = tr("an unknown amount") if asked is None else memory_words(float(asked[1])) if asked[2] == "bytes" else f"{asked[1]} {asked[2]}"
    config = run.config
    if config.smaller_rows:
        return UserError(tr("The memory did not suffice: {needed} more were needed for {rows} sequences at once.", needed=needed, rows=config.rows),
                         tr("Resume it with --set micro_batch_size={smaller}: the step stays the same, computed in smaller parts.",
                            smaller=config.smaller_rows))
    return UserError(tr("The memory did not suffice: {needed} more were needed.", needed=needed),
                     tr("Close other programs and resume it, or train a new run with a smaller vocabulary or shorter vectors.")
                     if "micro_batch_size" in config.unused else
                     tr("Close other programs and resume it, or train a new run with shorter sequences, a smaller vocabulary or a smaller model."))


def another_ended(error: BaseException, run: Run) -> UserError | None:
    """What to tell a person where another of several processes has ended, which the first meets as a broken connection. None for any other
    error."""
    if not re.search("closed by peer|reset by peer|remote process|Broken pipe", str(error)):
        return None
    deadline = time.monotonic() + OTHERS_S
    while time.monotonic() < deadline:
        with suppress(OSError):
            message, hint = json.loads((run.path / OTHERS_FAILURE).read_text(encoding="utf-8"))
            return UserError(message, hint)
        time.sleep(0.05)
    return UserError(tr("Another of the processes that train this run has ended, and said nothing."),
                     tr("The log may say why. Often the memory did not suffice: resume it with a smaller micro_batch_size."))


def _write_nothing(event: events.Event) -> None:
    """Only the first of several processes tells the story."""
