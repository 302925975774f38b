"""Operating points and intervals, against values worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scripts.training.common.figures import operating_points, wilson, write_figures


def test_operating_points_of_a_few_scores() -> None:
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.35, 0.4, 0.9])
    positive = np.array([False] * 4 + [True] * 3)
    points = operating_points(scores, positive)
    # Pairs won of 12: 3 of 4 for 0.35, 3.5 for 0.4 (a draw counts half), 4 for 0.9.
    assert points["auc"] == round(10.5 / 12, 4)
    assert (points["positives"], points["negatives"]) == (3, 4)
    assert points["threshold at 1%"] == 0.4  # no false alarm is allowed: only what lies above the largest
    assert points["found at 1%"] == round(1 / 3, 4)
    assert points["found, false alarms above"]["0.3"] == [1.0, 0.25]


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.27753),
        (9, 10, 0.59585, 0.98212),
        (50, 100, 0.40383, 0.59617),
    ],
)
def test_wilson_interval(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits, of) == pytest.approx((low, high), abs=1e-5)


def test_figures_are_written_into_a_new_folder(tmp_path: Path) -> None:
    write_figures(tmp_path / "figures" / "one.json", {"b": 1, "a": [0.5]})
    text = (tmp_path / "figures" / "one.json").read_text()
    assert text.endswith("\n")
    assert json.loads(text) == {"a": [0.5], "b": 1}
