"""Error rates of ISO/IEC 30107-3 with Wilson intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facematch_local.checks import Role
from facematch_local.checks.logits import logit
from facematch_local.checks.recapture import LEAST_VIEW, OFFSET
from facematch_local.policy import load_policy
from scripts.training.common.image import Array


@dataclass(frozen=True)
class Rate:
    """Errors among photos.

    Attributes:
        errors: how many.
        count: of how many.
    """

    errors: int
    count: int

    def __str__(self) -> str:
        if not self.count:
            return "0 of 0"
        from scipy.stats import binomtest  # takes half a second

        low, high = binomtest(self.errors, self.count).proportion_ci(method="wilson")
        return f"{self.errors} of {self.count} = {self.errors / self.count:.1%} [{low:.0%}, {high:.0%}]".replace(
            "%", " %"
        )


def apcer(scores: Array, limit: float) -> Rate:
    """Attack presentation classification error rate: recaptures [N] that do not exceed the limit."""
    return Rate(int((scores <= limit).sum()), len(scores))


def bpcer(scores: Array, limit: float) -> Rate:
    """Bona fide presentation classification error rate: real photos [N] that exceed the limit."""
    return Rate(int((scores > limit).sum()), len(scores))


def texture_limit() -> float:
    """Logit of the texture beyond which a photo raises a warning by the policy, whatever its view."""
    maximum = load_policy().limits[Role.PORTRAIT]["recapture"].maximum
    if maximum is None:
        raise ValueError("the policy has no limit of recapture")
    return logit(maximum) - OFFSET - LEAST_VIEW


def limit_at(real: Array, rate: float) -> float:
    """The lowest of the scores of real photos that at most `rate` of them exceed."""
    return float(np.sort(real)[::-1][int(rate * len(real))])
