"""Some seconds of what benchmarks/restless.py does for many minutes."""

from __future__ import annotations

from benchmarks.restless import one_life


def test_clicks_at_everything_end_in_no_error_that_nobody_foresaw():
    life = one_life(seed=0, minutes=0.3)
    assert not life["died"] and life["errors"] == 0, life
    assert life["acts"] > 3, "it hardly did anything"
