"""Conversion and adjustment of probabilities on the scale of logits."""

from __future__ import annotations

import math
from typing import Final

# Probabilities are clipped to this distance from 0 and 1 before taking the logit.
_CLIP: Final = 1e-6


def logit(probability: float) -> float:
    """Natural logarithm of the odds of a probability, 0 to 1."""
    kept = _clipped(probability)
    return math.log(kept / (1 - kept))


def expit(value: float) -> float:
    """The probability, 0 to 1, with this logit."""
    return 1 / (1 + math.exp(-value))


def lowered(probability: float, logits: float) -> float:
    """The probability, 0 to 1, with its logit reduced by `logits`; unchanged for 0."""
    if not logits:
        return probability
    kept = _clipped(probability)
    return 1 / (1 + (1 - kept) / kept * math.exp(logits))


def _clipped(probability: float) -> float:
    return min(max(probability, _CLIP), 1 - _CLIP)
