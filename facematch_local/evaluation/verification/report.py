"""A verification report as plain data (for JSON and for `calibrate`) and as a page that opens without a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facematch_local import __version__
from facematch_local.evaluation.reporting import charts, html
from facematch_local.evaluation.verification.bootstrap import FEW_SUBJECTS, Interval
from facematch_local.evaluation.verification.evaluate import Evaluation, FmrPoint, MarkPoint, Scope
from facematch_local.evaluation.verification.rates import RULE_OF_30, det_curve
from facematch_local.evaluation.verification.scores import Scores
from facematch_local.packs import LoadedPack, landmarks_sha256, sha256_of

FORMAT = 1
HISTOGRAM_BINS = 200
LISTED_PROBLEMS = 1000

Thumbnail = Callable[[Path], bytes | None]
"""Gives a small JPEG of the face in a photo, None where there is none."""


def as_data(evaluation: Evaluation, pack: LoadedPack, created: str) -> dict[str, Any]:
    """Everything that was measured, ready for `json.dumps`: no photos, no embeddings; None for "cannot be said"."""
    dataset, embeddings = evaluation.dataset, evaluation.embeddings
    overall = scope_data(evaluation.overall)
    return {
        "format": FORMAT,
        "tool": f"facematch-local {__version__}",
        "created": created,
        "pack": {
            "name": pack.pack.name,
            "version": pack.pack.version,
            "recogniser_sha256": sha256_of(pack.pack.files["recognition"].path),
            "landmarks_sha256": landmarks_sha256(pack.pack),
            "landmark_looks": pack.pack.landmark_looks or 1,
            "mirror": pack.pack.mirror,
            "calibration": evaluation.calibration.id,
            "calibrated": evaluation.calibration.calibrated,
        },
        "dataset": {
            "name": dataset.name,
            "comparisons": "all pairs" if dataset.pairs is None else "listed pairs",
            "photos": len(dataset.photos),
            "readable": int((~embeddings.unreadable).sum()),
            "with_face": int(embeddings.usable.sum()),
            "copies_left_out": evaluation.copies,
        },
        "fta": _plain(evaluation.fta),
        "at_percent": overall["at_percent"],
        "eer": overall["eer"],
        "lfw_accuracy": None
        if evaluation.accuracy is None
        else {
            "mean": evaluation.accuracy.mean,
            "standard_error": evaluation.accuracy.standard_error,
            "folds": evaluation.accuracy.folds,
            "folds_given": evaluation.accuracy.given,
        },
        "overall": overall,
        "groups": [scope_data(scope) for scope in evaluation.groups.values()],
        "differential": [
            {
                "percent": item.percent,
                "worst_fmr_group": item.worst_fmr_group or None,
                "fmr_ratio": _plain(item.fmr_ratio),
                "worst_fnmr_group": item.worst_fnmr_group or None,
                "fnmr_ratio": _plain(item.fnmr_ratio),
            }
            for item in evaluation.differential
        ],
        "problems": {
            "count": len(evaluation.problems),
            "listed": [
                {"where": problem.where, "reason": problem.reason} for problem in evaluation.problems[:LISTED_PROBLEMS]
            ],
        },
    }


def scope_data(scope: Scope) -> dict[str, Any]:
    """One population as plain data."""
    mated, non_mated = scope.comparisons.mated, scope.comparisons.non_mated
    return {
        "name": scope.name,
        "people": scope.people,
        "photos": scope.photos,
        "mated": mated.count,
        "non_mated": non_mated.count,
        "mated_median": _plain(mated.quantile(0.5)),
        "at_percent": {str(mark.percent): _mark(mark) for mark in scope.marks},
        "eer": _plain(scope.eer),
        "eer_threshold": _plain(scope.eer_threshold),
        "fmr_targets": [_target(target) for target in scope.targets],
        "histograms": {"range": [-1, 1], "mated": _coarse(mated), "non_mated": _coarse(non_mated)},
    }


def _mark(mark: MarkPoint) -> dict[str, Any]:
    return {
        "cosine": _plain(mark.point.threshold),
        "fmr": _plain(mark.point.fmr),
        "fnmr": _plain(mark.point.fnmr),
        "tmr": _plain(mark.point.tmr),
        "fmr_interval": _interval(mark.fmr),
        "fnmr_interval": _interval(mark.fnmr),
        "false_matches": mark.point.false_matches,
        "false_non_matches": mark.point.false_non_matches,
        "gfmr": _plain(mark.gfmr),
        "gfnmr": _plain(mark.gfnmr),
    }


def _target(target: FmrPoint) -> dict[str, Any]:
    return {
        "fmr": target.fmr,
        "supported": target.supported,
        "threshold": _plain(target.threshold),
        "threshold_interval": _interval(target.interval),
        "tmr": _plain(target.tmr),
        "false_matches": target.false_matches if target.supported else None,
    }


def _interval(interval: Interval) -> list[float | None]:
    return [_plain(interval.low), _plain(interval.high)]


def _plain(value: float) -> float | None:
    """JSON knows no NaN."""
    return value if math.isfinite(value) else None


def _coarse(scores: Scores) -> list[int]:
    return [int(count) for count in scores.histogram.reshape(HISTOGRAM_BINS, -1).sum(axis=1)]


def page(evaluation: Evaluation, data: Mapping[str, Any], thumbnail: Thumbnail | None = None, hardest: int = 12) -> str:
    """The report as one HTML file.

    Args:
        evaluation: what was measured.
        data: the same as plain data.
        thumbnail: cuts the face from a photo; None leaves all photos out (the report then holds no personal data
            but file names of problems).
        hardest: how many of the worst false matches and false non-matches to show.
    """
    pack = data["pack"]
    calibrated = "" if pack["calibrated"] else " (uncalibrated: the generic curve)"
    sections = [
        html.paragraph(
            f"Pack {pack['name']} {pack['version']}, curve {pack['calibration']}{calibrated}. Data: "
            f"{data['dataset']['name']}, {data['dataset']['comparisons']}. Made {data['created']} by {data['tool']}."
        ),
        html.section("At a glance", html.table(*summary_rows(data))),
        html.section(
            "Who is affected",
            html.table(*group_rows(data)),
            *[html.paragraph(line) for line in differential_lines(data)],
        )
        if data["groups"]
        else "",
        html.section("Scores and percents", _histogram(evaluation), html.paragraph(_HISTOGRAM_NOTE)),
        html.section("Detection error trade-off", _det(evaluation), html.table(*target_rows(data))),
        html.section("Notes", *[html.paragraph(line) for line in notes(data)]),
    ]
    if thumbnail is not None:
        sections += [
            html.section(title, _gallery(evaluation, scores, thumbnail, hardest))
            for title, scores in (
                ("Hardest non-mated pairs (two people, high score)", evaluation.overall.comparisons.non_mated),
                ("Hardest mated pairs (one person, low score)", evaluation.overall.comparisons.mated),
            )
        ]
    problems = data["problems"]
    if problems["count"]:
        rows = [[problem["where"], problem["reason"]] for problem in problems["listed"][:200]]
        sections.append(html.section(f"Left out or doubtful ({problems['count']})", html.table(["where", "why"], rows)))
    return html.page("Face verification: " + str(data["dataset"]["name"]), *sections)


_HISTOGRAM_NOTE = (
    "Each curve has the same area. The upper axis is the percent that a client reads; the dashed lines are the marks "
    "at 65 and 75."
)


def summary_rows(data: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """The main table, header and rows, shared by page and terminal."""
    overall = data["overall"]
    rows = []
    for percent in ("65", "75"):
        mark = overall["at_percent"][percent]
        rows.append(
            [
                f"{percent} %",
                f"{mark['cosine']:.4f}",
                fmr_text(mark["fmr"], overall["non_mated"]),
                interval_text(mark["fmr_interval"]),
                rate_text(mark["fnmr"]),
                interval_text(mark["fnmr_interval"], "{:.2%}"),
                rate_text(mark["tmr"]),
                rate_text(mark["gfnmr"]),
            ]
        )
    header = ["mark", "cosine", "FMR", "95 % interval", "FNMR", "95 % interval", "TMR", "FNMR with FTA"]
    return header, rows


def group_rows(data: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """One row per group."""
    rows = []
    for group in (data["overall"], *data["groups"]):
        at65, at75 = group["at_percent"]["65"], group["at_percent"]["75"]
        rows.append(
            [
                group["name"] or "everyone",
                f"{group['people']:,}",
                f"{group['mated']:,}",
                f"{group['non_mated']:,}",
                fmr_text(at65["fmr"], group["non_mated"]),
                interval_text(at65["fmr_interval"]),
                fmr_text(at75["fmr"], group["non_mated"]),
                interval_text(at75["fmr_interval"]),
                rate_text(at75["tmr"]),
                rate_text(group["eer"]),
            ]
        )
    header = ["group", "people", "mated", "non-mated", "FMR at 65", "95 %", "FMR at 75", "95 %", "TMR at 75", "EER"]
    return header, rows


def target_rows(data: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Thresholds at stated FMRs; only those that the number of comparisons carries."""
    rows = []
    for scope in (data["overall"], *data["groups"]):
        for target in scope["fmr_targets"]:
            if target["supported"]:
                rough = "" if target["false_matches"] >= RULE_OF_30 else " (rough: under 30 errors)"
                rows.append(
                    [
                        scope["name"] or "everyone",
                        f"{target['fmr']:g}{rough}",
                        f"{target['threshold']:.4f}",
                        interval_text(target["threshold_interval"], "{:.3f}"),
                        rate_text(target["tmr"]),
                    ]
                )
    return ["group", "FMR", "cosine", "95 % interval", "TMR"], rows


def differential_lines(data: Mapping[str, Any]) -> list[str]:
    """Differential performance in words."""
    lines = []
    for item in data["differential"]:
        for kind in ("fmr", "fnmr"):
            group, ratio = item[f"worst_{kind}_group"], item[f"{kind}_ratio"]
            if group and ratio is not None:
                lines.append(
                    f"At {item['percent']} % the group with the highest {kind.upper()} is {group}: "
                    f"{ratio:.1f} times that of everyone."
                )
    return lines


def notes(data: Mapping[str, Any]) -> list[str]:
    """What a reader must know to read the figures rightly."""
    dataset, overall = data["dataset"], data["overall"]
    fta = "unknown" if data["fta"] is None else rate_text(data["fta"])
    lines = [
        f"{dataset['photos']:,} photos, {dataset['readable']:,} readable, {dataset['with_face']:,} with a face: "
        f"failure to acquire {fta}. FMR and FNMR are over comparisons that took place; 'FNMR with FTA' counts a mated "
        "pair with a faceless photo as not matched. Unreadable files count as neither.",
        f"{overall['mated']:,} mated and {overall['non_mated']:,} non-mated comparisons of {overall['people']:,} "
        "people. "
        f"Intervals: 95 %, people drawn with replacement. A rate x is stated only from 3/x comparisons on.",
    ]
    if data["lfw_accuracy"]:
        accuracy = data["lfw_accuracy"]
        how = "as listed" if accuracy["folds_given"] else "made here, since the list names none"
        lines.append(
            f"Accuracy by the LFW protocol: {100 * accuracy['mean']:.2f} % +- {100 * accuracy['standard_error']:.2f} "
            f"({accuracy['folds']} folds {how}; threshold chosen on the other folds)."
        )
    if dataset["copies_left_out"]:
        lines.append(f"{dataset['copies_left_out']:,} copies of the same file under the same person were left out.")
    few = [scope["name"] or "everyone" for scope in (overall, *data["groups"]) if scope["people"] < FEW_SUBJECTS]
    if few:
        lines.append(f"Fewer than {FEW_SUBJECTS} people, intervals are rough: {', '.join(few)}.")
    return lines


def fmr_text(rate: float | None, count: int) -> str:
    """A rate of errors; without a single one, the bound that the number of comparisons allows."""
    if rate is None:
        return "-"
    return f"< {3 / count:.1e}" if rate == 0 and count else f"{rate:.2e}"


def rate_text(rate: float | None) -> str:
    """A rate in percent."""
    return "-" if rate is None else f"{100 * rate:.2f} %"


def interval_text(interval: Sequence[float | None], form: str = "{:.1e}") -> str:
    """An interval."""
    low, high = interval
    return "-" if low is None or high is None else f"{form.format(low)} .. {form.format(high)}"


def _histogram(evaluation: Evaluation) -> str:
    comparisons = evaluation.overall.comparisons
    series = []
    for name, scores in (("non-mated", comparisons.non_mated), ("mated", comparisons.mated)):
        counts = np.array(_coarse(scores), np.float64)
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
        # Where fewer than three errors are left there is nothing to draw a curve from.
        drawn = (fmr * scope.comparisons.non_mated.count >= 3) & (fnmr > 0)
        step = max(int(drawn.sum()) // 400, 1)
        series.append(charts.Series(name, fmr[drawn][::step], fnmr[drawn][::step]))
        points += [
            charts.Point(mark.point.fmr, mark.point.fnmr, f"{mark.percent} %")
            for mark in scope.marks
            if mark.point.fmr > 0 and mark.point.fnmr > 0 and name == "everyone"
        ]
    return charts.log_log(series, points, x_label="FMR", y_label="FNMR")


def _gallery(evaluation: Evaluation, scores: Scores, thumbnail: Thumbnail, hardest: int) -> str:
    figures = []
    photos = evaluation.dataset.photos
    for score, first, second in scores.hardest(hardest):
        images = [html.image(thumbnail(photos[photo]), photos[photo].name) for photo in (first, second)]
        names = " / ".join(f"{photos[photo].parent.name}/{photos[photo].name}" for photo in (first, second))
        caption = f"{evaluation.calibration.percent(score):.2f} % (cosine {score:.3f}) {names}"
        figures.append(html.figure("".join(images), caption))
    return html.gallery(figures)
