"""A few damaged files of each kind, as benchmarks/hostile.py opens thousands: refused with a sentence, or opened; nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import hostile_damage
from benchmarks.hostile import open_one, outcome_of, watch
from benchmarks.hostile_files import KINDS, make_good

FILES = 60
SLOW = {"onnx"}  # these start processes of their own


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SLOW])
def test_damaged_files_are_refused_in_words(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXISCOPE_HOME", str(tmp_path / "home"))
    good, work = tmp_path / "good", tmp_path / "work"
    make_good(kind, good)
    open_one(kind, good, good)  # a good one opens
    states = []
    for seed in range(FILES):
        outcome = outcome_of(kind, good, work, seed, [])
        assert outcome["state"] != "failed", f"{kind}, seed {seed}: {outcome['what']}"
        states.append(outcome["state"])
    assert states.count("refused") > FILES // 10


def test_the_watch_sees_what_it_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the silence of the test above would mean nothing. The hook stays for the life of the process, and only notes."""
    import pickle

    monkeypatch.setenv("LEXISCOPE_HOME", str(tmp_path / "home"))
    dangers = watch(tmp_path / "work")
    hostile_damage.STRUCK.clear()
    pickle.loads(pickle.dumps(hostile_damage.Evil()))
    assert hostile_damage.STRUCK.pop() == "code was run"
    assert any(what.startswith("pickle.find_class") for what in dangers)
    dangers.clear()
    (tmp_path / "inside").write_text("x")
    assert not dangers
