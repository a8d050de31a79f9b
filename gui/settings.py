"""What the window remembers between two starts: an ini file in the program's home."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from core import i18n
from core.runs import home


class Settings:
    """Each property is read from and written to the file at once. Damaged values read as their defaults."""

    def __init__(self, path: Path | None = None) -> None:
        self._store = QSettings(str(path or home() / "settings.ini"), QSettings.Format.IniFormat)

    def sync(self) -> None:
        self._store.sync()

    def get(self, key: str, default: str = "") -> str:
        """For what a view wants to remember; the key begins with the view's name: "train/preset"."""
        value = self._store.value(key, default)
        return value if isinstance(value, str) else default

    def set(self, key: str, value: str) -> None:
        self._store.setValue(key, value)

    @property
    def language(self) -> str:
        found = self.get("window/language")
        return found if found in i18n.LANGUAGES else i18n.system_language()

    @language.setter
    def language(self, name: str) -> None:
        self.set("window/language", name)

    @property
    def theme(self) -> str:
        """ "light", "dark", or "system", which follows the desktop."""
        found = self.get("window/theme", "system")
        return found if found in ("light", "dark") else "system"

    @theme.setter
    def theme(self, name: str) -> None:
        self.set("window/theme", name)

    @property
    def zoom(self) -> float:
        """Size of all text: 1.0 is normal."""
        try:
            return min(max(float(self.get("window/zoom", "1.0")), 0.8), 1.6)
        except ValueError:
            return 1.0

    @zoom.setter
    def zoom(self, factor: float) -> None:
        self.set("window/zoom", f"{factor:.2f}")

    @property
    def folded(self) -> bool:
        """Whether the sides of the window are folded, so that the view has all the room."""
        return self.get("window/folded") == "yes"

    @folded.setter
    def folded(self, folded: bool) -> None:
        self.set("window/folded", "yes" if folded else "")

    @property
    def view(self) -> str:
        return self.get("window/view", "start")

    @view.setter
    def view(self, name: str) -> None:
        self.set("window/view", name)

    @property
    def geometry(self) -> QByteArray:
        value = self._store.value("window/geometry")
        return value if isinstance(value, QByteArray) else QByteArray()

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self._store.setValue("window/geometry", geometry)

    @property
    def bench(self) -> list[Path]:
        return [Path(line) for line in self.get("session/bench").splitlines() if line]

    @bench.setter
    def bench(self, paths: list[Path]) -> None:
        self.set("session/bench", "\n".join(str(path) for path in paths))

    @property
    def colours(self) -> list[int]:
        """Of the runs on the bench, in their order."""
        return [int(line) for line in self.get("session/colours").split() if line.isdecimal()]

    @colours.setter
    def colours(self, colours: list[int]) -> None:
        self.set("session/colours", " ".join(map(str, colours)))

    @property
    def word(self) -> str:
        return self.get("session/word")

    @word.setter
    def word(self, word: str) -> None:
        self.set("session/word", word)
