"""Figures of the document network."""

from __future__ import annotations

import json

import numpy as np
import pytest

from facematch_local.checks.check import Role
from facematch_local.policy import load_policy
from scripts.training.document.evaluate import figures_of, overlap


def test_figures_count_what_the_policy_takes_for_documents() -> None:
    limit = load_policy().limits[Role.CARD]["document"]
    values = [(np.float32(0.99), np.float32(0.9)), (0.86, 0.2), (0.1, 0.1)]
    figures = json.loads(json.dumps(figures_of(values, limit)))
    assert figures.pop("network_quantiles")[2] == 0.2
    assert figures == {"photos": 3, "said_to_be_a_document": 2, "by_the_network_alone": 1}


def test_overlap_of_outlines() -> None:
    square = np.array([(0, 0), (10, 0), (10, 10), (0, 10)], float)
    assert overlap(square, square) == pytest.approx(1)
    assert overlap(square, np.add(square, (5, 0))) == pytest.approx(1 / 3)
    assert overlap(square, np.add(square, (20, 0))) == 0
