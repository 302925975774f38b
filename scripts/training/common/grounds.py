"""What drawn documents lie on or are held before."""

from __future__ import annotations

import cv2
import numpy as np

from facematch_local.networks.document import DOCUMENT_SIZE
from scripts.training.common.documents import column
from scripts.training.common.image import Array, Rng
from scripts.training.common.stock import Stock
from scripts.training.common.synthetic import colour, drawn_background, gradient

HELD_BEFORE_PEOPLE = 0.1


def background(rng: Rng, stock: Stock) -> Array:
    """What a document lies on or is held before."""
    kind = rng.random()
    if kind < 0.45:
        return part(rng, pick(rng, stock.things), 0.15)
    if kind < 0.45 + HELD_BEFORE_PEOPLE:
        return part(rng, pick(rng, stock.people))
    if kind < 0.75:
        return table(rng)
    if kind < 0.87:
        return printed_matter(rng)
    return drawn_background(rng, DOCUMENT_SIZE, DOCUMENT_SIZE)


def table(rng: Rng) -> Array:
    """One colour, with the grain of wood, cloth or stone."""
    size = DOCUMENT_SIZE
    pixels = (
        gradient(rng, size, size).astype(np.float32)
        if rng.random() < 0.5
        else np.float32(colour(rng)) + np.zeros((size, size, 3), np.float32)
    )
    grain = rng.normal(0, 1, (size // int(rng.integers(1, 12)) + 1, size // int(rng.integers(1, 40)) + 1))
    grain = cv2.resize(grain.astype(np.float32), (size, size))
    if rng.random() < 0.5:
        grain = grain.T
    pixels += (grain * rng.uniform(1, 25))[..., None]
    return np.clip(pixels, 0, 255).astype(np.uint8)


def printed_matter(rng: Rng) -> Array:
    """A newspaper, a letter, a page of a book: print, and no document."""
    size = 2 * DOCUMENT_SIZE
    pixels = np.full((size, size, 3), rng.integers(190, 256), np.uint8)
    columns = int(rng.integers(1, 5))
    ink = colour(rng, 0, 90)
    for index in range(columns):
        left, right = size * index / columns + 6, size * (index + 1) / columns - 6
        column(rng, pixels, (left, rng.uniform(0, 60), right, size - rng.uniform(0, 60)), ink)
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), rng.uniform(-25, 25), rng.uniform(0.9, 1.6))
    pixels = cv2.warpAffine(pixels, turn, (size, size), borderMode=cv2.BORDER_REFLECT)
    return cv2.resize(pixels, (DOCUMENT_SIZE, DOCUMENT_SIZE), interpolation=cv2.INTER_AREA)


def pick(rng: Rng, pictures: list[Array]) -> Array:
    """One of the pictures."""
    return pictures[rng.integers(len(pictures))]


def part(rng: Rng, picture: Array, least: float = 0.4) -> Array:
    """A part of a picture, squeezed into the view as the library squeezes a photo."""
    height, width = picture.shape[:2]
    share = rng.uniform(least, 1, 2) if rng.random() < 0.7 else np.ones(2)
    h, w = max(int(height * share[0]), 8), max(int(width * share[1]), 8)
    y, x = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    cut = picture[y : y + h, x : x + w]
    if rng.random() < 0.5:
        cut = cut[:, ::-1]
    how = cv2.INTER_AREA if max(h, w) > DOCUMENT_SIZE else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(cut, (DOCUMENT_SIZE, DOCUMENT_SIZE), interpolation=how))
