"""Probabilities moved on the scale of logits."""

from __future__ import annotations

import math
from typing import Final

# Probabilities are clipped so far from 0 and 1 before their logit is taken.
_CLIP: Final = 1e-6


def logit(probability: float) -> float:
    """Natural logarithm of the odds of a probability, 0 to 1."""
    kept = _clipped(probability)
    return math.log(kept / (1 - kept))


def expit(value: float) -> float:
    """The probability, 0 to 1, with this logit."""
    return 1 / (1 + math.exp(-value))


def lowered(probability: float, logits: float) -> float:
    """A probability, 0 to 1, after its logit was lowered by `logits`; unchanged for 0."""
    if not logits:
        return probability
    kept = _clipped(probability)
    return 1 / (1 + (1 - kept) / kept * math.exp(logits))


def _clipped(probability: float) -> float:
    return min(max(probability, _CLIP), 1 - _CLIP)
