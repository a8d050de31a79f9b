"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core import whole
from core.errors import UserError


def test_what_was_there_stays_when_the_writing_fails_and_nothing_else_is_left(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("before")
    with pytest.raises(UserError, match=r"a\.txt cannot be written: the disk is full"), whole.whole_file(target, "out") as part:
        part.write_text("half")
        raise OSError(28, "No space left on device")
    with pytest.raises(KeyError), whole.whole_file(target) as part:
        part.write_text("half")
        raise KeyError
    assert target.read_text() == "before" and list(tmp_path.iterdir()) == [target]
    with whole.whole_file(target) as part:
        part.write_text("after")
        assert target.read_text() == "before"
    assert target.read_text() == "after" and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(("refusals", "arrives"), [(2, True), (3, False)])
def test_what_another_process_is_reading_is_replaced_when_it_has_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int,
                                                                      arrives: bool) -> None:
    """As on Windows, where the system refuses for as long as the file is open."""
    target, asked, replace = tmp_path / "a.txt", [], Path.replace
    target.write_text("before")

    def refusing(part: Path, path: Path) -> None:
        asked.append(path)
        if len(asked) <= refusals:
            error = PermissionError(13, "Permission denied")
            error.winerror = 32
            raise error
        replace(part, path)

    monkeypatch.setattr(whole, "WAITS", (0.0, 0.0))
    monkeypatch.setattr(Path, "replace", refusing)
    if arrives:
        with whole.whole_file(target) as part:
            part.write_text("after")
    else:
        with pytest.raises(UserError, match="another program has it open"), whole.whole_file(target) as part:
            part.write_text("after")
    assert target.read_text() == ("after" if arrives else "before")
    assert list(tmp_path.iterdir()) == [target] and len(asked) == 3


def test_what_a_dead_process_left_half_filled_goes_and_a_living_one_keeps_its_own(tmp_path: Path) -> None:
    dead, living = tmp_path / ".out.4194305.tmp", tmp_path / f".out.{os.getppid()}.tmp"  # a number that no process has
    for folder in (dead, living, tmp_path / "out"):
        folder.mkdir()
    with whole.new_folder(tmp_path / "out") as part:
        (part / "a.txt").write_text("after")
    assert sorted(tmp_path.iterdir()) == [living, tmp_path / "out"] and (tmp_path / "out" / "a.txt").exists()
    with pytest.raises(UserError, match="not empty"), whole.new_folder(tmp_path / "out"):
        pass
    with whole.replacing(tmp_path / "new" / "a.txt") as file:
        file.write(b"whole")
    halves = [tmp_path / f".b.lexi.{pid}.tmp" for pid in (4194305, os.getppid(), os.getpid())]
    for half in halves:
        half.write_text("half")
    with whole.whole_file(tmp_path / "b.lexi") as part:
        assert part == halves[2] and part.exists(), "another thread may be writing it"
        part.write_text("after")
    assert [half.exists() for half in halves] == [False, True, False]
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"whole"
