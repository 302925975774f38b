"""Photos on which an earlier version did the wrong thing; each stands for a kind. The pack is the shipped `compact`."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.matcher import FaceMatcher
from facematch_local.policy import Outcome, warnings

CASES = Path(__file__).parents[1] / "cases"


@pytest.mark.parametrize("name", ["two_people_astronaut_t1-0_25", "two_people_t1-0_t1-2_35"])
def test_a_second_person_of_whom_the_detector_is_unsure_or_who_tilts_the_head_is_found(
    name: str, matcher: FaceMatcher
) -> None:
    result, findings = matcher.examine((CASES / f"{name}.jpg").read_bytes(), "portrait")
    assert len(result.faces) == 2
    assert 6 in warnings(findings)


@pytest.mark.parametrize("name", ["side_cut_astronaut_55", "side_cut_t1-1_60"])
def test_a_bare_face_cut_by_the_side_of_the_picture_is_at_the_margin_and_not_covered(
    name: str, matcher: FaceMatcher
) -> None:
    _, findings = matcher.examine((CASES / f"{name}.jpg").read_bytes(), "portrait")
    assert 12 in warnings(findings)
    outcomes = {finding.name: finding.outcome for finding in findings}
    assert {outcomes[check] for check in ("sunglasses", "head_covering")} == {Outcome.NOT_ASSESSED}
    # A mask is assessed where the picture ends just beside the mouth.
    assert outcomes["mask"] in (Outcome.NOT_ASSESSED, Outcome.PASSED)
