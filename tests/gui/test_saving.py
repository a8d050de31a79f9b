"""The file that a person chooses: its ending, and what is there already."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from gui.saving import ask_path


def test_what_is_chosen_gets_its_ending_and_overwrites_nothing_unseen(qtbot, tmp_path, monkeypatch) -> None:
    (tmp_path / "mine.view.json").touch()
    answers = ["mine", "mine.view.json", "other", "v1.2", "mine.JSON", "mine", ""]
    asked, window = [], QWidget()
    qtbot.addWidget(window)

    def ask(_parent: QWidget, _title: str, suggested: str, _kinds: str) -> tuple[str, str]:
        asked.append(Path(suggested).name)
        answer = answers.pop(0)
        return (str(tmp_path / answer) if answer else "", "")

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    given = [Path(ask_path(window, "Save", "view", "*.view.json")).name for _ in range(5)]
    assert given == ["mine.view.json", "other.view.json", "v1.2.view.json", "mine.JSON", ""] and not answers
    assert asked == ["view", "mine.view.json", "view", "view", "view", "view", "mine.view.json"]
