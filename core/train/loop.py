"""Drives a Learner from where it stands to the end of the run, and writes the story down."""

from __future__ import annotations

import json
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psutil

from core import checkpoints, events
from core.config import TrainConfig
from core.errors import UserError
from core.families.learning import Learner, LearnerState, StepResult
from core.i18n import tr
from core.registry import task
from core.runs import Run
from core.tasks.task import headline
from core.train.device import Device, from_rank_zero
from core.train.gradient import NotFinite

EVENT_SECONDS = 0.1  # a StepEnd at most this often; its loss is the mean over the steps since the last one
CHECKPOINT_SECONDS = 600.0  # a checkpoint at least this often
SPEED_SECONDS = 2.0  # tokens/s is the mean over so long
PAUSE_POLL_SECONDS = 0.2
_GO, _STOP, _PAUSE, _CHECKPOINT = 0, 1, 2, 3

Write = Callable[[events.Event], None]


@dataclass(kw_only=True)
class Position:
    """How far a run has come; all of it stands in every checkpoint. elapsed: seconds of training.

    best_loss, best_score: of the best validation so far, at best_step; the score is that of a finetune, its task's headline figure.
    evaluated_step: of the newest validation. -1 where there was none.
    """

    step: int = 0
    elapsed: float = 0.0
    tokens: int = 0
    best_loss: float = math.inf
    best_score: float = -math.inf
    worse_evals: int = 0
    best_step: int = -1
    evaluated_step: int = -1


class _Pace:
    """What a StepEnd tells of the steps since the last one: the mean of their losses, and tokens a second over SPEED_SECONDS.

    told: when the last StepEnd was written.
    """

    def __init__(self, tokens: int) -> None:
        self.told = time.monotonic()
        self._loss, self._losses = math.nan, []
        self.begin_again(tokens)

    def begin_again(self, tokens: int) -> None:
        """Measure the speed from now on; tokens: read so far."""
        self._window: deque[tuple[float, int]] = deque([(time.monotonic(), tokens)])

    def add(self, result: StepResult) -> None:
        if result.tokens:  # word2vec reads documents whole: in a step in which none begins, nothing is learnt
            self._losses.append(result.loss)

    def leave_out(self, seconds: float) -> None:
        """Of the newest moments: the speed is that of training, not of looking."""
        self._window = deque((moment + seconds, tokens) for moment, tokens in self._window)

    def tell(self, now: float, tokens: int) -> tuple[float, float]:
        """The loss and the tokens a second, at a StepEnd."""
        self._window.append((now, tokens))
        while len(self._window) > 2 and now - self._window[0][0] > SPEED_SECONDS:
            self._window.popleft()
        (begin, first), (end, last) = self._window[0], self._window[-1]
        self._loss = sum(self._losses) / len(self._losses) if self._losses else self._loss
        self._losses, self.told = [], now
        return self._loss, (last - first) / max(1e-9, end - begin)


class Loop:
    """run: where it is written. write: takes the events. probe: saves a probe of the step and returns the event, or None.

    interrupted: true once the process was asked to end (Ctrl-C); the run then stops and saves.
    """

    def __init__(self, run: Run, learner: Learner, device: Device, *, write: Write, position: Position,
                 probe: Callable[[int], events.Event | None], interrupted: Callable[[], bool] = lambda: False,
                 event_seconds: float = EVENT_SECONDS) -> None:
        self.run, self.learner, self.device, self.write, self.at = run, learner, device, write, position
        self.config: TrainConfig = run.config.train
        self.total_steps = total_steps(self.config, learner.steps_per_epoch)
        self._probe, self._interrupted, self._event_seconds = probe, interrupted, event_seconds
        self._process = psutil.Process()

    def train(self) -> str:
        """Train to the end. Returns the reason of RunFinished. UserError where it cannot go on."""
        started = time.monotonic() - self.at.elapsed
        progress, wish = self._agree(started)
        pace, last_checkpoint, reason = _Pace(self.at.tokens), time.monotonic(), "complete"
        if self.device.rank == 0:
            self.run.forget_after(self.at.step)
        if self.config.probes and self.at.step == 0:
            self._save_probe()
        if self._lost_patience():  # it was killed when only its end was left to tell
            progress, reason = 1.0, "early_stop"
        while progress < 1.0:
            if wish == _PAUSE:
                started += self._pause()
                pace.begin_again(self.at.tokens)
            result = self._step(progress)
            pace.add(result)
            before = progress
            progress, wish = self._agree(started)
            now = time.monotonic()
            if now - pace.told >= self._event_seconds or progress >= 1.0:
                self._tell(result, progress, *pace.tell(now, self.at.tokens))
            aside = time.monotonic()
            improved = False
            if _due(self.config.evals, before, progress) and progress < 1.0:
                improved = self._evaluate()
            if self.config.probes and _due(self.config.probes, before, progress):
                self._save_probe()
            if self._lost_patience() or (wish == _STOP and progress < 1.0):
                reason = "early_stop" if self._lost_patience() else "stopped"
                break
            due = _due(self.config.checkpoints, before, progress) or now - last_checkpoint > CHECKPOINT_SECONDS
            if (due and progress < 1.0) or improved or wish == _CHECKPOINT:
                self._checkpoint()
                last_checkpoint = time.monotonic()
            pace.leave_out(time.monotonic() - aside)
        if self.at.evaluated_step != self.at.step:
            worse = self.at.worse_evals
            self._evaluate()
            if reason == "stopped":  # nobody asked for this one: it takes no patience from the run that goes on
                self.at.worse_evals = min(self.at.worse_evals, worse)
        if self.config.probes and not self.run.probe_path(self.at.step).exists():
            self._save_probe()
        self._checkpoint()
        return reason

    def _step(self, progress: float) -> StepResult:
        try:
            result = self.learner.step(self.at.step, progress)
        except NotFinite as error:
            raise self._with_last_checkpoint(error) from error
        self.at.step += 1
        self.at.tokens += result.tokens
        return result

    def _tell(self, result: StepResult, progress: float, loss: float, tokens_per_s: float) -> None:
        self.write(events.StepEnd(
            step=self.at.step, loss=loss, learning_rate=result.learning_rate, grad_norm=result.grad_norm, tokens=self.at.tokens,
            tokens_per_s=tokens_per_s, progress=progress, elapsed=self.at.elapsed,
            seconds_left=self.at.elapsed * (1 - progress) / max(progress, 1e-9), memory=self._process.memory_info().rss,
            gpu_memory=self.device.memory(), metrics=dict(result.metrics)))

    def _agree(self, started: float) -> tuple[float, int]:
        """The progress and the wish of the person, as rank 0 sees them."""
        self.at.elapsed = time.monotonic() - started
        wish = _STOP if self._interrupted() or self.run.commanded("stop") else _GO
        for name, code in (("pause", _PAUSE), ("checkpoint", _CHECKPOINT)):
            if wish == _GO and self.run.commanded(name):
                wish = code
        if wish == _CHECKPOINT and self.device.rank == 0:
            self.run.withdraw("checkpoint")
        progress, chosen = from_rank_zero([progress_of(self.config, self.total_steps, self.at.step, self.at.elapsed), float(wish)], self.device)
        return progress, int(chosen)

    def _pause(self) -> float:
        """Save, then wait for the pause to be taken back or for a stop. Returns the seconds that went by."""
        began = time.monotonic()
        self._checkpoint()
        self.write(events.RunPaused(step=self.at.step))
        while True:
            waiting = self.run.commanded("pause") and not self.run.commanded("stop") and not self._interrupted()
            if not from_rank_zero([float(waiting)], self.device)[0]:
                break
            time.sleep(PAUSE_POLL_SECONDS)
        self.write(events.RunContinued(step=self.at.step))
        return time.monotonic() - began

    def _lost_patience(self) -> bool:
        return 0 < self.config.patience <= self.at.worse_evals

    def _evaluate(self) -> bool:
        """Validate; returns whether it was the best so far: by the task's figure, and of equal ones by the loss."""
        metrics = self.learner.evaluate()
        self.write(events.EvalEnd(step=self.at.step, metrics=metrics))
        score, loss = self._score(metrics), metrics["loss"]
        improved = (score, -loss) > (self.at.best_score, -self.at.best_loss)
        if improved:
            self.at.best_score, self.at.best_loss, self.at.best_step = score, loss, self.at.step
        self.at.evaluated_step = self.at.step
        self.at.worse_evals = 0 if improved else self.at.worse_evals + 1
        return improved

    def _score(self, metrics: Mapping[str, float]) -> float:
        """The task's headline figure, greater is better; where there is no task none is better than another."""
        name = headline(task(self.run.config.task.task), metrics) if self.run.config.task is not None else ""
        return metrics[name] if name and math.isfinite(metrics[name]) else -math.inf

    def _save_probe(self) -> None:
        if self.device.rank == 0 and (event := self._probe(self.at.step)):
            self.write(event)

    def _checkpoint(self) -> None:
        if self.device.rank != 0:
            return
        best = self.at.best_step == self.at.step
        state: LearnerState = self.learner.state()
        known = {name: value if math.isfinite(value) else None for name, value in vars(self.at).items()}
        noted = {**known, "best": best, "steps_per_epoch": self.learner.steps_per_epoch,
                 "learner": dict(state.extra), "threads": self.device.threads, "device": str(self.device.device)}
        path = checkpoints.save(self.run, checkpoints.Checkpoint(step=self.at.step, model=state.model, optimizer=state.optimizer, state=noted))
        self.write(events.CheckpointSaved(step=self.at.step, path=path.relative_to(self.run.path).as_posix(), best=best))

    def _with_last_checkpoint(self, error: NotFinite) -> UserError:
        steps = self.run.checkpoint_steps()
        last = tr("The last good checkpoint is that of step {step}.", step=steps[-1]) if steps else tr("There is no checkpoint before it.")
        return UserError(error.message, f"{last} {error.hint}", where="learning_rate")


def resume(run: Run, learner: Learner) -> Position:
    """Put the newest whole checkpoint's state into the learner; a run without one starts anew."""
    checkpoints.recover(run)
    if not run.checkpoint_steps():
        return Position()
    checkpoint = checkpoints.load(run, optimizer=True)
    state = dict(checkpoint.state)
    learner.load_state(LearnerState(model=checkpoint.model, optimizer=checkpoint.optimizer, extra=state["learner"]))
    loss, score = state["best_loss"], state.get("best_score")  # (runs of earlier versions know no score)
    worse = state["worse_evals"]
    if 0 < run.config.train.patience <= worse and _was_ended(run, state["step"]):  # whoever lets it go on has patience again
        worse = 0
    return Position(step=state["step"], elapsed=state["elapsed"], tokens=state["tokens"], worse_evals=worse,
                    best_loss=math.inf if loss is None else loss, best_score=-math.inf if score is None else score,
                    best_step=state.get("best_step", state["step"] if state["best"] else -1), evaluated_step=state.get("evaluated_step", -1))


def _was_ended(run: Run, step: int) -> bool:
    """Whether it has told of an end since it saved its newest checkpoint, that of `step`: one that was killed on the way there has not."""
    told = [event for event in events.EventReader(run.events_path).read()  # all: its story forgets an end after which it went on
            if isinstance(event, events.CheckpointSaved | events.RunFinished) and event.step == step]
    return bool(told) and isinstance(told[-1], events.RunFinished)


def end_of(run: Run) -> int | None:
    """The step at which a run stands that has nothing left to learn, as its newest checkpoint tells without the text; None where it tells
    of no end, or not enough."""
    steps = run.checkpoint_steps()
    if not steps or not checkpoints.intact(run.checkpoint_path(steps[-1])):
        return None
    state, config = json.loads((run.checkpoint_path(steps[-1]) / "state.json").read_text(encoding="utf-8")), run.config.train
    if state.get("evaluated_step") != state["step"] or (config.epochs and "steps_per_epoch" not in state):
        return None  # it ended before its last validation; or an earlier version has written it
    total = total_steps(config, state.get("steps_per_epoch", 0.0))
    return state["step"] if progress_of(config, total, state["step"], state["elapsed"]) >= 1.0 else None


def progress_of(config: TrainConfig, total: int, step: int, elapsed: float) -> float:
    """0 to 1: whichever of the ends is nearer. total: of steps, 0 where only the clock decides. elapsed: seconds of training."""
    ends = [step / total] if total else []
    if config.minutes:
        ends.append(elapsed / (60 * config.minutes))
    return min(1.0, max(ends))


def total_steps(config: TrainConfig, steps_per_epoch: float) -> int:
    """The number of steps that steps and epochs allow (the smaller, where both are given); 0 where only the clock decides."""
    limits = [config.steps] if config.steps else []
    if config.epochs:
        limits.append(max(1, math.ceil(config.epochs * steps_per_epoch)))
    return min(limits, default=0)


def _due(times: int, before: float, after: float) -> bool:
    """Whether one of `times` evenly spread moments of the run lies between the two progresses."""
    return math.floor(after * times) > math.floor(before * times)
