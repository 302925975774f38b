"""Training pictures, composed of the labelled photos of the training half."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from scripts.training.common.canvas import Canvas, Faces, Photo, ellipse_outline, face_map, rectangle_outline
from scripts.training.common.degrade import degrade
from scripts.training.common.image import Array, Rng
from scripts.training.common.labels import SURE
from scripts.training.common.photos import NO_CARD_WITH_PEOPLE, list_photos, load_photo
from scripts.training.common.synthetic import card, drawn_background, plain_photo, wear

# Share of each set among the faces shown.
SHARES = {
    "lfw": 0.34, "asian_faces": 0.2, "masks": 0.19, "sunglasses": 0.08,
    "scenes": 0.07, "groups": 0.05, "no_card": 0.02, "cards": 0.01, "photocopies": 0.04,
}  # fmt: skip
LARGE = 640  # canvases of this side are there for faces too large for the others


@dataclass(frozen=True)
class Pool:
    """Labelled photos by set, photos without faces, and the indices of usable faces per set."""

    photos: dict[str, list[Photo]]
    blank: list[Photo]

    def pick(self, rng: Rng, smallest: float = 0.0) -> tuple[Photo, int]:
        """A photo and the index of one of its sure faces, of at least `smallest` pixels where a few tries find one."""
        names = list(self.photos)
        weights = np.array([SHARES[name] for name in names])
        for _ in range(6):
            of_set = self.photos[names[rng.choice(len(names), p=weights / weights.sum())]]
            photo = of_set[rng.integers(len(of_set))]
            index = int(rng.choice(np.flatnonzero(~photo.faces.ignore)))
            if photo.faces.sizes[index] >= smallest:
                break
        return photo, index


def load_pool(data: Path, labels: list[Path], blanks: Path | None = None, every: int = 1) -> Pool:
    """Read every photo of the training half that has a sure face, and those of `no_card` and `blanks` without any.

    Photos of the other sets in which the teacher is sure of no face are left out: most do show one.
    """
    found: dict[str, list[list[float]]] = {}
    for path in labels:
        found |= json.loads(path.read_text())
    photos: dict[str, list[Photo]] = {}
    blank = []
    for number, entry in enumerate(list_photos(data)):
        if entry.source == "lfw" and number % every:
            continue
        if entry.held_out or entry.path not in found:
            continue
        rows = np.array(found[entry.path]).reshape(-1, 15)
        nobody = entry.source == "no_card" and Path(entry.path).stem not in NO_CARD_WITH_PEOPLE
        if not nobody and not (rows[:, 14] >= SURE).any():
            continue
        pixels = load_photo(data / entry.path)
        if pixels is None:
            continue
        if nobody:
            blank.append(plain_photo(pixels))
            continue
        faces = Faces(rows[:, :4], rows[:, 4:14].reshape(-1, 5, 2), rows[:, 14] < SURE)
        photos.setdefault(entry.source, []).append(Photo(pixels, faces))
    blank *= 3  # natural photos are worth more than composed ones, of which there are more
    for path in sorted(blanks.iterdir()) if blanks else []:
        pixels = load_photo(path)
        if pixels is not None:
            blank.append(plain_photo(pixels))
    return Pool(photos, blank)


def _log_uniform(rng: Rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _angle(rng: Rng, lean: float) -> float:
    """Radians; `lean` 1: a third of the faces lean far or lie, 0: none."""
    chance = rng.random() * (0.68 + 0.32 * lean)
    if chance < 0.68:
        return float(np.deg2rad(rng.normal(0, 9)))
    if chance < 0.92:
        return float(np.deg2rad(rng.uniform(-50, 50)))
    return float(np.deg2rad(rng.choice([90, 180, 270]) + rng.normal(0, 8)))


def _tilted(matrix: Array, rng: Rng, at: Array) -> Array:
    """The map followed by a slight stretch and shear around `at`: the affine part of a change of viewpoint."""
    bend = np.eye(2) + rng.normal(0, 0.05, (2, 2))
    return np.hstack([bend @ matrix[:, :2], (bend @ (matrix[:, 2] - at) + at)[:, None]])


def background(rng: Rng, pool: Pool, size: int) -> Canvas:
    """A square without faces: part of a blank photo, a drawn one, or flat padding."""
    chance = rng.random()
    if chance < 0.12:
        return Canvas(np.full((size, size, 3), rng.choice([0, 127, 255, rng.integers(256)]), np.uint8))
    if chance < 0.3:
        return Canvas(drawn_background(rng, size, size))
    pixels = pool.blank[rng.integers(len(pool.blank))].pixels
    if rng.random() < 0.15:
        pixels = np.ascontiguousarray(np.rot90(pixels, rng.integers(1, 4)))
    side = min(pixels.shape[:2]) * _log_uniform(rng, 0.3, 1)
    x = int(rng.uniform(0, pixels.shape[1] - side))
    y = int(rng.uniform(0, pixels.shape[0] - side))
    cut = pixels[y : y + int(side), x : x + int(side)]
    if rng.random() < 0.5:
        cut = cut[:, ::-1]
    return Canvas(cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LINEAR))


def lay_photo(rng: Rng, pool: Pool, canvas: Canvas, lean: float) -> None:
    """A whole photo, one of its faces brought to a chosen size and place; may overfill the canvas."""
    side = canvas.pixels.shape[0]
    photo, index = pool.pick(rng, smallest=side * 0.2)
    small = rng.random() < (0.15 if side >= LARGE else 0.4)
    share = _log_uniform(rng, 0.09, 0.45) if small else rng.uniform(0.3, 1.15)
    size = max(share * side, 14.0)
    reach = max(0.5 - 0.4 * share, 0.12)
    at = side * (0.5 + rng.uniform(-reach, reach, 2))
    matrix = face_map(photo, index, size, (at[0], at[1]), _angle(rng, lean), rng.random() < 0.5)
    canvas.paste(photo, _tilted(matrix, rng, at) if rng.random() < 0.3 else matrix)


def lay_heads(rng: Rng, pool: Pool, canvas: Canvas, count: int, lean: float) -> None:
    """Heads, portraits or whole photos at sizes uniform in the logarithm, where no earlier face is hidden."""
    side = canvas.pixels.shape[0]
    for _ in range(count):
        size = _log_uniform(rng, 12, 0.55 * side if count < 4 else 0.25 * side)
        photo, index = pool.pick(rng, smallest=size * 0.3)
        reach = np.array([0.9, 1.1]) * size
        for _ in range(5):
            at = rng.uniform(size * 0.3, side - size * 0.3, 2)
            if canvas.free(np.concatenate([at - reach, at + reach])):
                break
        else:
            continue
        angle = _angle(rng, lean)
        matrix = face_map(photo, index, size, (at[0], at[1]), angle, rng.random() < 0.5)
        box = photo.faces.boxes[index]
        w, h = box[2:] - box[:2]
        kind = rng.random()
        if kind < 0.55:
            outline = ellipse_outline(box, rng.uniform(0.65, 0.95), rng.uniform(0.7, 1), rng.uniform(0.58, 0.9))
            feather = size * rng.uniform(0.02, 0.12)
        else:
            grow = rng.uniform(0.1, 0.8, 4)
            outline = rectangle_outline(
                box[0] - grow[0] * w, box[1] - grow[1] * h, box[2] + grow[2] * w, box[3] + grow[3] * h
            )
            feather = float(rng.choice([0, 0, 0.05 * size]))
        canvas.paste(photo, matrix, outline, feather)


def lay_card(rng: Rng, pool: Pool, canvas: Canvas, lean: float) -> None:
    """A drawn card, sometimes without a portrait, at some size and angle."""
    side = canvas.pixels.shape[0]
    photo, index = pool.pick(rng, smallest=40)
    drawn = card(rng, photo if rng.random() < 0.88 else None, index)
    height, width = drawn.pixels.shape[:2]
    scale = side / width * rng.uniform(0.45, 1.15)
    angle = _angle(rng, lean) * (0.5 if rng.random() < 0.6 else 1)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    at = side * (0.5 + rng.uniform(-0.15, 0.15, 2))
    matrix = np.hstack([linear, (at - linear @ [width / 2, height / 2])[:, None]])
    canvas.paste(drawn, _tilted(matrix, rng, at), feather=float(rng.choice([0, 1])))


def dress(rng: Rng, canvas: Canvas) -> None:
    """Masks, glasses, hats and hands on some of the faces that are large enough to show them."""
    faces = canvas.faces
    kinds = ("mask", "sunglasses", "glasses", "hat", "blob")
    for index in np.flatnonzero(~faces.ignore & (faces.sizes > 14)):
        if rng.random() < 0.22:
            kind = kinds[rng.choice(5, p=[0.35, 0.22, 0.13, 0.2, 0.1])]
            wear(rng, canvas.pixels, faces, int(index), kind)


def compose(rng: Rng, pool: Pool, size: int, lean: float = 1.0) -> tuple[Array, Faces]:
    """One training picture, BGR uint8 [size,size,3], and its faces."""
    canvas = background(rng, pool, size)
    kind = rng.random() * (0.7 if size >= LARGE else 1)
    if kind < 0.42:
        lay_photo(rng, pool, canvas, lean)
        if rng.random() < 0.25:
            lay_heads(rng, pool, canvas, int(rng.integers(1, 3)), lean)
    elif kind < 0.68:
        lay_heads(rng, pool, canvas, int(rng.integers(1, 9)), lean)
    elif kind < 0.86:
        lay_card(rng, pool, canvas, lean)
    dress(rng, canvas)
    return degrade(rng, canvas.pixels), canvas.faces
