"""Figures: operating points of a score, confidence intervals of shares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from scripts.training.common.image import Array

RATES = (0.01, 0.03, 0.05)
GRID = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def operating_points(scores: Array, positive: Array) -> dict[str, Any]:
    """Cases, AUC, found at `RATES` of false alarms with the threshold that gives them, and the rates on a grid."""
    hits, rest = np.sort(scores[positive]), np.sort(scores[~positive])
    # Imported here: it takes half a second, and the programs that import this module rarely need it.
    from scipy.stats import mannwhitneyu

    ahead = mannwhitneyu(hits, rest, method="asymptotic").statistic  # pairs in which the positive scores higher
    out: dict[str, Any] = {
        "positives": len(hits),
        "negatives": len(rest),
        "auc": round(float(ahead / len(hits) / len(rest)), 4),
    }
    for rate in RATES:
        allowed = int(np.floor(rate * len(rest)))
        threshold = float(rest[len(rest) - 1 - allowed])
        out[f"found at {rate:.0%}"] = round(float((hits > threshold).mean()), 4)
        out[f"threshold at {rate:.0%}"] = round(threshold, 4)
    out["found, false alarms above"] = {
        str(t): [round(float((hits > t).mean()), 4), round(float((rest > t).mean()), 4)] for t in GRID
    }
    return out


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; `of` is at least 1."""
    from scipy.stats import binomtest

    interval = binomtest(hits, of).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def write_figures(path: Path, content: dict[str, Any]) -> None:
    """Write JSON with a final line end; create its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, sort_keys=True) + "\n")
