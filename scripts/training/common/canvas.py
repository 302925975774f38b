"""Canvases with faces on them: photos are pasted under affine maps and their faces' boxes and points follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from scripts.training.common.geometry import FLIP
from scripts.training.common.image import Array

SMALLEST = 13  # pixels; fainter faces are not asked for: they teach the net to see faces in foliage


@dataclass(frozen=True)
class Faces:
    """Boxes [N,4] (corners), points [N,5,2], both in pixels; `ignore` [N]: neither a face to find nor background."""

    boxes: Array
    points: Array
    ignore: Array

    def __len__(self) -> int:
        return len(self.boxes)

    @cached_property
    def sizes(self) -> Array:
        """Square roots of the areas [N]."""
        return np.sqrt(np.maximum(np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1), 1e-6))

    @cached_property
    def centres(self) -> Array:
        """Box centres [N,2]."""
        return (self.boxes[:, :2] + self.boxes[:, 2:]) / 2

    def moved(self, matrix: Array) -> Faces:
        """Faces under the affine map [2,3]; a box follows as the bounding box of the mapped inscribed ellipse.

        So a face turned by 45 degrees keeps a box from brow to chin instead of one that holds the turned box's corners.
        """
        linear = matrix[:, :2]
        half = (self.boxes[:, 2:] - self.boxes[:, :2]) / 2
        centres = self.centres @ linear.T + matrix[:, 2]
        half = np.sqrt((half**2) @ (linear**2).T)
        points = self.points @ linear.T + matrix[:, 2]
        if np.linalg.det(linear) < 0:
            points = points[:, FLIP]
        return Faces(np.concatenate([centres - half, centres + half], axis=1), points, self.ignore)

    def chosen(self, keep: Array) -> Faces:
        """The faces where `keep` (mask or indices) says so."""
        return Faces(self.boxes[keep], self.points[keep], self.ignore[keep])


def no_faces() -> Faces:
    """An empty set."""
    return Faces(np.zeros((0, 4)), np.zeros((0, 5, 2)), np.zeros(0, bool))


def joined(parts: list[Faces]) -> Faces:
    """All faces of `parts` in order."""
    if not parts:
        return no_faces()
    return Faces(
        np.concatenate([p.boxes for p in parts]),
        np.concatenate([p.points for p in parts]),
        np.concatenate([p.ignore for p in parts]),
    )


@dataclass(frozen=True)
class Photo:
    """BGR uint8 [H,W,3] with its faces."""

    pixels: Array
    faces: Faces


def face_map(photo: Photo, index: int, size: float, at: tuple[float, float], angle: float, mirror: bool) -> Array:
    """Affine map [2,3] that brings a face to `size` pixels, turned by `angle` radians, its centre to `at`."""
    scale = size / photo.faces.sizes[index]
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[cos, -sin], [sin, cos]])
    if mirror:
        linear[:, 0] *= -1
    return np.hstack([linear, (np.asarray(at) - linear @ photo.faces.centres[index])[:, None]])


def ellipse_outline(box: Array, width: float, up: float, down: float) -> Array:
    """Outline [24,2] of a head: half-width, height above and below the box centre in units of the box."""
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    centre, (w, h) = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    rise = np.where(np.sin(turn) < 0, up, down) * h
    return np.stack([centre[0] + np.cos(turn) * width * w, centre[1] + np.sin(turn) * rise], axis=1)


def rectangle_outline(x0: float, y0: float, x1: float, y1: float) -> Array:
    """Corners [4,2]."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float)


@dataclass
class Canvas:
    """A picture under construction."""

    pixels: Array
    parts: list[Faces] = field(default_factory=list)

    @property
    def faces(self) -> Faces:
        """All faces so far."""
        return joined(self.parts)

    def paste(
        self, photo: Photo, matrix: Array, outline: Array | None = None, feather: float = 0.0, opacity: float = 1.0
    ) -> None:
        """Lay the part of `photo` inside `outline` (photo pixels; None: all) onto the canvas.

        `feather` is the width in canvas pixels over which the edge fades. Faces of the photo whose centre lies outside
        of the outline or the canvas are dropped or ignored; faces of the canvas that get covered likewise.
        """
        height, width = photo.pixels.shape[:2]
        whole = outline is None
        if outline is None:
            outline = rectangle_outline(0, 0, width, height)
        outline = np.clip(outline, 0, [width - 1, height - 1])
        target = outline @ matrix[:, :2].T + matrix[:, 2]
        low = np.floor(np.maximum(target.min(0) - feather, 0)).astype(int)
        high = np.ceil(np.minimum(target.max(0) + feather + 1, self.pixels.shape[1::-1])).astype(int)
        if (high - low < 2).any():
            return
        window = self.pixels[low[1] : high[1], low[0] : high[0]]
        corner = outline.min(0).astype(int)
        end = np.ceil(outline.max(0)).astype(int) + 1
        pixels = photo.pixels[corner[1] : end[1], corner[0] : end[0]]
        local = np.hstack([matrix[:, :2], (matrix[:, 2] + matrix[:, :2] @ corner - low)[:, None]])
        scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
        if scale < 0.6:  # shrink first: a bilinear warp alone would alias
            shrink = max(scale * 1.2, 4 / min(pixels.shape[:2]))
            small = cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
            ratio = np.array([pixels.shape[1] / small.shape[1], pixels.shape[0] / small.shape[0]])
            pixels, local = small, np.hstack([local[:, :2] * ratio, local[:, 2:]])
        size = (int(high[0] - low[0]), int(high[1] - low[1]))
        warped = cv2.warpAffine(pixels, local, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mask = np.zeros(size[::-1], np.float32)
        cv2.fillConvexPoly(mask, np.round(target - low).astype(np.int32), float(opacity))
        if feather >= 1:
            kernel = int(feather) * 2 + 1
            mask = cv2.blur(mask, (kernel, kernel))
        window[:] = cv2.blendLinear(warped, np.ascontiguousarray(window), mask, 1 - mask)
        if opacity > 0.3:
            self._cover(np.concatenate([target.min(0), target.max(0)]))
        self._adopt(photo.faces, outline, matrix, whole)

    def _cover(self, region: Array) -> None:
        kept = []
        for part in self.parts:
            low = np.maximum(part.boxes[:, :2], region[:2])
            high = np.minimum(part.boxes[:, 2:], region[2:])
            hidden = np.prod(np.clip(high - low, 0, None), axis=1) / part.sizes**2
            part = Faces(part.boxes, part.points, part.ignore | (hidden > 0.3))
            kept.append(part.chosen(hidden < 0.85))
        self.parts = [part for part in kept if len(part)]

    def _adopt(self, faces: Faces, outline: Array, matrix: Array, whole: bool) -> None:
        if not len(faces):
            return
        polygon = outline.astype(np.float32)
        inside = np.array([cv2.pointPolygonTest(polygon, (float(x), float(y)), False) >= 0 for x, y in faces.centres])
        if not whole and inside.sum() > 1:  # neighbours cut off by the outline
            main = np.argmin(np.linalg.norm(faces.centres - outline.mean(0), axis=1))
            faces = Faces(faces.boxes, faces.points, faces.ignore | (np.arange(len(faces)) != main))
        moved = faces.chosen(inside if not whole else np.ones(len(faces), bool)).moved(matrix)
        height, width = self.pixels.shape[:2]
        seen = np.clip(moved.boxes, 0, [width, height, width, height])
        share = np.prod(np.clip(seen[:, 2:] - seen[:, :2], 0, None), axis=1) / moved.sizes**2
        centre = ((moved.centres > 0) & (moved.centres < [width, height])).all(1)
        moved = Faces(moved.boxes, moved.points, moved.ignore | ~centre | (share < 0.4) | (moved.sizes < SMALLEST))
        moved = moved.chosen(share > 0.02)
        if len(moved):
            self.parts.append(moved)

    def free(self, box: Array, limit: float = 0.1) -> bool:
        """Whether `box` [4] hides at most `limit` of every face so far."""
        faces = self.faces
        if not len(faces):
            return True
        low, high = np.maximum(faces.boxes[:, :2], box[:2]), np.minimum(faces.boxes[:, 2:], box[2:])
        overlap = np.prod(np.clip(high - low, 0, None), axis=1)
        return bool((overlap <= limit * faces.sizes**2).all())
