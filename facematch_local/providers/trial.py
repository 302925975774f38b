"""The trial of an execution provider: its results on two photos must be those of the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.faces import Face, FaceAnalyser, cosine

# Percentages of pairs then move by less than 0.5. OpenVINO with 32-bit arithmetic reaches 0.999998 and moves none of
# 400 pairs by more than 0.14; with bfloat16 it reaches 0.9993 and moves 16 of 120 pairs by 0.5 or more, one by 3.9.
_LEAST_COSINE: Final = 0.99999
_LARGEST_SHIFT: Final = 1.0
# Of a group of six people (886x1280): one of them, which leads to other sizes of the detector's input.
_ONE_PERSON: Final = (slice(180, 480), slice(420, 620))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the results of a provider are from those of the CPU.

    Attributes:
        expected_faces: number of faces that the CPU finds in the trial photos.
        faces: number of faces that the provider finds in them.
        shift: largest distance in pixels between edges of boxes of the same face; NaN if the numbers of faces differ.
        cosine: lowest cosine between embeddings of the same face; NaN if the numbers of faces differ.
    """

    expected_faces: int
    faces: int
    shift: float
    cosine: float

    @property
    def good(self) -> bool:
        """Whether the provider finds the same faces, with boxes within a pixel and a cosine of at least 0.99999."""
        # These comparisons are false for NaN.
        same_faces = 0 < self.expected_faces == self.faces
        return same_faces and self.shift <= _LARGEST_SHIFT and self.cosine >= _LEAST_COSINE

    def describe(self) -> str:
        """The figures in one line."""
        if self.expected_faces != self.faces:
            return f"{self.faces} faces where the CPU finds {self.expected_faces}"
        return f"{self.faces} faces, boxes within {self.shift:.3f} pixels, lowest cosine {self.cosine:.6f}"


def compare(reference: FaceAnalyser, tried: FaceAnalyser) -> Agreement:
    """Find faces with both analysers and embed the largest one of each photo.

    Args:
        reference: runs on the CPU.
        tried: the same models on another provider.
    """
    expected, found, shifts, cosines = 0, 0, [0.0], [1.0]
    for photo in _photos():
        theirs, ours = reference.find(photo), tried.find(photo)
        expected, found = expected + len(theirs), found + len(ours)
        if len(theirs) != len(ours):
            return Agreement(expected, found, float("nan"), float("nan"))
        shifts += [_shift(first, second) for first, second in zip(theirs, ours, strict=True)]
        if theirs:
            cosines.append(cosine(reference.embed(photo, theirs[0]), tried.embed(photo, ours[0])))
    return Agreement(expected, found, float(np.max(shifts)), float(np.min(cosines)))


def _shift(first: Face, second: Face) -> float:
    return float(np.abs(first.box - second.box).max())


def _photos() -> Iterator[NDArray[np.uint8]]:
    """Photos that insightface ships, HxWx3 uint8 BGR: six people, and one of them alone."""
    from insightface.data import get_image

    group: NDArray[np.uint8] = get_image("t1")
    yield group
    yield np.ascontiguousarray(group[_ONE_PERSON])
