"""The views, and what a view must be. A view imports no other view, no torch, and computes nothing: it asks the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from core import registry
from core.i18n import tr

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from gui.engine import Engine
    from gui.jobs import Jobs
    from gui.messages import Messages
    from gui.run_process import Processes
    from gui.run_watcher import RunWatcher
    from gui.session import Session
    from gui.settings import Settings

# name -> "module:class"; the order is that of the navigation. A module is imported when its view is first shown.
VIEWS = {
    "start": "gui.views.start.view:StartView",
    "corpus": "gui.views.corpus.view:CorpusView",
    "train": "gui.views.train.view:TrainView",
    "runs": "gui.views.runs.view:RunsView",
    "senses": "gui.views.senses.view:SensesView",
    "embeddings": "gui.views.embeddings.view:EmbeddingsView",
    "attention": "gui.views.attention.view:AttentionView",
    "layer_mix": "gui.views.layer_mix.view:LayerMixView",
    "predict": "gui.views.predict.view:PredictView",
    "evaluate": "gui.views.evaluate.view:EvaluateView",
    "worth": "gui.views.worth.view:WorthView",
    "export": "gui.views.export.view:ExportView",
}


def titles() -> dict[str, str]:
    """The views' names in the language of the moment. They stand here so that the navigation imports no view."""
    return {
        "start": tr("Start"),
        "corpus": tr("Text"),
        "train": tr("Train"),
        "runs": tr("Runs"),
        "senses": tr("Senses"),
        "embeddings": tr("Embeddings"),
        "attention": tr("Attention"),
        "layer_mix": tr("Layer weights"),
        "predict": tr("Predict"),
        "evaluate": tr("Evaluate"),
        "worth": tr("Worth it?"),
        "export": tr("Export"),
    }


BENCH, SPECIMENS, LAYER, STEP = "bench", "specimens", "layer", "step"


@dataclass(frozen=True, kw_only=True)
class Services:
    """What a view may ask of the window. engine: quick questions; aside: questions that take long, in a process that keeps nobody else waiting;
    jobs: long work. navigate: show the view of that name."""

    engine: Engine
    aside: Engine
    jobs: Jobs
    watcher: RunWatcher
    processes: Processes
    messages: Messages
    settings: Settings
    navigate: Callable[[str], None]


class View(Protocol):
    """A QWidget, made as SomeView(session, services) when it is first shown, and anew when the language or the theme changes.

    needs: which of the window's controls it uses: "bench", "specimens" (the dock at the right), "layer" and "step" (the sliders).
    It reads the session when it is made and follows the session's signals; it keeps nothing that must outlive it. Connect
    signals to bound methods only, which Qt disconnects when the widget dies (never to a lambda).
    icon: resources/icons/NAME.svg, NAME being its name in VIEWS. title: in `titles`.
    controls: a widget of its own to stand beneath the specimens at the right, or leave it out.
    """

    needs: ClassVar[frozenset[str]]

    def __init__(self, session: Session, services: Services) -> None: ...


def load_view(name: str) -> type[QWidget]:
    """The class of a view; imports its module. UserError with the nearest name if there is none."""
    return registry.lookup(VIEWS, name)
