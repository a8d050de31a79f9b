"""Fixtures for all tests: a home of its own for each test, English texts, and the shared data where it is present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core import i18n, runs

# To compile word2vec's loops takes seconds, UMAP's half a minute: what one process has compiled is there for all others, the next time too.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).resolve().parents[1] / ".pytest_cache" / "numba"))
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the person's own runs, caches or settings."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv(runs.HOME_VARIABLE, str(home))
    monkeypatch.setenv(i18n.ENVIRONMENT_VARIABLE, "en")
    monkeypatch.setattr(i18n, "_language", "")
    return home


@pytest.fixture
def shared_data() -> Path:
    """The folder of real text beside the repository; tests that need it are skipped elsewhere."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the real text in {SHARED_DATA.parent.name}/{SHARED_DATA.name} beside the repository")
    return SHARED_DATA
