"""Figures of the photocopy network."""

from __future__ import annotations

import json

import numpy as np

from facematch_local.checks.check import Role
from facematch_local.policy import load_policy
from scripts.training.photocopy.evaluate import figures_of


def test_figures_count_what_the_policy_takes_for_copies() -> None:
    limit = load_policy().limits[Role.CARD]["photocopy"]
    figures = json.loads(json.dumps(figures_of([np.float64(0.99), 0.61, 0.2, None], limit)))
    assert figures.pop("network_quantiles")[2] == 0.61
    assert figures == {"photos": 4, "not_assessed": 1, "said_to_be_a_copy": 2}
    assert figures_of([None], limit)["network_quantiles"] is None
