"""The policy file: one limit per check; every other form is refused, old names with the new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.checks import CHECKS, Measure, Role
from facematch_local.checks.examination import GHOST_PERCENT
from facematch_local.codes import WarningCode
from facematch_local.errors import PolicyError
from facematch_local.policy import DEFAULT_POLICY, Outcome, load_policy, warnings


def _write(folder: Path, portrait: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(f'version = "t"\n{portrait}\n[card.face_confidence]\ncode = 4\nmin = 0.5\n', "utf-8")
    return path


def test_every_limit_speaks_of_a_check_and_every_check_has_one() -> None:
    policy = load_policy()
    for role, checks in CHECKS.items():
        assert set(policy.limits[role]) == {check.name for check in checks}


def test_bounds_are_included(tmp_path: Path) -> None:
    policy = load_policy(_write(tmp_path, "[portrait.mask]\ncode = 9\nmin = 0.1\nmax = 0.5"))
    for value, outcome in (
        (0.09, Outcome.WARNING),
        (0.1, Outcome.PASSED),
        (0.5, Outcome.PASSED),
        (0.51, Outcome.WARNING),
    ):
        (finding,) = policy.judge(1, Role.PORTRAIT, {"mask": Measure(value)})
        assert finding.outcome is outcome
        assert finding.limit.code is WarningCode.MASK
    assert policy.judge(1, Role.CARD, {"mask": Measure(0.99)}) == ()


def test_the_policy_states_from_which_similarity_a_face_is_a_ghost_portrait(tmp_path: Path) -> None:
    assert load_policy().ghost_percent == GHOST_PERCENT
    single_face = "[portrait]\n[card.single_face]\ncode = 6\nmax = 0.3\n"
    assert load_policy(_write(tmp_path, single_face)).ghost_percent == GHOST_PERCENT
    assert load_policy(_write(tmp_path, single_face + "ghost_percent = 60.5")).ghost_percent == 60.5
    for wrong in ("-1.0", "101.0", "true", '"46"', "nan"):
        with pytest.raises(PolicyError, match=r"card\.single_face\.ghost_percent"):
            load_policy(_write(tmp_path, single_face + f"ghost_percent = {wrong}"))
    elsewhere = "[portrait.single_face]\ncode = 6\nmax = 0.3\nghost_percent = 46.0"
    with pytest.raises(PolicyError, match=r"portrait\.single_face: ghost_percent belongs to card\.single_face only"):
        load_policy(_write(tmp_path, elsewhere))


def test_a_measure_that_was_not_assessed_is_reported_and_raises_nothing(tmp_path: Path) -> None:
    policy = load_policy(_write(tmp_path, "[portrait.crop]\ncode = 12\nmin = 0.0"))
    findings = policy.judge(2, Role.PORTRAIT, {"crop": Measure.not_assessed("the eyes coincide", "IED")})
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
        "code = 0\nmax = 1",
    ],
)
def test_other_forms_are_refused(tmp_path: Path, entry: str) -> None:
    with pytest.raises(PolicyError):
        load_policy(_write(tmp_path, f"[portrait.mask]\n{entry}"))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("[portrait.hat]\ncode = 8\nmax = 0.5", r"portrait\.hat is not a check; write portrait\.head_covering"),
        ("[portrait.margin]\ncode = 12\nmin = 0", r"portrait\.margin is not a check; write portrait\.crop"),
        ("[portrait]\n[card.document_colour]\ncode = 2\nmin = 0", r"write card\.photocopy, with max = 1 - min"),
        ("[portrait.sunglases]\ncode = 7\nmax = 0.5", r"write portrait\.sunglasses"),
        ("[portrait]\n[card.crop]\ncode = 12\nmin = 0.1", r"card\.crop is not a check"),
        ("[portrait.mask]\ncode = 9\nhead.max = 1\nclassical.max = 1", r"portrait\.mask: write head\.min or head\.max"),
        ("[portrait.mask]\ncode = 9\nother = 1\nmax = 1", r"portrait\.mask\.other: Extra inputs"),
        ("[somebody]", r"somebody: Extra inputs"),
    ],
)
def test_a_limit_that_no_check_would_meet_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    portrait = "" if "[portrait" in entry else "[portrait]\n"
    with pytest.raises(PolicyError, match=message):
        load_policy(_write(tmp_path, portrait + entry))


def test_every_old_name_has_a_new_one_that_is_a_check() -> None:
    from facematch_local.policy import _RENAMED

    names = {check.name for checks in CHECKS.values() for check in checks}
    assert {new.split(",")[0] for new in _RENAMED.values()} <= names
    assert not names & set(_RENAMED)


def test_a_copy_of_an_earlier_policy_goes_on_without_the_checks_that_it_does_not_know(tmp_path: Path) -> None:
    text = DEFAULT_POLICY.read_text("utf-8")
    start = text.index("[portrait.edge_blur]")
    older = tmp_path / "policy.toml"
    older.write_text(text[:start] + text[text.index("[portrait.noise]") :], "utf-8")
    measures = {"blur": Measure(0.5), "edge_blur": Measure(0.99)}
    findings = load_policy(older).judge(2, Role.PORTRAIT, measures)
    assert [finding.name for finding in findings] == ["blur"]
    assert [f.name for f in load_policy().judge(2, Role.PORTRAIT, measures) if f.outcome is Outcome.WARNING] == [
        "edge_blur"
    ]
