"""A verification report as a page that opens without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from facematch_local.evaluation.reporting import charts
from facematch_local.evaluation.reporting.html import Figure, TableView, render
from facematch_local.evaluation.verification.data import HISTOGRAM_BINS, coarse_histogram
from facematch_local.evaluation.verification.evaluate import Evaluation
from facematch_local.evaluation.verification.rates import RULE_OF_3, det_curve
from facematch_local.evaluation.verification.scores import Scores
from facematch_local.evaluation.verification.tables import (
    differential_lines,
    group_table,
    notes,
    summary_table,
    target_table,
)

SHOWN_PROBLEMS = 200

Thumbnail = Callable[[Path], bytes | None]
"""Returns a small JPEG of the face in a photo, None for a photo without a face."""


def page(evaluation: Evaluation, data: Mapping[str, Any], thumbnail: Thumbnail | None = None, hardest: int = 12) -> str:
    """The report as one HTML file.

    Args:
        evaluation: the run.
        data: the run as plain data (`data.as_data`).
        thumbnail: cuts the face from a photo; with None the page shows no photo, and the names of problem files are its
            only personal data.
        hardest: number of the hardest pairs of each kind to show.
    """
    return render(
        "verification.html",
        title=f"Face verification: {data['dataset']['name']}",
        origin=_origin(data),
        summary=summary_table(data),
        groups=group_table(data) if data["groups"] else None,
        differential=differential_lines(data),
        histogram=Markup(_histogram(evaluation)),  # noqa: S704 - charts escape their texts
        det=Markup(_det(evaluation)),  # noqa: S704
        targets=target_table(data),
        notes=notes(data),
        galleries=_galleries(evaluation, thumbnail, hardest) if thumbnail is not None else [],
        problems=_problems(data["problems"]),
    )


def _origin(data: Mapping[str, Any]) -> str:
    pack, dataset = data["pack"], data["dataset"]
    calibrated = "" if pack["calibrated"] else " (uncalibrated: the generic curve)"
    return (
        f"Pack {pack['name']} {pack['version']}, curve {pack['calibration']}{calibrated}. "
        f"Data: {dataset['name']}, {dataset['comparisons']}. Created {data['created']} by {data['tool']}."
    )


def _problems(problems: Mapping[str, Any]) -> TableView | None:
    if not problems["count"]:
        return None
    rows = [[problem["where"], problem["reason"]] for problem in problems["listed"][:SHOWN_PROBLEMS]]
    return TableView(["file or line", "reason"], rows, f"Left out or doubtful ({problems['count']})")


def _galleries(evaluation: Evaluation, thumbnail: Thumbnail, hardest: int) -> list[tuple[str, list[Figure]]]:
    comparisons = evaluation.overall.comparisons
    return [
        (
            "Hardest non-mated pairs (two people, high score)",
            _gallery(evaluation, comparisons.non_mated, thumbnail, hardest),
        ),
        ("Hardest mated pairs (one person, low score)", _gallery(evaluation, comparisons.mated, thumbnail, hardest)),
    ]


def _histogram(evaluation: Evaluation) -> str:
    comparisons = evaluation.overall.comparisons
    series = []
    for name, scores in (("non-mated", comparisons.non_mated), ("mated", comparisons.mated)):
        counts = np.array(coarse_histogram(scores), np.float64)
        if counts.sum():
            centres = -1 + (np.arange(HISTOGRAM_BINS) + 0.5) * 2 / HISTOGRAM_BINS
            series.append(charts.Series(name, centres, counts / counts.sum()))
    calibration = evaluation.calibration
    scale = [(calibration.cosine(percent), f"{percent}") for percent in (0, 20, 40, 50, 65, 75, 85, 90, 95, 100)]
    marks = [(mark.point.threshold, f"{mark.percent} %") for mark in evaluation.overall.marks]
    return charts.areas(series, x_label="cosine similarity", x_range=(-0.4, 1.0), top_axis=scale, marks=marks)


def _det(evaluation: Evaluation) -> str:
    series, points = [], []
    for name, scope in {"everyone": evaluation.overall, **evaluation.groups}.items():
        if not scope.comparisons.mated.count or not scope.comparisons.non_mated.count:
            continue
        fmr, fnmr = det_curve(scope.comparisons)
        # A rate of fewer than three errors is not shown (rule of 3).
        drawn = (fmr * scope.comparisons.non_mated.count >= RULE_OF_3) & (fnmr > 0)
        step = max(int(drawn.sum()) // 400, 1)
        series.append(charts.Series(name, fmr[drawn][::step], fnmr[drawn][::step]))
        points += [
            charts.Point(mark.point.fmr, mark.point.fnmr, f"{mark.percent} %")
            for mark in scope.marks
            if mark.point.fmr > 0 and mark.point.fnmr > 0 and name == "everyone"
        ]
    return charts.log_log(series, points, x_label="FMR", y_label="FNMR")


def _gallery(evaluation: Evaluation, scores: Scores, thumbnail: Thumbnail, hardest: int) -> list[Figure]:
    figures = []
    photos = evaluation.dataset.photos
    for score, first, second in scores.hardest(hardest):
        images = tuple((thumbnail(photos[photo]), photos[photo].name) for photo in (first, second))
        names = " / ".join(f"{photos[photo].parent.name}/{photos[photo].name}" for photo in (first, second))
        caption = f"{evaluation.calibration.percent(score):.2f} % (cosine {score:.3f}) {names}"
        figures.append(Figure(images, caption))
    return figures
