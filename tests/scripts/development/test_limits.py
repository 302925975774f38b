"""Kept measures give the figures of other limits without looking at a photo again."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.checks import Role
from facematch_local.evaluation.warnings.cases import read_cases
from facematch_local.policy import load_policy
from scripts.development.limits import lines, main, moved, results, sweep
from scripts.development.measures import Measured, read_measures, write_measures

ALL = dict.fromkeys(load_policy().limits[Role.PORTRAIT])


def _photos(folder: Path) -> tuple[Path, Path]:
    """A list of three photos with sunglasses and three without, and their measures: 0.1 to 0.6."""
    rows, kept = ["path,code,label,role,kind"], {}
    for n in range(6):
        name = f"{n}.jpg"
        (folder / name).write_bytes(b"x")
        rows.append(f"{name},7,{'positive' if n > 2 else 'negative'},portrait,{'worn' if n > 2 else 'bare'}")
        kept[name, Role.PORTRAIT] = Measured([[0.0] * 15], {**ALL, "sunglasses": 0.1 + n / 10}, {"mask": "no face"})
    kept["5.jpg", Role.PORTRAIT] = Measured(None)
    labels, file = folder / "labels.csv", folder / "measures.json"
    labels.write_text("\n".join(rows), "utf-8")
    write_measures(file, kept)
    return labels, file


def test_measures_survive_the_file(tmp_path: Path) -> None:
    _, file = _photos(tmp_path)
    kept = read_measures(file)
    assert kept["0.jpg", Role.PORTRAIT].values["sunglasses"] == 0.1
    assert kept["0.jpg", Role.PORTRAIT].reasons == {"mask": "no face"}
    assert kept["5.jpg", Role.PORTRAIT].faces is None
    assert read_measures(tmp_path / "none.json") == {}


@pytest.mark.parametrize(("limit", "found", "alarms"), [(0.05, 2, 3), (0.25, 2, 1), (0.45, 1, 0)])
def test_figures_follow_the_limit(tmp_path: Path, limit: float, found: int, alarms: int) -> None:
    labels, file = _photos(tmp_path)
    policy = moved(load_policy(), Role.PORTRAIT, "sunglasses", limit)
    judged = results(read_cases(labels, tmp_path), read_measures(file), policy)
    assert len(judged) == 5  # one photo was not decoded
    assert sum(result.raised for result in judged if result.case.positive) == found
    assert sum(result.raised for result in judged if not result.case.positive) == alarms
    table = list(lines(judged))
    assert f"| 7 | worn | {found}/2 = " in table[-1]
    assert load_policy().limits[Role.PORTRAIT]["sunglasses"] != policy.limits[Role.PORTRAIT]["sunglasses"]


def test_a_sweep_shows_the_way_from_all_to_none(tmp_path: Path) -> None:
    labels, file = _photos(tmp_path)
    cases, kept = read_cases(labels, tmp_path), read_measures(file)
    swept = list(sweep([c for c in cases if c.name != "5.jpg"], kept, load_policy(), Role.PORTRAIT, "sunglasses"))
    assert "bare 2/3 = 66.7 % , worn 2/2 = 100.0 %" in swept[0]
    assert "bare 0/3 = 0.0 % , worn 0/2 = 0.0 %" in swept[-1]


def test_the_command_names_what_it_cannot_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, file = _photos(tmp_path)
    asked = [str(file), str(labels), "--data", str(tmp_path)]
    assert main([*asked, "--set", "portrait.sunglasses=0.25", "--wrong", "7"]) == 0
    told = capsys.readouterr().out
    assert "7 2.jpg (bare): sunglasses 0.3" in told
    assert main([*asked, "--set", "portrait.hat=0.5"]) == 2
    assert "portrait.hat: the policy has no such limit" in capsys.readouterr().err
    assert main([*asked, "--set", "passport.crop=0.5"]) == 2
