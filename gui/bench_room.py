"""Room on the bench for a run that has begun while it was full."""

from __future__ import annotations

from functools import partial

from core.i18n import tr
from core.runs import Run
from gui.session import Session
from gui.views import Services


def say_full(session: Session, services: Services, run: Run) -> None:
    """Tell of a run that is trained beside a full bench, and offer to make room for it there."""
    services.messages.say(tr("{name} is being trained.", name=run.name), tr("The bench is full; take a run off to see its curve."),
                          kind="warning", action=tr("Make room for it"), on_action=partial(make_room, session, run))


def make_room(session: Session, run: Run) -> None:
    """Put it in the place of the run that it was finetuned from, else of the last one."""
    if session.on_bench(run.path) is not None or not session.bench:
        return
    beneath = run.config.task.pretrained if run.config.task else ""
    gives_way = next((item for item in session.bench if str(item.path) == beneath), session.bench[-1])
    place = session.bench.index(gives_way)
    session.remove_run(gives_way.path)
    session.add_run(run, gives_way.colour, place)
