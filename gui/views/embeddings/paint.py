"""Which points of the map are bright, shown and chosen, and in which colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QObject

from core.i18n import sentences, tr
from gui.views.embeddings.colours import COUNT, HDBSCAN, KMEANS, ColourControls, by_clusters, by_values
from gui.views.embeddings.find import FindControls
from gui.views.embeddings.scene import Scene


class Paint(QObject):
    def __init__(self, scene: Scene, find: FindControls, colours: ColourControls, parent: QObject) -> None:
        super().__init__(parent)
        self._scene, self._find, self._colours = scene, find, colours
        find.changed.connect(self.show_found)
        find.choose.connect(self._choose_found)
        colours.changed.connect(self.colour)

    def show_found(self) -> None:
        found, scene, bright = self._find.found, self._scene, None
        if found is not None and self._find.grey and scene.count:
            bright = np.zeros(scene.count, bool)
            bright[found] = True
        scene.map.picture.set_bright(bright)
        scene.state = replace(scene.state, query=self._find.query, regex=self._find.regex, grey=self._find.grey)
        scene.keep()

    def show_selection(self) -> None:
        """What is shown and what is chosen."""
        scene, mask = self._scene, None
        if scene.selection.shown is not None:
            mask = np.zeros(scene.count, bool)
            mask[scene.selection.shown] = True
        scene.map.picture.set_shown(mask)
        scene.map.picture.set_selected(scene.selection.chosen)
        if scene.map.follows:
            scene.map.fit()

    def colour(self) -> None:
        scene, name = self._scene, self._colours.colour
        if scene.opened is None:
            return
        scene.state = replace(scene.state, colour=name, clusters=self._colours.clusters)
        still = partial(self._if_still, name)
        if name in (KMEANS, HDBSCAN):
            self._colours.say(tr("Grouping the vectors..."))
            scene.answers.clusters(scene.source, name, scene.state.layout.measure, scene.selection.shown, self._colours.clusters,
                                   partial(still, self._clustered), partial(still, self._refused))
        elif name == COUNT:
            self._colours.say(tr("Counting the words..."))
            scene.answers.counts(scene.source, partial(still, self._counted), partial(still, self._refused), partial(still, self._counting))
        else:
            self._paint(by_values(name, scene.opened["columns"][name]) if name in scene.opened["columns"] else None)
        scene.keep()

    def _choose_found(self) -> None:
        if self._find.found is not None:
            self._scene.selection.choose(self._find.found)

    def _if_still(self, name: str, then: Callable[..., None], *found: Any) -> None:
        """An answer may come after another colour was chosen."""
        if self._colours.colour == name:
            then(*found)

    def _clustered(self, name: str, found: dict[str, Any]) -> None:
        self._paint(by_clusters(name, found["labels"], found["sizes"]))
        self._colours.say(tr("{count} clusters in the full space", count=len(found["sizes"])))

    def _counting(self, stage: str, done: int, total: int) -> None:
        self._colours.say(f"{stage} {done / total:.0%}" if total else stage)

    def _counted(self, counts: np.ndarray) -> None:
        self._colours.say("")
        self._paint(by_values(COUNT, counts))

    def _refused(self, message: str, hint: str) -> None:
        self._colours.say(sentences(message, hint), True)
        self._paint(None)

    def _paint(self, made: Mapping[str, Any] | None) -> None:
        picture = self._scene.map.picture
        if made is None:
            picture.set_colours(None)
            picture.set_legend(None)
        else:
            picture.set_colours(made["colours"], made["rgb"], made["symbols"])
            picture.set_legend(made["legend"])
