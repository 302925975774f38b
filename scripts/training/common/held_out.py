"""The held-out half of the photos with the truth of its faces, and changes of a photo that make detection harder."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path

import cv2
import numpy as np

from scripts.training.common.boxes import iou
from scripts.training.common.canvas import Canvas, Faces, Photo, face_map
from scripts.training.common.detection import Case, Detects, truth
from scripts.training.common.image import Array, Rng
from scripts.training.common.photos import NO_CARD_WITH_PEOPLE, list_photos, load_photo
from scripts.training.common.synthetic import card, drawn_background, wear

ROUGH_OVERLAP = 0.2  # for LFW, whose alignment gives only a rough position of the face
SEED = 20
Change = Callable[[Photo, Rng], Case]


def lfw_face(image: Array) -> Array:
    """Where deep funnelling puts the face of a 180 x 180 photo: box [1,4]."""
    height, width = image.shape[:2]
    return np.array([[0.29 * width, 0.26 * height, 0.71 * width, 0.77 * height]])


def turned(degrees: float) -> Change:
    """The photo's first face turned, on a grey square."""

    def change(photo: Photo, _: Rng) -> Case:
        canvas = Canvas(np.full((360, 360, 3), 127, np.uint8))
        canvas.paste(photo, face_map(photo, 0, 120, (180, 180), math.radians(degrees), False))
        return Case(canvas.pixels, canvas.faces.boxes[:1])

    return change


def close_up(photo: Photo, rng: Rng) -> Case:
    """Cropped so that the face fills or overfills the frame: nothing but 100 to 115 % of its box is left."""
    low, high = photo.faces.boxes[0][:2], photo.faces.boxes[0][2:]
    grow = rng.uniform(0.0, 0.075) * (high - low)
    limit = np.array(photo.pixels.shape[1::-1])
    low, high = np.clip(low - grow, 0, limit).astype(int), np.clip(high + grow, 0, limit).astype(int)
    cut = np.ascontiguousarray(photo.pixels[low[1] : high[1], low[0] : high[0]])
    return Case(cut, photo.faces.boxes[:1] - np.tile(low, 2))


def worn(kind: str) -> Change:
    """The photo with something drawn on its first face."""

    def change(photo: Photo, rng: Rng) -> Case:
        pixels = photo.pixels.copy()
        wear(rng, pixels, photo.faces, 0, kind)
        return Case(pixels, photo.faces.boxes[:1])

    return change


def dark(photo: Photo, rng: Rng) -> Case:
    """A fifth of the light and sensor noise."""
    pixels = photo.pixels * 0.2 + rng.normal(0, 4, photo.pixels.shape)
    return Case(np.clip(pixels, 0, 255).astype(np.uint8), photo.faces.boxes[:1])


def blurred(photo: Photo, _: Rng) -> Case:
    """Gaussian blur of 3 % of the photo's width."""
    return Case(cv2.GaussianBlur(photo.pixels, (0, 0), 0.03 * photo.pixels.shape[1]), photo.faces.boxes[:1])


def grey(photo: Photo, _: Rng) -> Case:
    """A copier's grey: no colour, steep contrast."""
    curve = (255 / (1 + np.exp(-(np.arange(256) - 120) / 25))).astype(np.uint8)
    copy = cv2.LUT(cv2.cvtColor(photo.pixels, cv2.COLOR_BGR2GRAY), curve)
    return Case(cv2.cvtColor(copy, cv2.COLOR_GRAY2BGR), photo.faces.boxes[:1])


def on_card(photo: Photo, rng: Rng) -> Case:
    """A drawn card with the portrait (and sometimes a ghost, not counted) on a drawn table, 1280 x 960."""
    drawn = card(rng, photo, 0)
    canvas = Canvas(drawn_background(rng, 1280, 960))
    height, width = drawn.pixels.shape[:2]
    scale, angle = rng.uniform(600, 1100) / width, math.radians(rng.normal(0, 6))
    linear = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shift = np.array([640, 480]) - linear @ [width / 2, height / 2]
    canvas.paste(drawn, np.hstack([linear, shift[:, None]]), feather=1)
    largest = np.argsort(-canvas.faces.sizes)[:1]
    return Case(canvas.pixels, canvas.faces.boxes[largest])


def crowd(photos: list[Photo], rng: Rng, side: int = 640) -> Case:
    """A synthetic group photo: faces of 32 to 60 pixels in a grid."""
    canvas = Canvas(drawn_background(rng, side, side))
    cell = 128
    wanted = []
    for row in range(side // cell):
        for column in range(side // cell):
            photo = photos[rng.integers(len(photos))]
            at = (column * cell + cell / 2, row * cell + cell / 2)
            matrix = face_map(photo, 0, rng.uniform(32, 60), at, rng.normal(0, 0.15), False)
            canvas.paste(photo, matrix, None if rng.random() < 0.3 else _bust(photo))
            wanted.append(photo.faces.moved(matrix).boxes[0])
    return Case(canvas.pixels, np.array(wanted))


def _bust(photo: Photo) -> Array:
    x0, y0, x1, y1 = photo.faces.boxes[0]
    w, h = x1 - x0, y1 - y0
    return np.array(
        [[x0 - w / 3, y0 - h / 2], [x1 + w / 3, y0 - h / 2], [x1 + w / 2, y1 + h / 3], [x0 - w / 2, y1 + h / 3]]
    )


class Held:
    """The held-out half, read and given its truth set by set when first asked for.

    `lfw` bounds the photos of LFW, `limit` those of any other set, `few` those that cases are made from.
    """

    def __init__(self, data: Path, reference: Detects, lfw: int, limit: int, few: int) -> None:
        self._data, self._reference, self._lfw, self._limit, self._few = data, reference, lfw, limit, few
        self._photos = [photo for photo in list_photos(data) if photo.held_out]

    def _read(self, source: str, limit: int) -> list[tuple[str, Array]]:
        of_set = [photo for photo in self._photos if photo.source == source]
        chosen = np.random.default_rng(SEED).permutation(len(of_set))[:limit]
        read = ((of_set[i].path, load_photo(self._data / of_set[i].path, 1280)) for i in sorted(chosen))
        return [(path, image) for path, image in read if image is not None]

    @cached_property
    def lfw(self) -> list[Case]:
        """LFW photos; the truth is where the alignment puts the face."""
        return [Case(image, lfw_face(image)) for _, image in self._read("lfw", self._lfw)]

    @cached_property
    def blank(self) -> list[Array]:
        """Every second held-out `no_card` photo without people; `export.py` has its score shifts from the others."""
        photos = [i for path, i in self._read("no_card", 10_000) if Path(path).stem not in NO_CARD_WITH_PEOPLE]
        return photos[1::2]

    @cached_property
    def labelled(self) -> list[Photo]:
        """LFW photos with their main face labelled by the reference: what cases are made from."""
        photos = []
        for case in self.lfw[: self._few]:
            boxes, points = truth(self._reference, case.image)
            if len(boxes) and (overlaps := iou(case.wanted[0], boxes[:, :4])).max() > ROUGH_OVERLAP:
                main = [int(overlaps.argmax())]
                faces = Faces(boxes[main, :4].astype(float), points[main].astype(float), np.zeros(1, bool))
                photos.append(Photo(case.image, faces))
        return photos

    @cache  # noqa: B019 - one object per run
    def of(self, source: str) -> list[Case]:
        """A set with the reference's faces of 32 pixels or more once the photo is fitted into 640."""
        cases = []
        for _, image in self._read(source, self._limit):
            crowded = source in ("groups", "photocopies", "cards")
            boxes = (self._reference(image, 640) if crowded else truth(self._reference, image))[0]
            scale = max(image.shape[:2]) / 640
            sides = np.sqrt(np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1))
            cases.append(Case(image, boxes[(sides >= 32 * scale) & (boxes[:, 4] > 0.6), :4]))
        return cases

    def main_face(self, source: str) -> list[Case]:
        """The same with the largest face only."""
        return [Case(case.image, _largest(case.wanted)) for case in self.of(source)]


def _largest(boxes: Array) -> Array:
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return boxes[np.argsort(-areas)[:1]]
