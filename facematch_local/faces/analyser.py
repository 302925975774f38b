"""The face analyser: finds, aligns and embeds faces."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.faces.alignment import arcface_template, distinct_landmarks, similarity_transform
from facematch_local.faces.face import Face
from facematch_local.faces.interfaces import Detector, FaceFilter, LandmarkLocator, Recogniser
from facematch_local.faces.overlap import distinct
from facematch_local.faces.settings import DetectionSettings
from facematch_local.imaging.resampling import warp

_STRIDE: Final = 32
_LYING: Final = 50.0  # degrees
# Largest coordinate of a face in multiples of the photo's longest side; a larger one is an error of the detector.
_FARTHEST: Final = 16.0


@dataclass(frozen=True, slots=True)
class FaceAnalyser:
    """Detector and recogniser of one pack. Safe to share between threads.

    Attributes:
        detector, recogniser: models of the pack.
        settings: settings of the search for faces.
        mirror: embed the mirrored crop as well and average both embeddings. This doubles the recogniser's time and
            recovers about a fifth of the accuracy that a printed card loses (docs/accuracy.md). The pack states it,
            because its calibration curve depends on it.
        locator: landmark network of the pack, or None; corrects the landmarks of each face. The calibration curve
            depends on it as well.
        face_filter: face filter of the pack, or None; rejects boxes that do not contain a face.
    """

    detector: Detector
    recogniser: Recogniser
    settings: DetectionSettings = field(default_factory=DetectionSettings)
    mirror: bool = False
    locator: LandmarkLocator | None = None
    face_filter: FaceFilter | None = None

    def find(self, pixels: NDArray[np.uint8], *, small: bool = False) -> tuple[Face, ...]:
        """Find the faces of a photo, largest first, without embeddings.

        Args:
            pixels: HxWx3 uint8 BGR.
            small: whether the largest face probably takes a small part of the photo, as on a card. The faces are the
                same; the pass for small ones comes first, and is nearly always enough.
        """
        faces = self._find(pixels, small)
        if self.locator is None:
            return faces
        locate, most = self.locator.locate, self.settings.most_located
        located = [replace(face, landmarks=locate(pixels, face.landmarks, face.box)) for face in faces[:most]]
        # Repeat the correction for the compared face: each pass starts from a better aligned crop.
        for _ in range(self.settings.landmark_looks - 1 if located else 0):
            face = located[0]
            located[0] = replace(face, landmarks=locate(pixels, face.landmarks, face.box))
        return (*located, *faces[most:])

    def embed(self, pixels: NDArray[np.uint8], face: Face, crop: NDArray[np.uint8] | None = None) -> Face:
        """Compute the embedding of a face.

        Args:
            pixels: HxWx3 uint8 BGR, the photo in which the face was found.
            face: one of its faces.
            crop: the face as `align` returns it; None to align it.

        Returns:
            The face with its embedding, (D,) float32 of length 1.
        """
        crop = self.align(pixels, face) if crop is None else crop
        features = self.recogniser.get_feat([crop])[0]
        if self.mirror:
            # One call per crop: exported recognisers often have a fixed batch size of one.
            mirrored = self.recogniser.get_feat([np.ascontiguousarray(crop[:, ::-1])])[0]
            features = features / max(float(np.linalg.norm(features)), 1e-12)
            features = features + mirrored / max(float(np.linalg.norm(mirrored)), 1e-12)
        norm = float(np.linalg.norm(features))
        return replace(face, embedding=(features / max(norm, 1e-12)).astype(np.float32))

    def align(self, pixels: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
        """Align a face to the ArcFace template: SxSx3 uint8 BGR, S the recogniser's input size (usually 112).

        Equal to `insightface.utils.face_align.norm_crop`, except that faces of more than twice the crop's size are
        averaged instead of sampled.
        """
        import cv2

        size = self.recogniser.input_size[0]
        matrix = similarity_transform(distinct_landmarks(face.landmarks, face.box), arcface_template(size))
        return warp(pixels, matrix, size, border=cv2.BORDER_CONSTANT)

    def _find(self, pixels: NDArray[np.uint8], small: bool) -> tuple[Face, ...]:
        upright = self._find_upright(pixels, small)
        found = self._scored(pixels, upright)
        if upright and self._is_sure(upright[0]):
            return found
        quarters = self._better_turn(pixels, upright[0] if upright else None)
        if not quarters:
            return found
        turned = _turned(pixels, quarters)
        faces, (height, width) = self._scored(turned, self._find_upright(turned, small)), pixels.shape[:2]
        lying = tuple(_turned_back(face, quarters, width, height) for face in faces)
        # Keep confident upright faces that appear beside a rotated one.
        return distinct((*lying, *(face for face in upright if self._is_sure(face)))) if lying else found

    def _find_upright(self, pixels: NDArray[np.uint8], small: bool) -> tuple[Face, ...]:
        settings, longest = self.settings, max(pixels.shape[:2])
        fine = self._find_at(pixels, settings.size, faint=True) if small else None
        if fine and fine[0].score >= settings.sure_score and fine[0].longer_side < settings.small_face * longest:
            return fine  # the first pass would find no large face
        coarse = self._find_at(pixels, settings.coarse_size, faint=True)
        found = bool(coarse) and coarse[0].score >= settings.score  # a faint face requires the finer pass
        if found and coarse[0].longer_side >= settings.large_face * longest:
            return coarse
        return (
            (self._find_at(pixels, settings.size, faint=True) if fine is None else fine)
            or coarse
            or self._find_close_up(pixels)
            or (self._find_at(pixels, settings.small_face_size) if longest > settings.size else ())
        )

    def _is_sure(self, face: Face) -> bool:
        # Detectors are trained on upright faces: a large roll more often means wrong landmarks than a rotated face.
        return face.score >= self.settings.sure_score and abs(face.roll) < _LYING

    def _find_at(self, pixels: NDArray[np.uint8], size: int, faint: bool = False) -> tuple[Face, ...]:
        """Faces of one detector pass, largest first; the face filter decides about faces of low confidence.

        Args:
            pixels: HxWx3 uint8 BGR.
            size: longest side in pixels to which the photo is scaled.
            faint: whether the face filter also examines large faces below `score`. A second person is often one of
                them.
        """
        settings, face_filter = self.settings, self.face_filter
        if face_filter is None:
            return self._detected(pixels, size, settings.score)
        seen = self._detected(pixels, size, settings.least_score if faint else settings.score)
        least = settings.faint_face * max(pixels.shape[:2])
        sure = [face for face in seen if face.score >= settings.confirm_below]
        unsure = [face for face in seen if settings.score <= face.score < settings.confirm_below]
        unsure = unsure[: settings.most_confirmed]  # the largest
        large = [face for face in seen if face.score < settings.score and face.longer_side >= least]
        unsure += sorted(large, key=lambda face: face.score, reverse=True)[: settings.most_candidates]
        # Keep the detector's score: it indicates whether the photo is rotated.
        agreed = [
            face
            for face in unsure
            if face_filter.confirm(pixels, face.box, face.score)
            >= (settings.score if face.longer_side >= least else settings.small_face_confirmation)
        ]
        return distinct((*sure, *agreed))

    def _scored(self, pixels: NDArray[np.uint8], faces: tuple[Face, ...]) -> tuple[Face, ...]:
        """The faces; for those below `score`, the face filter's combined confidence replaces the detector's."""
        if self.face_filter is None:
            return faces
        confirm, least = self.face_filter.confirm, self.settings.score
        return tuple(
            face if face.score >= least else replace(face, score=confirm(pixels, face.box, face.score))
            for face in faces
        )

    def _detected(self, pixels: NDArray[np.uint8], size: int, score: float) -> tuple[Face, ...]:
        """Faces that the detector finds in one pass, largest first."""
        height, width = pixels.shape[:2]
        scale = size / max(height, width)
        # insightface's resize fails on a strip this thin, which cannot contain a face.
        if min(height, width) * scale < 8:
            return ()
        boxes, landmarks = self.detector.detect(
            pixels, input_size=(_multiple(width * scale), _multiple(height * scale)), det_thresh=score
        )
        if landmarks is None:
            return ()
        faces = (
            Face(row[:4].astype(np.float32), points.astype(np.float32), min(float(row[4]), 1.0))
            for row, points in zip(boxes, landmarks, strict=True)
            if _is_near(np.append(row[:4], points), max(height, width)) and np.isfinite(row[4])
        )
        return tuple(sorted(faces, key=lambda face: face.area, reverse=True))

    def _find_close_up(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        import cv2

        # Scale down before adding the margin: the margin of a large photo would cost more than the detection.
        size = self.settings.close_up_size
        margin = size // 6
        scale = (size - 2 * margin) / max(pixels.shape[:2])
        height, width = (max(round(side * scale), 1) for side in pixels.shape[:2])
        small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        # Grey instead of black: it is close to the mean of the training data and does not create a strong edge.
        framed = cv2.copyMakeBorder(
            small, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(127.0, 127.0, 127.0)
        )
        faces = self._find_at(framed.astype(np.uint8, copy=False), size)
        factor = np.array([pixels.shape[1] / width, pixels.shape[0] / height], np.float32)
        found = tuple(
            replace(face, box=(face.box - margin) * np.tile(factor, 2), landmarks=(face.landmarks - margin) * factor)
            for face in faces
        )
        # This pass is for faces that extend beyond the frame; the earlier passes would have found a smaller one.
        return tuple(face for face in found if self._is_large(face, pixels))

    def _is_large(self, face: Face, pixels: NDArray[np.uint8]) -> bool:
        return bool(face.longer_side >= self.settings.large_face * max(pixels.shape[:2]))

    def _better_turn(self, pixels: NDArray[np.uint8], unsure: Face | None) -> int:
        """Number of counterclockwise quarter turns with a clearly higher score; 0 to keep the photo as it is."""
        settings = self.settings
        if unsure is None:
            region, size, bar = pixels, settings.turned_size, settings.turned_score
        else:
            region, size = _around(pixels, unsure), settings.unsure_size
            bar = max(self._surest(region, size) + settings.turned_gain, settings.turned_score)
        surest = {quarters: self._surest(_turned(region, quarters), size) for quarters in (1, 3, 2)}
        best = max(surest, key=lambda quarters: surest[quarters])
        return best if surest[best] >= bar else 0

    def _surest(self, pixels: NDArray[np.uint8], size: int) -> float:
        """Confidence of the largest face; 0 if none is found."""
        faces = self._find_at(pixels, size)
        return faces[0].score if faces else 0.0


def _is_near(coordinates: NDArray[np.float32], longest: int) -> bool:
    """Whether all coordinates of a face are finite and near a photo with this longest side in pixels."""
    return bool((np.abs(coordinates) <= _FARTHEST * longest).all())  # this form is False for NaN


def _multiple(side: float) -> int:
    """The next multiple of the detector's largest stride; avoids padding a photo to a square."""
    return max(math.ceil(int(side) / _STRIDE), 1) * _STRIDE


def _around(pixels: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    """Crop of the face with a margin of half its longer side, clipped to the photo.

    It rounds otherwise than `box_part`: the detector looks at it, and one pixel more or less changes its scores and
    with them the figures of all packs.
    """
    margin = max(face.longer_side, 1.0) / 2
    height, width = pixels.shape[:2]
    left, top = (
        int(np.clip(edge - margin, 0, side - 1)) for edge, side in zip(face.box[:2], (width, height), strict=True)
    )
    right, bottom = (int(edge + margin) + 1 for edge in face.box[2:])
    return pixels[top : max(bottom, top + 1), left : max(right, left + 1)]


def _turned(pixels: NDArray[np.uint8], quarters: int) -> NDArray[np.uint8]:
    """Rotate a photo counterclockwise by 1, 2 or 3 quarter turns, as `np.rot90` does, in a tenth of its time."""
    import cv2

    how = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}[quarters]
    return cv2.rotate(pixels, how).astype(np.uint8, copy=False)


def _turned_back(face: Face, quarters: int, width: int, height: int) -> Face:
    """Map a face found in `_turned(pixels, quarters)` to the coordinates of `pixels` (width x height)."""
    points = np.concatenate([face.landmarks, face.box.reshape(2, 2)])
    x, y = points[:, 0], points[:, 1]
    turned = {
        1: lambda: (width - y, x),
        2: lambda: (width - x, height - y),
        3: lambda: (y, height - x),
    }[quarters]()
    points = np.stack(turned, axis=1).astype(np.float32)
    box = np.concatenate([points[5:].min(axis=0), points[5:].max(axis=0)])
    return replace(face, box=box, landmarks=points[:5])
