"""Calibration: conversion of a cosine to percent, and of percent to a verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from facematch_local.errors import PolicyError


class Verdict(IntEnum):
    """`match` of the reply."""

    MATCH = 1
    UNSURE = 0
    NO_MATCH = -1


@dataclass(frozen=True, slots=True)
class Calibration:
    """A strictly increasing, piecewise linear curve from cosine similarity to percent.

    Attributes:
        id: name of the curve, stated in every detailed result.
        cosines: knots, strictly increasing from 0.0 to 1.0.
        percents: percent at each knot, strictly increasing from 0.0 to 100.0.
        calibrated: False for a generic curve, which does not rest on data of the pack.
        recogniser_sha256: checksum of the recogniser that the curve applies to; "" for any.
        landmarks_sha256: checksum of the landmark network used for alignment; "" for none.
        landmark_looks: number of passes of the landmark network over a face.
        mirror: whether the mirrored crop was embedded as well.

    Raises:
        PolicyError: the curve does not rise strictly from (0, 0) to (1, 100).
    """

    id: str
    cosines: tuple[float, ...]
    percents: tuple[float, ...]
    calibrated: bool = True
    recogniser_sha256: str = ""
    landmarks_sha256: str = ""
    landmark_looks: int = 1
    mirror: bool = False

    def __post_init__(self) -> None:
        knots = list(zip(self.cosines, self.percents, strict=False))
        rising = all(low[0] < high[0] and low[1] < high[1] for low, high in pairwise(knots))
        ends = [(0.0, 0.0), (1.0, 100.0)]
        if len(self.cosines) != len(self.percents) or [*knots[:1], *knots[-1:]] != ends or not rising:
            raise PolicyError(f"calibration {self.id}: the curve must rise strictly from (0, 0) to (1, 100)")

    def percent(self, cosine: float) -> float:
        """Percent for a cosine, 0 to 100, rounded to two decimals; 0 for cosines of 0 or less and for NaN.

        The verdict is derived from this rounded number, so that it agrees with the number in the reply.
        """
        if not cosine > 0.0:
            return 0.0
        return round(float(np.interp(cosine, self.cosines, self.percents)), 2)

    def cosine(self, percent: float) -> float:
        """The cosine at which the curve reaches `percent`."""
        return float(np.interp(percent, self.percents, self.cosines))


# The curve for weights without a curve of their own. Its knots are well above those of the measured margin-trained
# (ArcFace) packs, so that an unknown model reports "no match" too often rather than too rarely.
GENERIC = Calibration("generic-1", (0.0, 0.45, 0.55, 1.0), (0.0, 65.0, 75.0, 100.0), calibrated=False)


# The curve for a pack whose own curve was made for other weights. Small distilled recognisers give two people much
# higher cosines (`compact`: 0.39 and 0.59, docs/accuracy.md); these knots are above theirs as well.
GENERIC_STRICT = Calibration("generic-strict-1", (0.0, 0.72, 0.82, 1.0), (0.0, 65.0, 75.0, 100.0), calibrated=False)


def as_calibration(content: Mapping[str, Any]) -> Calibration:
    """Build the curve from the content of a calibration file.

    Raises:
        KeyError, TypeError, ValueError: the content does not have the documented form.
        PolicyError: the curve does not rise strictly from (0, 0) to (1, 100).
    """
    knots = content["curve"]
    return Calibration(
        id=str(content["id"]),
        cosines=tuple(float(knot["cosine"]) for knot in knots),
        percents=tuple(float(knot["percent"]) for knot in knots),
        recogniser_sha256=str(content.get("recogniser_sha256", "")),
        landmarks_sha256=str(content.get("landmarks_sha256", "")),
        landmark_looks=int(content.get("landmark_looks", 1)),
        mirror=bool(content.get("mirror", False)),
    )


def load_calibration(path: Path) -> Calibration:
    """Read a calibration file.

    Raises:
        PolicyError: the file is missing or does not have the documented form.
    """
    try:
        return as_calibration(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise PolicyError(f"{path}: not a calibration file ({type(error).__name__})") from None


def verdict(percent: float) -> Verdict:
    """The contract's verdict for a percentage: MATCH above 75, UNSURE from 65 to 75, NO_MATCH below 65."""
    if percent > 75:
        return Verdict.MATCH
    return Verdict.UNSURE if percent >= 65 else Verdict.NO_MATCH
