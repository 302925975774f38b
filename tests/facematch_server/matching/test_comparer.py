"""From results to replies, without HTTP."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from facematch_local.checks import Role
from facematch_server.matching.comparer import MatcherComparer, warm_up


def test_a_match(matcher: Any, astronaut_jpeg: bytes) -> None:
    compared = MatcherComparer(matcher).compare(astronaut_jpeg, astronaut_jpeg, Role.CARD)
    assert compared.match == "1"
    assert compared.face1 == compared.face2
    assert compared.timings["total"] > 0


def test_warming_up_runs_the_detector_once() -> None:
    seen: list[Any] = []
    analyser = SimpleNamespace(find=seen.append)
    warm_up(SimpleNamespace(pack=SimpleNamespace(analyser=analyser)))  # type: ignore[arg-type]
    [photo] = seen
    assert (photo.shape, photo.dtype) == ((480, 640, 3), np.uint8)
