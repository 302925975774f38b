"""`facematch serve`: options that need each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("option", "value"), [("--address", "10.0.0.1:6379"), ("--replicas", "2")], ids=["address", "replicas"]
)
def test_options_of_a_cluster_need_its_engine(facematch: Callable[..., Any], option: str, value: str) -> None:
    done = facematch("serve", option, value)
    assert done.code == 2
    assert "needs --engine ray" in done.err
    assert option in done.err
