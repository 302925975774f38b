"""Invented identity cards and passports around a portrait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief import BriefRepr
from facematch_local.imaging.photo import Pixels
from facematch_local.synthetic.pixels import cropped_to, to_uint8
from facematch_local.synthetic.text import NAMES, write_text

ID1: Final = 85.6 / 53.98
"""Width over height of an identity card (ISO/IEC 7810)."""

ID3: Final = 125.0 / 88.0
"""Width over height of a passport's data page."""

_LABELS: Final = ("Surname", "Given names", "Date of birth", "Nationality", "Sex", "Place of origin", "No.", "Expiry")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Card(BriefRepr):
    """A flat card.

    Attributes:
        pixels: HxWx3 uint8 BGR.
        portrait: left, top, right and bottom of the portrait in pixels.
    """

    pixels: Pixels
    portrait: tuple[int, int, int, int]


def draw_card(
    portrait: Pixels | None,
    rng: np.random.Generator,
    width: int = 1000,
    passport: bool = False,
    engraved: bool = False,
) -> Card:
    """A card with a tinted ground of fine lines, an emblem, text and, on a passport, a machine-readable zone.

    Args:
        portrait: head and shoulders, any size; None leaves the portrait out.
        rng: decides colours, layout and text.
        width: of the card in pixels.
        passport: ID-3 proportions and a machine-readable zone instead of ID-1.
        engraved: draws the portrait in grey, as lasers engrave it into polycarbonate.
    """
    import cv2

    height = round(width / (ID3 if passport else ID1))
    ground = _ground(height, width, rng)
    box_height = round(height * rng.uniform(0.46, 0.54 if passport else 0.66))
    box_width = round(box_height * rng.uniform(0.74, 0.84))
    left = round(width * rng.uniform(0.035, 0.07))
    if rng.random() < 0.25:
        left = width - left - box_width
    top = round(height * rng.uniform(0.2, 0.27))
    if portrait is not None:
        # A printed portrait has less contrast and colour than the photo it was made from.
        soft = cropped_to(portrait, box_width, box_height).astype(np.float32)
        grey = soft.mean(axis=2, keepdims=True)
        soft = grey + (soft - grey) * (0.0 if engraved else rng.uniform(0.55, 1.0))
        soft = 128 + (soft - 128) * rng.uniform(0.75, 0.95) + rng.uniform(0, 12)
        ground[top : top + box_height, left : left + box_width] = to_uint8(soft)
    _write(ground, (left, top, box_width, box_height), rng, passport)
    ground = to_uint8(cv2.GaussianBlur(ground, (0, 0), 0.6).astype(np.float32) + rng.normal(0, 1.5, (height, width, 1)))
    return Card(ground, (left, top, left + box_width, top + box_height))


def with_second_portrait(
    card: Card, portrait: Pixels, rng: np.random.Generator, size: tuple[float, float], opacity: tuple[float, float]
) -> Card:
    """The card with a second, smaller portrait on the other side: a ghost portrait if it shows the same person.

    Args:
        card: a drawn card.
        portrait: the photo of the second portrait.
        rng: chooses within the following ranges.
        size: width of the second portrait over that of the first.
        opacity: opacity of the second portrait, 0 to 1.
    """
    left, top, right, bottom = card.portrait
    share = rng.uniform(*size)
    width, height = round((right - left) * share), round((bottom - top) * share)
    x = card.pixels.shape[1] - (left + right) // 2 - width // 2
    y = bottom - height
    pixels = card.pixels.copy()
    region = pixels[y : y + height, x : x + width]
    alpha = rng.uniform(*opacity)
    region[:] = to_uint8((1 - alpha) * region.astype(np.float32) + alpha * cropped_to(portrait, width, height))
    return Card(pixels, card.portrait)


def _ground(height: int, width: int, rng: np.random.Generator) -> Pixels:
    """Two pale tints that blend into each other, with guilloche lines."""
    import cv2

    def hue(saturation: int) -> NDArray[np.float64]:
        colour = np.array([[[rng.integers(0, 180), saturation, rng.integers(205, 250)]]], np.uint8)
        return np.asarray(cv2.cvtColor(colour, cv2.COLOR_HSV2BGR)[0, 0], np.float64)

    first, second = hue(int(rng.integers(18, 80))), hue(int(rng.integers(18, 80)))
    y, x = np.mgrid[0:height, 0:width] / width
    mix = 0.5 + 0.5 * np.sin(rng.uniform(1, 4) * (x * rng.uniform(0.5, 1) + y) + rng.uniform(0, 6))
    ground = first * mix[..., None] + second * (1 - mix[..., None])
    line_colour = hue(int(rng.integers(60, 150))) * 0.8
    frequency = rng.uniform(60, 110)
    wave = np.sin(2 * np.pi * (frequency * y + rng.uniform(1, 4) * np.sin(2 * np.pi * rng.uniform(1, 3) * x)))
    lines = (np.clip(wave, 0.7, 1) - 0.7) / 0.3 * rng.uniform(0.25, 0.6)
    return to_uint8(ground * (1 - lines[..., None]) + line_colour * lines[..., None])


def _write(card: Pixels, photo: tuple[int, int, int, int], rng: np.random.Generator, passport: bool) -> None:
    """Write title, emblem, labelled lines beside the portrait and, on a passport, a machine-readable zone."""
    import cv2

    height, width = card.shape[:2]
    left, top, box_width, _ = photo
    ink = tuple(int(v) for v in rng.integers(10, 60, 3))
    strong = tuple(int(v) for v in rng.integers(0, 200, 3))
    radius = round(0.07 * height)
    cv2.circle(card, (round(0.09 * width), round(0.11 * height)), radius, strong, -1, cv2.LINE_AA)
    write_text(card, (round(0.28 * width), round(0.05 * height)), "REPUBLIC OF UTOPIA", round(0.055 * height), strong)
    write_text(card, (round(0.33 * width), round(0.125 * height)), "IDENTITY CARD", round(0.06 * height), strong)
    x = left + box_width + round(0.03 * width) if left < width / 2 else round(0.05 * width)
    size = round(height * rng.uniform(0.04, 0.052))
    y = top
    bottom = height * (0.78 if passport else 0.93)
    while y + 2.3 * size < bottom:
        write_text(card, (x, y), str(rng.choice(_LABELS)), round(0.62 * size), ink)
        words = " ".join(rng.choice(NAMES, int(rng.integers(1, 4))))
        write_text(card, (x, y + round(0.75 * size)), words if rng.random() < 0.6 else _digits(rng), size, ink)
        y += round(2.2 * size)
    if passport:
        for row in range(2):
            name = "<".join(rng.choice(NAMES, 4)) + "<" * 30
            at = (round(0.04 * width), round(height * (0.83 + 0.075 * row)))
            write_text(card, at, name[:40], round(0.05 * height), (25, 25, 25))


def _digits(rng: np.random.Generator) -> str:
    return "".join(str(d) for d in rng.integers(0, 10, int(rng.integers(8, 13))))
