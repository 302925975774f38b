"""The report: tables, notes, data and page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facematch_local.calibration import GENERIC
from facematch_local.checks import Role
from facematch_local.codes import WarningCode
from facematch_local.evaluation.warnings.cases import Case
from facematch_local.evaluation.warnings.evaluate import Request, Results, Selection, evaluate, select
from facematch_local.evaluation.warnings.figures import CaseResult
from facematch_local.evaluation.warnings.report import PackUsed, WarningsReport, pack_used, wrong_groups
from facematch_local.networks import Networks
from facematch_local.packs import LoadedPack, ModelPack

EVIL = "<script>alert(1)</script>"


def _report(results: Results, networks: tuple[str, ...] = ("occlusion", "document")) -> WarningsReport:
    return WarningsReport(results, PackUsed(EVIL, "1", networks, networks[1:]), "16", "2026-01-02")


@pytest.fixture
def report(
    tmp_path: Path, write_labels: Callable[..., Path], write_grey: Callable[..., None], matcher: Any
) -> WarningsReport:
    """One hit, one miss, one false alarm, one not assessed, and a photo that cannot be decoded."""
    write_grey({"a.jpg": 240, "b.jpg": 20, "c.jpg": 240, "d.jpg": 255})
    (tmp_path / "e.jpg").write_bytes(b"")
    labels = write_labels(
        "a.jpg,10,positive", "b.jpg,10,positive", "c.jpg,10,negative", "d.jpg,10,negative", "c.jpg,0,negative",
        "e.jpg,10,negative",
    )  # fmt: skip
    return _report(evaluate(matcher, select(Request(labels, tmp_path))))


def test_the_tables_hold_hits_misses_and_false_alarms(report: WarningsReport) -> None:
    (table,) = report.tables()
    assert table.title == "By code"
    rows = [dict(zip(table.header, row, strict=True)) for row in table.rows]
    assert [(row["code"], row["cases"]) for row in rows] == [("0", "real"), ("10", "real")]
    assert rows[0]["false alarms"].startswith("1/1 = 100.0 %")
    assert rows[0]["found"] == "-"
    assert (rows[1]["missed"], rows[1]["not assessed"]) == ("1", "1")
    assert rows[1]["found"].startswith("1/2 = 50.0 % [")
    assert rows[1]["false alarms"].startswith("1/2 = 50.0 % [")


def test_the_notes_name_pack_policy_networks_and_photos_without_a_result(report: WarningsReport) -> None:
    notes = report.notes()
    assert notes[0] == f"Pack {EVIL} 1, policy 16, 2026-01-02."
    assert "Networks for warnings: occlusion, document; from the shipped pack: document." in notes
    assert "1 photos could not be decoded and do not count: e.jpg" in notes
    assert not any("leave out" in note for note in notes)
    assert "The pack has no network for warnings." in _report(report.results, ()).notes()
    left_out = Results(Selection(Path("l"), (), 3, False), report.results.cases, ())
    assert "3 photos are on the lists of photos to leave out." in _report(left_out).notes()


def test_the_data_hold_every_figure_and_the_wrong_cases(report: WarningsReport) -> None:
    data = json.loads(json.dumps(report.as_data(), allow_nan=False))
    assert (data["pack"], data["networks"], data["fallback_networks"]) == (
        EVIL,
        ["occlusion", "document"],
        ["document"],
    )
    assert (data["policy"], data["date"], data["undecoded"]) == ("16", "2026-01-02", ["e.jpg"])
    entry = next(entry for entry in data["by_code"] if entry["code"] == 10)
    counts = {key: entry[key] for key in ("positive", "found", "negative", "false_alarms", "not_assessed")}
    assert counts == {"positive": 2, "found": 1, "negative": 2, "false_alarms": 1, "not_assessed": 1}
    assert entry["found_interval"] == pytest.approx([0.0945, 0.9055], abs=5e-5)
    assert entry["synthetic"] is False
    assert {row["kind"] for row in data["by_kind"]} == {"positive", "negative"}
    assert [(wrong["name"], wrong["code"], wrong["positive"]) for wrong in data["wrong"]] == [
        ("b.jpg", 10, True),
        ("c.jpg", 10, False),
        ("c.jpg", 0, False),
    ]


def test_the_page_shows_wrong_cases_as_thumbnails_and_escapes_texts(report: WarningsReport) -> None:
    page = report.page()
    assert "Misses of code 10 (1)" in page
    assert "False alarms of code 10 (1)" in page
    assert "By kind of case" in page
    assert page.count('src="data:image/jpeg;base64,') == 3
    assert "default-src 'none'" in page
    assert EVIL not in page
    assert "&lt;script&gt;" in page


def test_a_photo_without_a_thumbnail_is_named(report: WarningsReport, tmp_path: Path) -> None:
    (tmp_path / "b.jpg").unlink()
    (tmp_path / "c.jpg").write_bytes(b"no photo")
    page = report.page()
    assert "<img" not in page
    assert "<span>b.jpg</span>" in page


def _result(number: int, excess: float, positive: bool) -> CaseResult:
    case = Case(f"{number}", WarningCode.MASK, positive, Role.PORTRAIT, "", True, lambda: np.zeros((4, 4, 3), np.uint8))
    return CaseResult(case, not positive, True, excess, "")


def test_the_worst_cases_come_first() -> None:
    results = [_result(n, excess, n < 3) for n, excess in enumerate((-0.2, -0.9, -0.5, 0.1, 0.7, 0.3))]
    misses, alarms = wrong_groups(results, shown=2)
    assert [result.case.name for result in misses.worst] == ["1", "2"]
    assert [result.case.name for result in alarms.worst] == ["4", "5"]
    assert misses.title.startswith("Misses of code 9 (3): ")
    assert alarms.title.startswith("False alarms of code 9 (3): ")


def test_the_networks_of_a_pack_are_named() -> None:
    pack = ModelPack("own", "3", Path(), {})
    networks = Networks(document=object(), recapture=object())  # type: ignore[arg-type]
    loaded = LoadedPack(pack, None, GENERIC, networks, ("recapture",))  # type: ignore[arg-type]
    assert pack_used(loaded) == PackUsed("own", "3", ("recapture", "document"), ("recapture",))
