"""A verification run as plain data, for JSON and for `calibrate`."""

from __future__ import annotations

import math
from typing import Any

from facematch_local import __version__
from facematch_local.evaluation.verification.bootstrap import Interval
from facematch_local.evaluation.verification.evaluate import Evaluation
from facematch_local.evaluation.verification.rates import FoldAccuracy
from facematch_local.evaluation.verification.scope import FmrPoint, MarkPoint, Scope
from facematch_local.evaluation.verification.scores import Scores
from facematch_local.packs import LoadedPack, landmarks_sha256, sha256_of

FORMAT = 1
HISTOGRAM_BINS = 200
LISTED_PROBLEMS = 1000


def as_data(evaluation: Evaluation, pack: LoadedPack, created: str) -> dict[str, Any]:
    """All figures, ready for `json.dumps`; None stands for an unknown figure. It has no photos and no embeddings."""
    overall = scope_data(evaluation.overall)
    return {
        "format": FORMAT,
        "tool": f"facematch-local {__version__}",
        "created": created,
        "pack": _pack(evaluation, pack),
        "dataset": _dataset(evaluation),
        "fta": _plain(evaluation.fta),
        "at_percent": overall["at_percent"],
        "eer": overall["eer"],
        "lfw_accuracy": _accuracy(evaluation.accuracy),
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
        "histograms": {"range": [-1, 1], "mated": coarse_histogram(mated), "non_mated": coarse_histogram(non_mated)},
    }


def _pack(evaluation: Evaluation, pack: LoadedPack) -> dict[str, Any]:
    return {
        "name": pack.pack.name,
        "version": pack.pack.version,
        "recogniser_sha256": sha256_of(pack.pack.files["recognition"].path),
        "landmarks_sha256": landmarks_sha256(pack.pack),
        "landmark_looks": pack.pack.landmark_looks or 1,
        "mirror": pack.pack.mirror,
        "calibration": evaluation.calibration.id,
        "calibrated": evaluation.calibration.calibrated,
    }


def _dataset(evaluation: Evaluation) -> dict[str, Any]:
    dataset, embeddings = evaluation.dataset, evaluation.embeddings
    return {
        "name": dataset.name,
        "comparisons": "all pairs" if dataset.pairs is None else "listed pairs",
        "photos": len(dataset.photos),
        "readable": int((~embeddings.unreadable).sum()),
        "with_face": int(embeddings.usable.sum()),
        "copies_left_out": evaluation.copies,
    }


def _accuracy(accuracy: FoldAccuracy | None) -> dict[str, Any] | None:
    if accuracy is None:
        return None
    return {
        "mean": accuracy.mean,
        "standard_error": accuracy.standard_error,
        "folds": accuracy.folds,
        "folds_given": accuracy.given,
    }


def coarse_histogram(scores: Scores) -> list[int]:
    """The histogram in `HISTOGRAM_BINS` bins over cosine -1 to 1."""
    return [int(count) for count in scores.histogram.reshape(HISTOGRAM_BINS, -1).sum(axis=1)]


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
    """The value, or None for NaN and infinity, which JSON does not have."""
    return value if math.isfinite(value) else None
