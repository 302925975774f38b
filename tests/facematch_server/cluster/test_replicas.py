"""Numbers of replicas from the command line."""

from __future__ import annotations

import pytest

from facematch_local.errors import FacematchError
from facematch_server.cluster.replicas import Replicas


@pytest.mark.parametrize(("text", "expected"), [("1", (1, 1)), ("4", (4, 4)), ("2:8", (2, 8)), ("3:3", (3, 3))])
def test_a_number_or_a_range(text: str, expected: tuple[int, int]) -> None:
    assert Replicas.parse(text) == Replicas(*expected)


@pytest.mark.parametrize("text", ["0", "", "-1", "2:1", "0:4", "1:", ":4", "a", "1:2:3", "1.5", "1:99999", "1 "])
def test_others_are_refused(text: str) -> None:
    with pytest.raises(FacematchError, match="give a number, or MIN:MAX"):
        Replicas.parse(text)
