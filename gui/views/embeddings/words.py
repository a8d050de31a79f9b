"""A word of the map, what is nearest to it, and what an analogy leads to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from core.i18n import sentences, tr
from core.vector_source import OCCURRENCES
from gui import picture, saving
from gui import specimen_store as store
from gui.session import Session
from gui.views import Services
from gui.views.embeddings.near import NearControls
from gui.views.embeddings.scene import Scene
from gui.views.embeddings.ways import WayControls


class Words(QObject):
    def __init__(self, scene: Scene, near: NearControls, ways: WayControls, session: Session, services: Services, parent: QObject) -> None:
        super().__init__(parent)
        self._scene, self._near, self._ways, self._session, self._services = scene, near, ways, session, services
        near.clicked.connect(self._go_to)
        near.save.connect(self._save)
        near.watch.connect(self._watch)
        ways.analogy.connect(self._find_fourth)
        scene.map.clicked.connect(self.look_at)
        session.wordChanged.connect(self.follow)

    def look_at(self, row: int) -> None:
        """List the neighbours of a row; -1 leaves it."""
        scene = self._scene
        if scene.opened is None:
            return
        scene.state = replace(scene.state, current=row)
        scene.map.picture.set_arrows(())
        scene.map.picture.set_marked([] if row < 0 else [row])
        scene.keep()
        if row < 0:
            self._near.clear()
        else:
            scene.answers.neighbours(scene.source, row, scene.state.layout.measure, self._show, self._near.clear)

    def follow(self) -> None:
        """The word that the other views look at, where it is here."""
        scene = self._scene
        row = scene.row(self._session.word)
        if scene.map.window().isVisible() and scene.opened is not None and row >= 0 and scene.source.kind != OCCURRENCES:
            self.look_at(row)

    def _show(self, row: int, measure: str, found: dict[str, Any]) -> None:
        scene, rows = self._scene, found["rows"].tolist()
        if scene.opened is None or row != scene.state.current:
            return
        self._near.show_near(scene.opened["words"][row], [scene.name(one) for one in rows], rows, found["distances"], measure)
        scene.map.picture.set_marked([row, *rows])

    def _go_to(self, row: int) -> None:
        self.look_at(row)
        self._scene.map.look_at(row)

    def _watch(self) -> None:
        with self._services.messages.guard():
            runs = [item.run for item in self._session.bench]
            self._session.look_at(self._near.word, store.specimens_of(self._near.word, runs))

    def _save(self) -> None:
        kinds = tr("Tables") + " (*.csv)"
        path = saving.ask_path(self._near, tr("Save this list as csv"), f"nearest-{self._near.word}.csv", kinds)
        if path:
            with self._services.messages.guard():
                picture.save_rows(Path(path), ["word", self._near.measure], self._near.listed)
                self._services.messages.say(tr("Saved as {name}.", name=Path(path).name))

    def _find_fourth(self) -> None:
        scene, words = self._scene, self._ways.parts
        if scene.opened is None:
            return
        for word in words:
            if scene.row(word) < 0:
                self._ways.say_analogy(tr("“{word}” is not among these words.", word=word) if word else tr("Write three words."), True)
                return
        self._ways.say_analogy("")
        scene.state = replace(scene.state, analogy=words)
        scene.keep()
        scene.answers.analogy(scene.source, [scene.row(word) for word in words], scene.state.layout.measure, self._show_fourth, self._no_fourth)

    def _show_fourth(self, rows: list[int], found: dict[str, Any]) -> None:
        near = found["rows"].tolist()
        if not near or self._scene.opened is None:
            return
        (a, b, c), words = rows, self._scene.opened["words"]
        self._ways.say_analogy(f"{words[a]} : {words[b]} = {words[c]} : {words[near[0]]}\n"
                               + tr("then {words}", words=", ".join(words[row] for row in near[1:5])))
        self._scene.map.picture.set_arrows(((a, b), (c, near[0])))
        self._scene.map.picture.set_marked([a, b, c, near[0]])

    def _no_fourth(self, message: str, hint: str) -> None:
        self._ways.say_analogy(sentences(message, hint), True)
