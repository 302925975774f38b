"""One face: its box, landmarks, head pose in the image plane, and embedding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief_repr import BriefRepr

# Eye distance over eye-to-mouth distance in the 112x112 ArcFace template (insightface.utils.face_align): 35.24 / 40.68.
# Used to estimate the eye distance of a head in profile from the eye-to-mouth distance, which yaw does not shorten.
EYE_DISTANCE_PER_EYE_MOUTH: Final = 0.866


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Face(BriefRepr):
    """One detected face, in pixels of the decoded photo.

    Attributes:
        box: (4,) float32: left, top, right, bottom.
        landmarks: (5, 2) float32, x and y: left eye, right eye, nose tip, left mouth corner, right mouth corner (the
            viewer's left and right); corrected by the landmark network if the pack has one.
        score: confidence, 0 to 1: the detector's; for a face below `DetectionSettings.score`, the combined confidence
            of detector and face filter.
        embedding: (D,) float32 of length 1, or None if the face was not embedded.
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
    def longer_side(self) -> float:
        """The larger of width and height."""
        return max(self.width, self.height)

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    @property
    def eye_midpoint(self) -> NDArray[np.float32]:
        """Midpoint between the eyes, (2,) float32, x and y."""
        middle: NDArray[np.float32] = self.landmarks[:2].mean(axis=0)
        return middle

    @property
    def roll(self) -> float:
        """Roll of the head in the image plane in degrees, -180 to 180; 0 upright, 90 turned clockwise."""
        down = self.landmarks[3:5].mean(axis=0) - self.eye_midpoint
        return math.degrees(math.atan2(-float(down[0]), float(down[1])))

    @property
    def inter_eye_distance(self) -> float:
        """Distance between the eye centres in pixels, corrected for a turned head.

        Yaw shortens the distance between the eyes but not the eye-to-mouth distance; pitch does the opposite. The
        larger of the two, in the proportions of the ArcFace template, serves both cases. (ISO/IEC 29794-5 divides by
        the cosine of the yaw for the same reason.)
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
    """Unit vectors along the head's own axes: from left eye to right eye, and from the eyes down.

    Returns:
        (2, 2) float64, one vector (x, y) per row; the photo's axes if the landmarks define no direction.
    """
    across = (face.landmarks[1] - face.landmarks[0]).astype(np.float64)
    down = face.landmarks[3:5].mean(axis=0) - face.eye_midpoint.astype(np.float64)
    # Averaging both directions estimates roll more robustly under yaw and pitch than either alone.
    x, y = across[0] + down[1], across[1] - down[0]
    length = float(np.hypot(x, y))
    return np.array([[x, y], [-y, x]]) / length if length > 1e-6 else np.eye(2)


# Extent from the midpoint between the eyes to the left, top, right and bottom, in inter-eye distances: the portrait and
# about the same area of the document around it.
_PORTRAIT: Final = (3.2, 2.6, 3.2, 3.4)


def portrait_corners(face: Face) -> NDArray[np.float32]:
    """Corners of a box around a face's portrait, along the head's axes.

    Returns:
        (4, 2) float32 in pixels of the photo: top left, top right, bottom right, bottom left; may lie outside it.
    """
    left, up, right, down = _PORTRAIT
    across, along = head_axes(face) * max(face.inter_eye_distance, 1.0)
    middle = face.eye_midpoint.astype(np.float64)
    corners = [middle + x * across + y * along for x, y in ((-left, -up), (right, -up), (right, down), (-left, down))]
    return np.array(corners, np.float32)
