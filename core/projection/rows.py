"""What a projection can be made of: the rows without NaN, and the refusals where there are too few or all are one."""

from __future__ import annotations

import numpy as np

from core.errors import UserError
from core.i18n import tr


def usable(x: np.ndarray, least: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The finite rows of (n, size) as float32, and which they are (n,) bool. UserError below `least`, or where all are one vector."""
    x = np.asarray(x)
    good = np.isfinite(x).all(axis=1)
    rows = x[good].astype(np.float32)
    if len(rows) < least:
        raise UserError(tr("{name} needs at least {least} vectors; here are {count}.", name=name, least=least, count=len(rows)),
                        tr("Take more words, or look at them with PCA."))
    if np.ptp(rows, axis=0).max() == 0:
        raise UserError(tr("All {count} vectors are the same: there is nothing to lay out.", count=len(rows)),
                        tr("Choose another layer or other words."))
    return rows, good


def full(picture: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Back to all rows, (n, dimensions) float64; those that were left out are NaN."""
    made = np.full((len(good), picture.shape[1]), np.nan)
    made[good] = picture
    return made
