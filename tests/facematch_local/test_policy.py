"""The policy file: one limit per check, or one per method; what is not of that form is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.checks import CHECKS, Measure, Role
from facematch_local.codes import WarningCode
from facematch_local.errors import PolicyError
from facematch_local.policy import Outcome, load_policy, warnings


def _write(folder: Path, portrait: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(f'version = "t"\n{portrait}\n[card.face_found]\ncode = 4\nmin = 0.5\n', "utf-8")
    return path


def test_every_limit_speaks_of_a_check_and_every_check_has_one() -> None:
    policy = load_policy()
    for role, checks in CHECKS.items():
        assert {key.split(".")[0] for key in policy.limits[role]} == {check.name for check in checks}


def test_a_limit_by_method_is_asked_for_its_method(tmp_path: Path) -> None:
    policy = load_policy(_write(tmp_path, "[portrait.mask]\ncode = 9\nhead.max = 0.5\nclassical.max = 0.9"))
    for method, value, outcome in (
        ("head", 0.6, Outcome.WARNING),
        ("classical", 0.6, Outcome.PASSED),
        ("classical", 0.95, Outcome.WARNING),
    ):
        (finding,) = policy.judge(1, Role.PORTRAIT, {"mask": Measure(value, method=method)})
        assert finding.outcome is outcome
        assert finding.limit.code is WarningCode.MASK
    assert policy.judge(1, Role.PORTRAIT, {"mask": Measure(0.99)}) == ()


def test_what_could_not_be_assessed_is_said_and_raises_nothing(tmp_path: Path) -> None:
    policy = load_policy(_write(tmp_path, "[portrait.margin]\ncode = 12\nmin = 0.0"))
    findings = policy.judge(2, Role.PORTRAIT, {"margin": Measure.not_assessed("the eyes coincide", "IED")})
    assert [f.outcome for f in findings] == [Outcome.NOT_ASSESSED]
    assert warnings(findings) == ()


@pytest.mark.parametrize(
    "entry",
    [
        "code = 9",
        "max = 1",
        "code = 99\nmax = 1",
        "code = 9\nmaximum = 1",
        "code = 9\nmax = 1\nhead.max = 1",
        "code = 9\nhead.most = 1",
        "code = 9\nhead = {}",
        'code = 9\nmax = "much"',
        'code = 9\nmax = "0.5"',
        "code = 9\nmax = nan",
        "code = 9\nmax = inf",
        "code = 9\nmax = true",
        f"code = 9\nmax = 1{400 * '0'}",
        "code = 9\nmin = 2\nmax = 1",
        "code = 0\nhead.max = 1\nclassical.max = 1",
    ],
)
def test_other_forms_are_refused(tmp_path: Path, entry: str) -> None:
    with pytest.raises(PolicyError):
        load_policy(_write(tmp_path, f"[portrait.mask]\n{entry}"))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("[portrait]\n[card.document_colour]\ncode = 2\nmin = 0.034", r"card\.document_colour\.head has no limit"),
        ("[portrait]\n[card.document_colour]\ncode = 2\nmin = 0.034", r"card\.document_colour\.classical has no limit"),
        ("[portrait]\n[card.document_colour]\ncode = 2\nmin = 0.034", r"card\.document_colour is not measured"),
        (
            "[portrait]\n[card.document_colour]\ncode = 2\nhead.min = 0.3",
            r"card\.document_colour\.classical has no limit",
        ),
        ("[portrait.margin]\ncode = 12\nhead.min = 0.1", r"portrait\.margin has no limit"),
        (
            "[portrait.mask]\ncode = 9\nhead.max = 1\nclassical.max = 1\nother.max = 1",
            r"portrait\.mask\.other is not measured",
        ),
        ("[portrait]\n[card.margin]\ncode = 12\nmin = 0.1", r"card\.margin is not measured"),
    ],
)
def test_a_limit_that_no_measure_would_meet_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        load_policy(_write(tmp_path, entry))
