"""Detectors behind one interface, and their recall and false faces.

A face counts as found where a detection of score 0.5 or more overlaps the truth by an IoU of 0.4. The truth is what the
reference detector finds, which serves for measuring only, or the known position of a face in a synthetic case.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from facematch_local.faces import FaceAnalyser
from scripts.training.common.boxes import iou
from scripts.training.common.figures import wilson
from scripts.training.common.image import Array
from scripts.training.common.sessions import open_session
from scripts.training.common.yunet import YuNet

SCORE, OVERLAP = 0.5, 0.4
Found = tuple[Array, Array]  # boxes with score [N,5], points [N,5,2]
Size = int | tuple[int, int]  # a square's side, or width and height


class Detects(Protocol):
    """Faces of a BGR uint8 photo fitted into `size` pixels."""

    def __call__(self, image: Array, size: Size, /) -> Found: ...


@dataclass(frozen=True)
class Share:
    """A share and its Wilson 95 % interval."""

    hits: int
    of: int

    def report(self) -> dict[str, Any]:
        """For the figures file; shares in per cent."""
        if not self.of:
            return {"of": 0}
        shares = (self.hits / self.of, *wilson(self.hits, self.of))
        percent = [round(100 * share, 2) for share in shares]
        return {"found": self.hits, "of": self.of, "percent": percent[0], "interval_95": percent[1:]}


@dataclass(frozen=True)
class Case:
    """A photo with the boxes [N,4] that ought to be found in it."""

    image: Array
    wanted: Array


def scrfd(path: Path) -> Detects:
    """An ONNX file in SCRFD layout, opened as insightface opens it, on one CPU thread."""
    from insightface.model_zoo.scrfd import SCRFD

    detector = SCRFD(str(path), session=open_session(path))
    if not detector.use_kps:
        raise ValueError(f"{path}: no landmarks")

    def detect(image: Array, size: Size) -> Found:
        boxes, points = detector.detect(image, input_size=_frame(size), det_thresh=SCORE)
        return boxes, points

    return detect


def yunet(path: Path) -> Detects:
    """The teacher, given the same resized and padded picture."""
    net = YuNet(path, SCORE)

    def detect(image: Array, size: Size) -> Found:
        width, height = _frame(size)
        scale = min(width / image.shape[1], height / image.shape[0])
        frame = np.zeros((height, width, 3), np.uint8)
        small = cv2.resize(image, (max(1, int(image.shape[1] * scale)), max(1, int(image.shape[0] * scale))))
        frame[: small.shape[0], : small.shape[1]] = small
        rows = net(frame)
        return np.column_stack([rows[:, :4] / scale, rows[:, 14]]), rows[:, 4:14].reshape(-1, 5, 2) / scale

    return detect


def _frame(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def remembered(detect: Detects, file: Path) -> Detects:
    """The same detector, its answers kept in a JSON file: the truth need not be found anew for every candidate."""
    answers: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}

    def found(image: Array, size: Size) -> Found:
        key = f"{hashlib.blake2b(image.tobytes(), digest_size=12).hexdigest()}-{size}"
        if key not in answers:
            boxes, points = detect(image, size)
            answers[key] = [boxes.tolist(), points.tolist()]
            if len(answers) % 50 == 0:
                file.write_text(json.dumps(answers))
        boxes, points = answers[key]
        return np.array(boxes, float).reshape(-1, 5), np.array(points, float).reshape(-1, 5, 2)

    return found


def truth(reference: Detects, image: Array) -> Found:
    """The reference's faces, found with a margin around the photo: it would miss faces that fill the frame."""
    margin = max(image.shape[:2]) // 3
    framed = cv2.copyMakeBorder(image, *(margin,) * 4, cv2.BORDER_CONSTANT, value=(127, 127, 127))
    boxes, points = reference(framed, 640)
    return boxes - np.array([*(margin,) * 4, 0]), points - margin


def recall(detect: Detects, cases: Iterable[Case], size: int, overlap: float = OVERLAP) -> Share:
    """Share of the wanted faces found, each detection counting once."""
    hits = total = 0
    for case in cases:
        boxes = detect(case.image, size)[0].copy()
        total += len(case.wanted)
        for box in case.wanted:
            overlaps = iou(box, boxes[:, :4]) if len(boxes) else np.zeros(0)
            if len(overlaps) and overlaps.max() > overlap:
                hits += 1
                boxes = np.delete(boxes, overlaps.argmax(), axis=0)
    return Share(hits, total)


def false_faces(detect: Detects, images: Iterable[Array], size: int) -> dict[str, Any]:
    """Detections on photos without people, per 100 photos."""
    scores = [float(score) for image in images for score in detect(image, size)[0][:, 4]]
    count = sum(1 for _ in images)
    worst = sorted((round(score, 3) for score in scores), reverse=True)[:5]
    return {
        "false_faces": len(scores),
        "photos": count,
        "per_100_photos": round(100 * len(scores) / count, 2),
        "scores": worst,
    }


def as_library(analyser: FaceAnalyser) -> Detects:
    """Its `find` as a detector: the library's sizes and retries; the size asked for is not used."""

    def found(image: Array, _: Size) -> Found:
        faces = analyser.find(image)
        boxes = np.array([[*face.box, face.score] for face in faces], float).reshape(-1, 5)
        return boxes, np.array([face.landmarks for face in faces]).reshape(-1, 5, 2)

    return found


def through_analyser(detect: Detects) -> Detects:
    """Detection as the library does it with a pack that has no face filter."""

    class Adapter:
        def detect(self, img: Array, input_size: Size = 640, det_thresh: float = SCORE, **_: Any) -> Found:
            boxes, points = detect(img, input_size)
            sure = boxes[:, 4] >= det_thresh
            return boxes[sure], points[sure]

    return as_library(FaceAnalyser(Adapter(), recogniser=None))  # type: ignore[arg-type]
