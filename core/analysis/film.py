"""How the senses of a word came apart, step by step: the figures beneath the film of a run's training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis import layouts, senses
from core.analysis import vectors as vectors_of
from core.analysis.vectors import BOTH
from core.runs import Run
from core.text.specimens import Specimen


def course(run: str, specimens: Sequence[Specimen], layer: int, direction: str = BOTH, *, aside: bool = False) -> dict[str, Any]:
    """{"steps": [...], "auc": [float or None]}: of every step that can be read. aside: see core.analysis.vectors.layer_of. UserError with
    fewer than two senses."""
    opened = Run.open(Path(run))
    labels = np.array([item.sense for item in specimens])
    senses.require_senses(labels)
    found = layouts.steps_of(opened, vectors_of.source_of(opened, specimens), specimens, layer, direction, aside=aside)
    return {"steps": [step for step, _ in found], "auc": [_auc(vectors.astype(np.float32), labels) for _, vectors in found]}


def _auc(vectors: np.ndarray, labels: np.ndarray) -> float | None:
    known = np.isfinite(vectors).all(axis=1)
    return senses.auc(senses.normalised(vectors[known]), labels[known]) if known.any() else None
