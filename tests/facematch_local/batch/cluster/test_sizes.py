"""How many rows an actor gets at a time."""

from __future__ import annotations

import pytest

from facematch_local.batch.cluster.engine import rows_of_a_task


@pytest.mark.parametrize(
    ("rows", "jobs", "expected"), [(0, 1, 4), (120, 2, 4), (640, 2, 10), (10_000_000, 1000, 32), (100, 10_000, 4)]
)
def test_few_for_short_lists_and_many_for_long_ones(rows: int, jobs: int, expected: int) -> None:
    assert rows_of_a_task(rows, jobs) == expected
