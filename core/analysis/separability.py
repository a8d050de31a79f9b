"""How far the senses of a word are apart in each layer of a run: what stands beside the weights that a task gives to its layers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis import senses, vectors
from core.errors import UserError
from core.i18n import tr
from core.runs import Run
from core.text.specimens import Specimen


def of_layers(run: str, specimens: Sequence[Specimen], pretrained: str = "") -> dict[str, Any]:
    """{"step", "senses": how many, "own": whether it is the run's own layers, "name": whose they are, "layers": [{"auc", "centroid_accuracy",
    "interval"}], the embedding layer first}, at the newest step whose vectors can be read.

    pretrained: the run that it was made from, which is asked where the run itself has no vectors of these sentences yet. UserError
    where nothing can be measured.
    """
    labels = np.array([item.sense for item in specimens])
    senses.require_senses(labels)
    refusal: UserError | None = None
    for path in [run, *([pretrained] if pretrained else [])]:
        try:
            opened = Run.open(Path(path))
            source = vectors.source_of(opened, specimens)
            for step in source.steps[::-1]:
                found = vectors.all_layers(opened, source, specimens, step)
                if found is not None:
                    return {"step": step, "senses": len(np.unique(labels)), "own": path == run, "name": opened.name,
                            "layers": _measured(found, labels)}
        except UserError as error:
            refusal = error
    raise refusal or UserError(tr("There are no vectors of these sentences yet."), tr("Wait for the first probe or checkpoint."))


def _measured(found: np.ndarray, labels: np.ndarray) -> list[dict[str, Any]]:
    """found: (layers, specimens, size)."""
    known = np.isfinite(found).all(axis=(0, 2))
    senses.require_senses(labels, known)
    labels = labels[known]
    made = []
    for layer in found[:, known].astype(np.float32):
        hits = senses.centroid_hits(layer, labels)
        made.append({"auc": senses.auc(senses.normalised(layer), labels), "centroid_accuracy": senses.balanced(hits, labels),
                     "interval": senses.bootstrap(hits, labels)})
    return made
