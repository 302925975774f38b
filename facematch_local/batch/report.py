"""The report of a run as an HTML page that opens without a network: counts, no photos, no paths of photos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from facematch_local.batch.tally import VERDICTS, Tally
from facematch_local.codes import WarningCode
from facematch_local.evaluation.reporting import charts
from facematch_local.evaluation.reporting.html import TableView, render


def page(tally: Tally, record: Mapping[str, Any], seconds: float, resumed: int) -> str:
    """The report.

    Args:
        tally: counts over all rows.
        record: what the result was made with.
        seconds: of this run.
        resumed: rows that earlier runs had finished.
    """
    settings, results = record["settings"], tally.rows - tally.failed
    rows = tally.rows - resumed
    rate = f"{rows / seconds:.1f} rows a second" if rows and seconds > 0 else "no row examined"
    facts = [
        ("rows", f"{tally.rows:,} of {record['input']['rows']:,} in the list"),
        ("results; errors", f"{results:,}; {tally.failed:,}"),
        ("this run", f"{rows:,} rows in {seconds:.0f} s, {rate}; {resumed:,} rows from earlier runs"),
        ("pack", settings["pack"]),
        ("calibration", settings["calibration"] + ("" if settings["calibrated"] else " (generic)")),
        ("policy", settings["policy"]),
        ("SHA-256 of the list", record["input"]["sha256"]),
        ("tool", record["tool"]),
    ]
    return render(
        "batch.html",
        title="facematch batch",
        facts=TableView(("", ""), facts),
        histogram=Markup(_histogram(tally)),  # noqa: S704 - charts escape their texts
        tables=(
            _counts("verdict", tally.verdicts, VERDICTS, results, "Verdicts"),
            _warnings(tally, results),
            _counts("error", tally.errors, sorted(tally.errors), tally.rows, "Errors"),
        ),
    )


def _counts(name: str, counts: Mapping[str, int], order: Iterable[str], total: int, title: str) -> TableView:
    rows = [(key.replace("_", " "), f"{counts[key]:,}", _share(counts[key], total)) for key in order]
    return TableView((name, "rows", "share"), rows, title)


def _warnings(tally: Tally, results: int) -> TableView:
    rows = [
        (str(code), WarningCode(code).message, f"{tally.warnings[code]:,}", _share(tally.warnings[code], results))
        for code in sorted(tally.warnings)
    ]
    return TableView(("code", "message", "rows", "share of results"), rows, "Warnings")


def _histogram(tally: Tally) -> str:
    total = max(tally.percents.total(), 1)
    # Each percent as a bar: two corners.
    x = np.repeat(np.arange(102), 2)[1:-1] / 100.0
    y = np.repeat([tally.percents[percent] / total for percent in range(101)], 2)
    marks = ((0.65, "unsure from 65"), (0.75, "match from 75"))
    return charts.areas([charts.Series("results", x, y)], "percent / 100", (0.0, 1.0), marks=marks)


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.2f} %" if total else "-"
