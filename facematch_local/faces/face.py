"""One face: where it is, how the head is turned, its embedding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief import BriefRepr

# Eye distance over eye-to-mouth distance in the 112x112 ArcFace template (insightface.utils.face_align):
# 35.24 / 40.68. Lets the eye distance of a head in profile be told from what profile does not shorten.
EYE_DISTANCE_PER_EYE_MOUTH: Final = 0.866


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Face(BriefRepr):
    """One detected face, in pixels of the decoded photo.

    Attributes:
        box: (4,) float32: left, top, right, bottom.
        landmarks: (5, 2) float32, x and y: the eye at the viewer's left, the eye at the viewer's right,
            nose tip, mouth corner at the left, mouth corner at the right; put right by the landmark network
            where the pack has one.
        score: the detector's confidence, 0 to 1; that of detector and face filter together for a face which the
            detector alone would not have told from other things.
        embedding: (D,) float32 of length 1, or None where the face was not embedded.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float
    embedding: NDArray[np.float32] | None = None

    @property
    def width(self) -> float:
        """Width of the box in pixels."""
        return float(self.box[2] - self.box[0])

    @property
    def height(self) -> float:
        """Height of the box in pixels."""
        return float(self.box[3] - self.box[1])

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    @property
    def eye_midpoint(self) -> NDArray[np.float32]:
        """(2,) float32: the point half-way between the eyes."""
        middle: NDArray[np.float32] = self.landmarks[:2].mean(axis=0)
        return middle

    @property
    def roll(self) -> float:
        """Degrees by which the head is turned in the picture's plane, -180 to 180; 0 upright, 90 clockwise."""
        down = self.landmarks[3:5].mean(axis=0) - self.eye_midpoint
        return math.degrees(math.atan2(-float(down[0]), float(down[1])))

    @property
    def inter_eye_distance(self) -> float:
        """Distance between the eye centres in pixels, as it would be were the head not turned.

        Turning the head shortens the distance between the eyes but not the one from eyes to mouth;
        nodding does the opposite. The longer of the two, in the proportions of the ArcFace template,
        serves both (ISO/IEC 29794-5 divides by the cosine of the yaw for the same reason).
        """
        eyes = float(np.linalg.norm(self.landmarks[1] - self.landmarks[0]))
        mouth = self.landmarks[3:5].mean(axis=0)
        eye_mouth = float(np.linalg.norm(mouth - self.eye_midpoint))
        return max(eyes, EYE_DISTANCE_PER_EYE_MOUTH * eye_mouth)


def cosine(first: Face, second: Face) -> float:
    """Cosine similarity of two embedded faces, -1 to 1.

    Raises:
        ValueError: one of the faces has no embedding.
    """
    if first.embedding is None or second.embedding is None:
        raise ValueError("both faces must be embedded")
    return float(np.clip(np.dot(first.embedding, second.embedding), -1.0, 1.0))


def head_axes(face: Face) -> NDArray[np.float64]:
    """(2, 2): the directions, of length 1, from eye to eye and from the eyes down, as the head is turned.

    Level where the landmarks tell no direction.
    """
    across = (face.landmarks[1] - face.landmarks[0]).astype(np.float64)
    down = face.landmarks[3:5].mean(axis=0) - face.eye_midpoint.astype(np.float64)
    # Both directions tell the turn of the head; their sum is steadier than either in a turned or nodding head.
    x, y = across[0] + down[1], across[1] - down[0]
    length = float(np.hypot(x, y))
    return np.array([[x, y], [-y, x]]) / length if length > 1e-6 else np.eye(2)


# From the middle between the eyes to the left, up, right and down, in inter-eye distances: a portrait, and of what it
# is printed on about as much again.
_PORTRAIT: Final = (3.2, 2.6, 3.2, 3.4)


def portrait_corners(face: Face) -> NDArray[np.float32]:
    """Corners, in the photo, of a box around a face's portrait, upright as the head is; (4, 2) float32."""
    left, up, right, down = _PORTRAIT
    across, along = head_axes(face) * max(face.inter_eye_distance, 1.0)
    middle = face.eye_midpoint.astype(np.float64)
    corners = [middle + x * across + y * along for x, y in ((-left, -up), (right, -up), (right, down), (-left, down))]
    return np.array(corners, np.float32)
