from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.exchange.exports import require_free


def test_where_nothing_can_stand_the_reason_is_said(tmp_path: Path) -> None:
    require_free(tmp_path / "x")
    with pytest.raises(UserError, match="the name is too long") as caught:
        require_free(tmp_path / ("x" * 3000))
    assert caught.value.hint and caught.value.where == "out"
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is there already"):
        require_free(tmp_path / "file")
    with pytest.raises(UserError, match="is not empty"):
        require_free(tmp_path)
