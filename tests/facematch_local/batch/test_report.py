"""Counts, and the page that shows them."""

from __future__ import annotations

from facematch_local.batch.report import page
from facematch_local.batch.rows import Fault, Outcome, RowError
from facematch_local.batch.tally import Tally

RECORD = {
    "tool": "facematch-local <1>",
    "input": {"sha256": "abc", "rows": 10},
    "settings": {"pack": "p", "calibration": "c", "calibrated": False, "policy": "16"},
}


def counted() -> Tally:
    tally = Tally()
    for outcome in (
        Outcome("1", "secret.jpg", "b", "card", 100.0, "match", (7, 8)),
        Outcome("2", "secret.jpg", "b", "card", 66.99, "unsure", (8,)),
        Outcome("3", "secret.jpg", "b", "card", fault=Fault(RowError.OVER_LIMIT, "secret")),
    ):
        tally.add(outcome)
    return tally


def test_counts() -> None:
    data = counted().as_data()
    assert data["rows"] == 3
    assert data["verdicts"] == {"match": 1, "unsure": 1, "no_match": 0}
    assert data["warnings"] == {"7": 1, "8": 2}
    assert data["errors"] == {"over_limit": 1}
    assert (data["percents"][66], data["percents"][100], sum(data["percents"])) == (1, 1, 2)


def test_page() -> None:
    text = page(counted(), RECORD, 2.0, 1)
    for part in (
        "3 of 10 in the list",
        "2; 1",
        "2 rows in 2 s, 1.0 rows a second; 1 rows from earlier runs",
        "over limit",
        "Wearing a hat",
        "100.00 %",
        "c (generic)",
        "&lt;1&gt;",
        "<svg",
    ):
        assert part in text, part
    assert "secret" not in text


def test_page_of_a_run_without_rows() -> None:
    assert "no row examined" in page(Tally(), RECORD, 0.0, 0)
