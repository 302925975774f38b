"""Find, align and embed faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# Eye distance over eye-to-mouth distance in the 112x112 ArcFace template (insightface.utils.face_align):
# 35.24 / 40.68. Lets the eye distance of a head in profile be told from what profile does not shorten.
EYE_DISTANCE_PER_EYE_MOUTH: float = 0.866


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One detected face, in pixels of the decoded photo.

    Attributes:
        box: (4,) float32: left, top, right, bottom.
        landmarks: (5, 2) float32, x and y: the eye at the viewer's left, the eye at the viewer's right,
            nose tip, mouth corner at the left, mouth corner at the right.
        score: detector confidence, 0 to 1.
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


class Detector(Protocol):
    """What insightface's SCRFD offers; it keeps no state between calls but a cache of anchor centres."""

    def detect(
        self,
        img: NDArray[np.uint8],
        input_size: tuple[int, int] | None = None,
        max_num: int = 0,
        metric: str = "default",
        det_thresh: float | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]: ...


class Recogniser(Protocol):
    """What insightface's ArcFaceONNX offers."""

    input_size: tuple[int, int]

    def get_feat(self, imgs: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """How faces are looked for.

    Attributes:
        size: side in pixels of the square the photo is fitted into first.
        small_photo_size: the same for photos no larger than `small_photo`: blowing them up costs time
            and makes faces larger than the anchors were trained on.
        small_photo: longest side in pixels of a small photo.
        close_up_size: tried when nothing was found: a face that fills the frame is larger than what
            the detector's anchors cover, and shrinking the photo brings it back in range.
        small_face_size: tried last, for photos that have the resolution: small portraits on cards.
        score: faces below this confidence do not count.
    """

    size: int = 640
    small_photo_size: int = 320
    small_photo: int = 400
    close_up_size: int = 256
    small_face_size: int = 1280
    score: float = 0.5


@dataclass(frozen=True, slots=True)
class FaceAnalyser:
    """Detector and recogniser of one pack. Safe to share between threads."""

    detector: Detector
    recogniser: Recogniser
    settings: DetectionSettings = DetectionSettings()

    def find(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        """Find the faces of an HxWx3 uint8 BGR array, largest first; no embeddings yet."""
        longest = max(pixels.shape[:2])
        small = longest <= self.settings.small_photo
        faces = self._find_at(pixels, self.settings.small_photo_size if small else self.settings.size)
        if not faces:
            faces = self._find_at(_with_margin(pixels), self.settings.close_up_size)
            faces = tuple(_shifted(face, _margin(pixels)) for face in faces)
        if not faces and longest > self.settings.size:
            faces = self._find_at(pixels, self.settings.small_face_size)
        return faces

    def embed(self, pixels: NDArray[np.uint8], face: Face) -> Face:
        """The face with its embedding, from the photo it was found in (HxWx3 uint8 BGR)."""
        features = self.recogniser.get_feat([self.align(pixels, face)])[0]
        norm = float(np.linalg.norm(features))
        return replace(face, embedding=(features / max(norm, 1e-12)).astype(np.float32))

    def align(self, pixels: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
        """The face turned and scaled to the ArcFace template: 112x112x3 uint8 BGR."""
        from insightface.utils.face_align import norm_crop

        crop: NDArray[np.uint8] = norm_crop(pixels, face.landmarks, image_size=self.recogniser.input_size[0])
        return crop

    def _find_at(self, pixels: NDArray[np.uint8], size: int) -> tuple[Face, ...]:
        height, width = pixels.shape[:2]
        # insightface scales the photo into the square; a strip so thin that a side rounds to nothing
        # cannot hold a face and would make its resize fail.
        if min(height, width) * size // max(height, width) < 8:
            return ()
        boxes, landmarks = self.detector.detect(pixels, input_size=(size, size), det_thresh=self.settings.score)
        if landmarks is None:
            return ()
        faces = (
            Face(row[:4].astype(np.float32), points.astype(np.float32), min(float(row[4]), 1.0))
            for row, points in zip(boxes, landmarks, strict=True)
        )
        return tuple(sorted(faces, key=lambda face: face.area, reverse=True))


def cosine(first: Face, second: Face) -> float:
    """Cosine similarity of two embedded faces, -1 to 1.

    Raises:
        ValueError: one of the faces has no embedding.
    """
    if first.embedding is None or second.embedding is None:
        raise ValueError("both faces must be embedded")
    return float(np.clip(np.dot(first.embedding, second.embedding), -1.0, 1.0))


def _margin(pixels: NDArray[np.uint8]) -> int:
    return int(max(pixels.shape[:2])) // 4


def _with_margin(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    side = _margin(pixels)
    # Grey, not black: close to the mean the networks were trained around, and it makes no strong edge.
    return cv2.copyMakeBorder(  # type: ignore[return-value]
        pixels, side, side, side, side, cv2.BORDER_CONSTANT, value=(127, 127, 127)
    )


def _shifted(face: Face, side: int) -> Face:
    return replace(face, box=face.box - np.float32(side), landmarks=face.landmarks - np.float32(side))
