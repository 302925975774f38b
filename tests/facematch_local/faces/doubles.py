"""Detectors, recognisers and filters with fixed answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Rows = NDArray[np.float32]


@dataclass
class Looks:
    """A detector that remembers the size of the network's input and the shape of the picture of each look."""

    looks: list[tuple[int, int]] = field(default_factory=list, kw_only=True)
    shapes: list[tuple[int, ...]] = field(default_factory=list, kw_only=True)

    def detect(
        self,
        img: Pixels,
        input_size: tuple[int, int] | None = None,
        max_num: int = 0,
        metric: str = "default",
        det_thresh: float | None = None,
    ) -> tuple[Rows, Rows | None]:
        assert input_size is not None
        self.looks.append(input_size)
        self.shapes.append(img.shape[:2])
        boxes, points = self.found(*img.shape[:2])
        sure = [index for index, box in enumerate(boxes) if not box[4] < (det_thresh or 0.0)]
        return (
            np.array(boxes, np.float32).reshape(-1, 5)[sure],
            np.array(points, np.float32).reshape(-1, 5, 2)[sure],
        )

    def found(self, height: int, width: int) -> tuple[Sequence[Sequence[float]], Sequence[object]]:
        """Boxes (left, top, right, bottom, score) and five landmarks each, in pixels of this look's picture."""
        raise NotImplementedError


@dataclass
class FakeDetector(Looks):
    """Finds `faces` (boxes in shares of the photo) in the pass number `at`.

    Each look is surer by `gain` than the one before.
    """

    faces: Sequence[tuple[float, float, float, float]] = ()
    at: int = 0
    score: float = 0.9
    gain: float = 0.0

    def found(self, height: int, width: int) -> tuple[Sequence[Sequence[float]], Sequence[object]]:
        faces = self.faces if len(self.looks) - 1 >= self.at else ()
        score = self.score + self.gain * (len(self.looks) - 1)
        boxes = [(*np.array(face) * (width, height, width, height), score) for face in faces]
        # Landmarks at the corners: an upright face.
        return boxes, [
            [(left, top), (right, top), (left, top), (left, bottom), (right, bottom)]
            for left, top, right, bottom, _ in boxes
        ]


@dataclass
class CentredFace(Looks):
    """Finds one square face in the middle: its side as a share of the photo, its score, its roll in degrees."""

    side: float = 0.5
    score: float = 0.9
    roll: float = 0.0

    def found(self, height: int, width: int) -> tuple[Sequence[Sequence[float]], Sequence[object]]:
        x, y, half = width / 2, height / 2, self.side * width / 2
        angle = math.radians(self.roll)
        turn = np.array([(math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))])
        # On whole numbers: float32 has no room for noise in the roll.
        points = np.array([(-16, -16), (16, -16), (0, 0), (-16, 16), (16, 16)], float) @ turn + (x, y)
        return [(x - half, y - half, x + half, y + half, self.score)], [points]


@dataclass
class FakeRecogniser:
    """Embeds every crop as zeros."""

    input_size: tuple[int, int] = (112, 112)

    def get_feat(self, imgs: Sequence[Pixels]) -> Rows:
        return np.zeros((len(imgs), 4), np.float32)


@dataclass
class LeftThirdRecogniser:
    """Embeds a crop by its left third: (0.1, 0) where that is black, else (0, 5)."""

    input_size: tuple[int, int] = (112, 112)

    def get_feat(self, imgs: Sequence[Pixels]) -> Rows:
        return np.array([(0.1, 0.0) if img[:, :40].max() == 0 else (0.0, 5.0) for img in imgs], np.float32)


@dataclass
class FakeConfirmer:
    """A face filter that returns the same confidence for every box and counts its calls."""

    says: float
    asked: int = 0

    def confirm(self, pixels: Pixels, box: Rows, score: float) -> float:
        self.asked += 1
        return self.says
