"""How quickly the map of vectors is drawn and laid out, beside its peers in the same run: a part of benchmarks.views.

frame_ms_10k, frame_ms_100k, frame_ms_1m: the median milliseconds of a painted frame while panning and zooming a map of so many points in
eight colours, labels and all, in 860 x 600 pixels (from 20,000 points in sight on: of their density); _plain: in one colour.
pyqtgraph_ms_...: the same moves of pyqtgraph's own ScatterPlotItem, every point drawn, without labels; the million in one colour.
pca_100k_ms: PCA of 100,000 x 128; sklearn_pca_100k_ms: sklearn's. tsne_ratio: seconds of t-SNE of 10,000 x 128 for 250 iterations,
neighbours and all, divided by those of sklearn's for as many; below 1 ours is the quicker.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtWidgets import QApplication

WIDTH, HEIGHT = 860, 600
COUNTS = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
FRAMES = 20
ITERATIONS = 250  # the fewest that sklearn makes
TSNE_POINTS = 10_000


def frames() -> dict[str, float]:
    from gui import theme
    from gui.qt.repair import hold_constants
    from gui.widgets.plots import pyqtgraph
    from gui.widgets.point_map import PointMap

    hold_constants()
    app = QApplication.instance() or QApplication([])
    app.setStyle("Fusion")
    theme.apply(app, "light")
    random = np.random.default_rng(0)
    made: dict[str, float] = {}
    for name, count in COUNTS.items():
        groups = random.integers(0, 8, count)
        xy = (random.normal(size=(8, 2))[groups] * 3 + random.normal(size=(count, 2))).astype(np.float32)
        shown = PointMap()
        shown.resize(WIDTH, HEIGHT)
        shown.set_points(xy)
        shown.picture.set_words([f"word{row}" for row in range(count)])
        shown.show()
        made[f"frame_ms_{name}_plain"] = _moved(app, shown.repaint, shown.pan, shown.zoom)
        shown.picture.set_colours(groups, np.array([theme.sense_colour(number).getRgb()[:3] for number in range(8)], np.uint8))
        shown.fit()
        made[f"frame_ms_{name}"] = _moved(app, shown.repaint, shown.pan, shown.zoom)
        shown.close()
        peer = pyqtgraph.PlotWidget(background="w")
        peer.resize(WIDTH, HEIGHT)
        item = pyqtgraph.ScatterPlotItem(x=xy[:, 0], y=xy[:, 1], size=5, pen=None, pxMode=True)
        item.setBrush([pyqtgraph.mkBrush(theme.sense_colour(number)) for number in groups.tolist()] if count < 200_000
                      else pyqtgraph.mkBrush(theme.sense_colour(0)))
        peer.addItem(item)
        peer.show()
        view = peer.getViewBox()
        made[f"pyqtgraph_ms_{name}"] = _moved(app, peer.viewport().repaint, lambda across, down, view=view: view.translateBy(across / 50, down / 50),
                                              lambda factor, view=view: view.scaleBy((1 / factor, 1 / factor)))
        peer.close()
    return made


def _moved(app: QApplication, draw: Callable[[], None], pan: Callable[[float, float], None], zoom: Callable[[float], None]) -> float:
    app.processEvents()
    draw()
    spent = []
    for number in range(FRAMES):
        begin = time.perf_counter()
        if number % 2:
            pan(4, 3)
        else:
            zoom(1.03 if number % 4 else 1 / 1.03)
        draw()
        spent.append((time.perf_counter() - begin) * 1000)
    return statistics.median(spent)


def layouts() -> dict[str, float]:
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    from core.projection import pca, tsne

    random = np.random.default_rng(0)
    x = random.normal(size=(100_000, 128)).astype(np.float32)
    made = {"pca_100k_ms": 1000 * min(_seconds(lambda: pca.PCA().fit_transform(x)) for _ in range(3)),
            "sklearn_pca_100k_ms": 1000 * min(_seconds(lambda: PCA(2).fit_transform(x)) for _ in range(3))}
    groups = random.normal(size=(20, 128)).astype(np.float32) * 2
    x = groups[random.integers(0, 20, TSNE_POINTS)] + random.normal(size=(TSNE_POINTS, 128)).astype(np.float32)
    for first in (tsne.TSNE(iterations=3), TSNE(max_iter=ITERATIONS, n_jobs=-1)):
        first.fit_transform(x[:500])  # what is loaded and compiled once is not the question, of neither
    made["tsne_s"] = _seconds(lambda: tsne.TSNE(iterations=ITERATIONS).fit_transform(x))
    made["sklearn_tsne_s"] = _seconds(lambda: TSNE(max_iter=ITERATIONS, n_jobs=-1).fit_transform(x))
    made["tsne_ratio"] = made["tsne_s"] / made["sklearn_tsne_s"]
    return made


def _seconds(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin
