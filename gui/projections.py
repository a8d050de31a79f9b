"""The projections that the window offers: all of the registry, each by its title."""

from __future__ import annotations

from core.registry import PROJECTIONS

PCA, TSNE, UMAP = "pca", "tsne", "umap"
_TITLES = {PCA: "PCA", TSNE: "t-SNE", UMAP: "UMAP"}


def titles() -> dict[str, str]:
    """name -> what people call it."""
    return {name: _TITLES.get(name, name) for name in PROJECTIONS}
